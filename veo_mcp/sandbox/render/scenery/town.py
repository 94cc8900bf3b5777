"""Built things: rows of buildings with lit windows and shop fronts, a road, a room's wall with its window, a table.

Called by the places when a shot is set up. Drawn once with Pillow; a wet road is water, lamps and furniture are shapes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import F32, Rgb, blend, scale, vec
from veo_mcp.sandbox.render.canvas.noise import fbm
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.scenery.stage import Setup, Sheet, Stage

Box = tuple[float, float, float, float]
NEON: list[Rgb] = [
    (1.0, 0.25, 0.7),
    (0.2, 0.9, 1.0),
    (1.0, 0.75, 0.2),
    (0.6, 0.35, 1.0),
    (0.3, 1.0, 0.6),
    (1.0, 0.35, 0.3),
]
BRICKS: list[Rgb] = [(0.62, 0.4, 0.32), (0.7, 0.62, 0.5), (0.5, 0.52, 0.58), (0.74, 0.68, 0.62), (0.45, 0.36, 0.34)]
AWNINGS: list[Rgb] = [(0.75, 0.25, 0.22), (0.2, 0.42, 0.34), (0.2, 0.3, 0.5), (0.85, 0.7, 0.35)]
LAMPLIGHT: list[Rgb] = [(1.0, 0.86, 0.58), (1.0, 0.76, 0.42), (0.96, 0.93, 0.82), (0.75, 0.85, 1.0)]
NEON_LIGHT: list[Rgb] = [(1.0, 0.55, 0.85), (0.45, 0.85, 1.0), (1.0, 0.8, 0.5), (0.8, 0.5, 1.0)]
WALLS: list[Rgb] = [(0.68, 0.6, 0.5), (0.5, 0.58, 0.6), (0.66, 0.5, 0.44), (0.52, 0.56, 0.48)]
CLOTHS: list[Rgb] = [(0.7, 0.32, 0.28), (0.82, 0.76, 0.66), (0.3, 0.44, 0.46), (0.72, 0.56, 0.3)]
WOOD, WOOD_LIT = (0.24, 0.15, 0.1), (0.42, 0.28, 0.18)
SHOP = 86  # pixels that a shop front is tall, at 720 rows
LAMP_AT = 0.2  # of the frame's width: where the lamp on the table stands


def pick(rng: np.random.Generator, options: list[Rgb]) -> Rgb:
    return options[int(rng.integers(len(options)))]


def _windows(
    d: ImageDraw.ImageDraw, rng: np.random.Generator, box: Box, cell: float, lit: list[Rgb], dark: Rgb, share: float
) -> None:
    x0, y0, x1, y1 = box
    cw, ch = max(5, int(cell)), max(7, int(cell * 1.4))
    count = max(1, int(x1 - x0 - cw // 2) // cw)
    pad = int(x1 - x0 - count * cw) // 2
    for y in range(int(y0) + ch // 2, int(y1) - ch // 2, ch):
        busy = rng.random()  # whole floors are lit or dark
        for x in range(int(x0) + pad, int(x0) + pad + count * cw, cw):
            c = blend(pick(rng, lit), dark, rng.random() * 0.5) if rng.random() < share * (0.4 + 1.2 * busy) else dark
            d.rectangle((x + cw // 4, y, x + cw - cw // 4 - 1, y + ch * 5 // 9), fill=ink(c))


def _bleed(img: Image.Image, light: F32, radius: float, power: float) -> Image.Image:
    """Light spreads out of what is bright."""
    small = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    rgb = np.asarray(img.convert("RGB"), np.float32) / np.float32(255)
    data = np.clip(rgb + np.asarray(small, np.float32) / np.float32(255) * np.float32(power), 0, 1)
    return Image.fromarray(np.dstack([(data * 255).astype(np.uint8), np.asarray(img.getchannel("A"))]))


def buildings(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """A row of buildings that stand on `row`; their sizes and a window's width in pixels."""
    s, u, rng, depth, haze = stage.setup, stage.setup.u, stage.setup.rng(name), layer["depth"], layer["haze"]
    shops, neon, night = "shops" in layer, "neon" in s.plan.looks, s.pal.night
    wall: Rgb = (0.44, 0.45, 0.52) if night < 0.4 else (0.22, 0.23, 0.34)
    haze *= 1 - 0.45 * night  # at night what is far is dark before the sky, not pale
    tall = (1.5 if "shops" in layer or depth < 0.15 else 1.35) if s.h > s.w else 1.0
    least, most = (v * u * tall for v in layer["heights"])
    bottom = row + s.rise + 4 if shops else row + 200 * u if depth < 0.15 else s.h + s.rise
    sheet = Sheet(s, depth, row - most * 1.4, bottom, fill=wall)
    d, low, side = sheet.d, int(row - sheet.top), 1 if stage.sun[0] > s.w / 2 else -1
    share = (
        (0.5 if shops else 0.46 * night) if night > 0.2 else 0.1 if s.plan.light in {"sunset", "dawn", "dusk"} else 0.03
    )
    lamps = [blend(c, s.pal.haze, haze * 0.75) for c in (NEON_LIGHT if neon else LAMPLIGHT)]
    glow = Image.new("RGB", sheet.img.size)
    narrow, broad = (v * u for v in layer["widths"])
    x = -int(rng.uniform(0, narrow))
    while x < sheet.cols:
        wide = int(rng.uniform(narrow, broad))
        centre = max(0.0, 1 - abs((x + wide / 2 - sheet.margin) / s.w - 0.42) * 1.2)
        h = int((least + (most - least) * rng.random() ** 1.5) * (1 + layer.get("peak", 0.0) * (centre - 0.5)))
        y, half = low - h, x + wide // 2
        tone = pick(rng, BRICKS) if shops else blend(wall, (wall[0] * 0.8, wall[1] * 0.85, wall[2] * 1.1), rng.random())
        face, shade = s.lit(tone, rng.uniform(0.45, 0.8), haze), s.lit(tone, 0.12, haze)
        d.rectangle((x, y, x + wide, sheet.rows), fill=ink(face))
        if not shops:
            edge = x + int(wide * (0.74 if side < 0 else 0.26))
            turned = (edge, y, x + wide, sheet.rows) if side < 0 else (x, y, edge, sheet.rows)
            d.rectangle(turned, fill=ink(blend(face, shade, 0.75)))
            if (roof := rng.random()) < 0.22:
                step, up = int(wide * 0.22), int(h * 0.09)
                d.rectangle((x + step, y - up, x + wide - step, y), fill=ink(blend(face, shade, 0.4)))
                d.line((half, y - up, half, y - int(h * 0.24)), fill=ink(shade), width=max(1, int(2 * u)))
            elif roof < 0.34:
                d.polygon([(x, y), (half, y - wide * 0.42), (x + wide, y)], fill=ink(blend(face, shade, 0.3)))
        glass = s.lit(blend(tone, (0.35, 0.45, 0.6), 0.6), 0.3 if night > 0.3 else 0.75, haze)
        glass = blend(glass, shade, 0.6) if night > 0.3 else blend(glass, s.pal.sky[1][1], 0.35)
        end = low - SHOP * u if shops else min(low, sheet.rows)
        _windows(d, rng, (x, y + 4, x + wide, end), layer["cell"] * u, lamps, glass, share)
        if shops:
            d.rectangle((x, y, x + wide, y + 9 * u), fill=ink(s.lit(tone, 0.9, 0.04)))
            d.rectangle((x + wide - 8 * u, y, x + wide, low), fill=ink(shade))
            _shop(s, d, ImageDraw.Draw(glow), rng, (x, low - SHOP * u, x + wide, low), face)
        if neon and depth > 0.15 and rng.random() < (1.0 if shops else 0.5):
            sx, sy, c = (
                x + wide * rng.uniform(0.12, 0.6),
                y + h * rng.uniform(0.12, 0.25),
                blend(pick(rng, NEON), s.pal.haze, haze),
            )
            sign = (sx, sy, sx + max(5, wide * 0.12), sy + h * rng.uniform(0.25, 0.4))
            for pen in (d, ImageDraw.Draw(glow)):
                pen.rounded_rectangle(sign, 5 * u, outline=ink(c)[:3], width=max(1, int(4 * u)))
                for yy in np.arange(sign[1] + 12 * u, sign[3] - 10 * u, 17 * u):
                    pen.line((sign[0] + 8 * u, yy, sign[2] - 8 * u, yy), fill=ink(c)[:3], width=max(2, int(4 * u)))
            if shops:
                d.line((x, y + 6 * u, x + wide, y + 6 * u), fill=ink(c), width=max(1, int(4 * u)))
        x += wide + (int(rng.uniform(0.3, 1.6) * narrow) if rng.random() < 0.06 and depth < 0.3 else 0)
    if night > 0.3 or neon:
        windows = np.asarray(sheet.img.convert("RGB"), np.float32) / np.float32(255) - np.float32(0.5)
        sheet.img = _bleed(sheet.img, windows + np.asarray(glow, np.float32) / np.float32(255), 7 * u, 1.6)
    stage.put(sheet)


def _shop(
    s: Setup, d: ImageDraw.ImageDraw, glow: ImageDraw.ImageDraw, rng: np.random.Generator, box: Box, face: Rgb
) -> None:
    """A shop window with things in it, under an awning."""
    (x0, y0, x1, y1), u, dark = box, s.u, s.pal.night > 0.3
    light = pick(rng, NEON) if "neon" in s.plan.looks else LAMPLIGHT[0]
    inside, top, end = blend(light, face, 0.25 if dark else 0.7), int(y0 + 22 * u), int(y1 - 8 * u)
    for yy in range(top, end):
        dim = blend(inside, (inside[0] * 0.35, inside[1] * 0.3, inside[2] * 0.4), (yy - top) / (end - top) * 0.95)
        d.line((x0 + 14 * u, yy, x1 - 18 * u, yy), fill=ink(dim))
    for _ in range(int((x1 - x0) / (9 * u))):
        gx, gw, gh = rng.uniform(x0 + 18 * u, x1 - 30 * u), rng.uniform(4, 15) * u, rng.uniform(8, 34) * u
        d.rectangle((gx, end - gh, gx + gw, end), fill=ink(blend(scale(inside, 0.25), pick(rng, NEON), 0.18)))
    for k in range(1, 4):
        px = x0 + 14 * u + (x1 - x0 - 32 * u) * k / 4
        d.line((px, top, px, end), fill=ink(s.lit(face, 0.1)), width=max(1, int(3 * u)))
    if dark:
        glow.rectangle((x0 + 14 * u, top, x1 - 18 * u, y1), fill=ink(scale(light, 0.35))[:3])
    cloth, stripe = pick(rng, AWNINGS), (x1 - x0 - 20 * u) / 8
    for k in range(8 if rng.random() < 0.6 else 0):
        a, c = x0 + 8 * u + stripe * k, s.lit(cloth if k % 2 else (0.93, 0.92, 0.88), 0.5)
        hem = [(a + stripe - 3 * u, y0 + 26 * u), (a - 3 * u, y0 + 26 * u)]
        d.polygon([(a, y0 + 4 * u), (a + stripe, y0 + 4 * u), *hem], fill=ink(c))


def road(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Kerb and asphalt below the horizon; a film over the mirror where it is wet."""
    s, u, rng = stage.setup, stage.setup.u, stage.setup.rng(name)
    wet, sheet = s.wet or "neon" in s.plan.looks, Sheet(s, 0.9, int(row), fill=(0.1, 0.1, 0.1))
    stage.afloat = None
    d, cols, rows = sheet.d, sheet.cols, sheet.rows
    asphalt, kerb = s.lit((0.34, 0.34, 0.37), 0.6), s.lit((0.58, 0.57, 0.55), 0.7)
    d.rectangle((0, 0, cols, rows), fill=ink(asphalt, 70 if wet else 255))
    d.rectangle((0, 0, cols, int(16 * u)), fill=ink(kerb, 110 if wet else 255))
    d.rectangle((0, int(16 * u), cols, int(21 * u)), fill=ink(blend(kerb, asphalt, 0.7), 160 if wet else 255))
    y, paint = int(rows * 0.42), ink(s.lit((0.85, 0.83, 0.75), 0.5), 150 if wet else 235)
    for x in range(0, cols, int(170 * u)):
        d.polygon([(x, y), (x + 84 * u, y), (x + 78 * u, y + 7 * u), (x - 8 * u, y + 7 * u)], fill=paint)
    for _ in range(0 if wet else cols * 2):
        at, tone = (
            (rng.uniform(0, cols), rng.uniform(22 * u, rows)),
            blend(asphalt, (0.6, 0.6, 0.6), rng.random() * 0.4),
        )
        d.point(at, fill=ink(tone))
    stage.put(sheet, 2)


def wall(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """A room's wall in the light of its lamp and of the window, through which the outside is seen; curtains."""
    s, u, wide = stage.setup, stage.setup.u, stage.setup.w > stage.setup.h
    sheet, tone = Sheet(s, 0.55, -s.rise), pick(s.rng("wall"), WALLS)
    ww, wh = s.w * (0.44 if wide else 0.72), s.h * (0.56 if wide else 0.42)
    wx, wy, t = sheet.margin + s.w * (0.5 if wide else 0.14), s.rise + s.h * 0.08, 14 * u
    yy, xx = np.mgrid[0 : sheet.rows, 0 : sheet.cols].astype(np.float32)
    day = (
        np.exp(-np.hypot((xx - wx - ww / 2) / s.w, (yy - wy - wh / 2) / s.h) * 2.2)[..., None] * vec(s.pal.light) * 0.5
    )
    plaster = (fbm(s.rng("plaster"), sheet.rows, sheet.cols, 60, 60, 4) - np.float32(0.5))[..., None] * np.float32(0.05)
    far = ((xx - sheet.margin - s.w * LAMP_AT) / s.h) ** 2 + ((yy - s.rise - s.h * 0.66) / s.h) ** 2
    warm = np.exp(-far / 0.1)[..., None] * vec((0.5, 0.34, 0.16)) * np.float32(0.5 + 0.5 * s.pal.night)
    data = vec(scale(tone, 0.4 if s.pal.night > 0.4 or s.wet else 0.6)) * (1 + day) + plaster + warm
    sheet.img = Image.fromarray((np.clip(data, 0, 1) * 255).astype(np.uint8)).convert("RGBA")
    d = ImageDraw.Draw(sheet.img)
    d.rectangle((wx - t, wy - t, wx + ww + t, wy + wh + t), fill=ink(s.lit((0.72, 0.68, 0.64), 0.25)))
    for i, j in np.ndindex(3, 2):
        a, b = wx + ww * i / 3 + 4 * u, wy + wh * j / 2 + 4 * u
        d.rectangle((a, b, a + ww / 3 - 8 * u, b + wh / 2 - 8 * u), fill=(0, 0, 0, 0))
    d.rectangle(
        (wx - 2.2 * t, wy + wh + t, wx + ww + 2.2 * t, wy + wh + 1.9 * t), fill=ink(s.lit((0.95, 0.93, 0.9), 0.6))
    )
    d.rectangle((wx - 4 * t, wy - 2.4 * t, wx + ww + 4 * t, wy - 2 * t), fill=ink(s.lit((0.3, 0.22, 0.16), 0.3)))
    cloth, top, low, broad = pick(s.rng("curtain"), CLOTHS), wy - 2 * t, wy + wh + 4 * t, ww * 0.08 + 3.4 * t
    for side, k in ((side, k) for side in (-1, 1) for k in range(9)):
        a = (wx - 3.4 * t if side < 0 else wx + ww - ww * 0.08) + broad * k / 9
        b, fold = a + broad / 9, scale(s.lit(cloth, 0.5 + 0.25 * float(np.sin(k * 2.4))), 0.8)
        d.polygon([(a, top), (b, top), (b + side * 0.3 * t, low), (a + side * 0.3 * t, low)], fill=ink(fold))
    stage.put(sheet)


def table(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """The edge of a table along the lower part of the frame, with its grain."""
    s, u, rng = stage.setup, stage.setup.u, stage.setup.rng(name)
    sheet = Sheet(s, 0.95, s.h * 0.8, fill=WOOD)
    d, cols = sheet.d, sheet.cols
    d.rectangle((0, 0, cols, sheet.rows), fill=ink(WOOD))
    d.rectangle((0, 0, cols, 8 * u), fill=ink(WOOD_LIT))
    for _ in range(60):
        x, y = rng.uniform(-200, cols), rng.uniform(12 * u, sheet.rows)
        line = (x, y, x + rng.uniform(100, 700), y + rng.normal(0, 2))
        d.line(line, fill=ink(blend(WOOD, WOOD_LIT, rng.random() * 0.5)))
    stage.put(sheet, 2)
