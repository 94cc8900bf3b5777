"""The journal in an SQLite file: the embedded default, shared by every server of one person on one machine.

Opened by app.py. A durable write took 2.4 ms. Every method is one whole transaction on one worker thread.
Nothing here knows what a change means, entry.py does.
"""

import logging
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import anyio
from anyio.abc import TaskGroup

from veo_mcp.journal.entry import FINAL, Change, Entry, Status, apply
from veo_mcp.journal.errors import JournalUnusable, SpendLimit
from veo_mcp.journal.feed import Feed
from veo_mcp.journal.journal import BeginResult, Page
from veo_mcp.journal.sqlite.rows import SELECT, insert, place, put, to_entry
from veo_mcp.sqlite_file import Closed, NewerSchema, SqliteFile

__all__ = ["SqliteJournal"]

T = TypeVar("T")

log = logging.getLogger(__name__)

DAY = 24 * 3600.0
FOLLOW_SECONDS = 0.5
"""SQLite cannot notify another process. A change must be announced within 2 s, and a busy disk takes its share."""
CLOCK_SLACK = 5.0
"""How far two processes' looks at the same clock may lie apart; more means that it was set back."""


class SqliteJournal:
    """A Journal in one file; an async context manager.

    Args:
        path: the file; made when it is not there.
        crash_at: called at the points where a crash can fall; the crash tests end the process there.

    Attributes:
        file: the file under it.
    """

    def __init__(self, path: Path, *, crash_at: Callable[[str], None] = lambda point: None) -> None:
        self._crash_at = crash_at
        self._path = path
        self.file = SqliteFile(path, _migrations(), at_migration=lambda: crash_at("mid-migration"))
        self._feeds: set[Feed] = set()
        self._last_seen = 0
        self._group: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        try:
            self._last_seen = await self._guarded(self.file.open(_last_revision))
        except OSError as error:
            raise JournalUnusable(
                f"The journal {self._path} cannot be opened: {error.strerror}. Fix its folder, or set VEO_JOURNAL."
            ) from None
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._follow)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._group is not None:
            self._group.cancel_scope.cancel()
            await self._group.__aexit__(kind, error, trace)
        with anyio.CancelScope(shield=True):
            await self.file.close()

    async def begin(self, entry: Entry, *, now: float, max_credits: int | None = None) -> BeginResult:
        """See Journal."""

        def write(db: sqlite3.Connection) -> BeginResult:
            # The id too: a confirmation that is replayed carries the id of the intent that it once allowed.
            open_one = db.execute(
                SELECT + " WHERE id = ? OR fingerprint = ? AND status IN ('submitting', 'unknown')"
                " ORDER BY created_at LIMIT 1",
                (entry.id, entry.fingerprint),
            ).fetchone()
            if open_one is not None:
                return BeginResult(to_entry(open_one), fresh=False)
            if max_credits is not None:
                # Counted and reserved in one write transaction, so that parallel calls cannot pass the limit together.
                spent = db.execute(
                    "SELECT COALESCE(SUM(credits), 0) FROM entries"
                    " WHERE created_at > ? AND charged NOT IN ('no', 'refunded')",
                    (now - DAY,),
                ).fetchone()[0]
                if spent + entry.credits > max_credits:
                    raise SpendLimit(spent, max_credits)
            return BeginResult(insert(db, entry), fresh=True)

        intent = await self._write(write)
        await self._announce()
        return intent

    async def record(self, entry_id: str, change: Change, *, now: float) -> Entry | None:
        """See Journal."""

        def write(db: sqlite3.Connection) -> Entry | None:
            row = db.execute(SELECT + " WHERE id = ?", (entry_id,)).fetchone()
            new = apply(to_entry(row), change, now) if row is not None else None
            return put(db, new) if new is not None else None

        settled = await self._write(write)
        if settled is not None:
            self._crash_at("end recorded" if settled.status in FINAL else "recorded")
            await self._announce()
        return settled

    async def adopt(self, entry: Entry) -> Entry:
        """See Journal."""

        def write(db: sqlite3.Connection) -> Entry:
            row = db.execute(SELECT + " WHERE api = ? AND upstream_id = ?", (entry.api, entry.upstream_id)).fetchone()
            if row is not None:
                return to_entry(row)
            return insert(db, entry)

        adopted = await self._write(write)
        await self._announce()
        return adopted

    async def get(self, task_id: str, *, principal: str = "") -> Entry | None:
        """See Journal."""

        def read(db: sqlite3.Connection) -> Entry | None:
            row = db.execute(
                SELECT + " WHERE (id = ?1 OR upstream_id = ?1) AND principal = ?2 ORDER BY created_at DESC LIMIT 1",
                (task_id, principal),
            ).fetchone()
            return to_entry(row) if row is not None else None

        return await self._read(read)

    async def find(self, task_id: str) -> Entry | None:
        """See Journal."""

        def read(db: sqlite3.Connection) -> Entry | None:
            row = db.execute(SELECT + " WHERE id = ?1 OR upstream_id = ?1 LIMIT 1", (task_id,)).fetchone()
            return to_entry(row) if row is not None else None

        return await self._read(read)

    async def list(
        self, *, principal: str = "", status: Status | None = None, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """See Journal."""
        where: list[str] = ["principal = ?"]
        values: list[str | float] = [principal]
        if status is not None:
            where.append("status = ?")
            values.append(status.value)
        if cursor is not None:
            where.append("(created_at, id) < (?, ?)")
            values += place(cursor)

        def read(db: sqlite3.Connection) -> Page:
            query = f"{SELECT} WHERE {' AND '.join(where)} ORDER BY created_at DESC, id DESC LIMIT {limit + 1:d}"
            rows = [to_entry(row) for row in db.execute(query, values)]
            more = f"{rows[limit - 1].created_at!r}~{rows[limit - 1].id}" if len(rows) > limit else None
            return Page(tuple(rows[:limit]), more)

        return await self._read(read)

    async def lease(self, *, api: str, worker_id: str, now: float, seconds: float, limit: int) -> Sequence[Entry]:
        """See Journal."""

        def read(db: sqlite3.Connection) -> Sequence[str]:
            rows = db.execute(
                "SELECT id FROM entries WHERE status IN ('pending', 'processing') AND api = ?2"
                " AND upstream_id IS NOT NULL AND (next_poll_at <= ?1 AND leased_until <= ?1 OR asked_at > ?1 + ?4)"
                " ORDER BY next_poll_at LIMIT ?3",
                (now, api, limit, CLOCK_SLACK),
            )
            return [row[0] for row in rows]

        # Looked for without a write lock first: an idle server must not write to the disk every second.
        if not await self._read(read):
            return []

        def write(db: sqlite3.Connection) -> Sequence[Entry]:
            due = read(db)
            for entry_id in due:
                db.execute(
                    "UPDATE entries SET leased_by = ?, leased_until = ?, asked_at = ?, polls = polls + 1 WHERE id = ?",
                    (worker_id, now + seconds, now, entry_id),
                )
            return [to_entry(db.execute(SELECT + " WHERE id = ?", (entry_id,)).fetchone()) for entry_id in due]

        return await self._write(write)

    async def release(self, entry_id: str, worker_id: str, next_poll_at: float, now: float) -> None:
        """See Journal."""

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE entries SET leased_by = NULL, leased_until = 0, next_poll_at = ?"
                " WHERE id = ? AND leased_by = ?",
                (next_poll_at, entry_id, worker_id),
            )

        await self._write(write)

    async def poll_no_later_than(self, entry_id: str, at: float) -> None:
        """See Journal."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE entries SET next_poll_at = ?1 WHERE id = ?2 AND next_poll_at > ?1", (at, entry_id))

        await self._write(write)

    async def expire_submissions(self, now: float) -> Sequence[Entry]:
        """See Journal."""

        def read(db: sqlite3.Connection) -> Sequence[Entry]:
            rows = db.execute(SELECT + " WHERE status = 'submitting' AND deadline <= ?", (now,))
            return [to_entry(row) for row in rows]

        if not await self._read(read):
            return []
        lost = Change(
            status=Status.UNKNOWN,
            charged="unknown",
            error_code="sender_lost",
            error_message="the process that sent this request ended before it had an answer",
        )

        def write(db: sqlite3.Connection) -> Sequence[Entry]:
            changed = [apply(entry, lost, now) for entry in read(db)]
            return [put(db, new) for new in changed if new is not None]

        abandoned = await self._write(write)
        await self._announce()
        return abandoned

    async def durations(self, api: str, mode: str | None) -> Sequence[float]:
        """See Journal."""

        def read(db: sqlite3.Connection) -> Sequence[float]:
            rows = db.execute(
                "SELECT completed_at - created_at FROM entries WHERE status = 'completed' AND api = ? AND mode IS ?"
                " AND polls > 0 ORDER BY completed_at DESC LIMIT 50",
                (api, mode),
            )
            return [max(0.0, row[0]) for row in rows]

        return await self._read(read)

    async def get_or_set(self, name: str, value: str) -> str:
        """See Journal."""

        def write(db: sqlite3.Connection) -> str:
            db.execute("INSERT OR IGNORE INTO words VALUES (?, ?)", (name, value))
            return str(db.execute("SELECT value FROM words WHERE name = ?", (name,)).fetchone()[0])

        return await self._write(write)

    @asynccontextmanager
    async def changes(self, entry_id: str | None = None) -> AsyncGenerator[Feed]:
        """See Journal."""
        feed = Feed(self._last_seen, entry_id)
        self._feeds.add(feed)
        try:
            yield feed
        finally:
            self._feeds.discard(feed)

    async def _follow(self) -> None:
        """Sees what other processes on the same file changed, and what a cancelled call here did not announce."""
        while True:
            await self._announce()
            await anyio.sleep(FOLLOW_SECONDS)

    async def _announce(self) -> None:
        """Tells the feeds of every entry that changed since the last time."""

        def read(db: sqlite3.Connection) -> Sequence[Entry]:
            # One whole look, not pages of it: an entry that moved on between two pages would pass for an old one.
            # New entries come in the order in which they were created, as Feed promises.
            rows = db.execute(
                SELECT + " WHERE seq > ?1 ORDER BY CASE WHEN born > ?1 THEN born ELSE seq END", (self._last_seen,)
            )
            return [to_entry(row) for row in rows]

        try:
            changed = await self._read(read)
        except JournalUnusable as problem:
            # What was written stays written, and the next look announces it; whoever needs the journal gets the reason.
            log.debug("%s", problem)
            return
        # Two announcers may have read the same rows; whoever comes second finds them announced.
        news = [entry for entry in changed if entry.revision > self._last_seen]
        for entry in news:
            self._last_seen = max(self._last_seen, entry.revision)
            for feed in self._feeds:
                feed.put(entry)

    async def _write(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        return await self._guarded(self.file.write(transaction))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._guarded(self.file.read(work))

    async def _guarded(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except Closed:
            raise JournalUnusable(f"The journal {self._path} is closed.") from None
        except NewerSchema:
            raise JournalUnusable(
                f"The journal {self._path} was written by a newer veo-mcp. Install that, or set VEO_JOURNAL."
            ) from None
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> JournalUnusable:
        words = str(error)
        if "readonly" in words:
            advice = "Make it writable"
        elif "full" in words:
            advice = "Free some disk space"
        elif "not a database" in words or "malformed" in words:
            advice = "Move it away (it holds the record of paid tasks, so keep it)"
        elif "locked" in words:
            advice = "Another program holds it; end that program"
        else:
            advice = "Check the file and its folder"
        return JournalUnusable(
            f"The journal {self._path} cannot be used ({words}). {advice}, or set VEO_JOURNAL to another file."
        )


def _last_revision(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT seq FROM counter").fetchone()[0])


def _migrations() -> list[str]:
    folder = resources.files("veo_mcp.journal.sqlite") / "schema"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]
