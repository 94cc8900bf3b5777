"""Which entries and files are due, and who deals with them. Runs inside the store's transactions.

Leases count by the database's clock, which all servers share; theirs may differ. Should it be set back, whatever it had
scheduled counts as due, leases included; the fence keeps out the answer of the worker that held such a lease.
"""

from collections.abc import Sequence
from typing import Any

from veo_mcp.journal.entry import Entry, FileNews, apply_file
from veo_mcp.journal.journal import Lease
from veo_mcp.journal.postgres.queries import Db, ask, ask_one
from veo_mcp.journal.postgres.rows import Rows

__all__ = ["CLOCK_SLACK", "anything_due", "files_due", "holds", "keep_file", "lease", "lease_files", "record_file"]

CLOCK_SLACK = 5.0
"""How far a moment may lie ahead before its clock counts as one that was set back."""
LONGEST_WAIT = 2 * 3600.0
"""A task of any age is asked about hourly; one that is due later than this was given back by a clock that was ahead."""
LONGEST_GAP = 3600.0
"""No try of a file waits longer for the next one."""


async def anything_due(db: Db, api: str) -> bool:
    """Whether `lease` would find anything for any worker."""
    row = await ask_one(db, "anything_due", {"api": api, "slack": CLOCK_SLACK, "longest": LONGEST_WAIT})
    return row is not None and bool(row[0])


async def lease(
    db: Db,
    rows: Rows,
    *,
    api: str,
    principals: Sequence[str] | None,
    worker_id: str,
    seconds: float,
    limit: int,
) -> Sequence[Lease]:
    """The entries that may be asked about now, most overdue first; from now on the worker has them."""
    now = await _now(db)
    names = None if principals is None else list(principals)
    values: dict[str, Any] = {
        "api": api,
        "principals": names,
        "now": now,
        "ahead": now + CLOCK_SLACK,
        "latest": now + LONGEST_WAIT,
    }
    found: dict[str, Entry] = {}
    for name in ("scheduled_by_a_later_clock", "due_after_longer_than_any_wait", "due"):
        name = "due_by_principal" if name == "due" and names is not None else name
        for entry in await rows.some(db, name, values, limit):
            found.setdefault(entry.id, entry)
    due = list(found.values())[:limit]
    taken = {"ids": [entry.id for entry in due], "worker_id": worker_id, "now": now, "until": now + seconds}
    fences = {row[0]: row[1] for row in await ask(db, "lease", taken)}
    return [Lease(entry, fences[entry.id]) for entry in due]


async def holds(db: Db, held: Lease) -> bool:
    """Whether the lease was neither given back nor, after it had run out, taken over."""
    return await ask_one(db, "lease_is_held", {"id": held.entry.id, "fence": held.fence}) is not None


async def files_due(db: Db, rows: Rows, *, api: str, limit: int, save: bool, take: bool = False) -> list[Entry]:
    """The entries whose file is due and that nobody deals with; those to be saved only with `save`."""
    values = {"api": api, "save": save, "longest": 2 * LONGEST_GAP}
    return await rows.some(db, "file_due_for_update" if take else "file_due", values, limit)


async def lease_files(
    db: Db, rows: Rows, *, api: str, worker_id: str, seconds: float, limit: int, save: bool
) -> Sequence[Lease]:
    """These entries; from now on the worker deals with their files."""
    due = await files_due(db, rows, api=api, limit=limit, save=save, take=True)
    values = {"ids": [entry.id for entry in due], "worker_id": worker_id, "seconds": min(seconds, LONGEST_GAP)}
    fences = {row[0]: row[1] for row in await ask(db, "lease_file", values)}
    return [Lease(entry, fences[entry.id]) for entry in due]


async def keep_file(db: Db, held: Lease, seconds: float) -> bool:
    """Notes that the worker goes on dealing with it, if it still does."""
    values = {"id": held.entry.id, "fence": held.fence, "seconds": min(seconds, LONGEST_GAP)}
    return await ask_one(db, "keep_file", values) is not None


async def record_file(db: Db, rows: Rows, held: Lease, news: FileNews, now: float) -> Entry | None:
    """Writes the news if the lease is still held, and gives it back."""
    if await ask_one(db, "release_file", {"id": held.entry.id, "fence": held.fence}) is None:
        return None
    old = await rows.one(db, "by_id_for_update", {"id": held.entry.id})
    new = apply_file(old, news, now) if old is not None else None
    return await rows.put(db, old, new) if old is not None and new is not None else None


async def _now(db: Db) -> float:
    row = await ask_one(db, "now", {})
    return float(row[0]) if row is not None else 0.0
