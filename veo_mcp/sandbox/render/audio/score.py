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

SCALES = {
    "minor": (0, 2, 3, 5, 7, 8, 10), "major": (0, 2, 4, 5, 7, 9, 11), "dorian": (0, 2, 3, 5, 7, 9, 10), "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10), "phrygian": (0, 1, 3, 5, 7, 8, 10),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mood:
    """The bounds of a mood: scales, beats a minute, how busy, how bright, and the kits of drums ("" is none)."""

    scales: tuple[str, ...]
    tempo: tuple[float, float]
    busy: float
    bright: float
    kits: tuple[str, ...]


MOODS = {
    "calm": Mood(("major", "lydian"), (54, 76), 0.35, 0.3, ("", "", "shaker")),
    "warm": Mood(("major", "mixolydian", "lydian"), (68, 96), 0.5, 0.42, ("", "shaker", "soft")),
    "happy": Mood(("major", "mixolydian"), (100, 132), 0.75, 0.6, ("soft", "beat", "claps")),
    "epic": Mood(("minor", "dorian"), (76, 108), 0.5, 0.5, ("toms", "toms", "march")),
    "dark": Mood(("minor", "phrygian"), (52, 74), 0.25, 0.2, ("", "toms")),
    "neon": Mood(("dorian", "minor"), (94, 118), 0.85, 0.75, ("beat", "machine")),
    "night": Mood(("dorian", "minor", "lydian"), (58, 84), 0.4, 0.3, ("", "shaker", "soft")),
    "wonder": Mood(("lydian", "major", "dorian"), (60, 88), 0.55, 0.5, ("", "shaker")),
}
# scale steps above the key; the last chord leads back to the first
ROUNDS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 5, 4), (0, 2, 3, 4), (0, 6, 3, 4), (0, 5, 1, 4), (0, 3, 0, 4), (5, 3, 0, 4), (3, 0, 4, 5), (0, 2, 5, 3),
    (0, 1, 3, 4), (3, 4, 2, 5), (0, 4, 1, 3), (5, 4, 3, 4), (0, 3, 6, 2), (2, 5, 3, 4),
)  # fmt: skip
# (beat, scale steps above the chord's root, length in beats) within a bar of four and of three
BASSES = {
    4: (
        ((0, 0, 4),), ((0, 0, 2), (2, 4, 2)), ((0, 0, 1.5), (1.5, 0, 0.5), (2, 4, 2)), ((0, 0, 1), (1, 2, 1), (2, 4, 1), (3, 5, 1)),
        ((0, 0, 0.7), (1, 0, 0.7), (2, 0, 0.7), (3, 4, 0.7)), ((0.5, 0, 0.5), (1.5, 0, 0.5), (2.5, 7, 0.5), (3.5, 4, 0.5)), ((0, 0, 3), (3, -3, 1)),
        ((0, 0, 0.75), (0.75, 0, 0.75), (1.5, 7, 0.5), (2, 0, 0.75), (2.75, 4, 1.25)), ((0, 0, 1), (2.5, 0, 0.5), (3, 7, 1)), ((0, 7, 1), (1, 4, 1), (2, 2, 1), (3, 0, 1)),
        tuple((k / 2, 7 * (k % 2), 0.45) for k in range(8)), ((0, 0, 1.5), (1.5, 4, 1.5), (3, 7, 1)),
    ),
    3: (((0, 0, 3),), ((0, 0, 1), (1, 4, 1), (2, 7, 1)), ((0, 0, 2), (2, 4, 1)), ((0, 0, 0.9), (1, 4, 0.9), (2, 4, 0.9)), ((0, 0, 1.5), (1.5, 7, 1.5))),
}  # fmt: skip
# how the bass comes home, in beats: one low note, struck again, from the fifth, from the octave, from below
HOMES = (
    ((0, 0, 8),),
    ((0, 0, 0.5), (0.5, 0, 8)),
    ((0, 4, 0.5), (0.5, 0, 8)),
    ((0, 7, 0.25), (0.25, 4, 0.25), (0.5, 0, 8)),
    ((0, -1, 0.5), (0.5, 0, 8)),
)
RHYTHMS = {
    4: (
        (0, 1.5, 2, 3),
        (0, 1, 2),
        (0.5, 1, 2, 3.5),
        (0, 2, 2.5, 3),
        (1, 2, 3),
        (0, 0.5, 1, 2),
        (0, 3),
        (0, 1, 1.5, 2.5, 3),
        (0.5, 2.5),
    ),
    3: ((0, 1, 2), (0, 2), (0, 1.5, 2), (0, 1, 1.5, 2), (1, 2)),
}
PADS, PLUCKS, LEADS = (
    ("warm", "glass", "choir", "reed"),
    ("string", "bell", "keys", "thumb"),
    ("flute", "bow", "whistle", "bell", "keys"),
)
BASS_VOICES = ("round", "pluck", "pulse")


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
    bass: tuple[tuple[tuple[float, int, float], ...], ...]  # the figures of even and odd bars
    home: tuple[tuple[float, int, float], ...]
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
    for look, name in (
        ("neon", "neon"),
        ("epic", "epic"),
        ("dark", "dark"),
        ("happy", "happy"),
        ("calm", "calm"),
        ("fast", "happy"),
    ):
        if look in plan.looks:
            return name
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
    rng, bounds = stream(key, "score"), MOODS.get(mood, MOODS["warm"])

    def one(options: Sequence[Any]) -> Any:
        return options[int(rng.integers(len(options)))]

    beats = 3 if rng.random() < 0.22 and mood not in {"neon", "happy"} else 4
    cell = one(RHYTHMS[beats])
    answer = one(RHYTHMS[beats])
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
    sound = {
        "pad": one(PADS),
        "pluck": one(PLUCKS),
        "lead": one(LEADS),
        "bass": one(BASS_VOICES),
        "kit": one(bounds.kits),
    }
    return Score(
        key, mood, int(rng.integers(-6, 6)), SCALES[one(bounds.scales)], round(float(rng.uniform(*bounds.tempo)), 2), beats,
        one(ROUNDS), (one(BASSES[beats]), one(BASSES[beats])), one(HOMES), tuple(tune), sound,
        float(np.clip(bounds.busy + rng.uniform(-0.15, 0.15), 0.1, 1)), float(np.clip(bounds.bright + rng.uniform(-0.12, 0.12), 0.1, 0.9)),
    )  # fmt: skip


def remembered(note: object) -> Score | None:
    """The score of a note that `Score.note` made; None for anything else."""
    match note:
        case [str(mood), int(a), int(b), int(c)] if mood in MOODS and a >= 0 and b >= 0 and c >= 0:
            return choose((a, b, c), mood)
        case _:
            return None
