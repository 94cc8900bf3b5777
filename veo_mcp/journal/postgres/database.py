"""Transactions on a PostgreSQL database: over a pool, repeated when the connection is lost, and never half known.

Opened by store.py; knows nothing of entries. A transaction runs to its end whatever its caller does meanwhile, and is
bounded in time. Every statement stands inside BEGIN and COMMIT and is prepared for once only, so that a pooler that
hands out connections by the transaction (PgBouncer, Supavisor, RDS Proxy) may stand between.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import anyio
import asyncpg
from asyncpg import Connection, InterfaceError, InvalidParameterValueError, Record
from asyncpg.pool import Pool

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.postgres.error_messages import TROUBLE, lost, passing, unusable
from veo_mcp.journal.postgres.queries import Db

__all__ = ["Database"]

T = TypeVar("T")

CONNECTIONS = 8
"""Per server; a transaction takes milliseconds, and PostgreSQL's own default is 100 for all clients."""
IN_TURN = 2
"""Of those who wait for one another anyway: one that goes on and one that is next. If every connection waited for one
lock, nothing else would get one."""
CONNECT_SECONDS = 2.0
STATEMENT_SECONDS = 5.0
PATIENCE_SECONDS = 5.0
"""How long a lost connection is tried again before the call fails: a restart of PostgreSQL takes 1 to 3 s."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
# A server that stops in the middle of a transaction (a laptop's lid, a frozen container) would keep every other one
# waiting for the counter's row. Set for this transaction alone: a pooler's connections are shared.
_LIMITS = (
    "SET LOCAL statement_timeout = '4s'; SET LOCAL lock_timeout = '3s';"
    " SET LOCAL idle_in_transaction_session_timeout = '3s'"
)
_BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED; {_LIMITS}"
# What is paid for must outlive a power cut, also where a database was set up to answer before it has written.
_NUMBERED = (
    "SELECT pg_current_xact_id()::text, CASE WHEN current_setting('synchronous_commit') = 'off'"
    " THEN set_config('synchronous_commit', 'on', true) END"
)
_OTHERS = frozenset(
    {
        *("channel_binding", "connect_timeout", "tcp_user_timeout", "application_name", "client_encoding"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
        *("pgbouncer", "connection_limit", "pool_timeout"),
    }
)
"""Words of other libraries that providers put into the addresses they give out; asyncpg would send them to the server,
which refuses the connection. It binds to the channel by itself where it can."""


class Database:
    """One database; open() before use, close() at the end.

    Args:
        dsn: its address, with the password if it needs one.
        where: its address as a person may see it.
    """

    def __init__(self, dsn: str, where: str) -> None:
        self._dsn = _known_words(dsn)
        self._where = where
        self._pool: Pool[Record] | None = None
        self._slots = anyio.Semaphore(CONNECTIONS)
        self._turns = anyio.Semaphore(IN_TURN)
        self._gave_up = 0
        self._why = ""

    async def open(self) -> None:
        """Gets ready; connects only when there is something to do."""
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=CONNECTIONS,
                max_inactive_connection_lifetime=60.0,
                reset=_leave_it,
                **_OPTIONS,
            )
        except (*TROUBLE, ValueError) as error:
            raise unusable(self._where, _readable(error)) from None

    async def close(self) -> None:
        """Ends every connection."""
        pool, self._pool = self._pool, None
        if pool is not None:
            with anyio.move_on_after(CONNECT_SECONDS, shield=True):
                await pool.close()
            pool.terminate()

    async def connect(self) -> "Connection[Record]":
        """One more connection, for listening. Raises one of TROUBLE."""
        # Cancelled at the moment at which it comes about, it would stay open and belong to nobody.
        with anyio.CancelScope(shield=True):
            return await asyncpg.connect(self._dsn, **_OPTIONS)
        raise AssertionError  # nobody cancels that scope, so it swallows nothing

    async def read(self, work: Callable[[Db], Awaitable[T]]) -> T:
        """The result of `work` in one transaction. Raises JournalUnusable."""
        return await self._run(work, _Attempt(writes=False))

    async def write(self, work: Callable[[Db], Awaitable[T]], *, patience: float = PATIENCE_SECONDS) -> T:
        """As `read`, for work that changes something: once, also when the connection is lost while it is committed."""
        return await self._run(work, _Attempt(writes=True), patience)

    async def write_in_turn(self, work: Callable[[Db], Awaitable[T]]) -> T:
        """As `write`, for work that waits for others of its kind anyway: first come, first served, two at a time."""
        gave_up = self._gave_up
        async with self._turns:
            # Not each with a patience of its own: what somebody found out meanwhile holds for all who waited.
            if gave_up != self._gave_up:
                raise JournalUnusable(self._why)
            return await self.write(work)

    async def forget_connections(self) -> None:
        """Takes new ones from now on: those that are open are known, or thought, to lead nowhere."""
        if self._pool is not None:
            await self._pool.expire_connections()

    async def _run(
        self, work: Callable[[Db], Awaitable[T]], attempt: "_Attempt", patience: float = PATIENCE_SECONDS
    ) -> T:
        give_up = anyio.current_time() + patience
        pause = FIRST_PAUSE
        while True:
            try:
                if attempt.unsure is not None:
                    await self._settle(attempt)
                if attempt.committed:
                    return attempt.result
                return await self._once(work, attempt)
            except TROUBLE as error:
                # Once more in any case: what failed may have been an old connection, found out after its time was up.
                tried = attempt.tries
                attempt.tries += 1
                if not passing(error):
                    raise unusable(self._where, error) from None
                if tried and anyio.current_time() >= give_up:
                    away = unusable(self._where, error)
                    self._gave_up, self._why = self._gave_up + 1, away.explanation
                    raise away from None
            await anyio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _once(self, work: Callable[[Db], Awaitable[T]], attempt: "_Attempt") -> T:
        # A call that is cancelled while it waits leaves the queue; one that has begun is finished.
        async with self._slots:
            with anyio.CancelScope(shield=True):
                if self._pool is None:
                    raise JournalUnusable(f"The journal {self._where} is closed.")
                async with self._pool.acquire(timeout=CONNECT_SECONDS + 1) as connection:
                    return await _transaction(connection, work, attempt)
        raise AssertionError  # nobody cancels that scope, so it swallows nothing

    async def _settle(self, attempt: "_Attempt") -> None:
        """Finds out what became of a commit whose answer was lost: PostgreSQL remembers."""
        question = "SELECT pg_xact_status($1::text::xid8)"

        async def ask(db: Db) -> str | None:
            return await db.fetchval(question, attempt.unsure)

        try:
            status = await self._once(ask, _Attempt(writes=False))
        except InvalidParameterValueError:
            # Another machine took over, and never got it.
            status = "aborted"
        if status == "in progress":
            raise ConnectionError("the lost transaction has not ended yet")
        attempt.unsure, attempt.committed = None, status == "committed"


class _Attempt:
    """What is known of one piece of work over all its tries.

    Attributes:
        tries: how many have failed.
        unsure: the number of a transaction whose commit was sent and not answered.
        committed: whether that one turned out to be committed, with `result`.
    """

    def __init__(self, *, writes: bool) -> None:
        self.writes = writes
        self.tries = 0
        self.unsure: str | None = None
        self.committed = False
        self.result: Any = None


async def _transaction(connection: Db, work: Callable[[Db], Awaitable[T]], attempt: _Attempt) -> T:
    number: str | None = None
    try:
        await connection.execute(_BEGIN)
        if attempt.writes:
            number = await connection.fetchval(_NUMBERED)
        result = await work(connection)
    except BaseException as error:
        await _roll_back(connection, error)
        raise
    try:
        status = await connection.execute("COMMIT")
    except TROUBLE as error:
        if lost(error):
            attempt.unsure, attempt.result = number, result
            _end(connection)
        raise
    if status != "COMMIT":  # the server took it back
        raise ConnectionError("the transaction was taken back")
    return result


async def _roll_back(connection: Db, error: BaseException) -> None:
    if not lost(error):
        try:
            await connection.execute("ROLLBACK")
        except TROUBLE:
            pass
        else:
            return
    # The server takes back by itself what a lost connection had begun.
    _end(connection)


def _end(connection: Db) -> None:
    # One that is known to be lost has left the pool by itself, and then takes no more calls.
    with suppress(InterfaceError):
        connection.terminate()


async def _leave_it(_connection: Db) -> None:
    """Nothing to tidy up: a transaction that ended has set nothing for good."""


_OPTIONS: dict[str, Any] = {
    "timeout": CONNECT_SECONDS,
    "command_timeout": STATEMENT_SECONDS,
    # A statement that one connection has prepared does not exist on the next one that a pooler hands out.
    "statement_cache_size": 0,
    "server_settings": {"application_name": "veo-mcp"},
}


def _known_words(dsn: str) -> str:
    parts = urlsplit(dsn)
    words = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in _OTHERS]
    return urlunsplit(parts._replace(query=urlencode(words, safe="/,:")))


def _readable(error: Exception) -> Exception:
    # asyncpg raises a plain ValueError for, among others, an invalid port.
    return asyncpg.ClientConfigurationError("") if type(error) is ValueError else error
