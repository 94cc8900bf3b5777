"""The journal in a PostgreSQL database: shared by every server of a team, on however many machines.

Opened by app.py. Every method is one whole transaction. Nothing here knows what a change means, entry.py does; the SQL
is in queries.sql.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Literal, Self

from veo_mcp.api.account import Account
from veo_mcp.errors import UpstreamIdTaken, WrongCursor
from veo_mcp.journal.audit import CreditMovement, from_row, report
from veo_mcp.journal.entry import SENDER_LOST, Change, Entry, FileNews, Status, apply
from veo_mcp.journal.feed import Feed, Feeds
from veo_mcp.journal.journal import BeginResult, Lease, Limits, Page, Spent, Upload
from veo_mcp.journal.postgres import leases, spending
from veo_mcp.journal.postgres.database import Database
from veo_mcp.journal.postgres.follower import LOOK_SECONDS, Follower
from veo_mcp.journal.postgres.queries import Db, ask, ask_one
from veo_mcp.journal.postgres.rows import NewerSchemaError, Rows, upstream_key
from veo_mcp.journal.postgres.schema import migrate, revision_if_current
from veo_mcp.journal.sanitize import moment, storable, text
from veo_mcp.journal.store_common import (
    DAY,
    LONGEST_QUEUE,
    MOST_AT_ONCE,
    Background,
    another_accounts_confirmation,
    failures_up_to_a_success,
    migrations,
)
from veo_mcp.setting_values import PostgresAddress

__all__ = ["PostgresJournal"]

SCHEMA = migrations("veo_mcp.journal.postgres")
MIGRATION_PATIENCE = 30.0
"""Seconds: another server may be reading the tables that are to be altered."""


class PostgresJournal:
    """A Journal in one database; an async context manager. Every method may raise JournalUnusable.

    Args:
        address: where the database is, and who we are there.
        schema: the scripts that make the tables, oldest first.
        look_seconds: how often changes are looked for besides what the database says.
        moved: called with every movement of credits that this process recorded, once it is committed.

    Attributes:
        database: what is under it.
    """

    def __init__(
        self,
        address: PostgresAddress,
        *,
        schema: Sequence[str] = SCHEMA,
        look_seconds: float = LOOK_SECONDS,
        moved: Callable[[CreditMovement], None] = lambda movement: None,
    ) -> None:
        where = str(address)
        self._moved = moved
        self._schema = schema
        self.database = Database(address.secret.get_secret_value(), where)
        self._rows = Rows(where, len(schema))
        self._feeds = Feeds()
        self._follower = Follower(
            self.database, self._rows, self._feeds, version=len(schema), where=where, look_seconds=look_seconds
        )
        self._following = Background(self._follower.run)

    @property
    def learns_by(self) -> Literal["listen", "look"]:
        """How changes are learned of: "listen" while the database notifies this server, else "look"."""
        return self._follower.learns_by

    async def __aenter__(self) -> Self:
        await self.database.open()
        try:
            revision = await self.database.read(lambda db: revision_if_current(db, self._schema))
            if revision is None:
                revision = await self.database.write(lambda db: migrate(db, self._schema), patience=MIGRATION_PATIENCE)
            await self._follower.start_after(revision)
        except BaseException:
            await self.database.close()
            raise
        await self._following.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._following.stop(kind, error, trace)
        finally:
            await self.database.close()

    async def begin(self, entry: Entry, *, now: float, limits: Limits, repeat_seconds: float) -> BeginResult:
        """Writes a request down before it is sent, or returns the entry that answers it. Raises SpendLimit."""
        values = {
            "id": entry.id,
            "api": entry.api,
            "principal": entry.principal,
            "fingerprint": entry.fingerprint,
            "repeat_of": entry.repeat_of,
            "after": now - repeat_seconds,
        }

        async def write(db: Db) -> BeginResult:
            # Counted and reserved while nobody else begins, so that parallel calls cannot pass the limit together.
            await ask(db, "one_at_a_time", {"api": entry.api})
            # The id too: a confirmation that is replayed carries the id of the intent that it once allowed.
            earlier = await self._rows.one(db, "begun_before", values)
            if earlier is not None:
                if (earlier.api, earlier.principal) != (entry.api, entry.principal):
                    raise another_accounts_confirmation()
                return BeginResult(earlier, fresh=False)
            await spending.hold_limits(db, entry.api, entry.principal, entry.credits, limits, now)
            return BeginResult(await self._rows.insert(db, entry), fresh=True)

        begun = await self.database.write_in_turn(write)
        if begun.fresh:
            report(self._moved, None, begun.entry)
        return begun

    async def find_repeat(
        self, account: Account, fingerprint: str, *, repeat_of: str | None, now: float, repeat_seconds: float
    ) -> Entry | None:
        """The entry that `begin` would return for this fingerprint; changes nothing."""
        values = {
            "id": None,
            "api": account.api,
            "principal": account.principal,
            "fingerprint": fingerprint,
            "repeat_of": repeat_of,
            "after": now - repeat_seconds,
        }
        return await self.database.read(lambda db: self._rows.one(db, "begun_before", values))

    async def record(self, entry_id: str, change: Change, *, now: float) -> Entry | None:
        """Records a change; the new entry, or None if nothing changed. Raises UpstreamIdTaken."""

        async def always(_db: Db) -> bool:
            return True

        return await self._record(entry_id, change, now, always)

    async def record_leased(self, lease: Lease, change: Change, *, now: float) -> Entry | None:
        """As `record`, but None too once another worker has the lease. Raises UpstreamIdTaken."""
        return await self._record(lease.entry.id, change, now, lambda db: leases.holds(db, lease))

    async def _record(
        self, entry_id: str, change: Change, now: float, counts: Callable[[Db], Awaitable[bool]]
    ) -> Entry | None:
        change = storable(change)

        async def news(db: Db, name: str) -> tuple[Entry, Entry] | None:
            old = await self._rows.one(db, name, {"id": entry_id})
            new = apply(old, change, now) if old is not None else None
            return (old, new) if old is not None and new is not None else None

        async def write(db: Db) -> tuple[Entry, Entry] | None:
            # Looked at again, and locked: another server may have come first.
            found = await news(db, "by_id_for_update") if await counts(db) else None
            if found is None:
                return None
            old, new = found
            if new.upstream_id is not None and old.upstream_id is None:
                owner = await _owner(db, new.api, new.upstream_id)
                if owner is not None:
                    raise UpstreamIdTaken(owner[0])
            return old, await self._rows.put(db, old, new)

        # Most answers say what is known already; those lock nothing.
        if await self.database.read(lambda db: news(db, "by_id")) is None:
            return None
        written = await self.database.write(write)
        if written is None:
            return None
        report(self._moved, *written)
        return written[1]

    async def adopt(self, account: Account, entry: Entry) -> Entry | None:
        """Takes in a task made elsewhere, or returns its entry; None if it belongs to another principal."""
        if entry.upstream_id is None or not entry.belongs_to(account):
            raise ValueError("What is adopted belongs to the account, and its API id is known.")
        upstream_id = text(entry.upstream_id)

        async def write(db: Db) -> tuple[Entry | None, bool]:
            owner = await _owner(db, account.api, upstream_id)
            if owner is None:
                return await self._rows.insert(db, entry), True
            if owner[1:] != (account.api, account.principal):
                return None, False
            return await self._rows.one(db, "by_id", {"id": owner[0]}), False

        adopted, fresh = await self.database.write(write)
        if adopted is not None and fresh:
            report(self._moved, None, adopted)
        return adopted

    async def get(self, account: Account, task_id: str) -> Entry | None:
        """The account's entry with this own id or API id, or None."""
        return await self._either(account, task_id, "own_by_id", "own_by_upstream_id")

    async def find_elsewhere(self, account: Account, task_id: str) -> Entry | None:
        """The same principal's entry with this id at another API, or None."""
        return await self._either(account, task_id, "elsewhere_by_id", "elsewhere_by_upstream_id")

    async def _either(self, account: Account, task_id: str, by_id: str, by_upstream_id: str) -> Entry | None:
        wanted = text(task_id)
        values = {"id": wanted, "key": upstream_key(wanted), "api": account.api, "principal": account.principal}

        async def read(db: Db) -> Entry | None:
            return await self._rows.one(db, by_id, values) or await self._rows.one(db, by_upstream_id, values)

        return await self.database.read(read)

    async def find(self, entry_id: str) -> Entry | None:
        """The entry with this own id, of any account, or None."""
        return await self.database.read(lambda db: self._rows.one(db, "by_id", {"id": text(entry_id)}))

    async def list(
        self, account: Account, *, status: Status | None = None, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """A page of the account's entries, newest first. Raises WrongCursor."""
        scope = {"api": account.api, "principal": account.principal}

        async def read(db: Db) -> Page:
            # A page is whatever lies behind one entry, and a cursor is that entry's id: no number to make up.
            start: tuple[float, str] = (math.inf, "")
            if cursor is not None:
                row = await ask_one(db, "place", {"id": text(cursor), **scope})
                if row is None:
                    raise WrongCursor
                start = (row[0], row[1])
            values = {"created_at": start[0], "id": start[1], "status": status and status.value, **scope}
            found = await self._rows.some(db, "list" if status is None else "list_by_status", values, limit + 1)
            page = tuple(found[:limit])
            return Page(page, page[-1].id if page and len(found) > limit else None)

        return await self.database.read(read)

    async def spent(self, account: Account, *, now: float) -> Spent:
        """The credits of the last 24 h: of this API, and of this account alone."""
        return await self.database.read(lambda db: spending.spent(db, account.api, account.principal, now))

    async def check_limits(self, account: Account, credits: int, *, limits: Limits, now: float) -> None:
        """Raises SpendLimit if the limits do not cover these credits now; reserves nothing."""
        await self.database.read(
            lambda db: spending.hold_limits(db, account.api, account.principal, credits, limits, now)
        )

    async def lease(
        self, *, api: str, principals: Sequence[str] | None, worker_id: str, now: float, seconds: float, limit: int
    ) -> Sequence[Lease]:
        """Due entries of `api`, leased to this worker for so many seconds."""
        if not await self.database.read(lambda db: leases.anything_due(db, api)):
            return []
        return await self.database.write(
            lambda db: leases.lease(
                db, self._rows, api=api, principals=principals, worker_id=worker_id, seconds=seconds, limit=limit
            )
        )

    async def release(self, lease: Lease, *, next_poll_at: float, asked: bool) -> None:
        """Gives a lease back; the entry is due again at `next_poll_at`."""
        values = {
            "id": lease.entry.id,
            "fence": lease.fence,
            "next_poll_at": moment(next_poll_at),
            "asked": int(asked),
        }
        await self._change("release", values)

    async def release_all(self, worker_id: str) -> None:
        """Gives back every lease of this worker; its entries and files are due at once."""
        for name in ("release_all", "release_all_files"):
            await self._change(name, {"worker_id": worker_id})

    async def poll_no_later_than(self, entry_id: str, at: float) -> None:
        """Makes an entry due at this time, unless it is due sooner."""
        values = {"id": entry_id, "at": moment(at)}
        if await self.database.read(lambda db: ask_one(db, "due_later_than", values)) is not None:
            await self._change("poll_no_later_than", values)

    async def expire_submissions(self, now: float) -> Sequence[Entry]:
        """Turns sends whose deadline has passed into `unknown`; returns those entries."""
        # One that a later clock began has a deadline of that clock. If its process lives after all, its answer
        # still counts.
        values = {"now": now, "ahead": now + leases.CLOCK_SLACK}

        async def write(db: Db) -> Sequence[tuple[Entry, Entry]]:
            overdue = await self._rows.some(db, "overdue_submissions", values, MOST_AT_ONCE)
            pairs = [(old, apply(old, SENDER_LOST, now)) for old in overdue]
            return [(old, await self._rows.put(db, old, new)) for old, new in pairs if new is not None]

        row = await self.database.read(lambda db: ask_one(db, "any_overdue_submission", values))
        if row is None or not row[0]:
            return []
        lost = await self.database.write(write)
        for old, new in lost:
            report(self._moved, old, new)
        return [new for _, new in lost]

    async def durations(self, api: str, mode: str | None) -> Sequence[float]:
        """How long the latest completed tasks of this API took, in seconds."""
        values = {"api": api, "mode": None if mode is None else text(mode)}
        return [float(row[0]) for row in await self.database.read(lambda db: ask(db, "durations", values))]

    async def failures_in_a_row(self, account: Account, fingerprint: str) -> int:
        """How many of the latest identical requests failed in a row; at most 10 are counted."""
        values = {"api": account.api, "principal": account.principal, "fingerprint": fingerprint}
        ends = [row[0] for row in await self.database.read(lambda db: ask(db, "latest_ends", values))]
        return failures_up_to_a_success(ends)

    async def quote(self, account: Account, fingerprint: str, credits: int, *, now: float) -> None:
        """Records that this price was quoted for this request; forgets quotes older than a day."""
        values = {"api": account.api, "principal": account.principal, "fingerprint": fingerprint, "credits": credits}

        async def write(db: Db) -> None:
            await ask(db, "forget_old_quotes", {"before": now - DAY})
            await ask(db, "quote", {**values, "now": now})

        await self.database.write(write)

    async def take_quote(self, account: Account, fingerprint: str, credits: int, *, after: float) -> bool:
        """Whether this price was quoted for this request later than `after`; uses the quote up."""
        values = {"api": account.api, "principal": account.principal, "fingerprint": fingerprint, "credits": credits}
        return await self.database.write(lambda db: ask_one(db, "take_quote", {**values, "after": after})) is not None

    async def lease_files(
        self, *, api: str, worker_id: str, now: float, seconds: float, limit: int, save: bool
    ) -> Sequence[Lease]:
        """Entries whose finished file is due, leased to this worker for so many seconds."""
        if not await self.database.read(lambda db: leases.files_due(db, self._rows, api=api, limit=1, save=save)):
            return []
        return await self.database.write(
            lambda db: leases.lease_files(
                db, self._rows, api=api, worker_id=worker_id, seconds=seconds, limit=limit, save=save
            )
        )

    async def keep_file(self, lease: Lease, *, now: float, seconds: float) -> bool:
        """Prolongs the lease of a file; False if another worker has it."""
        return await self.database.write(lambda db: leases.keep_file(db, lease, seconds))

    async def record_file(self, lease: Lease, news: FileNews, *, now: float) -> Entry | None:
        """Records what became of a leased file; None if the lease was lost or nothing changed."""
        return await self.database.write(lambda db: leases.record_file(db, self._rows, lease, news, now))

    async def note_uploads(self, entry_id: str, addresses: Sequence[str], *, now: float) -> None:
        """Records pictures that are about to be uploaded for this entry."""

        async def write(db: Db) -> None:
            for address in addresses:
                await ask(db, "note_upload", {"address": address, "entry_id": entry_id, "now": moment(now)})

        await self.database.write(write)

    async def uploads_over(self, *, now: float, expired: float, limit: int) -> Sequence[Upload]:
        """Pictures to delete now: their entry has ended, or they were uploaded before `expired`."""
        values = {"now": now, "expired": expired, "limit": limit}
        return [Upload(*row) for row in await self.database.read(lambda db: ask(db, "uploads_over", values))]

    async def postpone_upload(self, address: str, *, due_at: float) -> None:
        """Records that deleting a picture failed, and when to try again."""
        await self._change("postpone_upload", {"address": address, "due_at": moment(due_at)})

    async def forget_upload(self, address: str) -> None:
        """Deletes the record of a picture."""
        await self._change("forget_upload", {"address": address})

    async def value(self, name: str) -> str | None:
        """The value kept under this name, or None."""
        return await self.database.read(lambda db: _value(db, name))

    async def get_or_set(self, name: str, value: str) -> str:
        """Keeps a value under a name unless there is one; returns the one that is there afterwards."""

        async def write(db: Db) -> str:
            # Waits for another process that is setting it; then its value is there.
            await ask(db, "set_named_value", {"name": name, "value": value})
            return await _value(db, name) or value

        return await self.value(name) or await self.database.write(write)

    async def not_before(self, api: str, principal: str) -> float:
        """The end of the account's pause in Unix seconds; 0 if there is none."""
        values = {"api": api, "principal": principal}
        row = await self.database.read(lambda db: ask_one(db, "not_before", values))
        return float(row[0]) if row is not None else 0.0

    async def set_not_before(self, api: str, principal: str, at: float) -> None:
        """Sets the end of the account's pause; one in the past ends it."""
        await self._change("set_not_before", {"api": api, "principal": principal, "at": moment(at)})

    async def take_turn(self, api: str, principal: str, *, now: float, seconds: float) -> float:
        """Takes the account's next turn to ask the API; how many seconds away it is."""
        values = {"api": api, "principal": principal, "seconds": seconds, "most": LONGEST_QUEUE}
        row = await self.database.write(lambda db: ask_one(db, "take_turn", values))
        return float(row[0]) if row is not None else 0.0

    async def movements(self, *, since: float = 0.0, limit: int = 100) -> Sequence[CreditMovement]:
        """The credit movements since then, of all accounts, newest first."""
        rows = await self.database.read(lambda db: ask(db, "movements", {"since": since, "limit": limit}))
        return [from_row(tuple(row)) for row in rows]

    async def check_writable(self) -> None:
        """Raises JournalUnusable if a change could not be written now; changes nothing."""

        async def write(db: Db) -> None:
            if await ask_one(db, "next_revision", {"known": len(self._schema)}) is None:
                raise NewerSchemaError
            raise _TakenBackError

        with suppress(_TakenBackError):
            await self.database.write(write)

    def changes(self, entry_id: str | None = None) -> AbstractAsyncContextManager[Feed]:
        """A feed of every changed entry, or of this one; closed when the context is left."""
        return self._feeds.feed(entry_id)

    async def _change(self, name: str, values: dict[str, Any]) -> None:
        """Runs one statement that announces nothing."""
        await self.database.write(lambda db: ask(db, name, values))


class _TakenBackError(Exception):
    """Rolls a transaction back."""


async def _value(db: Db, name: str) -> str | None:
    row = await ask_one(db, "named_value", {"name": name})
    return None if row is None else str(row[0])


async def _owner(db: Db, api: str, upstream_id: str) -> tuple[str, str, str] | None:
    """Own id, API and principal of the entry that has this API id."""
    row = await ask_one(db, "upstream_id_owner", {"api": api, "key": upstream_key(upstream_id)})
    return (row[0], row[1], row[2]) if row is not None else None
