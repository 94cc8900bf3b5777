"""Whether the server can do its work: `/healthz` (it answers) and `/readyz` (it can be given calls, or why not).

Called by routes.py. For balancers and for the person who asks why nothing happens; says nothing of tasks or callers.
Asks the journal, never the API.
"""

import time
from collections.abc import Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from veo_mcp.errors import VeoMcpError
from veo_mcp.server.backend import Backend
from veo_mcp.server.shutdown import Shutdown
from veo_mcp.tasks.poller import SILENT_SECONDS

__all__ = ["Health"]

JOURNAL_SECONDS = 5.0


class Health:
    """The state of one server.

    Args:
        backend: what does the work.
        shutdown: whether it is ending.
        clock: Unix seconds now.
    """

    def __init__(
        self,
        backend: Backend,
        shutdown: Shutdown,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._backend = backend
        self._shutdown = shutdown
        self._clock = clock

    async def alive(self, _request: Request) -> Response:
        """`/healthz`."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """`/readyz`."""
        reasons = await self.reasons()
        if not reasons:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready", "reasons": reasons}, 503, {"Retry-After": "5"})

    async def reasons(self) -> list[str]:
        """Why the server cannot be relied on, as messages; empty if it can."""
        if self._shutdown.begun:
            return ["It is ending."]
        problem = self._backend.problem
        if problem is not None:
            return [problem]
        engine = self._backend.engine_now
        if engine is None:
            return ["It is still starting."]
        reasons = [await _journal_trouble(engine.journal.check_writable)]
        late = self._clock() - engine.poller.last_round_at
        if engine.poller.last_round_at and not -SILENT_SECONDS < late < SILENT_SECONDS:
            reasons.append(f"The poller's last round began {late:.0f} s ago.")
        reasons += [engine.poller.unreachable, engine.accounts.refusal]
        reasons += [f"The {loop.name} fails: {loop.error}" for loop in self._backend.loops() if not loop.well]
        return [reason for reason in reasons if reason]


async def _journal_trouble(check: Callable[[], Awaitable[None]]) -> str | None:
    try:
        with anyio.fail_after(JOURNAL_SECONDS):
            await check()
    except TimeoutError:
        return f"The journal could not be written within {JOURNAL_SECONDS:g} s."
    except VeoMcpError as error:
        return error.explanation
    return None
