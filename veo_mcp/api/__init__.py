"""Speaks HTTP to the Veo API. Knows nothing of MCP or of the journal.

`models` and `errors` are free of the HTTP library, so that the MCP server can use them before it is loaded.
"""
