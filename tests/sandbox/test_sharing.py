"""Two keyless servers on one machine share one sandbox, and the second takes over when the first goes."""

import logging
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest
from anyio.abc import Process
from mcp import Client

from tests.support.processes import server, veo_mcp
from tests.support.stack import text
from veo_mcp.errors import SandboxUnavailable
from veo_mcp.sandbox.embedded import embedded, status_of

pytestmark = pytest.mark.anyio

HOST = """
import anyio, sys
from pathlib import Path
from veo_mcp.sandbox.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1]), 0.0) as url:
        print(url, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def credits(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        return await http.get(url + "/v1/credits", headers={"Authorization": "Bearer sk-x"})


@asynccontextmanager
async def host(folder: Path) -> AsyncGenerator[tuple[Process, str]]:
    """Another process that hosts the folder's sandbox, and its URL."""
    process = await anyio.open_process([sys.executable, "-c", HOST, str(folder)], env={**os.environ}, stderr=None)
    try:
        assert process.stdout is not None
        yield process, (await process.stdout.receive()).decode().strip()
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.aclose()


@contextmanager
def taken(port: int) -> Generator[None]:
    """Something else on a port, as an outgoing connection would be: bound, and nobody listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        yield


async def until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not holds():  # noqa: ASYNC110 - it happens in another process, or in a file
            await anyio.sleep(0.05)


async def answered(url: str) -> None:
    with anyio.fail_after(20):
        while await status_of(url) is None:  # noqa: ASYNC110 - it can only be asked
            await anyio.sleep(0.05)


async def test_the_next_host_takes_over_on_the_same_port_with_the_same_books(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    async with host(folder) as (first, url), embedded(folder, 0.0) as mine:
        ledger = (await credits(url)).headers["x-veo-sandbox"]
        assert mine == url
        async with httpx2.AsyncClient() as http:
            body = {"model": "veo-3", "input": {"prompt": "[sandbox:slow] x"}}
            made = await http.post(url + "/v1/videos/generations", json=body, headers={"Authorization": "Bearer sk-x"})
        first.send_signal(signal.SIGKILL)
        await first.aclose()
        with anyio.fail_after(10):
            while True:
                try:
                    again = await credits(url)
                    break
                except httpx2.TransportError:
                    await anyio.sleep(0.05)
        assert again.headers["x-veo-sandbox"] == ledger
        assert again.json()["data"]["total_consumed"] == 40
        assert made.status_code == 200


async def test_the_port_of_a_folder_stays_for_ever(tmp_path: Path) -> None:
    urls: set[str] = set()
    for _ in range(3):
        async with embedded(tmp_path / "sandbox", 0.0) as url:
            urls.add(url)
            assert (await credits(url)).status_code == 200
    assert len(urls) == 1


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


async def test_a_kept_port_that_is_taken_is_replaced_and_served_again_once_it_is_free(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with embedded(tmp_path, 0.0) as url:
        first = url
    with taken(port_of(first)):
        async with embedded(tmp_path, 0.0) as url:
            second = url
            assert second != first
            assert (await credits(second)).status_code == 200
            assert f"moved to port {port_of(second)}" in caplog.text
    async with embedded(tmp_path, 0.0) as url:
        assert url == second
        await answered(first)
        assert (await credits(first)).headers["x-veo-sandbox"] == (await credits(second)).headers["x-veo-sandbox"]


async def test_old_links_work_again_while_the_same_host_runs(tmp_path: Path) -> None:
    async with embedded(tmp_path, 0.0) as url:
        first = url
    with ExitStack() as stack:
        stack.enter_context(taken(port_of(first)))
        async with embedded(tmp_path, 0.0) as second:
            assert second != first
            assert await status_of(first) is None
            stack.close()
            await answered(first)
            assert (await credits(first)).headers["x-veo-sandbox"] == (await credits(second)).headers["x-veo-sandbox"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "port",
        "0",
        "-1",
        "65536",
        "80",
        "9" * 5000,
        "\u00b2\u00b2\u00b2\u00b2\u00b2",
        "12 34",
        "[20000]",
        "\0",
    ],
    ids=lambda text: repr(text)[:20],
)
async def test_a_port_file_that_is_no_port_heals(tmp_path: Path, text: str) -> None:
    (tmp_path / "port").write_text(text)
    async with embedded(tmp_path, 0.0) as url:
        assert (await credits(url)).status_code == 200
        assert int((tmp_path / "port").read_text()) == port_of(url)


async def test_a_lost_port_file_leads_to_the_same_port_again(tmp_path: Path) -> None:
    async with embedded(tmp_path, 0.0) as url:
        first = url
    (tmp_path / "port").unlink()
    async with embedded(tmp_path, 0.0) as url:
        assert url == first
    # Linux hands the ports from 32768 on to outgoing connections.
    assert 20_000 <= port_of(first) < 32_000


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
async def test_a_holder_that_does_not_answer_is_named_instead_of_waited_for(tmp_path: Path) -> None:
    async with host(tmp_path) as (process, _url):
        process.send_signal(signal.SIGSTOP)
        with anyio.fail_after(20), pytest.raises(SandboxUnavailable, match=f"process id {process.pid}") as refusal:
            async with embedded(tmp_path, 0.0, patience=1.0):
                raise AssertionError("nobody answers")
        assert "VEO_SANDBOX_DIR" in refusal.value.explanation
        process.send_signal(signal.SIGCONT)
        async with embedded(tmp_path, 0.0) as url:
            assert (await credits(url)).status_code == 200


HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="uses flock")
async def test_a_lock_whose_holder_serves_nothing_is_an_error_after_the_patience(tmp_path: Path) -> None:
    lock = tmp_path / "host.lock"
    process = await anyio.open_process([sys.executable, "-c", HOLDER, str(lock)], stderr=None)
    try:
        assert process.stdout is not None
        await process.stdout.receive()
        with anyio.fail_after(20), pytest.raises(SandboxUnavailable, match="another veo-mcp process, which does not"):
            async with embedded(tmp_path, 0.0, patience=0.5):
                raise AssertionError("nobody answers")
    finally:
        process.send_signal(signal.SIGKILL)
        await process.aclose()


async def test_a_host_that_falls_silent_later_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with host(tmp_path) as (process, _url), embedded(tmp_path, 0.0, patience=0.3, look_seconds=0.1):
        process.send_signal(signal.SIGSTOP)
        await until(lambda: f"process id {process.pid}" in caplog.text)
        process.send_signal(signal.SIGCONT)


async def test_taking_over_beside_a_taken_port_starts_everything_again_at_another(tmp_path: Path) -> None:
    # Meanwhile the file names another port, and on it sits somebody else: the host of tomorrow must move.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        async with host(tmp_path) as (process, url):

            async def used() -> None:
                async with embedded(tmp_path, 0.0) as mine:
                    assert mine == url
                    (tmp_path / "port").write_text(f"{other.getsockname()[1]}\n{port_of(url)}\n")
                    process.send_signal(signal.SIGKILL)
                    await anyio.sleep_forever()

            with anyio.fail_after(20), pytest.raises(SandboxUnavailable, match="moved to"):
                await used()
        async with embedded(tmp_path, 0.0) as there:
            assert there not in (url, f"http://127.0.0.1:{other.getsockname()[1]}")
            assert (await credits(there)).status_code == 200
            await answered(url)


def spoil(folder: Path, how: str) -> None:
    match how:
        case "no database":
            (folder / "ledger.db").write_bytes(b"not a database" * 1000)
        case "a newer version":
            with sqlite3.connect(folder / "ledger.db") as db:
                db.execute("PRAGMA user_version = 999")
        case "a folder for a lock":
            (folder / "host.lock").mkdir()
        case _:
            folder.rmdir()
            folder.write_text("a file")


@pytest.mark.parametrize("how", ["no database", "a newer version", "a folder for a lock", "a file for a folder"])
async def test_a_folder_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    spoil(folder, how)
    with pytest.raises(SandboxUnavailable, match="VEO_SANDBOX_DIR"):
        async with embedded(folder, 0.0):
            raise AssertionError("it cannot be used")


async def test_the_state_of_the_work_can_be_asked_for(tmp_path: Path) -> None:
    async with embedded(tmp_path, 0.0) as url:
        status = await status_of(url)
        assert status == {
            "status": "ok",
            "ok": True,
            "open_tasks": 0,
            "failures": 0,
            "last_failure": None,
            "last_failure_at": None,
        }
    assert await status_of(url) is None


async def test_check_says_what_goes_wrong_in_the_shared_sandbox(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    async with host(folder) as (_process, url):
        done = await anyio.to_thread.run_sync(veo_mcp, tmp_path, "check")
        assert done.returncode == 0, done.stderr
        with sqlite3.connect(folder / "ledger.db") as db:
            db.execute("CREATE TRIGGER full BEFORE UPDATE ON tasks BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        async with httpx2.AsyncClient() as http:
            body = {"model": "veo-3", "input": {"prompt": "[sandbox:fail]"}}
            await http.post(url + "/v1/videos/generations", json=body, headers={"Authorization": "Bearer sk-x"})
        with anyio.fail_after(20):
            while (await status_of(url) or {})["status"] == "ok":  # noqa: ASYNC110 - it can only be asked
                await anyio.sleep(0.05)
        done = await anyio.to_thread.run_sync(veo_mcp, tmp_path, "check")
        assert done.returncode == 1
        assert "ledger cannot be written" in done.stderr
        assert "disk is full" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
async def test_every_tool_names_a_holder_that_does_not_answer_and_works_once_it_does(tmp_path: Path) -> None:
    async with host(tmp_path / "sandbox") as (process, _url):
        process.send_signal(signal.SIGSTOP)
        async with Client(server(tmp_path, seconds=0)) as client:
            with anyio.fail_after(60):
                said = [text(await client.call_tool(tool, {})) for tool in ("get_credits", "list_tasks")]
            assert all(f"process id {process.pid}" in words and "VEO_SANDBOX_DIR" in words for words in said), said
            process.send_signal(signal.SIGCONT)
            with anyio.fail_after(60):
                while (await client.call_tool("get_credits", {})).is_error:  # noqa: ASYNC110 - it can only be asked
                    await anyio.sleep(0.2)
