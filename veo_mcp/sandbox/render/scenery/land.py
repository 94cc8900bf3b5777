"""Open country: sea, mountains, forest, desert, park.

Called by scene.build with an empty stage, which it fills from back to front. Draws through sky, terrain, water, plants.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Layer, Rgb, blend
from veo_mcp.sandbox.render.scenery.atmosphere import add_rays
from veo_mcp.sandbox.render.scenery.plants import Picture, cactus, conifer, ink, leafy, palm, row_layer
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.terrain import Slab, earth
from veo_mcp.sandbox.render.scenery.water import Water


def sea(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky()
    ground, rock = earth("rock", s.plan.looks)
    hz, u = int(s.horizon) // 2 * 2, s.u
    low = hz + s.rise + 4
    stage.add_slab("isles", Slab(hz + 2, 74 * u, 4, 420, ground, rock, 0.10, 0.62, valley=0.7), low)
    stage.add_slab("cape", Slab(hz + 2, 108 * u, 4, 620, ground, rock, 0.16, 0.36, valley=0.98), low)
    if s.plan.weather == "fog":
        stage.add_mist("bank", hz - 10 * u, 150 * u, 0.85, 0.12)
    rough = {"storm": 2.0, "rain": 1.2, "fog": 0.4}.get(s.plan.weather, 0.8)
    stage.items.append(Water(s.key, s.pal, s.w, s.h, hz, stage.sun[0], rough, s.h + s.rise))
    stage.ground = hz + (s.h - hz) * 0.30
    ashore = LAND & set(s.plan.subjects)
    if ashore or s.plan.place == "beach":
        sand, _ = earth("sand", frozenset())
        stage.add_slab(
            "beach",
            Slab(
                s.h * 0.86,
                26 * u,
                100 * u,
                900 * u,
                sand,
                sand,
                0.9,
                0.0,
                ridged=False,
                octaves=3,
                texture=0.06,
                mist=0.0,
            ),
        )
        stage.ground = s.h * 0.935
        if s.pal.night < 0.9 and s.plan.weather in {"", "clear", "cloudy"} and s.rng("palms").random() < 0.6:
            palms(stage, s.h * 0.97)


LAND = frozenset("person child couple dancer dog horse cat deer wolf bicycle camel elephant robot car".split())


def mountains(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky()
    ground, rock = earth("rock", s.plan.looks)
    snow = 0.78 if "snowy" in s.plan.looks else 0.42
    u, hz = s.u, s.horizon
    stage.add_slab("far", Slab(hz + 30 * u, 235 * u, 60 * u, 400 * u, ground, rock, 0.12, 0.60, snow=snow, valley=0.35))
    stage.add_slab(
        "mid", Slab(hz + 70 * u, 245 * u, 110 * u, 560 * u, ground, rock, 0.26, 0.30, snow=snow * 0.8, valley=0.6)
    )
    stage.add_mist("vale", hz + 74 * u, 130 * u, 0.55 if s.plan.weather != "clear" else 0.3, 0.3)
    wood, low = earth("wood", s.plan.looks)
    stage.add_slab(
        "near", Slab(hz + 112 * u, 84 * u, 150 * u, 500 * u, wood, low, 0.42, 0.26, ridged=False, valley=0.4)
    )
    fir: Rgb = (0.1, 0.2, 0.14)
    _firs(stage, "wood3", hz + 128 * u, 46 * u, 0.5, 9 * u, fir, haze=0.34, spread=16 * u, floor=(0.13, 0.24, 0.17))
    stage.far = (len(stage.items), hz + 176 * u)
    _firs(stage, "wood2", hz + 200 * u, 78 * u, 0.64, 17 * u, fir, haze=0.2, spread=20 * u)
    _firs(stage, "edge", s.h * 0.985, 120 * u, 0.85, 34 * u, fir, haze=0.05, spread=14 * u)
    stage.ground = s.h * 0.9


def _firs(
    stage: Stage, name: str, base: float, height: float, depth: float, gap: float, colour: Rgb, *, haze: float, spread: float,
    clear: float = 0.0, floor: Rgb | None = None,
) -> None:  # fmt: skip
    s = stage.setup
    rng = s.rng(name + "-shapes")
    side = 1 if stage.sun[0] > s.w / 2 else -1
    looks = s.plan.looks
    snow = "snowy" in looks or s.plan.weather == "snow"
    if "autumn" in looks:
        tones: list[Rgb] = [(0.62, 0.3, 0.1), (0.66, 0.44, 0.12), (0.5, 0.2, 0.1), (0.22, 0.26, 0.12)]
    else:
        tones = [
            colour,
            (colour[0] * 1.15, colour[1] * 0.94, colour[2] * 0.9),
            (colour[0] * 0.85, colour[1], colour[2] * 1.15),
        ]
    trees = [
        conifer(
            rng, max(12, int(height * rng.uniform(0.75, 1.1))), s.lit(c, 0.05, haze), s.lit(c, 0.62, haze), side, snow
        )
        for c in tones
        for _ in range(2)
    ]
    ground = s.lit((0.85, 0.88, 0.95), 0.35, haze) if snow else s.lit(floor or colour, 0.12, haze)
    row_layer(stage, name, trees, depth=depth, base=base, spread=spread, gap=gap, ground=ground, clear=clear)


def forest(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky(drift=3)
    u, hz = s.u, s.horizon
    wood, low = earth("wood", s.plan.looks)
    stage.add_slab("hill", Slab(hz + 20 * u, 190 * u, 80 * u, 700 * u, wood, low, 0.12, 0.62, ridged=False, valley=0.5))
    green: Rgb = (0.14, 0.28, 0.19)
    _firs(stage, "row4", hz + 34 * u, 150 * u, 0.2, 24 * u, green, haze=0.56, spread=10 * u)
    add_rays(stage)
    _firs(stage, "row3", hz + 84 * u, 215 * u, 0.34, 46 * u, green, haze=0.36, spread=14 * u, clear=0.12)
    stage.add_mist("mist1", hz + 70 * u, 190 * u, 0.62 if s.plan.weather == "fog" else 0.34, 0.36, 8)
    _firs(stage, "row2", hz + 150 * u, 330 * u, 0.55, 95 * u, green, haze=0.16, spread=16 * u, clear=0.3)
    if s.plan.weather == "fog" or s.fine:
        stage.add_mist("mist2", hz + 130 * u, 170 * u, 0.42, 0.6, -10)
    _trunks(stage)
    stage.ground = s.h * 0.93


def _trunks(stage: Stage) -> None:
    """Two or three great trunks close by, and ferns and stones at their feet."""
    from PIL import Image, ImageDraw

    s = stage.setup
    rng = s.rng("trunks")
    depth, mx = 1.0, s.margin(1.0)
    cols, rows = s.w + 2 * mx, s.h + 2 * s.rise
    img = Image.new("RGBA", (cols, rows), ink((0.05, 0.05, 0.05), 0))
    d = ImageDraw.Draw(img)
    snow = "snowy" in s.plan.looks or s.plan.weather == "snow"
    floor = s.lit((0.8, 0.84, 0.92) if snow else (0.1, 0.13, 0.08), 0.22)
    base = rows - s.rise - int(34 * s.u)
    gap = s.w * (0.62 if s.w > s.h else 1.0)
    x = mx - gap * 0.35 + rng.uniform(-30, 30)
    trunk_dark, trunk_light = s.lit((0.16, 0.11, 0.09), 0.02), s.lit((0.3, 0.21, 0.16), 0.35)
    side = 1 if stage.sun[0] > s.w / 2 else -1
    while x < cols + 100:
        r = 40 * s.u * rng.uniform(0.6, 1.15)
        lean = rng.uniform(-14, 14)
        left = [
            (x - r * (1 + 0.9 * (k / 20) ** 9) + lean * (1 - k / 20) + rng.normal(0, 1.1), base * k / 20)
            for k in range(21)
        ]
        right = [
            (x + r * (1 + 0.9 * (k / 20) ** 9) + lean * (1 - k / 20) + rng.normal(0, 1.1), base * k / 20)
            for k in range(21)
        ]
        d.polygon(left + right[::-1], fill=ink(trunk_dark))
        for _ in range(26):
            bx = x + lean * 0.5 + side * r * rng.uniform(0.05, 0.9)
            by, bl = rng.uniform(0, base * 0.94), rng.uniform(0.05, 0.2) * base
            d.line(
                (bx, by, bx + rng.normal(0, 2), by + bl),
                fill=ink(blend(trunk_dark, trunk_light, rng.uniform(0.3, 1))),
                width=int(rng.integers(1, 4)),
            )
        x += gap * rng.uniform(0.7, 1.4)
    pts = [(i * 12.0, base + 6 * np.sin(i * 0.21) + rng.normal(0, 2.5)) for i in range(cols // 12 + 2)]
    d.polygon([*pts, (cols, rows), (0, rows)], fill=ink(floor))
    blade = s.lit((0.16, 0.26, 0.12), 0.3) if not snow else s.lit((0.9, 0.93, 1), 0.4)
    for _ in range(cols // 7):
        gx, gh = rng.uniform(0, cols), rng.uniform(6, 26) * s.u
        d.line(
            (gx, base + 14, gx + rng.normal(0, 7), base + 10 - gh), fill=ink(blend(floor, blade, rng.random())), width=2
        )
    data = np.asarray(img, np.float32) / np.float32(255)
    stage.items.append(
        Layer(data[..., :3], data[..., 3], top=-s.rise, left=-mx, depth=depth, axis=s.camera.axis, phases=2)
    )


def desert(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky(drift=3)
    u, hz = s.u, s.horizon
    red = s.plan.place == "mars"
    ground, rock = earth("mars" if red else "sand", frozenset())
    stage.add_slab("mesa", Slab(hz + 8 * u, 96 * u, 20 * u, 360 * u, rock, rock, 0.08, 0.6, valley=0.55))
    if s.plan.place == "pyramids":
        _pyramids(stage)
    dune = {"ground": ground, "rock": ground, "ridged": True, "octaves": 2, "texture": 0.045, "mist": 0.2}
    stage.add_slab("dune3", Slab(hz + 42 * u, 78 * u, 60 * u, 640 * u, depth=0.22, fog=0.36, **dune))  # type: ignore[arg-type]
    stage.add_slab("dune2", Slab(hz + 110 * u, 104 * u, 110 * u, 900 * u, depth=0.42, fog=0.16, **dune))  # type: ignore[arg-type]
    stage.add_slab("dune1", Slab(hz + 210 * u, 92 * u, 190 * u, 1200 * u, depth=0.85, fog=0.02, **dune))  # type: ignore[arg-type]
    if not red and s.plan.place != "pyramids":
        rng = s.rng("cactus-shapes")
        green: Rgb = (0.2, 0.34, 0.2)
        shapes = [cactus(rng, int(120 * u), s.lit(green, 0.0), s.lit(green, 0.8)) for _ in range(3)]
        row_layer(stage, "cactus", shapes, depth=0.86, base=s.h * 0.9, spread=26 * u, gap=s.w * 0.55, clear=0.4)
    stage.ground = s.h * 0.88


def _pyramids(stage: Stage) -> None:
    from PIL import Image, ImageDraw

    s = stage.setup
    rng = s.rng("pyramids")
    mx, u = s.margin(0.14), s.u
    cols, rows = s.w + 2 * mx, int(240 * u) // 2 * 2
    img = Image.new("RGBA", (cols * 2, rows * 2), ink((0.6, 0.5, 0.3), 0))
    d = ImageDraw.Draw(img)
    side = 1 if stage.sun[0] > s.w / 2 else -1
    for k, f in enumerate((0.24, 0.46, 0.66)):
        h = rows * 2 * (0.9 - 0.22 * k) * rng.uniform(0.9, 1.0)
        x, y = (mx + s.w * f) * 2, rows * 2
        lit, dark = s.lit((0.9, 0.7, 0.45), 0.85, 0.28), s.lit((0.8, 0.6, 0.4), 0.1, 0.28)
        fold = x + side * h * 0.25
        d.polygon([(x, y - h), (x - h * 0.8, y), (fold, y)], fill=ink(lit if side < 0 else dark))
        d.polygon([(x, y - h), (x + h * 0.8, y), (fold, y)], fill=ink(dark if side < 0 else lit))
    img = img.resize((cols, rows), Image.Resampling.BOX)
    data = np.asarray(img, np.float32) / np.float32(255)
    top = int(s.horizon + 46 * u - rows) // 2 * 2
    stage.items.append(Layer(data[..., :3], data[..., 3], top=top, left=-mx, depth=0.14, axis=s.camera.axis))


def park(stage: Stage) -> None:
    s = stage.setup
    stage.add_sky(drift=7)
    u, hz = s.u, s.horizon
    ground, _ = earth("grass", s.plan.looks)
    wood, low = earth("wood", s.plan.looks)
    stage.add_slab("hills", Slab(hz + 8 * u, 96 * u, 30 * u, 520 * u, wood, low, 0.10, 0.58, ridged=False, valley=0.3))
    rng = s.rng("trees")
    side = 1 if stage.sun[0] > s.w / 2 else -1
    looks = s.plan.looks
    if "autumn" in looks:
        tones: list[Rgb] = [(0.82, 0.42, 0.1), (0.86, 0.62, 0.16), (0.66, 0.22, 0.1)]
    elif "blossom" in looks:
        tones = [(0.98, 0.72, 0.8), (0.95, 0.8, 0.86), (0.4, 0.6, 0.26)]
    elif "snowy" in looks or s.plan.weather == "snow":
        tones = [(0.8, 0.85, 0.92), (0.7, 0.77, 0.86)]
    else:
        tones = [(0.3, 0.52, 0.2), (0.24, 0.46, 0.2), (0.42, 0.58, 0.22)]

    def trees(size: float, haze: float) -> list[Picture]:
        return [
            leafy(
                rng,
                int(size * u),
                s.lit((c[0] * 0.42, c[1] * 0.5, c[2] * 0.5), 0.12, haze),
                s.lit(c, 0.95, haze),
                s.lit((0.3, 0.22, 0.16), 0.3, haze),
                side,
            )
            for c in tones
            for _ in range(2)
        ]

    row_layer(
        stage,
        "line",
        trees(62, 0.34),
        depth=0.2,
        base=hz + 26 * u,
        spread=7 * u,
        gap=44 * u,
        ground=s.lit(ground, 0.6, 0.26),
    )  # type: ignore[arg-type]
    lawn = {"ground": ground, "rock": ground, "ridged": False, "octaves": 3, "texture": 0.12, "mist": 0.12}
    stage.add_slab("lawn2", Slab(hz + 70 * u, 46 * u, 90 * u, 700 * u, depth=0.36, fog=0.12, **lawn))  # type: ignore[arg-type]
    row_layer(stage, "grove", trees(210, 0.06), depth=0.5, base=hz + 122 * u, spread=18 * u, gap=330 * u, clear=0.22)  # type: ignore[arg-type]
    stage.add_slab("lawn1", Slab(hz + 180 * u, 50 * u, 200 * u, 900 * u, depth=0.85, fog=0.0, **lawn))  # type: ignore[arg-type]
    _grass(stage)
    stage.ground = s.h * 0.84


def _grass(stage: Stage) -> None:
    """Blades and flowers along the lower edge."""
    from PIL import Image, ImageDraw

    s = stage.setup
    rng = s.rng("grass")
    depth, mx = 1.1, s.margin(1.1)
    cols, rows = s.w + 2 * mx, int(90 * s.u + s.rise) // 2 * 2
    img = Image.new("RGBA", (cols * 2, rows * 2), ink((0.1, 0.3, 0.1), 0))
    d = ImageDraw.Draw(img)
    winter = "snowy" in s.plan.looks or s.plan.weather == "snow"
    dark, light = ((0.7, 0.76, 0.86), (0.95, 0.97, 1.0)) if winter else ((0.1, 0.24, 0.07), (0.42, 0.62, 0.2))
    colours = [(0.98, 0.86, 0.3), (0.95, 0.95, 0.98), (0.92, 0.4, 0.5), (0.65, 0.5, 0.95)]
    for _ in range(cols // 2):
        x, h = rng.uniform(0, cols * 2), (rng.uniform(0.15, 1) ** 2) * 90 * s.u + 20
        lean, c = rng.normal(0, 14), s.lit(blend(dark, light, rng.random()), 0.6)
        y = rows * 2
        d.polygon(
            [
                (x - 4, y),
                (x + 4, y),
                (x + lean * 0.5 + 1, y - h * 0.6),
                (x + lean, y - h),
                (x + lean * 0.4 - 2, y - h * 0.6),
            ],
            fill=ink(c),
        )
        if not winter and rng.random() < 0.055:
            q = rng.uniform(5, 9) * s.u
            f = s.lit(colours[int(rng.integers(4))], 0.8)
            for a in np.linspace(0, 6.283, 6)[:-1]:
                px, py = x + lean + np.cos(a) * q, y - h + np.sin(a) * q * 0.8
                d.ellipse((px - q * 0.8, py - q * 0.7, px + q * 0.8, py + q * 0.7), fill=ink(f))
            d.ellipse(
                (x + lean - q * 0.6, y - h - q * 0.5, x + lean + q * 0.6, y - h + q * 0.5),
                fill=ink(s.lit((0.95, 0.75, 0.2), 0.9)),
            )
    img = img.resize((cols, rows), Image.Resampling.BOX)
    data = np.asarray(img, np.float32) / np.float32(255)
    stage.items.append(
        Layer(
            data[..., :3],
            data[..., 3],
            top=(s.h + s.rise - rows) // 2 * 2,
            left=-mx,
            depth=depth,
            axis=s.camera.axis,
            phases=2,
        )
    )


def palms(stage: Stage, base: float) -> None:
    s = stage.setup
    rng = s.rng("palm-shapes")
    shapes = [
        palm(
            rng,
            int(300 * s.u),
            s.lit((0.1, 0.22, 0.1), 0.1),
            s.lit((0.25, 0.42, 0.16), 0.7),
            s.lit((0.3, 0.22, 0.16), 0.2),
        )
        for _ in range(3)
    ]
    row_layer(stage, "palms", shapes, depth=0.9, base=base, spread=20, gap=s.w * 0.6, clear=0.45)
