"""Entries as rows of SQLite: how they are written, numbered and read. Knows no transaction of its own.

Used by store.py, inside its transactions. Every write takes the next number of the journal's one counter.
"""

import json
import math
import sqlite3
from dataclasses import fields, replace
from typing import Any

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.journal.errors import WrongCursor

__all__ = ["SELECT", "insert", "place", "put", "to_entry"]

CURSOR_LENGTH = 200
FIELDS = tuple(field.name for field in fields(Entry))
RENAMED = {"worker_id": "sender", "revision": "seq", "created_seq": "born"}
"""Columns that still have the name with which older versions made them."""
COLUMNS = tuple(RENAMED.get(name, name) for name in FIELDS)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM entries"  # noqa: S608 - our own column names
INSERT = f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
UPDATE = f"UPDATE entries SET {', '.join(f'{name} = ?' for name in COLUMNS)} WHERE id = ?"  # noqa: S608


def _next(db: sqlite3.Connection) -> int:
    return int(db.execute("UPDATE counter SET seq = seq + 1 RETURNING seq").fetchone()[0])


def place(cursor: str) -> tuple[float, str]:
    """The time and id that a page ended with. Raises WrongCursor."""
    moment, _, last = cursor.partition("~")
    try:
        created_at = float(moment) if len(cursor) <= CURSOR_LENGTH else math.nan
    except ValueError:
        created_at = math.nan
    if not math.isfinite(created_at) or not last or not last.isascii():
        raise WrongCursor
    return created_at, last


def insert(db: sqlite3.Connection, entry: Entry) -> Entry:
    """Writes a new entry, which is created with this change; the entry as written."""
    revision = _next(db)
    new = replace(entry, revision=revision, created_seq=revision)
    db.execute(INSERT, _to_row(new))
    return new


def put(db: sqlite3.Connection, entry: Entry) -> Entry:
    """Writes the next state of an entry, as one more change; the entry as written."""
    new = replace(entry, revision=_next(db))
    db.execute(UPDATE, (*_to_row(new), new.id))
    return new


def _to_row(entry: Entry) -> tuple[Any, ...]:
    values = {name: getattr(entry, name) for name in FIELDS}
    values["video_urls"] = json.dumps(entry.video_urls)
    values["status"] = entry.status.value
    values["estimated"] = int(entry.estimated)
    return tuple(values.values())


def to_entry(row: tuple[Any, ...]) -> Entry:
    """The entry in a row that `SELECT` gave."""
    values = dict(zip(FIELDS, row, strict=True))
    values["video_urls"] = tuple(json.loads(values["video_urls"]))
    values["status"] = Status(values["status"])
    values["estimated"] = bool(values["estimated"])
    return Entry(**values)
