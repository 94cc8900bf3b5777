"""Reads the renderer's tables (words, colours, music) from the TOML files that lie beside the code.

Called once by each module that owns a table. Knows nothing of what a table means.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any


def read_table(path: str) -> dict[str, Any]:
    """The table at `path`, counted from the renderer's folder."""
    return tomllib.loads(files("veo_mcp.sandbox.render").joinpath(*path.split("/")).read_text("utf-8"))
