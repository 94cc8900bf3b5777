"""The life of a task: spending on it, asking after it, and taking callbacks about it.

Called by the MCP face and by hosting. Knows the API floor and the journal; never knows MCP.
"""
