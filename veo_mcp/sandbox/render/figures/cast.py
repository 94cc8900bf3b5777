"""Who stands where: the prompt's subjects made into actors with a size, a path and a pace that fits the ground.

Called by scene.build after the place is built; cast.toml has the measures. Pictures through a cycle are drawn when a shot
is set up, one for each frame. Feet and wheels keep pace with the ground, and whoever is named stays in the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas import shapes
from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import Frame, Rgb, Sprite, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.canvas.palette import COLOURS
from veo_mcp.sandbox.render.canvas.pen import Pen
from veo_mcp.sandbox.render.figures import walkers
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.tables import read_table

Draw = Callable[[Pen, float], None]
FPS = 24  # a cycle's pictures are as many as its frames
MAX_POSES, ROLLS = 60, 13
SHOT = 8.0  # seconds for which whoever is named stays in the frame
CROSSING = 0.64  # how much of the frame's width one crosses in that time, at most
SLOWEST = 0.8  # of the natural pace; who would have to be slower is drawn smaller
FRAMED = {"close": 1.55, "wide": 0.62}  # how large figures are, by framing
ABREAST = 0.72  # of the frame's width that a group takes up at most
LARGE = 240  # pixels from which a sprite needs two quarter-pixel phases only
SCHOOL = ((1.0, 0.2), (0.65, 0.35), (0.4, 0.45))  # sizes within a school, and how many are of each


@dataclass(frozen=True, slots=True)
class Role:
    """One figure's measures; cast.toml says what each means."""

    size: float
    wide: float
    tall: float
    poses: int = 1
    row: str = "ground"
    at: tuple[float, float] = (0.24, 1.0)
    middle: float = 0.0
    below: float = 0.06
    most: float = 0.52
    stride: float = 0.0
    rate: float = 0.0
    planted: bool = True
    shadow: float = 0.0
    speed: float = 0.0
    rise: float = 0.0
    depth: float = 0.0
    bob: float = 0.0
    bob_rate: float = 0.31
    roll: float = 0.0
    haze: float = 0.0
    lead: float = 1.0
    school: int = 0
    mirror: bool = False
    paint: tuple[str, ...] = ("brown",)
    second: tuple[str, ...] = ("f5f0e0",)
    group: tuple[tuple[float, float, float], ...] = ()

    def pace(self, unit: float) -> float:
        """Pixels a second at which it naturally covers the ground."""
        return self.size * unit * self.stride * self.rate


TABLE: dict[str, dict[str, Any]] = read_table("figures/cast.toml")
DRAWN = frozenset(TABLE)
AFLOAT = frozenset(name for name, t in TABLE.items() if t.get("row") == "water")
FLYERS = frozenset(name for name, t in TABLE.items() if t.get("row") == "sky")
GROUND_BOUND = frozenset(name for name, t in TABLE.items() if "stride" in t)
SWIMMERS = frozenset({"fish", "whale", "turtle"})


def role(subject: str, looks: frozenset[str] = frozenset()) -> Role:
    """A figure's measures, with those of the ways (running, under an umbrella) that the prompt names."""
    table = dict(TABLE[subject])
    for way, look in (("run", "fast"), ("umbrella", "umbrella")):
        table |= table.get(way, {}) if look in looks else {}
    return Role(**{f.name: table[f.name] for f in fields(Role) if f.name in table})


def gait_of(plan: Plan) -> Role | None:
    """How the shot's leading figure goes along the ground, if it does."""
    return next((role(s, plan.looks) for s in plan.subjects if s in GROUND_BOUND), None)


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


def ground_shadow(wide: float) -> Sprite:
    """Where something stands, the ground is darker."""
    w, h = max(8, int(wide) // 2 * 2), max(4, int(wide * 0.13) // 2 * 2)
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
    a = np.exp(-(x * x + y * y) * 2.4) * np.clip(1.2 - np.hypot(x, y), 0, 1) * 0.45
    return Sprite(np.zeros((h, w, 3), np.float32), a.astype(np.float32), phases=1)


class Cast:
    """Makes the actors of one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.s = stage, stage.setup
        s = self.s
        self.side = 1 if stage.sun[0] > s.w / 2 else -1
        low, night = s.pal.time_is_low and s.pal.disc, s.pal.night > 0.5
        # against a low sun figures are dark, but for their edges; by lamps one is seen better than under the open sky
        r, g, b = s.lit((1, 1, 1), 0.12 if low else 0.55)
        least = 1.0 if s.plan.place == "space" else 0.8 if s.plan.place in {"street", "city"} else 0.5 if night else 0.0
        self.light: Rgb = (max(r, least), max(g, least * 0.97), max(b, least * 0.95))
        cool: Rgb = (0.5, 0.6, 0.85)
        self.rim = (1.0, 0.45, 0.85) if "neon" in s.plan.looks else cool if s.pal.moon else s.lit((1, 1, 1), 1.0)
        self.rim_power = 0.55 if low or night else 0.28
        self.unit = s.u * stage.actor * FRAMED.get(s.plan.framing, 1.0)

    def drawing(self, subject: str, k: int, rng: np.random.Generator) -> Draw:
        """How the `k`th figure of a subject is drawn."""
        looks, paint = self.s.plan.looks, self.s.plan.paint(subject)
        if subject == "person":
            said = {"woman", "man"} & looks
            woman = "woman" in said if len(said) == 1 else None
            dress = walkers.dressed(rng, woman=woman, umbrella="umbrella" in looks)
            worn = {"coat": paint, "canopy": self.s.plan.paint("umbrella")}
            dress = replace(dress, **{part: COLOURS[colour] for part, colour in worn.items() if colour})
            return partial(walkers.walker, dress=dress, run="fast" in looks and "umbrella" not in looks)
        if subject in walkers.BEASTS:
            made = walkers.BEASTS[subject]
            made = replace(made, coat=COLOURS[paint]) if paint else made
            return partial(walkers.beast, b=made, run="fast" in looks and "run" in TABLE[subject])
        part, one = role(subject), int(rng.integers(60)) + k
        name, second = paint or part.paint[one % len(part.paint)], part.second[one % len(part.second)]
        return partial(
            shapes.draw,
            name=subject,
            paint=COLOURS.get(name) or hexa(name),
            second=hexa(second),
            night=self.s.pal.night > 0.3,
        )

    def pictures(
        self, draw: Draw, part: Role, size: float, *, poses: int, haze: float
    ) -> tuple[list[Sprite], list[Sprite], list[float]]:
        """The cycle's pictures, their mirror images, and for each where the feet are."""
        out, mirrored, feet = list[Sprite](), list[Sprite](), list[float]()
        roll = part.roll * (2.8 if self.s.plan.weather == "storm" else 1.0)
        for k in range(ROLLS if roll else poses):
            pen = Pen(size, part.wide, part.tall, part.below, roll * (1.4 * k / (ROLLS - 1) - 1.0) if roll else 0.0)
            draw(pen, 0.0 if roll else k / poses)
            rgb, solid = pen.shaded(self.light, self.rim, self.side, strength=self.rim_power)
            rgb = rgb + (vec(self.s.pal.haze) - rgb) * np.float32(haze)
            out.append(Sprite(rgb, solid, phases=4 if size < LARGE else 2))
            feet.append(float(out[-1].lowest) if part.stride and part.planted else pen.h - part.below * size)
            if part.mirror:
                fall = np.linspace(0.42, 0.08, pen.h, dtype=np.float32)[:, None]
                mirrored.append(Sprite(rgb[::-1], solid[::-1] * fall, phases=1))
        return out, mirrored, feet

    def add(self, actor: Actor) -> None:
        self.stage.items.insert(len(self.stage.items) if self.stage.slot is None else self.stage.slot, actor)

    def across(self, subject: str) -> None:
        """Who moves along the ground, to the right, and others like it."""
        s, depth, part = self.s, self.stage.walk_depth, role(subject, self.s.plan.looks)
        rng, members = stream(s.key, "actor-" + subject), self._members(subject, part, None)
        size = min(part.size * self.unit, s.w * ABREAST / _span(members))
        natural, follows = size * part.stride * part.rate, s.camera.move == "tracking"
        if follows:
            speed = (s.camera.at(1).x - s.camera.at(0).x) * depth + s.w * 0.012
        else:
            speed = min(natural, s.w * CROSSING / SHOT)
            size *= max(0.5, speed / (SLOWEST * natural)) if speed < SLOWEST * natural else 1.0
        poses = min(MAX_POSES, max(6, round(FPS * part.stride * size / speed)))
        x = s.w * (part.at[0] + 0.16 * follows) + s.camera.at(0).x * (depth + s.camera.at(0).pivot)
        x -= max(0.0, (max(dx for _, dx, _ in members) - 2) * size * 0.5)
        shadow, drawn = ground_shadow(size * part.shadow), None
        for k, (_, dx, _) in enumerate(members):
            if drawn is None or subject == "person":
                drawn = self.pictures(self.drawing(subject, k, rng), part, size, poses=poses, haze=0.0)
            self.add(Actor(drawn[0], drawn[2], x + dx * size, self.stage.ground, speed, depth, 7 * k, shadow=shadow))

    def aloft(self, subject: str) -> None:
        """Who floats, flies, swims or stands still, where the place carries it."""
        s, part, rng = self.s, role(subject), stream(self.s.key, "actor-" + subject)
        rows = {"ground": self.stage.ground, "frame": s.h, "sky": min(s.horizon, s.h * 0.7)}
        row = self.stage.afloat or self.stage.ground if part.row == "water" else rows[part.row]
        room, members = row if part.row == "sky" else s.h * 0.6, self._members(subject, part, rng)
        whole = min(part.size * self.unit, s.w * part.most, room / part.tall, s.w * ABREAST / _span(members))
        fx = 1 - part.at[0] if subject == "lighthouse" and self.stage.sun[0] < s.w / 2 else part.at[0]
        x = s.w * fx + s.camera.at(0).x * (part.depth + s.camera.at(0).pivot) * 0.6
        if len(members) > 1 and not part.school:
            x = min(
                max(x, (0.5 - min(dx for _, dx, _ in members)) * whole),
                s.w * 0.86 - max(dx for _, dx, _ in members) * whole,
            )
        drawn: dict[tuple[float, int], Any] = {}
        for k, (part_of, dx, dy) in enumerate(members):
            size = whole * part_of
            alike = (part_of, k % len(part.paint) if part.school or subject == "balloon" else 0)
            if alike not in drawn:
                haze = part.haze + 0.3 * (1 - part_of / part.lead) * bool(dx or dy)
                drawn[alike] = self.pictures(self.drawing(subject, k, rng), part, size, poses=part.poses, haze=haze)
            pictures, mirror, feet = drawn[alike]
            y = row * part.at[1] + dy * whole + size * part.middle
            y = max(y, size * (part.tall + 0.1)) if part.row == "sky" else y
            speed = part.speed * (1 + 0.16 * (float(rng.random()) - 0.5) * bool(part.school)) * s.w
            self.add(
                Actor(
                    pictures, feet, min(max(x + dx * whole, size * 0.5), s.w * 0.8), y, speed, part.depth, 5 * k, part.bob * s.u, part.bob_rate,
                    part.rise * s.u * part_of, 0.21 if part.roll else 0.0, mirror=mirror,
                )
            )  # fmt: skip

    def _members(self, subject: str, part: Role, rng: np.random.Generator | None) -> list[tuple[float, float, float]]:
        """How large each of them is, and how far from its leader, in the leader's sizes: as many as the prompt says."""
        said = self.s.plan.count(subject)
        if part.school and rng is not None:
            sizes = [size for size, share in SCHOOL for _ in range(round(part.school * share))][::-1]
            sizes = sizes[-said:] if said else sizes
            reach = min(self.s.w / 4 / (part.size * self.unit), 4.5)
            places = rng.normal(0, (reach * 0.5, 1.1), (len(sizes), 2))
            return [(size, float(dx), float(dy)) for size, (dx, dy) in zip(sizes, places, strict=True)]
        others = len(part.group) if said == 0 else (said or 1) - 1
        out, one_sided = [(part.lead if others else 1.0, 0.0, 0.0)], len({dx > 0 for _, dx, _ in part.group}) == 1
        for k in range(others if part.group else 0):
            # more than the group has go on in its pattern: on the leader's other side, then further away
            round_, (size, dx, dy) = k // len(part.group), part.group[k % len(part.group)]
            far = (round_ // 2 + 1) * (-1) ** round_ if one_sided else round_ + 1
            out.append((size, dx * far, dy))
        return out


def _span(members: list[tuple[float, float, float]]) -> float:
    """How wide a group is, in its leader's sizes."""
    places = [dx for _, dx, _ in members]
    return max(places) - min(places) + 1


def add_actors(stage: Stage) -> None:
    """The prompt's subjects, each with a random stream of its own: the same boat sails on under another light."""
    cast, plan = Cast(stage), stage.setup.plan
    for subject in plan.subjects:
        go = cast.across if subject in GROUND_BOUND else cast.aloft
        go(subject)
