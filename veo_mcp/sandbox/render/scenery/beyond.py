"""Where no weather is: outer space with its nebula and stars (and a planet, if one is named), and under water.

Called by scene.build with an empty stage. Most is drawn once; only beams of light, bubbles and depth move.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, U8, Frame, Rgb, Sprite, blend, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.scenery.plants import OVER, row_layer
from veo_mcp.sandbox.render.scenery.sky import DITHER, sprinkle
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.terrain import Slab
from veo_mcp.sandbox.render.scenery.weather import Wanderers, glow_sprite

NEBULAE: list[tuple[Rgb, Rgb, Rgb]] = [
    (hexa("1a0f3c"), hexa("8a2f7e"), hexa("ff9d7a")), (hexa("04122e"), hexa("1c5f8f"), hexa("7fe0d8")),
    (hexa("150a2e"), hexa("5a3ac0"), hexa("f08ad0")), (hexa("0d1024"), hexa("94502a"), hexa("ffd48a")),
]  # fmt: skip
SUNLIT, DEEP = (
    (hexa("7fe3e6"), hexa("1f93b8"), hexa("0a3f6b")),
    (hexa("1f5f86"), hexa("0d3358"), hexa("04152c")),
)  # water, from the top
CORALS: list[Rgb] = [(0.9, 0.4, 0.42), (0.95, 0.62, 0.35), (0.7, 0.4, 0.75), (0.9, 0.75, 0.45)]
KELP: Rgb = (0.35, 0.6, 0.4)
WATERLIGHT = (0.75, 1.0, 1.05)


def space(stage: Stage) -> None:
    s = stage.setup
    rng = s.rng("space")
    mx, my = s.margin(0.06), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    deep, mid, hot = NEBULAE[int(rng.integers(len(NEBULAE)))]
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
    _starfield(rng, img, int(rows * cols / 650), 1.0, band)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * DITHER
    stage.sun = (s.w * 0.2, s.h * 0.2)
    stage.lay(np.clip(img, 0, 1).astype(np.float32), None, top=-my, left=-mx, depth=0.06)
    if "planet" in s.plan.subjects:
        _planet(stage, s.rng("planet"), hot, mid)
    near = np.zeros((rows, s.w + 2 * s.margin(0.7), 3), np.float32)
    _starfield(rng, near, 46, 1.6, None)
    stage.lay(np.ones_like(near), np.clip(near.max(axis=2) * 1.2, 0, 1), top=-my, depth=0.7, phases=2)
    stage.ground = s.h * 0.72


def _starfield(rng: np.random.Generator, img: F32, count: int, power: float, band: F32 | None) -> None:
    rows, cols, _ = img.shape
    y, x = rng.integers(2, rows - 2, count), rng.integers(2, cols - 2, count)
    p = (rng.random(count) ** 6 * power + 0.1).astype(np.float32)
    if band is not None:
        p *= 0.55 + 0.9 * band[y, x]
    t = rng.random(count)[:, None]
    tint = (np.array([0.75, 0.85, 1.0]) * t + np.array([1.0, 0.88, 0.72]) * (1 - t)).astype(np.float32)
    sprinkle(img, (y, x), p[:, None] * tint, 0.45)


def _planet(stage: Stage, rng: np.random.Generator, hot: Rgb, mid: Rgb) -> None:
    """A sphere lit from the side: bands of gas with a ring, or seas, land and clouds."""
    s = stage.setup
    r = int(min(s.w, s.h) * rng.uniform(0.26, 0.32))
    gas = rng.random() < 0.5
    pad, wide = int(r * 1.25), int(r * (2.3 if gas else 1.25))
    y, x = np.mgrid[-pad:pad, -wide:wide].astype(np.float32) / r
    rr = x * x + y * y
    z = np.sqrt(np.clip(1 - rr, 0, 1))
    light = np.clip((-0.62 * x - 0.5 * y + 0.6 * z), 0, 1)[..., None]
    lat = np.arcsin(np.clip(y, -1, 1)) / (np.pi / 2)
    ty = np.clip((lat * 0.5 + 0.5) * 511, 0, 511).astype(np.intp)
    tx = np.clip((np.arctan2(x, z + 1e-3) / np.pi + 0.5) * 1023, 0, 1023).astype(np.intp)
    v = (fbm(rng, 512, 1024, 22, 700, 5, 0.6) if gas else fbm(rng, 512, 1024, 90, 150, 6, 0.55))[ty, tx][..., None]
    if gas:
        a, b = vec(blend(hot, (0.9, 0.8, 0.65), 0.5)), vec(blend(mid, (0.5, 0.3, 0.25), 0.5))
        face = b + smooth(v, 0.25, 0.75) * (a - b)
    else:
        seas, land, ice = vec((0.05, 0.2, 0.42)), vec((0.3, 0.4, 0.2)), vec((0.9, 0.94, 1.0))
        white = smooth(fbm(rng, 512, 1024, 50, 130, 5)[ty, tx][..., None], 0.5, 0.8) + smooth(
            np.abs(lat)[..., None], 0.78, 0.9
        )
        face = seas + smooth(v, 0.5, 0.54) * (land - seas)
        face = face + np.clip(white, 0, 1) * (ice - face) * 0.9
    air = vec(blend(mid, (0.5, 0.75, 1.0), 0.6))
    rim = np.exp(-((z - 0.05) ** 2) / 0.05)[..., None]
    rgb = np.where((rr > 1)[..., None], air, face * (light * 1.25 + 0.015) + air * rim * light**0.6 * 0.75)
    halo = np.exp(-np.clip(np.sqrt(rr) - 1, 0, 9) * 16) * np.clip(-0.6 * x - 0.5 * y + 0.35, 0, 1) * 0.7
    alpha = np.maximum(np.clip((1 - np.sqrt(rr)) * r + 0.5, 0, 1), np.where(rr > 1, halo, 0))
    if gas:
        q = np.hypot(x, (y - 0.12 * x) / 0.2)
        bands = np.interp(q, np.linspace(1.3, 2.15, 120), fbm(rng, 1, 120, 1, 14, 3)[0])
        ring = ((q > 1.3) & (q < 2.15) & ~((rr < 1) & (y - 0.12 * x < 0))) * np.clip(bands * 1.5 - 0.2, 0, 0.85)
        ring = ring * np.where((x * 0.62 + y * 0.5 > 0.2) & (rr > 1) & (y - 0.12 * x < 0.05) & (x > 0), 0.4, 1)
        tone = vec(blend(hot, (0.95, 0.9, 0.8), 0.5)) * np.float32(0.9)
        rgb = tone * ring[..., None] + rgb * (alpha * (1 - ring))[..., None]
        alpha = ring + alpha * (1 - ring)
        rgb = rgb / np.maximum(alpha, 1e-3)[..., None]
    sprite = Sprite(np.clip(rgb, 0, 1).astype(np.float32), np.clip(alpha, 0, 1).astype(np.float32))
    at = (0.6, 0.72) if s.w > s.h else (0.5, 0.6)
    stage.items.append(
        Fixed(sprite, s.w * rng.uniform(*at) - sprite.w / 2, s.h * rng.uniform(0.38, 0.5) - sprite.h / 2, 0.2, -2.2)
    )


class Fixed:
    """A sprite that stands at one depth and may drift by itself."""

    def __init__(self, sprite: Sprite, x: float, y: float, depth: float, vx: float = 0.0) -> None:
        self.sprite, self.x, self.y, self.depth, self.vx = sprite, x, y, depth, vx

    def draw(self, frame: Frame, t: float, view: View) -> None:
        x = self.x + self.vx * t - view.x * (self.depth + view.pivot)
        self.sprite.draw(frame, x, self.y + view.tilt + view.y * self.depth)


def underwater(stage: Stage, *, bed: bool = True) -> None:
    """Blue depth with beams of light; a bed of sand (not in the open water of a subject without a place)."""
    s = stage.setup
    dark = s.pal.night > 0.5 or "dark" in s.plan.looks
    top_c, mid_c, low_c = DEEP if dark else SUNLIT
    mx, my = s.margin(0.04), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :, None]
    img = vec(low_c) + (np.clip(1 - y * 1.5, 0, 1) + np.clip(1 - y, 0, 1) ** 2 * np.float32(0.6)) * (
        vec(mid_c) - vec(low_c)
    )
    img = img + np.exp(-(y**2) / 0.16 - (x - 0.15) ** 2 / 0.5) * (vec(top_c) - img) * np.float32(0.85)
    img += s.rng("deep").standard_normal((rows, cols), np.float32)[..., None] * DITHER
    stage.sun = (s.w * 0.58, -40.0)
    stage.lay(np.clip(img, 0, 1).astype(np.float32), None, top=-my, left=-mx, depth=0.04)
    light, shade = ((0.3, 0.5, 0.7), (0.1, 0.2, 0.34)) if dark else (WATERLIGHT, (0.12, 0.26, 0.4))
    stage.setup = s = replace(s, pal=replace(s.pal, haze=blend(mid_c, low_c, 0.35), light=light, shade=shade))
    stage.items.append(Beams(s.rng("beams"), s.w, s.h, 0.2 if dark else 0.45 if s.fine else 0.34))
    u, hz, stage.ground = s.u, s.h * 0.62, s.h * 0.55
    if bed:
        sand, stone, far = (0.62, 0.66, 0.56), (0.35, 0.42, 0.4), (0.2, 0.36, 0.42)
        stage.add_slab("reef3", Slab(hz, 150 * u, 60 * u, 420 * u, far, far, 0.14, 0.72, valley=0.5, mist=0.5))
        stage.add_slab("bed2", Slab(hz + 90 * u, 70 * u, 90 * u, 600 * u, sand, stone, 0.36, 0.4, ridged=False))
        _growth(stage, "growth2", hz + 130 * u, 110 * u, 0.5, 0.34, 150 * u)
        stage.add_slab("bed1", Slab(hz + 190 * u, 50 * u, 160 * u, 800 * u, sand, sand, 0.8, 0.12, ridged=False))
        _growth(stage, "growth1", s.h * 0.985, 190 * u, 0.95, 0.06, 230 * u, clear=0.3)
    bubbles = [_bubble(k) for k in (5, 7, 10, 14)]
    stage.overlays.append(
        Wanderers(s.rng("bubbles"), s.w, s.h, bubbles, 22, area=(-0.1, 1.1), fall=-70, blink=False, roam=14)
    )
    stage.overlays.append(
        Wanderers(s.rng("plankton"), s.w, s.h, [glow_sprite((0.7, 0.95, 1.0), 4)], 40, area=(0, 1), fall=-6, roam=30)
    )


def _bubble(r: int) -> Sprite:
    img = Image.new("L", (r * 8, r * 8))
    d = ImageDraw.Draw(img)
    d.ellipse((4, 4, r * 8 - 5, r * 8 - 5), outline=190, fill=26, width=max(4, r // 2))
    d.ellipse((r * 2, r * 2, r * 3, r * 3), fill=255)
    alpha = np.asarray(img.resize((r * 2, r * 2), Image.Resampling.BOX), np.float32) / np.float32(255)
    return Sprite(np.broadcast_to(vec((0.85, 0.98, 1.0)), (r * 2, r * 2, 3)), alpha)


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


def _growth(
    stage: Stage, name: str, base: float, height: float, depth: float, haze: float, gap: float, clear: float = 0.0
) -> None:
    """What grows on the bed: kelp, and coral where a reef is named."""
    s = stage.setup
    rng = s.rng(name)
    pale = s.lit((1, 0.95, 0.9), 0.9, haze)
    h = int(height * OVER)

    def branch(d: ImageDraw.ImageDraw, x: float, y: float, angle: float, length: float, width: float, c: Rgb) -> None:
        if length < 5 or width < 1.2:
            return
        nx, ny, r = x + np.cos(angle) * length, y + np.sin(angle) * length, width / 2
        d.line((x, y, nx, ny), fill=ink(c), width=int(width))
        d.ellipse((nx - r, ny - r, nx + r, ny + r), fill=ink(blend(c, pale, 0.12)))
        for k in (-1, 1):
            branch(d, nx, ny, angle + k * rng.uniform(0.25, 0.6), length * rng.uniform(0.68, 0.84), width * 0.76, c)

    pictures: list[Image.Image] = []
    for tone in [KELP, *(CORALS if "reef" in s.plan.looks else [])]:
        img = Image.new("RGBA", (h, h), ink(tone, 0))
        d, c, dim = ImageDraw.Draw(img), s.lit(tone, 0.55, haze), s.lit(tone, 0.05, haze)
        if tone is KELP:
            for _ in range(9):
                x0, tall = h / 2 + rng.normal(0, h * 0.1), rng.uniform(0.6, 1)
                stem = [(x0 + np.sin(q * 5 + x0) * h * 0.04 * q, h - h * 0.96 * q) for q in np.linspace(0, tall, 16)]
                d.line(stem, fill=ink(blend(c, dim, rng.random())), width=int(h * 0.028), joint="curve")
        elif tone is CORALS[-1]:
            for _ in range(16):
                x0, q = h / 2 + rng.normal(0, h * 0.16), rng.uniform(0.05, 0.12) * h
                d.ellipse((x0 - q, h - q * 2.4, x0 + q, h + q * 0.4), fill=ink(blend(c, dim, rng.random())))
        else:
            for _ in range(3):
                branch(d, h / 2 + rng.normal(0, h * 0.06), h, -np.pi / 2 + rng.normal(0, 0.3), h * 0.185, h * 0.05, c)
        pictures.append(img.resize((h // OVER, h // OVER), Image.Resampling.BOX))
    row_layer(stage, name, pictures, depth=depth, base=base, spread=12 * s.u, gap=gap, clear=clear)
