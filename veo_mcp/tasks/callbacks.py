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
from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio

from veo_mcp.errors import JournalError, Unavailable, VeoMcpError
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.journal.journal import Journal
from veo_mcp.tasks.entries import storable
from veo_mcp.tasks.reader import Reader

__all__ = ["BODY_LIMIT", "CallbackUrls", "Callbacks"]

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024
WAITING = 1000
"""Entries that wait to be read back; one more is dropped, and polling finds out later."""
TOKEN_LENGTH = 300
SPACING_SECONDS = 0.2
"""As the poller's: five requests a second at most."""
AGAIN_SECONDS = 5.0
"""From one look at an entry to the next, however often a callback is sent."""


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
        return self._public_url is not None and bool(entry.fingerprint) and "callback_url" not in entry.asked

    async def load(self) -> str:
        """Reads the secret once, or makes it: forged tokens must not make us touch the disk."""
        if self._secret is None:
            self._secret = await self._journal.get_or_set("callback_secret", self._new_id() + self._new_id())
        return self._secret

    async def token(self, entry_id: str) -> str:
        """The last part of the path, which proves that the URL was made here."""
        return _token(entry_id, await self.load())

    def entry_id(self, token: str) -> str | None:
        """The entry that a token was made for, or None for one that was not made here. Raises Unavailable."""
        if self._secret is None:
            raise Unavailable("Callbacks are not received yet.")
        named = token.rpartition(".")[0]
        expected = _token(named, self._secret)
        proven = hmac.compare_digest(token.encode("utf-8", "replace"), expected.encode("utf-8", "replace"))
        return named if proven else None


class Callbacks:
    """The receiver of one server; `run` reads tasks back, `prove` and `take` never wait, so that it answers fast.

    Args:
        urls: knows the secret.
        reader: reads tasks back.
        clock: Unix seconds now.
        sleep: waits for that many seconds.
    """

    def __init__(
        self,
        urls: CallbackUrls,
        reader: Reader,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.urls = urls
        self._reader = reader
        self._clock = clock
        self._sleep = sleep
        #: Entry and API id that was named; however often a callback is sent again, an entry is in it once.
        self._hints: dict[str, str | None] = {}
        self._read_at: dict[str, float] = {}
        self._news = anyio.Event()

    def prove(self, token: str) -> str | None:
        """The entry that a token was made for, or None for a token that was not made here. Raises Unavailable.

        Of the journal nothing is read, written or locked, and every token that is not ours takes the same time.
        """
        return self.urls.entry_id(token) if len(token) <= TOKEN_LENGTH else None

    def take(self, entry_id: str, body: bytes) -> None:
        """Has a proven entry read back soon."""
        if entry_id not in self._hints and len(self._hints) >= WAITING:
            log.warning("Too many callbacks at once; polling takes over.")
            return
        self._hints[entry_id] = _named(body) or self._hints.get(entry_id)
        self._news.set()

    async def run(self) -> None:
        """Reads back what callbacks hinted at, indefinitely: no faster than the poller, and no entry twice in 5 s."""
        await self.urls.load()
        while True:
            while not self._hints:
                self._news = anyio.Event()
                await self._news.wait()
            await self._next()
            await self._sleep(SPACING_SECONDS)

    async def _next(self) -> None:
        now = self._clock()
        # Not negative, because a clock that was set back must not hold anything up.
        self._read_at = {read: at for read, at in self._read_at.items() if 0 <= now - at < AGAIN_SECONDS}
        entry_id = next((hinted for hinted in self._hints if hinted not in self._read_at), None)
        if entry_id is None:
            return
        named = self._hints.pop(entry_id)
        self._read_at[entry_id] = now
        try:
            if not await self._read_back(entry_id, named):
                self._hints.setdefault(entry_id, named)
        except JournalError as error:
            self._hints.setdefault(entry_id, named)
            log.warning("A callback for %s waits: %s", entry_id, error.explanation)
        except VeoMcpError as error:
            # A hint is lost, which polling makes good.
            log.info("A callback for %s could not be checked: %s", entry_id, error.explanation)

    async def _read_back(self, entry_id: str, named: str | None) -> bool:
        """Whether the hint is dealt with; not while the API has asked for a pause."""
        entry = await self._reader.find(entry_id)
        upstream = named if entry is None else entry.upstream_id or named
        if entry is None or entry.status in FINAL or upstream is None:
            return True
        if await self._reader.paused(entry):
            return False
        await self._reader.refresh(entry, upstream)
        return True


def _token(entry_id: str, secret: str) -> str:
    mac = hmac.new(secret.encode(), entry_id.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
    return f"{entry_id}.{mac}"


def _named(body: bytes) -> str | None:
    """The task id that the body names, if it looks like one."""
    try:
        shape: Any = json.loads(body, parse_constant=lambda _: math.nan)
    except (ValueError, RecursionError):
        return None
    named = cast("dict[str, Any]", shape).get("id") if isinstance(shape, dict) else None
    return named if isinstance(named, str) and 0 < len(named) <= 200 and storable(named) == named else None
