"""Trees, what grows under water, and grass: small shaded pictures, rows of them as layers, and blades along the edge.

Called by the places when a shot is set up. Drawn with Pillow larger than they are shown, then reduced.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas import shapes
from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, hexa
from veo_mcp.sandbox.render.canvas.pen import Pen, ink
from veo_mcp.sandbox.render.scenery.stage import Setup, Sheet, Stage

Picture = Image.Image
OVER = 2  # drawn this many times too large
SIZES = (0.62, 1.15)  # of the trees of one row
SNOW_LIT, SNOW_SHADE = (0.86, 0.9, 0.97), (0.6, 0.66, 0.8)
AUTUMN: list[Rgb] = [(0.82, 0.42, 0.1), (0.86, 0.62, 0.16), (0.66, 0.22, 0.1)]
BLOSSOM: list[Rgb] = [(0.98, 0.72, 0.8), (0.95, 0.8, 0.86), (0.98, 0.78, 0.84)]
SUMMER: list[Rgb] = [(0.3, 0.52, 0.2), (0.24, 0.46, 0.2), (0.42, 0.58, 0.22)]
FROST: list[Rgb] = [(0.8, 0.85, 0.92), (0.7, 0.77, 0.86)]
NEEDLES: list[Rgb] = [(0.12, 0.24, 0.17), (0.14, 0.23, 0.15), (0.1, 0.24, 0.2)]
LARCHES: list[Rgb] = [(0.62, 0.3, 0.1), (0.66, 0.44, 0.12), (0.5, 0.2, 0.1), (0.22, 0.26, 0.12)]
FLOWERS: list[Rgb] = [(0.98, 0.86, 0.3), (0.95, 0.95, 0.98), (0.92, 0.4, 0.5), (0.65, 0.5, 0.95)]
KELP = (("kelp", (0.35, 0.6, 0.4)), ("kelp", (0.3, 0.52, 0.36)))
CORAL = (
    ("fan", (0.9, 0.4, 0.42)),
    ("fan", (0.95, 0.62, 0.35)),
    ("fan", (0.7, 0.4, 0.75)),
    ("brain", (0.9, 0.75, 0.45)),
)


def conifer(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb, side: int, snow: bool) -> Picture:
    h = height * OVER
    w = int(h * rng.uniform(0.34, 0.46))
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d, cx, tiers = ImageDraw.Draw(img), w / 2, int(rng.integers(9, 13))
    d.rectangle((cx - w * 0.025, h * 0.8, cx + w * 0.025, h), fill=ink(dark))
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
    d, cx, cy = ImageDraw.Draw(img), w / 2, h * 0.36
    stem = [(cx - w * 0.03, h * 0.5), (cx + w * 0.03, h * 0.5), (cx + w * 0.045, h), (cx - w * 0.045, h)]
    d.polygon(stem, fill=ink(trunk))
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


def _pictures(stage: Stage, rng: np.random.Generator, kind: str, height: float, haze: float) -> list[Picture]:
    """Some trees of a kind in this light and season."""
    s, side = stage.setup, 1 if stage.sun[0] > stage.setup.w / 2 else -1
    out: list[Picture] = []
    if kind == "growth":
        for name, tone in (*KELP, *(CORAL if "reef" in s.plan.looks else ())):
            pen = Pen(height, 1.1, 1.1, below=0.0)
            shapes.draw(pen, 0.0, name, paint=s.lit(tone, 0.7, haze))
            out.append(pen.img.reduce(pen.K))
    elif kind == "fir":
        for c in (LARCHES if "autumn" in s.plan.looks else NEEDLES) * 2:
            tall, dark, light = int(height * rng.uniform(0.75, 1.1)), s.lit(c, 0.05, haze), s.lit(c, 0.62, haze)
            out.append(conifer(rng, max(12, tall), dark, light, side, s.winter))
    else:
        looks = s.plan.looks
        tones = AUTUMN if "autumn" in looks else BLOSSOM if "blossom" in looks else FROST if s.winter else SUMMER
        for c in tones * 2:
            dark, light = s.lit((c[0] * 0.42, c[1] * 0.5, c[2] * 0.5), 0.12, haze), s.lit(c, 0.95, haze)
            out.append(leafy(rng, max(12, int(height)), dark, light, s.lit((0.3, 0.22, 0.16), 0.3, haze), side))
    return out


def _floor(s: Setup, floor: str, haze: float) -> Rgb:
    if s.winter:
        return s.lit((0.85, 0.88, 0.95), 0.35, haze)
    return s.lit((0.34, 0.55, 0.22), 0.6, 0.26) if floor == "grass" else s.lit(hexa(floor), 0.12, haze)


def trees(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """A row of trees that stand on `row`, give or take their spread, in groups; a clear middle, the ground they stand on."""
    s, rng, u = stage.setup, stage.setup.rng(name), stage.setup.u
    haze, spread, gap, clear = layer["haze"], layer["spread"] * u, layer["gap"] * u, layer.get("clear", 0.0)
    pictures = _pictures(stage, s.rng(name + "-shapes"), layer["tree"], layer["height"] * u, haze)
    ground = _floor(s, layer["floor"], haze) if "floor" in layer else None
    tall = max(p.height for p in pictures) * SIZES[1] + spread
    sheet = Sheet(s, layer["depth"], row - tall, None if ground else row + spread + 4, fill=ground or (0.1, 0.1, 0.1))
    x, places = -40.0, list[tuple[float, float]]()
    while x < sheet.cols + 40:
        if not (clear and abs((x - sheet.margin) / s.w - 0.5) < clear / 2):
            places.append((row + rng.uniform(-spread, spread), x))
        x += gap * (rng.uniform(0.35, 0.8) if rng.random() < 0.68 else rng.uniform(1.2, 2.6))
    if ground is not None:
        hump = np.cumsum(rng.normal(0, 1, sheet.cols // 16 + 2))
        hump = (hump - hump.mean()) / (np.abs(hump - hump.mean()).max() + 1e-6) * spread
        line = [(i * 16.0, row - sheet.top + float(v) * 0.4 - 3) for i, v in enumerate(hump)]
        sheet.d.polygon([*line, (sheet.cols, sheet.rows), (0, sheet.rows)], fill=ink(ground))
    for y, x in sorted(places):
        picture, k = pictures[int(rng.integers(len(pictures)))], rng.uniform(*SIZES)
        size = (max(1, int(picture.width * k)), max(1, int(picture.height * k)))
        small = picture.resize(size, Image.Resampling.BILINEAR)
        sheet.img.paste(small, (int(x - size[0] / 2), int(y - sheet.top - size[1])), small)
    stage.put(sheet)


def grass(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Blades along the lower edge, with flowers in summer."""
    s, rng, u, height = stage.setup, stage.setup.rng(name), stage.setup.u * OVER, 70
    sheet = Sheet(s, 1.1, s.h - height * s.u, scale=OVER, fill=(0.1, 0.3, 0.1))
    d, low, summer = sheet.d, sheet.img.height, not s.winter and "autumn" not in s.plan.looks
    dark, light = ((0.7, 0.76, 0.86), (0.95, 0.97, 1.0)) if s.winter else ((0.1, 0.24, 0.07), (0.42, 0.62, 0.2))
    count = sheet.cols
    xs, leans, tones = rng.uniform(0, sheet.img.width, count), rng.normal(0, 14, count), rng.random(count)
    heights = rng.uniform(0.2, 1, count) ** 2 * (height * u * 0.9) + s.rise * OVER
    shades = [ink(s.lit(blend(dark, light, k / 31), 0.6)) for k in range(32)]
    for x, h, lean, tone in zip(xs.tolist(), heights.tolist(), leans.tolist(), tones.tolist(), strict=True):
        middle, tip, y = low - h * 0.6, x + lean, low - h
        blade = [(x - 4, low), (x + 4, low), (x + lean * 0.5 + 1, middle), (tip, y), (x + lean * 0.4 - 2, middle)]
        d.polygon(blade, fill=shades[int(tone * 32)])
        if summer and rng.random() < 0.03:
            q, petals = rng.uniform(2.5, 4.5) * u, ink(s.lit(FLOWERS[int(rng.integers(len(FLOWERS)))], 0.8))
            for a in np.linspace(0, 2 * np.pi, 6)[:-1]:
                px, py = tip + np.cos(a) * q, y + np.sin(a) * q * 0.8
                d.ellipse((px - q * 0.8, py - q * 0.7, px + q * 0.8, py + q * 0.7), fill=petals)
            d.ellipse((tip - q * 0.6, y - q * 0.5, tip + q * 0.6, y + q * 0.5), fill=ink(s.lit((0.95, 0.75, 0.2), 0.9)))
    stage.put(sheet, 2)
