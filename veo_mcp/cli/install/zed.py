"""Zed: an entry under `context_servers` in its settings, which are JSON with comments.

Read by catalogue.py.
"""

from collections.abc import Sequence
from pathlib import Path

from veo_mcp.cli.install.host import Host, Shape, System
from veo_mcp.cli.install.jsonc import JsonEditor

__all__ = ["ZED"]


def _files(system: System) -> Sequence[Path]:
    if system.platform == "win32":
        return (system.roaming() / "Zed" / "settings.json",)
    # On macOS too.
    return (system.config() / "zed" / "settings.json",)


ZED = Host(
    name="zed",
    title="Zed",
    editor=JsonEditor(),
    section=("context_servers",),
    shape=Shape(),
    files=_files,
    workspace=(".zed", "settings.json"),
    programs=("zed", "zeditor"),
    next="Zed connects by itself; its Agent panel lists veo",
)
