"""Choosing what a shot shows: the place's builder, the light, the camera, the weather and the actors.

Called by the clip maker. Everything it draws with lies in the places' modules; this one only decides.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import Camera
from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.canvas.palette import palette
from veo_mcp.sandbox.render.figures.actors import add_actors
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery import abstract, interior, land, space, street, town, underwater
from veo_mcp.sandbox.render.scenery.atmosphere import add_rays, close_leaves, high_cloud
from veo_mcp.sandbox.render.scenery.stage import Setup, Stage
from veo_mcp.sandbox.render.scenery.weather import add_weather

BUILDERS = {
    "sea": land.sea,
    "beach": land.sea,
    "lake": land.sea,
    "river": land.sea,
    "meadow": land.park,
    "mountain": land.mountains,
    "forest": land.forest,
    "desert": land.desert,
    "mars": land.desert,
    "pyramids": land.desert,
    "park": land.park,
    "city": town.city,
    "street": street.street,
    "room": interior.room,
    "space": space.space,
    "underwater": underwater.underwater,
    "abstract": abstract.abstract,
}
DEFAULT_MOVES = ("drift", "push", "pan_right", "dolly", "drift")
FOLLOWED = frozenset("dog horse wolf car bus bicycle train camel elephant".split())


def build(plan: Plan, key: tuple[int, ...], w: int, h: int, *, fine: bool) -> Stage:
    rng = stream(key, "plan")
    place = plan.place or "abstract"
    light = plan.light or _hour(plan, place, rng)
    weather = plan.weather if place not in {"space", "underwater", "abstract"} else ""
    plan = replace(plan, place=place, light=light, weather=weather)
    unit = w / 1280 if w > h else 0.72
    chosen = DEFAULT_MOVES[int(rng.integers(len(DEFAULT_MOVES)))]
    if FOLLOWED & set(plan.subjects):
        chosen = "tracking"
    brisk = 1.5 if "fast" in plan.looks else 0.75 if "calm" in plan.looks else 1.0
    camera = Camera(plan.camera or chosen, unit, brisk, float(rng.random() * 6.28))
    pal = palette(light, weather, plan.looks)
    horizon = h * {"park": 0.5, "desert": 0.52, "street": 0.66, "city": 0.66, "forest": 0.6}.get(place, 0.56)
    s = Setup(plan, key, w, h, pal, camera, fine, float(int(horizon) // 2 * 2))
    stage = Stage(s, ground=h * 0.86)
    BUILDERS[place](stage)
    add_actors(stage)
    if fine:
        _richer(stage)
    add_weather(stage)
    return stage


def _richer(stage: Stage) -> None:
    """What quality shows and fast leaves out."""
    s = stage.setup
    outdoors = s.plan.place in {"sea", "mountain", "desert", "park", "city", "forest"}
    if outdoors and s.pal.stars < 0.9:
        high_cloud(stage, 1)
    if s.plan.place in {"mountain", "park", "desert"} and s.pal.time_is_low:
        add_rays(stage)
    if s.plan.place in {"park", "forest"} and s.camera.move not in {"tilt_up", "tilt_down", "drone"}:
        close_leaves(stage)


def _hour(plan: Plan, place: str, rng: np.random.Generator) -> str:
    if {"aurora", "fireflies", "neon"} & plan.looks:
        return "night"
    if place == "abstract":
        return ("dawn", "sunset", "dusk", "night")[int(rng.integers(4))]
    if place == "room":
        return ("dawn", "sunset", "dusk")[int(rng.integers(3))]
    return ("noon", "noon", "dawn", "sunset")[int(rng.integers(4))]
