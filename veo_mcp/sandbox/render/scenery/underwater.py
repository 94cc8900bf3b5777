"""Under water: blue depth with beams of light that slide over each other, bubbles and plankton.

Called by the places with an empty stage. Most is drawn once; only beams and bubbles move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import U8, Frame, Sprite, blend, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.sky import DITHER
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.weather import Wanderers, glow_sprite

SUNLIT, DEEP = "7fe3e6 1f93b8 0a3f6b", "1f5f86 0d3358 04152c"  # water, from the top
WATERLIGHT = (0.75, 1.0, 1.05)


def depths(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Blue depth with beams of light; from here on the stage is lit as under water."""
    s = stage.setup
    dark = s.pal.night > 0.5 or "dark" in s.plan.looks
    top, mid, low = map(hexa, (DEEP if dark else SUNLIT).split())
    rows, cols = (s.h + 2 * s.rise) // 2 * 2, s.w + 2 * s.margin(0.04)
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :, None]
    fall = np.clip(1 - y * 1.5, 0, 1) + np.clip(1 - y, 0, 1) ** 2 * np.float32(0.6)
    img = vec(low) + fall * (vec(mid) - vec(low))
    img = img + np.exp(-(y**2) / 0.16 - (x - 0.15) ** 2 / 0.5) * (vec(top) - img) * np.float32(0.85)
    img += s.rng("deep").standard_normal((rows, cols), np.float32)[..., None] * DITHER
    stage.sun = (s.w * 0.58, -40.0)
    stage.lay(np.clip(img, 0, 1).astype(np.float32), None, top=-s.rise, left=-s.margin(0.04), depth=0.04)
    light, shade = ((0.3, 0.5, 0.7), (0.1, 0.2, 0.34)) if dark else (WATERLIGHT, (0.12, 0.26, 0.4))
    stage.setup = replace(s, pal=replace(s.pal, haze=blend(mid, low, 0.35), light=light, shade=shade))
    stage.items.append(Beams(s.rng("beams"), s.w, s.h, 0.2 if dark else 0.45 if s.fine else 0.34))


class Beams:
    """Two fans of light that slide over each other."""

    REACH = 200  # pixels of sheet beyond the frame, for the sliding

    def __init__(self, rng: np.random.Generator, w: int, h: int, power: float) -> None:
        self.sheets: list[U8] = []
        rows, wide = h // 2, w + self.REACH
        y, x = np.arange(rows, dtype=np.float32)[:, None], np.arange(wide // 2, dtype=np.float32)[None, :]
        slope = (x - wide * 0.29) * (1 / (0.62 + 0.65 * y / rows)) + wide * 0.29
        for k in range(2):
            beam = np.interp(slope, np.arange(wide), fbm(rng, 1, wide, 1, 90 - 30 * k, 3)[0]).astype(np.float32)
            body = smooth(beam, 0.45, 0.85) * np.clip(1 - y / rows, 0, 1) ** np.float32(1.1) * np.float32(127 * power)
            # the lower part is dark in both sheets: only the upper four fifths are worth adding
            self.sheets.append(body.repeat(2, axis=0).repeat(2, axis=1)[: h * 4 // 5].astype(np.uint8))

    def draw(self, frame: Frame, t: float, view: View) -> None:
        a, b = self.sheets
        xa, xb = (int(100 + 90 * np.sin(t * 0.33 * k + p) * k) for k, p in ((1, 0), (-0.9, 1)))
        light = a[:, xa : xa + frame.w] + b[:, xb : xb + frame.w]
        target = frame.y[: a.shape[0]]
        np.minimum(target, 235 - light, out=target)
        target += light


def bubbles(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    s = stage.setup
    rising, specks = [_bubble(k) for k in (5, 7, 10, 14)], [glow_sprite((0.7, 0.95, 1.0), 4)]
    stage.overlays += [
        Wanderers(s.rng("bubbles"), s.w, s.h, rising, 22, area=(-0.1, 1.1), fall=-70, blink=False, roam=14),
        Wanderers(s.rng("plankton"), s.w, s.h, specks, 40, area=(0, 1), fall=-6, roam=30),
    ]


def _bubble(r: int) -> Sprite:
    img = Image.new("L", (r * 8, r * 8))
    d = ImageDraw.Draw(img)
    d.ellipse((4, 4, r * 8 - 5, r * 8 - 5), outline=190, fill=26, width=max(4, r // 2))
    d.ellipse((r * 2, r * 2, r * 3, r * 3), fill=255)
    alpha = np.asarray(img.resize((r * 2, r * 2), Image.Resampling.BOX), np.float32) / np.float32(255)
    return Sprite(np.broadcast_to(vec((0.85, 0.98, 1.0)), (r * 2, r * 2, 3)), alpha)
