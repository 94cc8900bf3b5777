"""One version number, a valid registry entry, and a README that names what exists."""

import json
from pathlib import Path

import jsonschema
import pytest

from veo_mcp import __version__

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT.parent / "shared" / "contract" / "server.schema.json"


def test_the_registry_entry_names_the_version_of_the_package() -> None:
    entry = json.loads((ROOT / "server.json").read_text())
    assert entry["version"] == __version__
    assert [package["version"] for package in entry["packages"]] == [__version__]
    assert len(entry["description"]) <= 100
    assert f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text()


def test_every_package_has_the_version_of_the_python_package() -> None:
    for name in ("gemini-extension.json", "bundle/manifest.json", "server.json"):
        assert json.loads((ROOT / name).read_text())["version"] == __version__, name


def test_an_unset_field_of_the_bundle_is_empty_and_the_key_is_sensitive() -> None:
    # Without a default the host hands over the literal text "${user_config.api_key}".
    manifest = json.loads((ROOT / "bundle" / "manifest.json").read_text())
    assert manifest["manifest_version"] == "0.4"
    assert manifest["user_config"]["api_key"]["sensitive"] is True
    for name, field in manifest["user_config"].items():
        assert field.get("required") or field["default"] == "", name


@pytest.mark.skipif(not SCHEMA.exists(), reason="the registry's schema is not at hand")
def test_the_registry_entry_is_valid() -> None:
    jsonschema.validate(json.loads((ROOT / "server.json").read_text()), json.loads(SCHEMA.read_text()))
