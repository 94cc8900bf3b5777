"""Brings the schema to this version: the numbered scripts of schema/, once, whichever of several servers comes first.

Called by store.py when it opens, in one transaction, behind a lock. A script only adds (tables, columns with a default,
indices), so that servers of the version before go on while it runs; one that cannot be had that way names, in its first
line, the version from which on servers may write (`-- works with: 7`), and older ones are refused from then on.
"""

import re
from collections.abc import Sequence

from veo_mcp.journal.postgres.queries import Db, ask_one
from veo_mcp.journal.postgres.rows import NewerSchemaError

__all__ = ["migrate", "revision_if_current"]

LONGEST_SECONDS = 600.0
"""An index over many rows takes its time."""
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('veo-mcp schema ' || current_schema(), 0))"
# Behind an ALTER TABLE that waits for a long backup, every other server waits too: it gives up soon, and is
# tried again by the caller.
_GENTLY = f"SET LOCAL lock_timeout = '500ms'; SET LOCAL statement_timeout = '{LONGEST_SECONDS:.0f}s'"
# A connection remembers that a table was not there, also when another server has made it while we waited for our turn;
# it learns of that when it begins to read a table, whichever.
_IS_EMPTY = "SELECT to_regclass('veo_counter') IS NULL FROM pg_class LIMIT 1"
_WORKS_WITH = re.compile(r"-- works with: ([0-9]+)")


async def revision_if_current(db: Db, scripts: Sequence[str]) -> int | None:
    """The last revision; None where scripts have yet to be run. Raises NewerSchemaError."""
    revision, version, works_with = await _state(db)
    if works_with > len(scripts):
        raise NewerSchemaError
    return revision if version >= len(scripts) else None


async def migrate(db: Db, scripts: Sequence[str]) -> int:
    """Runs the scripts that the database has not seen; the last revision. Raises NewerSchemaError."""
    await db.execute(_TAKE_TURNS)
    revision, version, works_with = await _state(db)
    if works_with > len(scripts):
        raise NewerSchemaError
    if version < len(scripts):
        await db.execute(_GENTLY)
        for script in scripts[version:]:
            await db.execute(script, timeout=LONGEST_SECONDS)
            named = _WORKS_WITH.match(script)
            works_with = max(works_with, int(named[1]) if named else 1)
        await db.execute(
            f"UPDATE veo_counter SET version = {len(scripts):d}, works_with = {works_with:d}"  # noqa: S608 - numbers
        )
    return revision


async def _state(db: Db) -> tuple[int, int, int]:
    """Revision, version and the version from which on servers may write; zeros in an empty database."""
    if await db.fetchval(_IS_EMPTY):
        return 0, 0, 0
    row = await ask_one(db, "state", {})
    return (0, 0, 0) if row is None else (row[0], row[1], row[2])
