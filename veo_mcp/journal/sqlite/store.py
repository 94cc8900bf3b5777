"""The journal in an SQLite file: the embedded default, shared by every server of one person on one machine.

Opened by app.py. A durable write took 2 to 5 ms. Every method is one whole transaction on one worker thread.
Nothing here knows what a change means, entry.py does; the SQL is in queries.sql.
"""

import math
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

import anyio

from veo_mcp.api.account import Account
from veo_mcp.errors import UpstreamIdTaken, WrongCursor
from veo_mcp.journal.audit import CreditMovement, from_row, report
from veo_mcp.journal.entry import FINAL, SENDER_LOST, Change, Entry, FileNews, Status, apply
from veo_mcp.journal.feed import Feed, Feeds
from veo_mcp.journal.journal import BeginResult, Lease, Limits, Page, Spent, Upload
from veo_mcp.journal.sanitize import moment, storable, text
from veo_mcp.journal.sqlite import file_leases, leases, spending
from veo_mcp.journal.sqlite.error_messages import TROUBLE, unusable
from veo_mcp.journal.sqlite.follower import Follower
from veo_mcp.journal.sqlite.queries import QUERIES
from veo_mcp.journal.sqlite.rows import Rows
from veo_mcp.journal.store_common import (
    DAY,
    LONGEST_QUEUE,
    MOST_AT_ONCE,
    Background,
    another_accounts_confirmation,
    failures_up_to_a_success,
    migrations,
)
from veo_mcp.sqlite_file import SqliteFile

__all__ = ["SqliteJournal"]

T = TypeVar("T")


class SqliteJournal:
    """A Journal in one file; an async context manager. Every method may raise JournalUnusable.

    Args:
        path: the file; made when it is not there.
        crash_at: called at the points where a crash can fall; the crash tests end the process there.
        moved: called with every movement of credits that this process recorded, once it is committed.

    Attributes:
        file: the file under it.
    """

    learns_by: Literal["listen", "look"] = "look"

    def __init__(
        self,
        path: Path,
        *,
        crash_at: Callable[[str], None] = lambda point: None,
        moved: Callable[[CreditMovement], None] = lambda movement: None,
    ) -> None:
        self._crash_at = crash_at
        self._moved = moved
        self._path = path
        self.file = SqliteFile(
            path, migrations("veo_mcp.journal.sqlite"), at_migration=lambda: crash_at("mid-migration")
        )
        self._rows = Rows(str(path))
        self._feeds = Feeds()
        self._follower = Follower(self._read, self._rows, self._feeds)
        self._following = Background(self._follower.run)

    async def __aenter__(self) -> Self:
        self._follower.start_after(await self._guarded(self.file.open(_last_revision)))
        await self._following.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._following.stop(kind, error, trace)
        finally:
            with anyio.CancelScope(shield=True):
                await self.file.close()

    async def begin(self, entry: Entry, *, now: float, limits: Limits, repeat_seconds: float) -> BeginResult:
        """Writes a request down before it is sent, or returns the entry that answers it. Raises SpendLimit."""

        def write(db: sqlite3.Connection) -> BeginResult:
            # The id too: a confirmation that is replayed carries the id of the intent that it once allowed.
            scope = {"id": entry.id, "api": entry.api, "principal": entry.principal}
            earlier = self._rows.one(db, "own_by_id", scope) or self._repeat(
                db,
                api=entry.api,
                principal=entry.principal,
                fingerprint=entry.fingerprint,
                repeat_of=entry.repeat_of,
                after=now - repeat_seconds,
            )
            if earlier is not None:
                return BeginResult(earlier, fresh=False)
            if self._rows.one(db, "by_id", {"id": entry.id}) is not None:
                raise another_accounts_confirmation()
            # Counted and reserved in one write transaction, so that parallel calls cannot pass the limit together.
            spending.hold_limits(db, entry.api, entry.principal, entry.credits, limits, now)
            return BeginResult(self._rows.insert(db, entry), fresh=True)

        begun = await self._write(write)
        if begun.fresh:
            report(self._moved, None, begun.entry)
        await self._follower.announce()
        return begun

    async def find_repeat(
        self, account: Account, fingerprint: str, *, repeat_of: str | None, now: float, repeat_seconds: float
    ) -> Entry | None:
        """The entry that `begin` would return for this fingerprint; changes nothing."""
        return await self._read(
            lambda db: self._repeat(
                db,
                api=account.api,
                principal=account.principal,
                fingerprint=fingerprint,
                repeat_of=repeat_of,
                after=now - repeat_seconds,
            )
        )

    def _repeat(self, db: sqlite3.Connection, *, fingerprint: str, **scope: str | float | None) -> Entry | None:
        if not fingerprint:
            return None
        values = {"fingerprint": fingerprint, **scope}
        return self._rows.one(db, "repeat_unsettled", values) or self._rows.one(db, "repeat_accepted", values)

    async def record(self, entry_id: str, change: Change, *, now: float) -> Entry | None:
        """Records a change; the new entry, or None if nothing changed. Raises UpstreamIdTaken."""
        return await self._record(entry_id, change, now, lambda db: True)

    async def record_leased(self, lease: Lease, change: Change, *, now: float) -> Entry | None:
        """As `record`, but None too once another worker has the lease. Raises UpstreamIdTaken."""
        return await self._record(lease.entry.id, change, now, lambda db: leases.holds(db, lease))

    async def _record(
        self, entry_id: str, change: Change, now: float, counts: Callable[[sqlite3.Connection], bool]
    ) -> Entry | None:
        change = storable(change)

        def news(db: sqlite3.Connection) -> tuple[Entry, Entry] | None:
            if not counts(db):
                return None
            old = self._rows.one(db, "by_id", {"id": entry_id})
            new = apply(old, change, now) if old is not None else None
            return (old, new) if old is not None and new is not None else None

        def write(db: sqlite3.Connection) -> tuple[Entry, Entry] | None:
            # Looked at again: another process may have come first.
            found = news(db)
            if found is None:
                return None
            old, new = found
            if new.upstream_id is not None and old.upstream_id is None:
                owner = _owner(db, new.api, new.upstream_id)
                if owner is not None:
                    raise UpstreamIdTaken(owner[0])
            return old, self._rows.put(db, old, new)

        # Most answers say what is known already; those take no write lock.
        if await self._read(news) is None:
            return None
        written = await self._write(write)
        if written is None:
            return None
        old, settled = written
        self._crash_at("end recorded" if settled.status in FINAL else "recorded")
        report(self._moved, old, settled)
        await self._follower.announce()
        return settled

    async def adopt(self, account: Account, entry: Entry) -> Entry | None:
        """Takes in a task made elsewhere, or returns its entry; None if it belongs to another principal."""
        if entry.upstream_id is None or not entry.belongs_to(account):
            raise ValueError("What is adopted belongs to the account, and its API id is known.")
        upstream_id = text(entry.upstream_id)

        def write(db: sqlite3.Connection) -> tuple[Entry | None, bool]:
            owner = _owner(db, account.api, upstream_id)
            if owner is None:
                return self._rows.insert(db, entry), True
            if owner[1:] != (account.api, account.principal):
                return None, False
            return self._rows.one(db, "by_id", {"id": owner[0]}), False

        adopted, fresh = await self._write(write)
        if adopted is not None and fresh:
            report(self._moved, None, adopted)
        await self._follower.announce()
        return adopted

    async def get(self, account: Account, task_id: str) -> Entry | None:
        """The account's entry with this own id or API id, or None."""
        values = {"id": text(task_id), "api": account.api, "principal": account.principal}
        return await self._read(
            lambda db: self._rows.one(db, "own_by_id", values) or self._rows.one(db, "own_by_upstream_id", values)
        )

    async def find_elsewhere(self, account: Account, task_id: str) -> Entry | None:
        """The same principal's entry with this id at another API, or None."""
        values = {"id": text(task_id), "api": account.api, "principal": account.principal}
        return await self._read(
            lambda db: (
                self._rows.one(db, "elsewhere_by_id", values) or self._rows.one(db, "elsewhere_by_upstream_id", values)
            )
        )

    async def find(self, entry_id: str) -> Entry | None:
        """The entry with this own id, of any account, or None."""
        return await self._read(lambda db: self._rows.one(db, "by_id", {"id": text(entry_id)}))

    async def list(
        self, account: Account, *, status: Status | None = None, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """A page of the account's entries, newest first. Raises WrongCursor."""
        scope = {"api": account.api, "principal": account.principal}

        def read(db: sqlite3.Connection) -> Page:
            # A page is whatever lies behind one entry, and a cursor is that entry's id: no number to make up.
            start: tuple[float, str] = (math.inf, "")
            if cursor is not None:
                row = db.execute(QUERIES["place"], {"id": text(cursor), **scope}).fetchone()
                if row is None:
                    raise WrongCursor
                start = row
            values = {"created_at": start[0], "id": start[1], "status": status and status.value, **scope}
            found = self._rows.some(db, "list" if status is None else "list_by_status", values, limit + 1)
            page = tuple(found[:limit])
            return Page(page, page[-1].id if page and len(found) > limit else None)

        return await self._read(read)

    async def spent(self, account: Account, *, now: float) -> Spent:
        """The credits of the last 24 h: of this API, and of this account alone."""
        return await self._read(lambda db: spending.spent(db, account.api, account.principal, now))

    async def check_limits(self, account: Account, credits: int, *, limits: Limits, now: float) -> None:
        """Raises SpendLimit if the limits do not cover these credits now; reserves nothing."""
        await self._read(lambda db: spending.hold_limits(db, account.api, account.principal, credits, limits, now))

    async def lease(
        self, *, api: str, principals: Sequence[str] | None, worker_id: str, now: float, seconds: float, limit: int
    ) -> Sequence[Lease]:
        """Due entries of `api`, leased to this worker for so many seconds."""

        def due(db: sqlite3.Connection) -> Sequence[Entry]:
            return leases.due(db, self._rows, api=api, principals=principals, now=now, limit=limit)

        # Looked for without a write lock first: an idle server must not write to the disk every second.
        if not await self._read(due):
            return []
        return await self._write(
            lambda db: [
                leases.lease(db, entry, worker_id=worker_id, now=now, seconds=seconds)
                for entry in due(db)
            ]
        )  # fmt: skip

    async def release(self, lease: Lease, *, next_poll_at: float, asked: bool) -> None:
        """Gives a lease back; the entry is due again at `next_poll_at`."""
        values = {
            "id": lease.entry.id,
            "fence": lease.fence,
            "next_poll_at": moment(next_poll_at),
            "asked": int(asked),
        }
        await self._write(lambda db: db.execute(QUERIES["release"], values))

    async def release_all(self, worker_id: str) -> None:
        """Gives back every lease of this worker; its entries and files are due at once."""

        def write(db: sqlite3.Connection) -> None:
            for query in ("release_all", "release_all_files"):
                db.execute(QUERIES[query], {"worker_id": worker_id})

        await self._write(write)

    async def poll_no_later_than(self, entry_id: str, at: float) -> None:
        """Makes an entry due at this time, unless it is due sooner."""
        values = {"id": entry_id, "at": moment(at)}
        if await self._read(lambda db: db.execute(QUERIES["due_later_than"], values).fetchone()) is not None:
            await self._write(lambda db: db.execute(QUERIES["poll_no_later_than"], values))

    async def expire_submissions(self, now: float) -> Sequence[Entry]:
        """Turns sends whose deadline has passed into `unknown`; returns those entries."""

        def overdue(db: sqlite3.Connection) -> Sequence[Entry]:
            # One that a later clock began has a deadline of that clock. If its process lives after all, its answer
            # still counts.
            values = {"now": now, "ahead": now + leases.CLOCK_SLACK}
            return self._rows.some(db, "overdue_submissions", values, MOST_AT_ONCE)

        if not await self._read(overdue):
            return []

        def write(db: sqlite3.Connection) -> Sequence[tuple[Entry, Entry]]:
            pairs = [(old, apply(old, SENDER_LOST, now)) for old in overdue(db)]
            return [(old, self._rows.put(db, old, new)) for old, new in pairs if new is not None]

        lost = await self._write(write)
        for old, new in lost:
            report(self._moved, old, new)
        await self._follower.announce()
        return [new for _, new in lost]

    async def durations(self, api: str, mode: str | None) -> Sequence[float]:
        """How long the latest completed tasks of this API took, in seconds."""
        values = {"api": api, "mode": mode}
        return await self._read(lambda db: [float(row[0]) for row in db.execute(QUERIES["durations"], values)])

    async def failures_in_a_row(self, account: Account, fingerprint: str) -> int:
        """How many of the latest identical requests failed in a row; at most 10 are counted."""
        values = {"api": account.api, "principal": account.principal, "fingerprint": fingerprint}
        ends = await self._read(lambda db: [row[0] for row in db.execute(QUERIES["latest_ends"], values)])
        return failures_up_to_a_success(ends)

    async def quote(self, account: Account, fingerprint: str, credits: int, *, now: float) -> None:
        """Records that this price was quoted for this request; forgets quotes older than a day."""
        values = {"api": account.api, "principal": account.principal, "fingerprint": fingerprint, "credits": credits}

        def write(db: sqlite3.Connection) -> None:
            db.execute(QUERIES["forget_old_quotes"], {"before": now - DAY})
            db.execute(QUERIES["quote"], {**values, "now": now})

        await self._write(write)

    async def take_quote(self, account: Account, fingerprint: str, credits: int, *, after: float) -> bool:
        """Whether this price was quoted for this request later than `after`; uses the quote up."""
        values = {"api": account.api, "principal": account.principal, "fingerprint": fingerprint, "credits": credits}
        taken = await self._write(lambda db: db.execute(QUERIES["take_quote"], {**values, "after": after}).fetchone())
        return taken is not None

    async def lease_files(
        self, *, api: str, worker_id: str, now: float, seconds: float, limit: int, save: bool
    ) -> Sequence[Lease]:
        """Entries whose finished file is due, leased to this worker for so many seconds."""

        def due(db: sqlite3.Connection) -> Sequence[Entry]:
            return file_leases.due(db, self._rows, api=api, now=now, limit=limit, save=save)

        if not await self._read(due):
            return []
        return await self._write(
            lambda db: [
                file_leases.lease(db, entry, worker_id=worker_id, now=now, seconds=seconds) for entry in due(db)
            ]
        )

    async def keep_file(self, lease: Lease, *, now: float, seconds: float) -> bool:
        """Prolongs the lease of a file; False if another worker has it."""
        return await self._write(lambda db: file_leases.keep(db, lease, now=now, seconds=seconds))

    async def record_file(self, lease: Lease, news: FileNews, *, now: float) -> Entry | None:
        """Records what became of a leased file; None if the lease was lost or nothing changed."""
        written = await self._write(lambda db: file_leases.record(db, self._rows, lease, news, now))
        await self._follower.announce()
        return written

    async def note_uploads(self, entry_id: str, addresses: Sequence[str], *, now: float) -> None:
        """Records pictures that are about to be uploaded for this entry."""
        rows = [{"address": address, "entry_id": entry_id, "now": moment(now)} for address in addresses]
        await self._write(lambda db: db.executemany(QUERIES["note_upload"], rows))

    async def uploads_over(self, *, now: float, expired: float, limit: int) -> Sequence[Upload]:
        """Pictures to delete now: their entry has ended, or they were uploaded before `expired`."""
        values = {"now": now, "expired": expired, "limit": limit}
        return await self._read(lambda db: [Upload(*row) for row in db.execute(QUERIES["uploads_over"], values)])

    async def postpone_upload(self, address: str, *, due_at: float) -> None:
        """Records that deleting a picture failed, and when to try again."""
        values = {"address": address, "due_at": moment(due_at)}
        await self._write(lambda db: db.execute(QUERIES["postpone_upload"], values))

    async def forget_upload(self, address: str) -> None:
        """Deletes the record of a picture."""
        await self._write(lambda db: db.execute(QUERIES["forget_upload"], {"address": address}))

    async def value(self, name: str) -> str | None:
        """The value kept under this name, or None."""
        return await self._read(lambda db: _value(db, name))

    async def get_or_set(self, name: str, value: str) -> str:
        """Keeps a value under a name unless there is one; returns the one that is there afterwards."""

        def write(db: sqlite3.Connection) -> str:
            db.execute(QUERIES["set_named_value"], {"name": name, "value": value})
            return _value(db, name) or value

        return await self.value(name) or await self._write(write)

    async def not_before(self, api: str, principal: str) -> float:
        """The end of the account's pause in Unix seconds; 0 if there is none."""
        values = {"api": api, "principal": principal}
        row = await self._read(lambda db: db.execute(QUERIES["not_before"], values).fetchone())
        return float(row[0]) if row is not None else 0.0

    async def set_not_before(self, api: str, principal: str, at: float) -> None:
        """Sets the end of the account's pause; one in the past ends it."""
        values = {"api": api, "principal": principal, "at": moment(at)}
        await self._write(lambda db: db.execute(QUERIES["set_not_before"], values))

    async def take_turn(self, api: str, principal: str, *, now: float, seconds: float) -> float:
        """Takes the account's next turn to ask the API; how many seconds away it is."""
        values = {"api": api, "principal": principal, "now": now, "seconds": seconds, "most": LONGEST_QUEUE}
        return await self._write(lambda db: float(db.execute(QUERIES["take_turn"], values).fetchone()[0]))

    async def movements(self, *, since: float = 0.0, limit: int = 100) -> Sequence[CreditMovement]:
        """The credit movements since then, of all accounts, newest first."""
        values = {"since": since, "limit": limit}
        return await self._read(
            lambda db: [from_row(row) for row in db.execute(QUERIES["movements"], values).fetchall()]
        )

    async def check_writable(self) -> None:
        """Raises JournalUnusable if a change could not be written now; changes nothing."""

        def write(db: sqlite3.Connection) -> None:
            # It needs the lock, the file beside the file, and room for a page there; then it is taken back.
            db.execute(QUERIES["next_revision"])
            raise _TakenBackError

        with suppress(_TakenBackError):
            await self._write(write)

    def changes(self, entry_id: str | None = None) -> AbstractAsyncContextManager[Feed]:
        """A feed of every changed entry, or of this one; closed when the context is left."""
        return self._feeds.feed(entry_id)

    async def _write(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        return await self._guarded(self.file.write(transaction))

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._guarded(self.file.read(work))

    async def _guarded(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except TROUBLE as error:
            raise unusable(self._path, error) from None


class _TakenBackError(Exception):
    """Rolls a transaction back."""


def _owner(db: sqlite3.Connection, api: str, upstream_id: str) -> tuple[str, str, str] | None:
    """Own id, API and principal of the entry that has this API id."""
    row = db.execute(QUERIES["upstream_id_owner"], {"api": api, "upstream_id": upstream_id}).fetchone()
    return (row[0], row[1], row[2]) if row is not None else None


def _value(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute(QUERIES["named_value"], {"name": name}).fetchone()
    return str(row[0]) if row is not None else None


def _last_revision(db: sqlite3.Connection) -> int:
    return int(db.execute(QUERIES["last_revision"]).fetchone()[0])
