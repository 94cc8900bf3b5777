"""The soundtrack, judged by its samples: tunes of their own, air of what is named, thunder with its flash."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

np: Any = pytest.importorskip("numpy")
pytest.importorskip("av")

from tests.sandbox.render.sound import true_peak  # noqa: E402
from veo_mcp.sandbox.render.audio.ambience import SOUNDS, Air, sounds_of  # noqa: E402
from veo_mcp.sandbox.render.audio.loudness import RATE, loudness  # noqa: E402
from veo_mcp.sandbox.render.audio.music import compose  # noqa: E402
from veo_mcp.sandbox.render.audio.score import MOODS, choose, mood_of, remembered  # noqa: E402
from veo_mcp.sandbox.render.canvas.frame import Frame  # noqa: E402
from veo_mcp.sandbox.render.canvas.noise import (  # noqa: E402
    flashes,
    key_of,
    stream,
)
from veo_mcp.sandbox.render.clip.sheet import PROMPTS  # noqa: E402
from veo_mcp.sandbox.render.language.plan import Plan  # noqa: E402
from veo_mcp.sandbox.render.language.prompt import shots  # noqa: E402
from veo_mcp.sandbox.render.scenery.weather import Lightning  # noqa: E402

SECONDS = 8.0
QUIET = 10 ** (-50 / 20)


def played(prompt: str, seed: int = 10000, *, fine: bool = False) -> Any:
    plan = shots(prompt)[0]
    return compose(
        choose(key_of(seed, prompt, 0), mood_of(plan)), SECONDS, [Air(0, SECONDS, sounds_of(plan))], fine=fine
    )


def bass(track: Any) -> Any:
    """The track between 25 and 150 Hz, at 1 kHz, with unit energy."""
    spectrum, hz = np.fft.rfft(track.mean(axis=0)), np.fft.rfftfreq(track.shape[1], 1 / RATE)
    spectrum[(hz < 25) | (hz > 150)] = 0
    low = np.fft.irfft(spectrum, track.shape[1])[::48]
    return low / np.linalg.norm(low)


def likeness(a: Any, b: Any) -> float:
    """The largest correlation of two basses at any shift against each other."""
    n = 2 * a.size
    return float(np.abs(np.fft.irfft(np.fft.rfft(a, n) * np.conj(np.fft.rfft(b, n)), n)).max())


@pytest.fixture(scope="module")
def tracks() -> dict[str, Any]:
    return {prompt: played(prompt) for prompt in PROMPTS}


def test_no_two_prompts_of_the_contact_sheet_share_a_tune(tracks: dict[str, Any]) -> None:
    lows = {prompt: bass(track) for prompt, track in tracks.items()}
    alike = {(a, b): likeness(lows[a], lows[b]) for a, b in itertools.combinations(lows, 2)}
    assert len(alike) == 276
    assert max(alike.values()) < 0.6, max(alike.items(), key=lambda pair: pair[1])


def test_another_seed_is_another_tune_and_the_same_seed_the_same(tracks: dict[str, Any]) -> None:
    again, other = played(PROMPTS[0]), played(PROMPTS[0], 10001)
    assert np.array_equal(again, tracks[PROMPTS[0]])
    assert likeness(bass(again), bass(other)) < 0.6


def test_tracks_are_at_the_agreed_level_without_clipping_silence_or_a_hard_edge(tracks: dict[str, Any]) -> None:
    fine = played(PROMPTS[3], fine=True)
    for prompt, track in {**tracks, "fine": fine}.items():
        assert track.shape == (2, int(SECONDS * RATE))
        assert -18 <= loudness(track) <= -14, prompt
        assert true_peak(track) < 10 ** (-1 / 20), prompt
        seconds = np.sqrt((track.reshape(2, -1, RATE) ** 2).mean(axis=(0, 2)))
        assert seconds.min() > QUIET, prompt
        # it begins and ends: both edges rise from, and fall to, nothing
        assert np.abs(track[:, :48]).max() < 0.01, prompt
        assert np.abs(track[:, -48:]).max() < 0.01, prompt
        tenths = np.sqrt((track.reshape(2, -1, RATE // 10) ** 2).mean(axis=(0, 2)))
        assert tenths[-1] < 0.5 * np.median(tenths), prompt


def test_a_piece_comes_home() -> None:
    """The strongest low note of the last second is the key's own, whatever came before."""
    for prompt in PROMPTS[::3]:
        plan = shots(prompt)[0]
        score = choose(key_of(10000, prompt, 0), mood_of(plan))
        last = compose(score, SECONDS, [], fine=False)[:, -RATE:].mean(axis=0)
        spectrum, hz = (
            np.abs(np.fft.rfft(last * np.hanning(last.size), 8 * last.size)),
            np.fft.rfftfreq(8 * last.size, 1 / RATE),
        )
        band = (hz > 33) & (hz < 150)
        strongest = hz[band][spectrum[band].argmax()]
        octaves = float(np.log2(strongest / score.hz(0, -2)))
        assert octaves == pytest.approx(round(octaves), abs=0.05), (prompt, strongest)


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("seconds", [1.0, 2.7, 5.0])
def test_every_mood_plays_at_every_length(mood: str, seconds: float) -> None:
    for seed in range(3):
        track = compose(choose((seed, 5, 0), mood), seconds, [Air(0, seconds, ("wind",))], fine=False)
        assert track.shape == (2, int(seconds * RATE))
        assert np.isfinite(track).all()
        assert -19 <= loudness(track) <= -13
        assert true_peak(track) < 10 ** (-1 / 20)


@pytest.mark.parametrize("name", SOUNDS)
def test_every_sound_is_stereo_finite_and_heard(name: str) -> None:
    sound = SOUNDS[name](stream((1,), name), 24000, 24000 * 3)
    assert sound.shape == (2, 72000)
    assert np.isfinite(sound).all()
    assert sound.std() > 0
    assert np.abs(sound).max() / sound.std() < 80


@pytest.mark.parametrize(
    ("plan", "heard"),
    [
        (Plan("x", place="sea"), {"surf"}),
        (Plan("x", place="sea", weather="storm"), {"surf", "rain", "wind"}),
        (Plan("x", place="forest", weather="storm", light="noon"), {"leaves", "rain", "wind"}),
        (Plan("x", place="forest", subjects=("bird",)), {"leaves", "birds"}),
        (Plan("x", place="room"), {"hush"}),
        (Plan("x", place="room", sounds=("fire",)), {"hush", "fire"}),
        (Plan("x", place="park", sounds=("storm",)), {"leaves", "rain", "wind"}),
        (Plan("x", animatic=True), set[str]()),
        (Plan("x", animatic=True, weather="rain"), {"rain"}),
        (Plan("x", place="city", sounds=("birds",)), {"city", "birds"}),
        (Plan("x", place="sea", sounds=("no such sound",)), {"surf"}),
    ],
)
def test_only_what_is_named_is_heard(plan: Plan, heard: set[str]) -> None:
    assert set(sounds_of(plan)) == heard


def test_thunder_comes_with_the_flash_that_is_seen() -> None:
    key = (10000, 77, 0)
    times = flashes(key, 0.0, SECONDS)
    assert len(times) == 2
    bolt = Lightning(key, stream(key, "weather"), 320, 180, 90)
    seen: list[float] = []
    frame, before = Frame(320, 180), 60.0
    for k in range(int(SECONDS * 24)):
        frame.buf[...] = 60
        bolt.draw(frame, k / 24, None)  # type: ignore[arg-type]  # it looks at no view
        if frame.y.mean() > before + 20:
            seen.append(k / 24)
        before = float(frame.y.mean())
    firsts = [t for t in seen if not any(0 < t - s < 0.5 for s in seen)]
    assert firsts == pytest.approx(times, abs=1 / 24 + 1e-6)
    score = choose(key, "epic")
    still, loud = (
        compose(score, SECONDS, [Air(0, SECONDS, ("rain",), thunder)], fine=False).mean(axis=0)
        for thunder in ((), tuple(times))
    )
    # the rest is the same music, up to its level
    early = slice(0, int((times[0] - 0.1) * RATE))
    gain = float(still[early] @ loud[early] / (still[early] @ still[early]))
    added = np.abs(loud - still * gain)
    assert added[: int((times[0] - 0.05) * RATE)].max() < 0.01
    assert added[int(times[0] * RATE) : int((times[0] + 0.3) * RATE)].max() > 0.05


def test_storms_go_on_after_the_clip_and_no_two_are_alike() -> None:
    assert flashes((1, 2, 0), 0, 16)[2:] == flashes((1, 2, 0), 8, 16)
    assert flashes((1, 2, 0), 0, 16) != flashes((1, 3, 0), 0, 16)
    assert flashes((1, 2, 0), 3.0, 3.0) == []


def test_an_extension_goes_on_in_its_parents_music_without_a_click() -> None:
    score = choose(key_of(10000, PROMPTS[0], 0), "calm")
    kept = remembered(json.loads(json.dumps(score.note)))
    assert kept == score
    first = compose(score, SECONDS, [], fine=False)
    more = compose(score, SECONDS, [], fine=False, start=SECONDS)
    assert not np.array_equal(first, more)
    join = np.concatenate([first, more], axis=1)
    at = first.shape[1]
    steps = np.abs(np.diff(join[:, at - RATE : at + RATE]))
    assert steps[:, RATE - 50 : RATE + 50].max() <= np.quantile(steps, 0.999)
    seconds = np.sqrt((join[:, at - RATE : at + RATE].reshape(2, -1, RATE // 2) ** 2).mean(axis=(0, 2)))
    assert seconds.min() > QUIET


@pytest.mark.parametrize(
    "note", [None, "x", [], ["calm"], ["calm", 1, 2], ["no mood", 1, 2, 3], ["calm", -1, 2, 3], {}, ["calm", "1", 2, 3]]
)
def test_a_note_that_is_none_of_ours_is_no_music(note: object) -> None:
    assert remembered(note) is None
