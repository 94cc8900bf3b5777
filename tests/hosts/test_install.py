"""Five real hosts, installed into by `veo-mcp install`, find the entry, connect where they can be asked to, lose it.

Run with `python -m pytest -m hosts tests/hosts/test_install.py`; npm installs them once, into VEO_HOSTS_DIR
or a folder of the run.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hosts.drivers import environment
from veo_mcp.cli.install.catalogue import host_named

pytestmark = pytest.mark.hosts

BEFORE = {
    "claude-code": '{"numStartups": 3}',
    "codex": '# mine\nmodel = "x" # stays\n',
    "copilot-cli": '{"mcpServers": {"other": {"type": "local", "command": "x", "args": [], "tools": ["*"]}}}',
    "gemini-cli": '{\n  // mine\n  "ui": {"theme": "GitHub"}\n}\n',
    "opencode": '{\n  // mine\n  "share": "disabled"\n}\n',
}
ATTEMPTS = 3
LISTED = {
    "claude-code": (["claude", "mcp", "get", "veo"], "Connected"),
    "codex": (["codex", "mcp", "get", "veo"], "enabled: true"),
    "copilot-cli": (["copilot", "mcp", "get", "veo"], "veo-mcp"),
    "gemini-cli": (["gemini", "mcp", "list"], "Connected"),
    "opencode": (["opencode", "mcp", "list"], "connected"),
}
"""How a host is asked about its servers; Codex and Copilot CLI show the entry without starting it."""


@pytest.mark.parametrize("name", BEFORE)
def test_a_host_knows_the_entry_that_its_own_command_took_in(name: str, programs: Path, tmp_path: Path) -> None:
    env = environment(programs, tmp_path, {"VEO_JOURNAL": str(tmp_path / "j.db"), "GEMINI_CLI_TRUST_WORKSPACE": "true"})

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout + done.stderr

    veo_mcp = [sys.executable, "-m", "veo_mcp"]
    host = host_named(name)
    file = {
        "claude-code": ".claude.json",
        "codex": ".codex/config.toml",
        "copilot-cli": ".copilot/mcp-config.json",
        "gemini-cli": ".gemini/settings.json",
        "opencode": ".config/opencode/opencode.json",
    }[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(BEFORE[name])
    said = run(*veo_mcp, "install", name)
    assert f"by {host.title}'s own command" in said
    command, words = LISTED[name]
    # Gemini CLI gives a server 5 s to start, which a busy machine may not have.
    assert any(words in run(*command) for _ in range(ATTEMPTS))
    comment = next((part for part in ("# mine", "// mine") if part in BEFORE[name]), "")
    assert comment in path.read_text()
    assert "has this entry already" in run(*veo_mcp, "install", name)
    assert "Taken out" in run(*veo_mcp, "uninstall", name)
    text = path.read_text()
    assert "veo-mcp" not in text
    assert comment in text
    assert "no entry of veo-mcp" in run(*veo_mcp, "uninstall", name)
