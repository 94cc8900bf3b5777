"""Measuring sound: what the renderer itself has no need to know."""

from __future__ import annotations

from typing import Any

import numpy as np


def true_peak(track: Any) -> float:
    """The largest value between samples too, by fourfold oversampling."""
    n = track.shape[1]
    spectrum = np.fft.rfft(track)
    wide = np.zeros((track.shape[0], 2 * n + 1), np.complex128)
    wide[:, : spectrum.shape[1]] = spectrum
    return float(np.abs(np.fft.irfft(wide, 4 * n)).max() * 4)
