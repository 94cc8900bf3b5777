"""Who moves on the stage: the prompt's people, animals, vehicles and boats, and a place's own passers-by.

Called by scene.build after the place is built. Chooses sizes, paths and paces; the figures are drawn in people, animals
and vehicles. Feet and wheels keep pace with the ground.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb
from veo_mcp.sandbox.render.figures import animals, people, vehicles
from veo_mcp.sandbox.render.figures.actor import Actor, Draw
from veo_mcp.sandbox.render.figures.airborne import Freely
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.water import Water


class Cast(Freely):
    """Every kind of actor, for one stage."""

    def person(
        self,
        kind: str,
        *,
        at: float | None = None,
        y: float | None = None,
        size: float = 1.0,
        haze: float = 0.0,
        left: bool | None = None,
    ) -> None:
        dress = people.dressed(self.rng, kind, self.s.plan.weather)
        run = self.fast and kind in {"person", "child"}
        height = (132 if kind == "child" else 190) * size
        robot = kind == "robot"
        if robot:
            dress = people.Dress((0.62, 0.66, 0.72), (0.45, 0.48, 0.54), (0.7, 0.74, 0.8), (0.4, 0.4, 0.45))
        if kind == "dancer":
            self.ground_actor(
                partial(people.dancer, dress=dress),
                height,
                1.1,
                1.35,
                stride=0.0,
                pace=0.55 if not self.fast else 0.9,
                at=0.42 if at is None else at,
            )
            self.stage_last().vx = 4.0
            return
        umbrella = dress.umbrella
        self.ground_actor(
            lambda pen, p: people.walker(pen, p, dress, run=run, robot=robot), height, 1.0 if not umbrella else 1.25, 1.12 if not umbrella else 1.45,
            stride=1.5 if run else 0.8, pace=1.9 if run else 0.62, at=at, y=y, haze=haze, left=left, shadow=0.6,
        )  # fmt: skip

    def stage_last(self) -> Actor:
        return [i for i in self.stage.items if isinstance(i, Actor)][-1]

    def beast(self, kind: str) -> None:
        b = animals.BEASTS[kind]
        b = replace(b, coat=PAINTS.get(self.s.plan.paint(kind), b.coat))
        run = self.fast or (kind in {"dog", "horse", "wolf"} and self.rng.random() < 0.3)
        size = {"dog": 98, "wolf": 98, "cat": 66, "horse": 178, "deer": 150, "elephant": 215, "camel": 190}[kind]
        count = 3 if kind == "camel" else 2 if kind == "elephant" else 1
        for k in range(count):
            self.ground_actor(
                lambda pen, p: animals.beast(pen, p, b, run=run), size * (1 - 0.16 * (k % 2)), 2.5, 1.95 if b.extra in {"antlers", "mane", "hump"} else 1.6,
                stride=2.5 if run else 1.05, pace=2.2 if run else 0.62, shadow=1.25, at=(0.2 + 0.22 * k) if count > 1 else None,
                y=self.stage.ground - 8 * (k % 2) * self.s.u, left=False if count > 1 else None, count=10 if count > 1 else 0,
            )  # fmt: skip

    def vehicle(self, kind: str) -> None:
        c: Rgb = [(0.72, 0.14, 0.12), (0.16, 0.34, 0.58), (0.86, 0.62, 0.14), (0.8, 0.8, 0.82), (0.14, 0.4, 0.34)][
            int(self.rng.integers(5))
        ]
        night = self.s.pal.night > 0.3
        c = PAINTS.get(self.s.plan.paint(kind), c)
        if kind == "taxi":
            kind, c = "car", PAINTS["yellow"]
        dress = people.dressed(self.rng, "person", "")
        match kind:
            case "car":
                self.ground_actor(
                    lambda pen, p: vehicles.car(pen, p, c, night),
                    330,
                    1.1,
                    0.5,
                    stride=0.58,
                    pace=0.75,
                    shadow=1.1,
                    left=False,
                )
            case "bus":
                self.ground_actor(
                    lambda pen, p: vehicles.bus(pen, p, c, night),
                    520,
                    1.1,
                    0.52,
                    stride=0.44,
                    pace=0.4,
                    shadow=1.1,
                    left=False,
                )
            case "train":
                far = self.stage.far
                slot, self.stage.slot = self.stage.slot, far[0] if far else self.stage.slot
                self.ground_actor(
                    lambda pen, p: vehicles.train(pen, p, c, night), 330 if far else 500, 3.2, 0.34, stride=0.25, pace=0.5, at=0.25,
                    left=False, shadow=3.0, y=far[1] if far else None, depth=0.6 if far else 0.9, count=6,
                )  # fmt: skip
                self.stage.slot = slot
            case _:
                self.ground_actor(
                    lambda pen, p: people.cyclist(pen, p, dress),
                    158,
                    1.3,
                    1.25,
                    stride=1.5,
                    pace=0.95,
                    shadow=1.1,
                    left=False,
                )

    def afloat(self, kind: str) -> None:
        s = self.s
        hz = s.horizon
        big = kind == "ship"
        size = (420 if big else 230) * s.u
        c: Rgb = [(0.36, 0.16, 0.12), (0.14, 0.2, 0.34), (0.9, 0.9, 0.92), (0.5, 0.12, 0.12)][int(self.rng.integers(4))]
        c = PAINTS.get(s.plan.paint(kind), c)
        sail: Rgb = [(0.96, 0.94, 0.88), (0.92, 0.36, 0.24), (0.95, 0.9, 0.76)][int(self.rng.integers(3))]
        draw: Draw = (
            (lambda pen, p: vehicles.ship(pen, c, s.pal.night > 0.3))
            if big
            else (lambda pen, p: vehicles.sailboat(pen, c, sail))
        )
        roll = 0.8 if big else 3.2 if s.plan.weather != "storm" else 9.0
        tilts = tuple(float(v) for v in np.linspace(-roll, roll * 0.4, 9))
        y = hz + (s.h - hz) * (0.12 if big else 0.27)
        pictures, mirror, foot = self.pictures(
            draw, size, 1.25, 0.6 if big else 1.06, below=0.03, tilts=tilts, mirror=True, haze=0.12 if big else 0.0
        )
        at = 0.3 if stage_sun(self.stage) > s.w / 2 else 0.62
        speed = (8 if big else 11) * s.u
        depth = 0.3
        if self.track:
            speed = (s.camera.at(1).x - s.camera.at(0).x) * depth + 6
        x = s.w * at + s.camera.at(0).x * (depth + s.camera.at(0).pivot) * 0.6
        self.add(
            Actor(pictures, x, y, speed, 0.21, depth, foot, bob=(2.5 if big else 3.5) * s.u, swing=True, mirror=mirror)
        )


PAINTS: dict[str, Rgb] = {
    "red": (0.78, 0.12, 0.1),
    "blue": (0.14, 0.3, 0.66),
    "yellow": (0.95, 0.76, 0.14),
    "green": (0.14, 0.46, 0.26),
    "white": (0.92, 0.92, 0.93),
    "black": (0.08, 0.08, 0.1),
    "grey": (0.62, 0.64, 0.68),
    "orange": (0.9, 0.5, 0.16),
    "purple": (0.42, 0.22, 0.56),
    "pink": (0.93, 0.56, 0.68),
    "gold": (0.86, 0.68, 0.3),
    "brown": (0.42, 0.27, 0.16),
}


def stage_sun(stage: Stage) -> float:
    return stage.sun[0]


def add_actors(stage: Stage) -> None:
    """The prompt's subjects, as far as the place can hold them, and what lives there anyway."""
    cast, s = Cast(stage), stage.setup
    place, subjects = s.plan.place, s.plan.subjects
    water = any(isinstance(i, Water) for i in stage.items) and place in {"sea", "beach", "lake", "river", "city"}
    if (
        place in {"sea", "mountain", "park", "desert", "city"}
        and s.pal.night < 0.9
        and s.plan.weather not in {"storm", "snow"}
        and "bird" not in subjects
    ):
        cast.birds(5, 22, 0.4, (0.24, 0.24, 0.28))
    if place == "underwater" and not {"whale", "fish"} & set(subjects):
        cast.swimmers("fish")
    if place == "street" and not {"car", "bus"} & set(subjects):
        _passers_by(cast)
    if "dancer" in subjects:
        subjects = tuple(k for k in subjects if k not in {"person", "child"})
    for kind in subjects:
        _place(cast, kind, place, water)


def _passers_by(cast: Cast) -> None:
    s = cast.s
    for k in range(3):
        cast.person("person", at=0.12 + 0.27 * k, y=s.horizon + 24 * s.u, size=0.62, haze=0.06, left=bool(k % 2))
    cast.vehicle("car")
    last = cast.stage_last()
    last.y = s.h * 0.845


def _place(cast: Cast, kind: str, place: str, water: bool) -> None:
    s = cast.s
    # each kind has its own stream: the same boat sails on under another light
    cast.rng = s.rng("actor-" + kind)
    if kind in {"person", "child", "robot", "dancer"} and place in {"space"}:
        kind = "astronaut"
    if place == "underwater" and kind not in {"whale", "turtle", "jellyfish", "shark"}:
        kind = "fish" if kind in {"fish", "bird"} else "turtle" if kind == "person" else ""
    match kind:
        case "person" | "child" | "robot" | "dancer":
            cast.person(kind)
        case "couple":
            cast.person("person", at=0.3, left=False)
            cast.person("person", at=0.36, left=False)
        case "dog" | "cat" | "horse" | "deer" | "wolf" | "elephant" | "camel":
            if place != "space":
                cast.beast(kind)
        case "car" | "taxi" | "bus" | "bicycle" | "train":
            if place not in {"space", "room"}:
                cast.vehicle(kind)
        case "boat" | "ship":
            if water:
                cast.afloat(kind)
        case "plane" | "balloon" | "rocket":
            if place != "room":
                cast.aloft(kind)
        case "bird":
            cast.birds(7, 64, 0.5, (0.9, 0.9, 0.92) if place == "sea" else (0.34, 0.27, 0.22))
        case "astronaut":
            pictures, _, foot = cast.pictures(
                lambda pen, p: people.astronaut(pen, p),
                300 * s.u,
                1.3,
                1.25,
                count=16,
                light=(1, 1, 1) if place == "space" else None,
            )
            y = s.h * 0.72 if place == "space" else cast.stage.ground
            cast.add(Actor(pictures, s.w * 0.3, y, 9 * s.u, 0.13, 0.5, foot, wave=16 if place == "space" else 4))
        case "fish" | "shark" | "whale" | "turtle" | "jellyfish":
            if place == "underwater":
                cast.swimmers(kind)
            elif place == "sea" and kind == "whale":
                pictures, _, foot = cast.pictures(
                    partial(animals.whale, c=(0.2, 0.26, 0.34)), 330 * s.u, 1.62, 0.8, tilts=(-16, -8, 0, 8, 16)
                )
                cast.add(
                    Actor(
                        pictures,
                        s.w * 0.32,
                        s.horizon + 120 * s.u,
                        s.w * 0.02,
                        0.16,
                        0.3,
                        foot,
                        bob=22 * s.u,
                        swing=True,
                    )
                )
        case "lighthouse":
            pictures, _, foot = cast.pictures(
                lambda pen, p: vehicles.lighthouse(pen, (0.78, 0.2, 0.17)), 330 * s.u, 1.0, 1.0, count=1
            )
            cast.add(
                Actor(
                    pictures,
                    s.w * (0.9 if stage_sun(cast.stage) > s.w / 2 else 0.1),
                    s.horizon + 34 * s.u,
                    0,
                    1,
                    0.2,
                    foot,
                )
            )
        case "butterfly":
            for k in range(5):
                c: Rgb = [(0.95, 0.6, 0.15), (0.4, 0.6, 0.95), (0.95, 0.9, 0.4)][k % 3]
                c = PAINTS.get(s.plan.paint(kind), c)
                pictures, _, foot = cast.pictures(partial(animals.butterfly, c=c), 56 * s.u, 1.1, 1.0, count=8)
                cast.add(
                    Actor(
                        pictures,
                        s.w * (0.15 + 0.15 * k),
                        s.h * (0.55 + 0.06 * (k % 3)),
                        22,
                        3.2,
                        0.6,
                        foot,
                        wave=26,
                        bob=14,
                        phase=k * 0.31,
                    )
                )
        case _:
            pass
