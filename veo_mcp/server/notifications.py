"""Notifies hosts of both protocol eras that a task changed.

Started by app.py once per server. Follows `journal.changes()`, which announces a change after it can be read, whoever
caused it; nobody else in this project notifies. Every listener has an outbox of its own, and is notified of its own
account's tasks alone. The SDK serves no `resources/subscribe`, and its `subscriptions/listen` drops a listener that is
1,024 events behind: so both are here, registered as its migration guide documents.
"""

import functools
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.subscriptions import (
    SUBSCRIPTION_ID_META_KEY,
    InMemorySubscriptionBus,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import event_matches, event_to_notification
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
    SubscriptionsAcknowledgedNotificationParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from veo_mcp.api.account import Caller
from veo_mcp.errors import Unavailable
from veo_mcp.journal.entry import Entry
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import caller_of
from veo_mcp.server.outbox import Outbox
from veo_mcp.server.resources import NEWEST_URI
from veo_mcp.server.sdk_compat import advertise_resource_changes, connection_of, replace

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine

__all__ = ["Announcer"]

URIS = 2000
URI_LENGTH = 2000
"""What one listener may ask for: far more than any host does, and little enough to keep for many."""
NO_CHANNEL = (
    "Nothing can be sent on this connection unasked (VEO_HTTP_STATELESS keeps no sessions), so there are no "
    "subscriptions here. Ask again with get_task."
)
FOLLOWING_SECONDS = 5.0
"""How long the answer to a subscription waits for the engine: from then on no change is missed."""
TOO_MUCH = f"A listener may ask for at most {URIS} URIs of at most {URI_LENGTH} characters."


class Announcer:
    """The two ways to notify a host: `subscriptions/listen` of the modern era, and subscriptions of the legacy one.

    Args:
        listeners: how many may be there at once before `subscriptions/listen` is refused; the SDK's own number.

    Attributes:
        bus: carries what concerns all listeners to every outbox, without waiting; tasks do not go through it.
        outboxes: one for each listener that is there now.
    """

    def __init__(self, *, listeners: int = 1024) -> None:
        self._listeners = listeners
        self._backend: Backend | None = None
        self._following = anyio.Event()
        self.bus = InMemorySubscriptionBus()
        self.outboxes: set[Outbox] = set()
        self._subscribers: dict[Connection, _Subscriber] = {}
        self._group: TaskGroup | None = None

    def attach(self, server: MCPServer[None], backend: Backend) -> None:
        """Registers the handlers, and advertises what they make true."""
        self._backend = backend
        replace(server, "resources/subscribe", SubscribeRequestParams, self._subscribe)
        replace(server, "resources/unsubscribe", UnsubscribeRequestParams, self._unsubscribe)
        replace(server, "subscriptions/listen", SubscriptionsListenRequestParams, self._listen)
        advertise_resource_changes(server)
        server.middleware.append(self._register)

    async def follow(self, engine: "Engine") -> None:
        """Announces every change to those whose task it is, indefinitely."""
        async with engine.journal.changes() as feed, anyio.create_task_group() as group:
            self._group = group
            self._following.set()
            for subscriber in self._subscribers.values():
                group.start_soon(subscriber.run)
            try:
                newest_seq = feed.since
                async for entry in feed:
                    concerned = [outbox for outbox in self.outboxes if engine.accounts.owns(outbox.caller, entry)]
                    _announce(entry, concerned, new=entry.created_seq > newest_seq)
                    newest_seq = max(newest_seq, entry.created_seq)
                    # After a burst a thousand wait here: the listener, and every other call, gets a turn in between.
                    await anyio.lowlevel.checkpoint()
            finally:
                self._group = None
                self._following = anyio.Event()

    async def _follows(self) -> None:
        """Returns once changes are followed: over stdio the engine may have waited until it was needed.

        A backend that cannot be opened is no reason to refuse a subscription: it is tried again.
        """
        with anyio.move_on_after(FOLLOWING_SECONDS), suppress(Unavailable):
            if self._backend is not None:
                await self._backend.engine()
            await self._following.wait()

    @contextmanager
    def _outbox(self, caller: Caller, wants: Callable[[ServerEvent], bool]) -> Generator[Outbox]:
        outbox = Outbox(caller, wants)
        self.outboxes.add(outbox)
        leave = self.bus.subscribe(outbox.put)
        try:
            yield outbox
        finally:
            leave()
            self.outboxes.discard(outbox)

    async def _listen(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        """One modern listener; it leaves by hanging up, which cancels this."""
        if ctx.request_id is None:
            raise MCPError(INVALID_REQUEST, "subscriptions/listen needs a request id.")
        asked = params.notifications
        uris = frozenset(asked.resource_subscriptions or ())
        if _too_much(uris):
            raise MCPError(INVALID_PARAMS, TOO_MUCH)
        if len(self.outboxes) >= self._listeners:
            raise MCPError(INTERNAL_ERROR, "Too many listen already.")
        honored = SubscriptionFilter(
            tools_list_changed=asked.tools_list_changed or None,
            prompts_list_changed=asked.prompts_list_changed or None,
            resources_list_changed=asked.resources_list_changed or None,
            resource_subscriptions=asked.resource_subscriptions or None,
        )
        meta = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        hello = SubscriptionsAcknowledgedNotification(
            params=SubscriptionsAcknowledgedNotificationParams(notifications=honored, _meta=meta)
        )
        # The outbox comes first, so that a change during the acknowledgement is kept; only then is anything sent.
        with self._outbox(caller_of(ctx), lambda event: event_matches(honored, uris, event)) as outbox:
            await self._follows()
            await ctx.session.send_notification(hello, related_request_id=ctx.request_id)
            while True:
                news = event_to_notification(await outbox.take(), meta)
                await ctx.session.send_notification(news, related_request_id=ctx.request_id)

    async def _register(self, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
        # Not at initialize itself: nothing may be sent before it is answered.
        if ctx.method != "initialize":
            self._known(ctx)
        return await call_next(ctx)

    def _known(self, ctx: ServerRequestContext[Any, Any]) -> "_Subscriber | None":
        """The legacy listener on this connection, met for the first time or not; None where nothing can be sent."""
        connection = connection_of(ctx)
        subscriber = self._subscribers.get(connection)
        if subscriber is not None or connection.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return subscriber
        if not connection.has_standalone_channel:
            return None
        uris = set[str]()
        outbox = connection.exit_stack.enter_context(self._outbox(caller_of(ctx), functools.partial(_wanted, uris)))
        subscriber = _Subscriber(connection, uris, outbox)
        self._subscribers[connection] = subscriber
        connection.exit_stack.callback(self._subscribers.pop, connection)
        connection.exit_stack.callback(subscriber.scope.cancel)
        if self._group is not None:
            self._group.start_soon(subscriber.run)
        return subscriber

    async def _subscribe(self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams) -> EmptyResult:
        subscriber = self._known(ctx)
        if subscriber is None:
            raise MCPError(INVALID_REQUEST, NO_CHANNEL)
        wanted = subscriber.uris | {str(params.uri)}
        if _too_much(wanted):
            raise MCPError(INVALID_PARAMS, TOO_MUCH)
        subscriber.uris.add(str(params.uri))
        await self._follows()
        return EmptyResult()

    async def _unsubscribe(self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams) -> EmptyResult:
        subscriber = self._known(ctx)
        if subscriber is not None:
            subscriber.uris.discard(str(params.uri))
        return EmptyResult()


@dataclass(eq=False)
class _Subscriber:
    """A legacy connection: what it subscribed to, and the task that notifies it."""

    connection: Connection
    uris: set[str]
    outbox: Outbox
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def run(self) -> None:
        with self.scope:
            while True:
                event = await self.outbox.take()
                if isinstance(event, ResourceUpdated):
                    await self.connection.send_resource_updated(event.uri)
                else:
                    await self.connection.send_resource_list_changed()


def _announce(entry: Entry, concerned: Collection[Outbox], *, new: bool) -> None:
    uris = [NEWEST_URI, f"{NEWEST_URI}/{entry.id}"]
    if entry.upstream_id is not None:
        uris.append(f"{NEWEST_URI}/{entry.upstream_id}")
    events: list[ServerEvent] = [ResourceUpdated(uri=uri) for uri in uris]
    if new:
        events.append(ResourcesListChanged())
    for outbox in concerned:
        for event in events:
            outbox.put(event)


def _wanted(uris: set[str], event: ServerEvent) -> bool:
    return event.uri in uris if isinstance(event, ResourceUpdated) else isinstance(event, ResourcesListChanged)


def _too_much(uris: Collection[str]) -> bool:
    return len(uris) > URIS or any(len(uri) > URI_LENGTH for uri in uris)
