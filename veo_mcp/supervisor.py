"""Keeps the long-running loops alive: one that fails is logged once, counted, and started again after a growing pause.

Used by app.py for the poller, the follower of the journal, the receiver of callbacks and whatever else never ends;
`health` is read by /readyz, `check` and the tools' answers. No exception in a loop ends the process. Never swallows
a cancellation, and never runs a loop twice at once.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from veo_mcp.errors import VeoMcpError
from veo_mcp.logs import in_one_line, innermost

__all__ = ["LoopHealth", "Supervisor"]

log = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
WELL_SECONDS = 60.0
"""A loop that ran this long is well again: its next failure is the first of a row."""
PATIENCE = 3
"""Failures in a row before a loop that runs again at this moment is still called unwell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopHealth:
    """How one loop is doing.

    Attributes:
        name: such as "poller".
        running: whether it runs now; if not, it is started again soon.
        well: whether it can be relied on: it runs, and does not fail again and again.
        failures: how often it has failed since the server started.
        error: why it failed last, as a message; None if it never did or has run well since.
        since: Unix seconds of its last start or failure.
    """

    name: str
    running: bool
    well: bool
    failures: int
    error: str | None
    since: float


@dataclass(slots=True)
class _Loop:
    running: bool = True
    failures: int = 0
    in_a_row: int = 0
    error: str | None = None
    since: float = 0.0


class Supervisor:
    """Runs loops that may fail.

    Args:
        clock: Unix seconds now.
        sleep: waits for that many seconds.
    """

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._loops: dict[str, _Loop] = {}

    async def keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Runs `loop` under this name until cancelled; also one that returns, for these never should, starts again."""
        state = self._loops[name] = _Loop(since=self._clock())
        while True:
            began = state.since = self._clock()
            state.running = True
            try:
                await loop()
                failure: Exception | None = None
            except Exception as error:  # the boundary of a loop: whatever it met, the others go on
                failure = error
            now = self._clock()
            if now - began >= WELL_SECONDS:
                state.in_a_row = 0
            state.running = False
            state.since = now
            state.failures += 1
            state.in_a_row += 1
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(state.in_a_row - 1, 10))
            self._note(name, state, failure, pause)
            await self._sleep(pause)

    def _note(self, name: str, state: _Loop, failure: Exception | None, pause: float) -> None:
        error = _words(failure)
        again = state.in_a_row > 1 and error == state.error
        state.error = error
        level = logging.DEBUG if again else logging.ERROR
        place = "" if failure is None else f" ({in_one_line(failure)})"
        log.log(level, "The %s failed: %s%s It starts again in %g s.", name, error, place, pause)
        log.debug("The %s failed.", name, exc_info=failure)

    def health(self) -> tuple[LoopHealth, ...]:
        """How every loop is doing, in the order in which they were started."""
        now = self._clock()
        return tuple(_health(name, state, now) for name, state in self._loops.items())


def _health(name: str, state: _Loop, now: float) -> LoopHealth:
    recovered = state.running and now - state.since >= WELL_SECONDS
    return LoopHealth(
        name=name,
        running=state.running,
        well=recovered or (state.running and state.in_a_row < PATIENCE),
        failures=state.failures,
        error=None if recovered else state.error,
        since=state.since,
    )


def _words(failure: Exception | None) -> str:
    if failure is None:
        return "It ended by itself."
    first = innermost(failure)
    return first.explanation if isinstance(first, VeoMcpError) else "It met an error of its own; the log says where."
