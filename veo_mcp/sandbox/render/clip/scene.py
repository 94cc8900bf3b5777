"""Choosing what a shot shows: the place, the light, the camera, the weather and the actors.

Called by the clip maker. Everything it draws with lies in the other folders; this one only decides, and it decides for
nothing that the prompt did not name.
"""

from __future__ import annotations

from dataclasses import replace

from veo_mcp.sandbox.render.canvas.camera import Camera
from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.canvas.palette import palette
from veo_mcp.sandbox.render.figures.cast import AFLOAT, FLYERS, FRAMED, GROUND_BOUND, SWIMMERS, add_actors, gait_of
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery.animatic import animatic
from veo_mcp.sandbox.render.scenery.places import build_place, place_of
from veo_mcp.sandbox.render.scenery.stage import Setup, Stage
from veo_mcp.sandbox.render.scenery.weather import add_weather

UNNAMED_MOVES = ("drift", "push", "drift")  # gentle ones, when no camera was named
FASTEST_TRACKING = 190.0  # pixels a second at 1280 columns: faster ones would need land without end
UPRIGHT_UNIT = 0.72  # camera moves in an upright picture, as a part of those at 1280 columns
WATERS = frozenset({"sea", "beach", "lake", "river"})
#: what the same place looks like to those who walk or drive there: no one walks on water or on roofs
WALKABLE = {"sea": "beach", "lake": "river", "city": "street"}
#: what carries a subject where no place was named; all others stand on plain ground
CARRIERS = (AFLOAT, "sea"), (SWIMMERS, "deep"), (FLYERS, "air"), (frozenset({"astronaut"}), "space")
LIT_BY = {"night": {"aurora", "fireflies", "neon", "moon", "stars"}, "noon": {"sun"}}


def carrier(plan: Plan) -> str:
    """The picture that carries the subjects: the place's own, or without a place only water, air or plain ground."""
    if not plan.subjects:
        return plan.place
    first = plan.subjects[0]
    if not plan.place:
        return next((place for names, place in CARRIERS if first in names), "")
    if first in SWIMMERS and plan.place in WATERS:
        return "underwater"
    return WALKABLE.get(plan.place, plan.place) if first in GROUND_BOUND else plan.place


def build(plan: Plan, key: tuple[int, ...], w: int, h: int, *, fine: bool) -> Stage:
    rng = stream(key, "plan")
    light = plan.light or next((name for name, looks in LIT_BY.items() if looks & plan.looks), "")
    light = light or ("noon" if plan.weather == "clear" else "")
    place = carrier(plan)
    pal = palette(light, "" if place in {"space", "underwater", "deep"} else plan.weather, plan.looks)
    chosen, unit = UNNAMED_MOVES[int(rng.integers(len(UNNAMED_MOVES)))], w / 1280 if w > h else UPRIGHT_UNIT
    brisk = 1.5 if "fast" in plan.looks else 0.75 if "calm" in plan.looks else 1.0
    gait = gait_of(plan)
    move = plan.camera or ("tracking" if gait and place not in {"room", "city"} else chosen)
    camera = Camera(move, unit, brisk, float(rng.random() * 6.28))
    horizon = float(int(h * place_of(place)["horizon"]) // 2 * 2)
    s = Setup(replace(plan, light=light), key, w, h, pal, camera, fine, horizon)
    if gait and move == "tracking":
        speed = min(gait.pace(s.u * FRAMED.get(plan.framing, 1.0)) / 0.88, FASTEST_TRACKING * unit)
        s = replace(s, camera=replace(camera, speed=speed))
    stage = Stage(s, ground=h * 0.86)
    if plan.animatic:
        animatic(stage)
        return stage
    build_place(stage, place)
    add_actors(stage)
    add_weather(stage)
    return stage
