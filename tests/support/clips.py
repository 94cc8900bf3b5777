"""Small MP4 files for tests: one colour and one tone, of a given length."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE = 48_000


def clip(
    path: Path,
    *,
    seconds: float = 1.0,
    tone: float | None = 440.0,
    size: tuple[int, int] = (64, 48),
    fps: int = 24,
    colour: tuple[int, int, int] = (200, 40, 40),
    options: dict[str, str] | None = None,
) -> Path:
    """Writes a clip; `tone` None: without an audio track."""
    container: Any
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", **(options or {})})
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        audio = None
        if tone is not None:
            audio = container.add_stream("aac", rate=RATE)
            audio.layout = "stereo"
        picture = np.full((size[1], size[0], 3), colour, np.uint8)
        for number in range(round(seconds * fps)):
            # Something that moves, so that no two frames are the same.
            picture[:, number % size[0]] = 255
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None and tone is not None:
            # It begins at its maximum, so that a join that is not smoothed is a step.
            wave = 0.5 * np.cos(2 * np.pi * tone * np.arange(round(seconds * RATE)) / RATE)
            both = np.ascontiguousarray(np.stack([wave, wave]).astype(np.float32))
            frame = av.AudioFrame.from_ndarray(both, "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def samples(path: Path) -> Any:
    """The first channel of a file's sound, decoded."""
    with av.open(str(path)) as source:
        return np.concatenate([frame.to_ndarray()[0] for frame in source.decode(audio=0)])


def frame_times(path: Path) -> list[float]:
    """The presentation time of each frame, in seconds."""
    with av.open(str(path)) as source:
        return [frame.time for frame in source.decode(video=0)]


def longest_gap(wave: Any, *, silence: float = 0.01) -> float:
    """The longest stretch of silence, in seconds."""
    loud = np.flatnonzero(np.abs(wave) > silence)
    edges = np.concatenate([[0], loud, [len(wave)]])
    return float(np.diff(edges).max()) / RATE
