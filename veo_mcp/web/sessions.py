"""Keeps the sessions of the handshake era to a number: where there are more, the ones left unused longest are ended.

Goes around the app in routes.py. Hosts of that era often vanish without ending their session; the SDK would keep each
for half an hour and, once there are too many, refuse every new client. A session that has a request or a stream open
is never ended; one that was gets 404 with its next request, upon which a client opens another one. Where all are in
use, a new one is asked to try again later.
"""

import itertools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MOST", "Sessions"]

log = logging.getLogger(__name__)

MOST = 1000
"""Each holds about 40 KB."""
HEADER = b"mcp-session-id"
VERSION = b"mcp-protocol-version"


class Sessions:
    """An ASGI app around the one that has the sessions.

    Args:
        app: opens sessions, and names them in a header of its answers.
        end: ends the session with this id.
        limit: how many there may be, those in use aside.
    """

    def __init__(self, app: ASGIApp, end: Callable[[str], Awaitable[None]], *, limit: int = MOST) -> None:
        self._app = app
        self._end = end
        self._limit = limit
        #: Sessions that nobody uses now; the one left unused longest comes first.
        self._unused: dict[str, None] = {}
        self._in_use = Counter[str]()
        self._streams = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A name that was invented is not kept: only those count that an answer has named.
        asked = _session(scope["headers"])
        used = asked if asked in self._unused or self._in_use[asked] else ""
        if used:
            self._enter(used)
        elif self._opens(scope, asked) and len(self._in_use) >= self._limit:
            words = f"All {self._limit} sessions of this server are in use. Nothing was done. Come again later."
            await PlainTextResponse(words, 429, {"Retry-After": "30"})(scope, receive, send)
            return
        elif scope["method"] == "GET" and scope["path"] == "/sse":
            # An SSE stream is a session as long as it is open.
            used = f"sse:{next(self._streams)}"
            self._enter(used)
        ended = used.startswith("sse:")

        async def watched(message: Message) -> None:
            nonlocal used, ended
            if message["type"] == "http.response.start":
                named = _session(message.get("headers", ()))
                if named and not used and message["status"] < 400:
                    used = named
                    self._enter(used)
                ended = ended or (used != "" and (message["status"] == 404 or scope["method"] == "DELETE"))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            if used:
                self._leave(used, ended=ended)
        await self._make_room()

    def _opens(self, scope: Scope, asked: str) -> bool:
        """Whether this request would begin a session: modern ones have none, and say so by their version."""
        if scope["method"] == "GET":
            return scope["path"] == "/sse"
        version = next((value.decode("latin-1") for name, value in scope["headers"] if name == VERSION), "")
        return (
            scope["method"] == "POST"
            and scope["path"] == "/mcp"
            and not asked
            and version not in MODERN_PROTOCOL_VERSIONS
        )

    def _enter(self, session: str) -> None:
        self._unused.pop(session, None)
        self._in_use[session] += 1

    def _leave(self, session: str, *, ended: bool) -> None:
        self._in_use[session] -= 1
        if self._in_use[session] <= 0:
            del self._in_use[session]
            if not ended:
                self._unused[session] = None

    async def _make_room(self) -> None:
        while len(self._unused) > self._limit:
            longest = next(iter(self._unused))
            del self._unused[longest]
            log.warning("More than %d sessions are open; those left unused longest are ended.", self._limit)
            await self._end(longest)


def _session(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == HEADER), "")
