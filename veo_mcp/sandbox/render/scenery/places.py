"""The places: places.toml says what each is made of, from back to front, and here each kind of layer is laid.

Called by scene.build with an empty stage. What takes more than a few lines to draw lies in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas import shapes
from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import Frame, Sprite, blend, hexa, stops
from veo_mcp.sandbox.render.canvas.pen import Pen
from veo_mcp.sandbox.render.scenery import plants, sky, space, terrain, town, underwater
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.water import Surf, Water
from veo_mcp.sandbox.render.scenery.weather import add_falling, glow_sprite
from veo_mcp.sandbox.render.tables import read_table

PLACES: dict[str, dict[str, Any]] = read_table("scenery/places.toml")
#: places that are another under a tag of their own
ALIKE = {"mars": "desert", "pyramids": "desert", "park": "meadow"}
LAMPLIGHT, NEONLIGHT = (1.0, 0.8, 0.48), (0.55, 0.85, 1.0)
LAMP_FADE = 0.82


def place_of(name: str) -> dict[str, Any]:
    return PLACES[ALIKE.get(name, name)]


def build_place(stage: Stage, name: str) -> None:
    """Fill the stage with a place's layers."""
    s, place = stage.setup, place_of(name)
    stage.ground, stage.walk_depth = s.h * place.get("ground", 0.86), place.get("walk", 0.85)
    if "sky" in place:
        sky.sky(stage, drift=place["sky"])
    tags = {s.plan.weather, name, "company" if s.plan.subjects else "alone", *s.plan.looks}
    true = {"fine": s.fine, "low": s.pal.time_is_low, "wet": s.wet, "wide": s.w > s.h}
    tags |= {tag for tag, holds in true.items() if holds}
    for number, layer in enumerate(place["layers"]):
        if "when" not in layer or tags & set(layer["when"]):
            s = stage.setup  # underwater changes its light
            row = (s.h * layer["row"] if "row" in layer else s.horizon) + layer.get("base", 0) * s.u
            LAYERS[layer["kind"]](stage, f"{layer['kind']}{number}", row, layer)


def _water(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Everything below the horizon is water."""
    s = stage.setup
    rough = layer["rough"]
    if "road" not in layer:
        rough = {"storm": 2.0, "rain": max(rough, 1.0), "fog": rough * 0.5}.get(s.plan.weather, rough)
        rough *= 0.55 if "calm" in s.plan.looks else 1.0
        stage.afloat = s.horizon + (s.h - s.horizon) * 0.27
    stage.items.append(
        Water(s.rng("water"), s.pal, s.w, s.h, s.horizon, sun_x=stage.sun[0], rough=rough, bottom=s.h + s.rise,
              reach=s.camera.reach()[0], vertical=s.camera.axis == 0, fine=s.fine)
    )  # fmt: skip


def _surf(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    s = stage.setup
    stage.items.append(Surf(s.rng(name), s.w, row, layer["depth"], s.u, s.margin(layer["depth"])))


def _plain(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """No place was named: an even floor and an even backdrop in the light that was, with no claim beyond."""
    s = stage.setup
    stage.sun = (s.w * 0.64, s.h * 0.1)
    floor = blend(s.pal.haze, s.pal.shade, 0.25)
    rows, cols = (s.h + 2 * s.rise) // 2 * 2, s.w + 2 * s.margin(0.5)
    at, far = (s.rise + s.horizon) / rows, blend(floor, s.pal.shade, 0.4)
    sky = [(0, s.pal.sky[0][1]), (at * 0.6, s.pal.sky[-2][1]), (at, s.pal.haze)]
    ramp = stops(rows, [*sky, (at + 0.06, floor), (1, far)])
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :, None]
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    pool = np.exp(-(x**2) / 0.5 - (y - np.float32(0.72)) ** 2 / 0.12) * np.float32(0.16)
    noise = s.rng(name).standard_normal((rows, cols, 1), np.float32) * np.float32(1.1 / 255)
    stage.lay(np.clip(ramp[:, None, :] * (0.94 + pool) + noise, 0, 1).astype(np.float32), None, top=-s.rise, depth=0.5)


class Fixed:
    """A sprite that stands still at one depth."""

    def __init__(self, sprite: Sprite, x: float, y: float, depth: float, fade: float = 1.0) -> None:
        self.sprite, self.x, self.y, self.depth, self.fade = sprite, x, y, depth, fade

    def draw(self, frame: Frame, t: float, view: View) -> None:
        x = self.x - view.x * (self.depth + view.pivot)
        self.sprite.draw(frame, x, self.y + view.tilt + view.y * self.depth, fade=self.fade)


def _prop(stage: Stage, name: str, row: float, layer: dict[str, Any], at: float | None = None) -> None:
    """A form of shapes.txt, standing on its row."""
    s, size, haze = stage.setup, layer["size"] * stage.setup.u, layer.get("haze", 0.0)
    pen = Pen(size, 2.4, 1.1, below=0.1)
    paint, second = (hexa(layer.get(key, "3a3a40")) for key in ("paint", "second"))
    shapes.draw(pen, 0.0, layer["shape"], paint=paint, second=second, night=_dark(stage) or "bright" in layer)
    light = blend(s.lit((1, 1, 1), 0.6), (1.0, 1.0, 1.0), 0.5 if "bright" in layer else 0.0)
    rgb, alpha = pen.shaded(light, s.pal.sun, 1 if stage.sun[0] > s.w / 2 else -1, strength=0.12)
    x, y = s.w * (layer["at"] if at is None else at), row - pen.h + 0.1 * size
    rgb = rgb + (np.array(s.pal.haze, np.float32) - rgb) * np.float32(haze)
    stage.items.append(Fixed(Sprite(rgb, alpha), x - pen.w / 2, y, layer["depth"]))
    if "glow" in layer:
        glow = glow_sprite(NEONLIGHT if "neon" in s.plan.looks else LAMPLIGHT, int(150 * s.u), 0.0)
        top = row - size * layer["glow"] - glow.h / 2
        lean = layer.get("lean", 0.0) * size
        stage.items.append(Fixed(glow, x + lean - glow.w / 2, top, layer["depth"], LAMP_FADE))


def _dark(stage: Stage) -> bool:
    s = stage.setup
    return s.pal.night > 0.2 or s.wet or s.plan.weather == "fog" or s.plan.light in {"sunset", "dawn", "dusk"}


def _lamps(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """Lamp posts along a kerb, lit when it is dark or wet."""
    s = stage.setup
    post = {**layer, "shape": "streetlamp", "size": 190, "at": 0.0, "lean": 0.11} | (
        {"glow": 1.0} if _dark(stage) else {}
    )
    side = s.margin(layer["depth"]) / s.w
    for at in np.arange(0.12 - side, 1 + side, 0.4 if s.w > s.h else 0.6):
        _prop(stage, name, row, post, float(at))


def _slot(stage: Stage, *_: Any) -> None:
    stage.slot = len(stage.items)


def _falling(stage: Stage, *_: Any) -> None:
    stage.items += add_falling(stage.setup)


LAYERS: dict[str, Callable[[Stage, str, float, dict[str, Any]], None]] = {
    "land": terrain.land, "mist": terrain.mist, "water": _water, "surf": _surf, "plain": _plain, "prop": _prop, "lamps": _lamps, "slot": _slot,
    "rays": sky.rays, "falling": _falling,
    "trees": plants.trees, "grass": plants.grass, "buildings": town.buildings, "road": town.road,
    "wall": town.wall, "table": town.table, "nebula": space.nebula, "depths": underwater.depths, "bubbles": underwater.bubbles,
}  # fmt: skip
