"""The named queries of queries.sql: `QUERIES["name"]`. Read once, when the store is imported."""

from collections.abc import Mapping
from dataclasses import fields
from importlib import resources
from types import MappingProxyType

from veo_mcp.journal.entry import Entry

__all__ = ["FIELDS", "QUERIES"]

FIELDS = tuple(field.name for field in fields(Entry))
"""The columns of an Entry, in the order in which {entry} selects them."""

_MARK = "-- name: "


def _read(script: str) -> Mapping[str, str]:
    queries: dict[str, str] = {}
    for part in script.split(_MARK)[1:]:
        name, _, lines = part.partition("\n")
        statement = "\n".join(line for line in lines.splitlines() if not line.startswith("--"))
        queries[name] = statement.strip().replace("{entry}", ", ".join(FIELDS))
    return MappingProxyType(queries)


QUERIES = _read((resources.files("veo_mcp.journal.sqlite") / "queries.sql").read_text("utf-8"))
