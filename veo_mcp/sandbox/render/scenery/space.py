"""Outer space: clouds of gas along a band, and stars.

Called by the places with an empty stage. All of it is drawn once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.sky import DITHER, sprinkle
from veo_mcp.sandbox.render.scenery.stage import Stage

#: deep, middle and hot, in turn
NEBULAE = ("1a0f3c 8a2f7e ff9d7a", "04122e 1c5f8f 7fe0d8", "150a2e 5a3ac0 f08ad0", "0d1024 94502a ffd48a")


def nebula(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Clouds of gas along a band, stars behind, and a few near ones that move with the camera."""
    s, rng = stage.setup, stage.setup.rng("space")
    mx, my = s.margin(0.06), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    deep, mid, hot = map(hexa, NEBULAE[int(rng.integers(len(NEBULAE)))].split())
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
