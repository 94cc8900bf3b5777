"""Open country and open water: sea, beach, lake, river, mountain, forest, desert, park, meadow; and plain ground.

Called by scene.build with an empty stage, which it fills from back to front. Draws through sky, terrain, water, plants.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, stops
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.scenery.plants import broadleaves, firs, grass
from veo_mcp.sandbox.render.scenery.stage import Sheet, Stage
from veo_mcp.sandbox.render.scenery.terrain import EARTH, Slab, earth
from veo_mcp.sandbox.render.scenery.water import Surf, Water

SAND = (0.86, 0.76, 0.6)  # of a beach: paler than a desert's
CALM, FLOWING, OPEN_SEA = 0.22, 0.5, 0.8  # roughness of a lake, a river, the sea


def water(stage: Stage, rough: float) -> None:
    """Everything below the horizon is water."""
    s = stage.setup
    rough = {"storm": 2.0, "rain": max(rough, 1.0), "fog": rough * 0.5}.get(s.plan.weather, rough)
    if "calm" in s.plan.looks:
        rough *= 0.55
    stage.items.append(
        Water(s.rng("water"), s.pal, s.w, s.h, s.horizon, sun_x=stage.sun[0], rough=rough, bottom=s.h + s.rise,
              reach=s.camera.reach()[0], vertical=s.camera.axis == 0, fine=s.fine)
    )  # fmt: skip
    stage.afloat = s.horizon + (s.h - s.horizon) * 0.27


def sea(stage: Stage) -> None:
    stage.add_sky()
    if stage.setup.plan.weather == "fog":
        stage.add_mist("bank", stage.setup.horizon - 10 * stage.setup.u, 150 * stage.setup.u, 0.85, 0.12)
    water(stage, OPEN_SEA)


def beach(stage: Stage) -> None:
    s = stage.setup
    sea(stage)
    row, depth = s.h * 0.80, 0.9
    # wet where the water runs, dry and rippled nearer
    wet = Slab(
        row,
        10 * s.u,
        60 * s.u,
        1400 * s.u,
        blend(SAND, s.pal.water, 0.45),
        SAND,
        depth,
        0.0,
        ridged=False,
        octaves=3,
        texture=0.03,
        mist=0.0,
    )
    dry = Slab(
        row + 34 * s.u,
        14 * s.u,
        150 * s.u,
        900 * s.u,
        SAND,
        SAND,
        depth,
        0.0,
        ridged=False,
        octaves=5,
        texture=0.16,
        mist=0.0,
    )
    stage.add_slab("wet", wet)
    stage.add_slab("sand", dry)
    stage.items.append(Surf(s.rng("surf"), s.w, row - 4 * s.u, depth, s.u, s.margin(depth)))
    stage.ground, stage.walk_depth = s.h * 0.93, depth


def _far_shore(stage: Stage, near: float) -> None:
    """Hills and woods beyond the water; `near` 0 is a wide lake, 1 a river's other bank."""
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    wood, low = earth("wood", s.plan.looks)
    edge = hz + s.rise + 4
    stage.add_slab("hills", Slab(hz + 4, 150 * u, 10, 520 * u, wood, low, 0.1, 0.6, ridged=False, valley=0.5), edge)
    stage.add_mist("shore", hz - 30 * u, 110 * u, 0.4, 0.12)
    firs(
        stage,
        "far-bank",
        hz - 1,
        (40 + 50 * near) * u,
        0.16,
        (10 + 16 * near) * u,
        haze=0.42 - 0.2 * near,
        spread=3 * u,
    )


def lake(stage: Stage) -> None:
    stage.add_sky(drift=3)
    _far_shore(stage, 0.0)
    water(stage, CALM)


def river(stage: Stage) -> None:
    s, u = stage.setup, stage.setup.u
    stage.add_sky(drift=3)
    _far_shore(stage, 1.0)
    water(stage, FLOWING)
    ground, _ = earth("grass", s.plan.looks)
    bank = Slab(
        s.h * 0.85, 26 * u, 160 * u, 900 * u, ground, ground, 0.9, 0.0, ridged=False, octaves=3, texture=0.2, mist=0.0
    )
    stage.add_slab("bank", bank)
    grass(stage)
    stage.ground, stage.walk_depth = s.h * 0.93, 0.9


def mountains(stage: Stage) -> None:
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    stage.add_sky()
    ground, rock = earth("rock", s.plan.looks)
    snow = 0.8 if s.winter else 0.42
    stage.add_slab("far", Slab(hz + 30 * u, 235 * u, 60 * u, 400 * u, ground, rock, 0.12, 0.60, snow=snow, valley=0.35))
    stage.add_slab(
        "mid", Slab(hz + 70 * u, 245 * u, 110 * u, 560 * u, ground, rock, 0.26, 0.30, snow=snow * 0.8, valley=0.6)
    )
    if s.fine and s.pal.time_is_low:
        stage.add_rays()
    stage.add_mist("vale", hz + 74 * u, 130 * u, 0.3 if s.plan.weather == "clear" else 0.55, 0.3)
    wood, low = earth("wood", s.plan.looks)
    stage.add_slab(
        "near", Slab(hz + 112 * u, 84 * u, 150 * u, 500 * u, wood, low, 0.42, 0.26, ridged=False, valley=0.4)
    )
    floor = (0.07, 0.13, 0.1)
    firs(stage, "wood4", hz + 118 * u, 36 * u, 0.46, 5 * u, haze=0.4, spread=12 * u, floor=floor)
    firs(stage, "wood3", hz + 150 * u, 54 * u, 0.52, 8 * u, haze=0.3, spread=18 * u, floor=floor)
    firs(stage, "wood2", hz + 205 * u, 84 * u, 0.64, 12 * u, haze=0.18, spread=26 * u, floor=floor)
    if stage.setup.plan.subjects:
        meadow, _ = earth("grass", s.plan.looks)
        lawn = Slab(
            s.h * 0.83,
            30 * u,
            150 * u,
            700 * u,
            meadow,
            meadow,
            0.88,
            0.04,
            ridged=False,
            octaves=3,
            texture=0.2,
            mist=0.1,
        )
        stage.add_slab("meadow", lawn)
        stage.ground, stage.walk_depth = s.h * 0.9, 0.88
    else:
        firs(stage, "edge", s.h * 0.99, 120 * u, 0.85, 22 * u, haze=0.05, spread=26 * u, floor=floor)


def forest(stage: Stage) -> None:
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    stage.add_sky(drift=3)
    wood, low = earth("wood", s.plan.looks)
    stage.add_slab("hill", Slab(hz + 20 * u, 190 * u, 80 * u, 700 * u, wood, low, 0.12, 0.62, ridged=False, valley=0.5))
    foggy = s.plan.weather == "fog"
    firs(stage, "row4", hz + 34 * u, 150 * u, 0.2, 24 * u, haze=0.56, spread=10 * u)
    stage.add_rays()
    firs(stage, "row3", hz + 84 * u, 215 * u, 0.34, 46 * u, haze=0.36, spread=14 * u, clear=0.12)
    stage.add_mist("mist1", hz + 70 * u, 190 * u, 0.62 if foggy else 0.34, 0.36, 8)
    firs(stage, "row2", hz + 150 * u, 330 * u, 0.55, 95 * u, haze=0.16, spread=16 * u, clear=0.3)
    if foggy or s.fine:
        stage.add_mist("mist2", hz + 130 * u, 170 * u, 0.42, 0.6, -10)
    _trunks(stage)
    stage.ground, stage.walk_depth = s.h * 0.965, 1.0


def _trunks(stage: Stage) -> None:
    """One or two great trunks close by, at the frame's sides, and grass at their feet."""
    s, u = stage.setup, stage.setup.u
    rng = s.rng("trunks")
    sheet = Sheet(s, 1.0, -s.rise, fill=(0.05, 0.05, 0.05))
    d, cols, base = sheet.d, sheet.cols, sheet.rows - s.rise - int(34 * u)
    floor = s.lit((0.8, 0.84, 0.92) if s.winter else (0.1, 0.13, 0.08), 0.22)
    dark, light = s.lit((0.16, 0.11, 0.09), 0.02), s.lit((0.3, 0.21, 0.16), 0.35)
    side = 1 if stage.sun[0] > s.w / 2 else -1
    x = sheet.margin + s.w * rng.uniform(0.04, 0.12) - s.w * 0.8
    while x < cols + 100:
        r, lean = 40 * u * rng.uniform(0.6, 1.05), rng.uniform(-14, 14)
        edges = [
            [
                (x + k * r * (1 + 0.9 * (i / 20) ** 9) + lean * (1 - i / 20) + rng.normal(0, 1.1), base * i / 20)
                for i in range(21)
            ]
            for k in (-1, 1)
        ]
        d.polygon(edges[0] + edges[1][::-1], fill=ink(dark))
        for _ in range(26):
            bx, by = x + lean * 0.5 + side * r * rng.uniform(0.05, 0.9), rng.uniform(0, base * 0.94)
            bark = ink(blend(dark, light, rng.uniform(0.3, 1)))
            d.line(
                (bx, by, bx + rng.normal(0, 2), by + rng.uniform(0.05, 0.2) * base),
                fill=bark,
                width=int(rng.integers(1, 4)),
            )
        x += s.w * rng.uniform(0.72, 0.86)
    hump = [(i * 12.0, base + 6 * np.sin(i * 0.21) + rng.normal(0, 2.5)) for i in range(cols // 12 + 2)]
    d.polygon([*hump, (cols, sheet.rows), (0, sheet.rows)], fill=ink(floor))
    blade = s.lit((0.9, 0.93, 1), 0.4) if s.winter else s.lit((0.16, 0.26, 0.12), 0.3)
    for _ in range(cols // 7):
        gx, gh = rng.uniform(0, cols), rng.uniform(6, 26) * u
        d.line(
            (gx, base + 14, gx + rng.normal(0, 7), base + 10 - gh), fill=ink(blend(floor, blade, rng.random())), width=2
        )
    stage.put(sheet, 2)


def desert(stage: Stage) -> None:
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    stage.add_sky(drift=3)
    ground, rock = EARTH["mars" if s.plan.place == "mars" else "sand"]
    stage.add_slab("mesa", Slab(hz + 8 * u, 96 * u, 20 * u, 360 * u, rock, rock, 0.08, 0.6, valley=0.55))
    if s.plan.place == "pyramids":
        _pyramids(stage)
    for name, base, rise, drop, cell, depth, fog in (
        ("dune3", 42, 78, 60, 640, 0.22, 0.36), ("dune2", 110, 104, 110, 900, 0.42, 0.16), ("dune1", 210, 92, 190, 1200, 0.85, 0.02)
    ):  # fmt: skip
        stage.add_slab(
            name,
            Slab(
                hz + base * u,
                rise * u,
                drop * u,
                cell * u,
                ground,
                ground,
                depth,
                fog,
                octaves=2,
                texture=0.045,
                mist=0.2,
            ),
        )
    stage.ground = s.h * 0.88


def _pyramids(stage: Stage) -> None:
    s, u = stage.setup, stage.setup.u
    rng = s.rng("pyramids")
    foot = s.horizon + 46 * u
    sheet = Sheet(s, 0.14, foot - 240 * u, foot, scale=2, fill=(0.6, 0.5, 0.3))
    side = 1 if stage.sun[0] > s.w / 2 else -1
    lit, dark = ink(s.lit((0.9, 0.7, 0.45), 0.85, 0.28)), ink(s.lit((0.8, 0.6, 0.4), 0.1, 0.28))
    y = sheet.img.height
    for k, f in enumerate((0.24, 0.46, 0.66)):
        h = y * (0.9 - 0.22 * k) * rng.uniform(0.9, 1.0)
        x = (sheet.margin + s.w * f) * 2
        fold = x + side * h * 0.25
        sheet.d.polygon([(x, y - h), (x - h * 0.8, y), (fold, y)], fill=lit if side < 0 else dark)
        sheet.d.polygon([(x, y - h), (x + h * 0.8, y), (fold, y)], fill=dark if side < 0 else lit)
    stage.put(sheet)


def meadow(stage: Stage, *, grove: bool = False) -> None:
    """Grassland; with a `grove`, a park."""
    s, u, hz = stage.setup, stage.setup.u, stage.setup.horizon
    stage.add_sky(drift=7)
    ground, _ = earth("grass", s.plan.looks)
    wood, low = earth("wood", s.plan.looks)
    stage.add_slab("hills", Slab(hz + 8 * u, 96 * u, 30 * u, 520 * u, wood, low, 0.10, 0.58, ridged=False, valley=0.3))
    if s.fine and s.pal.time_is_low:
        stage.add_rays()
    broadleaves(
        stage, "line", hz + 26 * u, 62 * u, 0.2, 44 * u, haze=0.34, spread=7 * u, ground=s.lit(ground, 0.6, 0.26)
    )
    for name, base, rise, drop, cell, depth, fog in (
        ("lawn2", 70, 46, 90, 700, 0.36, 0.12), ("lawn1", 180, 50, 200, 900, 0.85, 0.0)
    ):  # fmt: skip
        lawn = Slab(
            hz + base * u,
            rise * u,
            drop * u,
            cell * u,
            ground,
            ground,
            depth,
            fog,
            ridged=False,
            octaves=3,
            texture=0.2,
            mist=0.12,
        )
        stage.add_slab(name, lawn)
        if grove and name == "lawn2":
            broadleaves(stage, "grove", hz + 122 * u, 210 * u, 0.5, 330 * u, haze=0.06, spread=18 * u, clear=0.22)
    grass(stage)
    stage.ground = s.h * 0.84


def park(stage: Stage) -> None:
    meadow(stage, grove=True)


def plain(stage: Stage) -> None:
    """No place was named: an even floor and an even backdrop in the light that was, with no claim beyond."""
    s = stage.setup
    stage.sun = (s.w * 0.64, s.h * 0.1)
    floor: Rgb = blend(s.pal.haze, s.pal.shade, 0.25)
    rows, cols = (s.h + 2 * s.rise) // 2 * 2, s.w + 2 * s.margin(0.5)
    at = (s.rise + s.horizon) / rows
    ramp = stops(
        rows,
        [
            (0, s.pal.sky[0][1]),
            (at * 0.6, s.pal.sky[-2][1]),
            (at, s.pal.haze),
            (at + 0.06, floor),
            (1, blend(floor, s.pal.shade, 0.4)),
        ],
    )
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :, None]
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    pool = np.exp(-(x**2) / 0.5 - (y - np.float32(0.72)) ** 2 / 0.12) * np.float32(0.16)
    noise = s.rng("plain").standard_normal((rows, cols, 1), np.float32) * np.float32(1.1 / 255)
    stage.lay(np.clip(ramp[:, None, :] * (0.94 + pool) + noise, 0, 1).astype(np.float32), None, top=-s.rise, depth=0.5)
    stage.ground, stage.walk_depth = s.h * 0.84, 0.5


def open_air(stage: Stage) -> None:
    """Nothing but sky: for what flies where no place was named."""
    stage.setup = replace(stage.setup, horizon=float(stage.setup.h))
    stage.add_sky()
