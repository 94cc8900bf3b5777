"""A street: shop fronts, the skyline behind them, lamps and signs, a road that mirrors when it is wet.

Called by scene.build with an empty stage. Shares its towers and lamps with town.py.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend
from veo_mcp.sandbox.render.scenery.plants import ink
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.town import NEON, Lamps, put, towers, windows
from veo_mcp.sandbox.render.scenery.water import Water


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
    put(stage, img, top, depth)
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
    put(stage, img, hz, depth, 2)
