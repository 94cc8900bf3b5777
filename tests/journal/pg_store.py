"""A PostgreSQL store for the contract and for the tests of its own."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from tests.support.postgres import Postgres, address
from veo_mcp.journal.postgres.store import PostgresJournal

__all__ = ["PostgresStore", "new_store"]


class PostgresStore:
    """See tests/journal/stores.py. The database's clock stands still, but for being moved.

    Args:
        url: of the schema; through whatever stands between.
    """

    #: None yet: this is the first version that there is.
    older_versions: Sequence[int] = ()

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
        raise NotImplementedError

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
