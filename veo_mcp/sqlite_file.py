"""One SQLite file: one connection, one worker thread, one whole transaction per hop, numbered migrations.

Used by the journal and by the sandbox's ledger, which know what is in it. Rollback journal with full sync, not WAL:
with two connections WAL can corrupt a database in the SQLite 3.40.1 that Debian 12 ships. Raises sqlite3.Error as is.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

__all__ = ["Closed", "NewerSchema", "SqliteFile"]

T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long a call waits for another program's transaction; ours take milliseconds."""
OPENING_SECONDS = 30.0
"""As above, while opening: another process may be moving the file over, which took 8 s with 100,000 rows."""


class Closed(Exception):
    """The file is not open (any more)."""


class NewerSchema(Exception):
    """The file was written by a version that knows more migrations than this one, maybe while this one had it open."""


class SqliteFile:
    """The file at `path`, made when it is not there. `open` first; `close` in the end.

    Args:
        path: the file.
        migrations: SQL scripts; `PRAGMA user_version` counts how many the file has seen.
        at_migration: called inside the transaction after each migration; the crash tests end the process there.
    """

    def __init__(
        self, path: Path, migrations: Sequence[str], *, at_migration: Callable[[], None] = lambda: None
    ) -> None:
        self._path = path
        self._migrations = migrations
        self._at_migration = at_migration
        self._limiter = anyio.CapacityLimiter(1)
        self._connection: sqlite3.Connection | None = None

    def open_now(self, first: Callable[[sqlite3.Connection], T]) -> T:
        """Opens and migrates, and runs `first` in the same transaction; blocks. Raises NewerSchema, OSError."""
        _private(self._path)
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=OPENING_SECONDS)
        try:
            db.execute("PRAGMA journal_mode = TRUNCATE")
            db.execute("PRAGMA synchronous = FULL")
            # The 2 MB that are usual do not hold the pages of one round of calls over 100,000 rows (166 MB).
            db.execute("PRAGMA cache_size = -8000")
            db.execute("BEGIN IMMEDIATE")
            version = _version(db)
            if version > len(self._migrations):
                raise NewerSchema
            for number, script in enumerate(self._migrations[version:], version + 1):
                for statement in _statements(script):
                    db.execute(statement)
                self._at_migration()
                db.execute(f"PRAGMA user_version = {number:d}")
            result = first(db)
            db.execute("COMMIT")
            db.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        except BaseException:
            db.close()
            raise
        self._connection = db
        return result

    async def open(self, first: Callable[[sqlite3.Connection], T]) -> T:
        """As `open_now`, on the worker thread."""
        return await anyio.to_thread.run_sync(self.open_now, first, limiter=self._limiter)

    async def write(self, transaction: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `transaction` inside BEGIN IMMEDIATE … COMMIT; whatever it raises rolls back."""

        def whole(db: sqlite3.Connection) -> T:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = transaction(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return result

        return await self.read(whole)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Runs `work` on the worker thread, without a transaction around it. Raises Closed."""

        def on_thread() -> T:
            if self._connection is None:
                raise Closed
            try:
                return work(self._connection)
            except sqlite3.Error:
                # An update of this program may have moved the file on meanwhile, and our columns are gone.
                if _version(self._connection) > len(self._migrations):
                    raise NewerSchema from None
                raise

        return await anyio.to_thread.run_sync(on_thread, limiter=self._limiter)

    def close_now(self) -> None:
        """Closes the file; blocks."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def close(self) -> None:
        """As `close_now`, on the worker thread, after what is under way there."""
        await anyio.to_thread.run_sync(self.close_now, limiter=self._limiter)


def _version(db: sqlite3.Connection) -> int:
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error:
        return 0


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's body holds semicolons, so splitting at them is not enough."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        # Without its semicolon the last one would be left out, and no error would say so.
        yield statement


def _private(path: Path) -> None:
    """Makes the file, and the folders that are missing, for this user alone: prompts and secrets lie in it.

    Whatever the umask. SQLite gives its journal file beside it the same mode.
    """
    for folder in reversed([path.parent, *path.parent.parents]):
        if not folder.exists():
            # Another process may be making the same folder: then it is its folder, and private too.
            with suppress(FileExistsError):
                folder.mkdir(0o700)
                folder.chmod(0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode & 0o777
        if mode != 0o600 and hasattr(os, "fchmod"):
            # Also one that an older version left readable by all users. Its owner alone may change that.
            with suppress(PermissionError):
                os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
