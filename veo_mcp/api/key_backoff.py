"""When to ask again with a key that the API refuses: at distances that triple from 1 s to 10 min, one question for all.

Kept by the client, which reports every answer to it; read by the poller and by what reports the state. Pure: the
clock is an argument, and nothing here waits.

How the poller uses its client's:

    if not client.key_backoff.may_ask():    # the key is refused, and it is not time yet, or another task asks now
        …                                   # wait client.key_backoff.wait() seconds, or until woken
    reply = await client.get_task(…)        # reports to key_backoff by itself, whichever way it ends

    client.key_backoff.on_recovery = wake   # called once when any call works again, a create or get_credits included
"""

from collections.abc import Callable

from veo_mcp.errors import ApiError

__all__ = ["KeyBackoff"]

FIRST_SECONDS, LONGEST_SECONDS, FACTOR = 1.0, 600.0, 3.0
REFUSALS_OF_A_KEY = frozenset({401, 402, 403})


class KeyBackoff:
    """Whether the key works, as far as is known.

    Args:
        clock: seconds that never go back.

    Attributes:
        refusal: the error with which the key was refused last; None while it works, or nothing is known.
        since: the clock's seconds of the first refusal in a row.
        on_recovery: called when a refused key works again.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._distance = FIRST_SECONDS
        self._next = 0.0
        self._asked = False
        self.refusal: ApiError | None = None
        self.since: float | None = None
        self.on_recovery: Callable[[], None] = lambda: None

    def may_ask(self) -> bool:
        """Whether a question may go out now. While the key is refused, True takes the one question there is.

        Should the asker vanish without an answer, the next question is due after the same distance again.
        """
        if self.refusal is None:
            return True
        if self.wait() > 0:
            return False
        self._next, self._asked = self._clock() + self._distance, True
        return True

    def wait(self) -> float:
        """Seconds until the next question is due; 0 if it is now."""
        return 0.0 if self.refusal is None else max(0.0, self._next - self._clock())

    def answered(self, error: ApiError | None, *, read: bool) -> None:
        """Takes note of an outcome.

        A 401 refuses the key; so do 402 and 403, but for reads only, since a create's may be about that create. Any
        answer to a read that could not be given without the key proves that it works. The rest says nothing.

        Args:
            error: what came instead of a value, or None.
            read: whether it was a read.
        """
        status = error.http_status if error is not None else None
        if error is None or (error.charged == "no" and status == 404 and error.code == "task_not_found"):
            self._worked()
        elif status == 401 or (read and status in REFUSALS_OF_A_KEY):
            self._refused(error)

    def _refused(self, error: ApiError) -> None:
        if self.refusal is None:
            self.since, self._distance = self._clock(), FIRST_SECONDS
        elif self._asked:
            self._distance = min(LONGEST_SECONDS, self._distance * FACTOR)
        else:
            # Not the one question: ten tasks were asked about together, or a person looks. That does not change the
            # schedule.
            self.refusal = error
            return
        self.refusal, self._asked = error, False
        self._next = self._clock() + self._distance

    def _worked(self) -> None:
        if self.refusal is None:
            return
        self.refusal, self.since, self._asked = None, None, False
        self.on_recovery()
