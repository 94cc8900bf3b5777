"""Instruments: single notes and strokes as arrays, the bus they are mixed on, and the room around them.

Called by music.py. Every voice is a sum of partials or filtered noise, made anew for each note; nothing is sampled.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.audio.score import TABLES
from veo_mcp.sandbox.render.canvas.frame import F32

STRUCK = frozenset({"string", "bell", "keys", "thumb", "pluck", "pulse"})


def note(
    voice: str, rate: int, hz: float, seconds: float, bright: float, *, detune: float = 0.0, phase: float = 0.0
) -> F32:
    """One note of a voice: struck voices ring out, the others swell and are let go."""
    struck = voice in STRUCK
    n = int((seconds + (0.6 if struck else 0.35)) * rate)
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    wobble = 0.0 if struck or voice in {"warm", "glass", "choir", "round", "reed"} else 0.0035
    vibrato = np.float32(2 * np.pi * 5.3)
    turn = t + np.float32(wobble) * np.clip(t * 2, 0, 1) * np.sin(vibrato * t) / vibrato
    out = np.zeros(n, np.float32)
    for k, (multiple, strength, fast) in enumerate(TABLES["voices"][voice]):
        pitch = hz * multiple * (1 + detune)
        if pitch < rate * 0.45:
            level, angle = strength * (1 if k == 0 else 0.45 + bright), np.float32(2 * np.pi * pitch) * turn
            part = np.float32(level) * np.sin(angle + np.float32(phase * (k + 1)))
            out += part * np.exp(-t * np.float32(fast)) if fast else part
    if struck:
        ring = {"bell": 0.9, "keys": 0.7, "string": 0.5, "thumb": 0.35}.get(voice, max(seconds, 0.25))
        shape = np.clip(t / 0.004, 0, 1) * np.exp(-t / np.float32(ring))
    else:
        attack = min(0.09 if voice in {"flute", "whistle", "bow", "round"} else 0.5, seconds * 0.5)
        shape = np.clip(t / np.float32(attack), 0, 1) * np.clip((seconds + 0.35 - t) / 0.35, 0, 1)
    shape = shape * np.clip((n - np.arange(n, dtype=np.float32)) / np.float32(0.03 * rate), 0, 1)
    return (out * shape).astype(np.float32)


def stroke(rng: np.random.Generator, name: str, rate: int) -> F32:
    """One stroke of a drum: "kick", "snare", "clap", "hat", "tom" or "shake"."""
    seconds = {"kick": 0.34, "snare": 0.22, "clap": 0.2, "hat": 0.07, "tom": 0.9, "shake": 0.12}[name]
    t = np.arange(int(seconds * rate), dtype=np.float32) / np.float32(rate)
    hiss = rng.standard_normal(t.size).astype(np.float32)
    match name:
        case "kick":
            out = np.sin(2 * np.pi * (46 * t + 9.5 * (1 - np.exp(-t * 26)))) * np.exp(-t * 9)
        case "tom":
            out = np.sin(2 * np.pi * (62 * t + 5 * (1 - np.exp(-t * 18)))) * np.exp(-t * 4.6)
            out += hiss * np.exp(-t * 60) * 0.2
        case "snare":
            out = (hiss * np.exp(-t * 20) + np.sin(2 * np.pi * 190 * t) * np.exp(-t * 26)) * 0.4
        case "clap":
            hands = np.exp(-((t - 0.012) ** 2) * 9e4) + np.exp(-((t - 0.03) ** 2) * 9e4)
            out = hiss * (hands + np.exp(-t * 24) * (t > 0.03)) * 0.4
        case "hat":
            out = np.diff(hiss, prepend=0) * np.exp(-t * 70) * 0.3
        case _:
            out = np.diff(hiss, prepend=0) * np.sin(np.pi * t / seconds) ** 2 * 0.16
    return (out * np.clip((t[-1] - t) / 0.01, 0, 1)).astype(np.float32)


def put(bus: F32, rate: int, at: float, sound: F32, pan: float = 0.5) -> None:
    """Mix a sound into a stereo bus from `at` seconds on; `pan` 0 is left."""
    a = round(at * rate)
    n = min(sound.shape[0], bus.shape[1] - a)
    if a >= 0 and n > 0:
        bus[0, a : a + n] += sound[:n] * np.float32(np.cos(pan * np.pi / 2) * 1.2)
        bus[1, a : a + n] += sound[:n] * np.float32(np.sin(pan * np.pi / 2) * 1.2)


def room(rng: np.random.Generator, wet: F32, rate: int, length: float) -> F32:
    """The bus in a room: a tail of decaying noise, convolved."""
    m = int(length * rate)
    t = np.arange(m, dtype=np.float32) / np.float32(rate)
    tail = rng.standard_normal((2, m)).astype(np.float32) * np.exp(-t * np.float32(4.4 / length))
    tail = np.cumsum(tail - np.roll(tail, 6, axis=1), axis=1) / np.float32(6)
    tail *= np.float32(0.42) / np.sqrt((tail**2).sum(axis=1, keepdims=True))
    size = 1 << int(np.ceil(np.log2(wet.shape[1] + m)))
    spectrum = np.fft.rfft(wet, size) * np.fft.rfft(tail, size)
    return wet * np.float32(0.75) + np.fft.irfft(spectrum, size)[:, : wet.shape[1]].astype(np.float32)


def doubled(a: F32) -> F32:
    """24 to 48 kHz in the frequency domain."""
    n = a.shape[1]
    spectrum = np.fft.rfft(a)
    wide = np.zeros((2, n + 1), np.complex64)
    wide[:, : spectrum.shape[1]] = spectrum
    return (np.fft.irfft(wide, 2 * n) * 2).astype(np.float32)
