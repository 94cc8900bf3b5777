"""Entries as rows of SQLite: how they are written, numbered and read. Knows no transaction of its own.

Used inside the store's transactions. Every write takes the next number of the journal's one counter.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from veo_mcp.journal.entry import Entry
from veo_mcp.journal.sanitize import storable
from veo_mcp.journal.sqlite.queries import QUERIES
from veo_mcp.journal.store_common import FIELDS, Understanding, to_row

__all__ = ["Rows"]

INSERT = (
    f"INSERT INTO entries ({', '.join(FIELDS)}, scheduled_at)"  # noqa: S608 - our own field names
    f" VALUES ({', '.join(f':{name}' for name in FIELDS)}, :updated_at)"
)
NEVER_CHANGE = frozenset({"id", "api", "principal", "created_seq"})
REVISION = FIELDS.index("revision")


class Rows:
    """Reads and writes entries, past rows that are not understood; `where` names the file."""

    def __init__(self, where: str) -> None:
        self._understanding = Understanding(where)

    def one(self, db: sqlite3.Connection, query: str, values: Mapping[str, Any]) -> Entry | None:
        """The first entry that a named query finds. Raises JournalUnusable for a row that is not understood."""
        with closing(_cursor(db, query, values)) as cursor:
            return self._understanding.one(cursor.fetchone())

    def some(
        self,
        db: sqlite3.Connection,
        query: str,
        values: Mapping[str, Any],
        limit: int,
        *,
        where: frozenset[str] | None = None,
    ) -> list[Entry]:
        """The first entries that a named query finds (of these principals), past those that are not understood."""
        found: list[Entry] = []
        # Closed at once: a query that is not read to its end would lock the file against every writer.
        with closing(_cursor(db, query, values)) as cursor:
            for entry in self._understanding.all(cursor):
                if len(found) == limit:
                    break
                if where is None or entry.principal in where:
                    found.append(entry)
        return found

    def all_since(self, db: sqlite3.Connection, revision: int) -> tuple[list[Entry], int]:
        """What changed after a revision, and the last revision, be it of a row that is not understood."""
        rows = _cursor(db, "changed", {"seen": revision}).fetchall()
        return list(self._understanding.all(rows)), max((row[REVISION] for row in rows), default=revision)

    def insert(self, db: sqlite3.Connection, entry: Entry) -> Entry:
        """Writes a new entry, which is created with this change; the entry as written."""
        revision = _next(db)
        new = storable(replace(entry, revision=revision, created_seq=revision))
        db.execute(INSERT, to_row(new))
        return new

    def put(self, db: sqlite3.Connection, old: Entry, new: Entry) -> Entry:
        """Writes the next state of an entry, as one more change; the entry as written."""
        new = storable(replace(new, revision=_next(db)))
        before, after = to_row(old), to_row(new)
        # Only what changed: SQLite rewrites each index over a column that is set, even to the value that it has.
        changed = [name for name in FIELDS if name not in NEVER_CHANGE and before[name] != after[name]]
        if new.next_poll_at != old.next_poll_at:
            changed.append("scheduled_at")
            after["scheduled_at"] = new.updated_at
        db.execute(f"UPDATE entries SET {', '.join(f'{name} = :{name}' for name in changed)} WHERE id = :id", after)  # noqa: S608 - our own column names
        return new


def _cursor(db: sqlite3.Connection, query: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    return db.execute(QUERIES[query], values)


def _next(db: sqlite3.Connection) -> int:
    return int(db.execute(QUERIES["next_revision"]).fetchone()[0])
