"""Built places: city skyline, street, room.

Called by scene.build with an empty stage. Walls and windows are drawn once with Pillow; wet ground is water.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .frame import Layer, Rgb, blend
from .plants import ink
from .stage import Stage
from .water import Water
from .weather import glow_sprite

NEON: list[Rgb] = [
    (1.0, 0.25, 0.7),
    (0.2, 0.9, 1.0),
    (1.0, 0.75, 0.2),
    (0.6, 0.35, 1.0),
    (0.3, 1.0, 0.6),
    (1.0, 0.35, 0.3),
]


def _put(stage: Stage, img: Image.Image, top: int, depth: float, phases: int = 4) -> None:
    s = stage.setup
    data = np.asarray(img, np.float32) / np.float32(255)
    stage.items.append(
        Layer(
            data[..., :3], data[..., 3], top=top, left=-s.margin(depth), depth=depth, axis=s.camera.axis, phases=phases
        )
    )


def windows(
    d: ImageDraw.ImageDraw, rng: np.random.Generator, box: tuple[int, int, int, int], cell: tuple[int, int],
    lit: list[Rgb], dark: Rgb, share: float,
) -> None:  # fmt: skip
    x0, y0, x1, y1 = box
    cw, ch = cell
    count = max(1, (x1 - x0 - cw // 2) // cw)
    pad = (x1 - x0 - count * cw) // 2
    floor_on = rng.random(max(1, (y1 - y0) // ch) + 1)
    for j, y in enumerate(range(y0 + ch // 2, y1 - ch // 2, ch)):
        for i in range(count):
            x = x0 + pad + i * cw
            on = rng.random() < share * (0.4 + 1.2 * floor_on[j])
            c = lit[int(rng.integers(len(lit)))] if on else dark
            c = blend(c, dark, rng.random() * 0.5) if on else c
            d.rectangle((x + cw // 4, y, x + cw - cw // 4 - 1, y + ch * 5 // 9), fill=ink(c))


def towers(
    stage: Stage, name: str, *, depth: float, base: int, heights: tuple[float, float], widths: tuple[float, float], haze: float,
    cell: tuple[int, int], wall: Rgb, gaps: float = 0.06, peak: float = 0.5, bottom: int | None = None,
) -> None:  # fmt: skip
    """A row of buildings that stand on `base`."""
    s = stage.setup
    rng = s.rng(name)
    mx = s.margin(depth)
    cols = s.w + 2 * mx
    tall = int(heights[1] * 1.35)
    top = (base - tall) // 2 * 2
    low = bottom or base + 2
    img = Image.new("RGBA", (cols, low - top), ink(wall, 0))
    d = ImageDraw.Draw(img)
    night = s.pal.night
    neon = "neon" in s.plan.looks
    side = 1 if stage.sun[0] > s.w / 2 else -1
    if neon:
        lamps = [(1.0, 0.55, 0.85), (0.45, 0.85, 1.0), (1.0, 0.8, 0.5), (0.8, 0.5, 1.0)]
    else:
        lamps = [(1.0, 0.86, 0.58), (1.0, 0.76, 0.42), (0.96, 0.93, 0.82), (0.75, 0.85, 1.0)]
    lamps = [blend(c, s.pal.haze, haze * 0.75) for c in lamps]
    share = 0.46 * night if night > 0.2 else 0.05
    if s.plan.time in {"sunset", "dawn"} and not neon:
        share = 0.26
    x = -int(rng.uniform(0, widths[0]))
    while x < cols:
        wide = int(rng.uniform(*widths))
        centre = 1 - abs((x + wide / 2 - mx) / s.w - 0.42) * 1.2
        h = int((heights[0] + (heights[1] - heights[0]) * rng.random() ** 1.5) * (1 + peak * (max(0.0, centre) - 0.5)))
        y = base - top - h
        tone = blend(wall, (wall[0] * 0.8, wall[1] * 0.85, wall[2] * 1.1), rng.random())
        face, shade = s.lit(tone, rng.uniform(0.45, 0.8), haze), s.lit(tone, 0.12, haze)
        d.rectangle((x, y, x + wide, low - top), fill=ink(face))
        edge = x + int(wide * (0.74 if side < 0 else 0.26))
        d.rectangle(
            (edge, y, x + wide, low - top) if side < 0 else (x, y, edge, low - top), fill=ink(blend(face, shade, 0.75))
        )
        kind = rng.random()
        if kind < 0.22:
            step = int(wide * 0.22)
            d.rectangle((x + step, y - int(h * 0.09), x + wide - step, y), fill=ink(blend(face, shade, 0.4)))
            d.line(
                (x + wide // 2, y - int(h * 0.09), x + wide // 2, y - int(h * 0.24)),
                fill=ink(shade),
                width=max(1, int(2 * s.u)),
            )
        elif kind < 0.34:
            d.polygon([(x, y), (x + wide * 0.5, y - wide * 0.42), (x + wide, y)], fill=ink(blend(face, shade, 0.3)))
        elif kind < 0.5:
            d.rectangle((x + wide // 5, y - int(7 * s.u), x + wide // 2, y), fill=ink(shade))
        glass = s.lit(blend(tone, (0.35, 0.45, 0.6), 0.6), 0.3 if night > 0.3 else 0.75, haze)
        glass = blend(glass, shade, 0.6) if night > 0.3 else blend(glass, s.pal.sky[1][1], 0.35)
        windows(d, rng, (x, y + 4, x + wide, min(base - top, low - top)), cell, lamps, glass, share)
        if neon and depth > 0.15 and rng.random() < 0.5:
            c = NEON[int(rng.integers(len(NEON)))]
            sx, sw = x + wide * rng.uniform(0.1, 0.6), max(5, wide * 0.14)
            d.rectangle(
                (sx, y + h * 0.15, sx + sw, y + h * rng.uniform(0.35, 0.6)), fill=ink(blend(c, s.pal.haze, haze))
            )
        x += wide + (int(rng.uniform(0.3, 1.6) * widths[0]) if rng.random() < gaps else 0)
    if night > 0.5 or neon:
        # light bleeds out of what is bright
        rgb = np.asarray(img.convert("RGB"), np.float32) / np.float32(255)
        bright = np.clip(rgb - np.float32(0.5), 0, 1)
        small = Image.fromarray((bright * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(5 * s.u))
        data = np.clip(rgb + np.asarray(small, np.float32) / np.float32(255) * np.float32(1.9), 0, 1)
        alpha = np.asarray(img.getchannel("A"))
        img = Image.fromarray(np.dstack([(data * 255).astype(np.uint8), alpha]))
    _put(stage, img, top, depth)


def city(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky()
    u, hz = s.u, int(s.horizon) // 2 * 2
    tall = 1.25 if s.h > s.w else 1.0
    wall: Rgb = (0.42, 0.44, 0.52) if s.pal.night < 0.4 else (0.34, 0.36, 0.5)
    towers(
        stage,
        "far",
        depth=0.1,
        base=hz,
        heights=(60 * u, 250 * u * tall),
        widths=(30 * u, 70 * u),
        haze=0.62,
        cell=(7, 9),
        wall=wall,
    )
    stage.add_mist("smog", hz - 60 * u, 200 * u, 0.4, 0.12, 4)
    towers(
        stage,
        "mid",
        depth=0.2,
        base=hz,
        heights=(60 * u, 270 * u * tall),
        widths=(46 * u, 100 * u),
        haze=0.34,
        cell=(9, 12),
        wall=wall,
    )
    towers(
        stage,
        "near",
        depth=0.36,
        base=hz,
        heights=(40 * u, 170 * u),
        widths=(70 * u, 150 * u),
        haze=0.1,
        cell=(13, 16),
        wall=wall,
        peak=0.1,
        bottom=hz + s.rise + 4,
    )
    stage.items.append(Water(s.key, s.pal, s.w, s.h, hz, stage.sun[0], 0.35, s.h + s.rise))
    _quay(stage)
    stage.ground = s.h * 0.955
    stage.actor = 0.9


def _quay(stage: Stage) -> None:
    """A railing with lamps in the foreground."""
    s = stage.setup
    rng = s.rng("quay")
    depth, mx, u = 0.9, s.margin(0.9), s.u
    cols, top = s.w + 2 * mx, int(s.h * 0.56) // 2 * 2
    img = Image.new("RGBA", (cols, s.h + s.rise - top), ink((0.05, 0.05, 0.08), 0))
    d = ImageDraw.Draw(img)
    floor = int(s.h * 0.925) - top
    dark = s.lit((0.12, 0.12, 0.15), 0.1)
    paving = s.lit((0.34, 0.34, 0.38), 0.3)
    d.rectangle((0, floor, cols, img.height), fill=ink(paving))
    for k in range(1, 5):
        y = floor + k * k * 4 * u
        d.line((0, y, cols, y), fill=ink(blend(paving, dark, 0.35)), width=2)
    d.rectangle((0, floor - int(40 * u), cols, floor - int(36 * u)), fill=ink(dark))
    d.rectangle((0, floor - int(20 * u), cols, floor - int(18 * u)), fill=ink(dark))
    for x in range(0, cols, int(38 * u)):
        d.rectangle((x, floor - int(40 * u), x + int(3 * u), floor), fill=ink(dark))
    x = int(rng.uniform(0.1, 0.3) * s.w)
    lamps: list[tuple[int, int]] = []
    while x < cols:
        d.rectangle((x, 22 * u, x + 5 * u, floor), fill=ink(dark))
        d.rectangle((x - 4 * u, floor - 26 * u, x + 9 * u, floor), fill=ink(dark))
        d.rounded_rectangle((x - 7 * u, 8 * u, x + 12 * u, 26 * u), 5 * u, fill=ink(dark))
        lamps.append((x + int(2.5 * u), int(17 * u)))
        x += int(s.w * 0.62)
    _put(stage, img, top, depth, 2)
    if s.pal.night > 0.2 or s.plan.time in {"sunset", "dawn"} or s.plan.weather in {"rain", "storm", "fog"}:
        colour = (0.55, 0.85, 1.0) if "neon" in s.plan.looks else (1.0, 0.82, 0.5)
        stage.items.append(Lamps([(x - mx, y + top) for x, y in lamps], colour, int(74 * u), depth))


class Lamps:
    """Glows that move with their layer."""

    def __init__(
        self, places: list[tuple[int, int]], colour: Rgb, radius: int, depth: float, pulse: float = 0.0
    ) -> None:
        self.places, self.depth, self.pulse = places, depth, pulse
        self.glow = glow_sprite(colour, radius, 0.1 if not pulse else 0.0)

    def draw(self, frame, t, view) -> None:  # type: ignore[no-untyped-def]
        for k, (x, y) in enumerate(self.places):
            sx = x - view.x * (self.depth + view.pivot)
            if -self.glow.w < sx < frame.w + self.glow.w:
                fade = 0.82 - self.pulse * (0.5 + 0.5 * np.sin(t * (2.1 + 0.7 * (k % 5)) + k * 1.9))
                if self.pulse and np.sin(t * 9 + k * 5) > 0.97:
                    fade *= 0.4
                self.glow.draw(
                    frame, sx - self.glow.w / 2, y - self.glow.h / 2 + view.tilt + view.y * self.depth, fade=float(fade)
                )


def street(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky()
    u, hz = s.u, int(s.horizon) // 2 * 2
    tall = 1.5 if s.h > s.w else 1.0
    wall: Rgb = (0.46, 0.45, 0.5) if s.pal.night < 0.4 else (0.34, 0.34, 0.48)
    towers(
        stage,
        "back",
        depth=0.14,
        base=hz,
        heights=(140 * u, 400 * u * tall),
        widths=(60 * u, 120 * u),
        haze=0.5,
        cell=(9, 12),
        wall=wall,
    )
    stage.add_mist("haze", hz - 120 * u, 280 * u, 0.45, 0.16, 5)
    _houses(stage, hz, tall)
    wet = s.plan.weather in {"rain", "storm"} or "neon" in s.plan.looks
    if wet:
        stage.items.append(Water(s.key, s.pal, s.w, s.h, hz, stage.sun[0], 0.12, s.h + s.rise))
    _road(stage, hz, wet)
    stage.ground = s.h * 0.9
    stage.actor = 0.95


def _houses(stage: Stage, base: int, tall: float) -> None:
    """Shop fronts seen across the road."""
    s = stage.setup
    rng = s.rng("houses")
    depth, mx, u = 0.5, s.margin(0.5), s.u
    cols = s.w + 2 * mx
    height = int(330 * u * tall)
    top = (base - height) // 2 * 2
    img = Image.new("RGBA", (cols, base + s.rise + 4 - top), ink((0.1, 0.1, 0.12), 0))
    glow = Image.new("RGB", img.size)
    d, g = ImageDraw.Draw(img), ImageDraw.Draw(glow)
    neon, night = "neon" in s.plan.looks, s.pal.night
    bricks: list[Rgb] = [
        (0.62, 0.4, 0.32),
        (0.7, 0.62, 0.5),
        (0.5, 0.52, 0.58),
        (0.74, 0.68, 0.62),
        (0.45, 0.36, 0.34),
        (0.6, 0.66, 0.66),
    ]
    signs: list[tuple[int, int]] = []
    x, low = -int(rng.uniform(0, 120)), base - top
    while x < cols:
        wide = int(rng.uniform(150, 270) * u)
        h = int(height * rng.uniform(0.5, 0.98))
        tone = bricks[int(rng.integers(len(bricks)))]
        face = s.lit(tone, 0.5, 0.04)
        y = low - h
        d.rectangle((x, y, x + wide, img.height), fill=ink(face))
        d.rectangle((x, y, x + wide, y + 9 * u), fill=ink(s.lit(tone, 0.9, 0.04)))
        d.rectangle((x + wide - 8 * u, y, x + wide, low), fill=ink(s.lit(tone, 0.1, 0.04)))
        shop = int(86 * u)
        cell = (int(34 * u), int(52 * u))
        warm: list[Rgb] = [(1.0, 0.84, 0.55), (1.0, 0.74, 0.42), (0.85, 0.9, 1.0)]
        if neon:
            warm += [(1.0, 0.5, 0.85), (0.5, 0.85, 1.0)]
        glass = blend(s.lit((0.3, 0.38, 0.5), 0.4), s.pal.sky[1][1], 0.3 if night < 0.4 else 0.05)
        windows(
            d,
            rng,
            (x + int(6 * u), y + int(14 * u), x + wide - int(6 * u), low - shop),
            cell,
            warm,
            glass,
            0.5 if night > 0.3 else 0.05,
        )
        light = (1.0, 0.83, 0.55) if not neon else NEON[int(rng.integers(len(NEON)))]
        inside = blend(light, face, 0.25 if night > 0.3 else 0.7)
        y0, y1 = int(low - shop + 22 * u), int(low - 8 * u)
        for yy in range(y0, y1):
            f = (yy - y0) / (y1 - y0)
            d.line(
                (x + 14 * u, yy, x + wide - 18 * u, yy),
                fill=ink(blend(inside, (inside[0] * 0.35, inside[1] * 0.3, inside[2] * 0.4), f * 0.95)),
            )
        for _ in range(int(wide / (9 * u))):
            gx, gw, gh = x + rng.uniform(18 * u, wide - 30 * u), rng.uniform(4, 15) * u, rng.uniform(8, 34) * u
            thing = blend(
                (inside[0] * 0.25, inside[1] * 0.22, inside[2] * 0.28), NEON[int(rng.integers(len(NEON)))], 0.18
            )
            d.rectangle((gx, y1 - gh, gx + gw, y1), fill=ink(thing))
        for k in range(1, 4):
            px = x + 14 * u + (wide - 32 * u) * k / 4
            d.line((px, low - shop + 22 * u, px, low - 8 * u), fill=ink(s.lit(tone, 0.1)), width=max(1, int(3 * u)))
        awning = (
            NEON[int(rng.integers(len(NEON)))]
            if neon
            else [(0.75, 0.25, 0.22), (0.2, 0.42, 0.34), (0.2, 0.3, 0.5), (0.85, 0.7, 0.35)][int(rng.integers(4))]
        )
        if rng.random() < 0.6:
            for k in range(8):
                a, b = x + 8 * u + (wide - 20 * u) * k / 8, x + 8 * u + (wide - 20 * u) * (k + 1) / 8
                c = (
                    s.lit(awning if k % 2 else (0.93, 0.92, 0.88), 0.5)
                    if not neon
                    else blend(s.lit(awning, 0.4), awning, 0.25)
                )
                d.polygon(
                    [
                        (a, low - shop + 4 * u),
                        (b, low - shop + 4 * u),
                        (b - 3 * u, low - shop + 26 * u),
                        (a - 3 * u, low - shop + 26 * u),
                    ],
                    fill=ink(c),
                )
        if night > 0.3:
            g.rectangle((x + 14 * u, low - shop + 22 * u, x + wide - 18 * u, low), fill=ink(light)[:3])
        if (neon or night > 0.5) and rng.random() < (0.95 if neon else 0.35):
            c = NEON[int(rng.integers(len(NEON)))]
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
                    yy = sy + 10 * u + k * 20 * u
                    pen.line(
                        (sx + 7 * u, yy, sx + sw - 7 * u, yy + 8 * u * ((k * 7) % 3 - 1)),
                        fill=ink(blend(c, (1, 1, 1), 0.35))[:3],
                        width=max(2, int(width * u * 0.8)),
                    )
                    pen.line(
                        (sx + sw / 2, yy - 5 * u, sx + sw / 2 + 5 * u * ((k * 5) % 3 - 1), yy + 7 * u),
                        fill=ink(c)[:3],
                        width=max(2, int(width * u * 0.8)),
                    )
            signs.append((int(sx + sw / 2) - mx, int(sy + sh / 2) + top))
            if neon and rng.random() < 0.7:
                c2 = NEON[int(rng.integers(len(NEON)))]
                g.line((x, y + 8 * u, x + wide, y + 8 * u), fill=ink(c2)[:3], width=int(5 * u))
                d.line((x, y + 8 * u, x + wide, y + 8 * u), fill=ink(c2)[:3], width=int(3 * u))
        x += wide
    if night > 0.3:
        bleed = np.asarray(glow.filter(ImageFilter.GaussianBlur(13 * u)), np.float32) / np.float32(255)
        base_rgb = np.asarray(img.convert("RGB"), np.float32) / np.float32(255)
        data = np.clip(base_rgb + bleed * np.float32(0.75), 0, 1)
        img = Image.fromarray(np.dstack([(data * 255).astype(np.uint8), np.asarray(img.getchannel("A"))]))
    _put(stage, img, top, depth)
    if neon:
        stage.items.append(Lamps(signs, (1.0, 0.4, 0.85), int(64 * u), depth, 0.4))


def _road(stage: Stage, hz: int, wet: bool) -> None:
    s = stage.setup
    depth, mx, u = 0.9, s.margin(0.9), s.u
    cols = s.w + 2 * mx
    rows = s.h + s.rise - hz
    rng = s.rng("road")
    img = Image.new("RGBA", (cols, rows), ink((0.1, 0.1, 0.1), 0))
    d = ImageDraw.Draw(img)
    asphalt, kerb = s.lit((0.3, 0.3, 0.33), 0.4), s.lit((0.55, 0.54, 0.52), 0.5)
    alpha = 70 if wet else 255
    d.rectangle((0, 0, cols, rows), fill=ink(asphalt, alpha))
    d.rectangle((0, 0, cols, int(16 * u)), fill=ink(kerb, 110 if wet else 255))
    d.rectangle((0, int(16 * u), cols, int(21 * u)), fill=ink(blend(kerb, asphalt, 0.7), 160 if wet else 255))
    y = int(rows * 0.42)
    for x in range(0, cols, int(170 * u)):
        d.polygon(
            [(x, y), (x + 84 * u, y), (x + 78 * u, y + 7 * u), (x - 8 * u, y + 7 * u)],
            fill=ink(s.lit((0.85, 0.83, 0.75), 0.5), 150 if wet else 235),
        )
    for _ in range(cols * 2 if not wet else 0):
        x, yy = rng.uniform(0, cols), rng.uniform(22 * u, rows)
        d.point((x, yy), fill=ink(blend(asphalt, (0.6, 0.6, 0.6), rng.random() * 0.4)))
    _put(stage, img, hz, depth, 2)


def room(stage: Stage) -> None:
    from .interior import fill_room

    fill_room(stage)
