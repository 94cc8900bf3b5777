"""The named queries of queries.sql: `QUERIES["name"]`. Read once, when the store is imported."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

__all__ = ["QUERIES"]

_MARK = "-- name: "


def _read(script: str) -> Mapping[str, str]:
    queries: dict[str, str] = {}
    for part in script.split(_MARK)[1:]:
        name, _, lines = part.partition("\n")
        statement = "\n".join(line for line in lines.splitlines() if not line.startswith("--"))
        queries[name] = statement.strip()
    return MappingProxyType(queries)


QUERIES = _read((resources.files("veo_mcp.journal.sqlite") / "queries.sql").read_text("utf-8"))
