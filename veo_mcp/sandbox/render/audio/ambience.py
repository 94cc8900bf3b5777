"""The air of what is shown: surf, rain, wind, leaves, birds, city, bubbles, fire, made of filtered noise and chirps.

Called by music.py. Only what a plan names is heard: no birds without birds, no fire without a fire, and thunder only at
the times it is given (those of the flashes). Each sound swells by itself and has about unit loudness; none repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32
from veo_mcp.sandbox.render.language.plan import Plan

PLACES = {
    "sea": "surf", "beach": "surf", "lake": "lapping", "river": "stream", "forest": "leaves", "park": "leaves", "meadow": "leaves", "mountain": "wind",
    "desert": "wind", "mars": "wind", "pyramids": "wind", "city": "city", "street": "city", "room": "hush", "space": "drone", "underwater": "bubbles",
}  # fmt: skip
WEATHERS = {"rain": ("rain",), "storm": ("rain", "wind"), "snow": ("hush",)}
SUBJECTS = {"bird": "birds"}
Sound = Callable[[np.random.Generator, int, int], F32]
CROSS = 0.35
"""Seconds in which the air of one shot gives way to that of the next."""


@dataclass(frozen=True, slots=True)
class Air:
    """What is heard from `start` to `end`, and when it thunders (all in seconds of the clip)."""

    start: float
    end: float
    sounds: tuple[str, ...]
    thunder: tuple[float, ...] = ()


def sounds_of(plan: Plan) -> tuple[str, ...]:
    """The sounds of one shot, from what its plan names."""
    out = [*WEATHERS.get(plan.weather, ())]
    if plan.place in PLACES:
        out.append(PLACES[plan.place])
    out += [SUBJECTS[s] for s in plan.subjects if s in SUBJECTS]
    asked = [name for sound in plan.sounds for name in WEATHERS.get(sound, (sound,))]
    return tuple(dict.fromkeys(name for name in [*asked, *out] if name in SOUNDS))[:3]


def air(rng: np.random.Generator, rate: int, n: int, places: Sequence[Air]) -> F32:
    """All shots' sounds on one stereo bus."""
    bus = np.zeros((2, n), np.float32)
    edge = int(CROSS * rate)
    for place in places:
        a, b = max(0, int(place.start * rate) - edge // 2), min(n, int(place.end * rate) + edge // 2)
        if b - a < 2 * edge:
            continue
        part = np.zeros((2, b - a), np.float32)
        for name in place.sounds:
            sound = SOUNDS[name](rng, rate, b - a)
            part += sound / np.float32(np.sqrt(np.mean(sound**2)) + 1e-6)
        ramp = np.linspace(0, 1, edge, dtype=np.float32)
        part[:, :edge] *= ramp
        part[:, -edge:] *= ramp[::-1]
        bus[:, a:b] += part
    for when in (t for place in places for t in place.thunder):
        _mix(bus, int(when * rate), thunder(rng, rate))
    return bus


def _mix(bus: F32, at: int, sound: F32) -> None:
    n = min(sound.shape[1], bus.shape[1] - at)
    if at >= 0 and n > 0:
        bus[:, at : at + n] += sound[:, :n]


def thunder(rng: np.random.Generator, rate: int) -> F32:
    """A crack at once, then a roll that dies away over three seconds."""
    n = int(3.2 * rate)
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    crack = coloured(rng, rate, n, 90, 2400, 0.3) * np.exp(-t * 7)
    roll = coloured(rng, rate, n, 26, 130, 0.1) * slow(rng, n, rate, 0.3, 0.4)
    roll *= np.exp(-t * 1.1) * np.clip(t / 0.12, 0, 1)
    sound = crack / (np.abs(crack).max() + 1e-6) * 3.4 + roll / (np.abs(roll).max() + 1e-6) * 6.5
    return (sound * np.clip(t / 0.004, 0, 1) * np.clip((t[-1] - t) / 0.4, 0, 1)).astype(np.float32)


def coloured(rng: np.random.Generator, rate: int, n: int, low: float, high: float, tilt: float = 0.0) -> F32:
    """Stereo noise between two frequencies, falling by `tilt` powers of frequency."""
    f = np.fft.rfftfreq(n, 1 / rate).astype(np.float32)
    shape = 1 / (1 + (low / np.maximum(f, 1)) ** 4) / (1 + (f / high) ** 4) / np.maximum(f, 20) ** tilt
    # noise has a random spectrum: it is made there, which saves the way to it
    left, right, both = (rng.standard_normal((f.size, 2), np.float32).view(np.complex64)[:, 0] for _ in range(3))
    return np.fft.irfft(np.stack([left + both, right + both]) * shape, n).astype(np.float32)


def slow(rng: np.random.Generator, n: int, rate: int, seconds: float, floor: float) -> F32:
    """A smooth random swell between `floor` and 1."""
    points = int(n / rate / seconds) + 4
    values = rng.random(points)
    x = np.linspace(0, points - 3, n)
    i = x.astype(int)
    f = x - i
    f = f * f * (3 - 2 * f)
    return (floor + (1 - floor) * (values[i] * (1 - f) + values[i + 1] * f)).astype(np.float32)


def _swelling(low: float, high: float, tilt: float, seconds: float, floor: float) -> Sound:
    def sound(rng: np.random.Generator, rate: int, n: int) -> F32:
        return coloured(rng, rate, n, low, high, tilt) * slow(rng, n, rate, seconds, floor)

    return sound


def _sparks(low: float, high: float, tilt: float, often: float, loud: float) -> Sound:
    def sound(rng: np.random.Generator, rate: int, n: int) -> F32:
        body = coloured(rng, rate, n, low, high, tilt)
        drops = (rng.random((2, n)) < often / rate * 24000).astype(np.float32) * np.float32(loud)
        return body + drops * np.abs(body).mean()

    return sound


def _chirping(count: int, low: float, high: float, length: float, hum: tuple[float, float, float]) -> Sound:
    def sound(rng: np.random.Generator, rate: int, n: int) -> F32:
        out = coloured(rng, rate, n, *hum[:2], 0.5)
        out *= np.float32(hum[2] / (out.std() + 1e-6))
        for _ in range(max(1, round(count * n / rate / 8))):
            at, pan = int(rng.random() * n * 0.95), rng.random()
            for k in range(int(rng.integers(1, 5))):
                m = int(rate * length * rng.uniform(0.6, 1.3))
                t = np.arange(m) / rate
                f0, f1 = rng.uniform(low, high, 2)
                swell = np.sin(np.pi * np.arange(m) / m) ** 2
                sweep = np.sin(2 * np.pi * (f0 * t + (f1 - f0) * t * t * rate / m / 2)) * swell
                both = np.stack([sweep * (1 - pan), sweep * pan]).astype(np.float32)
                _mix(out, at + int(k * length * 1.5 * rate), both)
        return out

    return sound


def _crickets(rng: np.random.Generator, rate: int, n: int) -> F32:
    t = np.arange(n) / rate
    pulse = np.clip(np.sin(2 * np.pi * 14 * t), 0, 1) * np.clip(np.sin(2 * np.pi * 0.9 * t + rng.random() * 6), 0, 1)
    tone = np.sin(2 * np.pi * 4100 * t) * pulse
    return np.stack([tone, np.roll(tone, int(0.013 * rate))]).astype(np.float32)


SOUNDS: dict[str, Sound] = {
    "surf": _swelling(90, 2600, 0.5, 2.2, 0.18), "lapping": _swelling(200, 1500, 0.5, 0.7, 0.25), "wind": _swelling(120, 700, 0.6, 1.4, 0.25),
    "leaves": _swelling(900, 5200, 0.4, 1.5, 0.2), "city": _swelling(60, 500, 0.7, 1.6, 0.5), "drone": _swelling(40, 320, 0.5, 2.5, 0.5),
    "hush": _swelling(120, 900, 0.9, 2.0, 0.6), "rain": _sparks(700, 9000, 0.15, 0.0007, 18), "fire": _sparks(300, 3000, 0.4, 0.0004, 30),
    "stream": _chirping(160, 300, 1100, 0.04, (250, 3200, 0.5)), "birds": _chirping(9, 2200, 4200, 0.1, (200, 900, 0.06)),
    "bubbles": _chirping(26, 380, 900, 0.05, (40, 260, 0.3)), "crickets": _crickets,
}  # fmt: skip
