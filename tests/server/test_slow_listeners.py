"""A client that stopped reading blocks nobody, costs little, and is forgotten when it leaves; as is everybody else."""

import json
import os
import re
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from mcp import Client
from mcp.server.context import ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import ResourcesListChanged, ResourceUpdated

from tests.support.entries import START, add, whole
from tests.support.listening import ERAS, LEGACY, LIST, Env, Listener, client_of, open_env, own, quick, task
from tests.support.processes import server
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.server.outbox import Outbox
from veo_mcp.server.sdk_compat import lowlevel

pytestmark = pytest.mark.anyio

LONG = "veo://tasks/" + "x" * 1900
"""A URI with which a few thousand notifications fill every buffer on the way to a client."""
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "stuck", "version": "1"},
}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "stuck", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
KINDS = ["legacy sse", "legacy http", "modern sse", "modern http"]
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def request(number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def listening(uris: list[str]) -> dict[str, Any]:
    wanted = {"resourceSubscriptions": uris, "resourcesListChanged": True}
    return request(1, "subscriptions/listen", {"notifications": wanted, "_meta": ENVELOPE})


class Deaf:
    """A raw HTTP client that reads until it has seen a pattern, and then only when it is asked to."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._address = (host, int(port))
        self._socket = socket.socket()

    async def asks(self, method: str, path: str, headers: dict[str, str], body: str, until: str) -> str:
        def ask() -> None:
            self._socket.connect(self._address)
            self._socket.settimeout(10)
            lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address[0]}:{self._address[1]}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [f"Content-Length: {len(body)}", "", body]
            self._socket.sendall("\r\n".join(lines).encode())

        await anyio.to_thread.run_sync(ask)
        return await self.reads(until, 200)

    async def reads(self, until: str, size: int = 65536) -> str:
        def read() -> str:
            got = ""
            deadline = time.monotonic() + 60
            while (found := re.search(until, got, re.DOTALL)) is None:
                assert time.monotonic() < deadline
                got = got[-10_000:] + self._socket.recv(size).decode()
            return found[0]

        return await anyio.to_thread.run_sync(read)

    def leaves(self) -> None:
        self._socket.close()


async def posted(http: httpx2.AsyncClient, url: str, headers: dict[str, str], *bodies: dict[str, Any]) -> Any:
    answers: list[httpx2.Response] = []
    for body in bodies:
        answers.append(await http.post(url, json=body, headers={**ACCEPT, **headers}))
        assert answers[-1].status_code in (200, 202), answers[-1].text
    return answers[-1]


def opening(uris: list[str]) -> list[dict[str, Any]]:
    """What a legacy client says after initialize."""
    subscriptions = [request(number, "resources/subscribe", {"uri": uri}) for number, uri in enumerate(uris, 10)]
    return [{"jsonrpc": "2.0", "method": "notifications/initialized"}, *subscriptions]


@asynccontextmanager
async def deaf(env: Env, kind: str, uris: list[str]) -> AsyncGenerator[Deaf]:
    """A client of this kind that listens to these URIs, and does not read what it is sent."""
    client = Deaf(env.url)
    async with httpx2.AsyncClient() as http:
        session: dict[str, str] = {}
        match kind:
            case "modern http":
                headers = {**ACCEPT, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
                await client.asks("POST", "/mcp", headers, json.dumps(listening(uris)), "acknowledged")
            case "legacy http":
                first = await posted(http, env.url + "/mcp", {}, request(1, "initialize", HELLO))
                session = {"Mcp-Session-Id": first.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-11-25"}
                await client.asks("GET", "/mcp", {"Accept": "text/event-stream", **session}, "", "text/event-stream")
                await posted(http, env.url + "/mcp", session, *opening(uris))
            case _:
                stream = {"Accept": "text/event-stream"}
                path = await client.asks("GET", "/sse", stream, "", r"/messages/\?session_id=[0-9a-f]{32}")
                if kind == "modern sse":
                    await posted(http, env.url + path, {}, listening(uris))
                else:
                    await posted(http, env.url + path, {}, request(1, "initialize", HELLO), *opening(uris))
        try:
            yield client
        finally:
            client.leaves()
            if session:  # a legacy HTTP client leaves by ending its session
                await http.delete(env.url + "/mcp", headers=session)


@asynccontextmanager
async def grown(folder: Path, number: int) -> AsyncGenerator[None]:
    """A journal that has this many tasks already."""
    async with SqliteJournal(folder / "journal.db") as journal:
        await quick(journal)
        for index in range(number):
            await add(journal, task(index))
    yield


async def deafened(env: Env, outbox: Outbox) -> None:
    """Sends the deaf one notifications until all buffers are full, and what comes next has to wait."""
    for _ in range(100):
        for _ in range(200):
            await env.announcer.bus.publish(ResourceUpdated(uri=LONG))
        await anyio.sleep(0.1)
        if len(outbox):
            return
    raise AssertionError("it still reads")


@ERAS
@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_stopped_reading_blocks_no_other(tmp_path: Path, kind: str, era: str) -> None:
    listener, number = Listener(), 500
    uris = [own(index) for index in range(number)]
    async with (
        grown(tmp_path, number),
        open_env(tmp_path) as env,
        client_of(env, "http", era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await quick(env.journal)
        await listener.subscribe(client, era, uris, group)
        await env.listeners(1)
        (healthy,) = env.announcer.outboxes
        async with deaf(env, kind, [LONG, *uris[:20]]):
            await env.listeners(2)
            (stuck,) = env.announcer.outboxes - {healthy}
            await deafened(env, stuck)
            with anyio.fail_after(60):  # 0.1 s for each, on a busy machine
                for index in range(number):
                    await env.journal.record(f"vid_{index}", Change(status=Status.COMPLETED), now=START + 1)
                    await listener.wait_for(uris[index])
                await add(env.journal, task(number))
                await listener.wait_for(LIST)
            # What it asked for, and the news of the list: however long it does not read, it costs no more.
            assert 0 < len(stuck) <= 22
            assert sorted(listener.received) == sorted([*uris, LIST])
        with anyio.fail_after(10):
            await env.listeners(1)
        assert env.announcer.outboxes == {healthy}
        group.cancel_scope.cancel()


@ERAS
@pytest.mark.parametrize("transport", ["memory", "sse", "http"])
async def test_who_leaves_is_forgotten(tmp_path: Path, transport: str, era: str) -> None:
    """A closed SSE stream, the DELETE of a session, a modern listener that hangs up."""
    async with open_env(tmp_path) as env:
        left: set[Outbox] = set()
        for _ in range(3):
            listener = Listener()
            async with client_of(env, transport, era, listener) as client, anyio.create_task_group() as group:
                await listener.subscribe(client, era, ["veo://tasks"], group)
                await env.listeners(1)
                left |= env.announcer.outboxes
                group.cancel_scope.cancel()
            with anyio.fail_after(10):
                await env.listeners(0)
        assert len(left) == 3
        await env.announcer.bus.publish(ResourcesListChanged())
        assert [len(outbox) for outbox in left] == [0, 0, 0]


class Pipes:
    """A client on the other ends of the pipes that a server over stdio reads and writes, in this process."""

    def __init__(self, stdin: IO[str], stdout: IO[str], ended: anyio.Event) -> None:
        self.stdin = stdin
        self._stdout = stdout
        self.ended = ended

    def send(self, *messages: dict[str, Any]) -> None:
        self.stdin.write("".join(json.dumps(message) + "\n" for message in messages))
        self.stdin.flush()

    async def receive(self) -> dict[str, Any]:
        return json.loads(await anyio.to_thread.run_sync(self._stdout.readline))


@asynccontextmanager
async def pipes(env: Env) -> AsyncGenerator[Pipes]:
    to_server, to_client = os.pipe(), os.pipe()
    ended = anyio.Event()
    with (
        os.fdopen(to_server[0]) as stdin,
        os.fdopen(to_client[1], "w") as stdout,
        os.fdopen(to_client[0]) as from_server,
    ):
        async with anyio.create_task_group() as group:
            with os.fdopen(to_server[1], "w") as client_end:

                async def serve() -> None:
                    low = lowlevel(env.server)  # what run_stdio_async does with the process's own streams
                    async with stdio_server(anyio.wrap_file(stdin), anyio.wrap_file(stdout)) as (read, write):
                        await low.run(read, write, low.create_initialization_options())
                    ended.set()

                group.start_soon(serve)
                yield Pipes(client_end, from_server, ended)
            await ended.wait()


@ERAS
async def test_the_end_of_stdin_forgets_the_client(tmp_path: Path, era: str) -> None:
    async with open_env(tmp_path) as env, pipes(env) as client:
        if era == LEGACY:
            client.send(request(1, "initialize", HELLO), *opening(["veo://tasks"]))
        else:
            client.send(listening(["veo://tasks"]))
        await env.listeners(1)
        await client.receive()
        client.stdin.close()
        with anyio.fail_after(10):
            await env.listeners(0)
            await client.ended.wait()


async def test_nothing_is_sent_before_initialize_is_answered(tmp_path: Path) -> None:
    async with open_env(tmp_path) as env, pipes(env) as client:

        async def meanwhile(ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
            """A task comes while the answer is on its way."""
            result = await call_next(ctx)
            if ctx.method == "initialize":
                await env.announcer.bus.publish(ResourcesListChanged())
                await anyio.sleep(0.1)
            return result

        env.server.middleware.append(meanwhile)
        client.send(request(1, "initialize", HELLO))
        assert (await client.receive())["id"] == 1
        client.send(*opening([]))
        await env.listeners(1)
        await add(env.journal, task(1))
        assert (await client.receive())["method"] == "notifications/resources/list_changed"


async def test_a_host_that_does_not_read_its_pipe_does_not_keep_its_video_from_being_finished(tmp_path: Path) -> None:
    """The server can send nothing any more, and still asks about the task and records the end."""
    parameters = server(tmp_path, seconds=0)
    process = await anyio.open_process([parameters.command, *parameters.args], env=parameters.env, stderr=sys.stderr)
    assert process.stdin is not None
    lines: list[dict[str, Any]] = [request(1, "initialize", HELLO), *opening(["veo://tasks"])]
    lines += [request(1000 + number, "resources/read", {"uri": "veo://guide"}) for number in range(50)]
    lines.append(
        request(2000, "tools/call", {"name": "create_video", "arguments": {"prompt": "[sandbox:fail] a boat"}})
    )
    try:
        await process.stdin.send("".join(json.dumps(line) + "\n" for line in lines).encode())
        with anyio.fail_after(40):
            async with SqliteJournal(tmp_path / "journal.db") as journal, journal.changes() as feed:
                found = await whole(journal)
                while not (found and found[0].status is Status.FAILED):
                    await anext(feed)
                    found = await whole(journal)
        assert found[0].charged == "refunded"
    finally:
        process.kill()  # a client that goes away closes its pipe, which ends the server; here it may still be full
        await process.wait()
        await process.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_reads_again_after_a_while_hears_what_changed_meanwhile(tmp_path: Path, kind: str) -> None:
    """However much that was: more notifications of one kind are one, because all they say is "read it again"."""
    async with open_env(tmp_path) as env, deaf(env, kind, [LONG, own(1)]) as client:
        await env.listeners(1)
        (outbox,) = env.announcer.outboxes
        await deafened(env, outbox)
        for _ in range(3000):
            await env.announcer.bus.publish(ResourceUpdated(uri=LONG))
        await add(env.journal, task(1))
        with anyio.fail_after(5):
            while len(outbox) < 3:  # noqa: ASYNC110 - an outbox tells nobody but its listener
                await anyio.sleep(0.01)
        assert len(outbox) == 3
        await client.reads(f'{own(1)}".*list_changed')
        await env.journal.record("vid_1", Change(status=Status.COMPLETED), now=START + 1)
        await client.reads(f'{own(1)}"')


async def test_a_client_that_comes_before_the_journal_is_open_is_notified_once_it_is(tmp_path: Path) -> None:
    async with open_env(tmp_path) as env, anyio.create_task_group() as group:
        late = Announcer()
        listener = Listener()
        backend = Backend()
        opening_server = build_server(backend, sandbox=False, announcer=late)
        async with Client(opening_server, mode=LEGACY, message_handler=listener) as client:
            await listener.subscribe(client, LEGACY, [own(1)], group)
            backend.opened(env.engine)
            group.start_soon(late.follow, env.engine)
            await add(env.journal, task(1))
            with anyio.fail_after(5):
                await listener.wait_for(own(1))
                await listener.wait_for(LIST)
        group.cancel_scope.cancel()
