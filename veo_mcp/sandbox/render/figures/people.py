"""People: walking, running, dancing, floating, riding; dressed, with knees and elbows.

Called by actors.py, which wants one sprite for each phase of a cycle. Draws with a pen; knows no places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend
from veo_mcp.sandbox.render.canvas.pen import Pen, joint

SIN, COS = np.sin, np.cos


@dataclass(frozen=True, slots=True)
class Dress:
    coat: Rgb
    legs: Rgb
    skin: Rgb
    hair: Rgb
    long_coat: bool = False
    skirt: bool = False
    hat: bool = False
    long_hair: bool = False
    umbrella: bool = False
    pack: bool = False


def dressed(rng: np.random.Generator, kind: str, weather: str) -> Dress:
    coats: list[Rgb] = [
        (0.62, 0.2, 0.18),
        (0.2, 0.3, 0.46),
        (0.72, 0.56, 0.28),
        (0.22, 0.36, 0.3),
        (0.5, 0.44, 0.4),
        (0.36, 0.24, 0.4),
    ]
    legs: list[Rgb] = [(0.16, 0.18, 0.26), (0.26, 0.22, 0.2), (0.2, 0.2, 0.22)]
    skins: list[Rgb] = [(0.86, 0.66, 0.54), (0.62, 0.44, 0.32), (0.42, 0.28, 0.2), (0.78, 0.58, 0.44)]
    hairs: list[Rgb] = [(0.12, 0.09, 0.08), (0.3, 0.19, 0.1), (0.55, 0.4, 0.2), (0.5, 0.5, 0.5)]

    def pick(options: list[Rgb]) -> Rgb:
        return options[int(rng.integers(len(options)))]

    woman = rng.random() < 0.5
    return Dress(
        pick(coats), pick(legs), pick(skins), pick(hairs), rng.random() < 0.4 and kind != "child", woman and rng.random() < 0.4,
        rng.random() < 0.3, woman, weather in {"rain"} and kind != "child", kind == "person" and rng.random() < 0.25,
    )  # fmt: skip


def walker(pen: Pen, p: float, dress: Dress, *, run: bool = False, scale: float = 1.0, robot: bool = False) -> None:
    """Walking or running to the right; `p` 0..1 through two steps."""
    k = scale
    a = 2 * np.pi * p
    swing = 0.62 if run else 0.40
    lean = 0.10 if run else 0.025
    bob = (0.022 if run else 0.012) * abs(float(COS(a))) * k
    hip = (-0.01 * k, 0.515 * k + bob - (0.02 if run else 0.008) * k)
    chest = (hip[0] + lean * k, hip[1] + 0.30 * k)
    far, near = 0.78, 1.0
    for side, shade in ((1, far), (-1, near)):
        b = a + (np.pi if side > 0 else 0)
        thigh = swing * float(SIN(b)) + (0.10 if run else 0.02)
        bend = 0.10 + (1.35 if run else 0.85) * max(0.0, float(COS(b - 0.25))) ** 1.5
        knee = joint(*hip, thigh, 0.25 * k)
        ankle = joint(*knee, thigh - bend, 0.245 * k)
        toe_angle = thigh - bend + 1.25 + 0.35 * max(0.0, float(SIN(b)))
        toe = joint(*ankle, toe_angle, 0.085 * k)
        c = tuple(v * shade for v in dress.legs)
        pen.limb([hip, knee, ankle], [0.105 * k, 0.078 * k, 0.05 * k], (c[0], c[1], c[2]))
        shoe = (0.09 * shade, 0.08 * shade, 0.08 * shade)
        pen.limb([ankle, toe], [0.05 * k, 0.036 * k], shoe)
        if side > 0:
            _arm(pen, chest, -b, dress, k, far, run)
            if dress.pack:
                pen.blob(
                    [
                        (chest[0] - 0.05 * k, chest[1] + 0.02 * k),
                        (chest[0] - 0.17 * k, chest[1] - 0.01 * k),
                        (chest[0] - 0.17 * k, chest[1] - 0.2 * k),
                        (chest[0] - 0.06 * k, chest[1] - 0.22 * k),
                    ],
                    (0.4, 0.26, 0.16),
                )
    _torso(pen, hip, chest, dress, k, a)
    _arm(pen, chest, -a, dress, k, 1.0, run)
    _head(pen, (chest[0] + lean * 0.3 * k, chest[1] + 0.135 * k), dress, k, a, robot)
    if dress.umbrella:
        x, y = chest[0] + 0.10 * k, chest[1] + 0.34 * k
        pen.line([(x, chest[1] - 0.06 * k), (x, y)], 0.014 * k, (0.2, 0.2, 0.22))
        top = [(x + 0.3 * k * float(COS(q)), y - 0.03 * k + 0.2 * k * float(SIN(q))) for q in np.linspace(0, np.pi, 24)]
        scallop = [
            (x - 0.3 * k + 0.6 * k * j / 24, y - 0.03 * k + 0.03 * k * abs(float(SIN(j / 24 * np.pi * 4))))
            for j in range(25)
        ]
        pen.poly(top + scallop, blend(dress.coat, (0.7, 0.1, 0.12), 0.5))


def _torso(pen: Pen, hip: tuple[float, float], chest: tuple[float, float], dress: Dress, k: float, a: float) -> None:
    hx, hy = hip
    cx, cy = chest
    low = hy - (0.2 * k if dress.long_coat or dress.skirt else 0.03 * k)
    flare = 0.055 * k * float(SIN(2 * a)) if dress.long_coat or dress.skirt else 0.0
    wide = 0.15 * k if dress.skirt else 0.11 * k if dress.long_coat else 0.075 * k
    pen.blob(
        [
            (cx - 0.02 * k, cy + 0.045 * k), (cx + 0.06 * k, cy + 0.02 * k), (cx + 0.085 * k, cy - 0.08 * k), (hx + 0.072 * k, hy + 0.06 * k),
            (hx + wide + flare * 0.4, low), (hx - wide + flare, low - 0.005 * k), (hx - 0.078 * k, hy + 0.07 * k), (cx - 0.095 * k, cy - 0.06 * k),
            (cx - 0.075 * k, cy + 0.02 * k),
        ],
        dress.coat,
    )  # fmt: skip
    pen.limb([(cx + 0.005 * k, cy + 0.02 * k), (cx + 0.015 * k, cy + 0.1 * k)], [0.062 * k, 0.052 * k], dress.skin)


def _arm(pen: Pen, chest: tuple[float, float], phase: float, dress: Dress, k: float, shade: float, run: bool) -> None:
    s = 0.55 if run else 0.42
    upper = s * float(SIN(phase))
    bend = (1.35 if run else 0.28) + 0.22 * max(0.0, float(SIN(phase)))
    if dress.umbrella and shade >= 1:
        upper, bend = 0.5, 1.7
    shoulder = (chest[0] - 0.008 * k, chest[1] - 0.008 * k)
    elbow = joint(*shoulder, upper, 0.155 * k)
    hand = joint(*elbow, upper + bend, 0.145 * k)
    c = tuple(v * shade * 0.9 for v in dress.coat)
    pen.limb([shoulder, elbow, hand], [0.072 * k, 0.056 * k, 0.042 * k], (c[0], c[1], c[2]))
    pen.disc(hand[0], hand[1], 0.025 * k, dress.skin)


def _head(pen: Pen, at: tuple[float, float], dress: Dress, k: float, a: float, robot: bool) -> None:
    x, y = at
    if robot:
        pen.poly(
            [
                (x - 0.07 * k, y - 0.06 * k),
                (x + 0.075 * k, y - 0.06 * k),
                (x + 0.075 * k, y + 0.075 * k),
                (x - 0.07 * k, y + 0.075 * k),
            ],
            dress.skin,
        )
        pen.poly(
            [
                (x + 0.0 * k, y + 0.01 * k),
                (x + 0.08 * k, y + 0.01 * k),
                (x + 0.08 * k, y + 0.04 * k),
                (x, y + 0.04 * k),
            ],
            (0.3, 0.95, 1.0),
        )
        pen.line([(x, y + 0.07 * k), (x, y + 0.13 * k)], 0.014 * k, dress.legs)
        pen.disc(x, y + 0.135 * k, 0.017 * k, (1.0, 0.35, 0.3))
        return
    if dress.long_hair:
        sway = 0.02 * k * float(SIN(2 * a))
        pen.blob(
            [
                (x - 0.01 * k, y + 0.075 * k),
                (x + 0.035 * k, y + 0.04 * k),
                (x - 0.03 * k, y - 0.04 * k),
                (x - 0.05 * k + sway, y - 0.17 * k),
                (x - 0.1 * k + sway, y - 0.16 * k),
                (x - 0.085 * k, y + 0.02 * k),
            ],
            dress.hair,
        )
    pen.blob(
        [
            (x - 0.045 * k, y - 0.035 * k),
            (x + 0.02 * k, y - 0.062 * k),
            (x + 0.048 * k, y - 0.03 * k),
            (x + 0.062 * k, y - 0.004 * k),
            (x + 0.05 * k, y + 0.035 * k),
            (x, y + 0.065 * k),
            (x - 0.055 * k, y + 0.03 * k),
        ],
        dress.skin,
    )
    pen.blob(
        [
            (x + 0.045 * k, y + 0.036 * k),
            (x + 0.02 * k, y + 0.075 * k),
            (x - 0.03 * k, y + 0.078 * k),
            (x - 0.068 * k, y + 0.035 * k),
            (x - 0.06 * k, y - 0.025 * k),
            (x - 0.035 * k, y - 0.012 * k),
            (x - 0.018 * k, y + 0.03 * k),
        ],
        dress.hair,
    )
    if dress.hat:
        pen.disc(x, y + 0.05 * k, 0.105 * k, blend(dress.coat, (0.1, 0.08, 0.07), 0.5), 0.016 * k, 0.04)
        pen.blob(
            [
                (x - 0.062 * k, y + 0.05 * k),
                (x - 0.055 * k, y + 0.115 * k),
                (x, y + 0.125 * k),
                (x + 0.055 * k, y + 0.11 * k),
                (x + 0.062 * k, y + 0.05 * k),
            ],
            blend(dress.coat, (0.1, 0.08, 0.07), 0.5),
        )


def dancer(pen: Pen, p: float, dress: Dress) -> None:
    """One turn of a dance on the spot."""
    a = 2 * np.pi * p
    s, c = float(SIN(a)), float(COS(a))
    hip = (0.02 * s, 0.5 + 0.03 * abs(c))
    chest = (hip[0] + 0.04 * s, hip[1] + 0.3)
    lift = 0.5 + 0.5 * c
    knee = joint(*hip, 0.35 + 0.9 * lift, 0.25)
    foot = joint(*knee, 0.35 - 0.9 * lift, 0.25)
    stand = joint(*hip, -0.04 * s, 0.25)
    heel = (0.0, 0.03)
    pen.limb([hip, knee, foot], [0.1, 0.075, 0.04], dress.legs)
    pen.limb([hip, stand, heel], [0.1, 0.075, 0.045], dress.legs)
    for k in (-1, 1):
        up = 1.4 * k + 1.1 * k * max(0.0, s * k) + 0.25 * c
        elbow = joint(chest[0], chest[1], up, 0.155)
        hand = joint(*elbow, up + 0.55 * k, 0.15)
        pen.limb([chest, elbow, hand], [0.066, 0.05, 0.036], dress.skin)
    wide = 0.2 + 0.07 * abs(c)
    pen.blob(
        [
            (chest[0] - 0.07, chest[1] + 0.03),
            (chest[0] + 0.07, chest[1] + 0.03),
            (hip[0] + 0.06, hip[1] + 0.08),
            (hip[0] + wide, hip[1] - 0.13),
            (hip[0], hip[1] - 0.17),
            (hip[0] - wide, hip[1] - 0.13),
            (hip[0] - 0.06, hip[1] + 0.08),
        ],
        dress.coat,
    )
    pen.limb([chest, (chest[0] + 0.02 * s, chest[1] + 0.1)], [0.06, 0.05], dress.skin)
    _head(pen, (chest[0] + 0.03 * s, chest[1] + 0.14), dress, 1.0, a, False)


def astronaut(pen: Pen, p: float) -> None:
    """Adrift, arms and legs moving slowly."""
    a = 2 * np.pi * p
    s, c = float(SIN(a)), float(COS(a))
    white: Rgb = (0.9, 0.91, 0.94)
    grey: Rgb = (0.62, 0.65, 0.72)
    pen.blob([(-0.2, 0.86), (0.02, 0.88), (0.04, 0.5), (-0.2, 0.46), (-0.24, 0.6)], grey)
    for k, shade in ((1, grey), (-1, white)):
        hip = (-0.02 + 0.05 * k, 0.44)
        knee = joint(*hip, 0.35 * k + 0.2 * s * k + 0.25, 0.21)
        foot = joint(*knee, -0.3 + 0.25 * c * k, 0.2)
        pen.limb([hip, knee, foot], [0.17, 0.14, 0.12], shade)
        pen.limb([foot, (foot[0] + 0.06, foot[1] - 0.02)], [0.12, 0.1], grey)
        shoulder = (0.0, 0.76)
        elbow = joint(*shoulder, 1.1 * k + 0.25 * c + 0.5, 0.18)
        hand = joint(*elbow, 1.5 * k + 0.3 * s + 0.9, 0.17)
        pen.limb([shoulder, elbow, hand], [0.15, 0.13, 0.11], shade)
        pen.disc(hand[0], hand[1], 0.06, grey)
    pen.blob([(-0.12, 0.83), (0.1, 0.84), (0.14, 0.62), (0.1, 0.42), (-0.1, 0.42), (-0.13, 0.62)], white)
    pen.poly([(0.0, 0.68), (0.11, 0.68), (0.11, 0.58), (0.0, 0.58)], (0.75, 0.3, 0.25))
    pen.disc(0.02, 0.96, 0.16, white)
    pen.disc(0.06, 0.965, 0.118, (0.16, 0.2, 0.32), 0.1)
    pen.disc(0.09, 1.0, 0.045, (0.95, 0.75, 0.4), 0.028, 0.5)


def cyclist(pen: Pen, p: float, dress: Dress) -> None:
    a = -2 * np.pi * p
    for x in (-0.36, 0.36):
        pen.disc(x, 0.24, 0.24, (0.1, 0.1, 0.11))
        ring = [(x + 0.205 * float(COS(q)), 0.24 + 0.205 * float(SIN(q))) for q in np.linspace(0, 2 * np.pi, 30)]
        for mask_only in (pen.m,):
            mask_only.polygon([pen.at(q) for q in ring], fill=0)
        for j in range(7):
            q = a * 0.5 + j * 2 * np.pi / 7
            pen.line([(x, 0.24), (x + 0.21 * float(COS(q)), 0.24 + 0.21 * float(SIN(q)))], 0.006, (0.5, 0.5, 0.52))
    frame: Rgb = (0.7, 0.22, 0.18)
    crank, seat, head = (-0.04, 0.24), (-0.13, 0.6), (0.26, 0.58)
    for line in (
        [(-0.36, 0.24), crank, head, seat, crank],
        [(-0.36, 0.24), (-0.11, 0.54)],
        [(0.36, 0.24), (0.245, 0.66)],
    ):
        pen.line(line, 0.026, frame)
    pen.line([(0.245, 0.66), (0.31, 0.69)], 0.022, (0.15, 0.15, 0.15))
    pen.limb([(-0.19, 0.63), (-0.08, 0.62)], [0.035, 0.02], (0.15, 0.12, 0.1))
    hip = (-0.13, 0.67)
    for off, shade in ((np.pi, 0.72), (0.0, 1.0)):
        pedal = (crank[0] + 0.09 * float(COS(a + off)), crank[1] + 0.09 * float(SIN(a + off)))
        d = min(0.475, float(np.hypot(pedal[0] - hip[0], pedal[1] - hip[1])))
        up = float(np.arccos(np.clip(d / 2 / 0.24, -1, 1)))
        base = float(np.arctan2(pedal[1] - hip[1], pedal[0] - hip[0]))
        knee = (hip[0] + 0.24 * float(COS(base + up)), hip[1] + 0.24 * float(SIN(base + up)))
        c = tuple(v * shade for v in dress.legs)
        pen.limb([hip, knee, pedal], [0.11, 0.08, 0.045], (c[0], c[1], c[2]))
        pen.limb([pedal, (pedal[0] + 0.07, pedal[1] - 0.005)], [0.04, 0.03], (0.1, 0.1, 0.1))
    chest = (0.07, 0.94)
    pen.blob(
        [
            (chest[0] - 0.07, chest[1] + 0.04),
            (chest[0] + 0.06, chest[1]),
            (0.0, 0.78),
            (-0.06, 0.64),
            (-0.2, 0.66),
            (-0.15, 0.84),
        ],
        dress.coat,
    )
    pen.limb([(chest[0] + 0.01, chest[1] - 0.02), (0.2, 0.8), (0.3, 0.7)], [0.07, 0.052, 0.04], dress.coat)
    pen.limb([chest, (0.12, 1.04)], [0.06, 0.05], dress.skin)
    _head(pen, (0.145, 1.08), dress, 1.0, a, False)
