"""Asks the API about unfinished tasks, politely, as long as the server runs.

Started once by app.py. Takes leases from the journal, so that two servers on one journal never ask about the same
task at once, and records every answer with the journal's one rule. Never gives up on a task and never spends.
"""

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from veo_mcp.api.account import Account
from veo_mcp.errors import (
    ApiError,
    InsufficientCredits,
    InvalidApiKey,
    IpNotAllowed,
    RateLimitExceeded,
    TaskNotFound,
    VeoMcpError,
)
from veo_mcp.journal.entry import FINAL, Entry, Status
from veo_mcp.journal.journal import Journal, Lease
from veo_mcp.tasks.accounts import Accounts, Scope
from veo_mcp.tasks.callbacks import CallbackUrls
from veo_mcp.tasks.entries import change_from
from veo_mcp.tasks.pace import PAUSE_MOST, Pace, next_gap, pause_left, usual
from veo_mcp.tasks.submit import Submitter
from veo_mcp.telemetry import span

__all__ = ["SILENT_SECONDS", "Poller"]

log = logging.getLogger(__name__)

LEASE_SECONDS = 150.0
"""Longer than one read with all its retries (120 s): a lease runs out only when its holder died."""
SPACING_SECONDS = 0.2
"""Five requests a second at most for one key, however many tasks are unfinished and servers share the journal."""
IDLE_SECONDS = 1.0
FAILED_SECONDS = 30.0
"""How long after a look that failed the next one comes at the latest: it has said nothing about the task."""
SILENT_SECONDS = 180.0
"""One round asks about one task, which with all its retries takes two minutes at most."""
SLOW_DOWN = 8.0
FORGET_SECONDS = 60.0
"""Between two looks at which callers' keys are still needed."""


class Poller:
    """One loop over the journal's due tasks.

    Attributes:
        last_round_at: Unix time at which the last round began, for readiness.
        unreachable: why the API could not be asked at all in the last round, or None.
    """

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        submitter: Submitter,
        urls: CallbackUrls,
        *,
        worker_id: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._submitter = submitter
        self._urls = urls
        self._worker_id = worker_id
        self._clock = clock
        self._sleep = sleep
        self._crash_at = crash_at
        self._watched: Counter[str] = Counter()
        self._forgot_at = 0.0
        self.last_round_at = 0.0
        self.unreachable: str | None = None

    @property
    def with_callers_keys(self) -> bool:
        """Whether tasks are asked about with their callers' own keys alone."""
        return self._accounts.callers_pay

    def trouble(self, account: Account) -> str | None:
        """Why nothing new is learned about this account's tasks (key, balance, network, our own loop), or None."""
        if self._accounts.callers_pay and account.principal not in self._accounts.callers:
            return "Your key is not kept here any more; call again"
        refusal = self._accounts.client(account).key_backoff.refusal
        if refusal is not None:
            return refusal.explanation
        silent = self._clock() - self.last_round_at
        if self.last_round_at and silent > SILENT_SECONDS:
            return f"This server last looked {silent:.0f} s ago, because its own loop fails; its log says why."
        return self.unreachable

    @asynccontextmanager
    async def watching(self, entry: Entry) -> AsyncGenerator[None]:
        """While this is open, someone waits for the task: it is asked about more often, from now on."""
        self._watched[entry.id] += 1
        try:
            await self._hurry(entry.id, await self._gap(entry))
            yield
        finally:
            self._watched[entry.id] -= 1
            if not self._watched[entry.id]:
                del self._watched[entry.id]

    async def usual(self, entry: Entry) -> float | None:
        """Seconds that clips of this API and mode usually take, once the journal has seen enough of them."""
        return usual(await self._journal.durations(entry.api, entry.mode))

    async def run(self) -> None:
        """Polls indefinitely. Whatever a round raises is the supervisor's to log, and to start this again."""
        while True:
            try:
                asked = await self.round()
                self.unreachable = None
            except ApiError as error:
                if self.unreachable != error.explanation:
                    log.warning("The API could not be asked: %s", error.explanation)
                self.unreachable = error.explanation
                asked = 0
            if not asked:
                await self._sleep(IDLE_SECONDS)

    async def let_go(self) -> None:
        """Gives back every lease, so that another server on this journal goes on at once."""
        await self._journal.release_all(self._worker_id)

    async def round(self) -> int:
        """One pass: settles sends whose process died, then asks about what is due. Returns how many were asked."""
        now = self.last_round_at = self._clock()
        await self._submitter.record_kept()
        if not self._submitter.overdue(now):
            await self._journal.expire_submissions(now)
        for entry_id in list(self._watched):
            # Once a round, because a clock that was set back leaves the next look far ahead.
            await self._hurry(entry_id, 10.0)
        if now - self._forgot_at >= FORGET_SECONDS or now < self._forgot_at:
            self._forgot_at = now
            await self._accounts.callers.forget(self._unfinished)
        asked = 0
        for scope in await self._accounts.scopes():
            asked += await self._ask_next(scope)
        return asked

    async def _unfinished(self, principal: str) -> bool:
        """Whether this caller's key is still needed."""
        held = self._accounts.callers.get(principal)
        if held is None:
            return False
        account = Account(held.client.known_identity or held.client.origin, principal, held.key)
        for status in (Status.SUBMITTING, Status.PENDING, Status.PROCESSING):
            if (await self._journal.list(account, status=status, limit=1)).entries:
                return True
        return False

    async def _hurry(self, entry_id: str, seconds: float) -> None:
        await self._journal.poll_no_later_than(entry_id, self._clock() + seconds)

    async def _ask_next(self, scope: Scope) -> int:
        """Asks about one task that is due, if there is one and the API lets itself be asked."""
        if await self._paused(scope) or scope.client.key_backoff.wait() > 0:
            return 0
        # One at a time: what is leased and waits for its turn would be out of everyone's reach meanwhile.
        due = await self._journal.lease(
            api=scope.api,
            principals=scope.principals,
            worker_id=self._worker_id,
            now=self._clock(),
            seconds=LEASE_SECONDS,
            limit=1,
        )
        for lease in due:
            wait = await self._journal.take_turn(scope.api, scope.pauser, now=self._clock(), seconds=SPACING_SECONDS)
            await self._sleep(wait)
            if wait and await self._paused(scope):  # another server got a 429 meanwhile
                await self._release(lease, lease.entry, 0.0, asked=False)
            else:
                await self._ask(scope, lease)
        return len(due)

    async def _paused(self, scope: Scope) -> bool:
        return pause_left(await self._journal.not_before(scope.api, scope.pauser), self._clock()) > 0

    async def _ask(self, scope: Scope, lease: Lease) -> None:
        entry, gap, asked = lease.entry, None, True
        if not scope.client.key_backoff.may_ask():
            # The key is refused, and another task is asking just now whether it still is.
            await self._release(lease, entry, 0.0, asked=False)
            return
        try:
            # Once: another try is another turn, and a 429 must be known to every server before any asks again.
            reply = await scope.client.get_task(entry.upstream_id or "", tries=1)
            if reply.api != entry.api:
                return
            self._crash_at("poll answer read")
            change = change_from(reply.value, entry.upstream_id or "")
            with span("veo.record", status=change.status.value if change.status else ""):
                entry = await self._journal.record_leased(lease, change, now=self._clock()) or entry
        except RateLimitExceeded as error:
            await self._pause(scope, SLOW_DOWN if error.retry_after is None else error.retry_after)
            gap, asked = 0.0, False
        except (InvalidApiKey, InsufficientCredits, IpNotAllowed):
            gap, asked = 0.0, False  # the client's key_backoff says when to ask again, one question for all tasks
        except TaskNotFound:
            # Shortly after a create the API may not know its own id yet; later it is odd, but no reason to forget.
            gap = 10.0 if self._clock() - entry.created_at < 120 else 300.0
        except VeoMcpError as error:
            log.info("Task %s: %s", entry.id, error.explanation)
            asked = False
        finally:
            await self._release(lease, entry, gap, asked=asked)

    async def _pause(self, scope: Scope, seconds: float) -> None:
        until = self._clock() + min(max(seconds, 0.0), PAUSE_MOST)
        await self._journal.set_not_before(scope.api, scope.pauser, until)

    async def _release(self, lease: Lease, entry: Entry, gap: float | None, *, asked: bool) -> None:
        if entry.status in FINAL:
            gap = 0.0
        elif gap is None:
            gap = await self._gap(entry)
            gap = gap if asked else min(gap, FAILED_SECONDS)
        elif self._watched[entry.id]:
            gap = min(gap, 10.0)
        await self._journal.release(lease, next_poll_at=self._clock() + gap, asked=asked)

    async def _gap(self, entry: Entry) -> float:
        """Seconds until the API should be asked about this task again."""
        history = await self._journal.durations(entry.api, entry.mode)
        pace = Pace(watched=self._watched[entry.id] > 0, callback=self._urls.expects(entry), history=history)
        return next_gap(self._clock() - entry.created_at, pace)
