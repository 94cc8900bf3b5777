"""Finished files that wait to be measured, saved or joined, and who has them. Runs inside the store's transactions.

A lease of its own, beside the one for asking the API: an entry is completed, and announced, before its file is touched.
"""

import sqlite3

from veo_mcp.journal.entry import Entry, FileNews, apply_file
from veo_mcp.journal.journal import Lease
from veo_mcp.journal.sqlite.queries import QUERIES
from veo_mcp.journal.sqlite.rows import Rows

__all__ = ["due", "keep", "lease", "record"]

LONGEST_GAP = 3600.0
"""No try waits longer for the next one; what is due later than that was set by another clock."""


def due(db: sqlite3.Connection, rows: Rows, *, api: str, now: float, limit: int, save: bool) -> list[Entry]:
    """The entries whose file is due and that nobody deals with; those to be saved only with `save`."""
    values = {"api": api, "now": now, "ahead": now + 2 * LONGEST_GAP, "save": save}
    return rows.some(db, "file_due", values, limit)


def lease(db: sqlite3.Connection, entry: Entry, *, worker_id: str, now: float, seconds: float) -> Lease:
    """Notes that the worker deals with it."""
    values = {"id": entry.id, "worker_id": worker_id, "until": now + min(seconds, LONGEST_GAP)}
    return Lease(entry, int(db.execute(QUERIES["lease_file"], values).fetchone()[0]))


def keep(db: sqlite3.Connection, held: Lease, *, now: float, seconds: float) -> bool:
    """Notes that the worker goes on dealing with it, if it still does."""
    values = {"id": held.entry.id, "fence": held.fence, "until": now + min(seconds, LONGEST_GAP)}
    return db.execute(QUERIES["keep_file"], values).rowcount == 1


def record(db: sqlite3.Connection, rows: Rows, held: Lease, news: FileNews, now: float) -> Entry | None:
    """Writes the news if the lease is still held, and gives it back."""
    values = {"id": held.entry.id, "fence": held.fence}
    if db.execute(QUERIES["file_lease_is_held"], values).fetchone() is None:
        return None
    db.execute(QUERIES["release_file"], values)
    old = rows.one(db, "by_id", {"id": held.entry.id})
    new = apply_file(old, news, now) if old is not None else None
    return rows.put(db, old, new) if old is not None and new is not None else None
