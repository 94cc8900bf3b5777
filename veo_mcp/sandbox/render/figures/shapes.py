"""Figures whose form does not change, read from shapes.txt and drawn with a pen: boats, a car, a plane and the like.

Called by cast.py for one phase of a cycle at a time; only wheels turn with it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, hexa, scale
from veo_mcp.sandbox.render.canvas.pen import Pen, Point

TYRE, RIM, HUB, SPOKE = (0.07, 0.07, 0.08), (0.6, 0.61, 0.64), (0.2, 0.2, 0.22), (0.25, 0.25, 0.27)
SPOKES = 5
LIT, DAY = (1.0, 0.9, 0.66), (0.24, 0.34, 0.44)  # windows by night and by day


@cache
def _read() -> dict[str, list[list[str]]]:
    """The file's lines by figure, each in words."""
    out: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in files("veo_mcp.sandbox.render.figures").joinpath("shapes.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = out.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line.split())
    return out


def names() -> list[str]:
    return list(_read())


def _points(words: list[str], by: Point) -> list[Point]:
    pairs = (word.split(",") for word in words)
    return [(float(x) + by[0], float(y) + by[1]) for x, y in pairs]


def draw(
    pen: Pen, phase: float, name: str, *, paint: Rgb, second: Rgb = (0.96, 0.94, 0.88), night: bool = False
) -> None:
    """One figure of shapes.txt, its wheels turned by `phase` of a turn."""
    named = {"paint": paint, "second": second, "window": LIT if night else DAY}

    def colour(word: str) -> Rgb:
        for sign in "*+":
            if sign in word:
                base, _, amount = word.partition(sign)
                return (
                    scale(colour(base), float(amount)) if sign == "*" else blend(colour(base), (1, 1, 1), float(amount))
                )
        return named.get(word) or hexa(word)

    times, step = 1, (0.0, 0.0)
    for kind, *words in _read()[name]:
        if kind == "repeat":
            times, step = int(words[0]), _points(words[1:], (0, 0))[0]
            continue
        for k in range(times):
            by = (step[0] * k, step[1] * k)
            match kind:
                case "poly":
                    pen.poly(_points(words[1:], by), colour(words[0]))
                case "blob":
                    pen.blob(_points(words[1:], by), colour(words[0]))
                case "line":
                    pen.line(_points(words[2:], by), float(words[1]), colour(words[0]))
                case "disc":
                    (x, y), radii = _points(words[1:2], by)[0], [float(word) for word in words[2:]]
                    pen.disc(x, y, radii[0], colour(words[0]), radii[-1])
                case _:
                    _wheel(pen, _points(words[:1], by)[0], float(words[1]), 2 * np.pi * phase)
        times = 1


def _wheel(pen: Pen, at: Point, r: float, turn: float) -> None:
    (x, y) = at
    pen.disc(x, y, r, TYRE)
    pen.disc(x, y, r * 0.6, RIM)
    for j in range(SPOKES):
        q = -turn + j * 2 * np.pi / SPOKES
        pen.line([at, (x + r * 0.56 * float(np.cos(q)), y + r * 0.56 * float(np.sin(q)))], r * 0.16, SPOKE)
    pen.disc(x, y, r * 0.14, HUB)
