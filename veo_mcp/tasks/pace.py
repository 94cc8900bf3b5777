"""How long to wait before asking the API about a task again: pure arithmetic, no clock and no I/O.

Called by the poller and by the simulations in the tests. Never decides whether to give up, because nothing may:
the provider's own example clip took 1 h 45 min.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

__all__ = ["PAUSE_MOST", "Pace", "next_gap", "pause_left", "usual"]

HOUR = 3600.0
DAY = 24 * HOUR
EAGERNESS = 0.91
WATCHED_MOST = 10.0
"""A waiting caller is never kept longer than this, whatever the clocks did."""
PAUSE_MOST = HOUR
"""No pause is longer, whatever an API asks for or a clock does: a task that is paid for is not forgotten."""
LEARNED_FROM = 8
"""Fewer finished clips than this say too little about how long the next one takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Why a gap is as long as it is: who waits, and what the journal has seen.

    Attributes:
        watched: someone waits for this task or listens to it.
        callback: the API will report the end by itself; polling is only the net below.
        history: durations in seconds of finished tasks of the same API and mode.
    """

    watched: bool = False
    callback: bool = False
    history: Sequence[float] = ()


def next_gap(age: float, pace: Pace) -> float:
    """Seconds until the next question about a task that was created `age` seconds ago."""
    # A clock that was set back makes ages below zero.
    gap = _gap(max(0.0, age), pace)
    return min(gap, WATCHED_MOST) if pace.watched else gap


def _gap(age: float, pace: Pace) -> float:
    if age >= DAY:
        return HOUR
    if pace.callback:
        return max(120.0, age)
    if len(pace.history) >= LEARNED_FROM:
        return _learned_gap(age, pace)
    if age < 120:
        return min(10.0, max(1.0, age / 8))
    return min(60.0, max(10.0, age / 12))


def pause_left(not_before: float, now: float) -> float:
    """Seconds that a pause which the API asked for still lasts; 0 for none.

    One that lies further ahead than any may was made by a clock that has been set back since, and is over.
    """
    left = not_before - now
    return left if 0 < left <= PAUSE_MOST else 0.0


def usual(history: Sequence[float]) -> float | None:
    """Seconds that such a clip usually takes, or None while too few are known."""
    return median(history) if len(history) >= LEARNED_FROM else None


def _learned_gap(age: float, pace: Pace) -> float:
    cuts = quantiles(pace.history, n=20, method="inclusive")
    # A little before the earliest twentieth: fifty clips are few, and what ends before the first look is seen late.
    earliest, middle, late = cuts[0] * EAGERNESS, cuts[9], cuts[18]
    spread = max(late - earliest, 0.0)
    floor = 1.0 if middle < 30 else 4.0
    step = max(floor, spread / (12 if pace.watched else 6))
    if age < earliest:
        return max(earliest - age, floor)
    if age <= late + spread:
        return min(step, 5.0 if pace.watched else 12.0)
    return min(60.0, max(step, (age - late) / 4))
