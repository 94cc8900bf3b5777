"""Announces to the feeds of an SQLite journal what changed, whichever process changed it, after it can be read.

Used by store.py: after each write of its own, and by looking every half second, because SQLite notifies nobody.
"""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Entry
from veo_mcp.journal.feed import Feeds
from veo_mcp.journal.sqlite.rows import Rows

__all__ = ["Follower"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""A change must be announced within 2 s, and a busy disk takes its share."""


class Follower:
    """Looks for changes and announces them to the feeds.

    Args:
        read: runs its argument on the file. May raise JournalUnusable.
        rows: reads the entries.
        feeds: those to notify.
    """

    def __init__(
        self, read: Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]], rows: Rows, feeds: Feeds
    ) -> None:
        self._read = read
        self._rows = rows
        self._feeds = feeds
        self._in_trouble = False

    def start_after(self, revision: int) -> None:
        """What changed up to here is older than every reader."""
        self._feeds.last_seen = revision

    async def run(self) -> None:
        """Sees what other processes on the same file changed, and what a cancelled call here did not announce."""
        while True:
            await self.announce()
            await anyio.sleep(LOOK_SECONDS)

    async def announce(self) -> None:
        """Notifies the feeds of every entry that changed since the last time. Raises nothing."""
        changed: list[Entry]
        try:
            changed, last = await self._read(lambda db: self._rows.all_since(db, self._feeds.last_seen))
        except Exception as problem:
            # A boundary: what was written stays written, and its writer must not take it for failed; the next look
            # announces it. Calls that need the journal get the reason.
            if not self._in_trouble:
                log.warning("%s", problem, exc_info=not isinstance(problem, JournalUnusable))
            self._in_trouble = True
            return
        self._in_trouble = False
        self._feeds.announce(changed, last)
