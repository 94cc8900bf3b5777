"""The MCP server: what a host sees, and nothing else.

Called by app.py. Imports the layers below it; never speaks HTTP and never touches the database itself.
"""
