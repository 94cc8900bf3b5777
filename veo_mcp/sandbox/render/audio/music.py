"""The soundtrack: a score played from its beginning to its cadence, the air of the places shown, and loudness made right.

Called by the clip maker once a clip. Works on whole arrays at 24 kHz (48 for quality); never loops a recording: there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from veo_mcp.sandbox.render.audio.ambience import Air, air
from veo_mcp.sandbox.render.audio.loudness import RATE, mastered
from veo_mcp.sandbox.render.audio.score import TABLES, Score
from veo_mcp.sandbox.render.audio.synth import doubled, note, put, room, stroke
from veo_mcp.sandbox.render.canvas.frame import F32
from veo_mcp.sandbox.render.canvas.noise import stream

CADENCE = 2.0
"""The least seconds for which the last chord is held."""
RELEASE = 0.7
BLOWN = frozenset({"flute", "bow", "whistle"})  # leads that carry further than others
MUSIC, AIR = 0.1, 0.036
"""How loud the two are before mastering, as parts of full scale."""


def compose(score: Score, seconds: float, places: Sequence[Air], *, fine: bool, start: float = 0.0) -> F32:
    """The finished stereo track at 48 kHz, shape (2, seconds * 48000); `start` is how long its parents have played."""
    rate = RATE if fine else RATE // 2
    n = int(seconds * rate)
    rng = stream(score.key, f"play{start:.1f}")
    dry, wet = np.zeros((2, n), np.float32), np.zeros((2, n), np.float32)
    beat, bar = 60 / score.tempo, score.bar
    first = int(start / bar + 0.5)
    whole = max(0, int((seconds - CADENCE) / bar))
    for k in range(whole):
        # before the last chord comes the one that leads to it
        degree = score.chords[(first + k) % 4] if k < whole - 1 or whole == 1 else 4
        _bar(dry, wet, rng, score, rate, k * bar, degree, first + k, beat, opening=k == 0 and not start, fine=fine)
    _last(dry, wet, score, rate, whole * bar, seconds - whole * bar, beat)
    music = dry + room(rng, wet, rate, 1.9 if fine else 1.4)
    music /= np.float32(np.sqrt(np.mean(music**2)) + 1e-6)
    rise, fall = int(rate * (0.12 if start else 0.25)), int(RELEASE * rate)
    music[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    music[:, -fall:] *= np.linspace(1, 0.12, fall, dtype=np.float32)
    track = music * np.float32(MUSIC) + air(stream(score.key, f"air{start:.1f}"), rate, n, places) * np.float32(AIR)
    return mastered(track if fine else doubled(track), int(seconds * RATE))


def _chord(wet: F32, score: Score, rate: int, at: float, seconds: float, degree: int, steps: Sequence[int]) -> None:
    for i, step in enumerate(steps):
        for side, detune in ((0.25, -0.0016), (0.75, 0.0017)):
            pad, hz, apart = score.sound["pad"], score.hz(degree + step), detune + 0.0003 * i
            held = note(pad, rate, hz, seconds, score.bright, detune=apart, phase=1.3 * i)
            put(wet, rate, at, held * np.float32(0.05), side)


def _bar(
    dry: F32, wet: F32, rng: np.random.Generator, score: Score, rate: int, at: float, degree: int, number: int, beat: float, *, opening: bool, fine: bool
) -> None:  # fmt: skip
    rich = fine or score.bright > 0.5
    _chord(wet, score, rate, at, score.bar + 0.3, degree, (0, 2, 4, 6) if rich else (0, 2, 4))
    for when, step, length in score.bass[number % 2]:
        low = note(score.sound["bass"], rate, score.hz(degree % 7 + step, -2), length * beat * 0.95, score.bright)
        put(dry, rate, at + when * beat, low * np.float32(0.2))
    if not opening:
        for when, step in score.tune[number % 4]:
            lead = score.sound["lead"]
            length, level = beat * (0.9 if lead in {"bell", "keys"} else 0.8), 0.085 if lead in BLOWN else 0.11
            sung = note(lead, rate, score.hz(degree + step, 1), length, score.bright)
            put(wet, rate, at + when * beat, sung * np.float32(level), 0.42)
    figure = (0, 2, 4, 7, 4, 2, 9, 4)
    for k in range(score.beats * 2):
        if rng.random() < score.busy * (0.6 if opening else 0.85):
            hz = score.hz(degree + figure[(k + number) % 8], 1 if k % 4 == 0 else 0)
            struck = note(score.sound["pluck"], rate, hz, 0.3, score.bright) * np.float32(0.07 + 0.025 * (k % 4 == 0))
            put(wet, rate, at + k * beat / 2, struck, 0.5 + 0.32 * float(np.sin(k * 1.7 + number)))
    for name, beats, level in () if opening else TABLES["kits"].get(score.sound["kit"], ()):
        hit = stroke(rng, name, rate)
        for when in (w for w in beats if w < score.beats):
            struck = hit * np.float32(level * rng.uniform(0.8, 1.0))
            put(dry, rate, at + when * beat, struck, 0.5 if name in {"kick", "tom"} else 0.62)


def _last(dry: F32, wet: F32, score: Score, rate: int, at: float, seconds: float, beat: float) -> None:
    """The key's own chord, rolled upwards and held to the end."""
    _chord(wet, score, rate, at, seconds + 0.3, 0, (0, 2, 4, 7))
    for when, step, length in score.home:
        held = min(length * beat, seconds - when * beat)
        if held > 0:
            low = note(score.sound["bass"], rate, score.hz(step, -2), held, score.bright)
            dying = np.exp(-np.arange(low.size, dtype=np.float32) / np.float32(rate)) * np.float32(0.2)
            put(dry, rate, at + when * beat, low * dying)
    for k, step in enumerate((0, 4, 7, 9, 11)):
        struck = note(score.sound["pluck"], rate, score.hz(step, 0), 0.8, score.bright) * np.float32(0.085)
        put(wet, rate, at + k * beat / 4, struck, 0.3 + 0.1 * k)
    sung = note(score.sound["lead"], rate, score.hz(7, 1), max(0.4, seconds - beat - 0.5), score.bright)
    put(wet, rate, at + beat / 2, sung * np.float32(0.07), 0.42)
