"""Choosing what a shot shows: the place's builder, the light, the camera, the weather and the actors.

Called by the clip maker. Everything it draws with lies in the places' modules; this one only decides, and it decides
for nothing that the prompt did not name.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from veo_mcp.sandbox.render.canvas.camera import Camera
from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.canvas.palette import palette
from veo_mcp.sandbox.render.figures.cast import (
    AFLOAT,
    FLYERS,
    FRAMED,
    GROUND_BOUND,
    SWIMMERS,
    add_actors,
    gait_of,
    pace,
)
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery import beyond, interior, land, town
from veo_mcp.sandbox.render.scenery.animatic import animatic
from veo_mcp.sandbox.render.scenery.stage import Setup, Stage
from veo_mcp.sandbox.render.scenery.weather import add_weather

BUILDERS = {
    "sea": land.sea, "beach": land.beach, "lake": land.lake, "river": land.river, "mountain": land.mountains,
    "forest": land.forest, "desert": land.desert, "mars": land.desert, "pyramids": land.desert, "park": land.park, "meadow": land.meadow, "city": town.city,
    "street": town.street, "room": interior.room, "space": beyond.space, "underwater": beyond.underwater,
    # subjects without a place: only what carries them
    "": land.plain, "water": land.sea, "air": land.open_air, "deep": partial(beyond.underwater, bed=False), "void": beyond.space,
}  # fmt: skip
HORIZONS = {
    "park": 0.5,
    "meadow": 0.5,
    "desert": 0.52,
    "mars": 0.52,
    "pyramids": 0.52,
    "street": 0.66,
    "city": 0.62,
    "forest": 0.6,
    "": 0.68,
}
HORIZON = 0.56  # of the frame's height, elsewhere
UNNAMED_MOVES = ("drift", "push", "drift")  # gentle ones, when no camera was named
FASTEST_TRACKING = 190.0  # pixels a second at 1280 columns: faster ones would need land without end
UPRIGHT_UNIT = 0.72  # camera moves in an upright picture, as a part of those at 1280 columns


WATERS = frozenset({"sea", "beach", "lake", "river"})
#: what the same place looks like to those who walk or drive there: no one walks on water or on roofs
WALKABLE = {"sea": "beach", "lake": "river", "city": "street"}


def carrier(plan: Plan) -> str:
    """The picture that carries the subjects: the place's own, or without a place only water, air or plain ground."""
    if not plan.subjects:
        return plan.place
    first = plan.subjects[0]
    if plan.place:
        if first in SWIMMERS and plan.place in WATERS:
            return "underwater"
        return WALKABLE.get(plan.place, plan.place) if first in GROUND_BOUND else plan.place
    if first in AFLOAT or first == "lighthouse":
        return "water"
    if first in SWIMMERS:
        return "deep"
    return (
        "air" if first in FLYERS else "void" if first in {"astronaut", "planet"} else "room" if first == "cup" else ""
    )


def build(plan: Plan, key: tuple[int, ...], w: int, h: int, *, fine: bool) -> Stage:
    rng = stream(key, "plan")
    light = plan.light
    if not light and {"aurora", "fireflies", "neon", "moon", "stars"} & plan.looks:
        light = "night"
    if not light and ("sun" in plan.looks or plan.weather == "clear"):
        light = "noon"
    place = carrier(plan)
    pal = palette(light, "" if place in {"space", "void", "underwater", "deep"} else plan.weather, plan.looks)
    horizon = float(int(h * HORIZONS.get(place, HORIZON)) // 2 * 2)
    chosen = UNNAMED_MOVES[int(rng.integers(len(UNNAMED_MOVES)))]
    unit = w / 1280 if w > h else UPRIGHT_UNIT
    brisk = 1.5 if "fast" in plan.looks else 0.75 if "calm" in plan.looks else 1.0
    gait = gait_of(plan)
    camera = Camera(
        plan.camera or ("tracking" if gait and place not in {"room", "city"} else chosen),
        unit,
        brisk,
        float(rng.random() * 6.28),
    )
    s = Setup(replace(plan, light=light), key, w, h, pal, camera, fine, horizon)
    if gait and camera.move == "tracking":
        speed = min(pace(gait, s.u * FRAMED.get(plan.framing, 1.0)) / 0.88, FASTEST_TRACKING * unit)
        s = replace(s, camera=replace(camera, speed=speed))
    stage = Stage(s, ground=h * 0.86)
    if plan.animatic:
        animatic(stage)
        return stage
    BUILDERS[place](stage)
    add_actors(stage)
    add_weather(stage)
    return stage
