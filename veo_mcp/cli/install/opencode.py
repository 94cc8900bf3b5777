"""OpenCode: an entry under `mcp` whose command is one list, in JSON with comments.

Read by catalogue.py. OpenCode gives a server 5 s to list its tools, too little for a first start.
"""

from collections.abc import Sequence
from pathlib import Path

from veo_mcp.cli.install.host import Host, Own, Shape, System
from veo_mcp.cli.install.jsonc import JsonEditor

__all__ = ["OPENCODE"]


def _files(system: System) -> Sequence[Path]:
    folder = system.config() / "opencode"
    commented, plain = folder / "opencode.jsonc", folder / "opencode.json"
    return (commented, plain) if commented.exists() else (plain, commented)


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
    own=Own(program="opencode", remove=()),
    programs=("opencode",),
    next="Restart `opencode`",
)
