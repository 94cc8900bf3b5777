"""The poller's pace, simulated: few requests, little lateness, and it never gives up."""

import random
from statistics import quantiles

import pytest

from veo_mcp.tasks.pace import Pace, next_gap


def clips(seed: int, number: int) -> list[float]:
    """Durations of clips that take 90 s, lognormal with sigma 0.25."""
    rng = random.Random(seed)
    return [90.0 * rng.lognormvariate(0.0, 0.25) for _ in range(number)]


def polled(duration: float, pace: Pace) -> tuple[int, float]:
    """How many requests it took to see the end of a clip, and how late that was."""
    age = requests = 0
    while True:
        age += next_gap(age, pace)
        requests += 1
        if age >= duration:
            return requests, age - duration


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("watched", "share", "late"), [(True, 0.8, 5.0), (False, 0.35, 12.0)])
def test_a_poller_that_has_seen_fifty_clips_asks_less_and_is_hardly_late(
    seed: int, watched: bool, share: float, late: float
) -> None:
    pace = Pace(watched=watched, history=clips(seed, 50))
    durations = clips(seed + 1000, 2000)
    results = [polled(duration, pace) for duration in durations]
    every_five_seconds = sum(int(duration // 5) + 1 for duration in durations)
    assert sum(requests for requests, _ in results) / every_five_seconds <= share
    assert quantiles([lateness for _, lateness in results], n=100)[94] <= late


@pytest.mark.parametrize("history", [[], clips(1, 50)])
@pytest.mark.parametrize("callback", [False, True])
@pytest.mark.parametrize("age", [-86_400.0, -1.0, 0.0, 60.0, 3600.0, 25 * 3600.0, 400 * 24 * 3600.0])
def test_a_waiting_caller_waits_ten_seconds_at_most_whatever_the_clocks_did(
    age: float, callback: bool, history: list[float]
) -> None:
    assert 0 < next_gap(age, Pace(watched=True, callback=callback, history=history)) <= 10
    # Nobody waits: a clock that was set back is no reason to look a day later.
    assert next_gap(age, Pace(callback=callback, history=history)) <= 3600


def test_without_history_the_gap_is_at_most_ten_seconds_in_the_first_two_minutes() -> None:
    age = 0.0
    while age < 120:
        gap = next_gap(age, Pace())
        assert 0 < gap <= 10
        age += gap


def test_with_a_callback_two_requests_are_the_most_a_minutes_long_clip_needs() -> None:
    assert all(polled(duration, Pace(callback=True))[0] <= 2 for duration in clips(1, 500))


@pytest.mark.parametrize("history", [[], clips(1, 50)])
def test_a_clip_that_takes_hours_is_still_asked_about(history: list[float]) -> None:
    requests, late = polled(6302.0, Pace(history=history))
    assert late <= 60
    assert requests < 400
    requests, late = polled(3 * 24 * 3600.0, Pace(history=history))
    assert late <= 3600
