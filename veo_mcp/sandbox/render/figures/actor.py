"""An actor on the stage, and what it takes to make one: pictures through a cycle, a path, a pace that fits the ground.

Called by actors.py, which knows the kinds. Pictures are drawn when a shot is set up; per frame one is placed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import Frame, Rgb, Sprite
from veo_mcp.sandbox.render.canvas.pen import Pen
from veo_mcp.sandbox.render.scenery.stage import Stage

Draw = Callable[[Pen, float], None]


@dataclass(slots=True)
class Actor:
    """One figure: its pictures through a cycle, and its path. (x, y) is where it stands, at the middle of its feet."""

    pictures: list[Sprite]
    x: float
    y: float
    vx: float
    rate: float
    depth: float
    foot: float  # rows from the sprite's top to where it stands
    bob: float = 0.0
    rise: float = 0.0
    phase: float = 0.0
    swing: bool = False  # the pictures go to and fro (a boat's roll) instead of round
    shadow: Sprite | None = None
    mirror: list[Sprite] | None = None
    wrap: float = 0.0
    wave: float = 0.0

    def draw(self, frame: Frame, t: float, view: View) -> None:
        n = len(self.pictures)
        if self.swing:
            i = round((0.5 + 0.5 * float(np.sin(2 * np.pi * self.rate * t + self.phase * 6.28))) * (n - 1))
        else:
            i = int((t * self.rate + self.phase) * n) % n
        x = self.x + self.vx * t - view.x * (self.depth + view.pivot)
        if self.wrap:
            x = (x + self.wrap * 0.25) % self.wrap - self.wrap * 0.25
        y = self.y + view.tilt + view.y * self.depth + self.rise * t
        y += self.bob * float(np.sin(2 * np.pi * 0.31 * t + self.phase * 6.28))
        y += self.wave * float(np.sin(0.9 * t + self.phase * 11))
        picture = self.pictures[i]
        left = x - picture.w / 2
        if self.shadow:
            self.shadow.draw(frame, x - self.shadow.w / 2, y - self.shadow.h / 2)
        if self.mirror:
            self.mirror[i].draw(
                frame,
                left + 1.5 * float(np.sin(3 * t)),
                2 * y - (y - self.foot) - self.mirror[i].h + (picture.h - self.foot),
            )
        picture.draw(frame, left, y - self.foot)


class Casting:
    """Makes actors for one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.s = stage, stage.setup
        self.rng = self.s.rng("actors")
        s = self.s
        self.side = 1 if stage.sun[0] > s.w / 2 else -1
        low = s.pal.time_is_low
        # against a low sun figures are dark, but for their edges
        self.light = s.lit((1, 1, 1), 0.1 if low else 0.45 if s.pal.night < 0.9 else 0.5)
        self.rim: Rgb = s.lit((1, 1, 1), 1.0) if not s.pal.moon else (0.5, 0.6, 0.85)
        if "neon" in s.plan.looks:
            self.rim = (1.0, 0.45, 0.85)
        self.rim_power = 0.5 if low or s.pal.night > 0.5 else 0.28
        self.place = s.plan.place
        self.track = s.camera.move == "tracking"
        self.fast = "fast" in s.plan.looks
        self.frames = 18 if s.fine else 12

    def pictures(
        self, draw: Draw, size: float, wide: float, tall: float, *, below: float = 0.06, count: int = 0, haze: float = 0.0,
        flip: bool = False, tilts: tuple[float, ...] = (), light: Rgb | None = None, mirror: bool = False, alpha: float = 1.0,
    ) -> tuple[list[Sprite], list[Sprite], float]:  # fmt: skip
        """The cycle's pictures, their mirror images, and where the feet are."""
        out: list[Sprite] = []
        below_list: list[Sprite] = []
        n = count or self.frames
        angles = tilts or (0.0,) * n
        foot = 0.0
        pen: Pen | None = None
        for k, angle in enumerate(angles):
            if pen is None or not tilts:
                pen = Pen(size, wide, tall, below)
                draw(pen, k / len(angles))
            foot = pen.h - below * size + 2
            look = partial(
                pen.sprite, light or self.light, self.rim, self.side, tilt=angle, strength=self.rim_power, flip=flip,
                haze=(self.s.pal.haze, haze) if haze else None,
            )  # fmt: skip
            out.append(look(phases=4 if size < 300 else 2, alpha=alpha))
            if mirror:
                below_list.append(look(phases=1, upside=True, alpha=0.42))
        return out, below_list, foot

    def ground_actor(
        self, draw: Draw, height: float, wide: float, tall: float, *, stride: float, pace: float, haze: float = 0.0,
        at: float | None = None, y: float | None = None, depth: float = 0.9, shadow: float = 0.5, left: bool | None = None,
        count: int = 0,
    ) -> None:  # fmt: skip
        """Someone who moves along the ground: `stride` heights a cycle, `pace` heights a second."""
        s = self.s
        size = height * s.u * self.stage.actor
        flip = bool(self.rng.random() < 0.35) if left is None else left
        if self.track or s.camera.move == "pan_right":
            flip = False
        pictures, _, foot = self.pictures(draw, size, wide, tall, flip=flip, haze=haze, count=count)
        speed = pace * size
        drift = speed
        if self.track:
            # the camera goes along: on the screen the figure only drifts
            follow = (s.camera.at(1).x - s.camera.at(0).x) * depth
            drift = follow + s.w * 0.012
            speed = drift if stride else speed
        sign = -1 if flip else 1
        start = at if at is not None else (0.3 if self.track else float(self.rng.uniform(0.08, 0.3)))
        if at is None and not self.track and pace * size * 8 > s.w * 0.9:
            start = 0.02
        x = s.w * (1 - start if flip else start)
        if not self.track and s.camera.move not in {"static"}:
            x += s.camera.at(0).x * (depth + s.camera.at(0).pivot)
        rate = abs(speed) / (stride * size) if stride else pace
        # never hastier than legs can go
        rate = min(rate, 2.6 if self.fast else 1.9)
        actor = Actor(
            pictures, x, y if y is not None else self.stage.ground, sign * drift if not self.track else drift, rate, depth, foot,
            phase=float(self.rng.random()), shadow=self._shadow(size * shadow) if self.place != "room" else None,
        )  # fmt: skip
        self.add(actor)

    def add(self, actor: Actor) -> None:
        if self.stage.slot is None:
            self.stage.items.append(actor)
        else:
            self.stage.items.insert(self.stage.slot, actor)

    def _shadow(self, wide: float) -> Sprite:
        w, h = max(8, int(wide) // 2 * 2), max(4, int(wide * 0.12) // 2 * 2)
        y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
        a = np.exp(-(x * x + y * y) * 2.4) * np.float32(0.42 if self.s.pal.night < 0.9 else 0.3)
        a *= np.clip(1.2 - np.hypot(x, y), 0, 1)
        return Sprite(np.zeros((h, w, 3), np.float32), a.astype(np.float32), phases=1)
