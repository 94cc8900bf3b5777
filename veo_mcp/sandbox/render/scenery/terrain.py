"""Land: ranges of heights cut into slabs, each drawn once with light, snow and haze; and banks of mist before them.

Called by the places. A slab is a real height field seen from afar (the nearest slope hides the ones behind it), so its
faces are shaded by their slope and not by guesswork. Nothing here runs per frame.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32, Rgb, blend, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.stage import FOG, Setup, Stage

SNOW = vec((0.93, 0.95, 1.0))
#: ground and rock, by kind of land; those of the first line change with the season
EARTH: dict[str, tuple[Rgb, Rgb]] = {
    "grass": ((0.34, 0.55, 0.22), (0.42, 0.5, 0.28)), "rock": ((0.36, 0.42, 0.36), (0.56, 0.52, 0.52)), "wood": ((0.16, 0.3, 0.2), (0.2, 0.32, 0.24)),
    "sand": ((0.9, 0.68, 0.42), (0.94, 0.74, 0.48)), "mesa": ((0.94, 0.74, 0.48), (0.94, 0.74, 0.48)), "mars": ((0.72, 0.34, 0.2), (0.78, 0.42, 0.26)),
    "shore": ((0.86, 0.76, 0.6), (0.86, 0.76, 0.6)), "winter": ((0.86, 0.89, 0.95), (0.5, 0.52, 0.58)), "autumn": ((0.62, 0.38, 0.16), (0.5, 0.42, 0.38)),
    "reef": ((0.2, 0.36, 0.42), (0.2, 0.36, 0.42)), "bed": ((0.62, 0.66, 0.56), (0.45, 0.5, 0.48)),
}  # fmt: skip
DRIFT_SECONDS = 20  # how long a bank of mist may drift before its layer ends
SEASONAL = frozenset({"grass", "rock", "wood"})


@dataclass(frozen=True, slots=True)
class Slab:
    """One range: `base` is the row where its far foot stands, `rise` the height of peaks, `drop` how far its near foot
    lies below, `cell` the width of its hills; sizes in pixels."""

    base: float
    rise: float
    drop: float
    cell: float
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


def land(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """A range of land as places.toml describes it, in this season and under this weather's haze."""
    s, foggy = stage.setup, FOG.get(stage.setup.plan.weather, 0.0)
    ground, rock = _earth("mars" if s.plan.place == "mars" else layer["earth"], s)
    said: dict[str, Any] = {f.name: layer[f.name] for f in fields(Slab) if f.name in layer}
    said |= {"base": row, **{key: layer[key] * s.u for key in ("rise", "drop", "cell")}}
    slab = Slab(**said)
    slab = replace(
        slab,
        snow=slab.snow * (1.9 if s.winter else 1.0),
        fog=min(0.97, slab.fog + foggy * (1.1 - slab.depth)),
        mist=min(1.0, slab.mist + foggy),
        steps=slab.steps * 2 if s.fine else slab.steps,
    )
    bottom = s.horizon + s.rise + 4 if "ends" in layer else s.h + s.rise
    _slab(stage, s.rng(name), slab, ground, rock, int(bottom))


def _slab(stage: Stage, rng: np.random.Generator, slab: Slab, ground: Rgb, rock: Rgb, bottom: int) -> None:
    s, pal, sun_x = stage.setup, stage.setup.pal, stage.sun[0]
    w, margin, steps = s.w, s.margin(slab.depth), slab.steps
    cols, tall = (w + 2 * margin) // 2 * 2, max(4.0, slab.steps * 0.55)
    hf = fbm(rng, steps, cols, tall, slab.cell, slab.octaves, slab.rough, ridged=slab.ridged, left=margin)
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
    colour = vec(ground) + rocky * (vec(rock) - vec(ground))
    if slab.snow > 0:
        line = 0.92 - slab.snow
        # low frequencies only: snow lies in fields, not in spots
        patch = fbm(rng, rows, cols, 60, 110, 2) - np.float32(0.5)
        steep = np.abs(gx)[index, x_at] * np.float32(0.1)
        white = smooth(up + patch * np.float32(0.3) + grain * 0.08 - steep, line, line + 0.16)
        colour = colour + white[..., None] * (SNOW - colour)
    rgb = colour * (vec(pal.shade) + shine[..., None] * (vec(pal.light) - vec(pal.shade)))
    far = np.clip(np.float32(slab.fog), 0, 1)
    deep = np.arange(rows, dtype=np.float32)[:, None] + top - slab.base + slab.rise * 0.45
    low = np.clip(deep / (slab.rise * 0.9 + slab.drop), 0, 1)
    fog = np.clip(far + (1 - far) * low * np.float32(slab.mist), 0, 1)[..., None]
    rgb = rgb + fog * (vec(pal.haze) - rgb)
    edge = np.arange(rows, dtype=np.float32)[:, None] - height[None, :] + np.float32(0.5)
    stage.lay(np.clip(rgb, 0, 1).astype(np.float32), np.clip(edge, 0, 1), top=top, depth=slab.depth)


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


def _earth(name: str, s: Setup) -> tuple[Rgb, Rgb]:
    """Ground and rock colours by season; where the water runs, sand is dark with it."""
    if name == "wet":
        sand = EARTH["shore"][0]
        return blend(sand, s.pal.water, 0.45), sand
    season = "winter" if s.winter else "autumn" if "autumn" in s.plan.looks else ""
    return EARTH[season if season and name in SEASONAL else name]


def mist(stage: Stage, name: str, row: float, layer: dict[str, Any]) -> None:
    """A bank of drifting haze."""
    s, drift, height = stage.setup, layer.get("drift", 9), layer["height"] * stage.setup.u
    strength = min(layer["strength"] * (1.8 if s.plan.weather == "fog" else 1.0), 0.85)
    margin, way = s.margin(layer["depth"]), int(abs(drift) * DRIFT_SECONDS)
    rows, cols = int(height) // 2 * 2, s.w + 2 * margin + way
    n = fbm(s.rng(name), rows, cols, height * 0.5, s.w * 0.3, 4)
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    alpha = smooth(n, 0.25, 0.85) * np.clip(1 - y * y, 0, 1) ** np.float32(1.2) * np.float32(strength)
    rgb, left = np.broadcast_to(vec(s.pal.haze), (rows, cols, 3)), -margin - (way if drift < 0 else 0)
    top, depth = row - height / 2, layer["depth"]
    stage.lay(rgb, alpha.astype(np.float32), top=top, left=left, depth=depth, drift=drift, phases=2)
