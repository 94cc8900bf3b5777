"""Built places: the city, and what streets borrow from it.

Called by scene.build with an empty stage. Walls and windows are drawn once with Pillow; wet ground is water.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import Layer, Rgb, blend
from veo_mcp.sandbox.render.scenery.plants import ink
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.water import Water
from veo_mcp.sandbox.render.scenery.weather import glow_sprite

NEON: list[Rgb] = [
    (1.0, 0.25, 0.7),
    (0.2, 0.9, 1.0),
    (1.0, 0.75, 0.2),
    (0.6, 0.35, 1.0),
    (0.3, 1.0, 0.6),
    (1.0, 0.35, 0.3),
]


def put(stage: Stage, img: Image.Image, top: int, depth: float, phases: int = 4) -> None:
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
    if s.plan.light in {"sunset", "dawn"} and not neon:
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
    put(stage, img, top, depth)


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
    put(stage, img, top, depth, 2)
    if s.pal.night > 0.2 or s.plan.light in {"sunset", "dawn"} or s.plan.weather in {"rain", "storm", "fog"}:
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
