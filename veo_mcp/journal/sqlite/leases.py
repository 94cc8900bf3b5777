"""Which entries are due, and who asks about them. Runs inside the store's transactions.

SQLite has no clock of its own: `now` is the caller's. Whatever was scheduled by a clock that has been set back since
counts as due, leases included; the fence keeps out the answer of the worker that held such a lease.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from veo_mcp.journal.entry import Entry
from veo_mcp.journal.journal import Lease
from veo_mcp.journal.sqlite.queries import QUERIES
from veo_mcp.journal.sqlite.rows import Rows

__all__ = ["CLOCK_SLACK", "due", "holds", "lease"]

CLOCK_SLACK = 5.0
"""How far two processes' looks at the same clock may lie apart; more means that it was set back."""
LONGEST_WAIT = 2 * 3600.0
"""A task of any age is asked about hourly; one that is due later than this was given back by a clock that was ahead."""


def due(
    db: sqlite3.Connection, rows: Rows, *, api: str, principals: Sequence[str] | None, now: float, limit: int
) -> list[Entry]:
    """The entries that may be asked about now, most overdue first."""
    where = None if principals is None else frozenset(principals)
    found: dict[str, Entry] = {}
    for query, value in (
        ("scheduled_by_a_later_clock", {"ahead": now + CLOCK_SLACK}),
        ("due_after_longer_than_any_wait", {"latest": now + LONGEST_WAIT, "now": now}),
    ):
        found |= {entry.id: entry for entry in rows.some(db, query, {"api": api, **value}, limit, where=where)}
    scopes: list[tuple[str, Mapping[str, Any]]] = [("due", {"api": api, "now": now})]
    if principals is not None:
        scopes = [("due_by_principal", {"api": api, "now": now, "principal": name}) for name in principals]
    late: list[Entry] = []
    for query, values in scopes:
        late += rows.some(db, query, values, limit)
    for entry in sorted(late, key=lambda entry: entry.next_poll_at):
        found.setdefault(entry.id, entry)
    return list(found.values())[:limit]


def lease(db: sqlite3.Connection, entry: Entry, *, worker_id: str, now: float, seconds: float) -> Lease:
    """Notes that the worker has it."""
    values = {"id": entry.id, "worker_id": worker_id, "now": now, "until": now + seconds}
    return Lease(entry, int(db.execute(QUERIES["lease"], values).fetchone()[0]))


def holds(db: sqlite3.Connection, held: Lease) -> bool:
    """Whether the lease was neither given back nor, after it had run out, taken over."""
    values = {"id": held.entry.id, "fence": held.fence}
    return db.execute(QUERIES["lease_is_held"], values).fetchone() is not None
