"""The air of a place: surf, rain, wind, birds, crickets, city, bubbles, fire, made of filtered noise and chirps.

Called by music.py. Each sound swells by itself and has about unit loudness; none repeats.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32

SOUNDS = ("surf", "rain", "wind", "birds", "crickets", "city", "bubbles", "drone", "storm", "fire")


def bed(rng: np.random.Generator, rate: int, n: int, names: tuple[str, ...]) -> F32:
    out = np.zeros((2, n), np.float32)
    for name in names[:3]:
        sound = _one(rng, rate, n, name)
        out += sound / np.float32(np.sqrt(np.mean(sound**2)) + 1e-6)
    return out


def coloured(rng: np.random.Generator, rate: int, n: int, low: float, high: float, tilt: float = 0.0) -> F32:
    """Stereo noise between two frequencies, falling by `tilt` powers of frequency."""
    f = np.fft.rfftfreq(n, 1 / rate)
    shape = 1 / (1 + (low / np.maximum(f, 1)) ** 4) / (1 + (f / high) ** 4) / np.maximum(f, 20) ** tilt
    parts = [np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shape, n) for _ in range(2)]
    sound = np.stack(parts)
    common = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * shape, n)
    return (sound * 0.7 + common * 0.7).astype(np.float32)


def slow(rng: np.random.Generator, n: int, rate: int, seconds: float, floor: float) -> F32:
    """A smooth random swell between `floor` and 1."""
    points = int(n / rate / seconds) + 4
    values = rng.random(points)
    x = np.linspace(0, points - 3, n)
    i = x.astype(int)
    f = x - i
    f = f * f * (3 - 2 * f)
    return (floor + (1 - floor) * (values[i] * (1 - f) + values[i + 1] * f)).astype(np.float32)


def _one(rng: np.random.Generator, rate: int, n: int, name: str) -> F32:
    match name:
        case "surf":
            return coloured(rng, rate, n, 90, 2600, 0.5) * slow(rng, n, rate, 2.2, 0.18)
        case "rain":
            body = coloured(rng, rate, n, 700, 9000, 0.15)
            drops = (rng.random((2, n)) > 0.9993).astype(np.float32) * 18
            return body + drops * np.abs(body).mean()
        case "wind":
            return coloured(rng, rate, n, 120, 700, 0.6) * slow(rng, n, rate, 1.4, 0.25)
        case "storm":
            wind = coloured(rng, rate, n, 80, 1200, 0.5) * slow(rng, n, rate, 1.0, 0.35)
            rumble = coloured(rng, rate, n, 28, 110, 0.2)
            hit = np.zeros(n, np.float32)
            at = int(n * rng.uniform(0.2, 0.5))
            hit[at:] = np.exp(-np.arange(n - at) / (1.6 * rate))
            return wind / wind.std() + rumble / rumble.std() * hit * 2.2
        case "birds":
            return _chirps(rng, rate, n, 9, 2200, 4200, 0.10) + coloured(rng, rate, n, 200, 900, 0.5) * np.float32(0.25)
        case "crickets":
            t = np.arange(n) / rate
            pulse = np.clip(np.sin(2 * np.pi * 14 * t), 0, 1) * np.clip(
                np.sin(2 * np.pi * 0.9 * t + rng.random() * 6), 0, 1
            )
            tone = np.sin(2 * np.pi * min(4100, rate * 0.4) * t) * pulse
            return np.stack([tone, np.roll(tone, int(0.013 * rate))]).astype(np.float32) + coloured(
                rng, rate, n, 200, 800, 0.5
            ) * np.float32(0.3)
        case "city":
            return coloured(rng, rate, n, 60, 500, 0.7) * slow(rng, n, rate, 1.6, 0.5)
        case "bubbles":
            hum = coloured(rng, rate, n, 40, 260, 0.4)
            return hum / hum.std() * np.float32(0.3) + _chirps(rng, rate, n, 26, 380, 900, 0.05)
        case "fire":
            hiss = coloured(rng, rate, n, 300, 3000, 0.4)
            snaps = (rng.random((2, n)) > 0.9996).astype(np.float32) * 30
            return hiss + snaps * np.abs(hiss).mean()
        case _:
            return coloured(rng, rate, n, 40, 320, 0.5) * slow(rng, n, rate, 2.5, 0.5)


def _chirps(rng: np.random.Generator, rate: int, n: int, count: int, low: float, high: float, length: float) -> F32:
    out = np.zeros((2, n), np.float32)
    for _ in range(count):
        at, pan = int(rng.random() * n * 0.95), rng.random()
        for k in range(int(rng.integers(1, 5))):
            m = int(rate * length * rng.uniform(0.6, 1.3))
            t = np.arange(m) / rate
            f0, f1 = rng.uniform(low, high), rng.uniform(low, high)
            sweep = (
                np.sin(2 * np.pi * (f0 * t + (f1 - f0) * t * t * rate / m / 2)) * np.sin(np.pi * np.arange(m) / m) ** 2
            )
            a = at + int(k * length * 1.5 * rate)
            b = min(n, a + m)
            if b > a:
                out[0, a:b] += (sweep[: b - a] * (1 - pan)).astype(np.float32)
                out[1, a:b] += (sweep[: b - a] * pan).astype(np.float32)
    return out
