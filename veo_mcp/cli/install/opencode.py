"""OpenCode: an entry under `mcp` whose command is one list, in JSON with comments.

Read by catalogue.py. OpenCode gives a server 5 s to list its tools, too little for a first start.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from veo_mcp.cli.install.host import Host, Own, Shape, System
from veo_mcp.cli.install.jsonc import JsonEditor

__all__ = ["OPENCODE"]


def _files(system: System) -> Sequence[Path]:
    folder = system.config() / "opencode"
    return (
        (folder / "opencode.jsonc", folder / "opencode.json")
        if (folder / "opencode.jsonc").exists()
        else (
            folder / "opencode.json",
            folder / "opencode.jsonc",
        )
    )


def _add(line: Sequence[str], _entry: Mapping[str, Any]) -> tuple[list[str], str]:
    return ["mcp", "add", "veo", "--", *line], ""


OPENCODE = Host(
    name="opencode",
    title="OpenCode",
    editor=JsonEditor(),
    section=("mcp",),
    shape=Shape(
        arguments=None,
        env="environment",
        fixed={"type": "local", "enabled": True},
        time_outs={"timeout": 60000},
    ),
    files=_files,
    workspace=("opencode.json",),
    own=Own(program="opencode", add=_add, remove=()),
    programs=("opencode",),
    next="Start `opencode` anew",
)
