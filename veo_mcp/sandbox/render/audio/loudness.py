"""Loudness and peaks: measuring by ITU-R BS.1770 and bringing a track to -16 LUFS below a true peak of -1.5 dBFS.

Called by the composer; `loudness` and `true_peak` also by tests. Works on stereo arrays at 48 kHz.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32

RATE = 48_000
"""Samples a second of every track."""
TARGET, CEILING = -16.0, 10 ** (-2.2 / 20)


@lru_cache(maxsize=2)
def _weight(samples: int) -> F32:
    """The K-weighting's gain at each frequency of a track's spectrum, from the standard's two biquads."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(samples))

    def gain(b: tuple[float, float, float], a: tuple[float, float]) -> np.ndarray:
        return np.abs((b[0] + b[1] * z + b[2] * z * z) / (1 + a[0] * z + a[1] * z * z))

    shelf = gain((1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585))
    high = gain((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621))
    return (shelf * high).astype(np.float32)


def loudness(track: F32) -> float:
    """Integrated loudness in LUFS, with both gates."""
    n = track.shape[1]
    spectrum = np.fft.rfft(track.astype(np.float32, copy=False)) * _weight(n)
    power = (np.fft.irfft(spectrum, n) ** 2).sum(axis=0)
    block, hop = int(0.4 * RATE), int(0.1 * RATE)
    total = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    starts = np.arange(0, max(1, n - block + 1), hop)
    means = (total[np.minimum(starts + block, n)] - total[starts]) / block
    loud = means[means > 10 ** ((-70 + 0.691) / 10)]
    if not loud.size:
        return -70.0
    gate = loud.mean() * 10 ** (-10 / 10)
    return float(-0.691 + 10 * np.log10(loud[loud > gate].mean()))


def true_peak(track: F32) -> float:
    """The largest value between samples too, by fourfold oversampling."""
    n = track.shape[1]
    spectrum = np.fft.rfft(track)
    wide = np.zeros((track.shape[0], 2 * n + 1), np.complex128)
    wide[:, : spectrum.shape[1]] = spectrum
    return float(np.abs(np.fft.irfft(wide, 4 * n)).max() * 4)


def mastered(track: F32, length: int) -> F32:
    """Faded at its ends, at the target loudness, its peaks held by a look-ahead gain."""
    out = np.zeros((2, length), np.float32)
    n = min(length, track.shape[1])
    out[:, :n] = track[:, :n]
    out -= out.mean(axis=1, keepdims=True)
    ramp = int(0.03 * RATE)
    out[:, :ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
    tail = int(0.35 * RATE)
    out[:, -tail:] *= np.linspace(1, 0, tail, dtype=np.float32) ** np.float32(0.7)
    for _ in range(2):
        out *= np.float32(10 ** ((TARGET - loudness(out)) / 20))
        out = limited(out)
    return out


def limited(track: F32) -> F32:
    """Gain that dips smoothly around whatever would pass the ceiling."""
    size = 240
    n = track.shape[1]
    blocks = -(-n // size)
    level = np.zeros(blocks * size, np.float32)
    level[:n] = np.abs(track).max(axis=0)
    peaks = level.reshape(blocks, size).max(axis=1)
    need = np.minimum(1.0, CEILING / np.maximum(peaks, 1e-6))
    wide = np.pad(need, 4, mode="edge")
    low = np.min([wide[k : k + blocks + 4] for k in range(5)], axis=0)
    soft = np.convolve(low, np.ones(5) / 5, mode="valid")
    at = (np.arange(blocks) + 0.5) * size
    gain = np.interp(np.arange(n), at, soft).astype(np.float32)
    return np.clip(track * gain, -CEILING, CEILING)
