"""Brings the schema to this version: the numbered scripts of schema/, once, whichever of several servers comes first.

Called by store.py when it opens, in one transaction, behind a lock. A script only adds (tables, columns with a default,
indices), so that servers of the version before go on while it runs; one that cannot be had that way names, in its first
line, the version from which on servers may write (`-- works with: 7`), and older ones are refused from then on.
"""

import re
from collections.abc import Sequence

from veo_mcp.journal.postgres.queries import Db, ask_one
from veo_mcp.journal.postgres.rows import NewerSchemaError

__all__ = ["migrate"]

LONGEST_SECONDS = 600.0
"""An index over many rows takes its time; a lock is not waited for: given up within 3 s, and tried again by the caller,
because whoever waits for one lets nobody else pass."""
_TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('veo-mcp schema ' || current_schema(), 0))"
_WORKS_WITH = re.compile(r"-- works with: ([0-9]+)")


async def migrate(db: Db, scripts: Sequence[str]) -> int:
    """Runs the scripts that the database has not seen; the last revision. Raises NewerSchemaError."""
    row = await _state(db)
    if row is None or row[1] < len(scripts):
        await db.execute(_TAKE_TURNS)
        row = await _state(db)
    revision, version, works_with = row or (0, 0, 0)
    if works_with > len(scripts):
        raise NewerSchemaError
    if version < len(scripts):
        await db.execute(f"SET LOCAL statement_timeout = {LONGEST_SECONDS * 1000:.0f}")
        for script in scripts[version:]:
            await db.execute(script, timeout=LONGEST_SECONDS)
            named = _WORKS_WITH.match(script)
            works_with = max(works_with, int(named[1]) if named else 1)
        await db.execute(
            f"UPDATE veo_counter SET version = {len(scripts):d}, works_with = {works_with:d}"  # noqa: S608 - numbers
        )
    return revision


async def _state(db: Db) -> tuple[int, int, int] | None:
    """Revision, version and the version from which on servers may write; None in an empty database."""
    if await db.fetchval("SELECT to_regclass('veo_counter') IS NULL"):
        return None
    row = await ask_one(db, "state", {})
    return None if row is None else (row[0], row[1], row[2])
