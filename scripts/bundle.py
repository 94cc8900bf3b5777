"""Lays out the MCPB bundle: the manifest and what `uv run` needs beside it, and nothing else.

Run as `python scripts/bundle.py FOLDER`, then `npx @anthropic-ai/mcpb pack FOLDER veo-mcp.mcpb`. Libraries are not in
the bundle: uv fetches them on the person's machine, so one file serves every system.
"""

import shutil
import sys
from pathlib import Path

__all__ = ["stage"]

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ("pyproject.toml", "README.md", "LICENSE")
"""What the build of the package reads."""


def stage(folder: Path) -> Path:
    """Fills a folder that is not there yet; returns it."""
    shutil.copytree(ROOT / "bundle", folder)
    shutil.copytree(ROOT / "veo_mcp", folder / "veo_mcp", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        shutil.copy(ROOT / name, folder)
    return folder


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
