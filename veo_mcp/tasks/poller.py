"""Asks the API about unfinished tasks, politely, as long as the server runs.

Started once by app.py. Takes leases from the journal, so that two servers on one journal never ask about the same
task at once, and records every answer with the journal's one rule. Never gives up on a task and never spends.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from veo_mcp.api.client import VeoClient
from veo_mcp.errors import (
    InsufficientCredits,
    InvalidApiKey,
    IpNotAllowed,
    RateLimitExceeded,
    TaskNotFound,
    VeoError,
)
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.tasks.answers import change_from
from veo_mcp.tasks.service import TaskService

__all__ = ["Poller"]

log = logging.getLogger(__name__)

LEASE_SECONDS = 90.0
"""Longer than one read with all its retries, so a lease runs out only when its holder died."""
SPACING_SECONDS = 0.2
"""Five requests a second at most, however many tasks are unfinished."""
IDLE_SECONDS = 1.0


class Poller:
    """One loop over the journal's due tasks.

    Attributes:
        beat: Unix time of the last round, for readiness.
        paused: the sentence that says why the API refuses to be asked (key, balance, address), or None.
    """

    def __init__(
        self,
        api: VeoClient,
        service: TaskService,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._crash_at = crash_at
        self._api = api
        self._service = service
        self._journal = service.journal
        self._clock = clock
        self._sleep = sleep
        self._watched: Counter[str] = Counter()
        self._not_before = 0.0
        self.beat = 0.0
        self.paused: str | None = None

    @asynccontextmanager
    async def watching(self, entry: Entry) -> AsyncGenerator[None]:
        """While this is open, someone waits for the task: it is asked about more often, from now on."""
        self._watched[entry.id] += 1
        try:
            now = self._clock()
            await self._journal.poll_no_later_than(
                entry.id, now + await self._service.gap(entry, now=now, watched=True)
            )
            yield
        finally:
            self._watched[entry.id] -= 1
            if not self._watched[entry.id]:
                del self._watched[entry.id]

    async def run(self) -> None:
        """Polls indefinitely. A failing round is logged and the next one comes: nothing here may end the server."""
        while True:
            try:
                asked = await self.round()
            except VeoError as error:
                log.warning("The API could not be asked: %s", error.explanation)
                asked = 0
            except Exception:  # the loop is a top-level boundary: one bad row must not stop all other tasks
                log.exception("A polling round failed; the next one follows.")
                asked = 0
            if not asked:
                await self._sleep(IDLE_SECONDS)

    async def round(self) -> int:
        """One pass: settles sends whose process died, then asks about what is due. Returns how many were asked."""
        now = self._clock()
        self.beat = now
        await self._journal.expire_submissions(now)
        if now < self._not_before:
            return 0
        name = self._service.known_api_name
        if name is None:
            name = await self._service.api_name()
        due = await self._journal.lease(
            api=name, worker_id=self._service.worker_id, now=now, seconds=LEASE_SECONDS, limit=5
        )
        for entry in due:
            await self._ask(entry)
            await self._sleep(SPACING_SECONDS)
        return len(due)

    async def _ask(self, entry: Entry) -> None:
        gap: float | None = None
        try:
            if self._clock() < self._not_before:
                return
            reply = await self._api.get_task(entry.upstream_id or "")
        except RateLimitExceeded as error:
            self._not_before = self._clock() + (error.retry_after or 8.0)
        except (InvalidApiKey, InsufficientCredits, IpNotAllowed) as error:
            self.paused = error.explanation
            self._not_before = self._clock() + 60.0
        except TaskNotFound:
            # Shortly after a create the API may not know its own id yet; later it is odd, but no reason to forget.
            gap = 10.0 if self._clock() - entry.created_at < 120 else 300.0
        except VeoError as error:
            log.info("Task %s: %s", entry.id, error.explanation)
        else:
            self.paused = None
            self._crash_at("poll answer read")
            self._service.note_sandbox(reply.sandbox)
            settled = await self._journal.record(entry.id, change_from(reply.value), now=self._clock())
            if settled is not None:
                entry = settled
        finally:
            await self._reschedule(entry, gap)

    async def _reschedule(self, entry: Entry, gap: float | None) -> None:
        now = self._clock()
        if gap is None:
            over = entry.status in FINAL
            gap = 0.0 if over else await self._service.gap(entry, now=now, watched=entry.id in self._watched)
        await self._journal.release(entry.id, self._service.worker_id, now + gap, now)
