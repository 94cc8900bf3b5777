"""Vehicles: boats and ships, cars, buses, trains, planes, balloons, rockets, and a lighthouse.

Called by actors.py for one phase of a cycle at a time. Draws with a pen; all face right, wheels turn.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend
from veo_mcp.sandbox.render.canvas.pen import Pen

DARK: Rgb = (0.07, 0.07, 0.08)
GLASS: Rgb = (0.24, 0.34, 0.44)


def sailboat(pen: Pen, c: Rgb, sail: Rgb) -> None:
    pen.line([(0.02, 0.12), (0.02, 1.0)], 0.014, (0.3, 0.2, 0.14))
    belly = [(0.035, 0.2), (0.035, 0.97)]
    pen.poly(
        [
            *belly,
            *[
                (0.035 + 0.30 * (1 - t) ** 0.8 * (0.5 + 0.5 * t + 0.16 * np.sin(np.pi * t)), 0.2 + 0.77 * t)
                for t in np.linspace(1, 0, 18)
            ],
        ],
        (sail[0] * 0.82, sail[1] * 0.82, sail[2] * 0.86),
    )
    main = [(0.0, 0.2 + 0.76 * t) for t in np.linspace(0, 1, 12)]
    back = [(-0.36 * (1 - t) ** 0.85 - 0.05 * np.sin(np.pi * t), 0.2 + 0.76 * t) for t in np.linspace(1, 0, 18)]
    pen.poly([*main, *back], sail)
    for t in (0.3, 0.55, 0.78):
        pen.line(
            [(0.0, 0.2 + 0.76 * t), (-0.36 * (1 - t) ** 0.85 - 0.04, 0.2 + 0.76 * t - 0.01)],
            0.004,
            (sail[0] * 0.75, sail[1] * 0.75, sail[2] * 0.8),
        )
    pen.blob(
        [
            (-0.4, 0.15),
            (0.0, 0.125),
            (0.36, 0.14),
            (0.5, 0.18),
            (0.4, 0.06),
            (0.28, -0.02),
            (-0.3, -0.03),
            (-0.39, 0.03),
        ],
        c,
    )
    pen.line([(-0.38, 0.115), (0.44, 0.135)], 0.012, blend(c, (1, 1, 1), 0.6))
    pen.blob([(-0.2, 0.135), (-0.18, 0.19), (0.02, 0.19), (0.08, 0.135)], blend(c, (0.9, 0.85, 0.75), 0.7))


def ship(pen: Pen, c: Rgb, night: bool) -> None:
    light: Rgb = (1.0, 0.88, 0.6) if night else (0.3, 0.4, 0.5)
    white: Rgb = (0.9, 0.9, 0.92)
    for k, (x0, x1) in enumerate(((-0.42, 0.3), (-0.36, 0.22), (-0.28, 0.14))):
        y = 0.14 + 0.06 * k
        pen.poly([(x0, y), (x1, y), (x1 - 0.015, y + 0.06), (x0, y + 0.06)], white)
        for j in range(int((x1 - x0) / 0.035)):
            pen.poly(
                [
                    (x0 + 0.02 + j * 0.035, y + 0.02),
                    (x0 + 0.04 + j * 0.035, y + 0.02),
                    (x0 + 0.04 + j * 0.035, y + 0.042),
                    (x0 + 0.02 + j * 0.035, y + 0.042),
                ],
                light,
            )
    for x in (-0.2, -0.06):
        pen.poly([(x, 0.31), (x + 0.07, 0.31), (x + 0.055, 0.42), (x - 0.012, 0.42)], (0.75, 0.24, 0.2))
        pen.poly([(x - 0.01, 0.4), (x + 0.057, 0.4), (x + 0.055, 0.43), (x - 0.014, 0.43)], DARK)
    pen.line([(0.16, 0.2), (0.16, 0.42)], 0.008, white)
    pen.poly([(-0.5, 0.15), (0.42, 0.15), (0.56, 0.19), (0.44, -0.03), (-0.47, -0.03)], c)
    pen.line([(-0.5, 0.125), (0.5, 0.135)], 0.012, white)


def wheel(pen: Pen, x: float, r: float, a: float) -> None:
    pen.disc(x, r, r, DARK)
    pen.disc(x, r, r * 0.6, (0.6, 0.61, 0.64))
    for j in range(5):
        q = -a + j * 2 * np.pi / 5
        pen.line(
            [(x, r), (x + r * 0.56 * float(np.cos(q)), r + r * 0.56 * float(np.sin(q)))], r * 0.16, (0.25, 0.25, 0.27)
        )
    pen.disc(x, r, r * 0.14, (0.2, 0.2, 0.22))


def car(pen: Pen, p: float, c: Rgb, night: bool) -> None:
    pen.blob(
        [
            (-0.49, 0.13),
            (-0.5, 0.24),
            (-0.46, 0.29),
            (-0.32, 0.31),
            (-0.2, 0.42),
            (0.06, 0.43),
            (0.2, 0.31),
            (0.4, 0.27),
            (0.49, 0.2),
            (0.49, 0.12),
            (0.3, 0.09),
            (-0.3, 0.09),
        ],
        c,
    )
    pen.poly([(-0.27, 0.315), (-0.18, 0.4), (-0.04, 0.405), (-0.04, 0.315)], GLASS)
    pen.poly([(-0.015, 0.315), (-0.015, 0.405), (0.05, 0.405), (0.155, 0.315)], GLASS)
    pen.line([(-0.47, 0.235), (0.46, 0.22)], 0.006, blend(c, (1, 1, 1), 0.4))
    pen.line([(-0.03, 0.3), (-0.03, 0.12)], 0.004, (c[0] * 0.5, c[1] * 0.5, c[2] * 0.5))
    pen.disc(0.47, 0.215, 0.024, (1.0, 0.96, 0.8) if night else (0.9, 0.92, 0.95), 0.018)
    pen.disc(-0.485, 0.235, 0.018, (0.95, 0.15, 0.12))
    for x in (-0.3, 0.3):
        pen.disc(x, 0.1, 0.108, (0.04, 0.04, 0.05))
        wheel(pen, x, 0.092, 2 * np.pi * p)


def bus(pen: Pen, p: float, c: Rgb, night: bool) -> None:
    pen.blob([(-0.5, 0.08), (-0.5, 0.44), (-0.46, 0.47), (0.44, 0.47), (0.5, 0.42), (0.505, 0.2), (0.5, 0.08)], c)
    light: Rgb = (1.0, 0.9, 0.66) if night else GLASS
    for k in range(6):
        x = -0.46 + k * 0.145
        pen.poly([(x, 0.27), (x + 0.125, 0.27), (x + 0.125, 0.42), (x, 0.42)], light)
    pen.poly([(0.42, 0.14), (0.49, 0.14), (0.485, 0.41), (0.42, 0.41)], light)
    pen.line([(-0.5, 0.21), (0.5, 0.21)], 0.02, blend(c, (1, 1, 1), 0.7))
    pen.disc(0.49, 0.13, 0.02, (1.0, 0.96, 0.8))
    for x in (-0.31, 0.3):
        pen.disc(x, 0.07, 0.085, (0.04, 0.04, 0.05))
        wheel(pen, x, 0.07, 2 * np.pi * p)


def train(pen: Pen, p: float, c: Rgb, night: bool) -> None:
    light: Rgb = (1.0, 0.9, 0.66) if night else GLASS
    for k in range(3):
        x0, x1 = -1.5 + k, -0.53 + k
        nose = k == 2
        shape = [(x0, 0.05), (x0, 0.28), (x1 - (0.2 if nose else 0), 0.28)]
        shape += [(x1 - 0.1, 0.25), (x1 + 0.02, 0.13), (x1 + 0.03, 0.05)] if nose else [(x1, 0.28), (x1, 0.05)]
        pen.poly(shape, (0.9, 0.91, 0.93))
        pen.poly([(x0, 0.09), (x1, 0.09), (x1, 0.125), (x0, 0.125)], c)
        for j in range(7 if not nose else 5):
            wx = x0 + 0.06 + j * 0.125
            pen.poly([(wx, 0.165), (wx + 0.095, 0.165), (wx + 0.095, 0.235), (wx, 0.235)], light)
        if nose:
            pen.poly([(x1 - 0.17, 0.17), (x1 - 0.05, 0.17), (x1 - 0.13, 0.25), (x1 - 0.17, 0.25)], GLASS)
        for wx in (x0 + 0.12, x0 + 0.24, x1 - 0.24, x1 - 0.12):
            wheel(pen, wx, 0.04, 2 * np.pi * p)
        pen.poly([(x0 + 0.02, 0.03), (x1 - 0.02, 0.03), (x1 - 0.02, 0.055), (x0 + 0.02, 0.055)], (0.2, 0.2, 0.22))


def plane(pen: Pen, c: Rgb) -> None:
    white: Rgb = (0.92, 0.93, 0.95)
    pen.poly([(-0.36, 0.52), (-0.52, 0.72), (-0.44, 0.72), (-0.26, 0.54)], c)
    pen.blob(
        [(0.5, 0.48), (0.42, 0.54), (0.2, 0.55), (-0.3, 0.55), (-0.5, 0.53), (-0.3, 0.47), (0.2, 0.44), (0.42, 0.44)],
        white,
    )
    pen.line([(-0.45, 0.515), (0.48, 0.475)], 0.012, c)
    for k in range(14):
        pen.disc(-0.26 + k * 0.045, 0.515, 0.007, GLASS)
    pen.poly([(0.4, 0.515), (0.45, 0.505), (0.42, 0.53), (0.37, 0.535)], GLASS)
    pen.poly([(0.08, 0.47), (-0.22, 0.3), (-0.29, 0.3), (-0.1, 0.48)], (0.7, 0.72, 0.76))
    pen.blob([(0.0, 0.4), (-0.1, 0.4), (-0.12, 0.36), (0.0, 0.355), (0.03, 0.38)], (0.5, 0.52, 0.56))
    pen.poly([(-0.4, 0.51), (-0.54, 0.45), (-0.58, 0.45), (-0.48, 0.52)], (0.75, 0.77, 0.8))


def balloon(pen: Pen, c: Rgb, second: Rgb) -> None:
    a = np.linspace(-2.2, 2.2, 40)
    right = [(0.34 * float(np.sin(q)), 0.66 + 0.34 * float(np.cos(q))) for q in a]
    pen.poly([*right, (0.07, 0.2), (-0.07, 0.2)], c)
    for k in range(-3, 4):
        if k % 2 == 0:
            continue
        f0, f1 = (k - 0.5) / 3.5, (k + 0.5) / 3.5
        up = np.linspace(0, 2.2, 16)
        one = [(0.34 * float(np.sin(q)) * f0, 0.66 + 0.34 * float(np.cos(q))) for q in up]
        two = [(0.34 * float(np.sin(q)) * f1, 0.66 + 0.34 * float(np.cos(q))) for q in up[::-1]]
        pen.poly([*one, (0.07 * f0, 0.2), (0.07 * f1, 0.2), *two], second)
    for x in (-0.055, 0.055):
        pen.line([(x, 0.2), (x * 0.9, 0.1)], 0.006, (0.3, 0.22, 0.16))
    pen.poly([(-0.06, 0.1), (0.06, 0.1), (0.05, 0.02), (-0.05, 0.02)], (0.45, 0.29, 0.17))
    pen.disc(0, 0.185, 0.02, (1.0, 0.8, 0.35))


def rocket(pen: Pen, p: float, c: Rgb) -> None:
    f = 0.16 + 0.05 * float(np.sin(2 * np.pi * p * 3))
    pen.blob([(-0.4, 0.56), (-0.4 - f, 0.5), (-0.4, 0.44)], (1.0, 0.55, 0.15))
    pen.blob([(-0.4, 0.53), (-0.4 - f * 0.6, 0.5), (-0.4, 0.47)], (1.0, 0.92, 0.6))
    for s in (-1, 1):
        pen.poly([(-0.36, 0.5 + s * 0.06), (-0.46, 0.5 + s * 0.2), (-0.34, 0.5 + s * 0.2), (-0.16, 0.5 + s * 0.08)], c)
    pen.blob(
        [(0.5, 0.5), (0.3, 0.585), (0.0, 0.6), (-0.38, 0.57), (-0.4, 0.5), (-0.38, 0.43), (0.0, 0.4), (0.3, 0.415)],
        (0.9, 0.91, 0.94),
    )
    pen.blob([(0.5, 0.5), (0.36, 0.565), (0.3, 0.5), (0.36, 0.435)], c)
    pen.disc(0.14, 0.51, 0.05, (0.5, 0.52, 0.58))
    pen.disc(0.14, 0.51, 0.037, (0.25, 0.45, 0.65))
    pen.disc(-0.04, 0.51, 0.03, (0.25, 0.45, 0.65))


def lighthouse(pen: Pen, red: Rgb) -> None:
    pen.blob(
        [(-0.4, 0.0), (-0.3, 0.1), (-0.12, 0.16), (0.14, 0.15), (0.3, 0.07), (0.42, -0.02), (0.0, -0.06)],
        (0.28, 0.25, 0.25),
    )
    for k in range(5):
        y0, y1 = 0.13 + 0.13 * k, 0.13 + 0.13 * (k + 1)
        w0, w1 = 0.105 - 0.011 * k, 0.105 - 0.011 * (k + 1)
        pen.poly([(-w0, y0), (w0, y0), (w1, y1), (-w1, y1)], red if k % 2 else (0.93, 0.92, 0.9))
    pen.poly([(-0.075, 0.78), (0.075, 0.78), (0.075, 0.8), (-0.075, 0.8)], DARK)
    pen.poly([(-0.042, 0.8), (0.042, 0.8), (0.042, 0.87), (-0.042, 0.87)], (1.0, 0.93, 0.65))
    pen.poly([(-0.055, 0.87), (0.055, 0.87), (0.0, 0.94)], red)
