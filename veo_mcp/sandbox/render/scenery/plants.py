"""Trees and plants as small shaded pictures, and rows of them as layers.

Called by the places' builders when a shot is set up. Drawn with Pillow at twice the size, then reduced.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.frame import Layer, Rgb
from veo_mcp.sandbox.render.scenery.stage import Setup, Stage

Picture = Image.Image


def ink(c: Rgb, alpha: int = 255) -> tuple[int, int, int, int]:
    r, g, b = (int(min(max(v, 0), 1) * 255) for v in c)
    return (r, g, b, alpha)


def conifer(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb, side: int, snow: bool) -> Picture:
    k = 2
    h = height * k
    w = int(h * rng.uniform(0.34, 0.46))
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d = ImageDraw.Draw(img)
    cx = w / 2
    d.rectangle((cx - w * 0.025, h * 0.8, cx + w * 0.025, h), fill=ink(dark))
    tiers = int(rng.integers(9, 13))
    for i in range(tiers, -1, -1):
        f = i / tiers
        top, low = h * (0.01 + 0.86 * f * 0.92), h * (0.10 + 0.86 * (f * 0.92 + 0.085))
        reach = w * 0.5 * (0.10 + 0.9 * f**0.85) * rng.uniform(0.88, 1.08)
        for s in (-1, 1):
            tip = cx + s * reach
            pts = [
                (cx, top),
                (cx + s * reach * 0.45, top + (low - top) * 0.55),
                (tip, low),
                (cx + s * reach * 0.55, low - h * 0.012),
            ]
            pts += [(cx + s * reach * 0.3, low + h * 0.006), (cx, low - h * 0.008)]
            d.polygon(pts, fill=ink(light if s == side else dark))
            if snow:
                d.polygon(
                    [
                        (cx, top),
                        (cx + s * reach * 0.45, top + (low - top) * 0.5),
                        (tip, low),
                        (cx + s * reach * 0.4, low - h * 0.03),
                    ],
                    fill=ink((0.86, 0.9, 0.97) if s == side else (0.6, 0.66, 0.8)),
                )
    return img.resize((max(1, w // k), height), Image.Resampling.BOX)


def leafy(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb, trunk: Rgb, side: int) -> Picture:
    k = 2
    h = height * k
    w = int(h * rng.uniform(0.7, 0.95))
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d = ImageDraw.Draw(img)
    cx = w / 2
    d.polygon(
        [(cx - w * 0.03, h * 0.5), (cx + w * 0.03, h * 0.5), (cx + w * 0.045, h), (cx - w * 0.045, h)], fill=ink(trunk)
    )
    for s in (-1, 1):
        d.line([(cx, h * 0.72), (cx + s * w * 0.16, h * 0.5)], fill=ink(trunk), width=max(1, int(w * 0.025)))
    blobs: list[tuple[float, float, float]] = []
    for _ in range(46):
        a, r = rng.random() * 6.283, np.sqrt(rng.random())
        blobs.append((cx + np.cos(a) * r * w * 0.34, h * 0.36 + np.sin(a) * r * h * 0.24, w * rng.uniform(0.07, 0.15)))
    blobs.sort(key=lambda b: -b[1] - side * b[0] * 0.4)
    for x, y, r in blobs:
        toward = 0.5 + 0.5 * np.clip((side * (x - cx) / (w * 0.36)) * 0.55 - (y - h * 0.36) / (h * 0.27) * 0.75, -1, 1)
        toward = float(np.clip(toward + rng.normal() * 0.09, 0, 1))
        c = tuple(dark[i] + (light[i] - dark[i]) * toward for i in range(3))
        for _ in range(5):
            jx, jy = rng.normal(0, r * 0.42, 2)
            q = r * rng.uniform(0.45, 0.75)
            d.ellipse((x + jx - q, y + jy - q * 0.85, x + jx + q, y + jy + q * 0.85), fill=ink((c[0], c[1], c[2])))
    return img.resize((max(1, w // k), height), Image.Resampling.BOX)


def palm(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb, trunk: Rgb) -> Picture:
    k = 2
    h = height * k
    w = int(h * 0.9)
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d = ImageDraw.Draw(img)
    lean = rng.uniform(-0.2, 0.2)
    pts = [(w / 2 + lean * w * (1 - t) ** 2 * 0.8, h * (0.25 + 0.75 * t)) for t in np.linspace(0, 1, 14)]
    d.line(pts, fill=ink(trunk), width=max(2, int(w * 0.028)), joint="curve")
    tx, ty = pts[0]
    for a in np.linspace(-2.9, 0.1, 11) + rng.normal(0, 0.1, 11):
        length = w * rng.uniform(0.32, 0.44)
        spine = [
            (tx + np.cos(a) * length * t, ty + np.sin(a) * length * t * 0.7 + length * 0.75 * t * t)
            for t in np.linspace(0, 1, 9)
        ]
        c = light if np.sin(a) < -0.5 else dark
        d.line(spine, fill=ink(c), width=max(1, int(w * 0.008)))
        for (x0, y0), (x1, y1) in zip(spine, spine[1:], strict=False):
            d.line((x0, y0, x1 - w * 0.015, y1 + w * 0.05), fill=ink(c), width=max(1, int(w * 0.009)))
            d.line((x0, y0, x1 + w * 0.015, y1 + w * 0.055), fill=ink(c), width=max(1, int(w * 0.009)))
    return img.resize((max(1, w // k), height), Image.Resampling.BOX)


def cactus(rng: np.random.Generator, height: int, dark: Rgb, light: Rgb) -> Picture:
    k = 2
    h, w = height * k, height * k * 7 // 10
    img = Image.new("RGBA", (w, h), ink(dark, 0))
    d = ImageDraw.Draw(img)
    r = w * 0.09

    def column(x: float, top: float, low: float, q: float) -> None:
        d.rounded_rectangle((x - q, top, x + q, low), q, fill=ink(dark))
        d.rounded_rectangle((x + q * 0.15, top + q * 0.4, x + q * 0.8, low), q * 0.3, fill=ink(light))

    for s in (-1, 1):
        y = h * rng.uniform(0.42, 0.62)
        x = w / 2 + s * w * 0.3
        d.rounded_rectangle((min(w / 2, x), y - r * 0.7, max(w / 2, x), y + r * 0.7), r * 0.7, fill=ink(dark))
        column(x, y - h * rng.uniform(0.16, 0.26), y + r * 0.7, r * 0.7)
    column(w / 2, h * 0.05, h + r, r)
    return img.resize((max(1, w // k), height), Image.Resampling.BOX)


def row_layer(
    stage: Stage,
    name: str,
    pictures: Sequence[Picture],
    *,
    depth: float,
    base: float,
    spread: float,
    gap: float,
    ground: Rgb | None = None,
    sizes: tuple[float, float] = (0.7, 1.1),
    clear: float = 0.0,
    bottom: int | None = None,
) -> None:
    """A row of pictures standing on `base` (give or take `spread` rows), about `gap` pixels apart. `ground` fills below;
    `clear` keeps the middle of the frame free (a part of its width)."""
    s: Setup = stage.setup
    rng = s.rng(name)
    mx = s.margin(depth)
    cols = s.w + 2 * mx
    tall = max(p.height for p in pictures) * sizes[1] + spread
    top = int(base - tall) // 2 * 2
    low = int(base + spread + 4) if ground is None else s.h + s.rise
    low = min(low, bottom) if bottom else low
    sheet = Image.new("RGBA", (cols, max(4, low - top)), ink(ground or (0.1, 0.1, 0.1), 0))
    x = -40.0
    places: list[tuple[float, float]] = []
    while x < cols + 40:
        if not (clear and abs((x - mx) / s.w - 0.5) < clear / 2):
            places.append((x, base + rng.uniform(-spread, spread)))
        # in groups, as trees stand
        x += gap * (rng.uniform(0.35, 0.8) if rng.random() < 0.68 else rng.uniform(1.2, 2.6))
    if ground is not None:
        hump = np.cumsum(rng.normal(0, 1, cols // 16 + 2))
        hump = (hump - hump.mean()) / (np.abs(hump - hump.mean()).max() + 1e-6) * spread
        pts = [(i * 16.0, base - top + float(v) * 0.4 - 3) for i, v in enumerate(hump)]
        ImageDraw.Draw(sheet).polygon([*pts, (cols, low - top), (0, low - top)], fill=ink(ground))
    for x, y in sorted(places, key=lambda p: p[1]):
        picture = pictures[int(rng.integers(len(pictures)))]
        k = rng.uniform(*sizes)
        size = (max(1, int(picture.width * k)), max(1, int(picture.height * k)))
        small = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.5)
        sheet.alpha_composite(small, (max(0, int(x - size[0] / 2)), max(0, int(y - top - size[1])))) if x > size[
            0
        ] / 2 and x + size[0] / 2 < cols else _paste(sheet, small, int(x - size[0] / 2), int(y - top - size[1]))
    data = np.asarray(sheet, np.float32) / np.float32(255)
    stage.items.append(Layer(data[..., :3], data[..., 3], top=top, left=-mx, depth=depth, axis=s.camera.axis))


def _paste(sheet: Picture, small: Picture, x: int, y: int) -> None:
    sheet.paste(small, (x, y), small)
