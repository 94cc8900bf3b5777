"""The sandbox's renderer: turns one request into a real MP4, drawn and played by arithmetic, never by an AI model.

Called by the sandbox's workers (a thread or a process each). Nothing heavy is imported until a clip is rendered, so a
server with a real key never pays for numpy, Pillow or FFmpeg. It never opens a socket: images arrive as files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["ClipInfo", "ClipSpec", "render_clip"]


@dataclass(frozen=True, slots=True)
class ClipSpec:
    """One clip to draw. Width and height are even; `parent` is the finished MP4 that an extension goes on from."""

    prompt: str
    mode: Literal["fast", "quality"] = "fast"
    width: int = 1280
    height: int = 720
    seed: int = 10000
    images: tuple[Path, ...] = ()
    image_use: Literal["none", "frames", "reference"] = "none"
    parent: Path | None = None
    watermark: str | None = None
    task_id: str = ""
    seconds: float = 8.0
    fps: int = 24


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What was written: the size in pixels, the length, and how many frames."""

    width: int
    height: int
    seconds: float
    frames: int


def render_clip(spec: ClipSpec, out: Path) -> ClipInfo:
    """Render `spec` to the file `out` (which appears only when complete). Blocks; one clip per call, no shared state."""
    from veo_mcp.sandbox.render.clip.clip import render

    return render(spec, out)
