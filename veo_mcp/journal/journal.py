"""What a journal does, whichever store is behind it.

Implemented by journal/sqlite.py; called by the tasks floor. A method returns only after its change is durable, and a
change is announced only after it can be read.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.feed import Feed

__all__ = ["Intent", "Journal", "Page"]


@dataclass(frozen=True, slots=True)
class Intent:
    """What `intend` did: the new entry, or (`fresh` False) the open one with the same fingerprint."""

    entry: Entry
    fresh: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the cursor of the next page."""

    entries: tuple[Entry, ...]
    next_cursor: str | None


class Journal(Protocol):
    """The store of intents and outcomes. Every method may raise JournalUnusable."""

    async def intend(self, entry: Entry, *, now: float, max_credits: int | None = None) -> Intent:
        """Writes an intent down before anything is sent. Raises SpendLimit."""
        ...

    async def settle(self, entry_id: str, change: Change, *, now: float) -> Entry | None:
        """Records news by the one monotone rule; the new entry, or None when nothing changed."""
        ...

    async def adopt(self, entry: Entry) -> Entry:
        """Takes in a task that was made elsewhere; the entry that is there already, if its API id is known."""
        ...

    async def get(self, task_id: str, *, principal: str = "") -> Entry | None:
        """The entry with this own id or API id, if it belongs to `principal`."""
        ...

    async def find(self, task_id: str) -> Entry | None:
        """The entry with this own id or API id, whoever it belongs to; for the server's own errands."""
        ...

    async def list(
        self, *, principal: str = "", status: Status | None = None, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """A page of entries, newest first. Raises WrongCursor."""
        ...

    async def lease(self, *, api: str, holder: str, now: float, seconds: float, limit: int) -> Sequence[Entry]:
        """Unfinished entries of `api` that are due, leased to `holder`: nobody else gets them meanwhile."""
        ...

    async def release(self, entry_id: str, holder: str, next_poll_at: float, now: float) -> None:
        """Gives a lease back and says when the entry is due again."""
        ...

    async def hasten(self, entry_id: str, at: float) -> None:
        """Makes an entry due at this moment, unless it is due sooner."""
        ...

    async def abandon(self, now: float) -> Sequence[Entry]:
        """Turns sends whose deadline has passed into `unknown`: their process died."""
        ...

    async def durations(self, api: str, mode: str | None) -> Sequence[float]:
        """Seconds that the latest completed tasks took."""
        ...

    async def remember(self, name: str, value: str) -> str:
        """Keeps a word under a name, unless there is one already; the word that is there afterwards."""
        ...

    def changes(self, entry_id: str | None = None) -> AbstractAsyncContextManager[Feed]:
        """From entering on, every changed entry (or this one), whoever changed it, after the change can be read."""
        ...
