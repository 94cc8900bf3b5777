"""The feeds of a journal: for each reader of `changes()`, the latest state of every entry that changed since it looked.

Held by the stores, whose followers announce here what they find. A change that is not read yet is replaced by the next
one of the same entry: nothing is lost however many come at once, and a reader that stopped holds one state an entry.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Self

import anyio

from veo_mcp.journal.entry import Entry

__all__ = ["Feed", "Feeds"]


class Feed:
    """An endless async iterator over changed entries.

    Entries that are new come in the order of `created_seq`. So an entry is new to this reader if and only if its
    `created_seq` is greater than `since` and than that of every entry before it.

    Args:
        since: the reader knows, or does not care for, everything up to this change.
        only: the id of the one entry that is wanted; None wants all.
    """

    def __init__(self, since: int, only: str | None = None) -> None:
        self.since = since
        self._only = only
        self._waiting: dict[str, Entry] = {}
        self._news = anyio.Event()

    def put(self, entry: Entry) -> None:
        """Adds a change, in the place of an unread one of the same entry. Never waits."""
        if self._only is None or entry.id == self._only:
            self._waiting[entry.id] = entry
            self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Entry:
        while not self._waiting:
            self._news = anyio.Event()
            await self._news.wait()
        # No waiting between here and the return: a reader that is cancelled loses nothing.
        return self._waiting.pop(next(iter(self._waiting)))


class Feeds:
    """The open feeds of one store.

    Attributes:
        last_seen: the revision up to which they have been notified.
    """

    def __init__(self) -> None:
        self.last_seen = 0
        self._open: set[Feed] = set()

    @asynccontextmanager
    async def feed(self, entry_id: str | None) -> AsyncGenerator[Feed]:
        """A feed of every entry, or of this one, that is notified while the context is open."""
        feed = Feed(self.last_seen, entry_id)
        self._open.add(feed)
        try:
            yield feed
        finally:
            self._open.discard(feed)

    def announce(self, changed: Sequence[Entry], last: int) -> None:
        """Notifies the feeds of these entries, which were read up to revision `last`. Never waits."""
        # Two looks may have read the same rows; the second finds them announced.
        news = [entry for entry in changed if entry.revision > self.last_seen]
        self.last_seen = max(self.last_seen, last)
        for entry in news:
            for feed in self._open:
                feed.put(entry)
