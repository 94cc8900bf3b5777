"""The MCP face: what a host sees, and nothing else.

Called by hosting. Imports the floors below it; never speaks HTTP and never touches the database itself.
"""
