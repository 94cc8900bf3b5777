"""Trees and grass as small shaded pictures, and rows of them as layers.

Called by the places' builders when a shot is set up. Drawn with Pillow at twice the size, then reduced.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, scale
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.scenery.stage import Setup, Sheet, Stage

Picture = Image.Image
OVER = 2  # drawn this many times too large

SNOW_LIT, SNOW_SHADE = (0.86, 0.9, 0.97), (0.6, 0.66, 0.8)
AUTUMN: list[Rgb] = [(0.82, 0.42, 0.1), (0.86, 0.62, 0.16), (0.66, 0.22, 0.1)]
BLOSSOM: list[Rgb] = [(0.98, 0.72, 0.8), (0.95, 0.8, 0.86), (0.98, 0.78, 0.84)]
SUMMER: list[Rgb] = [(0.3, 0.52, 0.2), (0.24, 0.46, 0.2), (0.42, 0.58, 0.22)]
FROST: list[Rgb] = [(0.8, 0.85, 0.92), (0.7, 0.77, 0.86)]
FLOWERS: list[Rgb] = [(0.98, 0.86, 0.3), (0.95, 0.95, 0.98), (0.92, 0.4, 0.5), (0.65, 0.5, 0.95)]


def leaves_of(s: Setup) -> list[Rgb]:
    """The colours of leafy trees in this season."""
    if "autumn" in s.plan.looks:
        return AUTUMN
    return BLOSSOM if "blossom" in s.plan.looks else FROST if s.winter else SUMMER


def conifer(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb, side: int, snow: bool) -> Picture:
    h = height * OVER
    w = int(h * rng.uniform(0.34, 0.46))
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d = ImageDraw.Draw(img)
    cx = w / 2
    d.rectangle((cx - w * 0.025, h * 0.8, cx + w * 0.025, h), fill=ink(dark))
    tiers = int(rng.integers(9, 13))
    for i in range(tiers, -1, -1):
        f = i / tiers
        top, low = h * (0.01 + 0.79 * f), h * (0.10 + 0.86 * (f * 0.92 + 0.085))
        reach = w * 0.5 * (0.10 + 0.9 * f**0.85) * rng.uniform(0.88, 1.08)
        for s in (-1, 1):
            shoulder, tip = (cx + s * reach * 0.45, top + (low - top) * 0.55), (cx + s * reach, low)
            inner = [
                (cx + s * reach * 0.55, low - h * 0.012),
                (cx + s * reach * 0.3, low + h * 0.006),
                (cx, low - h * 0.008),
            ]
            d.polygon([(cx, top), shoulder, tip, *inner], fill=ink(light if s == side else dark))
            if snow:
                under = (cx + s * reach * 0.4, low - h * 0.03)
                d.polygon([(cx, top), shoulder, tip, under], fill=ink(SNOW_LIT if s == side else SNOW_SHADE))
    return img.resize((max(1, w // OVER), height), Image.Resampling.BOX)


def leafy(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb, trunk: Rgb, side: int) -> Picture:
    h = height * OVER
    w = int(h * rng.uniform(0.7, 0.95))
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d = ImageDraw.Draw(img)
    cx, cy = w / 2, h * 0.36
    d.polygon(
        [(cx - w * 0.03, h * 0.5), (cx + w * 0.03, h * 0.5), (cx + w * 0.045, h), (cx - w * 0.045, h)], fill=ink(trunk)
    )
    for s in (-1, 1):
        d.line([(cx, h * 0.72), (cx + s * w * 0.16, h * 0.5)], fill=ink(trunk), width=max(1, int(w * 0.025)))
    clumps: list[tuple[float, float, float]] = []
    for _ in range(60):
        a, r = rng.random() * 2 * np.pi, np.sqrt(rng.random())
        clumps.append((cx + np.cos(a) * r * w * 0.34, cy + np.sin(a) * r * h * 0.24, w * rng.uniform(0.06, 0.14)))
    # those that are turned away first, so that the lit ones lie over them
    clumps.sort(key=lambda b: -b[1] - side * b[0] * 0.4)
    for x, y, r in clumps:
        facing = (side * (x - cx) / (w * 0.36)) * 0.55 - (y - cy) / (h * 0.27) * 0.75
        toward = float(np.clip(0.5 + 0.5 * np.clip(facing, -1, 1) + rng.normal() * 0.09, 0, 1))
        for _ in range(7):
            jx, jy = rng.normal(0, r * 0.45, 2)
            q = r * rng.uniform(0.28, 0.6)
            tone = blend(dark, light, float(np.clip(toward + rng.normal() * 0.1, 0, 1)))
            d.ellipse((x + jx - q, y + jy - q * 0.85, x + jx + q, y + jy + q * 0.85), fill=ink(tone))
    return img.resize((max(1, w // OVER), height), Image.Resampling.BOX)


def row_layer(
    stage: Stage, name: str, pictures: Sequence[Picture], *, depth: float, base: float, spread: float, gap: float,
    ground: Rgb | None = None, sizes: tuple[float, float] = (0.62, 1.15), clear: float = 0.0,
) -> None:  # fmt: skip
    """A row of pictures standing on `base` (give or take `spread` rows), about `gap` pixels apart. `ground` fills below;
    `clear` keeps the middle of the frame free (a part of its width)."""
    s = stage.setup
    rng = s.rng(name)
    tall = max(p.height for p in pictures) * sizes[1] + spread
    sheet = Sheet(s, depth, base - tall, None if ground else base + spread + 4, fill=ground or (0.1, 0.1, 0.1))
    x = -40.0
    places: list[tuple[float, float]] = []
    while x < sheet.cols + 40:
        if not (clear and abs((x - sheet.margin) / s.w - 0.5) < clear / 2):
            places.append((x, base + rng.uniform(-spread, spread)))
        # in groups, as trees stand
        x += gap * (rng.uniform(0.35, 0.8) if rng.random() < 0.68 else rng.uniform(1.2, 2.6))
    if ground is not None:
        hump = np.cumsum(rng.normal(0, 1, sheet.cols // 16 + 2))
        hump = (hump - hump.mean()) / (np.abs(hump - hump.mean()).max() + 1e-6) * spread
        line = [(i * 16.0, base - sheet.top + float(v) * 0.4 - 3) for i, v in enumerate(hump)]
        sheet.d.polygon([*line, (sheet.cols, sheet.rows), (0, sheet.rows)], fill=ink(ground))
    for x, y in sorted(places, key=lambda p: p[1]):
        picture = pictures[int(rng.integers(len(pictures)))]
        k = rng.uniform(*sizes)
        small = picture.resize(
            (max(1, int(picture.width * k)), max(1, int(picture.height * k))), Image.Resampling.BILINEAR
        )
        place_on(sheet.img, small, int(x - small.width / 2), int(y - sheet.top - small.height))
    stage.put(sheet)


def place_on(sheet: Picture, small: Picture, x: int, y: int) -> None:
    """Lay one picture over another, also partly outside it."""
    left, top, right, low = (
        max(0, -x),
        max(0, -y),
        min(small.width, sheet.width - x),
        min(small.height, sheet.height - y),
    )
    if left < right and top < low:
        sheet.alpha_composite(small.crop((left, top, right, low)), (x + left, y + top))


def firs(
    stage: Stage, name: str, base: float, height: float, depth: float, gap: float, *, haze: float, spread: float,
    clear: float = 0.0, floor: Rgb | None = None,
) -> None:  # fmt: skip
    """A row of conifers with the ground they stand on."""
    s = stage.setup
    rng = s.rng(name + "-shapes")
    side = 1 if stage.sun[0] > s.w / 2 else -1
    green: Rgb = (0.12, 0.24, 0.17)
    tones = [(0.62, 0.3, 0.1), (0.66, 0.44, 0.12), (0.5, 0.2, 0.1), (0.22, 0.26, 0.12)] if "autumn" in s.plan.looks else [
        green, (green[0] * 1.15, green[1] * 0.94, green[2] * 0.9), (green[0] * 0.85, green[1], green[2] * 1.15)
    ]  # fmt: skip
    trees = [
        conifer(rng, max(12, int(height * rng.uniform(0.75, 1.1))), s.lit(c, 0.05, haze), s.lit(c, 0.62, haze), side, s.winter)
        for c in tones for _ in range(2)
    ]  # fmt: skip
    ground = s.lit((0.85, 0.88, 0.95), 0.35, haze) if s.winter else s.lit(floor or scale(green, 0.9), 0.12, haze)
    row_layer(stage, name, trees, depth=depth, base=base, spread=spread, gap=gap, ground=ground, clear=clear)


def broadleaves(
    stage: Stage, name: str, base: float, height: float, depth: float, gap: float, *, haze: float, spread: float,
    clear: float = 0.0, ground: Rgb | None = None,
) -> None:  # fmt: skip
    """A row of leafy trees in the season's colours."""
    s = stage.setup
    rng = s.rng(name + "-shapes")
    side = 1 if stage.sun[0] > s.w / 2 else -1
    trees = [
        leafy(rng, max(12, int(height)), s.lit((c[0] * 0.42, c[1] * 0.5, c[2] * 0.5), 0.12, haze), s.lit(c, 0.95, haze),
              s.lit((0.3, 0.22, 0.16), 0.3, haze), side)
        for c in leaves_of(s) for _ in range(2)
    ]  # fmt: skip
    row_layer(stage, name, trees, depth=depth, base=base, spread=spread, gap=gap, ground=ground, clear=clear)


def grass(stage: Stage, height: float = 70) -> None:
    """Blades along the lower edge, with flowers in summer."""
    s = stage.setup
    rng, u = s.rng("grass"), s.u * OVER
    sheet = Sheet(s, 1.1, s.h - height * s.u, scale=OVER, fill=(0.1, 0.3, 0.1))
    dark, light = ((0.7, 0.76, 0.86), (0.95, 0.97, 1.0)) if s.winter else ((0.1, 0.24, 0.07), (0.42, 0.62, 0.2))
    low = sheet.img.height
    for _ in range(sheet.cols):
        x, h = rng.uniform(0, sheet.img.width), (rng.uniform(0.2, 1) ** 2) * height * u * 0.9 + s.rise * OVER
        lean, c = rng.normal(0, 14), s.lit(blend(dark, light, rng.random()), 0.6)
        y, tip = low - h, x + lean
        d = sheet.d
        d.polygon(
            [
                (x - 4, low),
                (x + 4, low),
                (x + lean * 0.5 + 1, low - h * 0.6),
                (tip, y),
                (x + lean * 0.4 - 2, low - h * 0.6),
            ],
            fill=ink(c),
        )
        if not s.winter and "autumn" not in s.plan.looks and rng.random() < 0.03:
            q = rng.uniform(2.5, 4.5) * u
            petals = ink(s.lit(FLOWERS[int(rng.integers(len(FLOWERS)))], 0.8))
            for a in np.linspace(0, 2 * np.pi, 6)[:-1]:
                px, py = tip + np.cos(a) * q, y + np.sin(a) * q * 0.8
                d.ellipse((px - q * 0.8, py - q * 0.7, px + q * 0.8, py + q * 0.7), fill=petals)
            d.ellipse((tip - q * 0.6, y - q * 0.5, tip + q * 0.6, y + q * 0.5), fill=ink(s.lit((0.95, 0.75, 0.2), 0.9)))
    stage.put(sheet, 2)
