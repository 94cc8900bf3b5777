"""Progress of a waiting get_task: it always rises, is the API's number where there is one, and says what is usual."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream, TaskGroup
from mcp import Client
from pydantic import SecretStr

from tests.support.entries import START, add
from tests.support.listening import ERAS, HTTP, TRANSPORTS, Listener, client_of, open_env, quick, task
from tests.support.ports import free_port
from tests.support.raw_api import TASK_ID, answer, raw_api, success
from tests.support.results import structured
from veo_mcp.api.models import ApiTask
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.progress import ProgressCounter, progress_message
from veo_mcp.tasks.engine import open_engine
from veo_mcp.tasks.pace import usual
from veo_mcp.web.routes import serve_http

pytestmark = pytest.mark.anyio


class ProgressLog:
    """The progress notifications that one client received."""

    def __init__(self) -> None:
        self.numbers: list[float] = []
        self.messages: list[str] = []
        self._news = anyio.Event()

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        assert message
        self.numbers.append(progress)
        self.messages.append(message)
        self._news.set()

    async def wait_for(self, number: int) -> None:
        """Returns once that many have arrived."""
        while len(self.numbers) < number:
            self._news = anyio.Event()
            await self._news.wait()

    def start_waiting(
        self, client: Client, group: TaskGroup, *, task_id: str = "vid_1", seconds: int = 50
    ) -> anyio.Event:
        """Starts a waiting get_task; the event says that it has answered."""
        answered = anyio.Event()

        async def wait() -> None:
            await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": seconds}, progress_callback=self)
            answered.set()

        group.start_soon(wait)
        return answered


def rising(numbers: list[float]) -> bool:
    return all(before < after for before, after in pairwise(numbers))


@ERAS
@TRANSPORTS
async def test_each_number_of_the_api_is_the_progress_as_long_as_it_rises(
    tmp_path: Path, transport: str, era: str
) -> None:
    """In lockstep: every change sends a notification at once, long before the next periodic one is due."""
    received = ProgressLog()
    async with (
        open_env(tmp_path) as env,
        client_of(env, transport, era, Listener()) as client,
        anyio.create_task_group() as group,
    ):
        await add(env.journal, task(1))
        answered = received.start_waiting(client, group)
        with anyio.fail_after(3):
            await received.wait_for(1)
        said = [0.25, 3.0, 12.5, 12.4, 40.0, 99.0]
        for count, number in enumerate(said, 2):
            await env.journal.record("vid_1", Change(progress=number), now=START + 1)
            with anyio.fail_after(3):
                await received.wait_for(count)
        await env.journal.record("vid_1", Change(status=Status.COMPLETED), now=START + 2)
        with anyio.fail_after(3):
            await answered.wait()
        assert rising(received.numbers)
        first, *rest = received.numbers
        assert 0 <= first < 0.001
        assert rest[:3] == said[:3]
        assert said[2] < rest[3] < said[2] + 0.001  # it fell: the smallest step, which no later number can miss
        assert rest[4:] == said[4:]
        assert "40 by the API's count" in received.messages[5]
        group.cancel_scope.cancel()


@asynccontextmanager
async def server_of(folder: Path, base_url: str) -> AsyncGenerator[str]:
    """The whole server, poller included, in front of a scripted API."""
    port = free_port()
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=base_url, key=SecretStr("sk-x")) as engine,
        anyio.create_task_group() as group,
    ):
        backend = Backend()
        backend.opened(engine)
        server, up = build_server(backend, sandbox=False), anyio.Event()

        async def serve() -> None:
            await serve_http(server, backend, host="127.0.0.1", port=port, ready=up.set)

        group.start_soon(serve)
        group.start_soon(engine.poller.run)
        await up.wait()
        yield f"http://127.0.0.1:{port}/mcp"
        group.cancel_scope.cancel()


def script(*progress: float | None) -> Any:
    """Answers the create, then one number a read, then the end."""
    begun = {"id": TASK_ID, "status": "processing", "created_at": 1}
    left = [success(), *(answer(200, {**begun, "progress": number}) for number in progress)]
    failed = {"id": TASK_ID, "status": "failed", "created_at": 1, "error": {"code": "x", "message": "y"}}
    left.append(answer(200, failed))

    async def says(stream: SocketStream) -> None:
        await stream.send(left.pop(0) if len(left) > 1 else left[0])

    return says


@ERAS
async def test_the_numbers_of_a_scripted_api_arrive_word_for_word(tmp_path: Path, era: str) -> None:
    received = ProgressLog()
    async with (
        raw_api(script(5, 30.5, 30.5, 80)) as api,
        server_of(tmp_path, api.base_url) as url,
        Client(url, mode=era) as client,
    ):
        made = await client.call_tool("create_video", {"prompt": "a boat"})
        task_id = structured(made)["task_id"]
        await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 50}, progress_callback=received)
        assert rising(received.numbers)
        assert [number for number in received.numbers if number in (5, 30.5, 80)] == [5, 30.5, 80]
        assert all(number < 0.001 or 0 <= number % 0.5 < 0.001 for number in received.numbers)


@ERAS
async def test_an_api_that_gives_no_number_still_makes_progress_rise(tmp_path: Path, era: str) -> None:
    received = ProgressLog()
    async with (
        raw_api(script(None, None, None)) as api,
        server_of(tmp_path, api.base_url) as url,
        Client(url, mode=era) as client,
    ):
        made = await client.call_tool("create_video", {"prompt": "a boat"})
        task_id = structured(made)["task_id"]
        await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 50}, progress_callback=received)
        assert len(received.numbers) >= 2
        assert rising(received.numbers)
        assert max(received.numbers) < 0.001
        assert received.messages[0].startswith("pending, ")


@ERAS
async def test_progress_is_sent_every_five_seconds_while_other_tasks_change_all_the_time(
    tmp_path: Path, era: str
) -> None:
    received = ProgressLog()
    async with (
        open_env(tmp_path) as env,
        client_of(env, "http", era, Listener()) as client,
        anyio.create_task_group() as group,
    ):
        await quick(env.journal)
        for number in (1, 2):
            await add(env.journal, task(number))

        async def restless() -> None:
            for number in range(100_000):
                await env.journal.record("vid_2", Change(progress=float(number)), now=START + 1)
                await anyio.sleep(0.01)

        group.start_soon(restless)
        received.start_waiting(client, group)
        with anyio.fail_after(2):
            await received.wait_for(1)
        with anyio.fail_after(5):
            await received.wait_for(2)
        assert len(received.numbers) == 2
        group.cancel_scope.cancel()


@ERAS
@HTTP
async def test_once_eight_clips_are_known_the_message_says_what_is_usual(
    tmp_path: Path, transport: str, era: str
) -> None:
    async with (
        open_env(tmp_path) as env,
        client_of(env, transport, era, Listener()) as client,
        anyio.create_task_group() as group,
    ):
        await add(env.journal, task(1))
        for number in range(10, 18):
            before = ProgressLog()
            before.start_waiting(client, group, seconds=1)
            await before.wait_for(1)
            assert "usual" not in before.messages[0]
            done = task(number, status=Status.COMPLETED, polls=3, ended_at=START + 80 + 2 * (number - 10))
            await add(env.journal, done)
        after = ProgressLog()
        after.start_waiting(client, group, seconds=1)
        await after.wait_for(1)
        assert after.messages[0].endswith("s so far; usually done after about 87 s")
        group.cancel_scope.cancel()


async def test_what_is_usual_is_of_the_same_api_and_mode(tmp_path: Path) -> None:
    async with open_env(tmp_path) as env:
        for number in range(8):
            done = {"status": Status.COMPLETED, "polls": 3, "completed_at": START + 95, "ended_at": START + 90}
            await add(env.journal, task(number, **done))
        usual_time = env.engine.poller.usual
        assert await usual_time(task(9)) == 90
        assert await usual_time(task(9, mode="quality")) is None
        assert await usual_time(task(9, api="https://another.example")) is None


def test_the_usual_time_is_the_median_of_at_least_eight() -> None:
    assert usual([10.0] * 7) is None
    assert usual([80, 90, 70, 100, 1000, 60, 95, 85]) == 87.5


@pytest.mark.parametrize(
    "numbers", [[None] * 5, [0.0, 0.0, 0.0], [1e299] * 3, [-5.0, -5.0, 2.0], [None, 0.01, 0.01, 0.02]]
)
def test_progress_rises_whatever_the_api_says(numbers: list[float | None]) -> None:
    counter = ProgressCounter()
    sent = [counter.following(said, 4.0 * index) for index, said in enumerate(numbers)]
    assert rising(sent)
    firsts = [said for index, said in enumerate(numbers) if said is not None and said not in numbers[:index]]
    assert [said for said in sent if said in firsts] == firsts


@pytest.mark.parametrize("said", ["1e999", "-1e999", "9" * 400, "NaN", "true", '"7"', "[]"])
def test_what_is_no_number_says_nothing_about_progress(said: str) -> None:
    read = json.loads('{"id": "x", "status": "processing", "created_at": 1, "progress": ' + said + "}")
    assert ApiTask.model_validate(read).progress is None


def test_the_message_names_status_time_and_what_is_known() -> None:
    entry = task(1, status=Status.PROCESSING)
    assert progress_message(entry, START + 42, None) == "processing, 42 s so far"
    assert progress_message(entry, START + 42, 94.6) == "processing, 42 s so far; usually done after about 95 s"
    known = task(1, status=Status.PROCESSING, progress=45.0)
    assert progress_message(known, START + 42, None) == "processing (45 by the API's count), 42 s so far"
