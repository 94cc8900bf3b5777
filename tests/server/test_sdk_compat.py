"""The SDK's private parts that we use are there, in a version that they were seen in."""

from importlib.metadata import version

from mcp.server.mcpserver import MCPServer

from veo_mcp.server.sdk_compat import SEEN_WITH, handler_of, input_schema, lowlevel


def test_the_installed_sdk_is_one_that_these_private_parts_were_seen_in() -> None:
    assert ".".join(version("mcp").split(".")[:2]) in SEEN_WITH


def test_the_private_parts_are_where_they_were_seen() -> None:
    server: MCPServer[None] = MCPServer("x")
    assert callable(handler_of(server, "resources/read"))
    assert callable(lowlevel(server).create_initialization_options)
    assert input_schema(server, "no such tool") == {}
