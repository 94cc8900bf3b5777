"""What a journal does, whichever store is behind it.

Implemented by sqlite/store.py; called by the tasks layer. A method returns only after its change is durable, and
a change is announced only after it can be read.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.feed import Feed

__all__ = ["BeginResult", "Journal", "Page"]


@dataclass(frozen=True, slots=True)
class BeginResult:
    """What `begin` did: the new entry, or (`fresh` False) the open one with the same fingerprint."""

    entry: Entry
    fresh: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the cursor of the next page."""

    entries: tuple[Entry, ...]
    next_cursor: str | None


class Journal(Protocol):
    """The store of intents and outcomes. Every method may raise JournalUnusable."""

    async def begin(self, entry: Entry, *, now: float, max_credits: int | None = None) -> BeginResult:
        """Writes an intent down before anything is sent. Raises SpendLimit."""
        ...

    async def record(self, entry_id: str, change: Change, *, now: float) -> Entry | None:
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

    async def lease(self, *, api: str, worker_id: str, now: float, seconds: float, limit: int) -> Sequence[Entry]:
        """Unfinished entries of `api` that are due, leased to `worker_id`: nobody else gets them meanwhile."""
        ...

    async def release(self, entry_id: str, worker_id: str, next_poll_at: float, now: float) -> None:
        """Gives a lease back and says when the entry is due again."""
        ...

    async def poll_no_later_than(self, entry_id: str, at: float) -> None:
        """Makes an entry due at this moment, unless it is due sooner."""
        ...

    async def expire_submissions(self, now: float) -> Sequence[Entry]:
        """Turns sends whose deadline has passed into `unknown`: their process died."""
        ...

    async def durations(self, api: str, mode: str | None) -> Sequence[float]:
        """Seconds that the latest completed tasks took."""
        ...

    async def get_or_set(self, name: str, value: str) -> str:
        """Keeps a word under a name, unless there is one already; the word that is there afterwards."""
        ...

    def changes(self, entry_id: str | None = None) -> AbstractAsyncContextManager[Feed]:
        """From entering on, every changed entry (or this one), whoever changed it, after the change can be read."""
        ...
