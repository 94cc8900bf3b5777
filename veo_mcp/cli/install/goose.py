"""Goose: an extension in a YAML file, with keys of its own for the command and the environment.

Read by catalogue.py.
"""

from collections.abc import Sequence
from pathlib import Path

from veo_mcp.cli.install.host import Host, Shape, System
from veo_mcp.cli.install.yaml import YamlEditor

__all__ = ["GOOSE"]


def _files(system: System) -> Sequence[Path]:
    if system.platform == "win32":
        return (system.roaming() / "Block" / "goose" / "config" / "config.yaml",)
    # On macOS too.
    return (system.config() / "goose" / "config.yaml",)


GOOSE = Host(
    name="goose",
    title="Goose",
    editor=YamlEditor(),
    section=("extensions",),
    shape=Shape(
        program="cmd",
        env="envs",
        fixed={"enabled": True, "type": "stdio", "name": "veo", "description": "Makes Veo 3.1 videos"},
        time_outs={"timeout": 300},
    ),
    files=_files,
    programs=("goose",),
    next="Start a new Goose session",
)
