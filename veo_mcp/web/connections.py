"""How many connections stay open, and how long one may be without a request: uvicorn limits neither.

Used by runner.py. A connection waits from its opening to the end of a request's headers, and between requests; one
that waits too long is closed, and where all places are taken, the one that has waited longest makes room. So silent
strangers cannot keep honest callers out, and the process never runs out of descriptors.
"""

import logging
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["HEADER_SECONDS", "ConnectionLimiter", "connection_limit"]

log = logging.getLogger(__name__)

HEADER_SECONDS = 10.0
"""For all headers of a request, however they trickle in; also what is left between two requests at most."""
RESERVED = 256
"""Descriptors for the journal, the API, the sandbox and whatever libraries open."""
MOST = 2000
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def connection_limit() -> int:
    """As many connections as the process's limit on descriptors leaves room for."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return MOST
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST
    return max(min(MOST, soft - RESERVED), 8)


class ConnectionLimiter:
    """The connections of one server.

    Args:
        limit: how many there may be at once.
        header_seconds: how long one may be without a request.
    """

    def __init__(self, limit: int, *, header_seconds: float = HEADER_SECONDS) -> None:
        self._limit = limit
        self._header_seconds = header_seconds
        #: Those without a request; the one that has waited longest comes first.
        self._waiting: dict[_Connection, Any] = {}

    def protocol(self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None) -> Any:
        """The protocol of a new connection, as uvicorn asks for it."""
        return _Connection(self, config, server_state, app_state, _loop)

    def room_for(self, connection: "_Connection") -> bool:
        """Whether a new connection may stay; closes the one that has waited longest if that makes room."""
        if len(connection.connections) <= self._limit:
            return True
        log.warning("All %d connections are in use; those that wait longest without a request are closed.", self._limit)
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        self.gone(longest)
        longest.connections.discard(longest)
        longest.transport.abort()
        return True

    def waits(self, connection: "_Connection") -> None:
        """Notes that a connection is without a request, and closes it when that lasts too long."""
        if connection not in self._waiting:
            self._waiting[connection] = connection.loop.call_later(self._header_seconds, connection.give_up)

    def gone(self, connection: "_Connection") -> None:
        """Notes that a connection has a request, or is closed."""
        timer = self._waiting.pop(connection, None)
        if timer is not None:
            timer.cancel()


class _Connection(H11Protocol):
    """One connection, which reports whether it waits."""

    def __init__(
        self,
        limiter: ConnectionLimiter,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: Any,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._limiter = limiter
        self._silent = True

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self._limiter.room_for(self):
            self._limiter.waits(self)
        else:
            self.connections.discard(self)
            transport.write(BUSY)
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._silent = False
        super().data_received(data)
        self._tell()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._silent = True
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limiter.gone(self)
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Closes a connection that has waited too long; one that has begun a request gets an answer that says why."""
        self._limiter.gone(self)
        if not self.transport.is_closing():
            if not self._silent:
                self.transport.write(TOO_SLOW)
            self.transport.close()

    def _tell(self) -> None:
        # `cycle` is None until the first headers are complete, whatever its annotation says.
        cycle: Any = self.cycle
        if self.transport.is_closing() or (cycle is not None and not cycle.response_complete):
            self._limiter.gone(self)
        else:
            self._limiter.waits(self)
