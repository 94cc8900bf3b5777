"""Announces to the feeds of an SQLite journal what changed, whichever process changed it, after it can be read.

Used by store.py: after each write of its own, and by looking every half second, because SQLite notifies nobody.
"""

import logging
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Entry
from veo_mcp.journal.feed import Feed
from veo_mcp.journal.sqlite.rows import Rows

__all__ = ["Follower"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""A change must be announced within 2 s, and a busy disk takes its share."""


class Follower:
    """Knows up to which revision the feeds have been notified.

    Args:
        read: runs its argument on the file. May raise JournalUnusable.
        rows: reads the entries.
    """

    def __init__(self, read: Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]], rows: Rows) -> None:
        self._read = read
        self._rows = rows
        self._feeds: set[Feed] = set()
        self._last_seen = 0
        self._in_trouble = False

    def start_after(self, revision: int) -> None:
        """What changed up to here is older than every reader."""
        self._last_seen = revision

    @asynccontextmanager
    async def feed(self, entry_id: str | None) -> AsyncGenerator[Feed]:
        """A feed that is notified while this is open."""
        feed = Feed(self._last_seen, entry_id)
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    async def run(self) -> None:
        """Sees what other processes on the same file changed, and what a cancelled call here did not announce."""
        while True:
            await self.announce()
            await anyio.sleep(LOOK_SECONDS)

    async def announce(self) -> None:
        """Notifies the feeds of every entry that changed since the last time. Raises nothing."""
        changed: list[Entry]
        try:
            changed, last = await self._read(lambda db: self._rows.all_since(db, self._last_seen))
        except Exception as problem:
            # A boundary: what was written stays written, and its writer must not take it for failed; the next look
            # announces it. Calls that need the journal get the reason.
            if not self._in_trouble:
                log.warning("%s", problem, exc_info=not isinstance(problem, JournalUnusable))
            self._in_trouble = True
            return
        self._in_trouble = False
        # Two may have read the same rows; the second finds them announced.
        news = [entry for entry in changed if entry.revision > self._last_seen]
        self._last_seen = max(self._last_seen, last)
        for entry in news:
            for feed in self._feeds:
                feed.put(entry)
