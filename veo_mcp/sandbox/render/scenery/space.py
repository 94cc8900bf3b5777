"""Space: nebula, stars, a planet turning towards the sun.

Called by scene.build with an empty stage. Everything is drawn once; only depth and drift move it.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Layer, Rgb, Sprite, blend, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.stage import Stage

NEBULAE: list[tuple[Rgb, Rgb, Rgb]] = [
    (hexa("1a0f3c"), hexa("8a2f7e"), hexa("ff9d7a")),
    (hexa("04122e"), hexa("1c5f8f"), hexa("7fe0d8")),
    (hexa("150a2e"), hexa("5a3ac0"), hexa("f08ad0")),
    (hexa("0d1024"), hexa("94502a"), hexa("ffd48a")),
]


def space(stage: Stage) -> None:
    s = stage.setup
    rng = s.rng("space")
    mx, my = s.margin(0.06), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    deep, mid, hot = NEBULAE[int(rng.integers(len(NEBULAE)))]
    warp = fbm(rng, rows, cols, s.h * 0.5, s.h * 0.5, 4)
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    band = np.exp(-(((y / rows - 0.5) + (x / cols - 0.5) * 0.55 + (warp - 0.5) * 0.7) ** 2) / np.float32(0.035))
    cloud = fbm(rng, rows, cols, s.h * 0.28, s.h * 0.28, 6, 0.56)
    dust = fbm(rng, rows, cols, s.h * 0.2, s.h * 0.24, 5)
    wide_band = np.sqrt(band)
    dens = (
        wide_band * (np.float32(0.12) + smooth(cloud, 0.28, 0.95))
        - smooth(dust, 0.5, 0.82) * np.float32(0.55) * wide_band
    )
    dens = np.clip(dens * (np.float32(0.75) + np.float32(0.5) * warp), 0, 1)[..., None]
    core = (np.clip(dens - 0.34, 0, 1) * np.float32(1.5)) ** np.float32(1.6)
    img = vec(deep) * np.float32(0.5) + dens * vec(mid) * np.float32(1.05)
    img += core * (vec(hot) - vec(mid) * np.float32(0.5)) * np.float32(0.5)
    _starfield(rng, img, int(rows * cols / 650), 1.0, band)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * np.float32(1 / 255)
    stage.sun = (s.w * 0.2, s.h * 0.2)
    stage.items.append(Layer(np.clip(img, 0, 1), None, top=-my, left=-mx, depth=0.06, axis=s.camera.axis))
    _planet(stage, rng, hot, mid)
    near = np.zeros((rows, s.w + 2 * s.margin(0.7), 3), np.float32)
    _starfield(rng, near, 46, 1.6, None)
    alpha = np.clip(near.max(axis=2) * 1.2, 0, 1)
    stage.items.append(
        Layer(np.ones_like(near), alpha, top=-my, left=-s.margin(0.7), depth=0.7, axis=s.camera.axis, phases=2)
    )
    stage.ground = s.h * 0.62


def _starfield(rng: np.random.Generator, img: F32, count: int, power: float, band: F32 | None) -> None:
    rows, cols, _ = img.shape
    y, x = rng.integers(2, rows - 2, count), rng.integers(2, cols - 2, count)
    p = (rng.random(count) ** 6 * power + 0.1).astype(np.float32)
    if band is not None:
        p *= 0.55 + 0.9 * band[y, x]
    t = rng.random(count)[:, None]
    tint = (np.array([0.75, 0.85, 1.0]) * t + np.array([1.0, 0.88, 0.72]) * (1 - t)).astype(np.float32)
    np.add.at(img, (y, x), p[:, None] * tint)
    for dy, dx, k in (
        (0, 1, 0.45),
        (1, 0, 0.45),
        (0, -1, 0.45),
        (-1, 0, 0.45),
        (0, 2, 0.16),
        (2, 0, 0.16),
        (0, -2, 0.16),
        (-2, 0, 0.16),
    ):
        np.add.at(img, (y + dy, x + dx), (np.clip(p - 0.3, 0, 1) * k)[:, None] * tint)


def _planet(stage: Stage, rng: np.random.Generator, hot: Rgb, mid: Rgb) -> None:
    s = stage.setup
    r = int(min(s.w, s.h) * rng.uniform(0.26, 0.34))
    cx, cy = s.w * rng.uniform(0.6, 0.72), s.h * rng.uniform(0.42, 0.54)
    pad = int(r * 1.25)
    ringed = rng.random() < 0.55
    wide = int(r * 2.3) if ringed else pad
    y, x = np.mgrid[-pad:pad, -wide:wide].astype(np.float32) / r
    rr = x * x + y * y
    z = np.sqrt(np.clip(1 - rr, 0, 1))
    light = np.clip((-0.62 * x - 0.5 * y + 0.6 * z), 0, 1)
    gas = rng.random() < 0.5
    lat = np.arcsin(np.clip(y, -1, 1)) / 1.5708
    long = np.arctan2(x, z + 1e-3)
    tex = fbm(rng, 512, 1024, 90, 150, 6, 0.55)
    if gas:
        tex = fbm(rng, 512, 1024, 22, 700, 5, 0.6)
    ty = np.clip((lat * 0.5 + 0.5) * 511, 0, 511).astype(np.intp)
    tx = np.clip((long / 3.1416 + 0.5) * 1023, 0, 1023).astype(np.intp)
    v = tex[ty, tx][..., None]
    if gas:
        a, b = vec(blend(hot, (0.9, 0.8, 0.65), 0.5)), vec(blend(mid, (0.5, 0.3, 0.25), 0.5))
        face = b + smooth(v, 0.25, 0.75) * (a - b)
    else:
        sea, land, ice = (
            np.array([0.05, 0.2, 0.42], np.float32),
            np.array([0.3, 0.4, 0.2], np.float32),
            np.array([0.9, 0.94, 1], np.float32),
        )
        face = sea + smooth(v, 0.5, 0.54) * (land - sea)
        clouds = fbm(rng, 512, 1024, 50, 130, 5)[ty, tx][..., None]
        face = (
            face
            + np.clip(smooth(clouds, 0.5, 0.8) + smooth(np.abs(lat)[..., None], 0.78, 0.9), 0, 1) * (ice - face) * 0.9
        )
    air = vec(blend(mid, (0.5, 0.75, 1.0), 0.6))
    rim = np.exp(-((z - 0.05) ** 2) / 0.05)[..., None]
    rgb = face * (light[..., None] * 1.25 + 0.015) + air * rim * light[..., None] ** 0.6 * 0.75
    alpha = np.clip((1 - np.sqrt(rr)) * r + 0.5, 0, 1)
    halo = np.exp(-np.clip(np.sqrt(rr) - 1, 0, 9) * 16) * np.clip(-0.6 * x - 0.5 * y + 0.35, 0, 1) * 0.7
    out_a = np.maximum(alpha, np.where(rr > 1, halo, 0))
    rgb = np.where((rr > 1)[..., None], air, rgb)
    if ringed:
        q = np.hypot(x, (y - 0.12 * x) / 0.2)
        bands = np.interp(q, np.linspace(1.3, 2.15, 120), fbm(rng, 1, 120, 1, 14, 3)[0])
        ring = ((q > 1.3) & (q < 2.15)) * np.clip(bands * 1.5 - 0.2, 0, 0.85)
        hidden = (rr < 1) & (y - 0.12 * x < 0)
        ring = np.where(hidden, 0, ring)
        ring = ring * np.where((x * 0.62 + y * 0.5 > 0.2) & (rr > 1) & (y - 0.12 * x < 0.05) & (x > 0), 0.4, 1)
        rc = vec(blend(hot, (0.95, 0.9, 0.8), 0.5)) * np.float32(0.9)
        rgb = np.where(
            ring[..., None] > 0.02,
            rc * ring[..., None] + rgb * out_a[..., None] * (1 - ring[..., None]),
            rgb * out_a[..., None],
        )
        out_a = ring + out_a * (1 - ring)
        rgb = rgb / np.maximum(out_a, 1e-3)[..., None]
    sprite = Sprite(np.clip(rgb, 0, 1).astype(np.float32), np.clip(out_a, 0, 1).astype(np.float32))
    stage.items.append(Fixed(sprite, cx - sprite.w / 2, cy - sprite.h / 2, 0.2, -2.2))


class Fixed:
    """A sprite that stands at one depth and may drift by itself."""

    def __init__(self, sprite: Sprite, x: float, y: float, depth: float, vx: float = 0.0) -> None:
        self.sprite, self.x, self.y, self.depth, self.vx = sprite, x, y, depth, vx

    def draw(self, frame: Frame, t: float, view: View) -> None:
        x = self.x + self.vx * t - view.x * (self.depth + view.pivot)
        self.sprite.draw(frame, x, self.y + view.tilt + view.y * self.depth)
