"""Entries as rows of SQLite: how they are written, numbered and read. Knows no transaction of its own.

Used inside the store's transactions. Every write takes the next number of the journal's one counter. A row that this
version does not understand (a newer one may share the file) is told from one that it does, and never ends a list.
"""

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, get_args

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Charged, Entry, Status
from veo_mcp.journal.sqlite.queries import FIELDS, QUERIES
from veo_mcp.journal.storable import storable

__all__ = ["Rows"]

log = logging.getLogger(__name__)

INSERT = (
    f"INSERT INTO entries ({', '.join(FIELDS)}, scheduled_at)"  # noqa: S608 - our own field names
    f" VALUES ({', '.join(f':{name}' for name in FIELDS)}, :updated_at)"
)
NEVER_CHANGE = frozenset({"id", "api", "principal", "created_seq"})
Row = tuple[Any, ...]
ID, REVISION = FIELDS.index("id"), FIELDS.index("revision")
KINDS = frozenset({"create", "extend"})
CHARGED = frozenset(get_args(Charged))
MOST_NAMED = 1000
"""How many rows that nobody here understands are each logged; more come in silence."""


class Rows:
    """Reads and writes entries; remembers which rows it could not read, so that each is logged once."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._logged: set[str] = set()

    def one(self, db: sqlite3.Connection, query: str, values: Mapping[str, Any]) -> Entry | None:
        """The first entry that a named query finds. Raises JournalUnusable for a row that is not understood."""
        with closing(_cursor(db, query, values)) as cursor:
            row = cursor.fetchone()
        if row is None:
            return None
        try:
            return _to_entry(row)
        except _NOT_UNDERSTOOD as reason:
            self._log(row[ID], reason)
            raise JournalUnusable(
                f"This task stands in the journal {self._where} in a state that this version of veo-mcp does not know"
                " (a newer one wrote it). Use the newer version, or update this one."
            ) from None

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
            for entry in self._understood(cursor):
                if len(found) == limit:
                    break
                if where is None or entry.principal in where:
                    found.append(entry)
        return found

    def all_since(self, db: sqlite3.Connection, revision: int) -> tuple[list[Entry], int]:
        """What changed after a revision, and the last revision, be it of a row that is not understood."""
        rows = _cursor(db, "changed", {"seen": revision}).fetchall()
        return list(self._understood(rows)), max((row[REVISION] for row in rows), default=revision)

    def insert(self, db: sqlite3.Connection, entry: Entry) -> Entry:
        """Writes a new entry, which is created with this change; the entry as written."""
        revision = _next(db)
        new = storable(replace(entry, revision=revision, created_seq=revision))
        db.execute(INSERT, _to_row(new))
        return new

    def put(self, db: sqlite3.Connection, old: Entry, new: Entry) -> Entry:
        """Writes the next state of an entry, as one more change; the entry as written."""
        new = storable(replace(new, revision=_next(db)))
        before, after = _to_row(old), _to_row(new)
        # Only what changed: SQLite writes anew each index over a column that is set, even to the value that it has.
        changed = [name for name in FIELDS if name not in NEVER_CHANGE and before[name] != after[name]]
        if new.next_poll_at != old.next_poll_at:
            changed.append("scheduled_at")
            after["scheduled_at"] = new.updated_at
        db.execute(f"UPDATE entries SET {', '.join(f'{name} = :{name}' for name in changed)} WHERE id = :id", after)  # noqa: S608 - our own column names
        return new

    def _understood(self, rows: Iterable[Row]) -> Iterator[Entry]:
        for row in rows:
            try:
                yield _to_entry(row)
            except _NOT_UNDERSTOOD as reason:
                self._log(row[ID], reason)

    def _log(self, entry_id: str, reason: Exception) -> None:
        if entry_id not in self._logged and len(self._logged) < MOST_NAMED:
            self._logged.add(entry_id)
            log.warning(
                "The journal %s holds a task that this version does not understand (%s: %r). It is left as it is, and"
                " not listed; a newer veo-mcp shows it.",
                self._where,
                entry_id,
                reason,
            )


_NOT_UNDERSTOOD = (ValueError, TypeError, RecursionError)


def _cursor(db: sqlite3.Connection, query: str, values: Mapping[str, Any]) -> sqlite3.Cursor:
    return db.execute(QUERIES[query], values)


def _next(db: sqlite3.Connection) -> int:
    return int(db.execute(QUERIES["next_revision"]).fetchone()[0])


def _to_row(entry: Entry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in FIELDS}
    values["video_urls"] = json.dumps(entry.video_urls)
    values["status"] = entry.status.value
    values["estimated"] = int(entry.estimated)
    values["save_wanted"] = int(entry.save_wanted)
    return values


def _to_entry(row: Row) -> Entry:
    """The entry in a row. Raises one of _NOT_UNDERSTOOD."""
    values = dict(zip(FIELDS, row, strict=True))
    urls = json.loads(values["video_urls"])
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError("video_urls is no list of texts")
    if values["kind"] not in KINDS or values["charged"] not in CHARGED:
        raise ValueError(f"kind {values['kind']!r}, charged {values['charged']!r}")
    values["video_urls"] = tuple(urls)  # pyright: ignore[reportUnknownArgumentType]
    values["status"] = Status(values["status"])
    values["estimated"] = bool(values["estimated"])
    values["save_wanted"] = bool(values["save_wanted"])
    # Another version, or a disk, may have left an infinite number there, which nobody could show.
    return storable(Entry(**values))
