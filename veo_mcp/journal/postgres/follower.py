"""Announces to the feeds of a PostgreSQL journal what changed, whichever server changed it, after it can be read.

Run by store.py, on a connection of its own. The database notifies with each commit; a look every 0.7 s besides finds
what a notification did not bring: connections die silently, and a pooler that hands them out by the transaction
delivers none at all. There it looks only.
"""

import logging
from typing import Any, Literal

import anyio

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.feed import Feeds
from veo_mcp.journal.postgres.database import Database
from veo_mcp.journal.postgres.error_messages import TROUBLE, unusable
from veo_mcp.journal.postgres.queries import QUERIES, Db
from veo_mcp.journal.postgres.rows import NewerSchemaError, Rows

__all__ = ["LOOK_SECONDS", "Follower"]

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.7
"""With ALIVE_SECONDS, a connection that died silently is found within 1.5 s."""
ALIVE_SECONDS = 0.8
"""A question for one number that takes longer has lost its connection."""
AGAIN_SECONDS = 0.2
TRY_LISTENING_SECONDS = 1.0
"""In which a notification that we send ourselves must arrive, or none ever does."""


class Follower:
    """Listens for changes, or looks for them, and announces them to the feeds.

    Args:
        database: where it listens and looks.
        rows: reads the entries.
        feeds: those to notify.
        version: of the schema that this process knows.
        where: the database, as a person may see it.
        look_seconds: between two looks.
    """

    learns_by: Literal["listen", "look"] = "look"

    def __init__(
        self, database: Database, rows: Rows, feeds: Feeds, *, version: int, where: str, look_seconds: float
    ) -> None:
        self._database = database
        self._rows = rows
        self._version = version
        self._where = where
        self._look_seconds = look_seconds
        self._channel = ""
        self._feeds = feeds
        self._in_trouble = False
        self._wake = anyio.Event()
        self._notification_came = anyio.Event()

    async def start_after(self, revision: int) -> None:
        """What changed up to here is older than every reader. Finds out whether listening works here."""
        self._feeds.last_seen = revision
        table = await self._database.read(lambda db: db.fetchval("SELECT 'veo_entries'::regclass::oid::text"))
        self._channel = f"veo_mcp_{table}"
        try:
            connection = await self._database.connect()
        except TROUBLE as error:
            raise unusable(self._where, error) from None
        try:
            with anyio.CancelScope(shield=True):
                await connection.add_listener(self._channel, self._notified)
                await self._database.read(lambda db: db.execute(f"NOTIFY {self._channel}"))
                with anyio.move_on_after(TRY_LISTENING_SECONDS):
                    await self._notification_came.wait()
        except TROUBLE as error:
            log.debug("The journal %s cannot be listened to (%s).", self._where, type(error).__name__)
        finally:
            connection.terminate()
        self.learns_by = "listen" if self._notification_came.is_set() else "look"

    async def run(self) -> None:
        """Follows the journal until cancelled; reconnects after a loss, and announces what was missed meanwhile."""
        follow = self._listen if self.learns_by == "listen" else self._look
        while True:
            try:
                await follow()
            except Exception as problem:
                # A boundary: calls that need the journal get the reason; here it is logged once.
                self._say(problem)
                await self._database.forget_connections()
            await anyio.sleep(AGAIN_SECONDS)

    async def _listen(self) -> None:
        connection = await self._database.connect()
        try:
            connection.add_termination_listener(self._notified)
            await connection.add_listener(self._channel, self._notified)
            while True:
                # Made before the look: what is committed while we read wakes us for one more.
                self._wake = anyio.Event()
                with anyio.CancelScope(shield=True):  # bounded by the connection's own time limits
                    await self._announce(connection, alive_within=ALIVE_SECONDS)
                self._in_trouble = False
                with anyio.move_on_after(self._look_seconds):
                    await self._wake.wait()
        finally:
            connection.terminate()

    async def _look(self) -> None:
        while True:
            await self._database.read(self._announce)
            self._in_trouble = False
            await anyio.sleep(self._look_seconds)

    async def _announce(self, db: Db, alive_within: float | None = None) -> None:
        """Notifies the feeds of every entry that changed since the last time."""
        revision, _version, works_with = await db.fetchrow(QUERIES["state"].sql, timeout=alive_within) or (0, 0, 0)
        if works_with > self._version:
            raise NewerSchemaError
        if revision == self._feeds.last_seen:
            return
        if revision < self._feeds.last_seen:
            # The database was put back to an earlier state: what comes from now on counts on from there.
            self._feeds.last_seen = revision
            return
        changed, last = await self._rows.all_since(db, self._feeds.last_seen)
        self._feeds.announce(changed, last)

    def _notified(self, *_what: Any) -> None:
        self._notification_came.set()
        self._wake.set()

    def _say(self, problem: Exception) -> None:
        if not self._in_trouble:
            known = isinstance(problem, (*TROUBLE, JournalUnusable))
            words = unusable(self._where, problem).explanation if known else "The feed of the journal failed."
            log.warning("%s", words, exc_info=None if known else problem)
        self._in_trouble = True
