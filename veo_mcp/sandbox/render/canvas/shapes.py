"""Forms that are data: read from shapes.txt and drawn with a pen, turning their wheels and swinging what swings.

Called by the cast for figures, by the places for furniture, lamps and plants. Knows the file's notation and nothing else.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, hexa, scale
from veo_mcp.sandbox.render.canvas.pen import Pen, Point

LIT, DAY = (1.0, 0.9, 0.66), (0.24, 0.34, 0.44)  # windows by night and by day
TYRE, RIM, HUB, SPOKE, SPOKES = (0.07, 0.07, 0.08), (0.6, 0.61, 0.64), (0.2, 0.2, 0.22), (0.25, 0.25, 0.27), 5
_POINT = re.compile(r"(-?[\d.]+),(-?[\d.]+)(?:~(-?[\d.]+),(-?[\d.]+))?(?:\^(-?[\d.]+),(-?[\d.]+))?$")


@cache
def read_shapes() -> dict[str, list[list[str]]]:
    """The file's lines by name, each in words."""
    out: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in files("veo_mcp.sandbox.render.canvas").joinpath("shapes.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = out.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line.split())
    return out


def draw(
    pen: Pen, phase: float, name: str, *, paint: Rgb, second: Rgb = (0.96, 0.94, 0.88), night: bool = False
) -> None:
    """One form of shapes.txt, `phase` of the way through its cycle."""
    turn = 2 * np.pi * phase
    swing = (1.0, float(np.sin(turn)), float(np.cos(turn)))
    named = {"paint": paint, "second": second, "window": LIT if night else DAY}

    def colour(word: str) -> Rgb:
        base, sign, amount = re.split(r"([*+])", word) if re.search(r"[*+]", word) else (word, "", "")
        c = named.get(base) or hexa(base)
        return scale(c, float(amount)) if sign == "*" else blend(c, (1, 1, 1), float(amount)) if sign else c

    def point(word: str, by: Point) -> Point:
        found = _POINT.match(word)
        x, y, *rest = (float(v or 0) for v in found.groups()) if found else (0.0, 0.0)
        parts = [(x, y), *zip(rest[::2], rest[1::2], strict=True)]
        return (
            by[0] + sum(k * p[0] for k, p in zip(swing, parts, strict=False)),
            by[1] + sum(k * p[1] for k, p in zip(swing, parts, strict=False)),
        )

    times, step = 1, (0.0, 0.0)
    for kind, *words in read_shapes()[name]:
        if kind == "repeat":
            times, step = int(words[0]), point(words[1], (0, 0))
            continue
        for k in range(times):
            at = [point(word, (step[0] * k, step[1] * k)) for word in words if "," in word]
            sizes = [[float(v) for v in word.split("|")] for word in words[1:] if "," not in word]
            match kind:
                case "poly" | "blob":
                    (pen.poly if kind == "poly" else pen.blob)(at, colour(words[0]))
                case "line":
                    pen.line(at, sizes[0][0], colour(words[0]))
                case "limb":
                    pen.limb(at, sizes[0], colour(words[0]))
                case "disc":
                    pen.disc(*at[0], sizes[0][0], colour(words[0]), sizes[-1][0])
                case _:
                    _wheel(pen, at[0], sizes[0][0], turn)
        times = 1


def _wheel(pen: Pen, at: Point, r: float, turn: float) -> None:
    for radius, colour in ((r, TYRE), (r * 0.6, RIM)):
        pen.disc(*at, radius, colour)
    for j in range(SPOKES):
        q = -turn + j * 2 * np.pi / SPOKES
        pen.line([at, (at[0] + r * 0.56 * float(np.cos(q)), at[1] + r * 0.56 * float(np.sin(q)))], r * 0.16, SPOKE)
    pen.disc(*at, r * 0.14, HUB)
