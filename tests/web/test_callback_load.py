"""Callbacks cost a forger nothing, and a thousand replays of a true one are few reads."""

import sqlite3
import statistics
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import SocketStream
from mcp import Client
from pydantic import SecretStr

from tests.support.entries import START, add, unfinished
from tests.support.raw_api import RawApi, answer, raw_api
from tests.support.results import structured
from tests.support.site import site
from veo_mcp.errors import Unavailable
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks.callbacks import AGAIN_SECONDS, SPACING_SECONDS
from veo_mcp.tasks.engine import Engine, open_engine

pytestmark = pytest.mark.anyio


async def test_a_forger_takes_no_lock_and_reads_and_writes_nothing(tmp_path: Path) -> None:
    """The journal is locked by somebody else, and forged callbacks are answered as if it was not."""
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        true = await env.token("vid_x")
        with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            for token in ("x", "vid_x.", "vid_x.0", true[:-1] + ("0" if true[-1] != "0" else "1"), "a" * 5000):
                assert (await http.post(f"{env.url}/callbacks/{token}", json={})).status_code == 404
            assert (await http.post(f"{env.url}/callbacks/{true}", json={})).status_code == 204
            assert time.monotonic() - began < 2
            other.execute("ROLLBACK")


async def test_before_the_secret_is_known_no_callback_is_proven_or_refused(tmp_path: Path) -> None:
    async with (
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url="http://127.0.0.1:9", key=SecretStr("sk-x")) as engine,
    ):
        with pytest.raises(Unavailable):
            engine.callbacks.prove("vid_x.0")
        token = await engine.callbacks.urls.token("vid_x")
        assert engine.callbacks.prove(token) == "vid_x"


async def test_wrong_unknown_and_former_tokens_get_the_same_answer_in_about_the_same_time(tmp_path: Path) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http, Client(env.url + "/mcp") as client:
        made = await client.call_tool("create_video", {"prompt": "[sandbox:slow] a boat"})
        known = (await env.entry(structured(made)["task_id"])).id
        former = (await env.token(known)).rpartition(".")[2][::-1]
        kinds = {"wrong": f"{known}.{'0' * 32}", "former": f"{known}.{former}", "unknown": f"vid_{'x' * 22}.{former}"}
        times = {kind: list[float]() for kind in kinds}
        answers = set[tuple[int, bytes]]()
        for _ in range(100):
            for kind, token in kinds.items():
                began = time.perf_counter()
                refused = await http.post(f"{env.url}/callbacks/{token}", json={"id": "x"})
                times[kind].append(time.perf_counter() - began)
                answers.add((refused.status_code, refused.content))
        assert answers == {(404, b"not found")}
        medians = [statistics.median(each) for each in times.values()]
        assert max(medians) < 1.5 * min(medians)


async def test_a_burst_of_a_thousand_holds_up_no_list(tmp_path: Path) -> None:
    async with site(tmp_path) as env, Client(env.url + "/mcp") as client:
        made = await client.call_tool("create_video", {"prompt": "[sandbox:slow] a boat"})
        entry = await env.entry(structured(made)["task_id"])
        url = f"{env.url}/callbacks/{await env.token(entry.id)}"
        slowest, over = 0.0, anyio.Event()

        async def list_on() -> None:
            nonlocal slowest
            while not over.is_set():
                began = time.monotonic()
                await client.call_tool("list_tasks", {})
                slowest = max(slowest, time.monotonic() - began)

        async def replay(http: httpx2.AsyncClient) -> None:
            for _ in range(50):
                assert (await http.post(url, json={"id": entry.upstream_id})).status_code == 204

        async with httpx2.AsyncClient() as http, anyio.create_task_group() as group:
            group.start_soon(list_on)
            async with anyio.create_task_group() as burst:
                for _ in range(20):
                    burst.start_soon(replay, http)
            over.set()
        assert slowest < 2


@dataclass
class Desk:
    """The receiver of callbacks alone, with a clock of the test's and an API that notes when it is read.

    `again` is done in every pause between two reads.
    """

    engine: Engine
    journal: SqliteJournal
    api: RawApi
    reads: list[float]
    again: Callable[[], None] = lambda: None

    def hint(self, *entry_ids: str) -> None:
        for entry_id in entry_ids:
            self.engine.callbacks.take(entry_id, b"{}")

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.reads, self.reads[1:], strict=False)]


@asynccontextmanager
async def desk(folder: Path, *, pauses: int, enough_reads: int = 1000) -> AsyncGenerator[Desk]:
    """Reads hints back once the block is done, in a time in which nobody waits, until so many pauses or reads."""
    now, reads, over = START, list[float](), anyio.CancelScope()

    async def script(stream: SocketStream) -> None:
        reads.append(now)
        await stream.send(answer(200, {"id": "task-1", "status": "processing", "created_at": 1}))

    async def sleep(seconds: float) -> None:
        nonlocal now, pauses
        now += seconds
        pauses -= 1
        env.again()
        if not pauses or len(reads) >= enough_reads:
            over.cancel()
        await anyio.lowlevel.checkpoint()

    async with (
        raw_api(script) as api,
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), clock=lambda: now, sleep=sleep) as engine,
    ):
        for number in (1, 2, 3):
            await add(journal, unfinished(number, api=api.base_url))
        env = Desk(engine, journal, api, reads)
        yield env
        with over, anyio.fail_after(30):
            await engine.callbacks.run()


async def test_replays_without_end_are_merged_into_few_reads(tmp_path: Path) -> None:
    """A thousand in each of the pauses of 15 s."""
    async with desk(tmp_path, pauses=round(15 / SPACING_SECONDS)) as env:

        def replay() -> None:
            env.hint(*["vid_1"] * 1000)

        env.again = replay
        replay()
    assert 2 <= len(env.reads) <= 4
    assert all(gap >= AGAIN_SECONDS for gap in env.gaps)


async def test_many_tasks_are_read_no_faster_than_the_poller_asks(tmp_path: Path) -> None:
    async with desk(tmp_path, pauses=1000, enough_reads=3) as env:
        env.hint("vid_1", "vid_2", "vid_3")
    assert len(env.reads) == 3
    assert all(gap >= SPACING_SECONDS - 1e-6 for gap in env.gaps)


async def test_while_the_api_has_asked_for_a_pause_nothing_is_read_and_no_hint_is_lost(tmp_path: Path) -> None:
    until = START + 2 * AGAIN_SECONDS
    async with desk(tmp_path, pauses=1000, enough_reads=1) as env:
        await env.journal.set_not_before(env.api.base_url, "", until)
        env.hint("vid_1")
    assert len(env.reads) == 1
    assert env.reads[0] >= until


async def test_a_finished_task_is_not_read_again(tmp_path: Path) -> None:
    async with desk(tmp_path, pauses=1) as env:
        await add(env.journal, unfinished(9, api=env.api.base_url, status=Status.COMPLETED))
        env.hint("vid_9")
    assert env.reads == []
