"""The named queries of queries.sql, as asyncpg wants them: `ask(connection, "name", values)`. Read once.

Used inside the store's transactions. PostgreSQL counts values ($1, $2), which nobody can read; queries.sql names them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from asyncpg import Connection, Record
from asyncpg.pool import PoolConnectionProxy

from veo_mcp.journal.store_common import named_queries

__all__ = ["QUERIES", "Db", "Query", "ask", "ask_one", "query"]

Db: TypeAlias = "Connection[Record] | PoolConnectionProxy[Record]"


@dataclass(frozen=True, slots=True)
class Query:
    """One statement.

    Attributes:
        sql: with $1, $2.
        names: which value each of these is.
    """

    sql: str
    names: Sequence[str]

    def arguments(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The values in their order; more may be given than the statement needs."""
        return [values[name] for name in self.names]


def query(sql: str) -> Query:
    """A statement in which :name stands for a value."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return Query(re.sub(r"(?<!:):([a-z_]+)", number, sql), names)


QUERIES: Mapping[str, Query] = MappingProxyType(
    {name: query(sql) for name, sql in named_queries("veo_mcp.journal.postgres").items()}
)


async def ask(db: Db, name: str, values: Mapping[str, Any]) -> Sequence[Record]:
    """Every row of the answer."""
    return await db.fetch(QUERIES[name].sql, *QUERIES[name].arguments(values))


async def ask_one(db: Db, name: str, values: Mapping[str, Any]) -> Record | None:
    """The first row of the answer."""
    return await db.fetchrow(QUERIES[name].sql, *QUERIES[name].arguments(values))
