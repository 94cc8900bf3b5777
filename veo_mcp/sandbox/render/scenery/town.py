"""Built places: the city's skyline, and a street with shop fronts, lamps and a road that mirrors when it is wet.

Called by scene.build with an empty stage. Walls and windows are drawn once with Pillow; a wet road is water.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Rgb, blend, scale
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.scenery.land import water
from veo_mcp.sandbox.render.scenery.stage import Setup, Sheet, Stage
from veo_mcp.sandbox.render.scenery.weather import glow_sprite

NEON: list[Rgb] = [
    (1.0, 0.25, 0.7),
    (0.2, 0.9, 1.0),
    (1.0, 0.75, 0.2),
    (0.6, 0.35, 1.0),
    (0.3, 1.0, 0.6),
    (1.0, 0.35, 0.3),
]
BRICKS: list[Rgb] = [
    (0.62, 0.4, 0.32),
    (0.7, 0.62, 0.5),
    (0.5, 0.52, 0.58),
    (0.74, 0.68, 0.62),
    (0.45, 0.36, 0.34),
    (0.6, 0.66, 0.66),
]
AWNINGS: list[Rgb] = [(0.75, 0.25, 0.22), (0.2, 0.42, 0.34), (0.2, 0.3, 0.5), (0.85, 0.7, 0.35)]
LAMPLIGHT: list[Rgb] = [(1.0, 0.86, 0.58), (1.0, 0.76, 0.42), (0.96, 0.93, 0.82), (0.75, 0.85, 1.0)]
NEON_LIGHT: list[Rgb] = [(1.0, 0.55, 0.85), (0.45, 0.85, 1.0), (1.0, 0.8, 0.5), (0.8, 0.5, 1.0)]
WET_ROAD = 0.1  # roughness of the mirror


def pick(rng: np.random.Generator, options: list[Rgb]) -> Rgb:
    return options[int(rng.integers(len(options)))]


def wall_of(s: Setup) -> Rgb:
    return (0.44, 0.45, 0.52) if s.pal.night < 0.4 else (0.34, 0.35, 0.5)


def lit_share(s: Setup) -> float:
    """How many of the windows are lit."""
    return 0.46 * s.pal.night if s.pal.night > 0.2 else 0.1 if s.plan.light in {"sunset", "dawn", "dusk"} else 0.03


def windows(
    d: ImageDraw.ImageDraw, rng: np.random.Generator, box: tuple[int, int, int, int], cell: tuple[int, int],
    lit: list[Rgb], dark: Rgb, share: float,
) -> None:  # fmt: skip
    (x0, y0, x1, y1), (cw, ch) = box, cell
    count = max(1, (x1 - x0 - cw // 2) // cw)
    pad = (x1 - x0 - count * cw) // 2
    for y in range(y0 + ch // 2, y1 - ch // 2, ch):
        busy = rng.random()  # whole floors are lit or dark
        for i in range(count):
            x = x0 + pad + i * cw
            c = blend(pick(rng, lit), dark, rng.random() * 0.5) if rng.random() < share * (0.4 + 1.2 * busy) else dark
            d.rectangle((x + cw // 4, y, x + cw - cw // 4 - 1, y + ch * 5 // 9), fill=ink(c))


def bleed(img: Image.Image, light: F32, radius: float, power: float) -> Image.Image:
    """Light spreads out of what is bright."""
    small = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(radius))
    rgb = np.asarray(img.convert("RGB"), np.float32) / np.float32(255)
    data = np.clip(rgb + np.asarray(small, np.float32) / np.float32(255) * np.float32(power), 0, 1)
    return Image.fromarray(np.dstack([(data * 255).astype(np.uint8), np.asarray(img.getchannel("A"))]))


def towers(
    stage: Stage, name: str, *, depth: float, base: float, heights: tuple[float, float], widths: tuple[float, float], haze: float,
    cell: float, bottom: float | None = None, peak: float = 0.5,
) -> None:  # fmt: skip
    """A row of buildings that stand on `base`; their sizes in pixels, `cell` a window's width."""
    s, u = stage.setup, stage.setup.u
    rng, wall, neon = s.rng(name), wall_of(s), "neon" in s.plan.looks
    sheet = Sheet(s, depth, base - heights[1] * 1.4, base + 2 if bottom is None else bottom, fill=wall)
    d, side = sheet.d, 1 if stage.sun[0] > s.w / 2 else -1
    lamps = [blend(c, s.pal.haze, haze * 0.75) for c in (NEON_LIGHT if neon else LAMPLIGHT)]
    size = (max(5, int(cell * u)), max(7, int(cell * 1.35 * u)))
    x = -int(rng.uniform(0, widths[0]))
    while x < sheet.cols:
        wide = int(rng.uniform(*widths))
        centre = max(0.0, 1 - abs((x + wide / 2 - sheet.margin) / s.w - 0.42) * 1.2)
        h = int((heights[0] + (heights[1] - heights[0]) * rng.random() ** 1.5) * (1 + peak * (centre - 0.5)))
        y = int(base - sheet.top - h)
        tone = blend(wall, (wall[0] * 0.8, wall[1] * 0.85, wall[2] * 1.1), rng.random())
        face, shade = s.lit(tone, rng.uniform(0.45, 0.8), haze), s.lit(tone, 0.12, haze)
        d.rectangle((x, y, x + wide, sheet.rows), fill=ink(face))
        edge = x + int(wide * (0.74 if side < 0 else 0.26))
        d.rectangle(
            (edge, y, x + wide, sheet.rows) if side < 0 else (x, y, edge, sheet.rows),
            fill=ink(blend(face, shade, 0.75)),
        )
        roof, half = rng.random(), x + wide // 2
        if roof < 0.22:
            step, up = int(wide * 0.22), int(h * 0.09)
            d.rectangle((x + step, y - up, x + wide - step, y), fill=ink(blend(face, shade, 0.4)))
            d.line((half, y - up, half, y - int(h * 0.24)), fill=ink(shade), width=max(1, int(2 * u)))
        elif roof < 0.34:
            d.polygon([(x, y), (half, y - wide * 0.42), (x + wide, y)], fill=ink(blend(face, shade, 0.3)))
        elif roof < 0.5:
            d.rectangle((x + wide // 5, y - int(7 * u), half, y), fill=ink(shade))
        glass = s.lit(blend(tone, (0.35, 0.45, 0.6), 0.6), 0.3 if s.pal.night > 0.3 else 0.75, haze)
        glass = blend(glass, shade, 0.6) if s.pal.night > 0.3 else blend(glass, s.pal.sky[1][1], 0.35)
        windows(d, rng, (x, y + 4, x + wide, min(int(base - sheet.top), sheet.rows)), size, lamps, glass, lit_share(s))
        if neon and depth > 0.15 and rng.random() < 0.5:
            sx = x + wide * rng.uniform(0.1, 0.6)
            strip = (sx, y + h * 0.15, sx + max(5, wide * 0.14), y + h * rng.uniform(0.35, 0.6))
            d.rectangle(strip, fill=ink(blend(pick(rng, NEON), s.pal.haze, haze)))
        x += wide + (int(rng.uniform(0.3, 1.6) * widths[0]) if rng.random() < 0.06 and depth < 0.3 else 0)
    if s.pal.night > 0.5 or neon:
        bright = np.asarray(sheet.img.convert("RGB"), np.float32) / np.float32(255) - np.float32(0.5)
        sheet.img = bleed(sheet.img, bright, 5 * u, 2.4 if s.fine else 1.9)
    stage.put(sheet)


def city(stage: Stage) -> None:
    """A skyline over nearer roofs; a wet street's worth of reflections is not claimed."""
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    stage.add_sky()
    tall = 1.35 if s.h > s.w else 1.0
    rows = (
        ("far", 0.1, hz, (60, 260 * tall), (30, 70), 0.62, 7, 0.5), ("mid", 0.2, hz + 60 * u, (90, 330 * tall), (46, 100), 0.36, 9, 0.5),
        ("near", 0.4, s.h * 0.93, (100, 300 * tall), (90, 170), 0.16, 14, -0.5), ("roofs", 0.8, s.h + s.rise, (40, 130), (170, 320), 0.03, 24, -0.9),
    )  # fmt: skip
    for name, depth, base, heights, widths, haze, cell, peak in rows:
        towers(
            stage, name, depth=depth, base=base, heights=(heights[0] * u, heights[1] * u), widths=(widths[0] * u, widths[1] * u),
            haze=haze, cell=cell, peak=peak, bottom=base + 200 * u if depth < 0.15 else s.h + s.rise,
        )  # fmt: skip
        if depth < 0.3:
            stage.add_mist("smog" + name, base - 60 * u, 200 * u, 0.4, depth + 0.03, 4 if name == "far" else -5)
    stage.ground, stage.walk_depth = s.h * 0.95, 0.8


def street(stage: Stage) -> None:
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    stage.add_sky()
    tall = 1.5 if s.h > s.w else 1.0
    towers(
        stage,
        "back",
        depth=0.14,
        base=hz,
        heights=(140 * u, 400 * u * tall),
        widths=(60 * u, 120 * u),
        haze=0.5,
        cell=9,
    )
    stage.add_mist("haze", hz - 120 * u, 280 * u, 0.45, 0.16, 5)
    _houses(stage, int(hz), tall)
    wet = s.wet or "neon" in s.plan.looks
    if wet:
        water(stage, WET_ROAD)
        stage.afloat = None
    _road(stage, int(hz), wet)
    _street_lamps(stage, int(hz))
    stage.ground, stage.walk_depth = s.h * 0.9, 0.9
    stage.actor = 0.95


def _houses(stage: Stage, base: int, tall: float) -> None:
    """Shop fronts seen across the road."""
    s, u = stage.setup, stage.setup.u
    rng, night, neon = s.rng("houses"), s.pal.night, "neon" in s.plan.looks
    height = int(330 * u * tall)
    sheet = Sheet(s, 0.5, base - height, base + s.rise + 4, fill=(0.1, 0.1, 0.12))
    glow = Image.new("RGB", sheet.img.size)
    d, g, low = sheet.d, ImageDraw.Draw(glow), base - sheet.top
    x = -int(rng.uniform(0, 120))
    while x < sheet.cols:
        wide, h, tone = int(rng.uniform(150, 270) * u), int(height * rng.uniform(0.5, 0.98)), pick(rng, BRICKS)
        face, y, shop = s.lit(tone, 0.5, 0.04), low - h, int(86 * u)
        d.rectangle((x, y, x + wide, sheet.rows), fill=ink(face))
        d.rectangle((x, y, x + wide, y + 9 * u), fill=ink(s.lit(tone, 0.9, 0.04)))
        d.rectangle((x + wide - 8 * u, y, x + wide, low), fill=ink(s.lit(tone, 0.1, 0.04)))
        glass = blend(s.lit((0.3, 0.38, 0.5), 0.4), s.pal.sky[1][1], 0.3 if night < 0.4 else 0.05)
        upper = (x + int(6 * u), y + int(14 * u), x + wide - int(6 * u), low - shop)
        windows(
            d,
            rng,
            upper,
            (int(34 * u), int(52 * u)),
            NEON_LIGHT if neon else LAMPLIGHT,
            glass,
            0.5 if night > 0.3 else 0.05,
        )
        light = pick(rng, NEON) if neon else LAMPLIGHT[0]
        _shop(s, d, rng, (x, low - shop, x + wide, low), light, face)
        if night > 0.3:
            g.rectangle((x + 14 * u, low - shop + 22 * u, x + wide - 18 * u, low), fill=ink(light)[:3])
        if neon:
            c = pick(rng, NEON)
            sx, sy, sw, sh = (
                x + wide * rng.uniform(0.12, 0.62),
                y + h * rng.uniform(0.16, 0.4),
                24 * u,
                h * rng.uniform(0.22, 0.4),
            )
            for pen, width in ((d, 3), (g, 9)):
                pen.rounded_rectangle(
                    (sx, sy, sx + sw, sy + sh), 5 * u, outline=ink(c)[:3], width=max(1, int(width * u))
                )
                for k in range(int(sh / (20 * u))):
                    yy, bend = sy + 10 * u + k * 20 * u, 8 * u * ((k * 7) % 3 - 1)
                    sign = ink(blend(c, (1, 1, 1), 0.35))[:3]
                    pen.line(
                        (sx + 7 * u, yy, sx + sw - 7 * u, yy + bend), fill=sign, width=max(2, int(width * u * 0.8))
                    )
                    pen.line(
                        (sx + sw / 2, yy - 5 * u, sx + sw / 2 + bend / 2, yy + 7 * u),
                        fill=ink(c)[:3],
                        width=max(2, int(width * u * 0.8)),
                    )
                pen.line((x, y + 8 * u, x + wide, y + 8 * u), fill=ink(c)[:3], width=max(1, int(width * u)))
        x += wide
    if night > 0.3:
        sheet.img = bleed(sheet.img, np.asarray(glow, np.float32) / np.float32(255), 13 * u, 0.75)
    stage.put(sheet)


def _shop(
    s: Setup, d: ImageDraw.ImageDraw, rng: np.random.Generator, box: tuple[int, int, int, int], light: Rgb, face: Rgb
) -> None:
    """A shop window with things in it, under an awning."""
    (x0, y0, x1, y1), u = box, s.u
    inside = blend(light, face, 0.25 if s.pal.night > 0.3 else 0.7)
    top, end = int(y0 + 22 * u), int(y1 - 8 * u)
    for yy in range(top, end):
        dim = blend(inside, (inside[0] * 0.35, inside[1] * 0.3, inside[2] * 0.4), (yy - top) / (end - top) * 0.95)
        d.line((x0 + 14 * u, yy, x1 - 18 * u, yy), fill=ink(dim))
    for _ in range(int((x1 - x0) / (9 * u))):
        gx, gw, gh = rng.uniform(x0 + 18 * u, x1 - 30 * u), rng.uniform(4, 15) * u, rng.uniform(8, 34) * u
        d.rectangle((gx, end - gh, gx + gw, end), fill=ink(blend(scale(inside, 0.25), pick(rng, NEON), 0.18)))
    for k in range(1, 4):
        px = x0 + 14 * u + (x1 - x0 - 32 * u) * k / 4
        d.line((px, top, px, end), fill=ink(s.lit(face, 0.1)), width=max(1, int(3 * u)))
    cloth, stripe = pick(rng, AWNINGS), (x1 - x0 - 20 * u) / 8
    if rng.random() < 0.6:
        for k in range(8):
            a = x0 + 8 * u + stripe * k
            c = s.lit(cloth if k % 2 else (0.93, 0.92, 0.88), 0.5)
            d.polygon(
                [
                    (a, y0 + 4 * u),
                    (a + stripe, y0 + 4 * u),
                    (a + stripe - 3 * u, y0 + 26 * u),
                    (a - 3 * u, y0 + 26 * u),
                ],
                fill=ink(c),
            )


def _road(stage: Stage, hz: int, wet: bool) -> None:
    s, u = stage.setup, stage.setup.u
    sheet, rng = Sheet(s, 0.9, hz, fill=(0.1, 0.1, 0.1)), s.rng("road")
    d, cols, rows = sheet.d, sheet.cols, sheet.rows
    asphalt, kerb = s.lit((0.34, 0.34, 0.37), 0.6), s.lit((0.58, 0.57, 0.55), 0.7)
    d.rectangle((0, 0, cols, rows), fill=ink(asphalt, 70 if wet else 255))
    d.rectangle((0, 0, cols, int(16 * u)), fill=ink(kerb, 110 if wet else 255))
    d.rectangle((0, int(16 * u), cols, int(21 * u)), fill=ink(blend(kerb, asphalt, 0.7), 160 if wet else 255))
    y, paint = int(rows * 0.42), ink(s.lit((0.85, 0.83, 0.75), 0.5), 150 if wet else 235)
    for x in range(0, cols, int(170 * u)):
        d.polygon([(x, y), (x + 84 * u, y), (x + 78 * u, y + 7 * u), (x - 8 * u, y + 7 * u)], fill=paint)
    for _ in range(0 if wet else cols * 2):
        at = (rng.uniform(0, cols), rng.uniform(22 * u, rows))
        d.point(at, fill=ink(blend(asphalt, (0.6, 0.6, 0.6), rng.random() * 0.4)))
    stage.put(sheet, 2)


def _street_lamps(stage: Stage, hz: int) -> None:
    """Lamp posts along the far kerb, lit when it is dark or wet."""
    s, u = stage.setup, stage.setup.u
    sheet, dark = Sheet(s, 0.55, hz - 190 * u, hz + 18 * u), s.lit((0.14, 0.14, 0.17), 0.2)
    places: list[tuple[int, int]] = []
    for x in range(int(s.w * 0.12), sheet.cols, int(s.w * (0.4 if s.w > s.h else 0.6))):
        sheet.d.rectangle((x, 14 * u, x + 5 * u, sheet.rows), fill=ink(dark))
        sheet.d.rounded_rectangle(
            (x - 8 * u, 4 * u, x + 13 * u, 20 * u), 5 * u, fill=ink(blend(dark, (1, 0.9, 0.7), 0.6))
        )
        places.append((x + int(2.5 * u) - sheet.margin, sheet.top + int(12 * u)))
    stage.put(sheet, 2)
    if s.pal.night > 0.2 or s.wet or s.plan.weather == "fog" or s.plan.light in {"sunset", "dawn"}:
        stage.items.append(
            Lamps(places, (0.55, 0.85, 1.0) if "neon" in s.plan.looks else (1.0, 0.82, 0.5), int(80 * u), 0.55)
        )


class Lamps:
    """Glows that move with their layer."""

    def __init__(self, places: list[tuple[int, int]], colour: Rgb, radius: int, depth: float) -> None:
        self.places, self.depth, self.glow = places, depth, glow_sprite(colour, radius, 0.08)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        for x, y in self.places:
            sx = x - view.x * (self.depth + view.pivot) - self.glow.w / 2
            self.glow.draw(frame, sx, y - self.glow.h / 2 + view.tilt + view.y * self.depth, fade=0.82)
