"""Tells hosts of both protocol eras that a task changed.

Started by hosting once per server. Follows `journal.changes()`, which announces a change after it can be read, whoever
caused it; nobody else in this project notifies. Modern hosts listen on the SDK's bus; legacy ones subscribe here,
because the SDK does not serve `resources/subscribe` (its migration guide documents registering handlers as below).
"""

import functools
import logging
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import NotificationOptions
from mcp.server.mcpserver import MCPServer
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourcesListChanged, ResourceUpdated
from mcp_types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from veo_mcp.journal.entry import Entry
from veo_mcp.journal.journal import Journal
from veo_mcp.server.resources import NEWEST_URI

__all__ = ["Announcer"]

log = logging.getLogger(__name__)

SEND_SECONDS = 1.0
"""A client that stopped reading must not hold up the others."""


class Announcer:
    """The two ways to a host's ear: the bus of the modern era, and subscriptions of the legacy one."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self._subscribers: dict[str, set[Connection]] = {}
        self._connections: set[Connection] = set()
        self._known: dict[str, str | None] = {}

    def attach(self, server: MCPServer[None]) -> None:
        """Registers the legacy handlers, and advertises what they make true."""
        # MCPServer offers no public way to these three; the SDK's migration guide names this attribute for it.
        low = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, self._subscribe)
        low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)
        options = functools.partial(low.create_initialization_options, NotificationOptions(resources_changed=True))
        # The run_* methods call it bare, and would advertise listChanged: false to the legacy era.
        setattr(low, "create_initialization_options", options)  # noqa: B010 - a method, which types may not replace
        server.middleware.append(self._meet)

    async def follow(self, journal: Journal) -> None:
        """Tells every change, for ever."""
        async with journal.changes() as feed:
            async for entry in feed:
                await self._tell(entry)

    async def _tell(self, entry: Entry) -> None:
        fresh = entry.id not in self._known
        uris = {NEWEST_URI, f"{NEWEST_URI}/{entry.id}"}
        if entry.upstream_id is not None:
            uris.add(f"{NEWEST_URI}/{entry.upstream_id}")
        self._known[entry.id] = entry.upstream_id
        for uri in sorted(uris):
            await self.bus.publish(ResourceUpdated(uri=uri))
        if fresh:
            await self.bus.publish(ResourcesListChanged())
        async with anyio.create_task_group() as group:
            for uri in sorted(uris):
                for connection in self._subscribers.get(uri, ()):
                    group.start_soon(self._send, connection, uri)
            if fresh:
                for connection in self._connections:
                    group.start_soon(self._send, connection, None)

    async def _send(self, connection: Connection, uri: str | None) -> None:
        with anyio.move_on_after(SEND_SECONDS):
            if uri is None:
                await connection.send_resource_list_changed()
            else:
                await connection.send_resource_updated(uri)

    async def _meet(self, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
        connection = _connection(ctx)
        if connection.has_standalone_channel and connection not in self._connections:
            self._connections.add(connection)
            connection.exit_stack.callback(self._forget, connection)
        return await call_next(ctx)

    async def _subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        self._subscribers.setdefault(str(params.uri), set()).add(_connection(ctx))
        return EmptyResult()

    async def _unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        self._drop(str(params.uri), _connection(ctx))
        return EmptyResult()

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        for uri in list(self._subscribers):
            self._drop(uri, connection)

    def _drop(self, uri: str, connection: Connection) -> None:
        listeners = self._subscribers.get(uri)
        if listeners is not None:
            listeners.discard(connection)
            if not listeners:
                del self._subscribers[uri]


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    # `ctx.session` is a new proxy for every message; the connection behind it is the stable object.
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]
