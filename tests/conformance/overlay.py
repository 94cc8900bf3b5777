"""The real server over HTTP with the conformance suite's fixtures on top: `python -m tests.conformance.overlay`.

Started by suite.py, configured by the environment as `veo-mcp serve` is. Everything of the product is in force: its
factory, middleware, pages, subscriptions, completion, words for errors, DNS-rebinding protection, sandbox, journal and
poller. The overlay adds what the suite looks for, and never replaces a handler.
"""

import functools
import logging
import sys
import time

import anyio
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp_types import JSONRPCMessage

from tests.conformance import fixtures, jobs, rounds
from veo_mcp.app import backend_for
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import VeoServer, build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.server.tasks_extension import JournalTasks
from veo_mcp.settings import Settings, load
from veo_mcp.web.routes import serve_http

__all__ = ["build"]


class Events(EventStore):
    """What streams said, so that a client can pick one up again; the product does not offer that."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self._kept.append((stream_id, message))
        return str(len(self._kept))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        last = int(last_event_id)
        stream = self._kept[last - 1][0]
        for number, (of, message) in enumerate(self._kept[last:], last + 1):
            if of == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def build(backend: Backend, announcer: Announcer, settings: Settings) -> VeoServer:
    """The real server with the fixtures on top."""
    tasks = jobs.Jobs(JournalTasks(backend, clock=time.time))
    server = build_server(
        backend,
        sandbox=settings.embedded,
        announcer=announcer,
        confirm_above=settings.confirm_above,
        log_level=settings.log_level,
        tasks=tasks,
    )
    fixtures.register(server)
    rounds.register(server)
    jobs.register(server, tasks)
    # web.py asks the server for its app; this adds two arguments to what it asks with.
    with_events = functools.partial(server.streamable_http_app, event_store=Events(), retry_interval=100)
    server.streamable_http_app = with_events  # type: ignore[method-assign]
    return server


async def main(settings: Settings) -> None:
    """Serves until it is ended."""
    backend, announcer = Backend(), Announcer()
    server = build(backend, announcer, settings)
    async with backend_for(settings, backend, announcer):
        # The fixtures ask without asking for the key first, as the product's own questions do.
        await server.request_state.ready()
        await serve_http(server, backend, host=settings.host, port=settings.port)


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level="ERROR")
    anyio.run(main, load(transport="http", sandbox=True))
