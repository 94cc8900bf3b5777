"""A room: a window with the weather outside, light on the wall, a shelf, a table with a lamp and a plant.

Called by scene.build with an empty stage. The outside is sky and hills behind the wall.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Rgb, Sprite, blend, scale, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.scenery.stage import Setup, Sheet, Stage
from veo_mcp.sandbox.render.scenery.terrain import Slab, earth
from veo_mcp.sandbox.render.scenery.town import pick
from veo_mcp.sandbox.render.scenery.weather import Scroll, flake_tile, glow_sprite, rain_tile

WALLS: list[Rgb] = [(0.68, 0.6, 0.5), (0.5, 0.58, 0.6), (0.66, 0.5, 0.44), (0.52, 0.56, 0.48)]
CLOTHS: list[Rgb] = [(0.7, 0.32, 0.28), (0.82, 0.76, 0.66), (0.3, 0.44, 0.46), (0.72, 0.56, 0.3)]
SPINES: list[Rgb] = [
    (0.5, 0.2, 0.17),
    (0.2, 0.3, 0.42),
    (0.55, 0.45, 0.25),
    (0.24, 0.36, 0.26),
    (0.5, 0.48, 0.44),
    (0.3, 0.22, 0.34),
]
WOOD, WOOD_LIT = (0.24, 0.15, 0.1), (0.42, 0.28, 0.18)
CHINA: Rgb = (0.82, 0.78, 0.72)
WALL_DEPTH, TABLE_DEPTH = 0.55, 0.95
TABLE_ROW = 0.80  # of the frame's height: the table's edge
LAMP_AT, CUP_AT, PLANT_AT = 0.2, 0.42, 0.86  # of the frame's width
PUFFS, PUFF_RATE = 24, 5.0  # pictures of steam, and how many of them pass in a second


def room(stage: Stage) -> None:
    s, u, wide = stage.setup, stage.setup.u, stage.setup.w > stage.setup.h
    stage.add_sky()
    ground, rock = earth("rock", s.plan.looks)
    stage.add_slab("outside", Slab(s.horizon + 10 * u, 130 * u, 60 * u, 420 * u, ground, rock, 0.12, 0.5))
    rng = s.rng("outside-weather")
    if s.wet:
        stage.items.append(Scroll(rain_tile(rng, s.w, s.h, 260, 24, 0.08, 150, 1), 60, 800, par=0.2))
    elif s.plan.weather == "snow":
        stage.items.append(Scroll(flake_tile(rng, s.w, s.h, 300, (1, 2.6), 215, 0.8), 18, 70, 10, 0.2))
    sheet = Sheet(s, WALL_DEPTH, -s.rise)
    ww, wh = s.w * (0.44 if wide else 0.72), s.h * (0.56 if wide else 0.42)
    wx, wy = sheet.margin + s.w * (0.5 if wide else 0.14), s.rise + s.h * 0.08
    indoor = 0.4 if s.pal.night > 0.4 or s.wet else 0.6
    wall = scale(pick(s.rng("wall"), WALLS), indoor)
    data = _light_on(stage, wall, (wx + ww / 2, wy + wh / 2), sheet)
    sheet.img = Image.fromarray((np.clip(data, 0, 1) * 255).astype(np.uint8)).convert("RGBA")
    sheet.d = d = ImageDraw.Draw(sheet.img)
    t = 14 * u
    frame, sill = ink(s.lit((0.72, 0.68, 0.64), 0.25)), ink(s.lit((0.95, 0.93, 0.9), 0.6))
    d.rectangle((wx - t, wy - t, wx + ww + t, wy + wh + t), fill=frame)
    for i in range(3):
        for j in range(2):
            a, b = wx + ww * i / 3 + 4 * u, wy + wh * j / 2 + 4 * u
            d.rectangle((a, b, a + ww / 3 - 8 * u, b + wh / 2 - 8 * u), fill=(0, 0, 0, 0))
    d.rectangle((wx - 2.2 * t, wy + wh + t, wx + ww + 2.2 * t, wy + wh + 1.9 * t), fill=sill)
    _curtains(s, d, (wx, wy, ww, wh), t)
    _shelf(s, d, sheet.margin + s.w * (0.05 if wide else 0.08), s.rise + s.h * (0.22 if wide else 0.58))
    stage.put(sheet)
    stage.slot = len(stage.items)
    _table(stage)
    stage.ground = s.h * 0.9


def _light_on(stage: Stage, wall: Rgb, window: tuple[float, float], sheet: Sheet) -> F32:
    """The wall as daylight from the window and the lamp light it."""
    s, rows, cols = stage.setup, sheet.rows, sheet.cols
    yy, xx = np.mgrid[0:rows, 0:cols].astype(np.float32)
    day = (
        np.exp(-np.hypot((xx - window[0]) / s.w, (yy - window[1]) / s.h) * 2.2)[..., None]
        * vec(s.pal.light)
        * np.float32(0.5)
    )
    plaster = (fbm(s.rng("plaster"), rows, cols, 60, 60, 4) - np.float32(0.5))[..., None] * np.float32(0.05)
    lamp_x, lamp_y = sheet.margin + s.w * LAMP_AT, s.rise + s.h * 0.66
    lamp = np.exp(-(((xx - lamp_x) / s.h) ** 2 + ((yy - lamp_y) / s.h) ** 2) / 0.1)[..., None]
    warm = lamp * vec((0.5, 0.34, 0.16)) * np.float32(0.5 + 0.5 * s.pal.night)
    return (vec(wall) * (1 + day) + plaster + warm).astype(np.float32)


def _curtains(s: Setup, d: ImageDraw.ImageDraw, window: tuple[float, float, float, float], t: float) -> None:
    (wx, wy, ww, wh), cloth = window, pick(s.rng("curtain"), CLOTHS)
    d.rectangle((wx - 4 * t, wy - 2.4 * t, wx + ww + 4 * t, wy - 2 * t), fill=ink(s.lit((0.3, 0.22, 0.16), 0.3)))
    top, low, wide = wy - 2 * t, wy + wh + 4 * t, ww * 0.08 + 3.4 * t
    for side in (-1, 1):
        x0 = wx - 3.4 * t if side < 0 else wx + ww - ww * 0.08
        for k in range(9):
            a, b = x0 + wide * k / 9, x0 + wide * (k + 1) / 9
            fold = scale(s.lit(cloth, 0.25 + 0.5 * (0.5 + 0.5 * float(np.sin(k * 2.4)))), 0.8)
            d.polygon([(a, top), (b, top), (b + side * 0.3 * t, low), (a + side * 0.3 * t, low)], fill=ink(fold))


def _shelf(s: Setup, d: ImageDraw.ImageDraw, x: float, y: float) -> None:
    rng, u = s.rng("shelf"), s.u
    for row in range(2):
        yy, bx = y + row * 118 * u, x + 8 * u
        d.rectangle((x, yy, x + 330 * u, yy + 9 * u), fill=ink((0.22, 0.15, 0.1)))
        while bx < x + 300 * u:
            w, h = rng.uniform(10, 24) * u, rng.uniform(58, 92) * u
            if rng.random() < 0.12:
                bx += 26 * u
                continue
            c = pick(rng, SPINES)
            d.rectangle((bx, yy - h, bx + w, yy), fill=ink(blend(c, (0.1, 0.08, 0.07), rng.random() * 0.35)))
            gold = ink(blend(c, (0.9, 0.8, 0.6), 0.4))
            d.line((bx + 2, yy - h * 0.8, bx + w - 2, yy - h * 0.8), fill=gold, width=max(1, int(2 * u)))
            bx += w + 1.5 * u


def _table(stage: Stage) -> None:
    s, u = stage.setup, stage.setup.u
    sheet, rng = Sheet(s, TABLE_DEPTH, s.h * 0.46, scale=2, fill=(0.1, 0.08, 0.06)), s.rng("table")
    d, k, cols = sheet.d, 2 * u, sheet.img.width
    edge = (s.h * TABLE_ROW - sheet.top) * 2
    d.rectangle((0, edge, cols, sheet.img.height), fill=ink(WOOD))
    d.rectangle((0, edge, cols, edge + 8 * k), fill=ink(WOOD_LIT))
    for _ in range(60):
        x, y = rng.uniform(-200, cols), rng.uniform(edge + 12 * k, sheet.img.height)
        d.line(
            (x, y, x + rng.uniform(100, 700), y + rng.normal(0, 3)),
            fill=ink(blend(WOOD, WOOD_LIT, rng.random() * 0.5)),
            width=2,
        )
    lx, metal = (sheet.margin + s.w * LAMP_AT) * 2, ink((0.3, 0.24, 0.18))
    shade = [
        (lx - 52 * k, edge - 92 * k),
        (lx + 52 * k, edge - 92 * k),
        (lx + 30 * k, edge - 158 * k),
        (lx - 30 * k, edge - 158 * k),
    ]
    d.polygon(shade, fill=ink((1.0, 0.82, 0.52)))
    d.rectangle((lx - 4 * k, edge - 92 * k, lx + 4 * k, edge), fill=metal)
    d.ellipse((lx - 32 * k, edge - 8 * k, lx + 32 * k, edge + 8 * k), fill=metal)
    px, green, light = (
        (sheet.margin + s.w * PLANT_AT) * 2,
        s.lit((0.16, 0.32, 0.16), 0.3),
        s.lit((0.36, 0.56, 0.26), 0.7),
    )
    for a in np.linspace(-2.8, -0.35, 15):
        n, q, root = rng.uniform(90, 150) * k, 11 * k, (px, edge - 62 * k)
        tip, mid = (
            (px + np.cos(a) * n, root[1] + np.sin(a) * n),
            (px + np.cos(a) * n * 0.55, root[1] + np.sin(a) * n * 0.72),
        )
        d.polygon(
            [root, (mid[0] - q, mid[1]), tip, (mid[0] + q, mid[1] + q * 0.6)],
            fill=ink(blend(green, light, rng.random())),
        )
    for left, tone in ((-42, (0.62, 0.34, 0.22)), (8, (0.46, 0.24, 0.16))):
        foot = left * 30 / 42 if left < 0 else left
        pot = [
            (px + left * k, edge - 66 * k),
            (px + 42 * k, edge - 66 * k),
            (px + 30 * k, edge + 4 * k),
            (px + foot * k, edge + 4 * k),
        ]
        d.polygon(pot, fill=ink(tone))
    cup = "cup" in s.plan.subjects
    if cup:
        _cup(d, (sheet.margin + s.w * CUP_AT) * 2, edge, k * (2.2 if s.plan.framing == "close" else 1.4))
    stage.put(sheet, 2)
    lamp = (s.w * LAMP_AT, sheet.top + edge / 2 - 124 * u)
    stage.items.append(RoomGlow(s, lamp, (s.w * CUP_AT, s.h * TABLE_ROW - 66 * u) if cup else None))


def _cup(d: ImageDraw.ImageDraw, x: float, edge: float, k: float) -> None:
    d.ellipse((x - 44 * k, edge - 4 * k, x + 44 * k, edge + 9 * k), fill=ink(scale(CHINA, 0.7)))
    d.ellipse((x + 12 * k, edge - 38 * k, x + 40 * k, edge - 10 * k), outline=ink(scale(CHINA, 0.75)), width=int(5 * k))
    body = [
        (x - 26 * k, edge - 50 * k),
        (x + 26 * k, edge - 50 * k),
        (x + 20 * k, edge - 6 * k),
        (x + 12 * k, edge + 4 * k),
        (x - 12 * k, edge + 4 * k),
        (x - 20 * k, edge - 6 * k),
    ]
    d.polygon(body, fill=ink(CHINA))
    d.polygon([(x + 8 * k, edge - 50 * k), *body[1:4], (x + 6 * k, edge + 4 * k)], fill=ink(scale(CHINA, 0.82)))
    d.ellipse(
        (x - 26 * k, edge - 56 * k, x + 26 * k, edge - 44 * k),
        fill=ink((0.3, 0.18, 0.1)),
        outline=ink(CHINA),
        width=int(2 * k),
    )


class RoomGlow:
    """The lamp's flicker, and the steam over a cup."""

    def __init__(self, s: Setup, lamp: tuple[float, float], cup: tuple[float, float] | None) -> None:
        self.lamp, self.at, self.cup = glow_sprite((1.0, 0.74, 0.4), int(150 * s.u), 0.0), lamp, cup
        self.puffs: list[Sprite] = []
        if cup:
            w, h = int(70 * s.u), int(150 * s.u)
            field = fbm(s.rng("steam"), h * 3, w, 34, 20, 3)
            y, x = np.linspace(0, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None, :]
            shape = np.exp(-((x / (0.22 + 0.5 * (1 - y))) ** 2)) * y**0.6 * (1 - y) ** 0.3 * 1.6
            white = np.ones((h, w, 3), np.float32)
            starts = [int(h * 2 * k / PUFFS) for k in range(PUFFS)]
            self.puffs = [
                Sprite(white, (smooth(field[i : i + h], 0.42, 0.85) * shape * 0.42).astype(np.float32), phases=1)
                for i in starts
            ]

    def draw(self, frame: Frame, t: float, view: View) -> None:
        dx, dy = view.x * (TABLE_DEPTH + view.pivot), view.tilt + view.y * TABLE_DEPTH
        flicker = 0.62 + 0.025 * float(np.sin(t * 7.3) + np.sin(t * 11.9))
        self.lamp.draw(frame, self.at[0] - dx - self.lamp.w / 2, self.at[1] + dy - self.lamp.h / 2, fade=flicker)
        if self.cup:
            n, place = len(self.puffs), t * PUFF_RATE
            for k, part in ((int(place), 1 - place % 1), (int(place) + 1, place % 1)):
                # the pictures go back and forth through the field, so that steam never jumps
                i = k % (2 * n - 2)
                puff = self.puffs[i if i < n else 2 * n - 2 - i]
                puff.draw(frame, self.cup[0] - dx - puff.w / 2, self.cup[1] + dy - puff.h, fade=float(part))
