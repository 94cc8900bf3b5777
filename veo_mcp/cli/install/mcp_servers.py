"""The hosts whose entries stand under `mcpServers` in a JSON file, the form that Claude Desktop began.

Read by catalogue.py. Where a host has a command of its own that runs unattended, it is used for adding and removing.
Antigravity and Kiro have one too, which could not be tried; their files are edited.
"""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from veo_mcp.cli.install.host import Host, Own, Shape, System
from veo_mcp.cli.install.jsonc import JsonEditor

__all__ = ["ANTIGRAVITY", "CLAUDE_CODE", "CLAUDE_DESKTOP", "COPILOT", "CURSOR", "DEVIN", "GEMINI", "KIRO", "LM_STUDIO"]

_host = partial(Host, editor=JsonEditor(), section=("mcpServers",), shape=Shape())


def _claude_desktop(system: System) -> Sequence[Path]:
    name = Path("Claude", "claude_desktop_config.json")
    usual = system.app_data() / name
    if system.platform != "win32":
        return (usual,)
    # The store's build has a folder of its own, and reads nothing else.
    packages = system.local() / "Packages"
    store = sorted(packages.glob("Claude_*/LocalCache/Roaming/Claude")) if packages.is_dir() else []
    return (*(folder / name.name for folder in store), usual)


def _claude_code(system: System) -> Sequence[Path]:
    folder = system.environ.get("CLAUDE_CONFIG_DIR")
    return ((Path(folder) if folder else system.home) / ".claude.json",)


def _claude_add(_line: Sequence[str], entry: Mapping[str, Any]) -> tuple[list[str], str]:
    return ["mcp", "add-json", "-s", "user", "veo", "-"], json.dumps(entry)


def _gemini_add(line: Sequence[str], _entry: Mapping[str, Any]) -> tuple[list[str], str]:
    return ["mcp", "add", "-s", "user", "veo", line[0], "--", *line[1:]], ""


CLAUDE_DESKTOP = _host(
    name="claude-desktop",
    title="Claude Desktop",
    files=_claude_desktop,
    next="Quit Claude Desktop (the window's cross is not enough) and start it again",
)
CLAUDE_CODE = _host(
    name="claude-code",
    title="Claude Code",
    shape=Shape(fixed={"type": "stdio"}),
    files=_claude_code,
    workspace=(".mcp.json",),
    own=Own(program="claude", add=_claude_add, remove=("mcp", "remove", "-s", "user", "veo")),
    programs=("claude",),
    next="Restart `claude`; /mcp shows veo",
)
CURSOR = _host(
    name="cursor",
    title="Cursor",
    files=lambda system: (system.home / ".cursor" / "mcp.json",),
    workspace=(".cursor", "mcp.json"),
    programs=("cursor",),
    next="Turn veo on in Cursor under Settings, MCP",
)
COPILOT = _host(
    name="copilot-cli",
    title="Copilot CLI",
    shape=Shape(fixed={"type": "local", "tools": ["*"]}),
    files=lambda system: (system.named("COPILOT_HOME", ".copilot") / "mcp-config.json",),
    own=Own(program="copilot", remove=("mcp", "remove", "veo")),
    programs=("copilot",),
    next="Restart `copilot`; /mcp show lists veo",
)
ANTIGRAVITY = _host(
    name="antigravity",
    title="Antigravity",
    files=lambda system: (system.home / ".gemini" / "config" / "mcp_config.json",),
    programs=("agy",),
    next="Restart Antigravity",
)
GEMINI = _host(
    name="gemini-cli",
    title="Gemini CLI",
    files=lambda system: (system.home / ".gemini" / "settings.json",),
    workspace=(".gemini", "settings.json"),
    own=Own(program="gemini", add=_gemini_add, remove=("mcp", "remove", "-s", "user", "veo")),
    programs=("gemini",),
    next="Restart `gemini`; /mcp lists veo",
)
DEVIN = _host(
    name="devin",
    title="Devin Desktop (Windsurf)",
    files=lambda system: (system.home / ".codeium" / "windsurf" / "mcp_config.json",),
    programs=("windsurf", "devin"),
    next="Press the refresh button of its MCP panel",
)
KIRO = _host(
    name="kiro",
    title="Kiro",
    files=lambda system: (system.home / ".kiro" / "settings" / "mcp.json",),
    workspace=(".kiro", "settings", "mcp.json"),
    programs=("kiro", "kiro-cli"),
    next="Kiro connects by itself when the file changes",
)
LM_STUDIO = _host(
    name="lm-studio",
    title="LM Studio",
    files=lambda system: (system.home / ".lmstudio" / "mcp.json",),
    programs=("lms",),
    next="Turn veo on in LM Studio under Program, Integrations",
)
