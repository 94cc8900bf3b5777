"""Light: the colours of sky, haze, ground and water for each hour and weather.

Called by every scene. A palette is plain data made from words; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, hexa, scale
from veo_mcp.sandbox.render.tables import read_table

# where the colours of a sky lie, from the zenith (0) to the horizon (1), by their number
SKY_MARKS = {4: (0.0, 0.42, 0.76, 1.0), 5: (0.0, 0.3, 0.55, 0.8, 1.0)}
#: the colours that a prompt may name
COLOURS: dict[str, Rgb] = {
    "red": hexa("b8232b"), "orange": hexa("dc722a"), "yellow": hexa("e8bf3a"), "green": hexa("2f7d4f"), "blue": hexa("2456a6"), "purple": hexa("5d3a8e"),
    "pink": hexa("d9799a"), "white": hexa("f0efec"), "black": hexa("141518"), "grey": hexa("8d9298"), "gold": hexa("c79a3b"), "brown": hexa("684430"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Palette:
    sky: tuple[tuple[float, Rgb], ...]  # from the zenith (0) to the horizon (1)
    sun: Rgb
    sun_height: float  # 0 at the horizon, 1 at the top
    sun_size: float  # radius as a part of the frame's short side
    glow: float
    haze: Rgb
    light: Rgb  # what a surface facing the sun is multiplied by
    shade: Rgb
    water: Rgb
    cloud: Rgb
    cloud_shade: Rgb
    stars: float = 0.0
    disc: bool = False  # whether the sun or the moon itself is seen: only when it is named
    moon: bool = False
    accent: Rgb = (1.0, 0.8, 0.4)
    night: float = 0.0

    @property
    def time_is_low(self) -> bool:
        """Whether the sun stands low and lights edges."""
        return self.sun_height < 0.4


def _hour(table: dict[str, Any]) -> Palette:
    marks = SKY_MARKS[len(table["sky"])]
    values: dict[str, Any] = {}
    for name, value in table.items():
        listed = tuple(cast("list[float]", value)) if isinstance(value, list) else value
        values[name] = hexa(value) if isinstance(value, str) else listed
    values["sky"] = tuple((mark, hexa(colour)) for mark, colour in zip(marks, table["sky"], strict=True))
    return Palette(**values)


HOURS = {name: _hour(table) for name, table in read_table("canvas/hours.toml").items()}


def palette(light: str, weather: str, looks: Iterable[str]) -> Palette:
    """The light of an hour under a weather."""
    looks = set(looks)
    base = HOURS["neon" if "neon" in looks and light not in {"noon", "dawn"} else light]
    seen = light == "sunset" or "sun" in looks if not base.moon else "moon" in looks
    base = replace(base, disc=seen, glow=base.glow if seen or not base.moon else 0.16)
    if "stars" in looks:
        base = replace(base, stars=max(base.stars, 0.8))
    if "dark" in looks and base.night < 1:
        base = _dull(base, 0.3, 0.62)
    match weather:
        case "rain":
            return replace(_dull(base, 0.55, 0.74), glow=base.glow * 0.35, disc=False)
        case "storm":
            dim = _dull(base, 0.62, 0.5)
            return replace(dim, glow=base.glow * 0.15, stars=0.0, disc=False, cloud_shade=scale(dim.cloud_shade, 0.45))
        case "snow":
            return replace(_dull(base, 0.5, 0.95 if base.night < 0.5 else 1.1), glow=base.glow * 0.6)
        case "fog":
            low = base.sky[-1][1]
            sky = tuple((p, blend(c, low, 0.45)) for p, c in base.sky)
            soft = _dull(replace(base, sky=sky), 0.3, 0.94)
            return replace(soft, glow=base.glow * 0.9, stars=base.stars * 0.3)
        case "cloudy":
            return replace(_dull(base, 0.4, 0.86), glow=base.glow * 0.5)
        case _:
            return base


def _dull(p: Palette, grey: float, bright: float) -> Palette:
    def d(c: Rgb) -> Rgb:
        luma = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]
        return scale(blend(c, (luma * 0.96, luma, luma * 1.06), grey), bright)

    light, cloud_shade, sun = (
        blend(p.light, (0.9, 0.92, 1.0), grey),
        d(p.cloud_shade),
        blend(p.sun, d(p.haze), grey * 0.35),
    )
    return replace(
        p, sky=tuple((at, d(c)) for at, c in p.sky), haze=d(p.haze), water=d(p.water), cloud=d(p.cloud), sun=sun,
        light=scale(light, bright), shade=scale(p.shade, (1 + bright) / 2), cloud_shade=scale(cloud_shade, 0.9),
    )  # fmt: skip
