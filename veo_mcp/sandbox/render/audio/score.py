"""What is played: key, tempo, harmony, bass, tune and instruments, from a prompt's mood and from a stream of its own.

Called by the clip maker, which keeps `Score.note` in the file so that an extension goes on in its parent's music. The
mood sets the bounds; every choice within them comes from the whole prompt and the seed. Makes no sound itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.tables import read_table

Figure = tuple[tuple[float, int, float], ...]
TABLES: dict[str, Any] = read_table("audio/music.toml")
MOODS: dict[str, Any] = TABLES["moods"]
LOUD = ("neon", "epic", "dark", "happy", "calm", "fast")  # looks that settle the mood, the first before the others
WALTZES = 0.22  # the part of the calmer pieces that count three


@dataclass(frozen=True, slots=True)
class Score:
    """One piece of music; all of it follows from `key` and `mood`."""

    key: tuple[int, ...]
    mood: str
    root: int  # semitones from A
    scale: tuple[int, ...]
    tempo: float
    beats: int  # in a bar
    chords: tuple[int, ...]
    bass: tuple[Figure, Figure]  # the figures of even and odd bars
    home: Figure
    tune: tuple[tuple[tuple[float, int], ...], ...]  # (beat, scale steps above the chord), bar by bar
    sound: dict[str, str]
    busy: float
    bright: float

    @property
    def bar(self) -> float:
        """Seconds in a bar."""
        return 60 / self.tempo * self.beats

    @property
    def note(self) -> list[Any]:
        """What `remembered` needs to find this score again."""
        return [self.mood, *self.key]

    def hz(self, step: int, octave: int = 0) -> float:
        """The frequency of a scale step; octave 0 begins near A3."""
        size = len(self.scale)
        return 220.0 * 2 ** (octave + step // size + (self.root + self.scale[step % size]) / 12)


def mood_of(plan: Plan) -> str:
    for look in LOUD:
        if look in plan.looks:
            return "happy" if look == "fast" else look
    if plan.weather == "storm":
        return "epic"
    if plan.weather == "rain":
        return "night" if plan.light == "night" else "calm"
    if plan.animatic or plan.place in {"space", "underwater", ""}:
        return "dark" if plan.light == "night" and plan.animatic else "wonder"
    if plan.light == "night":
        return "night"
    if plan.place in {"park", "city", "street", "beach"} and plan.light in {"noon", ""}:
        return "happy" if plan.subjects else "warm"
    return {"sunset": "warm", "dawn": "calm"}.get(plan.light, "warm")


def choose(key: tuple[int, ...], mood: str) -> Score:
    rng, bounds, choices = stream(key, "score"), MOODS[mood], TABLES["choices"]

    def one(options: Sequence[Any]) -> Any:
        return options[int(rng.integers(len(options)))]

    def near(value: float) -> float:
        return float(np.clip(value + rng.uniform(-0.14, 0.14), 0.1, 1.0))

    beats = 3 if rng.random() < WALTZES and mood not in {"neon", "happy"} else 4
    cell, answer = one(choices[f"rhythm{beats}"]), one(choices[f"rhythm{beats}"])
    tune: list[tuple[tuple[float, int], ...]] = []
    for bar in range(4):
        # a phrase, the same again higher or lower, an answer, and home
        if bar == 1:
            lift = int(rng.integers(-2, 3))
            tune.append(tuple((at, step + lift) for at, step in tune[0]))
            continue
        step, line = int(one((2, 4, 7, 4))), list[tuple[float, int]]()
        for at in answer if bar == 2 else cell:
            line.append((at, step))
            step = int(np.clip(step + rng.choice([-2, -1, -1, 1, 1, 2, 3]), -1, 9))
        tune.append(tuple(line))
    sound = {voice: one(choices[voice]) for voice in ("pad", "pluck", "lead", "bass")} | {"kit": one(bounds["kits"])}
    figures = choices[f"bass{beats}"]
    return Score(
        key, mood, int(rng.integers(-6, 6)), tuple(TABLES["scales"][one(bounds["scales"])]), round(float(rng.uniform(*bounds["tempo"])), 2),
        beats, tuple(one(choices["rounds"])), (one(figures), one(figures)), one(choices["homes"]), tuple(tune), sound,
        near(bounds["busy"]), near(bounds["bright"]),
    )  # fmt: skip


def remembered(note: object) -> Score | None:
    """The score of a note that `Score.note` made; None for anything else."""
    match note:
        case [str(mood), int(a), int(b), int(c)] if mood in MOODS and a >= 0 and b >= 0 and c >= 0:
            return choose((a, b, c), mood)
        case _:
            return None
