"""Limits the sessions of the handshake era by ending the least recently used ones.

Wraps the app in routes.py. Hosts of that era often vanish without ending their session; the SDK would keep each
for half an hour and, once there are too many, refuse every new client. A session that has a request or a stream open
is never ended; an ended one gets 404 on its next request, and the client opens a new one. If as many as may be are in
use, a new one gets 429.
"""

import itertools
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_SESSIONS", "Sessions"]

log = logging.getLogger(__name__)

MAX_SESSIONS = 1000
"""About 40 KB each, so 40 MB."""
HEADER = b"mcp-session-id"
VERSION = b"mcp-protocol-version"


class Sessions:
    """ASGI middleware that limits the sessions of the app it wraps.

    Args:
        app: the wrapped app, which returns the id of a new session in a response header.
        end: ends the session with this id.
        limit: how many unused sessions are kept, and, counted apart, how many may be in use.
    """

    def __init__(self, app: ASGIApp, end: Callable[[str], Awaitable[None]], *, limit: int = MAX_SESSIONS) -> None:
        self._app = app
        self._end = end
        self._limit = limit
        #: Idle sessions, least recently used first.
        self._unused: dict[str, None] = {}
        self._in_use = Counter[str]()
        self._streams = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Only ids that this server issued are tracked; an invented one is ignored.
        asked = _session(scope["headers"])
        known = asked in self._unused or self._in_use[asked] > 0
        used = asked if known else ""
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

        async def send_and_track(message: Message) -> None:
            nonlocal used, ended
            if message["type"] == "http.response.start":
                named = _session(message.get("headers", ()))
                if named and not used and message["status"] < 400:
                    used = named
                    self._enter(used)
                ended = ended or (used != "" and (message["status"] == 404 or scope["method"] == "DELETE"))
            await send(message)

        try:
            await self._app(scope, receive, send_and_track)
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
            oldest = next(iter(self._unused))
            del self._unused[oldest]
            log.warning("More than %d sessions are open; those left unused longest are ended.", self._limit)
            await self._end(oldest)


def _session(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == HEADER), "")
