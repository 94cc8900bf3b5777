"""Installing adds one entry, leaves every other byte alone, keeps what the person put on it, and can be undone."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from veo_mcp.cli.install.catalogue import HOSTS, host_named
from veo_mcp.cli.install.command import InstallRequest, install, spenders, uninstall
from veo_mcp.cli.install.entry import put_in, taken_out
from veo_mcp.cli.install.host import CannotInstall, System
from veo_mcp.cli.install.launch import Running, line, ours

LINE = ["/opt/veo/bin/veo-mcp"]
NAMES = [host.name for host in HOSTS]


def system(home: Path, platform: str = "linux", environ: Mapping[str, str] | None = None) -> System:
    """A machine with no host's program on its PATH: every file is edited by us."""
    return System(platform=platform, home=home, folder=home / "project", environ=environ or {}, which=lambda name: None)


def everywhere(path: str) -> tuple[str, str, str]:
    return path, path, path


GOLDEN: dict[str, tuple[str, str, str]] = {
    "claude-desktop": (
        ".config/Claude/claude_desktop_config.json",
        "Library/Application Support/Claude/claude_desktop_config.json",
        "AppData/Roaming/Claude/claude_desktop_config.json",
    ),
    "claude-code": everywhere(".claude.json"),
    "cursor": everywhere(".cursor/mcp.json"),
    "vscode": (
        ".config/Code/User/mcp.json",
        "Library/Application Support/Code/User/mcp.json",
        "AppData/Roaming/Code/User/mcp.json",
    ),
    "codex": everywhere(".codex/config.toml"),
    "copilot-cli": everywhere(".copilot/mcp-config.json"),
    "opencode": everywhere(".config/opencode/opencode.json"),
    "antigravity": everywhere(".gemini/config/mcp_config.json"),
    "gemini-cli": everywhere(".gemini/settings.json"),
    "devin": everywhere(".codeium/windsurf/mcp_config.json"),
    "kiro": everywhere(".kiro/settings/mcp.json"),
    "lm-studio": everywhere(".lmstudio/mcp.json"),
    "zed": (".config/zed/settings.json", ".config/zed/settings.json", "AppData/Roaming/Zed/settings.json"),
    "goose": (
        ".config/goose/config.yaml",
        ".config/goose/config.yaml",
        "AppData/Roaming/Block/goose/config/config.yaml",
    ),
}
BARE: dict[str, Any] = {"command": LINE[0], "args": []}
WITHOUT_MORE = ("claude-desktop", "cursor", "antigravity", "gemini-cli", "devin", "kiro", "lm-studio", "zed")
ENTRIES: dict[str, Any] = {
    **dict.fromkeys(WITHOUT_MORE, BARE),
    "claude-code": {"type": "stdio", **BARE},
    "vscode": {"type": "stdio", **BARE},
    "copilot-cli": {"type": "local", "tools": ["*"], "command": LINE[0], "args": []},
    "codex": {"command": LINE[0], "args": [], "startup_timeout_sec": 60, "tool_timeout_sec": 120},
    "opencode": {"type": "local", "enabled": True, "command": LINE, "timeout": 60000},
    "goose": {
        "enabled": True,
        "type": "stdio",
        "name": "veo",
        "description": "Makes Veo 3.1 videos",
        "cmd": LINE[0],
        "args": [],
        "timeout": 300,
    },
}


def test_every_host_stands_in_the_tables_of_this_test() -> None:
    assert set(NAMES) == set(GOLDEN) == set(ENTRIES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("place", "platform"), tuple(enumerate(("linux", "darwin", "win32"))))
def test_the_entry_goes_to_the_file_that_the_host_reads_and_out_again(
    tmp_path: Path, name: str, place: int, platform: str
) -> None:
    machine = system(tmp_path, platform)
    assert install(InstallRequest(host=name), machine, LINE) == 0
    path = tmp_path / GOLDEN[name][place]
    entry: Any = host_named(name).editor.parse(path.read_text("utf-8"))
    for step in host_named(name).place:
        entry = entry[step]
    assert entry == ENTRIES[name]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert uninstall(InstallRequest(host=name), machine) == 0
    assert not path.exists()


def test_claude_desktop_from_the_windows_store_has_a_folder_of_its_own(tmp_path: Path) -> None:
    store = tmp_path / "AppData/Local/Packages/Claude_abc/LocalCache/Roaming/Claude"
    store.mkdir(parents=True)
    assert install(InstallRequest(host="claude-desktop"), system(tmp_path, "win32"), LINE) == 0
    assert (store / "claude_desktop_config.json").exists()


JSON_TEXTS = {
    "comments": '{\n  // me\n  "z": "dark", // stays\n  "mcpServers": {\n    "a": {"command": "x"} /* y */\n  }\n}\n',
    "commas at the end": '{\n  "mcpServers": {\n    "a": {},\n  },\n}\n',
    "tabs": '{\n\t"mcpServers": {\n\t\t"a": {}\n\t}\n}',
    "Windows line ends": '{\r\n    "theme": 1.50,\r\n    "mcpServers": {\r\n        "a": {}\r\n    }\r\n}\r\n',
    "one line": '{"mcpServers": {"a": {"command": "x"}}, "z": [1,2 , 3]}',
    "no section": '{\n    "theme" : "dark"   // last\n}\n',
    "an empty section": '{"mcpServers": {}, "z": 1}\n',
    "only a comment in the section": '{\n  "mcpServers": {\n    // none yet\n  }\n}\n',
    "empty": "",
    "an empty object": "{}\n",
    "a comment at the end": '{\n  "a": 1\n}\n// bye\n',
    "text that looks like comments": '{\n  "a": "http://x/*y*/ \\" // z",\n  "mcpServers": {"b": {"c": "}"}}\n}\n',
}


@pytest.mark.parametrize("kind", JSON_TEXTS)
def test_json_gets_one_entry_and_keeps_every_other_byte(kind: str) -> None:
    host, text = host_named("cursor"), JSON_TEXTS[kind]
    after = put_in(host, text, LINE, {})
    if text:
        # What stood there stands there still, in order: only insertions.
        rest = iter(after)
        assert all(mark in rest for mark in text)
        assert taken_out(host, after, original=text) == text
    assert ("\r\n" in text) == ("\r\n" in after)
    assert "\n" not in after.replace("\r\n", "") or "\r\n" not in after
    assert put_in(host, after, LINE, {}) == after


@pytest.mark.parametrize(
    "text",
    ["[]", '{"mcpServers": []}', '{"mcpServers": {"veo": {"command": "other"}}}', "{", '{"a" 1}', '{"a": 1} x', "nope"],
)
def test_json_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(CannotInstall):
        put_in(host_named("cursor"), text, LINE, {})


def test_what_the_person_put_on_the_entry_stays_and_only_the_launcher_is_replaced() -> None:
    before = """{
  "mcpServers": {
    "veo": {
      // my key
      "command": "/old/python",
      "args": ["-m", "veo_mcp", "serve", "--max-credits", "500", "--read-only"],
      "env": {"VEO_API_KEY": "sk-mine"}, "cwd": "/tmp", "timeout": 5
    }
  }
}"""
    after = put_in(host_named("cursor"), before, ["/new/uvx", "--from", "/src", "veo-mcp"], {})
    assert after == before.replace("/old/python", "/new/uvx").replace('"-m", "veo_mcp"', '"--from", "/src", "veo-mcp"')


TOML = """# my settings
model = "x" # mine

[mcp_servers.other]
command = 'a'   # odd   spacing
args = [ "b" ]

[profiles."p.q"]
z = 1
"""


@pytest.mark.parametrize("text", [TOML, TOML.replace("\n", "\r\n"), 'model = "x"', ""])
def test_toml_gets_a_table_at_its_end_and_loses_it_again(text: str) -> None:
    host = host_named("codex")
    after = put_in(host, text, LINE, {"VEO_API_KEY": "sk-x"})
    assert after.startswith(text)
    assert host.editor.parse(after)["mcp_servers"]["veo"]["env"] == {"VEO_API_KEY": "sk-x"}
    newer = put_in(host, after, ["/new", "-P", "-m", "veo_mcp"], {})
    assert host.editor.parse(newer)["mcp_servers"]["veo"]["command"] == "/new"
    assert taken_out(host, newer, original=text).rstrip() == text.rstrip()


YAML = """# goose
GOOSE_MODEL: x   # mine
extensions:
  # built in
  developer:
    enabled: true
    args: [a,  b]
  # after

other:
- 1
"""


@pytest.mark.parametrize(
    "text", [YAML, YAML.replace("\n", "\r\n"), "extensions:\n", "extensions: {}\na: 1\n", "a: 1", "", "# only this\n"]
)
def test_yaml_gets_one_extension_and_keeps_every_other_byte(text: str) -> None:
    host = host_named("goose")
    after = put_in(host, text, LINE, {})
    assert host.editor.parse(after)["extensions"]["veo"] == ENTRIES["goose"]
    back = taken_out(host, after, original=text)
    if text == YAML:
        assert back == text
    assert (host.editor.parse(back).get("extensions") or {}) == (host.editor.parse(text).get("extensions") or {})
    newer = put_in(host, after, ["/new", "-P", "-m", "veo_mcp"], {})
    assert host.editor.parse(newer)["extensions"]["veo"]["args"] == ["-P", "-m", "veo_mcp"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encoding_mode_and_symlink_stay(tmp_path: Path, encoding: str) -> None:
    real = tmp_path / "dotfiles" / "cursor.json"
    real.parent.mkdir()
    text = '{\n  "näme": "日本"\n}\n'
    real.write_bytes(text.encode(encoding))
    real.chmod(0o644)
    link = tmp_path / ".cursor" / "mcp.json"
    link.parent.mkdir()
    link.symlink_to(real)
    assert install(InstallRequest(host="cursor"), system(tmp_path), LINE) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o644
    assert json.loads(real.read_bytes().decode(encoding))["mcpServers"]["veo"] == ENTRIES["cursor"]
    assert uninstall(InstallRequest(host="cursor"), system(tmp_path)) == 0
    assert real.read_bytes() == text.encode(encoding)


def test_the_first_copy_and_the_last_are_kept(tmp_path: Path) -> None:
    path = tmp_path / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_text('{"first": 1}')
    for number in range(3):
        install(InstallRequest(host="cursor"), system(tmp_path), [f"/v{number}/veo-mcp"])
    assert (path.parent / "mcp.json.before-veo").read_text() == '{"first": 1}'
    assert "/v1/veo-mcp" in (path.parent / "mcp.json.before-veo-last").read_text()
    assert sorted(child.name for child in path.parent.iterdir()) == [
        "mcp.json",
        "mcp.json.before-veo",
        "mcp.json.before-veo-last",
    ]


@pytest.mark.parametrize("kind", ["read-only", "broken", "latin-1", "folder"])
def test_a_file_that_cannot_be_edited_is_left_alone_and_print_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / ".cursor" / "mcp.json"
    path.parent.mkdir()
    content = {"read-only": b"{}", "broken": b'{"a": ', "latin-1": b'{"a": "\xe4"}', "folder": b""}[kind]
    if kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(content)
    if kind == "read-only":
        path.chmod(0o444)
    assert install(InstallRequest(host="cursor"), system(tmp_path), LINE) == 1
    said = capfd.readouterr().err
    assert str(path) in said
    assert "Nothing was changed" in said
    assert "veo-mcp install cursor --print" in said
    if kind != "folder":
        assert path.read_bytes() == content
    assert [child.name for child in path.parent.iterdir()] == ["mcp.json"]


def test_a_key_is_written_only_when_asked_for_and_never_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    request = InstallRequest(host="zed", key=SecretStr("sk-secret-77"))
    assert install(InstallRequest(host="zed", key=request.key, print_only=True), system(tmp_path), LINE) == 0
    assert install(request, system(tmp_path), LINE) == 0
    shown = capfd.readouterr()
    assert "sk-secret" not in shown.out + shown.err
    settings = json.loads((tmp_path / ".config/zed/settings.json").read_text())
    assert settings["context_servers"]["veo"]["env"] == {"VEO_API_KEY": "sk-secret-77"}


def test_login_names_the_hosts_that_would_use_the_saved_key(tmp_path: Path) -> None:
    machine = system(tmp_path)
    install(InstallRequest(host="cursor"), machine, LINE)
    install(InstallRequest(host="codex"), machine, LINE)
    install(InstallRequest(host="zed", key=SecretStr("sk-own")), machine, LINE)
    install(InstallRequest(host="kiro"), machine, [*LINE, "--sandbox"])
    assert spenders(machine) == ["Cursor", "Codex"]


def test_a_project_gets_a_file_of_its_own_where_the_host_reads_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert install(InstallRequest(host="vscode", workspace=True), system(tmp_path), LINE) == 0
    assert (tmp_path / "project/.vscode/mcp.json").exists()
    assert install(InstallRequest(host="goose", workspace=True), system(tmp_path), LINE) == 1
    assert "leave out --workspace" in capfd.readouterr().err


def running(prefix: str, source: Mapping[str, Any] | None, *, sandbox: bool = False, script: bool = True) -> Running:
    return Running(
        python=Path(prefix) / "bin" / "python",
        prefix=Path(prefix),
        source=source,
        sandbox=sandbox,
        which=lambda name: f"/usr/bin/{name}",
        exists=lambda path: script,
    )


UV = "/home/me/.cache/uv/archive-v0/Xy12"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (running("/src/.venv", {"url": "file:///src", "dir_info": {"editable": True}}), ["/src/.venv/bin/veo-mcp"]),
        (running("/usr", None, script=False), ["/usr/bin/python", "-P", "-m", "veo_mcp"]),
        (running("/h/pipx/venvs/veo-mcp", None), ["/h/pipx/venvs/veo-mcp/bin/veo-mcp"]),
        (
            running(UV, {"url": "file:///src", "dir_info": {}}, sandbox=True),
            ["/usr/bin/uvx", "--from", "veo-mcp[sandbox] @ file:///src", "veo-mcp"],
        ),
        (
            running(UV, {"url": "https://x/veo.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}),
            ["/usr/bin/uvx", "--from", "veo-mcp @ git+https://x/veo.git@abc", "veo-mcp"],
        ),
    ],
)
def test_a_host_starts_the_installation_that_was_run(now: Running, expected: list[str]) -> None:
    assert line(now) == expected
    assert ours(expected) == []


def test_a_host_never_fetches_a_name_that_is_not_ours_nor_a_folder_that_is_cleaned_up() -> None:
    with pytest.raises(CannotInstall, match="not published"):
        line(running(UV, None))
    with pytest.raises(CannotInstall, match="pipx install"):
        line(running("/home/me/.cache/pipx/ab12", None))


def test_the_examples_are_json_and_carry_no_real_key() -> None:
    for path in (Path(__file__).parent.parent / "examples").glob("*.json"):
        assert "sk-your-api-key" in path.read_text() or "${input:" in path.read_text()
        json.loads(path.read_text())
