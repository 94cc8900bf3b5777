"""Elsewhere: space, under water, and the abstract picture for words that name no place.

Called by scene.build with an empty stage. The abstract one colours a field of warped noise anew in every frame.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .camera import View
from .frame import F32, U8, U16, Frame, Layer, Rgb, Sprite, blend, hexa, to_yuv, vec
from .noise import fbm, smooth
from .plants import ink
from .stage import Stage
from .terrain import Slab
from .weather import Wanderers, glow_sprite

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


def underwater(stage: Stage) -> None:
    s = stage.setup
    rng = s.rng("deep")
    dark = s.pal.night > 0.5 or "dark" in s.plan.looks
    top_c, mid_c, low_c = (
        (hexa("1f5f86"), hexa("0d3358"), hexa("04152c")) if dark else (hexa("7fe3e6"), hexa("1f93b8"), hexa("0a3f6b"))
    )
    mx, my = s.margin(0.04), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :, None]
    glow = np.exp(-(y**2) / 0.16 - (x - 0.15) ** 2 / 0.5)
    img = (
        vec(low_c)
        + np.clip(1 - y * 1.5, 0, 1) * (vec(mid_c) - vec(low_c))
        + np.clip(1 - y, 0, 1) ** 2 * (vec(mid_c) - vec(low_c)) * np.float32(0.6)
    )
    img = img + glow * (vec(top_c) - img) * np.float32(0.85)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * np.float32(1.1 / 255)
    stage.sun = (s.w * 0.58, -40.0)
    stage.items.append(Layer(np.clip(img, 0, 1), None, top=-my, left=-mx, depth=0.04, axis=s.camera.axis))
    from dataclasses import replace

    sea_pal = replace(
        s.pal,
        haze=blend(mid_c, low_c, 0.35),
        light=(0.75, 1.0, 1.05) if not dark else (0.3, 0.5, 0.7),
        shade=(0.12, 0.26, 0.4),
    )
    stage.setup = s = replace(s, pal=sea_pal)
    stage.items.append(Beams(rng, s.w, s.h, 0.34 if not dark else 0.2))
    u, hz = s.u, s.h * 0.62
    sand: Rgb = (0.62, 0.66, 0.56)
    stage.add_slab(
        "reef3",
        Slab(hz, 150 * u, 60 * u, 420 * u, (0.2, 0.36, 0.42), (0.2, 0.36, 0.42), 0.14, 0.72, valley=0.5, mist=0.5),
    )
    stage.add_slab("bed2", Slab(hz + 90 * u, 70 * u, 90 * u, 600 * u, sand, (0.35, 0.42, 0.4), 0.36, 0.4, ridged=False))
    _coral(stage, "coral2", hz + 130 * u, 110 * u, 0.5, 0.34, 150 * u)
    stage.add_slab("bed1", Slab(hz + 190 * u, 50 * u, 160 * u, 800 * u, sand, sand, 0.8, 0.12, ridged=False))
    _coral(stage, "coral1", s.h * 0.985, 190 * u, 0.95, 0.06, 230 * u, clear=0.3)
    bubbles = [_bubble(k) for k in (5, 7, 10, 14)]
    stage.overlays.append(
        Wanderers(s.rng("bubbles"), s.w, s.h, bubbles, 26, area=(-0.1, 1.1), fall=-70, blink=False, roam=14)
    )
    plankton = [glow_sprite((0.7, 0.95, 1.0), 4)]
    stage.overlays.append(Wanderers(s.rng("plankton"), s.w, s.h, plankton, 40, area=(0, 1), fall=-6, roam=30))
    stage.ground = s.h * 0.55


def _bubble(r: int) -> Sprite:
    img = Image.new("L", (r * 8, r * 8))
    d = ImageDraw.Draw(img)
    d.ellipse((4, 4, r * 8 - 5, r * 8 - 5), outline=190, fill=26, width=max(4, r // 2))
    d.ellipse((r * 2, r * 2, r * 3, r * 3), fill=255)
    alpha = np.asarray(img.resize((r * 2, r * 2), Image.Resampling.BOX), np.float32) / np.float32(255)
    return Sprite(np.broadcast_to(vec((0.85, 0.98, 1.0)), (r * 2, r * 2, 3)), alpha)


class Beams:
    """Two fans of light that slide over each other."""

    def __init__(self, rng: np.random.Generator, w: int, h: int, power: float) -> None:
        self.sheets: list[U8] = []
        pad = 200
        rows = h // 2
        y = np.arange(rows, dtype=np.float32)[:, None]
        x = np.arange((w + pad) // 2, dtype=np.float32)[None, :]
        for k in range(2):
            slope = (x - (w + pad) * 0.29) * (1 / (0.62 + 0.65 * y / rows)) + (w + pad) * 0.29
            n = fbm(rng, 1, (w + pad), 1, 90 - 30 * k, 3)[0]
            beam = np.interp(slope, np.arange(w + pad), n)
            body = smooth(beam.astype(np.float32), 0.45, 0.85) * np.clip(1 - y / rows, 0, 1) ** np.float32(1.1)
            self.sheets.append((body * 255 * power).astype(np.uint8))

    def draw(self, frame: Frame, t: float, view: View) -> None:
        rows, cols = frame.h // 2, frame.w // 2
        a, b = self.sheets
        xa = int(50 + 45 * np.sin(t * 0.33) + view.x * 0.03) % 98
        xb = int(50 - 45 * np.sin(t * 0.27 + 1)) % 98
        light = a[:rows, xa : xa + cols] // 2 + b[:rows, xb : xb + cols] // 2
        big = light.repeat(2, axis=0).repeat(2, axis=1)
        np.minimum(frame.y, 235 - big, out=frame.y)
        frame.y += big


def _coral(
    stage: Stage, name: str, base: float, height: float, depth: float, haze: float, gap: float, clear: float = 0.0
) -> None:
    from .plants import row_layer

    s = stage.setup
    rng = s.rng(name)
    tones: list[Rgb] = [(0.9, 0.4, 0.42), (0.95, 0.62, 0.35), (0.7, 0.4, 0.75), (0.9, 0.75, 0.45), (0.35, 0.6, 0.4)]

    def branch(
        d: ImageDraw.ImageDraw, x: float, y: float, angle: float, length: float, width: float, c: Rgb, bend: float
    ) -> None:
        if length < 5 or width < 1.2:
            return
        nx, ny = x + np.cos(angle) * length, y + np.sin(angle) * length
        d.line((x, y, nx, ny), fill=ink(c), width=int(width))
        d.ellipse(
            (nx - width / 2, ny - width / 2, nx + width / 2, ny + width / 2),
            fill=ink(blend(c, s.lit((1, 0.95, 0.9), 0.9, haze), 0.12)),
        )
        for k in (-1, 1):
            branch(
                d,
                nx,
                ny,
                angle + k * rng.uniform(0.25, 0.6) + bend,
                length * rng.uniform(0.68, 0.84),
                width * 0.76,
                c,
                bend,
            )

    pictures: list[Image.Image] = []
    for k, tone in enumerate(tones):
        h = int(height * 2)
        img = Image.new("RGBA", (h, h), ink(tone, 0))
        d = ImageDraw.Draw(img)
        c = s.lit(tone, 0.55, haze)
        if k == 4:
            for _ in range(9):
                x0 = h / 2 + rng.normal(0, h * 0.1)
                pts = [
                    (x0 + np.sin(q * 5 + x0) * h * 0.04 * q, h - h * 0.96 * q)
                    for q in np.linspace(0, rng.uniform(0.6, 1), 16)
                ]
                d.line(
                    pts, fill=ink(blend(c, s.lit(tone, 0.05, haze), rng.random())), width=int(h * 0.028), joint="curve"
                )
        elif k == 3:
            for _ in range(16):
                x0, q = h / 2 + rng.normal(0, h * 0.16), rng.uniform(0.05, 0.12) * h
                d.ellipse(
                    (x0 - q, h - q * 2.4, x0 + q, h + q * 0.4), fill=ink(blend(c, s.lit(tone, 0.1, haze), rng.random()))
                )
        else:
            for _ in range(3):
                branch(d, h / 2 + rng.normal(0, h * 0.06), h, -1.57 + rng.normal(0, 0.3), h * 0.185, h * 0.05, c, 0)
        pictures.append(img.resize((h // 2, h // 2), Image.Resampling.BOX))
    row_layer(
        stage,
        name + "-row",
        pictures,
        depth=depth,
        base=base,
        spread=12 * s.u,
        gap=gap,
        clear=clear,
        bottom=s.h + s.rise,
    )


class Flow:
    """Warped noise as silk: each pixel has a place on a circle of colours, and the circle turns."""

    SIZE = 4096

    def __init__(self, stage: Stage, rng: np.random.Generator) -> None:
        s = stage.setup
        pad = 120
        rows, cols = s.h + pad, s.w + pad
        big = min(s.w, s.h)
        a, b = fbm(rng, rows, cols, big * 0.9, big * 0.9, 3), fbm(rng, rows, cols, big * 0.9, big * 0.9, 3)
        y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
        reach = 900
        base = fbm(rng, rows + reach, cols + reach, big * 0.62, big * 1.0, 2, 0.35)
        wy, wx = (y + a * (reach - 1)).astype(np.intp), (x + b * (reach - 1)).astype(np.intp)
        field = base[wy, wx]
        turns = 1.5
        self.index: U16 = (
            ((field * turns + rng.standard_normal(field.shape, np.float32) * np.float32(0.0012)) * self.SIZE)
            .astype(np.int32)
            .astype(np.uint16)
        )
        gy, gx = np.gradient(field)
        slope = np.hypot(gx, gy) + np.float32(1e-6)
        fold = (gx * 0.7 - gy * 0.7) / (slope + np.float32(0.0012))
        shine = np.clip(118 + fold * 92, 20, 235)
        soft = np.asarray(Image.fromarray(shine.astype(np.uint8)).filter(ImageFilter.GaussianBlur(5)), np.uint16)
        self.shine: U16 = soft + np.uint16(112)
        colours = [hexa(c) for c in SETS[int(rng.integers(len(SETS)))]]
        if s.pal.night > 0.8:
            colours = [blend(c, (0.03, 0.04, 0.12), 0.35) for c in colours]
        mean = tuple(sum(c[k] for c in colours) / len(colours) for k in range(3))
        colours = [blend(c, (mean[0], mean[1], mean[2]), 0.22) for c in colours]
        at = np.linspace(0, len(colours), self.SIZE, endpoint=False)
        i = at.astype(int)
        f = (at - i)[:, None]
        f = f * f * (3 - 2 * f)
        ring = np.array([*colours, colours[0]], np.float32)
        self.lut = [
            np.clip(np.rint(c), 0, 255).astype(np.uint8)[0]
            for c in to_yuv((ring[i] * (1 - f) + ring[i + 1] * f).astype(np.float32)[None])
        ]

    def draw(self, frame: Frame, t: float, view: View) -> None:
        ox = int(60 + 40 * np.sin(t * 0.21)) // 2 * 2
        oy = int(60 + 40 * np.cos(t * 0.17)) // 2 * 2
        part = self.index[oy : oy + frame.h, ox : ox + frame.w]
        turn = np.uint16(int(t * self.SIZE * 0.045))
        index = (part + turn) & np.uint16(self.SIZE - 1)
        luma = self.lut[0].take(index).astype(np.uint16)
        luma *= self.shine[oy : oy + frame.h, ox : ox + frame.w] >> 1
        luma >>= 7
        frame.y[...] = np.minimum(luma, 235)
        small = index[::2, ::2]
        frame.u[...] = self.lut[1].take(small)
        frame.v[...] = self.lut[2].take(small)


def ribbons(stage: Stage, rng: np.random.Generator) -> None:
    """Translucent waves before a glow, each sliding at its own pace."""
    s = stage.setup
    colours = [hexa(c) for c in SETS[int(rng.integers(len(SETS)))]]
    mx, my = s.margin(0.04), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    y, x = np.linspace(0, 1, rows, dtype=np.float32)[:, None], np.linspace(-1, 1, cols, dtype=np.float32)[None, :]
    sun = np.exp(-((x - 0.25) ** 2) / 0.5 - (y - 0.36) ** 2 / 0.09)[..., None]
    back = vec(colours[0]) + y[..., None] * (vec(colours[1]) - vec(colours[0])) * np.float32(0.7)
    back = back + sun * (vec(colours[4]) * np.float32(0.8) - back * np.float32(0.55))
    back = back + rng.standard_normal((rows, cols), np.float32)[..., None] * np.float32(1.1 / 255)
    stage.items.append(Layer(np.clip(back, 0, 1), None, top=-my, left=-mx, depth=0.04, axis=s.camera.axis))
    count = 6
    for k in range(count):
        f = k / (count - 1)
        depth, drift = 0.15 + 0.8 * f, (7 + 20 * f) * (1 if k % 2 else -1)
        mx, extra = s.margin(depth), int(abs(drift) * 17)
        cols = (s.w + 2 * mx + extra) // 2 * 2
        line = fbm(rng, 1, cols, 1, s.w * 0.62, 2, 0.3)[0] - np.float32(0.5)
        at = s.h * (0.24 + 0.62 * f) + line * s.h * 0.62
        top = int(at.min() - 3) // 2 * 2
        bottom = s.h + s.rise
        below = np.arange(max(8, bottom - top), dtype=np.float32)[:, None] + np.float32(top) - at[None, :]
        upper, lower = vec(colours[2 + k % 3]), vec(colours[(k + 1) % 2])
        deep = np.clip(below / np.float32(s.h * 0.42), 0, 1)[..., None]
        sheen = np.exp(-np.abs(below) / np.float32(5 * s.u)) * np.float32(0.42)
        fold = (
            fbm(rng, 1, cols, 1, s.w * 0.2, 3)[0][None, :]
            * np.exp(-np.clip(below, 0, None) / np.float32(90 * s.u))
            * np.float32(0.34)
        )
        rgb = upper + deep * (lower - upper) + (sheen + fold)[..., None] * (1 - upper) * np.float32(0.9)
        alpha = np.clip(below + np.float32(0.5), 0, 1) * (
            np.float32(0.34) + np.float32(0.5) * np.exp(-np.clip(below, 0, None) / np.float32(s.h * 0.3))
        )
        left = -mx - (extra if drift < 0 else 0)
        stage.items.append(
            Layer(np.clip(rgb, 0, 1).astype(np.float32), alpha.astype(np.float32), top=top, left=left, depth=depth, axis=s.camera.axis, drift=drift)
        )  # fmt: skip


SETS = [
    ("0b1030", "3b2a7a", "d9578a", "ffb38a", "fff0d0", "5fb7c9"),
    ("06222c", "0f6a70", "6fd0b8", "f7f0c8", "f2a65a", "7a2f4f"),
    ("140b2a", "54209a", "2a7de0", "8ff0e8", "ffd6f2", "c73e8a"),
    ("1c0f16", "8a2433", "ee7a3a", "ffd98a", "f9f3e6", "4a3a6a"),
]


def abstract(stage: Stage) -> None:
    s = stage.setup
    stage.sun = (s.w / 2, s.h * 0.3)
    if s.rng("kind").random() < 0.7:
        ribbons(stage, s.rng("ribbons"))
    else:
        stage.items.append(Flow(stage, s.rng("flow")))
    orbs = [
        glow_sprite(c, r, 0.06) for c, r in (((1.0, 0.9, 0.75), 26), ((0.75, 0.9, 1.0), 40), ((1.0, 0.8, 0.95), 16))
    ]
    stage.overlays.append(Wanderers(s.rng("orbs"), s.w, s.h, orbs, 22, area=(-0.05, 1.05), fall=-16, roam=60))
    stage.ground = s.h * 0.8
