"""Actors that no ground carries: planes, balloons, rockets, birds, and all that swims.

Called by actors.py, whose cast these are part of. Chooses numbers, heights and paces; figures are drawn elsewhere.
"""

from __future__ import annotations

from functools import partial

from veo_mcp.sandbox.render.canvas.frame import Rgb
from veo_mcp.sandbox.render.canvas.pen import Pen
from veo_mcp.sandbox.render.figures import animals, vehicles
from veo_mcp.sandbox.render.figures.actor import Actor, Casting, Draw


def _balloon(pen: Pen, p: float, a: Rgb, b: Rgb) -> None:
    vehicles.balloon(pen, a, b)


class Freely(Casting):
    """The part of the cast that flies and swims."""

    def aloft(self, kind: str) -> None:
        s = self.s
        y = s.horizon * 0.45
        match kind:
            case "plane":
                pictures, _, foot = self.pictures(
                    lambda pen, p: vehicles.plane(pen, (0.75, 0.2, 0.2)), 360 * s.u, 1.2, 0.8, count=1
                )
                self.add(Actor(pictures, -0.05 * s.w, y * 1.5, s.w * 0.12, 1, 0.25, foot, rise=-7 * s.u, wave=3))
            case "balloon":
                tones: list[tuple[Rgb, Rgb]] = [
                    ((0.85, 0.25, 0.2), (0.98, 0.85, 0.55)),
                    ((0.2, 0.4, 0.65), (0.95, 0.92, 0.85)),
                    ((0.9, 0.6, 0.15), (0.5, 0.2, 0.4)),
                ]
                for k, (size, fx, fy) in enumerate(((260, 0.32, 1.75), (120, 0.68, 1.35), (70, 0.5, 1.1))):
                    a, b = tones[k]
                    pictures, _, foot = self.pictures(
                        partial(_balloon, a=a, b=b), size * s.u, 0.8, 1.05, count=1, haze=0.08 + 0.16 * k
                    )
                    self.add(
                        Actor(
                            pictures,
                            s.w * fx,
                            y * fy + 60 * s.u,
                            7 * s.u,
                            1,
                            0.14 + 0.1 * (2 - k),
                            foot,
                            rise=-6 * s.u / (k + 1),
                            wave=5,
                            phase=k * 0.37,
                        )
                    )
            case _:
                pictures, _, foot = self.pictures(
                    lambda pen, p: vehicles.rocket(pen, p, (0.8, 0.2, 0.18)),
                    330 * s.u,
                    1.4,
                    1.0,
                    count=6,
                    light=(1, 1, 1) if self.place == "space" else None,
                )
                self.add(Actor(pictures, -0.02 * s.w, y * 1.8, s.w * 0.1, 3, 0.4, foot, rise=-9 * s.u, wave=5))

    def birds(self, count: int, size: float, high: float, colour: Rgb) -> None:
        s = self.s
        draw: Draw = partial(animals.bird, c=colour)
        pictures, _, foot = self.pictures(draw, size * s.u, 1.15, 1.15, count=10, haze=0.1)
        lead = float(self.rng.uniform(0.05, 0.4)) * s.w
        for k in range(count):
            row = (k + 1) // 2 * (1 if k % 2 else -1)
            x = lead - abs(row) * size * s.u * 1.25 + float(self.rng.normal(0, size * 0.2))
            y = s.horizon * high + row * size * s.u * 0.42 + float(self.rng.normal(0, size * 0.16)) + size * s.u * 0.5
            self.add(
                Actor(
                    pictures,
                    x,
                    y,
                    s.w * 0.042 * (1.5 if size > 60 else 1),
                    1.5 + 0.1 * float(self.rng.random()),
                    0.12,
                    foot,
                    phase=float(self.rng.random()),
                    wave=6,
                )
            )

    def swimmers(self, kind: str) -> None:
        s, rng = self.s, self.rng
        tones: list[Rgb] = [(0.95, 0.55, 0.18), (0.95, 0.82, 0.25), (0.3, 0.55, 0.9), (0.85, 0.35, 0.5)]
        match kind:
            case "whale":
                pictures, _, foot = self.pictures(
                    partial(animals.whale, c=(0.3, 0.4, 0.52)), 620 * s.u, 1.62, 0.8, count=12, haze=0.2
                )
                self.add(Actor(pictures, s.w * 0.2, s.h * 0.66, s.w * 0.05, 0.3, 0.3, foot, wave=12))
            case "turtle":
                pictures, _, foot = self.pictures(
                    partial(animals.turtle, c=(0.34, 0.42, 0.24)), 280 * s.u, 1.2, 0.9, count=16
                )
                self.add(Actor(pictures, s.w * 0.22, s.h * 0.6, s.w * 0.045, 0.42, 0.4, foot, wave=14, rise=-3))
            case "jellyfish":
                for k in range(5):
                    c: Rgb = [(0.9, 0.6, 0.85), (0.6, 0.75, 1.0), (0.95, 0.75, 0.6)][k % 3]
                    size = (90 + 70 * float(rng.random())) * s.u
                    pictures, _, foot = self.pictures(
                        partial(animals.jellyfish, c=c),
                        size,
                        0.9,
                        1.05,
                        count=12,
                        light=(1, 1, 1),
                        alpha=0.8,
                        haze=0.06 * k,
                    )
                    self.add(
                        Actor(
                            pictures,
                            s.w * (0.12 + 0.19 * k),
                            s.h * float(rng.uniform(0.4, 0.85)),
                            6,
                            0.4 + 0.1 * k / 5,
                            0.3,
                            foot,
                            rise=-9,
                            phase=k * 0.23,
                            wave=9,
                        )
                    )
            case _:
                if kind == "shark":
                    pictures, _, foot = self.pictures(
                        partial(animals.fish, c=(0.42, 0.5, 0.58), shark=True), 420 * s.u, 1.5, 1.0, count=14
                    )
                    self.add(Actor(pictures, s.w * 0.12, s.h * 0.66, s.w * 0.075, 0.8, 0.4, foot, wave=14))
                for school in range(3):
                    size = (62, 40, 24)[school] * s.u
                    c = tones[int(rng.integers(4))]
                    pictures, _, foot = self.pictures(
                        partial(animals.fish, c=c), size, 1.5, 1.0, count=10, haze=0.12 + 0.2 * school
                    )
                    cx, cy = s.w * float(rng.uniform(-0.1, 0.5)), s.h * float(rng.uniform(0.3, 0.66))
                    for _ in range((5, 9, 14)[school]):
                        x, y = cx + float(rng.normal(0, size * 3)), cy + float(rng.normal(0, size * 1.1))
                        self.add(
                            Actor(
                                pictures,
                                x,
                                y,
                                s.w * 0.055 * float(rng.uniform(0.9, 1.1)),
                                2.0 + float(rng.random()),
                                0.3,
                                foot,
                                phase=float(rng.random()),
                                wave=6,
                            )
                        )
