"""The PostgreSQL store keeps the contract; and what is its own: its plans, its migrations, what it says in trouble."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from tests.journal.contract import Contract
from tests.support.postgres import Postgres, address
from veo_mcp.journal.postgres.store import PostgresJournal

pytestmark = pytest.mark.anyio


class PostgresStore:
    """See tests/journal/stores.py. The database's clock stands still, but for being moved."""

    learns_by: Literal["listen", "look"] = "listen"
    #: None yet: this is the first version that there is.
    older_versions: Sequence[int] = ()

    def __init__(self, server: Postgres, schema: str) -> None:
        self.server = server
        self.schema = schema
        self.url = server.address(schema)
        self.now = 1_800_000_000.0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[PostgresJournal]:
        async with PostgresJournal(address(self.url)) as journal:
            yield journal

    async def set_up(self) -> None:
        async with self.open():
            pass
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


@pytest.fixture
async def store(server: Postgres) -> AsyncGenerator[PostgresStore]:
    store = PostgresStore(server, await server.new_schema())
    await store.set_up()
    yield store
    await server.run(f"DROP SCHEMA {store.schema} CASCADE")


class TestContract(Contract):
    """The whole contract, over PostgreSQL."""
