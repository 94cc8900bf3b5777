"""One version number, a valid registry entry, and a README that names what exists."""

import itertools
import json
import re
import tomllib
from pathlib import Path

import yaml

from veo_mcp import __version__
from veo_mcp.settings import KNOBS

ROOT = Path(__file__).parent.parent


def test_the_registry_entry_names_the_version_of_the_package() -> None:
    entry = json.loads((ROOT / "server.json").read_text())
    assert entry["version"] == __version__
    assert [package["version"] for package in entry["packages"]] == [__version__]
    assert len(entry["description"]) <= 100
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text()


def test_every_package_has_the_version_of_the_python_package() -> None:
    for name in (
        *("gemini-extension.json", "bundle/manifest.json", "server.json"),
        *("plugin/plugin.json", "plugin/.claude-plugin/plugin.json"),
    ):
        assert json.loads((ROOT / name).read_text())["version"] == __version__, name
    marketplace = json.loads((ROOT / ".claude-plugin" / "marketplace.json").read_text())
    assert [plugin["version"] for plugin in marketplace["plugins"]] == [__version__]
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_plugin_has_the_skill_and_starts_what_is_installed() -> None:
    servers = json.loads((ROOT / "plugin" / "mcp.json").read_text())["mcpServers"]
    assert servers["veo"]["command"] == "veo-mcp"
    head = (ROOT / "plugin" / "skills" / "veo-video" / "SKILL.md").read_text().split("---")[1]
    assert yaml.safe_load(head)["name"] == "veo-video"


def test_every_action_is_pinned_by_a_commit_and_no_job_has_rights_by_default() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {}, path.name
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert "uses" not in step or re.search(r"@[0-9a-f]{40}$", step["uses"]), (path.name, step)
    for path in (ROOT / ".github").glob("**/*.yml"):
        assert yaml.safe_load(path.read_text()), path.name


def test_the_lock_names_every_dependency_with_hashes_and_no_index() -> None:
    lock = (ROOT / "requirements-dev.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for wanted in itertools.chain(project["dependencies"], *project["optional-dependencies"].values()):
        name = re.split(r"[\[<>=]", wanted)[0]
        assert name == "veo-mcp" or f"\n{name}==" in f"\n{lock}" or f"\n{name}[" in lock, f"{wanted}: run nox -s lock"
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "index-url" not in lock


def test_an_unset_field_of_the_bundle_is_empty_and_the_key_is_sensitive() -> None:
    # Without a default the host hands over the literal text "${user_config.api_key}".
    manifest = json.loads((ROOT / "bundle" / "manifest.json").read_text())
    assert manifest["manifest_version"] == "0.4"
    assert manifest["user_config"]["api_key"]["sensitive"] is True
    for name, field in manifest["user_config"].items():
        assert field.get("required") or field["default"] == "", name


def test_the_registry_entry_has_what_the_registry_asks_for() -> None:
    entry = json.loads((ROOT / "server.json").read_text())
    assert re.fullmatch(
        r"https://static\.modelcontextprotocol\.io/schemas/\d{4}-\d\d-\d\d/server\.schema\.json", entry["$schema"]
    )
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    for package in entry["packages"]:
        assert package["registryType"] == "pypi"
        assert package["identifier"] == "veo-mcp"
        assert package["transport"]["type"] in ("stdio", "streamable-http", "sse")
        for variable in package["environmentVariables"]:
            assert re.fullmatch(r"VEO_[A-Z_]+", variable["name"])
            assert variable["description"]
            assert variable.get("isSecret", False) == (variable["name"] == "VEO_API_KEY"), variable["name"]


def test_the_composition_has_three_replicas_of_one_kind_on_one_journal_behind_the_proxy() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    replicas = [name for name in services if name.startswith("veo-")]
    assert len(replicas) == 3
    assert all(services[name] == services["veo-1"] for name in replicas)
    assert services["veo-1"]["stop_grace_period"] == "60s"
    assert services["veo-1"]["environment"]["VEO_JOURNAL"] == "postgresql://veo@postgres:5432/veo"
    proxy = yaml.safe_load((ROOT / "compose.yaml").read_text())["configs"]["caddy"]["content"]
    assert all(f"{name}:8000" in proxy for name in replicas)
    settings = set(services["veo-1"]["environment"]) | set(
        re.findall(r"VEO_\w+(?==)", (ROOT / "Dockerfile").read_text())
    )
    assert settings <= {knob.variable for knob in KNOBS}, "no setting is misspelt"
