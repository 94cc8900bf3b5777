"""Value noise and random streams: where all shapes come from.

Called by scenes, water, weather and morphs. Each part of a picture has a stream of its own, so that the same ridge
comes back under another light; nothing here depends on the clock or on global state.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from PIL import Image

from veo_mcp.sandbox.render.canvas.frame import F32


def stream(key: tuple[int, ...], part: str) -> np.random.Generator:
    """The random stream of one part of one shot; `key` is (seed, crc32 of the prompt, shot)."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([*key, crc32(part.encode())])))


def key_of(seed: int, prompt: str, shot: int) -> tuple[int, ...]:
    return (seed & 0xFFFFFFFF, crc32(prompt.encode()), shot)


def enlarge(grid: F32, height: int, width: int) -> F32:
    """Bicubic enlargement; the outermost cell on each side is margin."""
    gh, gw = grid.shape
    box = (1.0, 1.0, gw - 1.0, gh - 1.0)
    return np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC, box=box), np.float32)


ANCHORED = 7200.0  # columns of noise that exist for a frame, a third of them to its left


def _part(grid: F32, height: int, width: int, start: float, span: float) -> F32:
    box = (max(start, 0.0), 1.0, min(start + span, float(grid.shape[1])), grid.shape[0] - 1.0)
    return np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC, box=box), np.float32)


def fbm(
    rng: np.random.Generator,
    height: int,
    width: int,
    cell_y: float,
    cell_x: float,
    octaves: int = 4,
    gain: float = 0.5,
    *,
    ridged: bool = False,
    left: float | None = None,
) -> F32:
    """Fractal noise in 0..1; the cells are the sizes in pixels of the coarsest octave. With `left`, the column at which
    the frame begins, the noise is tied to the frame: other margins show more or less of the same."""
    out = np.zeros((height, width), np.float32)
    amplitude, total = 1.0, 0.0
    for _ in range(octaves):
        gy, gx = max(1, round(height / cell_y)), max(1, round(width / cell_x))
        if left is None:
            layer = enlarge(rng.random((gy + 3, gx + 3), dtype=np.float32), height, width)
        else:
            grid = rng.random((int(ANCHORED / cell_x) + 4, gy + 3), dtype=np.float32).T
            start = 1.0 + (ANCHORED / 3 - left) / cell_x
            layer = _part(np.ascontiguousarray(grid), height, width, start, width / cell_x)
        if ridged:
            layer = 1 - np.abs(2 * layer - 1)
        out += layer * np.float32(amplitude)
        total += amplitude
        amplitude *= gain
        cell_y, cell_x = max(cell_y / 2, 1.5), max(cell_x / 2, 1.5)
    out /= np.float32(total)
    return out


def smooth(a: F32, low: float, high: float) -> F32:
    """Smoothstep between two levels."""
    t = np.clip((a - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def ranks(a: F32) -> F32:
    """Equalise to 0..1 by rank, on a histogram: a threshold then uncovers area at an even pace."""
    levels = np.linspace(float(a.min()), float(a.max()) + 1e-6, 1025)
    counts, _ = np.histogram(a, levels)
    heights = np.concatenate([[0.0], np.cumsum(counts) / a.size])
    return np.interp(a, levels, heights).astype(np.float32)


ROUND = 4.0  # seconds in each of which lightning flashes once


def flashes(key: tuple[int, ...], start: float, end: float) -> list[float]:
    """When lightning flashes, of a shot's own time in [start, end): the one rule that picture and thunder share."""
    rounds = range(max(0, int(start / ROUND)), int(max(end, 0.0) / ROUND) + 1)
    moments = [ROUND * k + 1.2 + float(stream(key, f"flash{k}").random()) * 1.8 for k in rounds]
    return [at for at in moments if start <= at < end]
