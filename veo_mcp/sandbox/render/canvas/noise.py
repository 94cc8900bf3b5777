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


ANCHORED = 7200.0  # columns of noise that exist for a frame, a third of them to its left


def fbm(
    rng: np.random.Generator, height: int, width: int, cell_y: float, cell_x: float, octaves: int = 4, gain: float = 0.5,
    *, ridged: bool = False, left: float | None = None,
) -> F32:  # fmt: skip
    """Fractal noise in 0..1; the cells are the sizes in pixels of the coarsest octave. With `left`, the column at which
    the frame begins, the noise is tied to the frame: other margins show more or less of the same."""
    out = np.zeros((height, width), np.float32)
    amplitude, total = 1.0, 0.0
    for _ in range(octaves):
        rows = max(1, round(height / cell_y))
        if left is None:
            start, span = 1.0, float(max(1, round(width / cell_x)))
            grid = rng.random((rows + 3, int(span) + 3), dtype=np.float32)
        else:
            start, span = 1.0 + (ANCHORED / 3 - left) / cell_x, width / cell_x
            grid = np.ascontiguousarray(rng.random((int(ANCHORED / cell_x) + 4, rows + 3), dtype=np.float32).T)
        # the outermost cell on each side is margin
        box = (max(start, 0.0), 1.0, min(start + span, float(grid.shape[1])), rows + 2.0)
        layer = np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC, box=box), np.float32)
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


ROUND = 4.0  # seconds in each of which lightning flashes once


def flashes(key: tuple[int, ...], start: float, end: float) -> list[float]:
    """When lightning flashes, of a shot's own time in [start, end): the one rule that picture and thunder share."""
    rounds = range(max(0, int(start / ROUND)), int(max(end, 0.0) / ROUND) + 1)
    moments = [ROUND * k + 1.2 + float(stream(key, f"flash{k}").random()) * 1.8 for k in rounds]
    return [at for at in moments if start <= at < end]
