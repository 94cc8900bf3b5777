"""Light: the colours of sky, haze, ground and water for each hour and weather.

Called by every scene. A palette is plain data made from words; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from veo_mcp.sandbox.render.canvas.frame import Rgb, blend, hexa, scale


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


def _sky(*colours: str) -> tuple[tuple[float, Rgb], ...]:
    marks = {4: (0.0, 0.42, 0.76, 1.0), 5: (0.0, 0.3, 0.55, 0.8, 1.0)}[len(colours)]
    return tuple((m, hexa(c)) for m, c in zip(marks, colours, strict=True))


HOURS: dict[str, Palette] = {
    # no light was named: an even, pale day that claims no hour
    "": Palette(
        _sky("7f9fc0", "a3bcd4", "c9d8e4", "e6ecee"),
        hexa("fffaf0"), 0.7, 0.042, 0.22, hexa("d3dde3"), (1.0, 0.98, 0.95), (0.5, 0.55, 0.64),
        hexa("4a7590"), hexa("f7f9fb"), hexa("b4c2d0"), accent=hexa("d6e6f2"),
    ),
    "dawn": Palette(
        _sky("3d5a8c", "7f8fc0", "d9a9b9", "f7cfa8", "ffe6b8"),
        hexa("fff2cf"), 0.2, 0.045, 0.75, hexa("f3cdbb"), (1.1, 0.92, 0.8), (0.52, 0.5, 0.68),
        hexa("41597f"), hexa("ffdccb"), hexa("a58fb4"), accent=hexa("ffd9a0"),
    ),
    "noon": Palette(
        _sky("1d66bd", "3f8fdc", "86bfee", "cfe7f7"),
        hexa("fffdf0"), 0.82, 0.042, 0.55, hexa("c3ddf0"), (1.1, 1.06, 0.96), (0.45, 0.53, 0.68),
        hexa("1c6d9c"), hexa("ffffff"), hexa("a9bfd8"), accent=hexa("bfe3ff"),
    ),
    "sunset": Palette(
        _sky("262a5e", "5d3a80", "b34a6b", "ee7a4c", "ffc065"),
        hexa("ffedb0"), 0.22, 0.058, 1.0, hexa("f3a067"), (1.25, 0.76, 0.5), (0.42, 0.29, 0.46),
        hexa("43275a"), hexa("ffa27a"), hexa("6d3f74"), accent=hexa("ffc86b"),
    ),
    "dusk": Palette(
        _sky("141b42", "2b3a74", "6b5590", "c47c86"),
        hexa("ffe0c0"), 0.12, 0.04, 0.5, hexa("8d6f95"), (0.8, 0.66, 0.74), (0.25, 0.25, 0.42),
        hexa("232a52"), hexa("b48ba4"), hexa("40406f"), stars=0.35, accent=hexa("f0b4a0"), night=0.5,
    ),
    "night": Palette(
        _sky("060a22", "0e1a42", "1d3166", "3a5288"),
        hexa("eef2ff"), 0.72, 0.05, 0.42, hexa("2f4675"), (0.6, 0.68, 0.95), (0.14, 0.17, 0.33),
        hexa("12224a"), hexa("46578a"), hexa("18234a"), stars=1.0, moon=True, accent=hexa("a9c4ff"), night=1.0,
    ),
    "neon": Palette(
        _sky("0a0618", "1c0c38", "4a1460", "a0287a"),
        hexa("ffd0f0"), 0.6, 0.05, 0.3, hexa("641a6e"), (0.75, 0.4, 0.95), (0.11, 0.05, 0.2),
        hexa("14082c"), hexa("8a2c88"), hexa("220c40"), stars=0.15, moon=True, accent=hexa("ff5fc4"), night=1.0,
    ),
}  # fmt: skip


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

    return replace(
        p,
        sky=tuple((at, d(c)) for at, c in p.sky),
        haze=d(p.haze),
        light=scale(blend(p.light, (0.9, 0.92, 1.0), grey), bright),
        shade=scale(p.shade, (1 + bright) / 2),
        water=d(p.water),
        cloud=d(p.cloud),
        cloud_shade=scale(d(p.cloud_shade), 0.9),
        sun=blend(p.sun, d(p.haze), grey * 0.35),
    )
