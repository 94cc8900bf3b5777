"""Land: ranges of heights cut into slabs, each drawn once with light, snow and haze.

Called by stages. A slab is a real height field seen from afar (the nearest slope hides the ones behind it), so its
faces are shaded by their slope and not by guesswork. Nothing here runs per frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32, Rgb, blend, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.canvas.palette import Palette

SNOW = vec((0.93, 0.95, 1.0))
#: ground and rock, by kind of land; those of the first line change with the season
EARTH: dict[str, tuple[Rgb, Rgb]] = {
    "grass": ((0.34, 0.55, 0.22), (0.42, 0.5, 0.28)), "rock": ((0.36, 0.42, 0.36), (0.56, 0.52, 0.52)), "wood": ((0.16, 0.3, 0.2), (0.2, 0.32, 0.24)),
    "sand": ((0.9, 0.68, 0.42), (0.94, 0.74, 0.48)), "mesa": ((0.94, 0.74, 0.48), (0.94, 0.74, 0.48)), "mars": ((0.72, 0.34, 0.2), (0.78, 0.42, 0.26)),
    "shore": ((0.86, 0.76, 0.6), (0.86, 0.76, 0.6)), "winter": ((0.86, 0.89, 0.95), (0.5, 0.52, 0.58)), "autumn": ((0.62, 0.38, 0.16), (0.5, 0.42, 0.38)),
    "reef": ((0.2, 0.36, 0.42), (0.2, 0.36, 0.42)), "bed": ((0.62, 0.66, 0.56), (0.45, 0.5, 0.48)),
}  # fmt: skip
SEASONAL = frozenset({"grass", "rock", "wood"})


@dataclass(frozen=True, slots=True)
class Slab:
    """One range: `base` is the row where its far foot stands, `rise` the height of peaks, `drop` how far its near foot
    lies below, `cell` the width of its hills; sizes in pixels."""

    base: float
    rise: float
    drop: float
    cell: float
    ground: Rgb
    rock: Rgb
    depth: float
    fog: float = 0.0  # how much of the haze lies over it
    ridged: bool = False
    snow: float = 0.0  # 0 none, 1 everything
    octaves: int = 5
    steps: int = 110
    rough: float = 0.5
    texture: float = 0.10
    valley: float = 0.0  # lowers the land under the sun, to leave room for it
    mist: float = 0.35


def slab_picture(
    rng: np.random.Generator, slab: Slab, pal: Palette, w: int, margin: int, bottom: int, *, sun_x: float
) -> tuple[F32, F32, int]:
    """Colour, alpha and the row of the frame at which they begin."""
    cols, steps = (w + 2 * margin) // 2 * 2, slab.steps
    hf = fbm(
        rng, steps, cols, max(4.0, steps * 0.55), slab.cell, slab.octaves, slab.rough, ridged=slab.ridged, left=margin
    )
    if slab.ridged:
        hf = np.clip(hf, 0, 1) ** np.float32(1.7) * np.float32(1.25)
        hf *= np.float32(0.55) + np.float32(0.75) * fbm(rng, steps, cols, steps, slab.cell * 1.6, 1, left=margin)
    z = np.linspace(0, 1, steps, dtype=np.float32)  # 0 far, 1 near
    hf *= (np.sin(np.pi * np.clip(z * 0.8 + 0.18, 0, 1)) ** np.float32(0.9))[:, None]
    if slab.valley:
        x = (np.arange(cols, dtype=np.float32) - margin - sun_x) / np.float32(w)
        hf *= 1 - np.float32(slab.valley) * np.exp(-((x / np.float32(0.2)) ** 2))
    lift = hf * np.float32(slab.rise)
    screen = np.float32(slab.base) + np.float32(slab.drop) * (z**1.5)[:, None] - lift
    top = int(screen.min() - 3) // 2 * 2
    rows = max(8, (bottom - top) // 2 * 2)
    # light from the sun's side and a little from above
    gx = np.gradient(lift, axis=1) * (-1 if sun_x > w / 2 else 1)
    gz = np.gradient(lift, axis=0) * np.float32(0.5)
    light = np.clip(np.float32(0.48) + (-gx * np.float32(0.62) - gz * np.float32(0.12)), 0, 1).astype(np.float32)
    index, height = _visible(screen - top, rows)
    x_at = np.broadcast_to(np.arange(cols), index.shape)
    shine = light[index, x_at]
    for reach in (1, 2):  # the height field's steps must not show on slopes
        shine[reach:-reach] = (shine[: -2 * reach] + 2 * shine[reach:-reach] + shine[2 * reach :]) * np.float32(0.25)
    up = lift[index, x_at] / np.float32(slab.rise)
    grain = fbm(rng, rows, cols, 26, 40, 4) - np.float32(0.5)
    shine = np.clip(shine + grain * np.float32(slab.texture * 2.2), 0, 1)
    rocky = smooth(up + grain * np.float32(0.5), 0.22, 0.5)[..., None]
    ground = vec(slab.ground) + rocky * (vec(slab.rock) - vec(slab.ground))
    if slab.snow > 0:
        line = 0.92 - slab.snow
        # low frequencies only: snow lies in fields, not in spots
        patch = fbm(rng, rows, cols, 60, 110, 2) - np.float32(0.5)
        white = smooth(
            up + patch * np.float32(0.3) + grain * 0.08 - np.abs(gx)[index, x_at] * np.float32(0.1), line, line + 0.16
        )
        ground = ground + white[..., None] * (SNOW - ground)
    rgb = ground * (vec(pal.shade) + shine[..., None] * (vec(pal.light) - vec(pal.shade)))
    far = np.clip(np.float32(slab.fog), 0, 1)
    deep = np.arange(rows, dtype=np.float32)[:, None] + top - slab.base + slab.rise * 0.45
    low = np.clip(deep / (slab.rise * 0.9 + slab.drop), 0, 1)
    fog = np.clip(far + (1 - far) * low * np.float32(slab.mist), 0, 1)[..., None]
    rgb = rgb + fog * (vec(pal.haze) - rgb)
    edge = np.arange(rows, dtype=np.float32)[:, None] - height[None, :] + np.float32(0.5)
    return np.clip(rgb, 0, 1).astype(np.float32), np.clip(edge, 0, 1), top


def _visible(screen: F32, rows: int) -> tuple[np.ndarray, F32]:
    """For each pixel the step (row of the height field) seen there; and each column's silhouette."""
    steps, cols = screen.shape
    nearest_first = screen[::-1]
    closed = np.minimum.accumulate(nearest_first, axis=0)
    index = np.zeros((rows, cols), np.int16)
    ys = np.clip(np.ceil(screen), 0, rows - 1).astype(np.intp)
    xs = np.broadcast_to(np.arange(cols), ys.shape)
    nearness = np.broadcast_to(np.arange(steps, dtype=np.int16)[:, None], ys.shape)
    mask = (nearest_first <= closed)[::-1]
    # far steps first, so that of two in one pixel the nearer stays
    index[ys[mask], xs[mask]] = nearness[mask]
    np.maximum.accumulate(index, axis=0, out=index)
    return index, closed[-1]


def earth(name: str, looks: frozenset[str], pal: Palette) -> tuple[Rgb, Rgb]:
    """Ground and rock colours by season; where the water runs, sand is dark with it."""
    if name == "wet":
        sand = EARTH["shore"][0]
        return blend(sand, pal.water, 0.45), sand
    season = "winter" if "snowy" in looks else "autumn" if "autumn" in looks else ""
    return EARTH[season if season and name in SEASONAL else name]
