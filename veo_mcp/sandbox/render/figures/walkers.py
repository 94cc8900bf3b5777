"""Who goes on legs: a person who walks or runs, dressed, and four-legged animals with jointed legs and a gait.

Called by cast.py for one phase of a cycle at a time, `p` 0..1. Draws with a pen, facing right; knows no places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, scale
from veo_mcp.sandbox.render.canvas.pen import Pen, Point, joint, points

COATS: list[Rgb] = [(0.62, 0.2, 0.18), (0.2, 0.3, 0.46), (0.72, 0.56, 0.28), (0.22, 0.36, 0.3), (0.36, 0.24, 0.4)]
TROUSERS: list[Rgb] = [(0.16, 0.18, 0.26), (0.26, 0.22, 0.2), (0.2, 0.2, 0.22)]
SKINS: list[Rgb] = [(0.86, 0.66, 0.54), (0.62, 0.44, 0.32), (0.42, 0.28, 0.2), (0.78, 0.58, 0.44)]
HAIRS: list[Rgb] = [(0.12, 0.09, 0.08), (0.3, 0.19, 0.1), (0.55, 0.4, 0.2)]
SHOE, HANDLE, BLACK = (0.09, 0.08, 0.08), (0.2, 0.2, 0.22), (0.04, 0.04, 0.05)
FAR_LIMB, FAR_LEG = 0.76, 0.62  # what is turned away from us is so much darker: a person's, an animal's
WALK, GALLOP = (0.0, 0.5, 0.25, 0.75), (0.0, 0.14, 0.5, 0.64)  # when each leg steps: hind far, near; fore far, near


@dataclass(frozen=True, slots=True)
class Dress:
    coat: Rgb
    legs: Rgb
    skin: Rgb
    hair: Rgb
    long_coat: bool
    long_hair: bool
    umbrella: bool = False
    canopy: Rgb = (0.66, 0.15, 0.15)


def dressed(rng: np.random.Generator, *, woman: bool | None = None, umbrella: bool = False) -> Dress:
    """Clothes by chance; hair as the prompt says, where it says."""
    coat, legs, skin, hair = (options[int(rng.integers(len(options)))] for options in (COATS, TROUSERS, SKINS, HAIRS))
    chance = bool(rng.random() < 0.5)
    return Dress(coat, legs, skin, hair, bool(rng.random() < 0.5), chance if woman is None else woman, umbrella)


def walker(pen: Pen, p: float, dress: Dress, *, run: bool = False) -> None:
    """Someone through two steps."""
    a = 2 * np.pi * p
    swing, lean = (0.62, 0.10) if run else (0.40, 0.025)
    hip = (-0.01, 0.515 + (0.022 if run else 0.012) * abs(float(np.cos(a))) - (0.02 if run else 0.008))
    chest = (hip[0] + lean, hip[1] + 0.30)
    for far in (True, False):
        b, shade = a + (np.pi if far else 0), FAR_LIMB if far else 1.0
        thigh = swing * float(np.sin(b)) + (0.10 if run else 0.02)
        bend = 0.10 + (1.35 if run else 0.85) * max(0.0, float(np.cos(b - 0.25))) ** 1.5
        knee = joint(*hip, thigh, 0.25)
        ankle = joint(*knee, thigh - bend, 0.245)
        toe = joint(*ankle, thigh - bend + 1.25 + 0.35 * max(0.0, float(np.sin(b))), 0.085)
        pen.limb([hip, knee, ankle], [0.105, 0.078, 0.05], scale(dress.legs, shade))
        pen.limb([ankle, toe], [0.05, 0.036], scale(SHOE, shade))
        if far:
            _arm(pen, chest, -b, dress, shade, run)
    _torso(pen, hip, chest, dress, 0.055 * float(np.sin(2 * a)))
    _arm(pen, chest, -a, dress, 1.0, run)
    head = (chest[0] + lean * 0.3, chest[1] + 0.135)
    if dress.long_hair:
        sway = 0.02 * float(np.sin(2 * a))
        ends = points("-.05,-.17 -.1,-.16", (head[0] + sway, head[1]))
        back = [*points("-.01,.075 .035,.04 -.03,-.04", head), *ends, (head[0] - 0.085, head[1] + 0.02)]
        pen.blob(back, dress.hair)
    pen.blob(points("-.045,-.035 .02,-.062 .048,-.03 .062,-.004 .05,.035 0,.065 -.055,.03", head), dress.skin)
    pen.blob(points(".045,.036 .02,.075 -.03,.078 -.068,.035 -.06,-.025 -.035,-.012 -.018,.03", head), dress.hair)
    if dress.umbrella:
        x, y = chest[0] + 0.10, chest[1] + 0.31
        pen.line([(x, chest[1] - 0.06), (x, y + 0.03)], 0.014, HANDLE)
        dome = [(x + 0.3 * float(np.cos(q)), y + 0.2 * float(np.sin(q))) for q in np.linspace(0, np.pi, 24)]
        hem = [(x - 0.3 + 0.6 * j / 24, y + 0.03 * abs(float(np.sin(j / 6 * np.pi)))) for j in range(25)]
        pen.poly(dome + hem, dress.canopy)


def _torso(pen: Pen, hip: Point, chest: Point, dress: Dress, flare: float) -> None:
    (hx, hy), (cx, cy) = hip, chest
    low, wide, flare = (hy - 0.2, 0.11, flare) if dress.long_coat else (hy - 0.03, 0.075, 0.0)
    upper = [*points("-.02,.045 .06,.02 .085,-.08", chest), (hx + 0.072, hy + 0.06), (hx + wide + flare * 0.4, low)]
    lower = [
        (hx - wide + flare, low - 0.005),
        (hx - 0.078, hy + 0.07),
        (cx - 0.095, cy - 0.06),
        (cx - 0.075, cy + 0.02),
    ]
    pen.blob(upper + lower, dress.coat)
    pen.limb(points(".005,.02 .015,.1", chest), [0.062, 0.052], dress.skin)


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


@dataclass(frozen=True, slots=True)
class Beast:
    """Measures of a four-legged animal; 1 is the height of its back."""

    kind: str
    coat: Rgb
    body: float  # length of the trunk
    deep: float  # depth of the chest
    leg: float  # thickness of the upper leg
    neck: Point  # where the head is, from the shoulder
    head: float
    muzzle: float


BEASTS = {
    "dog": Beast("dog", (0.78, 0.56, 0.3), 1.04, 0.46, 0.17, (0.26, 0.3), 0.165, 0.16),
    "cat": Beast("cat", (0.56, 0.45, 0.37), 1.25, 0.46, 0.15, (0.2, 0.12), 0.24, -0.03),
    "horse": Beast("horse", (0.4, 0.24, 0.15), 0.98, 0.36, 0.14, (0.36, 0.5), 0.12, 0.26),
    "camel": Beast("camel", (0.72, 0.54, 0.34), 0.8, 0.32, 0.12, (0.42, 0.32), 0.095, 0.16),
}


def beast(pen: Pen, p: float, b: Beast, *, run: bool = False) -> None:
    """An animal that walks or gallops."""
    a = 2 * np.pi * p
    bob = (0.05 if run else 0.015) * float(np.sin(a if run else 2 * a))
    pitch = 0.07 * float(np.cos(a)) if run else 0.0
    half, d = b.body / 2, b.deep
    hip, shoulder = (-half * 0.84, 0.86 + bob - pitch), (half * 0.8, 0.84 + bob + pitch)
    hind_far, hind_near, fore_far, fore_near = GALLOP if run else WALK
    for far, hind, fore in ((True, hind_far, fore_far), (False, hind_near, fore_near)):
        for root, step, back in ((hip, hind, True), (shoulder, fore, False)):
            _leg(pen, b, root, a + 2 * np.pi * step, scale(b.coat, FAR_LEG) if far else b.coat, back=back, run=run)
        if far:
            _tail(pen, b, (hip[0] - 0.09, hip[1] + 0.02), float(np.sin(a * 2)), 0.2 if run else 0.0)
    (hx, hy), (sx, sy) = hip, shoulder
    upper = [
        (hx - 0.10, hy - 0.02),
        (hx, hy + 0.09),
        (-half * 0.25, 0.93 + bob),
        (sx * 0.75, sy + 0.10),
        (sx + 0.13, sy - 0.02),
    ]
    lower = [
        (sx + 0.10, sy - d * 0.72),
        (sx * 0.55, sy - d * 0.86),
        (-half * 0.1, 0.84 + bob - d * 0.74),
        (hx * 0.55, hy - d * 0.56),
    ]
    pen.blob([*upper, *lower, (hx - 0.02, hy - d * 0.62), (hx - 0.12, hy - d * 0.3)], b.coat)
    if b.kind == "camel":
        pen.blob(points("-.3,.86 -.13,1.06 .02,1.1 .14,1 .28,.84 0,.8", (0, bob)), b.coat)
    _head(pen, b, (sx + 0.02, sy - 0.04), a, run)


def _leg(pen: Pen, b: Beast, at: Point, q: float, c: Rgb, *, back: bool, run: bool) -> None:
    upper = (0.62 if run else 0.36) * float(np.sin(q)) + (0.12 if back else -0.05)
    fold = (0.95 if run else 0.6) * max(0.0, float(np.cos(q)))
    root = (at[0], at[1] - b.deep * 0.34)
    # thigh, shank and foot: how each hangs, and how long it is
    shank, foot = (
        (upper - fold - 0.25, upper * 0.9 + 0.1 - fold * 0.4)
        if back
        else (upper - fold * 0.9, upper * 0.8 - fold * 1.1)
    )
    span, parts = root[1] + 0.02, (0.46, 0.28, 0.3) if back else (0.5, 0.27, 0.26)
    knee = joint(*root, upper, span * parts[0])
    hock = joint(*knee, shank, span * parts[1])
    end = joint(*hock, foot, span * parts[2])
    pen.limb([root, knee, hock, end], [b.leg * 1.35, b.leg * 0.72, b.leg * 0.5, b.leg * 0.46], c)
    pen.limb([end, (end[0] + b.leg * 0.3, end[1])], [b.leg * 0.48, b.leg * 0.36], scale(c, 0.7))


def _tail(pen: Pen, b: Beast, at: Point, w: float, out: float) -> None:
    tails = {
        "dog": ([0.08, 0.11, 0.12, 0.04], [(0, 0), (-0.14, 0.06), (-0.26 + 0.03 * w, 0.15 + 0.05 * w), (-0.34 + 0.04 * w, 0.13 + 0.08 * w)]),
        "cat": ([0.09, 0.085, 0.08, 0.06], [(0, 0), (-0.22, 0.02), (-0.36 + 0.02 * w, 0.24), (-0.3 + 0.05 * w, 0.5)]),
        "horse": ([0.06, 0.1, 0.1, 0.03], [(0, 0), (-0.12, -0.05 + out), (-0.18 - out, -0.28 + out * 1.2 + 0.03 * w), (-0.19 - out * 1.6, -0.46 + out * 1.4)]),
        "camel": ([0.045, 0.03, 0.035], [(0, 0), (-0.06, -0.2), (-0.07 + 0.04 * w, -0.38)]),
    }  # fmt: skip
    widths, hangs = tails[b.kind]
    pen.limb([(at[0] + x, at[1] + y) for x, y in hangs], widths, scale(b.coat, 0.4) if b.kind == "horse" else b.coat)


def _head(pen: Pen, b: Beast, at: Point, a: float, run: bool) -> None:
    """Neck, head, muzzle and ears."""
    (sx, sy), c, r = at, b.coat, b.head
    hx, hy = sx + b.neck[0] + (0.06 if run else 0), sy + b.neck[1] + 0.02 * float(np.sin(a * (1 if run else 2)))
    thick, slim, dark = b.deep * 0.82, r * 1.25, scale(c, 0.45)
    if b.kind == "camel":
        neck = [(sx, sy - 0.1), (sx + 0.2, sy - 0.12), (hx - 0.06, hy - 0.14), (hx, hy)]
        pen.limb(neck, [thick * 0.7, slim * 1.3, slim, slim], c)
    else:
        middle = ((sx + hx) / 2, (sy + hy) / 2)
        pen.limb([(sx - 0.05, sy - 0.05), middle, (hx, hy)], [thick, (thick + slim) / 1.85, slim * 1.1], c)
    for k in range(12 if b.kind == "horse" else 0):  # its mane
        x, y = sx - 0.09 + (hx - sx) * k / 11, sy + 0.13 + (hy - sy) * k / 11
        end = (x - 0.09 - (0.07 if run else 0), y - 0.05 + 0.02 * float(np.sin(a + k)))
        pen.limb([(x, y), end], [0.08, 0.02], dark)
    pen.disc(hx + 0.02, hy, r, c, r * 0.9)
    tip = (hx + r * 0.7 + b.muzzle, hy - r * (0.95 if b.kind == "horse" else 0.5) - b.muzzle * 0.35)
    pen.limb([(hx + 0.02, hy - 0.01), tip], [r * 1.5, r * 0.72], c)
    pen.disc(tip[0] + r * 0.25, tip[1] + r * 0.12, r * 0.2, dark)
    pen.disc(hx + r * 0.5, hy + r * 0.22, r * 0.12, BLACK)
    if b.kind == "dog":
        ear = [*points("-.5,.75 .05,.6 -.05,-.6"), (-0.6, -0.9 + 0.18 * float(np.sin(a * 2))), (-0.85, 0.0)]
        pen.blob([(hx + x * r, hy + y * r) for x, y in ear], scale(c, 0.68))
    else:
        for k, shade in ((0.35, 0.7), (0.0, 1.0)):
            pen.poly([(hx + (x + k) * r, hy + y * r) for x, y in points("-.75,.5 -.55,1.6 .1,.7")], scale(c, shade))
