"""A room: a window with the weather outside, light on the wall, furniture, a lamp, plants, steam.

Called by scene.build with an empty stage. The outside is a stage of its own kind: sky and hills behind the wall.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import Frame, Layer, Rgb, blend
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.plants import ink
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.terrain import Slab, earth
from veo_mcp.sandbox.render.scenery.weather import Scroll, flake_tile, glow_sprite, rain_tile


def room(stage: Stage) -> None:
    s = stage.setup
    u = s.u
    stage.add_sky()
    ground, rock = earth("rock", s.plan.looks)
    stage.add_slab("outside", Slab(s.horizon + 10 * u, 130 * u, 60 * u, 420 * u, ground, rock, 0.12, 0.5))
    rng = s.rng("outside-weather")
    if s.plan.weather in {"rain", "storm"}:
        stage.items.append(Scroll(rain_tile(rng, s.w, s.h, 260, 24, 0.08, 150, 1), 60, 800, par=0.2))
    elif s.plan.weather == "snow":
        stage.items.append(Scroll(flake_tile(rng, s.w, s.h, 300, (1, 2.6), 215, 0.8), 18, 70, 10, 0.2))
    depth, mx = 0.55, s.margin(0.55)
    cols, rows = s.w + 2 * mx, s.h + 2 * s.rise
    img = Image.new("RGBA", (cols, rows), ink((0.2, 0.2, 0.2)))
    wall: Rgb = [(0.68, 0.6, 0.5), (0.5, 0.58, 0.6), (0.66, 0.5, 0.44), (0.52, 0.56, 0.48)][
        int(s.rng("wall").integers(4))
    ]
    indoor = (0.42, 0.36, 0.33) if s.pal.night > 0.4 or s.plan.weather in {"rain", "storm"} else (0.62, 0.58, 0.56)
    near = (wall[0] * indoor[0], wall[1] * indoor[1], wall[2] * indoor[2])
    d = ImageDraw.Draw(img)
    d.rectangle((0, 0, cols, rows), fill=ink(near))
    # the window
    ww, wh = s.w * (0.44 if s.w > s.h else 0.72), s.h * (0.56 if s.w > s.h else 0.42)
    wx, wy = mx + s.w * (0.5 if s.w > s.h else 0.14), s.rise + s.h * 0.08
    data = _light(
        stage, np.asarray(img.convert("RGB"), np.float32) / np.float32(255), (wx + ww / 2, wy + wh / 2), rows, cols
    )
    img = Image.fromarray((np.clip(data, 0, 1) * 255).astype(np.uint8)).convert("RGBA")
    d = ImageDraw.Draw(img)
    wood = (0.3, 0.2, 0.14)
    frame_c, frame_l = s.lit(blend(wood, (0.9, 0.88, 0.84), 0.75), 0.25), s.lit((0.95, 0.93, 0.9), 0.6)
    t = 14 * u
    d.rectangle((wx - t, wy - t, wx + ww + t, wy + wh + t), fill=ink(frame_c))
    for i in range(3):
        for j in range(2):
            a, b = wx + ww * i / 3 + 4 * u, wy + wh * j / 2 + 4 * u
            d.rectangle((a, b, a + ww / 3 - 8 * u, b + wh / 2 - 8 * u), fill=(0, 0, 0, 0))
            d.line((a, b + wh / 2 - 8 * u, a + ww / 3 - 8 * u, b + wh / 2 - 8 * u), fill=ink(frame_l), width=int(3 * u))
    d.rectangle((wx - 2.2 * t, wy + wh + t, wx + ww + 2.2 * t, wy + wh + 1.9 * t), fill=ink(frame_l))
    _curtains(stage, d, wx, wy, ww, wh, t)
    _shelf(stage, d, mx + s.w * (0.05 if s.w > s.h else 0.08), s.rise + s.h * (0.22 if s.w > s.h else 0.58))
    data2 = np.asarray(img, np.float32) / np.float32(255)
    stage.items.append(Layer(data2[..., :3], data2[..., 3], top=-s.rise, left=-mx, depth=depth, axis=s.camera.axis))
    stage.slot = len(stage.items)
    _table(stage)
    stage.ground = s.h * 0.9
    stage.actor = 2.2


def _light(stage: Stage, rgb, window, rows: int, cols: int):  # type: ignore[no-untyped-def]
    s = stage.setup
    yy, xx = np.mgrid[0:rows, 0:cols].astype(np.float32)
    far = np.hypot((xx - window[0]) / s.w, (yy - window[1]) / s.h)
    day = np.exp(-far * 2.2)[..., None] * np.array(s.pal.light, np.float32) * np.float32(0.30)
    plaster = (fbm(s.rng("plaster"), rows, cols, 60, 60, 4) - np.float32(0.5))[..., None] * np.float32(0.05)
    lamp_at = (s.margin(0.55) + s.w * 0.2, s.rise + s.h * 0.66)
    lamp = np.exp(-(np.hypot((xx - lamp_at[0]) / s.h, (yy - lamp_at[1]) / s.h) ** 2) / 0.1)[..., None]
    warm = lamp * np.array([0.5, 0.34, 0.16], np.float32) * np.float32(0.5 + 0.5 * s.pal.night)
    floor = np.clip((yy - rows * 0.9) / (rows * 0.1), 0, 1)[..., None]
    return (rgb + rgb * day * np.float32(1.6) + plaster + warm) * (1 - 0.4 * floor)


def _curtains(stage: Stage, d: ImageDraw.ImageDraw, wx: float, wy: float, ww: float, wh: float, t: float) -> None:
    s = stage.setup
    rng = s.rng("curtain")
    cloth: Rgb = [(0.7, 0.32, 0.28), (0.82, 0.76, 0.66), (0.3, 0.44, 0.46), (0.72, 0.56, 0.3)][int(rng.integers(4))]
    d.rectangle((wx - 4 * t, wy - 2.4 * t, wx + ww + 4 * t, wy - 2 * t), fill=ink(s.lit((0.3, 0.22, 0.16), 0.3)))
    for side in (-1, 1):
        x0 = wx - 3.4 * t if side < 0 else wx + ww - ww * 0.08
        wide = ww * 0.08 + 3.4 * t
        for k in range(9):
            a, b = x0 + wide * k / 9, x0 + wide * (k + 1) / 9
            c = s.lit(cloth, 0.25 + 0.5 * (0.5 + 0.5 * np.sin(k * 2.4)))
            c = (c[0] * 0.8, c[1] * 0.8, c[2] * 0.8)
            d.polygon(
                [
                    (a, wy - 2 * t),
                    (b, wy - 2 * t),
                    (b + side * 0.3 * t, wy + wh + 4 * t),
                    (a + side * 0.3 * t, wy + wh + 4 * t),
                ],
                fill=ink(c),
            )


def _shelf(stage: Stage, d: ImageDraw.ImageDraw, x: float, y: float) -> None:
    s = stage.setup
    rng, u = s.rng("shelf"), s.u
    wood: Rgb = (0.22, 0.15, 0.1)
    spines: list[Rgb] = [
        (0.5, 0.2, 0.17),
        (0.2, 0.3, 0.42),
        (0.55, 0.45, 0.25),
        (0.24, 0.36, 0.26),
        (0.5, 0.48, 0.44),
        (0.3, 0.22, 0.34),
    ]
    for row in range(2):
        yy = y + row * 118 * u
        d.rectangle((x, yy, x + 330 * u, yy + 9 * u), fill=ink(wood))
        bx = x + 8 * u
        while bx < x + 300 * u:
            w, h = rng.uniform(10, 24) * u, rng.uniform(58, 92) * u
            c = spines[int(rng.integers(len(spines)))]
            if rng.random() < 0.12:
                bx += 26 * u
                continue
            d.rectangle((bx, yy - h, bx + w, yy), fill=ink(blend(c, (0.1, 0.08, 0.07), rng.random() * 0.35)))
            d.line(
                (bx + 2, yy - h * 0.8, bx + w - 2, yy - h * 0.8),
                fill=ink(blend(c, (0.9, 0.8, 0.6), 0.4)),
                width=max(1, int(2 * u)),
            )
            bx += w + 1.5 * u


def _table(stage: Stage) -> None:
    s = stage.setup
    u, depth = s.u, 0.95
    mx = s.margin(depth)
    cols, top = s.w + 2 * mx, int(s.h * 0.46) // 2 * 2
    img = Image.new("RGBA", (cols * 2, (s.h + s.rise - top) * 2), ink((0.1, 0.08, 0.06), 0))
    d = ImageDraw.Draw(img)
    edge = (s.h * 0.80 - top) * 2
    k = 2 * u
    wood, lit = (0.24, 0.15, 0.1), (0.42, 0.28, 0.18)
    d.rectangle((0, edge, cols * 2, img.height), fill=ink(wood))
    d.rectangle((0, edge, cols * 2, edge + 8 * k), fill=ink(lit))
    rng = s.rng("table")
    for _ in range(60):
        y = rng.uniform(edge + 12 * k, img.height)
        x = rng.uniform(-200, cols * 2)
        d.line(
            (x, y, x + rng.uniform(100, 700), y + rng.normal(0, 3)),
            fill=ink(blend(wood, lit, rng.random() * 0.5)),
            width=2,
        )
    lx = (mx + s.w * 0.2) * 2
    d.polygon(
        [
            (lx - 52 * k, edge - 92 * k),
            (lx + 52 * k, edge - 92 * k),
            (lx + 30 * k, edge - 158 * k),
            (lx - 30 * k, edge - 158 * k),
        ],
        fill=ink((1.0, 0.82, 0.52)),
    )
    d.rectangle((lx - 4 * k, edge - 92 * k, lx + 4 * k, edge), fill=ink((0.3, 0.24, 0.18)))
    d.ellipse((lx - 32 * k, edge - 8 * k, lx + 32 * k, edge + 8 * k), fill=ink((0.3, 0.24, 0.18)))
    cx = (mx + s.w * 0.42) * 2
    cup: Rgb = (0.82, 0.78, 0.72)
    d.ellipse((cx + 12 * k, edge - 38 * k, cx + 40 * k, edge - 10 * k), outline=ink((0.6, 0.56, 0.5)), width=int(5 * k))
    d.rounded_rectangle(
        (cx - 26 * k, edge - 50 * k, cx + 26 * k, edge + 4 * k),
        9 * k,
        fill=ink((cup[0] * 0.8, cup[1] * 0.8, cup[2] * 0.8)),
    )
    d.rounded_rectangle((cx - 26 * k, edge - 50 * k, cx - 6 * k, edge + 4 * k), 9 * k, fill=ink(cup))
    d.ellipse(
        (cx - 26 * k, edge - 56 * k, cx + 26 * k, edge - 44 * k),
        fill=ink((0.3, 0.18, 0.1)),
        outline=ink(cup),
        width=int(2 * k),
    )
    px = (mx + s.w * 0.86) * 2
    green, light = s.lit((0.16, 0.32, 0.16), 0.3), s.lit((0.36, 0.56, 0.26), 0.7)
    for a in np.linspace(-2.8, -0.35, 15):
        n = rng.uniform(90, 150) * k
        tip = (px + np.cos(a) * n, edge - 62 * k + np.sin(a) * n)
        mid = (px + np.cos(a) * n * 0.55, edge - 62 * k + np.sin(a) * n * 0.72)
        q = 11 * k
        d.polygon(
            [(px, edge - 62 * k), (mid[0] - q, mid[1]), tip, (mid[0] + q, mid[1] + q * 0.6)],
            fill=ink(blend(green, light, rng.random())),
        )
    d.polygon(
        [
            (px - 42 * k, edge - 66 * k),
            (px + 42 * k, edge - 66 * k),
            (px + 30 * k, edge + 4 * k),
            (px - 30 * k, edge + 4 * k),
        ],
        fill=ink((0.62, 0.34, 0.22)),
    )
    d.polygon(
        [
            (px + 8 * k, edge - 66 * k),
            (px + 42 * k, edge - 66 * k),
            (px + 30 * k, edge + 4 * k),
            (px + 8 * k, edge + 4 * k),
        ],
        fill=ink((0.46, 0.24, 0.16)),
    )
    small = img.resize((cols, s.h + s.rise - top), Image.Resampling.BOX)
    data = np.asarray(small, np.float32) / np.float32(255)
    stage.items.append(Layer(data[..., :3], data[..., 3], top=top, left=-mx, depth=depth, axis=s.camera.axis, phases=2))
    stage.items.append(RoomGlow(stage, s.w * 0.2, top + (edge / 2 - 124 * u), s.w * 0.42, s.h * 0.8 - 52 * u, depth))


class RoomGlow:
    """The lamp's flicker and the steam over the cup."""

    def __init__(self, stage: Stage, lx: float, ly: float, cx: float, cy: float, depth: float) -> None:
        s = stage.setup
        self.lamp = glow_sprite((1.0, 0.74, 0.4), int(150 * s.u), 0.0)
        self.at, self.cup, self.depth = (lx, ly), (cx, cy), depth
        n, w, h = 24, int(56 * s.u), int(130 * s.u)
        field = fbm(s.rng("steam"), h * 3, w, 34, 20, 3)
        self.puffs = []
        from veo_mcp.sandbox.render.canvas.frame import Sprite

        y, x = np.linspace(0, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None, :]
        shape = np.exp(-((x / (0.22 + 0.5 * (1 - y))) ** 2)) * y**0.6 * (1 - y) ** 0.3 * 1.6
        white = np.ones((h, w, 3), np.float32)
        for k in range(n):
            part = field[int(h * 2 * k / n) : int(h * 2 * k / n) + h]
            self.puffs.append(Sprite(white, (smooth(part, 0.42, 0.85) * shape * 0.42).astype(np.float32), phases=1))

    def draw(self, frame: Frame, t: float, view: View) -> None:
        dx, dy = view.x * (self.depth + view.pivot), view.tilt + view.y * self.depth
        flicker = 0.62 + 0.05 * float(np.sin(t * 7.3) + np.sin(t * 11.9))
        self.lamp.draw(frame, self.at[0] - dx - self.lamp.w / 2, self.at[1] + dy - self.lamp.h / 2, fade=flicker)
        n = len(self.puffs)
        place = t * 5.0
        for k, part in ((int(place), 1 - place % 1), (int(place) + 1, place % 1)):
            # the pictures go back and forth through the field, so that steam never jumps
            i = k % (2 * n - 2)
            puff = self.puffs[i if i < n else 2 * n - 2 - i]
            puff.draw(frame, self.cup[0] - dx - puff.w / 2, self.cup[1] + dy - puff.h, fade=float(part))
