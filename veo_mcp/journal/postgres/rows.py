"""Entries as rows of PostgreSQL: how they are written, numbered and read. Knows no transaction of its own.

Used inside the store's transactions. Every write takes the next number of the journal's one counter, and so waits for
the transaction that has the one before: a number can be read only after every smaller one.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from veo_mcp.journal.entry import Entry
from veo_mcp.journal.postgres.queries import QUERIES, Db, Query, ask, ask_one, query
from veo_mcp.journal.sanitize import storable
from veo_mcp.journal.store_common import FIELDS, Understanding, to_row

__all__ = ["NewerSchemaError", "Rows", "upstream_key"]

NUMBERED = ("revision", "created_seq")
NEVER_CHANGE = frozenset({"id", "api", "principal", "created_seq", "revision"})
REVISION = FIELDS.index("revision")
LONGEST_KEY = 500
"""Bytes of an API's id that are its own key; an index takes no more than 2,700."""
_WRITTEN = [name for name in FIELDS if name not in NUMBERED] + ["upstream_key"]
_NEXT = f"WITH next AS ({QUERIES['next_revision'].sql.replace('$1', ':known')})"
_ENTRY = ", ".join(f"veo_entries.{name}" for name in FIELDS)
INSERT = query(
    f"{_NEXT} INSERT INTO veo_entries ({', '.join(_WRITTEN)}, scheduled_at, revision, created_seq)"  # noqa: S608 - our own names
    f" SELECT {', '.join(f':{name}' for name in _WRITTEN)}, veo_now(), next.revision, next.revision FROM next"
    f" RETURNING {_ENTRY}"
)


class NewerSchemaError(Exception):
    """A newer version has moved the schema on to where this one must not write."""


def upstream_key(upstream_id: str) -> str:
    """What an API's id is looked for by: itself, or its hash where it is too long for an index."""
    data = upstream_id.encode()
    return upstream_id if len(data) <= LONGEST_KEY else f"sha256:{hashlib.sha256(data).hexdigest()}"


class Rows:
    """Reads and writes entries, past rows that are not understood.

    Args:
        where: the store, as a person may see it.
        version: of the schema that this process knows.
    """

    def __init__(self, where: str, version: int) -> None:
        self._understanding = Understanding(where)
        self._version = version

    async def one(self, db: Db, name: str, values: Mapping[str, Any]) -> Entry | None:
        """The first entry that a named query finds. Raises JournalUnusable for a row that is not understood."""
        return self._understanding.one(await ask_one(db, name, values))

    async def some(self, db: Db, name: str, values: Mapping[str, Any], limit: int) -> list[Entry]:
        """The first entries that a named query finds, past those that are not understood."""
        found: list[Entry] = []
        wanted = QUERIES[name]
        # By a cursor: how many rows it takes is known only once they are read.
        async for row in db.cursor(wanted.sql, *wanted.arguments(values), prefetch=max(limit, 1)):
            entry = self._understanding.passing(row)
            if entry is not None:
                found.append(entry)
            if len(found) >= limit:
                break
        return found

    async def all_since(self, db: Db, revision: int) -> tuple[list[Entry], int]:
        """What changed after a revision, and the last revision, be it of a row that is not understood."""
        rows = await ask(db, "changed", {"seen": revision})
        return list(self._understanding.all(rows)), max((row[REVISION] for row in rows), default=revision)

    async def insert(self, db: Db, entry: Entry) -> Entry:
        """Writes a new entry, which is created with this change; the entry as written."""
        return await self._write(db, INSERT, _columns(storable(entry)))

    async def put(self, db: Db, old: Entry, new: Entry) -> Entry:
        """Writes the next state of an entry, as one more change; the entry as written."""
        before, after = _columns(old), _columns(storable(new))
        # Only what changed: a row of which no indexed column is set leaves the indices alone.
        changed = [name for name in _WRITTEN if name not in NEVER_CHANGE and before[name] != after[name]]
        values = ["revision = next.revision", *(f"{name} = :{name}" for name in changed)]
        if "next_poll_at" in changed:
            values.append("scheduled_at = veo_now()")
        update = query(
            f"{_NEXT} UPDATE veo_entries SET {', '.join(values)} FROM next WHERE id = :id RETURNING {_ENTRY}"  # noqa: S608 - our own names
        )
        return await self._write(db, update, after)

    async def _write(self, db: Db, statement: Query, values: Mapping[str, Any]) -> Entry:
        row = await db.fetchrow(statement.sql, *statement.arguments({**values, "known": self._version}))
        if row is None:
            raise NewerSchemaError
        return self._understanding.sure(row)


def _columns(entry: Entry) -> dict[str, Any]:
    values = to_row(entry)
    values["upstream_key"] = None if entry.upstream_id is None else upstream_key(entry.upstream_id)
    return values
