"""A PostgreSQL store for the contract and for the tests of its own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from tests.journal.stores import OLD_ROWS
from tests.support.postgres import Postgres, address
from veo_mcp.journal.postgres.store import SCHEMA, PostgresJournal

__all__ = ["PostgresStore", "new_store"]


class PostgresStore:
    """The store under test in PostgreSQL. The database's clock stands still, unless a test moves it.

    Args:
        url: of the schema; through whatever stands between.
    """

    older_versions: Sequence[int] = range(1, len(SCHEMA))

    def __init__(
        self, server: Postgres, schema: str, *, url: str | None = None, learns_by: Literal["listen", "look"] = "listen"
    ) -> None:
        self.server = server
        self.schema = schema
        self.url = url or server.address(schema)
        self.learns_by: Literal["listen", "look"] = learns_by
        self.now = 1_800_000_000.0

    @asynccontextmanager
    async def open(self, **options: Any) -> AsyncGenerator[PostgresJournal]:
        async with PostgresJournal(address(self.url), **options) as journal:
            yield journal

    async def stop_the_clock(self) -> None:
        await self.run("CREATE TABLE clock AS SELECT $1::double precision AS moment", self.now)
        await self.run(
            "CREATE OR REPLACE FUNCTION veo_now() RETURNS double precision LANGUAGE sql AS 'SELECT moment FROM clock'"
        )

    async def run(self, sql: str, *values: Any) -> Any:
        return await self.server.run(sql, *values, schema=self.schema)

    async def move_clock(self, seconds: float) -> None:
        self.now += seconds
        await self.run("UPDATE clock SET moment = $1", self.now)

    async def write_behind_the_back(self, entry_id: str, **columns: Any) -> None:
        if "save_wanted" in columns:
            columns["save_wanted"] = bool(columns["save_wanted"])
        assignments = "".join(f", {name} = ${number}" for number, name in enumerate(columns, 2))
        await self.run(
            "WITH next AS (UPDATE veo_counter SET revision = revision + 1 RETURNING revision)"  # noqa: S608 - our own names
            f" UPDATE veo_entries SET revision = next.revision{assignments} FROM next WHERE id = $1",
            entry_id,
            *columns.values(),
        )

    async def make_older(self, version: int) -> None:
        await self.run(f"DROP SCHEMA {self.schema} CASCADE")
        await self.run(f"CREATE SCHEMA {self.schema}")
        for script in SCHEMA[:version]:
            await self.run(script)
        for number, (entry_id, api, status, charged, upstream_id, completed_at, polls) in enumerate(OLD_ROWS, 1):
            # What no calendar holds was let in by versions of SQLite's store only.
            completed_at = None if completed_at == 1e300 else completed_at
            ended_at = 1090.0 if status in ("completed", "failed") and polls else None
            await self.run(
                "INSERT INTO veo_entries (id, api, principal, kind, fingerprint, body, prompt, model, mode, credits,"
                " estimated, upstream_id, upstream_key, status, video_urls, save_wanted, file_tries, charged,"
                " created_at, updated_at, completed_at, ended_at, worker_id, next_poll_at, polls,"
                " revision, created_seq)"
                " VALUES ($1, $2, '', 'create', $1, '{}', 'p', 'veo-3', 'fast', 40, false, $3, $3, $4, '[]', false, 0,"
                " $5, 1000, 1090, $6, $7, 'gone', 1000, $8, $9, $9)",
                *(entry_id, api, upstream_id, status, charged, completed_at, ended_at, polls, number),
            )
        await self.run("UPDATE veo_counter SET revision = $1, version = $2", len(OLD_ROWS), version)
        await self.run("INSERT INTO veo_named_values VALUES ('callback_secret', 'kept')")
        await self.stop_the_clock()

    async def make_newer(self) -> None:
        await self.run("UPDATE veo_counter SET version = 99, works_with = 99")


@asynccontextmanager
async def new_store(
    server: Postgres, *, through: str | None = None, learns_by: Literal["listen", "look"] = "listen"
) -> AsyncGenerator[PostgresStore]:
    """A store of its own in a server, opened by way of `through`."""
    schema = await server.new_schema()
    store = PostgresStore(server, schema)
    async with store.open():
        pass
    await store.stop_the_clock()
    if through is not None:
        store.url = server.address(schema, host=through)
    store.learns_by = learns_by
    yield store
    await server.run(f"DROP SCHEMA {schema} CASCADE")
