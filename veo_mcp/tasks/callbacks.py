"""Takes callbacks of the API, as hints: whatever a body claims, the task is read back before it counts.

Called by the route in app.py. The API signs nothing, so the URL itself proves where a callback comes from: each
create carries its own, which names the intent. That is the one way in which an outcome nobody knew finds its task again
by itself. Never believes a status and never spends.
"""

import hmac
import json
import logging
import math
from typing import Any, cast

import anyio

from veo_mcp.errors import VeoError
from veo_mcp.journal.entry import FINAL
from veo_mcp.journal.errors import JournalUnusable
from veo_mcp.tasks.service import TaskService

__all__ = ["BODY_LIMIT", "Callbacks"]

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
WAITING = 1000
"""Hints kept for reading back; one more is dropped, and polling finds out later."""


class Callbacks:
    """The receiver of one server; `run` reads tasks back, `take` only judges and queues, so that it answers fast."""

    def __init__(self, service: TaskService) -> None:
        self._service = service
        self._send, self._receive = anyio.create_memory_object_stream[tuple[str, str | None]](WAITING)

    async def take(self, token: str, body: bytes) -> bool:
        """Whether `token` is one of ours; if so, its task will be read back soon."""
        entry_id, _, mac = token.rpartition(".")
        expected = self._service.callback_mac(entry_id, await self._service.callback_secret())
        if not hmac.compare_digest(mac.encode(), expected.encode()):
            return False
        try:
            self._send.send_nowait((entry_id, _named(body)))
        except anyio.WouldBlock:
            log.warning("Too many callbacks at once; polling takes over.")
        return True

    async def run(self) -> None:
        """Reads back what callbacks hinted at, indefinitely."""
        async with self._send, self._receive:
            async for entry_id, named in self._receive:
                try:
                    await self._read_back(entry_id, named)
                except VeoError as error:
                    log.info("A callback for %s could not be checked: %s", entry_id, error.explanation)
                except JournalUnusable as problem:
                    # A hint is lost, which polling makes good; the poller beside this must go on.
                    log.warning("A callback for %s could not be recorded: %s", entry_id, problem)

    async def _read_back(self, entry_id: str, named: str | None) -> None:
        journal = self._service.journal
        entry = await journal.find(entry_id)
        if entry is None or entry.status in FINAL:
            return
        upstream = entry.upstream_id or named
        if upstream is None:
            return
        owner = await journal.find(upstream)
        if owner is not None and owner.id != entry.id:
            log.warning("A callback for %s names a task that belongs to another intent.", entry_id)
            return
        await self._service.refresh(entry, upstream)


def _named(body: bytes) -> str | None:
    """The task id that the body names, if it looks like one."""
    try:
        shape: Any = json.loads(body, parse_constant=lambda _: math.nan)
    except (ValueError, RecursionError):
        return None
    named = cast("dict[str, Any]", shape).get("id") if isinstance(shape, dict) else None
    return named if isinstance(named, str) and 0 < len(named) <= 200 else None
