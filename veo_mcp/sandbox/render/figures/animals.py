"""Animals: four-legged ones with jointed legs and a gait, a bird, and what swims.

Called by cast.py for one phase of a cycle at a time. Draws with a pen; all face right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, scale
from veo_mcp.sandbox.render.canvas.pen import Pen, Point, joint, points

FAR = 0.62  # legs that are turned away from us are so much darker
BLACK, IVORY, PALE = (0.04, 0.04, 0.05), (0.95, 0.93, 0.86), (0.9, 0.95, 1.0)
WALK, GALLOP = (
    (0.0, 0.5, 0.25, 0.75),
    (0.0, 0.14, 0.5, 0.64),
)  # when each leg steps: far hind, near hind, far fore, near fore


@dataclass(frozen=True, slots=True)
class Beast:
    """Measures of a four-legged animal; 1 is the height of its back."""

    coat: Rgb
    body: float  # length of the trunk
    deep: float  # depth of the chest
    leg: float  # thickness of the upper leg
    neck: Point  # where the head is, from the shoulder
    head: float
    muzzle: float
    kind: str


BEASTS: dict[str, Beast] = {
    "dog": Beast((0.78, 0.56, 0.3), 1.04, 0.46, 0.17, (0.26, 0.3), 0.165, 0.16, "dog"),
    "horse": Beast((0.4, 0.24, 0.15), 0.98, 0.36, 0.14, (0.36, 0.5), 0.12, 0.26, "horse"),
    "elephant": Beast((0.45, 0.44, 0.45), 1.0, 0.5, 0.26, (0.28, 0.04), 0.24, 0.1, "elephant"),
    "camel": Beast((0.72, 0.54, 0.34), 0.8, 0.32, 0.12, (0.42, 0.32), 0.095, 0.16, "camel"),
}


def beast(pen: Pen, p: float, b: Beast, *, run: bool = False) -> None:
    """Walking or galloping; `p` 0..1 through a cycle."""
    a = 2 * np.pi * p
    bob = (0.05 if run else 0.015) * float(np.sin(a if run else 2 * a))
    pitch = 0.07 * float(np.cos(a)) if run else 0.0
    half = b.body / 2
    hip, shoulder = (-half * 0.84, 0.86 + bob - pitch), (half * 0.8, 0.84 + bob + pitch)
    hind_far, hind_near, fore_far, fore_near = GALLOP if run else WALK
    for far, hind, fore in ((True, hind_far, fore_far), (False, hind_near, fore_near)):
        for root, step, back in ((hip, hind, True), (shoulder, fore, False)):
            _leg(pen, b, root, a + 2 * np.pi * step, scale(b.coat, FAR) if far else b.coat, back=back, run=run)
        if far:
            _tail(pen, b, hip, a, 0.2 if run else 0.0)
    (hx, hy), (sx, sy), d = hip, shoulder, b.deep
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
    _fore(pen, b, shoulder, a, run)


def _leg(pen: Pen, b: Beast, at: Point, q: float, c: Rgb, *, back: bool, run: bool) -> None:
    upper = (0.62 if run else 0.36) * float(np.sin(q)) + (0.12 if back else -0.05)
    fold = (0.95 if run else 0.6) * max(0.0, float(np.cos(q)))
    root = (at[0], at[1] - b.deep * 0.34)
    span = root[1] + 0.02
    knee = joint(*root, upper, span * (0.46 if back else 0.5))
    hock = joint(*knee, upper - fold - 0.25, span * 0.28) if back else joint(*knee, upper - fold * 0.9, span * 0.27)
    foot = (
        joint(*hock, upper * 0.9 + 0.1 - fold * 0.4, span * 0.3)
        if back
        else joint(*hock, upper * 0.8 - fold * 1.1, span * 0.26)
    )
    pen.limb([root, knee, hock, foot], [b.leg * 1.35, b.leg * 0.72, b.leg * 0.5, b.leg * 0.46], c)
    pen.limb([foot, (foot[0] + b.leg * 0.3, foot[1])], [b.leg * 0.48, b.leg * 0.36], scale(c, 0.7))


def _tail(pen: Pen, b: Beast, hip: Point, a: float, out: float) -> None:
    w, x, y = float(np.sin(a * 2)), hip[0] - 0.09, hip[1] + 0.02
    match b.kind:
        case "dog":
            curve = [
                (x, y),
                (x - 0.14, y + 0.06),
                (x - 0.26 + 0.03 * w, y + 0.15 + 0.05 * w),
                (x - 0.34 + 0.04 * w, y + 0.13 + 0.08 * w),
            ]
            pen.limb(curve, [0.08, 0.11, 0.12, 0.04], b.coat)
        case "horse":
            hair = [
                (x - 0.12, y - 0.05 + out),
                (x - 0.18 - out, y - 0.28 + out * 1.2 + 0.03 * w),
                (x - 0.19 - out * 1.6, y - 0.46 + out * 1.4),
            ]
            pen.limb([(x, y), *hair], [0.06, 0.1, 0.1, 0.03], scale(b.coat, 0.4))
        case _:
            pen.limb([(x, y), (x - 0.06, y - 0.2), (x - 0.07 + 0.04 * w, y - 0.38)], [0.045, 0.03, 0.035], b.coat)


def _fore(pen: Pen, b: Beast, shoulder: Point, a: float, run: bool) -> None:
    """Neck and head."""
    nod = 0.02 * float(np.sin(a * (1 if run else 2)))
    (sx, sy), c, r = (shoulder[0] + 0.02, shoulder[1] - 0.04), b.coat, b.head
    hx, hy = sx + b.neck[0] + (0.06 if run else 0), sy + b.neck[1] + nod
    thick, slim, dark = b.deep * 0.82, r * 1.25, scale(c, 0.45)
    if b.kind == "camel":
        neck = [(sx, sy - 0.1), (sx + 0.2, sy - 0.12), (hx - 0.06, hy - 0.14), (hx, hy)]
        pen.limb(neck, [thick * 0.7, slim * 1.3, slim, slim], c)
    else:
        pen.limb(
            [(sx - 0.05, sy - 0.05), ((sx + hx) / 2, (sy + hy) / 2), (hx, hy)],
            [thick, (thick + slim) / 1.85, slim * 1.1],
            c,
        )
    if b.kind == "horse":
        for k in range(12):
            f = k / 11
            x, y = sx - 0.09 + (hx - sx) * f, sy + 0.13 + (hy - sy) * f
            pen.limb(
                [(x, y), (x - 0.09 - (0.07 if run else 0), y - 0.05 + 0.02 * float(np.sin(a + k)))], [0.08, 0.02], dark
            )
    pen.disc(hx + 0.02, hy, r, c, r * 0.9)
    if b.kind == "elephant":
        _trunk(pen, b, (hx, hy), 0.05 * float(np.sin(a)))
        return
    tip = (hx + r * 0.7 + b.muzzle, hy - r * (0.95 if b.kind == "horse" else 0.5) - b.muzzle * 0.35)
    pen.limb([(hx + 0.02, hy - 0.01), tip], [r * 1.5, r * 0.72], c)
    pen.disc(tip[0] + r * 0.25, tip[1] + r * 0.12, r * 0.2, dark)
    pen.disc(hx + r * 0.5, hy + r * 0.22, r * 0.12, BLACK)
    if b.kind == "dog":
        flap = hy - r * 0.9 + 0.03 * float(np.sin(a * 2))
        ear = [
            (hx - r * 0.5, hy + r * 0.75),
            (hx + r * 0.05, hy + r * 0.6),
            (hx - r * 0.05, hy - r * 0.6),
            (hx - r * 0.6, flap),
            (hx - r * 0.85, hy),
        ]
        pen.blob(ear, scale(c, 0.68))
    else:
        for k, shade in ((0.35, 0.7), (0.0, 1.0)):
            x = hx + k * r
            pen.poly(
                [(x - r * 0.75, hy + r * 0.5), (x - r * 0.55, hy + r * 1.6), (x + r * 0.1, hy + r * 0.7)],
                scale(c, shade),
            )


def _trunk(pen: Pen, b: Beast, head: Point, sway: float) -> None:
    (hx, hy), r = head, b.head
    hang = [
        (hx + r * 0.6, hy - 0.02),
        (hx + r + 0.1, hy - 0.24),
        (hx + r + 0.1 + sway, hy - 0.5),
        (hx + r + 0.17 + sway, hy - 0.66),
    ]
    pen.limb(hang, [0.24, 0.17, 0.12, 0.08], b.coat)
    pen.limb(
        [(hx + r * 0.6, hy - 0.17), (hx + r + 0.1, hy - 0.33), (hx + r + 0.22, hy - 0.34)], [0.06, 0.045, 0.02], IVORY
    )
    pen.blob(points("-.02,.16 -.22,.2 -.36,.02 -.26,-.26 -.08,-.2 .04,0", head), scale(b.coat, 0.83))
    pen.disc(hx + 0.13, hy + 0.03, 0.02, BLACK)


def bird(pen: Pen, p: float, c: Rgb) -> None:
    """In flight, the wings beating."""
    a = 2 * np.pi * p
    up, tip = 0.3 * float(np.sin(a)), 0.34 * float(np.sin(a - 0.7))
    for shade, depth in ((0.72, 0.12), (1.0, 0.0)):
        mx, my, ex, ey = 0.02 - depth * 0.5, 0.5 + up, -0.2 - depth, 0.5 + up + tip
        wing = [
            (0.16, 0.52),
            (mx + 0.14, my + 0.02),
            (ex + 0.1, ey),
            (ex - 0.08, ey - 0.01),
            (mx - 0.12, my - 0.05),
            (-0.14, 0.49),
        ]
        pen.blob(wing, scale(c, shade))
    pen.blob(points(".42,.52 .3,.57 .05,.56 -.25,.5 -.5,.5 -.28,.46 .05,.44 .28,.48"), c)
    pen.poly(points(".4,.54 .52,.505 .4,.5"), (0.9, 0.65, 0.25))


def fish(pen: Pen, p: float, c: Rgb) -> None:
    a = 2 * np.pi * p
    beat, squeeze, fin = float(np.sin(a)), 0.75 + 0.25 * float(np.cos(a)), blend(c, (1, 1, 1), 0.2)
    pen.poly(
        [(-0.36, 0.5), (-0.36 - 0.26 * squeeze, 0.72), (-0.36 - 0.16 * squeeze, 0.5), (-0.36 - 0.26 * squeeze, 0.33)],
        fin,
    )
    pen.poly(points(".12,.66 -.05,.82 -.16,.64"), fin)
    pen.blob(
        [*points(".5,.5 .32,.644 .05,.7 -.25,.584"), (-0.5, 0.5 + 0.03 * beat), *points("-.25,.42 .05,.32 .32,.38")], c
    )
    pen.blob(points(".46,.49 .2,.47 -.2,.47 0,.33 .3,.39"), blend(c, (1, 1, 1), 0.35))
    for x in (0.18, -0.06):
        pen.limb([(x, 0.65), (x - 0.03, 0.36)], [0.05, 0.03], blend(c, (1, 1, 1), 0.6))
    pen.poly([(0.12, 0.47), (-0.05, 0.34 - 0.04 * beat), (0.0, 0.47)], fin)
    pen.disc(0.36, 0.53, 0.025, BLACK)


def whale(pen: Pen, p: float, c: Rgb) -> None:
    s = float(np.sin(2 * np.pi * p))
    back = [
        *points(".5,.5 .42,.6 .2,.66 -.1,.62"),
        (-0.38, 0.53 + 0.03 * s),
        (-0.55, 0.52 + 0.08 * s),
        (-0.38, 0.49 + 0.03 * s),
    ]
    pen.blob([*back, *points("-.05,.42 .25,.38 .44,.42")], c)
    pen.blob(points(".49,.48 .2,.47 -.1,.46 .1,.4 .3,.385 .44,.42"), blend(c, PALE, 0.6))
    for k in range(4):
        pen.line([(0.46 - 0.03 * k, 0.45 - 0.008 * k), (0.16 - 0.02 * k, 0.425 - 0.006 * k)], 0.003, scale(c, 0.8))
    y = 0.52 + 0.08 * s
    fluke = [
        (-0.5, y),
        (-0.6, y + 0.07 + 0.04 * s),
        (-0.72, y + 0.06 + 0.06 * s),
        (-0.6, y),
        (-0.7, y - 0.05 + 0.06 * s),
        (-0.58, y - 0.04),
    ]
    pen.blob(fluke, c)
    pen.blob([(0.22, 0.43), (0.12, 0.3 + 0.03 * s), (0.0, 0.24 + 0.05 * s), (0.1, 0.4)], scale(c, 0.8))
    pen.disc(0.37, 0.49, 0.011, BLACK)


def turtle(pen: Pen, p: float, c: Rgb) -> None:
    s = float(np.sin(2 * np.pi * p))
    skin = blend(c, (0.8, 0.85, 0.6), 0.5)
    for shade, k in ((0.7, -0.4), (1.0, 1.0)):
        x = 0.0 if k > 0 else 0.1
        fin = [
            (0.2 + x, 0.48),
            (0.12 + x, 0.36 + 0.12 * s * k),
            (-0.1 + x, 0.22 + 0.2 * s * k),
            (-0.06 + x, 0.34 + 0.14 * s * k),
            (0.04 + x, 0.48),
        ]
        pen.blob(fin, scale(skin, shade))
    pen.blob([(-0.26, 0.47), (-0.42, 0.4 - 0.08 * s), (-0.46, 0.36 - 0.1 * s), (-0.34, 0.44)], skin)
    pen.limb(points(".26,.5 .42,.54"), [0.12, 0.13], skin)
    pen.blob(points(".32,.48 .2,.6 -.02,.66 -.24,.58 -.36,.46 -.02,.42"), c)
    for x, y in points(".14,.54 0,.57 -.15,.54"):
        pen.disc(x, y, 0.055, blend(c, (0.7, 0.75, 0.4), 0.4), 0.04)
    pen.disc(0.45, 0.56, 0.014, BLACK)


def jellyfish(pen: Pen, p: float, c: Rgb) -> None:
    a = 2 * np.pi * p
    k = 0.5 + 0.5 * float(np.sin(a))
    w = 0.24 + 0.07 * k
    for j in range(7):
        x, far = -w * 0.8 + 1.6 * w * j / 6, 0.75 + 0.25 * float(np.sin(j * 2.3))
        thread = [
            (x * (1 - 0.3 * t) + 0.05 * float(np.sin(a + t * 5 + j)) * t, 0.66 - 0.6 * t * far)
            for t in np.linspace(0, 1, 10)
        ]
        pen.line(thread, 0.014, blend(c, (1, 1, 1), 0.3))
    rim = [(w, 0.66), (w * 0.5, 0.7), (0, 0.66), (-w * 0.5, 0.7)]
    pen.blob([(-w, 0.66), (-w * 0.86, 0.82), (0, 0.95 - 0.05 * k), (w * 0.86, 0.82), *rim], c)
    pen.blob([(-w * 0.5, 0.74), (0, 0.88 - 0.05 * k), (w * 0.5, 0.74), (0, 0.72)], blend(c, (1, 1, 1), 0.45))
