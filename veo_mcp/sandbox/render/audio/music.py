"""The soundtrack: pads, bass, arpeggio and drums in one key, a room around them, ambience, and loudness made right.

Called by the clip maker once a clip. Key, pace and mood come from the words and the seed; an extension is given its
parent's. Works on whole arrays at 24 kHz (48 for quality); never loops a recording: there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.audio.loudness import RATE, mastered
from veo_mcp.sandbox.render.canvas.frame import F32
from veo_mcp.sandbox.render.canvas.noise import stream

MINOR, MAJOR, DORIAN, LYDIAN = (
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 9, 10),
    (0, 2, 4, 6, 7, 9, 11),
)
SCALES = {"minor": MINOR, "major": MAJOR, "dorian": DORIAN, "lydian": LYDIAN}
MOODS = {
    # scale, beats a minute, drums 0..1, arpeggio 0..1, brightness, chords
    "calm": ("major", 66, 0.0, 0.45, 0.35, ((0, 4, 5, 3), (0, 2, 3, 4))),
    "warm": ("lydian", 78, 0.15, 0.6, 0.45, ((0, 5, 3, 4), (0, 3, 5, 4))),
    "happy": ("major", 112, 0.7, 0.9, 0.65, ((0, 4, 5, 3), (0, 3, 4, 3))),
    "epic": ("minor", 92, 0.8, 0.5, 0.55, ((0, 5, 2, 6), (0, 3, 5, 6))),
    "dark": ("minor", 60, 0.1, 0.2, 0.2, ((0, 5, 0, 6), (0, 1, 0, 3))),
    "neon": ("dorian", 104, 0.9, 1.0, 0.75, ((0, 3, 5, 4), (0, 6, 5, 6))),
    "night": ("dorian", 70, 0.1, 0.5, 0.3, ((0, 3, 0, 4), (0, 5, 3, 6))),
    "wonder": ("lydian", 72, 0.0, 0.7, 0.5, ((0, 1, 0, 4), (0, 4, 1, 5))),
}


@dataclass(frozen=True, slots=True)
class Score:
    """What an extension must keep: the key, the pace, the mood."""

    root: int
    mood: str
    chords: int = 0


def choose(key: tuple[int, ...], mood: str) -> Score:
    rng = stream(key, "music")
    return Score(int(rng.integers(-5, 6)), mood, int(rng.integers(2)))


def _hz(note: float) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def _tone(n: int, rate: int, hz: float, harmonics: tuple[float, ...], detune: float = 0.0) -> F32:
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    out = np.zeros(n, np.float32)
    for k, a in enumerate(harmonics, 1):
        if hz * k < rate * 0.45:
            out += np.float32(a) * np.sin(np.float32(2 * np.pi * hz * k * (1 + detune)) * t + np.float32(k * 1.3))
    return out


def _env(n: int, rate: int, attack: float, decay: float, hold: float = 0.0) -> F32:
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    up = np.clip(t / np.float32(max(attack, 1e-3)), 0, 1)
    down = np.exp(-np.clip(t - np.float32(hold), 0, None) / np.float32(decay))
    tail = np.clip((n - np.arange(n, dtype=np.float32)) / np.float32(0.02 * rate), 0, 1)
    return up * down * tail


def _put(bus: F32, start: float, rate: int, sound: F32, left: float, right: float) -> None:
    a = int(start * rate)
    n = min(sound.shape[0], bus.shape[1] - a)
    if n > 0 and a >= 0:
        bus[0, a : a + n] += sound[:n] * np.float32(left)
        bus[1, a : a + n] += sound[:n] * np.float32(right)


def compose(
    key: tuple[int, ...], score: Score, seconds: float, ambience: tuple[str, ...], *, fine: bool, start: float = 0.0
) -> F32:
    """The finished stereo track at 48 kHz, shape (2, seconds * 48000)."""
    rate = RATE if fine else RATE // 2
    n = int(seconds * rate)
    rng = stream(key, f"notes{start:.1f}")
    scale_name, bpm, drums, arps, bright, choices = MOODS.get(score.mood, MOODS["warm"])
    scale = SCALES[scale_name]
    chords = choices[score.chords % 2]
    beat = 60 / bpm
    bar = beat * 4 if bpm > 85 else beat * 2
    dry = np.zeros((2, n), np.float32)
    wet = np.zeros((2, n), np.float32)
    base = 57 + score.root

    def pitch(degree: int, octave: int = 0) -> float:
        return base + 12 * (octave + degree // 7) + scale[degree % 7]

    first = int(start / bar)
    bars = int(np.ceil(seconds / bar)) + 1
    for k in range(bars):
        at = k * bar - (start - first * bar)
        degree = chords[(first + k) % 4]
        length = int((bar + 1.1) * rate)
        at0 = max(at, 0.0)
        swell = np.minimum(np.arange(length) / (0.5 * rate), 1) * np.clip(
            (length - np.arange(length)) / (1.0 * rate), 0, 1
        )
        swell = swell.astype(np.float32)
        for i, step in enumerate((0, 2, 4, 6) if fine or score.mood in {"wonder", "neon", "warm"} else (0, 2, 4)):
            hz = _hz(pitch(degree + step))
            tones = (1.0, 0.5 * bright, 0.32 * bright, 0.16 * bright, 0.1 * bright)
            for side, det in ((0, -0.0016), (1, 0.0017)):
                pad = _tone(length, rate, hz, tones, det + 0.0003 * i) * swell * np.float32(0.052)
                _put(wet, at0, rate, pad, 1.0 - side * 0.7, 0.3 + side * 0.7)
        bass = _tone(length, rate, _hz(pitch(degree, -2)), (1.0, 0.35, 0.12)) * swell
        _put(dry, at0, rate, bass * np.float32(0.12), 0.9, 0.9)
    step_s = beat / 2
    walk = 0
    for k in range(int(seconds / step_s)):
        at = k * step_s
        degree = chords[int((at + start) / bar) % 4]
        if rng.random() < arps:
            walk = int(np.clip(walk + rng.integers(-2, 3), -2, 5))
            note = pitch(degree + (0, 2, 4, 7, 9, 11, 14)[walk % 7], 1)
            length = int(rate * (0.9 if bright < 0.6 else 0.5))
            pluck = _tone(length, rate, _hz(note), (1.0, 0.3 + 0.3 * bright, 0.12, 0.1 * bright)) * _env(
                length, rate, 0.006, 0.22
            )
            pan = 0.5 + 0.34 * np.sin(k * 1.7)
            _put(wet, at, rate, pluck * np.float32(0.085 + 0.03 * (k % 4 == 0)), 1 - pan, pan)
    if drums > 0.05:
        _drums(dry, rng, rate, beat, drums, seconds, start)
    if fine:
        _melody(wet, rng, rate, beat, seconds, chords, bar, start, pitch)
    music = dry + _room(rng, wet, rate, 1.9 if fine else 1.4)
    music /= np.float32(np.sqrt(np.mean(music**2)) + 1e-6)
    from veo_mcp.sandbox.render.audio.ambience import bed

    ground = bed(stream(key, f"air{start:.1f}"), rate, n, ambience)
    track = music * np.float32(0.1) + ground * np.float32(0.034)
    if not fine:
        track = _double(track)
    return mastered(track, int(seconds * RATE))


def _drums(
    bus: F32, rng: np.random.Generator, rate: int, beat: float, amount: float, seconds: float, start: float
) -> None:
    t = np.arange(int(0.34 * rate), dtype=np.float32) / np.float32(rate)
    kick = np.sin(2 * np.pi * (46 * t + 9.5 * (1 - np.exp(-t * 26)))) * np.exp(-t * 9)
    kick = kick.astype(np.float32)
    h = np.arange(int(0.07 * rate), dtype=np.float32) / np.float32(rate)
    hiss = np.diff(rng.standard_normal(h.size + 1)).astype(np.float32) * np.exp(-h * 70)
    s = np.arange(int(0.22 * rate), dtype=np.float32) / np.float32(rate)
    snare = (rng.standard_normal(s.size) * np.exp(-s * 20) + np.sin(2 * np.pi * 190 * s) * np.exp(-s * 26)).astype(
        np.float32
    )
    offset = int(np.ceil(start / beat - 1e-6))
    for k in range(int(seconds / beat) + 1):
        at = (offset + k) * beat - start
        i = offset + k
        if i % 2 == 0:
            _put(bus, at, rate, kick * np.float32(0.30 * amount), 1, 1)
        elif amount > 0.5:
            _put(bus, at, rate, snare * np.float32(0.075 * amount), 0.9, 1)
        for half in (0.0, 0.5):
            if rng.random() < 0.85:
                _put(bus, at + half * beat, rate, hiss * np.float32(0.028 * amount), 0.7, 1)


def _melody(
    bus: F32,
    rng: np.random.Generator,
    rate: int,
    beat: float,
    seconds: float,
    chords: tuple[int, ...],
    bar: float,
    start: float,
    pitch,
) -> None:  # type: ignore[no-untyped-def]
    at, degree = beat, 4
    while at < seconds - 1.0:
        span = beat * float(rng.choice([1, 1.5, 2, 3]))
        chord = chords[int((at + start) / bar) % 4]
        degree = int(np.clip(degree + rng.integers(-2, 3), 0, 8))
        length = int((span + 0.5) * rate)
        t = np.arange(length, dtype=np.float32) / np.float32(rate)
        vibrato = np.float32(0.004) * np.sin(2 * np.pi * 5.2 * t) * np.clip(t * 2, 0, 1)
        hz = _hz(pitch(chord + (degree // 2) * 2, 1))
        phase = np.cumsum(2 * np.pi * hz * (1 + vibrato) / rate)
        line = (np.sin(phase) + 0.28 * np.sin(2 * phase) + 0.1 * np.sin(3 * phase)).astype(np.float32)
        _put(bus, at, rate, line * _env(length, rate, 0.09, 0.5, span * 0.7) * np.float32(0.075), 0.6, 0.45)
        at += span


def _room(rng: np.random.Generator, wet: F32, rate: int, length: float) -> F32:
    m = int(length * rate)
    t = np.arange(m, dtype=np.float32) / np.float32(rate)
    tail = rng.standard_normal((2, m)).astype(np.float32) * np.exp(-t * np.float32(3.4 / length * 1.3))
    tail = np.cumsum(tail - np.roll(tail, 6, axis=1), axis=1) / np.float32(6)
    tail *= np.float32(0.42) / np.sqrt((tail**2).sum(axis=1, keepdims=True))
    size = 1 << int(np.ceil(np.log2(wet.shape[1] + m)))
    spectrum = np.fft.rfft(wet, size) * np.fft.rfft(tail, size)
    return wet * np.float32(0.75) + np.fft.irfft(spectrum, size)[:, : wet.shape[1]].astype(np.float32)


def _double(a: F32) -> F32:
    """24 to 48 kHz in the frequency domain."""
    n = a.shape[1]
    spectrum = np.fft.rfft(a)
    wide = np.zeros((2, n + 1), np.complex128)
    wide[:, : spectrum.shape[1]] = spectrum
    return (np.fft.irfft(wide, 2 * n) * 2).astype(np.float32)
