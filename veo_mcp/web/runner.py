"""Runs an ASGI app until the surrounding scope is cancelled, and closes it in order.

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

__all__ = ["PortTaken", "serve_app"]


class PortTaken(Exception):
    """The port cannot be opened; the message says why."""


async def serve_app(app: ASGIApp, host: str, port: int, *, ready: Callable[[], None] = lambda: None) -> None:
    """Serves until cancelled; calls `ready` once the port is open. Raises PortTaken."""
    _probe(host, port)
    server = _Server(
        # Access logs hold paths, and the paths of callbacks are secrets.
        uvicorn.Config(
            app, host=host, port=port, log_config=None, access_log=False, ws="none", timeout_graceful_shutdown=1
        )
    )
    async with anyio.create_task_group() as group:
        group.start_soon(_serve_shielded, server)
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn sets a flag and nothing else
                await anyio.sleep(0.01)
            ready()
            await anyio.sleep_forever()
        finally:
            server.should_exit = True


def _probe(host: str, port: int) -> None:
    # uvicorn logs a traceback and ends the process where a port is taken; a look before says it in a sentence.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"Port {port} of {host} cannot be used: {error.strerror}. Choose another one.") from None


async def _serve_shielded(server: uvicorn.Server) -> None:
    with anyio.CancelScope(shield=True):
        await server.serve()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
