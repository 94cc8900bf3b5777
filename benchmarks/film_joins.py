"""Is a film of several clips seamless? Measures each join, and leaves the frames around it as pictures to look at.

Run by hand: `python benchmarks/film_joins.py FILM DIR [CLIP_SECONDS]`. The goals: no silence over 30 ms within 0.3 s
of a join, no step between two samples at the join above 0.1, frames at even times. Exits 1 where one is missed. DIR
gets `join-8.0.png` and so on: two frames before the join and two after it, side by side.
"""

import math
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

RATE = 48_000
AROUND = round(0.3 * RATE)
AT = round(0.005 * RATE)
SILENCE = 1e-3
MOST_SILENT, STEEPEST = 0.030, 0.1


def sound(film: Path) -> Any:
    """The first channel, decoded."""
    with av.open(str(film)) as source:
        return np.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)])


def silent(wave: Any) -> float:
    """The longest stretch that nobody hears, in seconds."""
    loud = np.flatnonzero(np.abs(wave) > SILENCE)
    return float(np.diff(np.concatenate([[0], loud, [len(wave)]])).max()) / RATE


def steepest(wave: Any) -> float:
    """The largest step from one sample to the next; a click is one."""
    return float(np.abs(np.diff(wave)).max())


def look(film: Path, joins: list[float], folder: Path) -> tuple[list[float], dict[float, float]]:
    """Every frame's time; the likeness of the frames on both sides of each join, in dB. Writes the pictures."""
    times: list[float] = []
    near: dict[float, list[Any]] = {join: [] for join in joins}
    with av.open(str(film)) as source:
        frame: Any
        for frame in source.decode(video=0):
            times.append(frame.time)
            for join in joins:
                if -2 / 24 - 1e-3 <= frame.time - join < 2 / 24 - 1e-3:
                    near[join].append(frame.to_ndarray(format="rgb24"))
    likeness: dict[float, float] = {}
    for join, frames in near.items():
        Image.fromarray(np.concatenate(frames, axis=1)).save(folder / f"join-{join}.png")
        before, after = (frame.astype(np.float32) for frame in frames[1:3])
        error = float(np.mean(np.square(before - after), dtype=np.float64))
        likeness[join] = 10 * math.log10(255**2 / max(error, 1e-9))
    return times, likeness


def main(film: Path, folder: Path, clip: float) -> int:
    """Prints a line for each join; the exit status."""
    folder.mkdir(parents=True, exist_ok=True)
    wave = sound(film)
    joins = [number * clip for number in range(1, round(len(wave) / RATE / clip))]
    times, likeness = look(film, joins, folder)
    gaps = np.diff(times)
    print(f"{film.name}: {len(times)} frames, {gaps.min() * 1000:.2f} to {gaps.max() * 1000:.2f} ms apart")
    good = bool(joins) and bool(np.allclose(gaps, gaps.mean(), atol=1e-3))
    for join in joins:
        middle = round(join * RATE)
        around, at = wave[middle - AROUND : middle + AROUND], wave[middle - AT : middle + AT]
        quiet, step = silent(around), steepest(at)
        good = good and quiet <= MOST_SILENT and step <= STEEPEST
        print(
            f"join at {join} s: silence {quiet * 1000:.1f} ms; step at the join {step:.4f}, around it "
            f"{steepest(around):.4f}; likeness of the frames before and after {likeness[join]:.1f} dB"
        )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2]), float((sys.argv[3:] or ["8"])[0])))
