"""The life of a task: spending on it, asking after it, and taking callbacks about it.

Called by the MCP server and by app.py. Knows the API layer and the journal; never knows MCP.
"""
