"""Takes callbacks of the API, as hints: whatever a body claims, the task is read back before it counts.

Called by the route in web/. The API signs nothing, so the URL itself proves where a callback comes from: each create
carries its own, which names the entry. That is the one way in which an outcome nobody knew finds its task again by
itself. Never believes a status and never spends.
"""

import hashlib
import hmac
import json
import logging
import math
from collections.abc import Callable
from typing import Any, cast

import anyio

from veo_mcp.errors import VeoMcpError
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.journal.journal import Journal
from veo_mcp.tasks.answers import storable
from veo_mcp.tasks.reader import Reader

__all__ = ["BODY_LIMIT", "CallbackUrls", "Callbacks"]

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
WAITING = 1000
"""Hints kept for reading back; one more is dropped, and polling finds out later."""


class CallbackUrls:
    """The URLs under which the API can report an end here.

    Args:
        journal: keeps the secret behind them.
        public_url: under which the API can reach this server; None: it cannot.
        new_id: makes unguessable text.
    """

    def __init__(self, journal: Journal, *, public_url: str | None, new_id: Callable[[], str]) -> None:
        self._journal = journal
        self._public_url = public_url
        self._new_id = new_id
        self._secret: str | None = None

    async def url(self, entry_id: str) -> str | None:
        """The callback URL of an entry, or None where nobody can call back."""
        if self._public_url is None:
            return None
        return f"{self._public_url.rstrip('/')}/callbacks/{await self.token(entry_id)}"

    def expects(self, entry: Entry) -> bool:
        """Whether the API will report the end of this task here by itself."""
        return self._public_url is not None and bool(entry.fingerprint) and "callback_url" not in json.loads(entry.body)

    async def token(self, entry_id: str) -> str:
        """The last part of the path, which proves that the URL was made here."""
        if self._secret is None:
            # Kept once it is known: whoever sends forged tokens must not make us write to the disk.
            self._secret = await self._journal.get_or_set("callback_secret", self._new_id() + self._new_id())
        mac = hmac.new(self._secret.encode(), entry_id.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
        return f"{entry_id}.{mac}"

    async def entry_id(self, token: str) -> str | None:
        """The entry that a token names, or None for a token that was not made here."""
        named = token.rpartition(".")[0]
        expected = await self.token(named)
        proven = hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
        return named if proven else None


class Callbacks:
    """The receiver of one server; `run` reads tasks back, `take` only judges and queues, so that it answers fast."""

    def __init__(self, urls: CallbackUrls, reader: Reader) -> None:
        self.urls = urls
        self._reader = reader
        self._send, self._receive = anyio.create_memory_object_stream[tuple[str, str | None]](WAITING)

    async def take(self, token: str, body: bytes) -> bool:
        """Whether `token` is one of ours; if so, its task will be read back soon. Raises JournalUnusable."""
        entry_id = await self.urls.entry_id(token)
        if entry_id is None:
            return False
        try:
            self._send.send_nowait((entry_id, _named(body)))
        except anyio.WouldBlock:
            log.warning("Too many callbacks at once; polling takes over.")
        return True

    async def run(self) -> None:
        """Reads back what callbacks hinted at, indefinitely."""
        async for entry_id, named in self._receive:
            try:
                await self._read_back(entry_id, named)
            except VeoMcpError as error:
                # A hint is lost, which polling makes good.
                log.info("A callback for %s could not be checked: %s", entry_id, error.explanation)
            except Exception:  # one odd answer must not take the other callbacks along
                log.exception("A callback for %s could not be checked.", entry_id)

    async def _read_back(self, entry_id: str, named: str | None) -> None:
        entry = await self._reader.find(entry_id)
        if entry is None or entry.status in FINAL:
            return
        upstream = entry.upstream_id or named
        if upstream is not None:
            await self._reader.refresh(entry, upstream)


def _named(body: bytes) -> str | None:
    """The task id that the body names, if it looks like one."""
    try:
        shape: Any = json.loads(body, parse_constant=lambda _: math.nan)
    except (ValueError, RecursionError):
        return None
    named = cast("dict[str, Any]", shape).get("id") if isinstance(shape, dict) else None
    return named if isinstance(named, str) and 0 < len(named) <= 200 and storable(named) == named else None
