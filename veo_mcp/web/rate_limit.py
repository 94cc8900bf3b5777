"""A rate limiter: so many calls a minute for each name, in memory, for a bounded number of names.

Used by auth.py for the calls of each principal, and by caller_keys.py for keys that are tried. Each replica counts for
itself.
"""

from collections.abc import Callable

__all__ = ["RateLimiter"]

MINUTE = 60.0
MOST = 10_000
"""Names that are kept: beyond that the one that was idle longest is forgotten."""


class RateLimiter:
    """A budget of `calls` that fills evenly over a minute, one for each name.

    Args:
        calls: how many a minute.
        monotonic: seconds that never go back.
    """

    def __init__(self, calls: int, *, monotonic: Callable[[], float]) -> None:
        self._gap = MINUTE / calls
        self._monotonic = monotonic
        #: When each one's budget is full again; those idle longest come first.
        self._full_at: dict[str, float] = {}

    def wait(self, name: str) -> float:
        """Counts one call of this name and returns 0.0, or says in how many seconds the next one may come."""
        now = self._monotonic()
        full_at = max(self._full_at.pop(name, now), now) + self._gap
        late = full_at - now - MINUTE
        if late <= 1e-6:  # rounding must not refuse the last call of a full budget
            late = 0.0
        self._full_at[name] = full_at if not late else full_at - self._gap
        if len(self._full_at) > MOST:
            del self._full_at[next(iter(self._full_at))]
        return late
