"""The HTTP middleware: names compared whole, limits on everything, nothing of a request in the log, nobody kept out."""

import json
import resource
import socket
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import anyio
import anyio.abc
import httpx2
import pytest
from mcp import Client
from starlette.types import Message, Receive, Scope, Send

from tests.support.child import INITIALIZE, Child, http_child
from tests.support.ports import free_port
from tests.support.site import site
from veo_mcp.web.access import Access
from veo_mcp.web.allowed_hosts import LOOPBACK, host_of, origin_host
from veo_mcp.web.bodies import Bodies, BodyRefused
from veo_mcp.web.runner import serve_app
from veo_mcp.web.sessions import Sessions

pytestmark = pytest.mark.anyio

JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
MODERN = {**JSON, "MCP-Protocol-Version": "2026-07-28"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST:8000", "[::1]", "[::1]:65535", "LocalHost"])
def test_own_names_are_known_in_any_case_and_with_any_port(host: str) -> None:
    assert host_of(host) in LOOPBACK
    assert origin_host(f"http://{host}") in LOOPBACK
    assert origin_host(f"HTTPS://{host}") in LOOPBACK


@pytest.mark.parametrize(
    "host",
    [
        "localhost:1.evil.example",
        "127.0.0.1.evil.example:80",
        "evil.example",
        "localhost:99999",
        "localhost:",
        "localhost@evil.example",
        "localhost/evil",
        "localhost:80:80",
        "[::1].evil.example",
        "localhost evil",
        "localhost.",
        "",
    ],
)
def test_a_name_that_only_begins_like_ours_is_refused(host: str) -> None:
    assert host_of(host) not in LOOPBACK
    assert origin_host(f"http://{host}") not in LOOPBACK


@pytest.mark.parametrize("origin", ["null", "", "localhost", "file://localhost", "http:localhost", "ftp://localhost"])
def test_what_is_no_origin_of_a_web_page_is_refused(origin: str) -> None:
    assert origin_host(origin) is None


async def test_other_host_names_are_refused_and_ours_are_served(tmp_path: Path) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        for path in ("/mcp", "/sse", "/messages/?session_id=0"):
            evil = {"Host": "localhost:1.evil.example"}
            assert (await http.post(env.url + path, headers=evil, json={})).status_code == 421
            evil = {"Origin": "http://localhost:1.evil.example"}
            assert (await http.post(env.url + path, headers=evil, json={})).status_code == 403
        ours = {**JSON, "Host": "LOCALHOST:8000", "Origin": "http://LocalHost"}
        assert (await http.post(env.url + "/mcp", headers=ours, json=INITIALIZE)).status_code == 200


async def test_what_is_posted_and_no_message_is_answered_in_our_words_in_both_eras(tmp_path: Path) -> None:
    bodies = [
        b"nope",
        b"[]",
        b'{"id":5}',
        b"[" * 100_000,
        b'{"jsonrpc":"2.0","id":6,"method":"ping","params":"\\ud83d"}',
    ]
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        for headers in (JSON, MODERN):
            for path in ("/mcp", "/messages/?session_id=" + "0" * 32):
                for body in bodies:
                    answer = await http.post(env.url + path, headers=headers, content=body)
                    assert answer.status_code == 400, body
                    assert "Not charged." in answer.json()["error"]["message"]
                    assert "pydantic" not in answer.text
        large = await http.post(env.url + "/mcp", headers=JSON, content=b" " * (4 * 1024 * 1024 + 1))
        assert large.status_code == 413
        assert "Not charged." in large.json()["error"]["message"]
        assert (await http.head(env.url + "/sse")).status_code == 405
        assert (await http.head(env.url + "/mcp")).status_code in (400, 405, 406)


async def test_the_log_has_no_traceback_and_nothing_of_a_request(tmp_path: Path) -> None:
    async with http_child(tmp_path) as child, httpx2.AsyncClient() as http:
        secret = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"prompt":"a secret prompt"'
        opened = await http.post(child.url + "/mcp", headers=JSON, json=INITIALIZE)
        session = opened.headers["mcp-session-id"]
        for path in ("/mcp", "/messages/?session_id=" + "a" * 32, "/messages/?session_id=secret", "/messages/"):
            await http.post(child.url + path, headers=JSON, content=secret)
            await http.post(child.url + path, headers=JSON, json=INITIALIZE)
        await http.head(child.url + "/sse")
        await http.get(child.url + "/sse", headers={"Host": "secret.example"})
        await http.delete(child.url + "/mcp", headers={**JSON, "mcp-session-id": session})
        await http.delete(child.url + "/mcp", headers={**JSON, "mcp-session-id": "secret"})
        await http.post(child.url + "/callbacks/secret.secret", content=b"secret")
        for path in ("/mcp", "/messages/?session_id=" + "a" * 32, "/callbacks/secret.0"):
            hang_up(child, f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{secret".encode())
        hang_up(child, b"GET /sse HTTP/1.1\r\nHost: localhost\r\n\r\n")
        hang_up(child, b"secret nonsense\r\n\r\n")
        assert (await http.get(child.url + "/readyz")).json() == {"status": "ready"}
        assert "secret" not in child.err
        assert "Traceback" not in child.err
        assert session not in child.err


def hang_up(child: Child, request: bytes) -> None:
    with socket.create_connection(("127.0.0.1", int(child.url.rpartition(":")[2]))) as raw:
        raw.sendall(request)


@pytest.mark.skipif(sys.platform != "linux", reason="counts on how Linux limits descriptors")
async def test_silent_connections_keep_no_client_out(tmp_path: Path) -> None:
    """1,224 connections that say nothing or half of a request, at a server with 1,024 descriptors."""
    around = ("bash", "-c", 'ulimit -n 1024; exec "$@"', "-")
    own, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if own < 2000:
        if hard != resource.RLIM_INFINITY and hard < 2000:
            pytest.skip("this process may not have that many descriptors itself")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
    async with http_child(tmp_path, around=around) as child:
        address = ("127.0.0.1", int(child.url.rpartition(":")[2]))
        with ExitStack() as strangers:
            for number in range(1224):
                raw = strangers.enter_context(socket.create_connection(address, timeout=20))
                if number % 2:
                    raw.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
            for _ in range(10):
                began = time.monotonic()
                # Somebody new each time: whoever was in before the strangers has a place already.
                async with Client(child.url + "/mcp") as client:
                    await client.call_tool("list_tasks", {})
                assert time.monotonic() - began < 2
            assert len(child.err) < 5000
            assert "Traceback" not in child.err


async def silent_app(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers at once, for tests of what is in front of it."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def connection_to_silent_app(*, header_seconds: float) -> AsyncGenerator[anyio.abc.SocketStream]:
    """A connection to a server of its own that waits so long for the headers."""
    up, port = anyio.Event(), free_port()
    async with anyio.create_task_group() as group:

        async def serve() -> None:
            await serve_app(silent_app, "127.0.0.1", port, ready=up.set, header_seconds=header_seconds)

        group.start_soon(serve)
        await up.wait()
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            yield stream
        group.cancel_scope.cancel()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost:", b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"])
async def test_half_a_request_does_not_stay_open(said: bytes) -> None:
    """Silent, with half of its headers, or with half of a second request after a whole one."""
    async with connection_to_silent_app(header_seconds=0.2) as stream:
        if said:
            await stream.send(said)
        with anyio.fail_after(4):
            async for _ in stream:  # whatever is said before it is closed
                pass


async def test_a_trickle_that_never_ends_a_header_is_cut_off_all_the_same() -> None:
    async with connection_to_silent_app(header_seconds=0.3) as stream, anyio.create_task_group() as group:
        await stream.send(b"GET / HTTP/1.1\r\n")

        async def trickle() -> None:
            with suppress(anyio.BrokenResourceError):
                for number in range(1000):
                    await stream.send(b"x-%d: y\r\n" % number)
                    await anyio.sleep(0.05)

        group.start_soon(trickle)
        with anyio.fail_after(5), suppress(anyio.BrokenResourceError):
            async for _ in stream:
                pass
        group.cancel_scope.cancel()


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def never() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    with pytest.raises(BodyRefused, match="did not come") as refusal:
        async with Bodies().read(never, [], limit=10, seconds=0.05):
            pass
    assert refusal.value.status == 408


async def test_large_bodies_are_held_only_so_many_at_once() -> None:
    bodies = Bodies(large_at_once=2)

    async def large() -> Message:
        return {"type": "http.request", "body": b"x" * 300_000, "more_body": False}

    held = 0
    async with anyio.create_task_group() as group:

        async def hold() -> None:
            nonlocal held
            async with bodies.read(large, [], limit=400_000, seconds=60):
                held += 1
                await anyio.sleep_forever()

        for _ in range(5):
            group.start_soon(hold)
        await anyio.wait_all_tasks_blocked()
        assert held == 2
        group.cancel_scope.cancel()


async def test_sessions_that_were_never_ended_make_room_for_new_ones(tmp_path: Path) -> None:
    """Clients vanish without a DELETE, where five sessions are kept: the oldest are ended, and nobody is refused."""
    async with site(tmp_path, access=Access(sessions=5)) as env, httpx2.AsyncClient() as http:

        async def opened() -> str:
            answer = await http.post(env.url + "/mcp", headers=JSON, json=INITIALIZE)
            assert answer.status_code == 200
            return str(answer.headers["mcp-session-id"])

        async def alive(session: str) -> bool:
            ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
            answer = await http.post(env.url + "/mcp", headers={**JSON, "mcp-session-id": session}, json=ping)
            return answer.status_code == 200

        first = await opened()
        vanished = [await opened() for _ in range(4)]
        assert await alive(first), "used again, it is not the one left unused longest"
        later = [await opened() for _ in range(4)]
        assert [await alive(session) for session in [first, *later]] == [True] * 5
        assert [await alive(session) for session in vanished] == [False] * 4


async def test_a_session_in_use_is_never_ended() -> None:
    ended: list[str] = []
    release = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"mcp-session-id", name)]})
        if name == b"/busy":
            await release.wait()

    async def end(session: str) -> None:
        ended.append(session)

    async def nothing(_message: Message) -> None:
        pass

    async def never() -> Message:
        return {"type": "http.disconnect"}

    sessions = Sessions(app, end, limit=1)

    async def visit(path: str) -> None:
        await sessions({"type": "http", "method": "POST", "path": path, "headers": []}, never, nothing)

    async with anyio.create_task_group() as group:
        group.start_soon(visit, "/busy")
        await anyio.wait_all_tasks_blocked()
        for path in ("/a", "/b", "/c"):
            await visit(path)
        assert ended == ["/a", "/b"]
        release.set()
    assert ended == ["/a", "/b", "/c"]


async def test_a_whole_message_is_still_a_message(tmp_path: Path) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        spaced = json.dumps(INITIALIZE, indent=4).encode() + b"\n\n"
        assert (await http.post(env.url + "/mcp", headers=JSON, content=spaced)).status_code == 200
