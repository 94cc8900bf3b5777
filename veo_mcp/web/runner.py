"""Runs an ASGI app until the surrounding scope is cancelled or `until` is set, and closes it in order.

Called by web/routes.py and by the sandbox. Cancelled in the middle, uvicorn logs a traceback and leaves sockets open;
asked to exit, it does neither. Never installs signal handlers: signals belong to the process.
"""

import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

from veo_mcp.errors import PortTaken
from veo_mcp.web.connections import HEADER_SECONDS, ConnectionLimiter

__all__ = ["serve_app"]

FEW = 128
"""Connections of a server that only this machine's own processes use."""
AT_ONCE = 32
"""Connections taken in one go. The event loop takes as many as the backlog before it looks at any of them, which with
the usual 2,048 is more than there are descriptors; each one too many is then logged with a traceback."""
BACKLOG = 4096
"""Connections that wait in the system meanwhile."""


async def serve_app(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    ready: Callable[[], None] = lambda: None,
    until: anyio.Event | None = None,
    connections: int = FEW,
    header_seconds: float = HEADER_SECONDS,
) -> None:
    """Serves until cancelled or until `until`; calls `ready` once the port is open. Raises PortTaken.

    At most `connections` are open at once, and none stays without a request for longer than `header_seconds`.
    """
    limiter = ConnectionLimiter(connections, header_seconds=header_seconds)
    until = until or anyio.Event()
    with _opened(host, port) as listener:
        server = _Server(
            # Access logs hold paths, and the paths of callbacks are secrets.
            uvicorn.Config(
                app,
                http=limiter.protocol,  # pyright: ignore[reportArgumentType] - it only ever calls it
                log_config=None,
                access_log=False,
                # Its own default believes whatever runs on this machine; proxies.py believes whom the operator named.
                proxy_headers=False,
                ws="none",
                backlog=AT_ONCE,
                timeout_graceful_shutdown=1,
            )
        )
        async with anyio.create_task_group() as group:
            group.start_soon(_serve_shielded, server, listener)
            try:
                while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag and nothing else
                    await anyio.sleep(0.01)
                listener.listen(BACKLOG)
                ready()
                await until.wait()
            finally:
                server.should_exit = True


@contextmanager
def _opened(host: str, port: int) -> Generator[socket.socket]:
    # uvicorn logs a traceback and ends the process where a port is taken.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # Two processes can both bind a port that is reused; only one of them can listen.
            listener.listen(AT_ONCE)
        except OSError as error:
            raise PortTaken(f"Port {port} of {host} cannot be used: {error.strerror}. Choose another one.") from None
        listener.setblocking(False)
        yield listener


async def _serve_shielded(server: uvicorn.Server, listener: socket.socket) -> None:
    with anyio.CancelScope(shield=True):
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
