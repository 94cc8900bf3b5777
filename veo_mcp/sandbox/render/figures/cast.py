"""Who stands where: the prompt's subjects made into actors with a size, a path and a pace that fits the ground.

Called by scene.build after the place is built. Pictures through a cycle are drawn when a shot is set up, one for each
frame; per frame one is placed. Feet and wheels keep pace with the ground, and whoever is named stays in the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import Frame, Rgb, Sprite, vec
from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.canvas.pen import Pen
from veo_mcp.sandbox.render.figures import animals, people, shapes
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery.stage import Stage

Draw = Callable[[Pen, float], None]

FPS = 24  # a cycle's pictures are as many as its frames
MAX_POSES = 60
SHOT = 8.0  # seconds for which whoever is named stays in the frame
CROSSING = 0.64  # how much of the frame's width one crosses in that time, at most
SLOWEST = 0.8  # of the natural pace; who would have to be slower is drawn smaller
FRAMED = {"close": 1.55, "wide": 0.62}  # how large figures are, by framing
LARGE = 240  # pixels from which a sprite needs two quarter-pixel phases only

PAINTS: dict[str, Rgb] = {
    "red": (0.78, 0.12, 0.1), "orange": (0.9, 0.45, 0.1), "yellow": (0.95, 0.76, 0.14), "green": (0.14, 0.46, 0.26),
    "blue": (0.14, 0.3, 0.66), "purple": (0.42, 0.2, 0.55), "pink": (0.9, 0.5, 0.62), "white": (0.92, 0.92, 0.93),
    "black": (0.08, 0.08, 0.1), "grey": (0.62, 0.64, 0.68), "gold": (0.8, 0.62, 0.2), "brown": (0.4, 0.26, 0.16),
}  # fmt: skip
CARS, HULLS = ("red", "blue", "yellow", "white", "green"), ("brown", "blue", "white", "red")
SAILS: list[Rgb] = [(0.96, 0.94, 0.88), (0.92, 0.36, 0.24), (0.95, 0.9, 0.76)]
FISHES: list[Rgb] = [(0.95, 0.55, 0.18), (0.95, 0.82, 0.25), (0.3, 0.55, 0.9), (0.85, 0.35, 0.5)]
JELLIES: list[Rgb] = [(0.9, 0.6, 0.85), (0.6, 0.75, 1.0), (0.95, 0.75, 0.6)]
CANVASES: list[tuple[Rgb, Rgb]] = [
    ((0.85, 0.25, 0.2), (0.98, 0.85, 0.55)), ((0.2, 0.4, 0.65), (0.95, 0.92, 0.85)), ((0.9, 0.6, 0.15), (0.5, 0.2, 0.4))
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gait:
    """How one moves along the ground: the size in pixels of the measure it is drawn in, what a cycle covers (in measures),
    and how many cycles a second are natural."""

    size: float
    wide: float
    tall: float
    stride: float
    rate: float
    planted: bool = True


ON_FOOT = {"person": Gait(220, 1.1, 1.2, 0.8, 0.8), "runner": Gait(200, 1.2, 1.2, 1.5, 1.3, planted=False)}
UNDER_UMBRELLA = Gait(220, 1.35, 1.45, 0.8, 0.8)
WALKING = {
    "dog": Gait(120, 2.4, 1.5, 1.05, 1.0), "horse": Gait(180, 2.4, 1.85, 1.05, 0.75), "camel": Gait(175, 2.3, 1.75, 1.05, 0.6),
    "elephant": Gait(215, 2.4, 1.5, 1.05, 0.5),
}  # fmt: skip
RUNNING = {"dog": Gait(112, 2.5, 1.6, 2.5, 1.3, planted=False), "horse": Gait(165, 2.6, 1.9, 2.5, 1.0, planted=False)}
ROLLING = {"car": Gait(330, 1.12, 0.5, 0.58, 1.2), "train": Gait(300, 5.1, 0.36, 0.5, 1.3)}
GROUND_BOUND = frozenset({*WALKING, *ROLLING, "person"})
SWIMMERS, FLYERS, AFLOAT = (
    frozenset({"fish", "whale", "turtle", "jellyfish"}),
    frozenset({"bird", "plane", "balloon"}),
    frozenset({"boat", "ship"}),
)
#: every subject that can be drawn; the vocabulary names no other (cup, planet: scenery; the lighthouse stands on its rock)
DRAWN = GROUND_BOUND | SWIMMERS | FLYERS | AFLOAT | {"astronaut", "lighthouse", "cup", "planet"}


def gait_of(plan: Plan) -> Gait | None:
    """How the shot's leading figure goes along the ground, if it does."""
    fast = "fast" in plan.looks
    for subject in plan.subjects:
        if subject == "person":
            return UNDER_UMBRELLA if "umbrella" in plan.looks else ON_FOOT["runner" if fast else "person"]
        if subject in GROUND_BOUND:
            return RUNNING.get(subject, WALKING.get(subject)) if fast else WALKING.get(subject) or ROLLING[subject]
    return None


def pace(gait: Gait, unit: float) -> float:
    """Pixels a second at which this gait covers the ground."""
    return gait.size * unit * gait.stride * gait.rate


@dataclass(slots=True)
class Actor:
    """One figure: its pictures through a cycle, and its path. (x, y) is where it stands, in the middle of its feet."""

    pictures: list[Sprite]
    feet: list[float]  # rows from each picture's top to where it stands
    x: float
    y: float
    vx: float
    depth: float
    phase: int = 0
    bob: float = 0.0
    bob_rate: float = 0.31
    rise: float = 0.0
    swing: float = 0.0  # the pictures go to and fro (a boat's roll) so many times a second, instead of round
    shadow: Sprite | None = None
    mirror: list[Sprite] = field(default_factory=list[Sprite])

    def shown(self, t: float) -> int:
        """Which picture is shown."""
        n = len(self.pictures)
        if self.swing:
            return round((0.5 + 0.5 * float(np.sin(2 * np.pi * (self.swing * t) + self.phase))) * (n - 1))
        return (round(t * FPS) + self.phase) % n

    def where(self, t: float, view: View) -> tuple[float, float]:
        """Where it stands on the screen."""
        x = self.x + self.vx * t - view.x * (self.depth + view.pivot)
        return x, self.y + view.tilt + view.y * self.depth + self.rise * t

    def draw(self, frame: Frame, t: float, view: View) -> None:
        i, (x, y) = self.shown(t), self.where(t, view)
        floating = y + self.bob * float(np.sin(2 * np.pi * self.bob_rate * t + self.phase))
        picture, foot = self.pictures[i], self.feet[i]
        left = x - picture.w / 2
        if self.shadow:
            self.shadow.draw(frame, x - self.shadow.w / 2, y - self.shadow.h / 2)
        if self.mirror:
            # the mirror image begins where the figure meets the water
            self.mirror[i].draw(frame, left + 1.5 * float(np.sin(3 * t)), floating - (picture.h - foot) + 2)
        picture.draw(frame, left, floating - foot)


class Cast:
    """Makes the actors of one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.s = stage, stage.setup
        s = self.s
        self.rng = s.rng("actors")
        self.side = 1 if stage.sun[0] > s.w / 2 else -1
        low, night = s.pal.time_is_low and s.pal.disc, s.pal.night > 0.5
        # against a low sun figures are dark, but for their edges
        r, g, b = s.lit((1, 1, 1), 0.12 if low else 0.55)
        # by lamps and shop windows one is seen better than under the open sky
        least = 0.8 if s.plan.place in {"street", "city"} else 0.5
        self.light: Rgb = (max(r, least), max(g, least * 0.97), max(b, least * 0.95)) if night else (r, g, b)
        self.rim: Rgb = (
            (1.0, 0.45, 0.85) if "neon" in s.plan.looks else (0.5, 0.6, 0.85) if s.pal.moon else s.lit((1, 1, 1), 1.0)
        )
        self.rim_power = 0.55 if low or night else 0.28
        self.unit = s.u * stage.actor * FRAMED.get(s.plan.framing, 1.0)

    def paint(self, subject: str, options: tuple[str, ...]) -> Rgb:
        return PAINTS[self.s.plan.paint(subject) or options[int(self.rng.integers(len(options)))]]

    def pictures(
        self, draw: Draw, size: float, wide: float, tall: float, *, poses: int, below: float = 0.06, haze: float = 0.0,
        tilts: tuple[float, ...] = (), light: Rgb | None = None, mirror: bool = False, alpha: float = 1.0,
    ) -> tuple[list[Sprite], list[Sprite], list[float]]:  # fmt: skip
        """The cycle's pictures, their mirror images, and for each where the feet are."""
        out: list[Sprite] = []
        mirrored: list[Sprite] = []
        feet: list[float] = []
        for k in range(len(tilts) or poses):
            pen = Pen(size, wide, tall, below, tilts[k] if tilts else 0.0)
            draw(pen, 0.0 if tilts else k / poses)
            rgb, solid = pen.shaded(light or self.light, self.rim, self.side, strength=self.rim_power)
            if haze:
                rgb = rgb + (vec(self.s.pal.haze) - rgb) * np.float32(haze)
            out.append(Sprite(rgb, solid * np.float32(alpha), phases=4 if size < LARGE else 2))
            feet.append(pen.h - below * size)
            if mirror:
                fall = np.linspace(0.42, 0.08, pen.h, dtype=np.float32)[:, None]
                mirrored.append(Sprite(rgb[::-1], solid[::-1] * fall, phases=1))
        return out, mirrored, feet

    def add(self, actor: Actor) -> None:
        self.stage.items.insert(len(self.stage.items) if self.stage.slot is None else self.stage.slot, actor)

    def across(self, draw: Draw, gait: Gait, *, at: float, shadow: float, behind: tuple[float, ...] = ()) -> None:
        """Someone who moves along the ground, to the right; others like it follow, so many measures `behind`."""
        s, depth = self.s, self.stage.walk_depth
        size = gait.size * self.unit
        natural = size * gait.stride * gait.rate
        follows = s.camera.move == "tracking"
        if follows:
            speed = (s.camera.at(1).x - s.camera.at(0).x) * depth + s.w * 0.012
        else:
            speed = min(natural, s.w * CROSSING / SHOT)
            if speed < SLOWEST * natural:
                size *= max(0.5, speed / (SLOWEST * natural))
        poses = min(MAX_POSES, max(6, round(FPS * gait.stride * size / speed)))
        pictures, _, feet = self.pictures(draw, size, gait.wide, gait.tall, poses=poses)
        if gait.planted:
            feet = [float(p.lowest) for p in pictures]
        x = s.w * (at + 0.16 if follows else at) + s.camera.at(0).x * (depth + s.camera.at(0).pivot)
        patch = self._shadow(size * shadow)
        for k, back in enumerate((0.0, *behind)):
            self.add(Actor(pictures, feet, x - back * size, self.stage.ground, speed, depth, 7 * k, shadow=patch))

    def _shadow(self, wide: float) -> Sprite:
        """Where a figure stands, the ground is darker."""
        w, h = max(8, int(wide) // 2 * 2), max(4, int(wide * 0.13) // 2 * 2)
        y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
        a = (
            np.exp(-(x * x + y * y) * 2.4)
            * np.clip(1.2 - np.hypot(x, y), 0, 1)
            * (0.5 if self.s.pal.night < 0.9 else 0.4)
        )
        return Sprite(np.zeros((h, w, 3), np.float32), a.astype(np.float32), phases=1)

    def person(self, *, many: bool) -> None:
        plan = self.s.plan
        said = {"woman", "man"} & plan.looks
        woman = None if len(said) != 1 else "woman" in said
        gait = gait_of(plan) or ON_FOOT["person"]
        for k in range(2 if many else 1):
            dress = people.dressed(self.rng, woman=woman, umbrella="umbrella" in plan.looks)
            self.across(
                partial(people.walker, dress=dress, run=gait is ON_FOOT["runner"]), gait, at=0.2 - 0.08 * k, shadow=0.55
            )

    def beast(self, kind: str, *, many: bool) -> None:
        run = "fast" in self.s.plan.looks and kind in RUNNING
        beast, coat = animals.BEASTS[kind], self.s.plan.paint(kind)
        draw = partial(animals.beast, b=replace(beast, coat=PAINTS[coat]) if coat else beast, run=run)
        gait = RUNNING[kind] if run else WALKING[kind]
        herd = (-0.82 * gait.wide, 0.86 * gait.wide) if many else ()
        self.across(draw, gait, at=0.24, shadow=1.3, behind=herd)

    def vehicle(self, kind: str) -> None:
        draw = partial(shapes.draw, name=kind, paint=self.paint(kind, CARS), night=self.s.pal.night > 0.3)
        if kind == "car":
            self.across(draw, ROLLING[kind], at=0.24, shadow=1.15)
        else:
            # its nose is in the frame, its tail far behind
            nose = 2.5 * ROLLING[kind].size * self.unit / self.s.w
            self.across(draw, ROLLING[kind], at=(0.66 if self.s.camera.move == "tracking" else 0.4) - nose, shadow=5.2)

    def boat(self, kind: str) -> None:
        s, big = self.s, kind == "ship"
        row = self.stage.afloat
        if row is None:
            return
        size = min((400 if big else 230) * self.unit, s.w * 0.5)
        paint, sail = self.paint(kind, HULLS), SAILS[int(self.rng.integers(len(SAILS)))]
        roll = 0.8 if big else 9.0 if s.plan.weather == "storm" else 3.2
        tilts = tuple(float(v) for v in np.linspace(-roll, roll * 0.4, 13))
        draw = partial(shapes.draw, name=kind, paint=paint, second=sail, night=s.pal.night > 0.3)
        pictures, mirror, feet = self.pictures(
            draw,
            size,
            1.25,
            0.6 if big else 1.06,
            poses=1,
            below=0.03,
            tilts=tilts,
            mirror=True,
            haze=0.12 if big else 0.0,
        )
        depth = 0.3
        speed = (s.camera.at(1).x - s.camera.at(0).x) * depth + 6 if s.camera.move == "tracking" else 10 * s.u
        at = 0.3 if self.stage.sun[0] > s.w / 2 else 0.6 if s.w > s.h else 0.46
        x = s.w * at + s.camera.at(0).x * (depth + s.camera.at(0).pivot) * 0.6
        y = row - (row - s.horizon) * (0.4 if big else 0.0)
        self.add(Actor(pictures, feet, x, y, speed, depth, bob=(2 if big else 3) * s.u, swing=0.21, mirror=mirror))

    def fly(self, kind: str, *, many: bool) -> None:
        s = self.s
        sky = min(s.horizon, s.h * 0.7)
        if kind == "plane":
            size = min(360 * self.unit, s.w * 0.5)
            pictures, _, feet = self.pictures(
                partial(shapes.draw, name="plane", paint=self.paint(kind, ("red", "blue"))), size, 1.2, 0.8, poses=1
            )
            self.add(Actor(pictures, feet, s.w * 0.24, sky * 0.5 + size * 0.4, s.w * 0.055, 0.25, bob=4, rise=-5 * s.u))
        elif kind == "balloon":
            # one near, and where there are several two more farther away; they rise slowly
            for k, (size, fx, fy) in enumerate(
                ((270, 0.34, 0.9), (120, 0.7, 0.62), (74, 0.54, 0.42))[: 3 if many else 1]
            ):
                paint, second = CANVASES[k]
                draw = partial(shapes.draw, name="balloon", paint=paint, second=second)
                size = min(size * self.unit, sky * 0.8)
                pictures, _, feet = self.pictures(draw, size, 0.8, 1.05, poses=1, haze=0.06 + 0.14 * k)
                self.add(
                    Actor(
                        pictures,
                        feet,
                        s.w * fx,
                        max(sky * fy, size * 1.16),
                        7 * s.u,
                        0.34 - 0.1 * k,
                        bob=5,
                        bob_rate=0.14,
                        rise=-5 * s.u / (k + 1),
                        phase=k,
                    )
                )
        else:
            size = (64 if many else 120) * self.unit
            pictures, _, feet = self.pictures(
                partial(animals.bird, c=(0.34, 0.28, 0.24)), size, 1.15, 1.15, poses=16, haze=0.08
            )
            for k in range(7 if many else 1):
                row = (k + 1) // 2 * (1 if k % 2 else -1)
                x = s.w * 0.32 - abs(row) * size * 1.25 + float(self.rng.normal(0, size * 0.2))
                y = sky * 0.5 + row * size * 0.42 + float(self.rng.normal(0, size * 0.16))
                self.add(Actor(pictures, feet, x, y + size * 0.5, s.w * 0.055, 0.12, phase=5 * k, bob=6))

    def swim(self, kind: str, *, many: bool) -> None:
        s, rng = self.s, self.rng
        match kind:
            case "whale":
                size = min(560 * self.unit, s.w * 0.52)
                pictures, _, feet = self.pictures(
                    partial(animals.whale, c=(0.3, 0.4, 0.52)), size, 1.62, 0.8, poses=24, haze=0.16
                )
                self.add(
                    Actor(pictures, feet, s.w * 0.43, s.h * 0.46 + size * 0.5, s.w * 0.022, 0.3, bob=10, bob_rate=0.1)
                )
            case "turtle":
                size = min(290 * self.unit, s.w * 0.5)
                pictures, _, feet = self.pictures(
                    partial(animals.turtle, c=(0.34, 0.42, 0.24)), size, 1.2, 0.9, poses=24
                )
                self.add(
                    Actor(
                        pictures,
                        feet,
                        s.w * 0.3,
                        s.h * 0.48 + size * 0.45,
                        s.w * 0.045,
                        0.4,
                        bob=10,
                        bob_rate=0.15,
                        rise=-3,
                    )
                )
            case "jellyfish":
                for k in range(5 if many else 2):
                    size = (100 + 70 * float(rng.random())) * self.unit
                    draw = partial(animals.jellyfish, c=JELLIES[k % len(JELLIES)])
                    pictures, _, feet = self.pictures(
                        draw, size, 0.9, 1.05, poses=32, light=(1, 1, 1), alpha=0.8, haze=0.06 * k
                    )
                    x, y = (0.12 + 0.19 * k if many else 0.35 + 0.3 * k), float(rng.uniform(0.45, 0.8))
                    self.add(Actor(pictures, feet, s.w * x, s.h * y, 5, 0.3, phase=7 * k, bob=7, bob_rate=0.2, rise=-6))
            case _:
                for size, count, far in ((62, 5, 0.08), (40, 9, 0.26), (24, 12, 0.44)):
                    size *= self.unit
                    draw = partial(animals.fish, c=FISHES[int(rng.integers(len(FISHES)))])
                    pictures, _, feet = self.pictures(draw, size, 1.5, 1.0, poses=12, haze=far)
                    cx, cy = s.w * float(rng.uniform(0.25, 0.4)), s.h * float(rng.uniform(0.38, 0.62))
                    for _ in range(count):
                        x = max(cx + float(rng.normal(0, min(size * 2.6, s.w * 0.12))), size)
                        y = cy + float(rng.normal(0, min(size * 1.1, s.h * 0.1)))
                        speed = s.w * 0.042 * float(rng.uniform(0.92, 1.08))
                        self.add(
                            Actor(pictures, feet, x, y, speed, 0.3, phase=int(rng.integers(12)), bob=6, bob_rate=0.2)
                        )

    def astronaut(self) -> None:
        s = self.s
        light = (1.0, 1.0, 1.0) if s.plan.place in {"space", ""} else None
        size = min(300 * self.unit, s.w * 0.4, s.h * 0.56)
        pictures, _, feet = self.pictures(people.astronaut, size, 1.3, 1.25, poses=40, light=light)
        self.add(Actor(pictures, feet, s.w * 0.32, s.h * 0.46 + size * 0.6, 8 * s.u, 0.5, bob=14, bob_rate=0.12))

    def lighthouse(self) -> None:
        s = self.s
        draw = partial(shapes.draw, name="lighthouse", paint=self.paint("lighthouse", ("red",)))
        size = min(360 * self.unit, s.h * 0.54)
        pictures, _, feet = self.pictures(draw, size, 1.05, 1.0, poses=1)
        row = s.horizon + 30 * s.u if self.stage.afloat else self.stage.ground
        self.add(Actor(pictures, feet, s.w * (0.26 if self.stage.sun[0] > s.w / 2 else 0.74), row, 0, 0.3))


def add_actors(stage: Stage) -> None:
    """The prompt's subjects, each with a random stream of its own: the same boat sails on under another light."""
    cast, plan = Cast(stage), stage.setup.plan
    for subject in plan.subjects:
        cast.rng = stream(stage.setup.key, "actor-" + subject)
        many = subject in plan.many
        if subject in WALKING:
            cast.beast(subject, many=many)
        elif subject in ROLLING:
            cast.vehicle(subject)
        elif subject in AFLOAT:
            cast.boat(subject)
        elif subject in FLYERS:
            cast.fly(subject, many=many)
        elif subject in SWIMMERS:
            cast.swim(subject, many=many)
        elif subject == "person":
            cast.person(many=many)
        elif subject == "astronaut":
            cast.astronaut()
        elif subject == "lighthouse":
            cast.lighthouse()
