"""Events that one listener has not been sent yet, and the one place where sending waits for a client.

Filled by the announcer, which never waits; emptied by one task per listener. Every event only says "read it again", so
one that waits already is not added twice: a listener that stopped reading holds up nobody, and keeps at most one of
each event that it asked for.
"""

from collections.abc import Callable

import anyio
from mcp.server.subscriptions import ServerEvent

from veo_mcp.api.account import Caller

__all__ = ["Outbox"]


class Outbox:
    """Events on their way to one listener.

    Args:
        caller: whose listener it is.
        wants: whether the listener asked for an event; asked again before it is sent, because it may have changed.
    """

    def __init__(self, caller: Caller, wants: Callable[[ServerEvent], bool]) -> None:
        self.caller = caller
        self._wants = wants
        self._waiting: dict[ServerEvent, None] = {}
        self._news = anyio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: ServerEvent) -> None:
        """Adds an event, unless it waits already. Never waits."""
        if self._wants(event):
            self._waiting[event] = None
            self._news.set()

    async def take(self) -> ServerEvent:
        """The event that waited longest. It is gone from here before it is sent: a change meanwhile is sent again."""
        while True:
            while not self._waiting:
                self._news = anyio.Event()
                await self._news.wait()
            event = next(iter(self._waiting))
            del self._waiting[event]
            if self._wants(event):
                return event
