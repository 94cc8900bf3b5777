"""The named queries of queries.sql: `QUERIES["name"]`. Read once, when the store is imported."""

from veo_mcp.journal.store_common import named_queries

__all__ = ["QUERIES"]

QUERIES = named_queries("veo_mcp.journal.sqlite")
