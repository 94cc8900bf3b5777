"""A server without an API behind it, whose journal the test itself changes, and clients that collect notifications.

Used by the tests of notifications and of progress. Over stdio the server is a child process on the same journal file.
"""

import sys
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process, TaskGroup
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp import Client
from mcp.client.sse import sse_client
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp_types import ResourceListChangedNotification, ResourceUpdatedNotification
from pydantic import SecretStr

from tests.support.entries import unfinished
from tests.support.ports import free_port
from tests.support.processes import real_key
from veo_mcp.journal.entry import Entry
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import VeoServer, build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.web.routes import serve_http

NOWHERE = "http://127.0.0.1:1"
LIST = "the list"
LEGACY, MODERN = "legacy", "auto"
ERAS = pytest.mark.parametrize("era", [LEGACY, MODERN])
HTTP = pytest.mark.parametrize("transport", ["sse", "http"])
TRANSPORTS = pytest.mark.parametrize("transport", ["memory", "stdio", "sse", "http"])


def task(number: int, **fields: Any) -> Entry:
    """A task that is under way: `vid_<number>`, and `task-<number>` at the API."""
    return unfinished(number, **{"api": NOWHERE, **fields})


def own(number: int) -> str:
    return f"veo://tasks/vid_{number}"


async def quick(journal: SqliteJournal) -> None:
    """Makes a journal not wait for the disk: a thousand changes in a second, and no test loses power."""
    await journal.file.read(lambda db: db.execute("PRAGMA synchronous = OFF"))


@dataclass
class Env:
    folder: Path
    url: str
    journal: SqliteJournal
    engine: Engine
    server: VeoServer
    announcer: Announcer

    async def listeners(self, number: int) -> None:
        """Returns once that many are listening."""
        while len(self.announcer.outboxes) != number:  # noqa: ASYNC110 - a registry signals no change
            await anyio.sleep(0.01)


@asynccontextmanager
async def open_env(folder: Path, *, most: int = 1024) -> AsyncGenerator[Env]:
    port = free_port()
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=NOWHERE, key=SecretStr("sk-x")) as engine,
        anyio.create_task_group() as group,
    ):
        backend, announcer = Backend(), Announcer(listeners=most)
        backend.opened(engine)
        server = build_server(backend, sandbox=False, announcer=announcer)
        up = anyio.Event()

        async def serve() -> None:
            await serve_http(server, backend, host="127.0.0.1", port=port, ready=up.set)

        group.start_soon(serve)
        group.start_soon(announcer.follow, engine)
        await up.wait()
        yield Env(folder, f"http://127.0.0.1:{port}", journal, engine, server, announcer)
        group.cancel_scope.cancel()


async def subscribe(client: Client, uri: str) -> None:
    """As clients of the handshake era do; the SDK marks the call as old in both eras."""
    with pytest.warns(MCPDeprecationWarning):
        await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated]  # the era that has it is supported


async def unsubscribe(client: Client, uri: str) -> None:
    with pytest.warns(MCPDeprecationWarning):
        await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated]  # the era that has it is supported


class Listener:
    """The notifications that one client received, in order: URIs, and LIST where the list changed.

    For a legacy client it is the message handler; a modern client gets only what it listens to.
    """

    def __init__(self) -> None:
        self.received: list[str] = []
        self._news = anyio.Event()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self._receive(str(message.params.uri))
        elif isinstance(message, ResourceListChangedNotification):
            self._receive(LIST)

    def _receive(self, what: str) -> None:
        self.received.append(what)
        self._news.set()

    async def until(self, done: Callable[[], bool]) -> None:
        with anyio.fail_after(60):
            while not done():
                self._news = anyio.Event()
                await self._news.wait()

    async def wait_for(self, what: str, times: int = 1) -> None:
        await self.until(lambda: self.received.count(what) >= times)

    async def nth(self, index: int) -> str:
        await self.until(lambda: len(self.received) > index)
        return self.received[index]

    async def subscribe(self, client: Client, era: str, uris: Iterable[str], group: TaskGroup) -> anyio.CancelScope:
        """Subscribes or listens, and returns once the server has agreed; the scope ends a listening."""
        scope, agreed = anyio.CancelScope(), anyio.Event()
        if era == LEGACY:
            for uri in uris:
                await subscribe(client, uri)
            return scope

        async def listen() -> None:
            with scope:
                async with client.listen(resource_subscriptions=list(uris), resources_list_changed=True) as events:
                    agreed.set()
                    async for event in events:
                        self._receive(getattr(event, "uri", LIST))

        group.start_soon(listen)
        await agreed.wait()
        return scope


@asynccontextmanager
async def client_of(env: Env, transport: str, era: str, listener: Listener) -> AsyncGenerator[Client]:
    target: Any = {
        "memory": lambda: env.server,
        "stdio": lambda: real_key(env.folder, NOWHERE),
        "sse": lambda: sse_client(env.url + "/sse"),
        "http": lambda: env.url + "/mcp",
    }[transport]()
    async with Client(target, mode=era, message_handler=listener if era == LEGACY else None) as client:
        yield client


class SecondProcess:
    """Another process on the same journal file, which carries out commands; see second_process.py."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)

    async def run(self, command: str) -> None:
        await self._stdin.send(f"{command}\n".encode())
        assert await self._stdout.receive_until(b"\n", 100) == b"done"

    async def close(self) -> None:
        """Ends it, by the end of its input."""
        await self._stdin.aclose()


@asynccontextmanager
async def second_process(env: Env) -> AsyncGenerator[SecondProcess]:
    command = [sys.executable, "-m", "tests.support.second_process", str(env.folder / "journal.db")]
    async with await anyio.open_process(command, stderr=None) as process:
        other = SecondProcess(process)
        await other.run("nothing")
        yield other
        await other.close()
