"""A shot's stage: layers and moving things from back to front, composed for any time.

Called by the clip maker. Chooses what stands on the stage from the plan's words; the drawing is in sky, terrain,
water and their like. A stage goes on past the clip's end, so an extension continues it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from .camera import Camera, View, crop
from .frame import Frame, Layer
from .noise import stream
from .palette import Palette, palette
from .sky import cloud_layer, sky_layer
from .terrain import Slab, earth, slab_layer
from .water import Water
from .words import Plan


class Item(Protocol):
    def draw(self, frame: Frame, t: float, view: View) -> None: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What every builder needs to know of a shot."""

    plan: Plan
    key: tuple[int, ...]
    w: int
    h: int
    pal: Palette
    camera: Camera
    fine: bool
    horizon: float

    @property
    def unit(self) -> float:
        return self.camera.unit

    def rng(self, part: str) -> np.random.Generator:
        return stream(self.key, part)

    def margin(self, depth: float) -> int:
        pivot = self.camera.at(0).pivot
        return (int(self.camera.reach()[0] * abs(depth + pivot)) + 10) // 2 * 2

    @property
    def rise(self) -> int:
        """Rows of margin above and below, for moves that look up or down."""
        return (int(self.camera.reach()[1]) + 6) // 2 * 2


@dataclass(slots=True)
class Stage:
    setup: Setup
    items: list[Layer | Item] = field(default_factory=list[Layer | Item])
    overlays: list[Item] = field(default_factory=list[Item])
    sun: tuple[float, float] = (0.0, 0.0)

    def compose(self, frame: Frame, spare: Frame, t: float) -> None:
        """Draw the stage at time `t` into `frame`; `spare` is a second frame of the same size."""
        view = self.setup.camera.at(t)
        zoomed = view.zoom > 1.0005
        target = spare if zoomed else frame
        limits: list[int] = []
        limit = frame.h
        for item in reversed(self.items):
            limits.append(limit)
            if isinstance(item, Layer):
                limit = min(limit, item.covers_from(view.tilt + view.y * item.depth))
            elif isinstance(item, Water):
                limit = min(limit, int(item.horizon + view.tilt + view.y * 0.12) + 2)
        for item, visible in zip(self.items, reversed(limits), strict=True):
            if isinstance(item, Layer):
                x = view.x * (item.depth + view.pivot) + item.drift * t
                item.draw(target, x, view.tilt + view.y * item.depth, visible)
            else:
                item.draw(target, t, view)
        if zoomed:
            crop(target, frame, view, fine=self.setup.fine)
        for item in self.overlays:
            item.draw(frame, t, view)


DEFAULT_MOVES = ("drift", "push", "pan_right", "dolly")


def build(plan: Plan, key: tuple[int, ...], w: int, h: int, *, fine: bool) -> Stage:
    rng = stream(key, "plan")
    place = plan.place or "abstract"
    time = plan.time or _hour(plan, place, rng)
    plan = replace(plan, place=place, time=time)
    unit = w / 1280 if w > h else 0.72
    move = plan.camera or DEFAULT_MOVES[int(rng.integers(len(DEFAULT_MOVES)))]
    brisk = 1.5 if "fast" in plan.looks else 0.75 if "calm" in plan.looks else 1.0
    camera = Camera(move, unit, brisk, float(rng.random() * 6.28))
    pal = palette(time, plan.weather, plan.looks)
    horizon = h * (0.56 if w > h else 0.58)
    s = Setup(plan, key, w, h, pal, camera, fine, horizon)
    stage = Stage(s)
    _sea(stage) if place in {"sea", "abstract"} else _mountains(stage)
    return stage


def _hour(plan: Plan, place: str, rng: np.random.Generator) -> str:
    if "aurora" in plan.looks or "fireflies" in plan.looks:
        return "night"
    if "neon" in plan.looks:
        return "night"
    if place == "abstract":
        return ("dawn", "sunset", "dusk", "night")[int(rng.integers(4))]
    return ("noon", "noon", "dawn", "sunset")[int(rng.integers(4))]


def cover(weather: str) -> float:
    return {"clear": 0.12, "": 0.42, "fog": 0.3, "cloudy": 0.85, "rain": 0.9, "snow": 0.8, "storm": 0.98}.get(
        weather, 0.4
    )


def add_sky(stage: Stage, *, drift: float = 5.0) -> None:
    s = stage.setup
    layer, sun = sky_layer(
        s.key, s.pal, (s.w, s.h), s.horizon, (s.margin(0.04), s.rise), s.camera.axis, aurora="aurora" in s.plan.looks
    )
    stage.sun = sun
    stage.items.append(layer)
    amount = cover(s.plan.weather) * (0.5 if s.pal.stars > 0.5 and not s.plan.weather else 1)
    if amount > 0.05:
        stage.items.append(
            cloud_layer(
                s.key, s.pal, (s.w, s.h), s.horizon, (s.margin(0.07), s.rise), s.camera.axis, amount, sun, drift=drift
            )
        )


def add_slab(stage: Stage, name: str, slab: Slab, bottom: int | None = None) -> None:
    s = stage.setup
    low = s.h + s.rise if bottom is None else bottom
    foggy = {"fog": 0.34, "rain": 0.14, "snow": 0.16, "storm": 0.1}.get(s.plan.weather, 0.0)
    slab = replace(slab, fog=min(0.97, slab.fog + foggy * (1.1 - slab.depth)), mist=min(1.0, slab.mist + foggy))
    stage.items.append(
        slab_layer(s.rng(name), slab, s.pal, s.w, s.margin(slab.depth), low, s.camera.axis, sun_x=stage.sun[0])
    )


def _sea(stage: Stage) -> None:
    s = stage.setup
    add_sky(stage)
    ground, rock = earth("rock", s.plan.looks)
    sea = int(s.horizon) // 2 * 2
    u = s.h / 720
    common = {"ground": ground, "rock": rock}
    add_slab(
        stage, "isles", Slab(sea + 2, 74 * u, 4, 420, depth=0.10, fog=0.62, valley=0.7, **common), sea + s.rise + 4
    )  # type: ignore[arg-type]
    add_slab(
        stage, "cape", Slab(sea + 2, 108 * u, 4, 620, depth=0.16, fog=0.36, valley=0.98, **common), sea + s.rise + 4
    )  # type: ignore[arg-type]
    rough = {"storm": 2.0, "rain": 1.2, "fog": 0.4}.get(s.plan.weather, 0.8)
    stage.items.append(Water(s.key, s.pal, s.w, s.h, sea, stage.sun[0], rough, s.h + s.rise))


def _mountains(stage: Stage) -> None:
    s = stage.setup
    add_sky(stage)
    ground, rock = earth("rock", s.plan.looks)
    snow = 0.75 if "snowy" in s.plan.looks else 0.42
    u, hz = s.h / 720, s.horizon
    common = {"ground": ground, "rock": rock}
    add_slab(
        stage, "far", Slab(hz + 30 * u, 235 * u, 60 * u, 400, depth=0.12, fog=0.60, snow=snow, valley=0.35, **common)
    )  # type: ignore[arg-type]
    add_slab(
        stage,
        "mid",
        Slab(hz + 70 * u, 245 * u, 110 * u, 560, depth=0.26, fog=0.30, snow=snow * 0.8, valley=0.6, **common),
    )  # type: ignore[arg-type]
    wood, low = earth("wood", s.plan.looks)
    add_slab(stage, "near", Slab(hz + 130 * u, 150 * u, 160 * u, 500, wood, low, 0.55, 0.08, ridged=False, valley=0.4))
