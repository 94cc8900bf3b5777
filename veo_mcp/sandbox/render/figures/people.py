"""People: someone who walks or runs, dressed, with knees and elbows; and an astronaut adrift.

Called by cast.py for one phase of a cycle at a time. Draws with a pen, facing right; knows no places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, scale
from veo_mcp.sandbox.render.canvas.pen import Pen, Point, joint, points

COATS: list[Rgb] = [
    (0.62, 0.2, 0.18),
    (0.2, 0.3, 0.46),
    (0.72, 0.56, 0.28),
    (0.22, 0.36, 0.3),
    (0.5, 0.44, 0.4),
    (0.36, 0.24, 0.4),
]
TROUSERS: list[Rgb] = [(0.16, 0.18, 0.26), (0.26, 0.22, 0.2), (0.2, 0.2, 0.22)]
SKINS: list[Rgb] = [(0.86, 0.66, 0.54), (0.62, 0.44, 0.32), (0.42, 0.28, 0.2), (0.78, 0.58, 0.44)]
HAIRS: list[Rgb] = [(0.12, 0.09, 0.08), (0.3, 0.19, 0.1), (0.55, 0.4, 0.2)]
SHOE: Rgb = (0.09, 0.08, 0.08)
CANOPY, HANDLE = (0.66, 0.15, 0.15), (0.2, 0.2, 0.22)
SUIT, SUIT_SHADE, VISOR, GOLD, PATCH = (
    (0.9, 0.91, 0.94),
    (0.62, 0.65, 0.72),
    (0.16, 0.2, 0.32),
    (0.95, 0.75, 0.4),
    (0.75, 0.3, 0.25),
)
FAR = 0.76  # what is turned away from us is so much darker


@dataclass(frozen=True, slots=True)
class Dress:
    coat: Rgb
    legs: Rgb
    skin: Rgb
    hair: Rgb
    long_coat: bool
    long_hair: bool
    umbrella: bool = False


def dressed(rng: np.random.Generator, *, woman: bool | None = None, umbrella: bool = False) -> Dress:
    """Clothes by chance; hair as the prompt says, where it says."""
    coat, legs, skin, hair = (options[int(rng.integers(len(options)))] for options in (COATS, TROUSERS, SKINS, HAIRS))
    chance = bool(rng.random() < 0.5)
    return Dress(coat, legs, skin, hair, bool(rng.random() < 0.5), chance if woman is None else woman, umbrella)


def walker(pen: Pen, p: float, dress: Dress, *, run: bool = False) -> None:
    """Walking or running; `p` 0..1 through two steps."""
    a = 2 * np.pi * p
    swing, lean = (0.62, 0.10) if run else (0.40, 0.025)
    hip = (-0.01, 0.515 + (0.022 if run else 0.012) * abs(float(np.cos(a))) - (0.02 if run else 0.008))
    chest = (hip[0] + lean, hip[1] + 0.30)
    for far in (True, False):
        b, shade = a + (np.pi if far else 0), FAR if far else 1.0
        thigh = swing * float(np.sin(b)) + (0.10 if run else 0.02)
        bend = 0.10 + (1.35 if run else 0.85) * max(0.0, float(np.cos(b - 0.25))) ** 1.5
        knee = joint(*hip, thigh, 0.25)
        ankle = joint(*knee, thigh - bend, 0.245)
        toe = joint(*ankle, thigh - bend + 1.25 + 0.35 * max(0.0, float(np.sin(b))), 0.085)
        pen.limb([hip, knee, ankle], [0.105, 0.078, 0.05], scale(dress.legs, shade))
        pen.limb([ankle, toe], [0.05, 0.036], scale(SHOE, shade))
        if far:
            _arm(pen, chest, -b, dress, shade, run)
    _torso(pen, hip, chest, dress, a)
    _arm(pen, chest, -a, dress, 1.0, run)
    _head(pen, (chest[0] + lean * 0.3, chest[1] + 0.135), dress, a)
    if dress.umbrella:
        x, y = chest[0] + 0.10, chest[1] + 0.31
        pen.line([(x, chest[1] - 0.06), (x, y + 0.03)], 0.014, HANDLE)
        dome = [(x + 0.3 * float(np.cos(q)), y + 0.2 * float(np.sin(q))) for q in np.linspace(0, np.pi, 24)]
        pen.poly(
            dome + [(x - 0.3 + 0.6 * j / 24, y + 0.03 * abs(float(np.sin(j / 6 * np.pi)))) for j in range(25)], CANOPY
        )


def _torso(pen: Pen, hip: Point, chest: Point, dress: Dress, a: float) -> None:
    (hx, hy), (cx, cy) = hip, chest
    low, wide, flare = (hy - 0.2, 0.11, 0.055 * float(np.sin(2 * a))) if dress.long_coat else (hy - 0.03, 0.075, 0.0)
    upper = [(cx - 0.02, cy + 0.045), (cx + 0.06, cy + 0.02), (cx + 0.085, cy - 0.08), (hx + 0.072, hy + 0.06)]
    lower = [(hx + wide + flare * 0.4, low), (hx - wide + flare, low - 0.005), (hx - 0.078, hy + 0.07)]
    pen.blob([*upper, *lower, (cx - 0.095, cy - 0.06), (cx - 0.075, cy + 0.02)], dress.coat)
    pen.limb([(cx + 0.005, cy + 0.02), (cx + 0.015, cy + 0.1)], [0.062, 0.052], dress.skin)


def _arm(pen: Pen, chest: Point, phase: float, dress: Dress, shade: float, run: bool) -> None:
    upper = (0.55 if run else 0.42) * float(np.sin(phase))
    bend = (1.35 if run else 0.28) + 0.22 * max(0.0, float(np.sin(phase)))
    if dress.umbrella and shade >= 1:
        upper, bend = 0.5, 1.7
    shoulder = (chest[0] - 0.008, chest[1] - 0.008)
    elbow = joint(*shoulder, upper, 0.155)
    hand = joint(*elbow, upper + bend, 0.145)
    pen.limb([shoulder, elbow, hand], [0.072, 0.056, 0.042], scale(dress.coat, shade * 0.9))
    pen.disc(*hand, 0.025, scale(dress.skin, shade))


def _head(pen: Pen, at: Point, dress: Dress, a: float) -> None:
    (x, y), sway = at, 0.02 * float(np.sin(2 * a))
    if dress.long_hair:
        back = points("-.01,.075 .035,.04 -.03,-.04", at)
        pen.blob([*back, (x - 0.05 + sway, y - 0.17), (x - 0.1 + sway, y - 0.16), (x - 0.085, y + 0.02)], dress.hair)
    pen.blob(points("-.045,-.035 .02,-.062 .048,-.03 .062,-.004 .05,.035 0,.065 -.055,.03", at), dress.skin)
    pen.blob(points(".045,.036 .02,.075 -.03,.078 -.068,.035 -.06,-.025 -.035,-.012 -.018,.03", at), dress.hair)


def astronaut(pen: Pen, p: float) -> None:
    """Adrift, arms and legs moving slowly."""
    s, c = float(np.sin(2 * np.pi * p)), float(np.cos(2 * np.pi * p))
    pen.blob(points("-.2,.86 .02,.88 .04,.5 -.2,.46 -.24,.6"), SUIT_SHADE)
    for k, shade in ((1, SUIT_SHADE), (-1, SUIT)):
        hip, shoulder = (-0.02 + 0.05 * k, 0.44), (0.0, 0.76)
        knee = joint(*hip, 0.35 * k + 0.2 * s * k + 0.25, 0.21)
        foot = joint(*knee, -0.3 + 0.25 * c * k, 0.2)
        pen.limb([hip, knee, foot], [0.17, 0.14, 0.12], shade)
        pen.limb([foot, (foot[0] + 0.06, foot[1] - 0.02)], [0.12, 0.1], SUIT_SHADE)
        elbow = joint(*shoulder, 1.1 * k + 0.25 * c + 0.5, 0.18)
        hand = joint(*elbow, 1.5 * k + 0.3 * s + 0.9, 0.17)
        pen.limb([shoulder, elbow, hand], [0.15, 0.13, 0.11], shade)
        pen.disc(*hand, 0.06, SUIT_SHADE)
    pen.blob(points("-.12,.83 .1,.84 .14,.62 .1,.42 -.1,.42 -.13,.62"), SUIT)
    pen.poly(points("0,.68 .11,.68 .11,.58 0,.58"), PATCH)
    pen.disc(0.02, 0.96, 0.16, SUIT)
    pen.disc(0.06, 0.965, 0.118, VISOR, 0.1)
    pen.disc(0.09, 1.0, 0.045, GOLD, 0.028, 0.5)
