"""The only file that touches the private parts of the MCP SDK: replacing handlers, the connection behind a session.

Called by resources.py, notifications.py, build.py and the tests that need the same. Each function says why the public
way does not do; `SEEN_WITH` names the versions it was seen to work with, a test compares them with the installed one.
"""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server.connection import Connection
from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.lowlevel import NotificationOptions
from mcp.server.mcpserver import MCPServer

__all__ = [
    "SEEN_WITH",
    "advertise_resource_changes",
    "connection_of",
    "end_session",
    "handler_of",
    "input_schema",
    "lowlevel",
    "replace",
]

SEEN_WITH = ("2.3",)
"""The minor versions of `mcp` whose private parts were seen to be as they are used here."""
Handler = Callable[[ServerRequestContext[Any, Any], Any], Awaitable[HandlerResult]]


def lowlevel(server: MCPServer[Any]) -> Any:
    """The server below `MCPServer`, which the SDK's migration guide names as the place for handlers of one's own."""
    return server._lowlevel_server  # pyright: ignore[reportPrivateUsage]


def replace(server: MCPServer[Any], method: str, params: type[Any], handler: Any) -> None:
    """Registers `handler` for `method`, in place of the SDK's if it has one. MCPServer offers no public way."""
    lowlevel(server).add_request_handler(method, params, handler)


def handler_of(server: MCPServer[Any], method: str) -> Handler:
    """The handler that is registered for `method`, for one that goes on from it."""
    found = lowlevel(server).get_request_handler(method)
    if found is None:
        raise AssertionError(f"the SDK serves {method}")
    return found.handler


def advertise_resource_changes(server: MCPServer[Any]) -> None:
    """Makes the legacy handshake say `resources.listChanged: true`: the run methods ask without options."""
    low = lowlevel(server)
    low.create_initialization_options = functools.partial(
        low.create_initialization_options, NotificationOptions(resources_changed=True)
    )


def input_schema(server: MCPServer[Any], tool: str) -> dict[str, Any]:
    """The schema of a tool's arguments, or an empty one for a tool that is not there."""
    return server._tool_input_schema(tool) or {}  # pyright: ignore[reportPrivateUsage]


def connection_of(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """The connection behind `ctx.session`, which is a new proxy for every message; this is the stable object."""
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]


async def end_session(server: MCPServer[Any], session_id: str) -> None:
    """Ends a session of streamable HTTP as if its client had. The public way is the client's own request alone."""
    manager = server.session_manager
    transport = manager._server_instances.get(session_id)  # pyright: ignore[reportPrivateUsage]
    if transport is not None:
        await manager._discard_session(session_id, transport)  # pyright: ignore[reportPrivateUsage]
