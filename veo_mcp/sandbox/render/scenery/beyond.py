"""Where no weather is: outer space with its nebula and stars, and under water with its beams of light.

Called by the places with an empty stage. Most is drawn once; only beams, bubbles and depth move.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, U8, Frame, Rgb, Sprite, blend, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.sky import DITHER, sprinkle
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.weather import Wanderers, glow_sprite

#: deep, middle and hot, in turn
NEBULAE = ("1a0f3c 8a2f7e ff9d7a", "04122e 1c5f8f 7fe0d8", "150a2e 5a3ac0 f08ad0", "0d1024 94502a ffd48a")
SUNLIT, DEEP = "7fe3e6 1f93b8 0a3f6b", "1f5f86 0d3358 04152c"  # water, from the top
WATERLIGHT = (0.75, 1.0, 1.05)


def _tones(words: str) -> tuple[Rgb, Rgb, Rgb]:
    one, two, three = (hexa(word) for word in words.split())
    return one, two, three


def nebula(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Clouds of gas along a band, stars behind, and a few near ones that move with the camera."""
    s, rng = stage.setup, stage.setup.rng("space")
    mx, my = s.margin(0.06), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    deep, mid, hot = _tones(NEBULAE[int(rng.integers(len(NEBULAE)))])
    warp = fbm(rng, rows, cols, s.h * 0.5, s.h * 0.5, 4)
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    band = np.exp(-(((y / rows - 0.5) + (x / cols - 0.5) * 0.55 + (warp - 0.5) * 0.7) ** 2) / np.float32(0.035))
    cloud = fbm(rng, rows, cols, s.h * 0.28, s.h * 0.28, 7 if s.fine else 6, 0.56)
    dust = smooth(fbm(rng, rows, cols, s.h * 0.2, s.h * 0.24, 5), 0.5, 0.82) * np.float32(0.55)
    dens = np.sqrt(band) * (np.float32(0.12) + smooth(cloud, 0.28, 0.95) - dust)
    dens = np.clip(dens * (np.float32(0.75) + np.float32(0.5) * warp), 0, 1)[..., None]
    core = (np.clip(dens - 0.34, 0, 1) * np.float32(1.5)) ** np.float32(1.6)
    img = vec(deep) * np.float32(0.5) + dens * vec(mid) * np.float32(1.05)
    img += core * (vec(hot) - vec(mid) * np.float32(0.5)) * np.float32(0.5)
    _stars(rng, img, int(rows * cols / 650), 1.0, band)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * DITHER
    stage.sun = (s.w * 0.2, s.h * 0.2)
    stage.lay(np.clip(img, 0, 1).astype(np.float32), None, top=-my, left=-mx, depth=0.06)
    near = np.zeros((rows, s.w + 2 * s.margin(0.7), 3), np.float32)
    _stars(rng, near, 46, 1.6, np.ones(near.shape[:2], np.float32))
    stage.lay(np.ones_like(near), np.clip(near.max(axis=2) * 1.2, 0, 1), top=-my, depth=0.7, phases=2)


def _stars(rng: np.random.Generator, img: F32, count: int, power: float, band: F32) -> None:
    rows, cols, _ = img.shape
    y, x = rng.integers(2, rows - 2, count), rng.integers(2, cols - 2, count)
    p = (rng.random(count) ** 6 * power + 0.1).astype(np.float32) * (0.55 + 0.9 * band[y, x])
    t = rng.random(count)[:, None]
    tint = (np.array([0.75, 0.85, 1.0]) * t + np.array([1.0, 0.88, 0.72]) * (1 - t)).astype(np.float32)
    sprinkle(img, (y, x), p[:, None] * tint, 0.45)


def depths(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Blue depth with beams of light; from here on the stage is lit as under water."""
    s = stage.setup
    dark = s.pal.night > 0.5 or "dark" in s.plan.looks
    top, mid, low = _tones(DEEP if dark else SUNLIT)
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
