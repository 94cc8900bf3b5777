"""Animals: four-legged ones with jointed legs and a gait, birds, and what swims.

Called by actors.py for one phase of a cycle at a time. Draws with a pen; all face right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend
from veo_mcp.sandbox.render.canvas.pen import Pen, Point, joint


@dataclass(frozen=True, slots=True)
class Beast:
    """Measures of a four-legged animal; 1 is the height of its back."""

    coat: Rgb
    body: float  # length of the trunk
    deep: float  # depth of the chest
    leg: float  # thickness of the upper leg
    neck: tuple[float, float]  # where the head is, from the shoulder
    head: float
    muzzle: float
    tail: str
    ears: str
    extra: str = ""


BEASTS: dict[str, Beast] = {
    "dog": Beast((0.78, 0.56, 0.3), 1.06, 0.45, 0.17, (0.26, 0.3), 0.155, 0.17, "up", "flop"),
    "wolf": Beast((0.42, 0.4, 0.4), 1.08, 0.42, 0.15, (0.3, 0.2), 0.14, 0.2, "bush", "point"),
    "cat": Beast((0.4, 0.34, 0.3), 1.12, 0.42, 0.15, (0.22, 0.24), 0.15, 0.07, "curl", "point"),
    "horse": Beast((0.4, 0.24, 0.15), 0.98, 0.34, 0.14, (0.36, 0.5), 0.12, 0.26, "hair", "point", "mane"),
    "deer": Beast((0.5, 0.34, 0.2), 0.86, 0.3, 0.1, (0.24, 0.46), 0.095, 0.15, "short", "point", "antlers"),
    "elephant": Beast((0.45, 0.44, 0.45), 1.0, 0.5, 0.26, (0.28, 0.04), 0.24, 0.1, "thin", "wide", "trunk"),
    "camel": Beast((0.72, 0.54, 0.34), 0.8, 0.32, 0.12, (0.42, 0.32), 0.095, 0.16, "thin", "point", "hump"),
}


def beast(pen: Pen, p: float, b: Beast, *, run: bool = False) -> None:
    """Walking, trotting or galloping to the right; `p` 0..1 through a cycle."""
    a = 2 * np.pi * p
    bob = (0.05 if run else 0.015) * float(np.sin(2 * a if not run else a))
    pitch = 0.07 * float(np.cos(a)) if run else 0.0
    half = b.body / 2
    hip: Point = (-half * 0.84, 0.86 + bob - pitch)
    shoulder: Point = (half * 0.8, 0.84 + bob + pitch)
    dark = (b.coat[0] * 0.62, b.coat[1] * 0.62, b.coat[2] * 0.62)
    swing = 0.62 if run else 0.36
    offsets = (0.0, 0.14, 0.5, 0.64) if run else (0.0, 0.5, 0.25, 0.75)
    legs = [
        (hip, offsets[0], True),
        (hip, offsets[1], False),
        (shoulder, offsets[2], True),
        (shoulder, offsets[3], False),
    ]
    for joint_at, off, far in sorted(legs, key=lambda q: not q[2]):
        c = dark if far else b.coat
        q = a + 2 * np.pi * off
        back = joint_at is hip
        s, lift = float(np.sin(q)), max(0.0, float(np.cos(q)))
        upper = swing * s + (0.12 if back else -0.05)
        fold = (0.95 if run else 0.6) * lift
        root = (joint_at[0], joint_at[1] - b.deep * 0.34)
        span = root[1] + 0.02
        thigh = span * (0.46 if back else 0.5)
        knee = joint(*root, upper, thigh)
        low = upper - fold - 0.25 if back else upper + fold * 0.35
        if back:
            hock = joint(*knee, low, span * 0.28)
            foot = joint(*hock, upper * 0.9 + 0.1 - fold * 0.4, span * 0.3)
        else:
            hock = joint(*knee, upper - fold * 0.9, span * 0.27)
            foot = joint(*hock, upper * 0.8 - fold * 1.1, span * 0.26)
        pen.limb([root, knee, hock, foot], [b.leg * 1.35, b.leg * 0.72, b.leg * 0.5, b.leg * 0.46], c)
        pen.limb(
            [foot, (foot[0] + b.leg * 0.3, foot[1])], [b.leg * 0.48, b.leg * 0.36], (c[0] * 0.7, c[1] * 0.7, c[2] * 0.7)
        )
    _tail(pen, b, hip, a, run)
    d = b.deep
    top = 0.06 if b.extra != "hump" else 0.02
    pen.blob(
        [
            (hip[0] - 0.10, hip[1] - 0.02), (hip[0], hip[1] + 0.09), (-half * 0.25, 0.9 + bob + top * 0.5), (shoulder[0] * 0.75, shoulder[1] + 0.10),
            (shoulder[0] + 0.13, shoulder[1] - 0.02), (shoulder[0] + 0.10, shoulder[1] - d * 0.72), (shoulder[0] * 0.55, shoulder[1] - d * 0.86),
            (-half * 0.1, 0.84 + bob - d * 0.74), (hip[0] * 0.55, hip[1] - d * 0.56), (hip[0] - 0.02, hip[1] - d * 0.62), (hip[0] - 0.12, hip[1] - d * 0.3),
        ],
        b.coat,
    )  # fmt: skip
    if b.extra == "hump":
        pen.blob(
            [
                (-0.3, 0.86 + bob),
                (-0.13, 1.06 + bob),
                (0.02, 1.1 + bob),
                (0.14, 1.0 + bob),
                (0.28, 0.84 + bob),
                (0, 0.8),
            ],
            b.coat,
        )
    _fore(pen, b, shoulder, a, run)


def _tail(pen: Pen, b: Beast, hip: Point, a: float, run: bool) -> None:
    w = float(np.sin(a * 2))
    x, y = hip[0] - 0.09, hip[1] + 0.02
    out = 0.2 if run else 0.0
    match b.tail:
        case "up":
            pen.limb([(x, y), (x - 0.14, y + 0.12), (x - 0.17 + 0.07 * w, y + 0.3)], [0.09, 0.075, 0.035], b.coat)
        case "bush":
            pen.limb(
                [(x, y), (x - 0.16, y - 0.08 + out), (x - 0.34, y - 0.2 + out + 0.03 * w)], [0.08, 0.15, 0.04], b.coat
            )
        case "curl":
            pen.limb(
                [(x, y), (x - 0.2, y + 0.02), (x - 0.33, y + 0.2), (x - 0.25 + 0.05 * w, y + 0.38)],
                [0.07, 0.06, 0.055, 0.045],
                b.coat,
            )
        case "hair":
            c = (b.coat[0] * 0.4, b.coat[1] * 0.4, b.coat[2] * 0.4)
            pen.limb(
                [
                    (x, y),
                    (x - 0.12, y - 0.05 + out),
                    (x - 0.18 - out, y - 0.28 + out * 1.2 + 0.03 * w),
                    (x - 0.19 - out * 1.6, y - 0.46 + out * 1.4),
                ],
                [0.06, 0.1, 0.1, 0.03],
                c,
            )
        case "short":
            pen.limb([(x, y), (x - 0.07, y - 0.06 + 0.02 * w)], [0.06, 0.03], blend(b.coat, (0.95, 0.92, 0.86), 0.7))
        case _:
            pen.limb([(x, y), (x - 0.06, y - 0.2), (x - 0.07 + 0.04 * w, y - 0.38)], [0.045, 0.03, 0.035], b.coat)


def _fore(pen: Pen, b: Beast, shoulder: Point, a: float, run: bool) -> None:
    nod = 0.02 * float(np.sin(a * (1 if run else 2)))
    sx, sy = shoulder[0] + 0.02, shoulder[1] - 0.04
    hx, hy = sx + b.neck[0] + (0.06 if run else 0), sy + b.neck[1] + nod
    c, dark = b.coat, (b.coat[0] * 0.45, b.coat[1] * 0.45, b.coat[2] * 0.45)
    thick = b.deep * 0.82
    slim = b.head * 1.25
    if b.extra == "hump":
        pen.limb(
            [(sx, sy - 0.1), (sx + 0.2, sy - 0.12), (hx - 0.06, hy - 0.14), (hx, hy)],
            [thick * 0.7, slim * 1.3, slim, slim],
            c,
        )
    else:
        pen.limb(
            [(sx - 0.05, sy - 0.05), ((sx + hx) / 2, (sy + hy) / 2), (hx, hy)],
            [thick, (thick + slim) / 1.85, slim * 1.1],
            c,
        )
    if b.extra == "mane":
        for k in range(9):
            f = k / 8
            x, y = sx - 0.04 + (hx - sx) * f - 0.05, sy + 0.08 + (hy - sy) * f + 0.05
            pen.limb(
                [(x, y), (x - 0.09 - (0.07 if run else 0), y - 0.05 + 0.02 * float(np.sin(a + k)))], [0.06, 0.02], dark
            )
    r = b.head
    tipx, tipy = hx + r * 0.7 + b.muzzle, hy - r * (0.55 if b.extra != "mane" else 0.95) - (b.muzzle * 0.35)
    pen.disc(hx + 0.02, hy, r, c, r * 0.9)
    if b.extra == "trunk":
        sway = 0.05 * float(np.sin(a))
        pen.limb(
            [
                (hx + r * 0.6, hy - 0.02),
                (hx + r + 0.1, hy - 0.24),
                (hx + r + 0.1 + sway, hy - 0.5),
                (hx + r + 0.17 + sway, hy - 0.66),
            ],
            [0.24, 0.17, 0.12, 0.08],
            c,
        )
        pen.limb(
            [(hx + r * 0.6, hy - 0.15), (hx + r + 0.18, hy - 0.3), (hx + r + 0.34, hy - 0.24)],
            [0.06, 0.045, 0.02],
            (0.95, 0.93, 0.86),
        )
        pen.blob(
            [
                (hx - 0.02, hy + 0.16),
                (hx - 0.22, hy + 0.2),
                (hx - 0.36, hy + 0.02),
                (hx - 0.26, hy - 0.26),
                (hx - 0.08, hy - 0.2),
                (hx + 0.04, hy),
            ],
            (c[0] * 0.82, c[1] * 0.82, c[2] * 0.84),
        )
        pen.disc(hx + 0.13, hy + 0.03, 0.02, (0.05, 0.05, 0.05))
        return
    pen.limb([(hx + 0.02, hy - 0.01), (tipx, tipy)], [r * 1.5, r * (0.72 if b.muzzle > 0.1 else 1.0)], c)
    pen.disc(tipx + r * 0.25, tipy + r * 0.12, r * 0.2, dark)
    pen.disc(hx + r * 0.5, hy + r * 0.22, r * 0.12, (0.05, 0.04, 0.04))
    if b.ears == "flop":
        pen.blob(
            [
                (hx - r * 0.5, hy + r * 0.75),
                (hx + r * 0.05, hy + r * 0.6),
                (hx - r * 0.05, hy - r * 0.6),
                (hx - r * 0.6, hy - r * 0.9 + 0.03 * float(np.sin(a * 2))),
                (hx - r * 0.85, hy),
            ],
            (c[0] * 0.7, c[1] * 0.68, c[2] * 0.66),
        )
    else:
        for k, shade in ((0.35, 0.7), (0.0, 1.0)):
            q = (c[0] * shade, c[1] * shade, c[2] * shade)
            pen.poly(
                [
                    (hx - r * 0.75 + k * r, hy + r * 0.5),
                    (hx - r * 0.55 + k * r, hy + r * 1.6),
                    (hx + r * 0.1 + k * r, hy + r * 0.7),
                ],
                q,
            )
    if b.extra == "antlers":
        horn: Rgb = (0.72, 0.6, 0.44)
        for k in (0.0, 0.07):
            root = (hx - 0.02 + k, hy + r * 0.8)
            pts = [
                root,
                (root[0] - 0.06 + k, root[1] + 0.14),
                (root[0] - 0.02 + k, root[1] + 0.3),
                (root[0] + 0.1 + k, root[1] + 0.4),
            ]
            pen.line(pts, 0.03, horn)
            for (x, y), (dx, dy) in zip(pts[1:3], ((0.1, 0.12), (-0.1, 0.12)), strict=True):
                pen.line([(x, y), (x + dx, y + dy)], 0.024, horn)


def bird(pen: Pen, p: float, c: Rgb) -> None:
    """Seen from the side in flight, the wings beating."""
    a = 2 * np.pi * p
    up = float(np.sin(a))
    tip = float(np.sin(a - 0.7))
    for shade, depth in ((0.72, 0.12), (1.0, 0.0)):
        q = (c[0] * shade, c[1] * shade, c[2] * shade)
        mid = (0.02 - depth * 0.5, 0.5 + 0.3 * up)
        end = (-0.2 - depth, 0.5 + 0.3 * up + 0.34 * tip)
        pen.blob(
            [
                (0.16, 0.52),
                (mid[0] + 0.14, mid[1] + 0.02),
                (end[0] + 0.1, end[1]),
                (end[0] - 0.08, end[1] - 0.01),
                (mid[0] - 0.12, mid[1] - 0.05),
                (-0.14, 0.49),
            ],
            q,
        )
    pen.blob(
        [(0.42, 0.52), (0.3, 0.57), (0.05, 0.56), (-0.25, 0.5), (-0.5, 0.5), (-0.28, 0.46), (0.05, 0.44), (0.28, 0.48)],
        c,
    )
    pen.poly([(0.4, 0.54), (0.52, 0.505), (0.4, 0.5)], (0.9, 0.65, 0.25))


def fish(pen: Pen, p: float, c: Rgb, shark: bool = False) -> None:
    a = 2 * np.pi * p
    beat = float(np.sin(a))
    deep = 0.13 if shark else 0.2
    tail = (-0.5, 0.5 + 0.03 * beat)
    squeeze = 0.75 + 0.25 * float(np.cos(a))
    fin = blend(c, (1, 1, 1), 0.2)
    pen.poly(
        [
            (-0.36, 0.5),
            (-0.36 - 0.26 * squeeze, 0.5 + 0.22),
            (-0.36 - 0.16 * squeeze, 0.5),
            (-0.36 - 0.26 * squeeze, 0.5 - 0.17),
        ],
        fin,
    )
    pen.poly([(0.12, 0.5 + deep * 0.8), (-0.05, 0.5 + deep * (2.1 if shark else 1.6)), (-0.16, 0.5 + deep * 0.7)], fin)
    pen.blob(
        [
            (0.5, 0.5),
            (0.32, 0.5 + deep * 0.72),
            (0.05, 0.5 + deep),
            (-0.25, 0.5 + deep * 0.42),
            tail,
            (-0.25, 0.5 - deep * 0.4),
            (0.05, 0.5 - deep * 0.9),
            (0.32, 0.5 - deep * 0.6),
        ],
        c,
    )
    pen.blob(
        [(0.46, 0.49), (0.2, 0.47), (-0.2, 0.47), (0.0, 0.5 - deep * 0.85), (0.3, 0.5 - deep * 0.55)],
        blend(c, (1, 1, 1), 0.35),
    )
    if not shark:
        for x in (0.18, -0.06):
            pen.limb([(x, 0.5 + deep * 0.75), (x - 0.03, 0.5 - deep * 0.7)], [0.05, 0.03], blend(c, (1, 1, 1), 0.6))
    pen.poly([(0.12, 0.47), (-0.05, 0.34 - 0.04 * beat), (0.0, 0.47)], fin)
    pen.disc(0.36, 0.53, 0.025, (0.04, 0.04, 0.06))


def whale(pen: Pen, p: float, c: Rgb) -> None:
    a = 2 * np.pi * p
    s = float(np.sin(a))
    pen.blob(
        [
            (0.5, 0.5),
            (0.42, 0.6),
            (0.2, 0.66),
            (-0.1, 0.62),
            (-0.38, 0.53 + 0.03 * s),
            (-0.55, 0.52 + 0.08 * s),
            (-0.38, 0.49 + 0.03 * s),
            (-0.05, 0.42),
            (0.25, 0.38),
            (0.44, 0.42),
        ],
        c,
    )
    pen.blob(
        [(0.49, 0.48), (0.2, 0.47), (-0.1, 0.46), (0.1, 0.4), (0.3, 0.385), (0.44, 0.42)], blend(c, (0.9, 0.95, 1), 0.6)
    )
    y = 0.52 + 0.08 * s
    pen.blob(
        [
            (-0.5, y),
            (-0.6, y + 0.07 + 0.04 * s),
            (-0.72, y + 0.06 + 0.06 * s),
            (-0.6, y),
            (-0.7, y - 0.05 + 0.06 * s),
            (-0.58, y - 0.04),
        ],
        c,
    )
    pen.blob(
        [(0.22, 0.43), (0.12, 0.3 + 0.03 * s), (0.0, 0.24 + 0.05 * s), (0.1, 0.4)], (c[0] * 0.8, c[1] * 0.8, c[2] * 0.8)
    )
    pen.disc(0.37, 0.49, 0.011, (0.02, 0.02, 0.04))


def turtle(pen: Pen, p: float, c: Rgb) -> None:
    s = float(np.sin(2 * np.pi * p))
    skin = blend(c, (0.8, 0.85, 0.6), 0.5)
    pen.blob(
        [(0.2, 0.48), (0.12, 0.36 + 0.12 * s), (-0.1, 0.22 + 0.2 * s), (-0.06, 0.34 + 0.14 * s), (0.04, 0.48)], skin
    )
    pen.blob([(-0.26, 0.47), (-0.42, 0.4 - 0.08 * s), (-0.46, 0.36 - 0.1 * s), (-0.34, 0.44)], skin)
    pen.limb([(0.26, 0.5), (0.42, 0.54)], [0.12, 0.13], skin)
    pen.blob([(0.32, 0.48), (0.2, 0.6), (-0.02, 0.66), (-0.24, 0.58), (-0.36, 0.46), (-0.02, 0.42)], c)
    for x, y in ((0.14, 0.54), (0.0, 0.57), (-0.15, 0.54)):
        pen.disc(x, y, 0.055, blend(c, (0.7, 0.75, 0.4), 0.4), 0.04)
    pen.disc(0.45, 0.56, 0.014, (0.03, 0.03, 0.03))


def jellyfish(pen: Pen, p: float, c: Rgb) -> None:
    a = 2 * np.pi * p
    k = 0.5 + 0.5 * float(np.sin(a))
    w = 0.24 + 0.07 * k
    for j in range(7):
        x = -w * 0.8 + 1.6 * w * j / 6
        pts = [
            (
                x * (1 - 0.3 * t) + 0.05 * float(np.sin(a + t * 5 + j)) * t,
                0.66 - 0.6 * t * (0.75 + 0.25 * float(np.sin(j * 2.3))),
            )
            for t in np.linspace(0, 1, 10)
        ]
        pen.line(pts, 0.014, blend(c, (1, 1, 1), 0.3))
    pen.blob(
        [
            (-w, 0.66),
            (-w * 0.86, 0.82),
            (0, 0.95 - 0.05 * k),
            (w * 0.86, 0.82),
            (w, 0.66),
            (w * 0.5, 0.7),
            (0, 0.66),
            (-w * 0.5, 0.7),
        ],
        c,
    )
    pen.blob([(-w * 0.5, 0.74), (0, 0.88 - 0.05 * k), (w * 0.5, 0.74), (0, 0.72)], blend(c, (1, 1, 1), 0.45))


def butterfly(pen: Pen, p: float, c: Rgb) -> None:
    k = 0.25 + 0.75 * abs(float(np.cos(np.pi * p)))
    for s, shade in ((-1, 0.8), (1, 1.0)):
        q = (c[0] * shade, c[1] * shade, c[2] * shade)
        pen.blob([(0, 0.5), (s * 0.22 * k, 0.86), (s * 0.48 * k, 0.86), (s * 0.42 * k, 0.56)], q)
        pen.blob(
            [(0, 0.48), (s * 0.34 * k, 0.5), (s * 0.34 * k, 0.24), (s * 0.1 * k, 0.26)], blend(q, (0.1, 0.05, 0.1), 0.3)
        )
    pen.limb([(0, 0.68), (0, 0.3)], [0.04, 0.03], (0.1, 0.08, 0.08))
