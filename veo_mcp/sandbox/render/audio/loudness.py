"""Loudness and peaks: bringing a track to -16 LUFS, its peaks held, with FFmpeg's own meter and limiter.

Called by the composer; `loudness` also by tests. Works on stereo arrays at 48 kHz.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.filter import Graph

from veo_mcp.sandbox.render.canvas.frame import F32

RATE = 48_000
"""Samples a second of every track."""
TARGET, CEILING = -16.0, 10 ** (-2.2 / 20)
SILENCE = -70.0
RISE, FALL = 0.03, 0.35
"""Seconds in which a track comes in and goes out."""


def _filtered(track: F32, name: str, options: str) -> list[Any]:
    """The frames that a filter of FFmpeg makes of a track."""
    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="fltp", layout="stereo")
    sink = graph.add("abuffersink")
    graph.link_nodes(source, graph.add(name, options), graph.add("aformat", "sample_fmts=fltp"), sink).configure()
    whole = AudioFrame.from_ndarray(np.ascontiguousarray(track, np.float32), format="fltp", layout="stereo")
    whole.sample_rate = RATE
    source.push(whole)
    source.push(None)
    out: list[Any] = []
    while True:
        try:
            out.append(sink.pull())
        except (BlockingIOError, EOFError):
            return out


def loudness(track: F32) -> float:
    """Integrated loudness in LUFS, by EBU R 128."""
    told = [frame.metadata for frame in _filtered(track, "ebur128", "metadata=1:framelog=quiet")]
    return float(told[-1].get("lavfi.r128.I", SILENCE)) if told else SILENCE


def mastered(track: F32, length: int) -> F32:
    """Faded at its ends, at the target loudness, its peaks held by a limiter that looks ahead."""
    out = np.zeros((2, length), np.float32)
    n = min(length, track.shape[1])
    out[:, :n] = track[:, :n]
    out -= out.mean(axis=1, keepdims=True)
    rise, fall = int(RISE * RATE), int(FALL * RATE)
    out[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    out[:, -fall:] *= np.linspace(1, 0, fall, dtype=np.float32) ** np.float32(0.7)
    for _ in range(2):
        out *= np.float32(10 ** ((TARGET - loudness(out)) / 20))
        held = _filtered(out, "alimiter", f"limit={CEILING:.4f}:attack=5:release=60:level=disabled:latency=1")
        out = np.concatenate([frame.to_ndarray() for frame in held], axis=1)[:, :length]
    return np.clip(out, -CEILING, CEILING)
