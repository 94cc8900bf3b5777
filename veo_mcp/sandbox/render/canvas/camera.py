"""Camera moves: where the view is at a time, and the zoomed or shaken crop of a composed frame.

Called for every frame by stages and image modes. Positions are functions of time that go on after the clip's end, so
an extension continues the move. Never draws anything itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from veo_mcp.sandbox.render.canvas.frame import Frame

SHOT = 8.0  # seconds a move is made for; it then goes on, ever slower
VERTICAL = frozenset({"tilt_up", "tilt_down", "drone", "dolly"})


@dataclass(frozen=True, slots=True)
class View:
    """The view at one moment: shifts in pixels (times a layer's depth, or common to all), and the crop."""

    x: float = 0.0
    y: float = 0.0
    tilt: float = 0.0
    pivot: float = 0.0
    zoom: float = 1.0
    cx: float = 0.5
    cy: float = 0.5


@dataclass(frozen=True, slots=True)
class Camera:
    """One move; `unit` scales it to the frame (1 at 1280 pixels)."""

    move: str
    unit: float
    brisk: float = 1.0
    phase: float = 0.0
    speed: float = 0.0  # of tracking, in pixels a second; 0 is the move's own

    @property
    def axis(self) -> int:
        return 0 if self.move in VERTICAL else 1

    def at(self, t: float) -> View:
        u, b = self.unit, self.brisk
        glide = t / SHOT if t < SHOT else 1 + (1 - np.exp(-(t - SHOT) / SHOT)) * 0.9
        ease = glide - 0.5
        match self.move:
            case "pan_left":
                return View(x=-430 * u * ease * b, pivot=0.35)
            case "pan_right":
                return View(x=430 * u * ease * b, pivot=0.35)
            case "tracking":
                return View(x=(self.speed * SHOT or 900 * u * b) * ease)
            case "orbit":
                return View(x=420 * u * ease * b, pivot=-0.45)
            case "tilt_up":
                return View(tilt=85 * u * np.tanh(2.2 * ease))
            case "tilt_down":
                return View(tilt=-85 * u * np.tanh(2.2 * ease))
            case "drone":
                return View(y=105 * u * np.tanh(1.6 * ease) * b, zoom=1 + 0.13 * (ease + 0.5), cy=0.42)
            case "dolly":
                return View(y=46 * u * ease, zoom=1 + 0.17 * (ease + 0.5) ** 1.15, cy=0.45)
            case "zoom_in":
                return View(zoom=1 + 0.3 * (ease + 0.5), cy=0.47)
            case "zoom_out":
                return View(zoom=1 + 0.3 * float(np.exp(-2.2 * (ease + 0.5))), cy=0.47)
            case "push":
                return View(zoom=1 + 0.09 * (ease + 0.5), cy=0.45)
            case "handheld":
                p = self.phase
                sx = 0.5 + 0.28 * np.sin(1.7 * t + p) + 0.14 * np.sin(4.3 * t + 2 * p) + 0.05 * np.sin(9.1 * t)
                sy = 0.5 + 0.25 * np.sin(2.3 * t + 1.3 * p) + 0.14 * np.sin(5.2 * t + p) + 0.05 * np.sin(8.3 * t)
                return View(x=60 * u * ease, zoom=1.055, cx=float(sx), cy=float(sy))
            case "drift":
                return View(x=150 * u * ease * b, pivot=0.0)
            case _:
                return View()

    def reach(self) -> tuple[float, float]:
        """How far x and (y or tilt) go over a clip and the extension that goes on from it, for the margins of layers."""
        return _reach(self)


@lru_cache(maxsize=64)
def _reach(camera: Camera) -> tuple[float, float]:
    views = [camera.at(t) for t in np.linspace(0, 20, 41)]
    return max(abs(v.x) for v in views), max(abs(v.y + v.tilt) for v in views)


def crop(source: Frame, target: Frame, view: View) -> None:
    """The virtual crop: luma exact to a fraction of a pixel, colours to a pixel of theirs, which is a fifth of the time."""
    part = 1 / view.zoom
    for src, dst in zip(source.planes, target.planes, strict=True):
        h, w = src.shape
        left, top = (1 - part) * w * view.cx, (1 - part) * h * view.cy
        box = (left, top, min(left + w * part, w), min(top + h * part, h))
        way = Image.Resampling.BILINEAR if src is source.y else Image.Resampling.NEAREST
        dst[...] = np.asarray(Image.fromarray(src).resize((w, h), way, box=box))
