"""The progress of one waiting call: numbers that always rise, and the words beside them. Pure.

Used by the tool get_task. Never invents a total, because nobody knows one.
"""

import math

from veo_mcp.journal.entry import Entry

__all__ = ["ProgressCounter", "progress_message"]

TINY = 1e-6


class ProgressCounter:
    """The numbers of one call, as the protocol wants them: each greater than the one before."""

    def __init__(self) -> None:
        self._last = -math.inf

    def following(self, said: float | None, waited: float) -> float:
        """The next number: what the API said, if that rises; else the smallest step that a float can show.

        As long as the API says nothing, a second counts for a millionth. What it may say later is a share or a percent,
        nobody knows which, and a number as large as the seconds would stand in its way.
        """
        number = round(waited) * TINY if said is None else said
        if number <= self._last:
            number = max(self._last + TINY, math.nextafter(self._last, math.inf))
        self._last = number
        return number


def progress_message(entry: Entry, now: float, usual: float | None) -> str:
    """The status, what the API counts, the time passed and, if it is known, what is usual."""
    said = "" if entry.progress is None else f" ({entry.progress:g} by the API's count)"
    expected = "" if usual is None else f"; usually done after about {round(usual)} s"
    return f"{entry.status.value}{said}, {round(max(0.0, now - entry.created_at))} s so far{expected}"
