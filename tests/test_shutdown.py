"""Asked to end, the server takes no new calls, answers what it has begun, and exits 0; asked twice, it ends at once."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream
from mcp import Client
from mcp.client.sse import sse_client
from mcp_types import CallToolResult

from tests.support.child import INITIALIZE, Child, call, http_child, settings, stdio_child
from tests.support.raw_api import RawApi, raw_api, success
from tests.support.results import structured
from tests.support.stack import text
from veo_mcp.server.shutdown import LINGER_SECONDS, LOOKING_SECONDS

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals that a process could take in order"),
]

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
NOT_BEGUN = "is ending, so this call was not begun. Not charged."


@dataclass
class SlowApi:
    """An API that answers a create once `go_on` is set."""

    api: RawApi
    asked: anyio.Event
    go_on: anyio.Event


@asynccontextmanager
async def slow_api() -> AsyncGenerator[SlowApi]:
    asked, go_on = anyio.Event(), anyio.Event()

    async def script(stream: SocketStream) -> None:
        asked.set()
        await go_on.wait()
        await stream.send(success())

    async with raw_api(script) as api:
        yield SlowApi(api, asked, go_on)
        go_on.set()


def rows(folder: Path, column: str) -> list[str]:
    with closing(sqlite3.connect(folder / "journal.db")) as db:
        return [value for (value,) in db.execute(f"SELECT {column} FROM entries")]  # noqa: S608 - a name of the test's


@pytest.mark.parametrize("number", SIGNALS)
async def test_over_stdio_a_create_under_way_is_answered_and_no_other_is_begun(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with slow_api() as slow, stdio_child(tmp_path, slow.api.base_url) as child:
        await child.open()
        await child.send(call(1, "create_video", prompt="a boat"))
        await slow.asked.wait()
        child.signal(number)
        await child.send(call(2, "get_credits"))
        # Whether this one comes before or after the signal, nobody can say; asked again, it is refused in the end.
        with anyio.fail_after(30):
            while NOT_BEGUN not in str((await child.answer(2))["result"]):
                await child.send(call(2, "get_credits"))
        await child.send(call(3, "create_video", prompt="another boat"))
        assert NOT_BEGUN in str((await child.answer(3))["result"])
        if number is signal.SIGTERM:
            # Longer than anything but a create is waited for.
            await anyio.sleep(LOOKING_SECONDS + LINGER_SECONDS + 2)
        slow.go_on.set()
        made = (await child.answer(1))["result"]
        assert made["structuredContent"]["charged"] == "yes"
        status, _ = await child.ended(10)
        assert status == (130 if number is signal.SIGINT else 0)
        assert slow.api.posts == 1
        assert "Traceback" not in child.err
    assert rows(tmp_path, "status") == ["pending"]


@pytest.mark.parametrize("era", ["auto", "legacy"])
@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_over_http_a_create_under_way_is_answered_and_no_other_is_begun(
    tmp_path: Path, path: str, era: str
) -> None:
    async with slow_api() as slow, http_child(tmp_path, slow.api.base_url) as child:
        results: list[CallToolResult] = []

        def client() -> Client:
            return Client(sse_client(child.url + path) if path == "/sse" else child.url + path, mode=era)

        # The ends of streams may reach a client as errors of its own, once it has what it asked for.
        async with client() as one, anyio.create_task_group() as group:

            async def create() -> None:
                results.append(await one.call_tool("create_video", {"prompt": "a boat"}))

            group.start_soon(create)
            await slow.asked.wait()
            child.signal(signal.SIGTERM)
            with anyio.fail_after(30):
                while NOT_BEGUN not in text(await one.call_tool("get_credits", {})):
                    pass
            assert NOT_BEGUN in text(await one.call_tool("create_video", {"prompt": "another boat"}))
            slow.go_on.set()
        assert structured(results[0])["charged"] == "yes"
        assert (await child.ended(10))[0] == 0
        assert slow.api.posts == 1
        assert "Traceback" not in child.err


@pytest.mark.parametrize(
    ("kind", "number"),
    [("http", signal.SIGTERM), ("http", signal.SIGINT), ("sse", signal.SIGHUP), *(("stdio", each) for each in SIGNALS)],
)
async def test_an_idle_server_ends_within_five_seconds(tmp_path: Path, kind: str, number: signal.Signals) -> None:
    async with idle(tmp_path, kind) as child:
        child.signal(number)
        status, seconds = await child.ended(20)
        assert status == (130 if number is signal.SIGINT else 0)
        assert seconds < 5
        assert "Traceback" not in child.err


@asynccontextmanager
async def idle(folder: Path, kind: str, around: tuple[str, ...] = ()) -> AsyncGenerator[Child]:
    if kind == "stdio":
        async with stdio_child(folder, around=around) as child:
            await child.open()
            yield child
    else:
        async with http_child(folder, transport=kind, around=around) as child:
            yield child


@pytest.mark.parametrize("path", ["/mcp", "/sse"])
@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_clients_that_only_listen_hold_nothing_up(tmp_path: Path, path: str, era: str) -> None:
    async with http_child(tmp_path) as child, anyio.create_task_group() as group:

        async def listen() -> None:
            target = sse_client(child.url + path) if path == "/sse" else child.url + path
            async with Client(target, mode=era) as client:
                await client.list_tools()
                listening.set()
                await anyio.sleep_forever()

        listening = anyio.Event()
        group.start_soon(listen)
        await listening.wait()
        child.signal(signal.SIGTERM)
        status, seconds = await child.ended(20)
        assert (status, seconds < 5) == (0, True)
        assert "Traceback" not in child.err
        assert "Cancel" not in child.err, "the streams were ended in order"
        group.cancel_scope.cancel()


@pytest.mark.parametrize("kind", ["stdio", "http"])
async def test_as_the_first_process_of_a_container_it_ends_as_asked(tmp_path: Path, kind: str) -> None:
    around = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    if shutil.which("unshare") is None or (await anyio.run_process([*around, "true"], check=False)).returncode:
        pytest.skip("unshare, which makes a process the first one, is not there or not allowed")
    async with idle(tmp_path, kind, around) as child:
        children = anyio.Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children")
        (first,) = (await children.read_text()).split()
        os.kill(int(first), signal.SIGTERM)
        status, seconds = await child.ended(20)
        assert (status, seconds < 5) == (0, True)


@pytest.mark.parametrize("kind", ["stdio", "http"])
async def test_a_second_signal_ends_it_at_once_and_the_outcome_is_unknown_at_the_next_start(
    tmp_path: Path, kind: str
) -> None:
    async with slow_api() as slow:
        opened = stdio_child if kind == "stdio" else http_child
        async with opened(tmp_path, slow.api.base_url) as child, anyio.create_task_group() as group:
            if kind == "stdio":
                await child.open()
                await child.send(call(1, "create_video", prompt="a boat"))
            else:
                group.start_soon(create_and_lose, child)
            await slow.asked.wait()
            child.signal(signal.SIGTERM)
            with anyio.fail_after(30):
                while "Asked to end" not in child.err:  # noqa: ASYNC110 - another process
                    await anyio.sleep(0.02)
            child.signal(signal.SIGTERM)
            status, seconds = await child.ended(5)
            assert status == 128 + signal.SIGTERM
            assert seconds < 2
            group.cancel_scope.cancel()
        assert rows(tmp_path, "status") == ["submitting"]
        with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as db:
            # Instead of waiting for a minute.
            db.execute("UPDATE entries SET deadline = 1")
        async with stdio_child(tmp_path, slow.api.base_url) as child:
            await child.open()
            with anyio.fail_after(30):
                while rows(tmp_path, "status") != ["unknown"]:  # noqa: ASYNC110 - another process
                    await anyio.sleep(0.1)


async def create_and_lose(child: Child) -> None:
    with suppress(Exception):  # the server is ended in the middle, which the client finds out in its own way
        async with Client(child.url + "/mcp") as client:
            await client.call_tool("create_video", {"prompt": "a boat"})


async def test_what_it_had_leased_is_free_for_another_server_at_once(tmp_path: Path) -> None:
    made, leased = anyio.Event(), anyio.Event()

    async def hangs_at_reads(stream: SocketStream) -> None:
        if not made.is_set():
            made.set()
            await stream.send(success())
        else:
            leased.set()
            await anyio.sleep_forever()

    async with raw_api(hangs_at_reads) as api, stdio_child(tmp_path, api.base_url) as child:
        await child.open()
        await child.send(call(1, "create_video", prompt="a boat"))
        await child.answer(1)
        with anyio.fail_after(30):
            await leased.wait()
        assert rows(tmp_path, "leased_by") != [None]
        child.signal(signal.SIGTERM)
        assert (await child.ended(10))[0] == 0
        assert rows(tmp_path, "leased_by") == [None]


def test_a_client_that_closes_stdout_alone_ends_it_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "veo_mcp"]
    with subprocess.Popen(
        command, env=settings(tmp_path, None), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        process.stdin.flush()
        assert b"veo-mcp" in process.stdout.readline()
        process.stdout.close()
        assert process.wait(10) == 0


async def test_what_was_asked_before_stdin_closed_is_answered(tmp_path: Path) -> None:
    async with stdio_child(tmp_path) as child:
        await child.open()
        await child.send(call(1, "create_video", prompt="a boat"))
        assert child.process.stdin is not None
        await child.process.stdin.aclose()
        assert (await child.answer(1))["result"]["structuredContent"]["charged"] == "yes"
        assert (await child.ended(10))[0] == 0
        assert "Traceback" not in child.err


async def test_a_wait_for_a_video_is_cut_short_in_words(tmp_path: Path) -> None:
    async with stdio_child(tmp_path, VEO_SANDBOX_SECONDS="60") as child:
        await child.open()
        await child.send(call(1, "create_video", prompt="a boat"))
        task = (await child.answer(1))["result"]["structuredContent"]["task_id"]
        await child.send(call(2, "get_task", task_id=task, wait_seconds=50), call(3, "get_credits"))
        await child.answer(3)
        child.signal(signal.SIGTERM)
        cut = (await child.answer(2))["result"]
        assert cut["isError"]
        assert "it keeps every task" in cut["content"][0]["text"]
        status, seconds = await child.ended(10)
        assert (status, seconds < 5) == (0, True)
