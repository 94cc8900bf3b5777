"""The poller against a real socket, with a clock that is an argument: its sleeping is what moves the time."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketStream
from pydantic import SecretStr

from tests.support.entries import START, add, everything, unfinished
from tests.support.raw_api import answer, balance, error
from veo_mcp.api.client import READ_SECONDS, READ_TOTAL_SECONDS
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.tasks.poller import LEASE_SECONDS, SPACING_SECONDS

pytestmark = pytest.mark.anyio


@dataclass
class World:
    """Time, and an API that answers reads as the test says."""

    now: float = START
    asked: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    reply: bytes | None = None
    under_way: dict[str, int] = field(default_factory=dict[str, int])
    overlaps: int = 0
    hold: anyio.Event | None = None

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await anyio.lowlevel.checkpoint()

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            head = await stream.receive()
            if head.startswith(b"GET /v1/credits"):
                await stream.send(balance())
                return
            task_id = head.split(b" ")[1].rsplit(b"/", 1)[1].decode()
            self.asked.append((self.now, task_id))
            self.under_way[task_id] = self.under_way.get(task_id, 0) + 1
            self.overlaps += self.under_way[task_id] > 1
            if self.hold is not None and task_id == "task-0":
                await self.hold.wait()
            task: dict[str, object] = {"id": task_id, "status": "processing", "created_at": int(START)}
            await stream.send(self.reply or answer(200, task))
            self.under_way[task_id] -= 1


@asynccontextmanager
async def polling(folder: Path, world: World, tasks: int) -> AsyncGenerator[tuple[Engine, Engine]]:
    """Two engines, as of two processes, over one journal with this many unfinished tasks."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    base_url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, world.serve)
        async with SqliteJournal(folder / "j.db") as one, SqliteJournal(folder / "j.db") as two:
            for number in range(tasks):
                await add(one, unfinished(number, api=base_url))
            async with (
                open_engine(
                    one,
                    base_url=base_url,
                    key=SecretStr("sk-x"),
                    clock=world.clock,
                    monotonic=world.clock,
                    sleep=world.sleep,
                ) as first,
                open_engine(
                    two,
                    base_url=base_url,
                    key=SecretStr("sk-x"),
                    clock=world.clock,
                    monotonic=world.clock,
                    sleep=world.sleep,
                ) as second,
            ):
                yield first, second
        group.cancel_scope.cancel()


async def turn(engine: Engine, world: World) -> None:
    if not await engine.poller.round():
        await world.sleep(1.0)


async def test_five_hundred_unfinished_tasks_make_at_most_five_requests_a_second(tmp_path: Path) -> None:
    world = World()
    async with polling(tmp_path, world, 500) as (engine, _):
        while world.now < START + 60:
            await turn(engine, world)
    seconds = [int(moment) for moment, _ in world.asked]
    assert max(seconds.count(second) for second in set(seconds)) <= 5
    assert len({task_id for _, task_id in world.asked}) >= 250


async def test_a_server_waits_for_the_turns_that_others_on_the_journal_took(tmp_path: Path) -> None:
    world = World()
    async with polling(tmp_path, world, 1) as (first, second):
        (scope,) = await first.accounts.scopes()
        for _ in range(10):
            await second.journal.take_turn(scope.api, scope.pauser, now=world.now, seconds=SPACING_SECONDS)
        await first.poller.round()
    ((moment, _task),) = world.asked
    assert moment - START == pytest.approx(10 * SPACING_SECONDS)


async def test_two_servers_on_one_journal_never_ask_about_the_same_task_at_once(tmp_path: Path) -> None:
    world = World()
    async with polling(tmp_path, world, 20) as (first, second):
        for _ in range(30):
            async with anyio.create_task_group() as group:
                group.start_soon(turn, first, world)
                group.start_soon(turn, second, world)
    assert world.overlaps == 0
    gaps: dict[str, list[float]] = {}
    for moment, task_id in world.asked:
        gaps.setdefault(task_id, []).append(moment)
    assert len(gaps) == 20


async def test_after_a_429_nothing_is_asked_before_its_retry_after(tmp_path: Path) -> None:
    world = World(reply=error(429, "rate_limit_exceeded", "Retry-After: 30"))
    async with polling(tmp_path, world, 10) as (engine, _):
        while world.now < START + 200:
            await turn(engine, world)
    moments = [moment for moment, _ in world.asked]
    assert len(moments) >= 3
    assert min(later - sooner for sooner, later in pairwise(moments)) >= 30


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_api_key"), (402, "insufficient_credits"), (403, "ip_not_allowed")]
)
async def test_a_refused_key_pauses_the_poller_and_fails_no_task(tmp_path: Path, status: int, code: str) -> None:
    world = World(reply=error(status, code))
    async with polling(tmp_path, world, 10) as (engine, _):
        while world.now < START + 130:
            await turn(engine, world)
        # After 1 s, and then three times as long each time: one question for all ten.
        assert len(world.asked) <= 6
        assert engine.accounts.refusal
        assert {entry.status for entry in await everything(engine)} == {Status.PENDING}
        world.reply = None
        while world.now < START + 700:
            await turn(engine, world)
        assert engine.accounts.refusal is None


async def test_a_task_that_the_api_does_not_know_is_never_forgotten(tmp_path: Path) -> None:
    world = World(reply=error(404, "task_not_found"))
    async with polling(tmp_path, world, 1) as (engine, _):
        while world.now < START + 3600:
            await turn(engine, world)
        assert len(world.asked) > 10
        entry = await engine.journal.find("vid_0")
        assert entry is not None
        assert entry.status is Status.PENDING


async def test_tasks_of_another_api_are_not_asked_about_here(tmp_path: Path) -> None:
    world = World()
    async with polling(tmp_path, world, 0) as (engine, _):
        await add(engine.journal, unfinished(1, api="sandbox:another"))
        for _ in range(5):
            await turn(engine, world)
    assert world.asked == []


async def test_an_undocumented_status_is_kept_as_it_came_and_counts_as_processing(tmp_path: Path) -> None:
    world = World(reply=answer(200, {"id": "task-0", "status": "rendering", "created_at": int(START)}))
    async with polling(tmp_path, world, 1) as (engine, _):
        await turn(engine, world)
        entry = await engine.journal.find("vid_0")
        assert entry is not None
        assert (entry.status, entry.upstream_status) == (Status.PROCESSING, "rendering")


async def test_while_one_task_is_asked_about_the_others_are_within_everyones_reach(tmp_path: Path) -> None:
    """A read with all its retries takes two minutes: what waits behind it must not be leased meanwhile."""
    world = World(hold=anyio.Event())
    meanwhile: set[str] = set()
    async with polling(tmp_path, world, 3) as (first, second):
        async with anyio.create_task_group() as group:
            group.start_soon(first.poller.round)
            while not world.asked:
                await anyio.lowlevel.checkpoint()
            for _ in range(4):
                await turn(second, world)
            meanwhile |= {task_id for _, task_id in world.asked}
            assert world.hold is not None
            world.hold.set()
        assert meanwhile == {"task-0", "task-1", "task-2"}
        assert [task_id for _, task_id in world.asked].count("task-0") == 1


def test_a_lease_is_longer_than_what_it_protects() -> None:
    assert LEASE_SECONDS > READ_TOTAL_SECONDS + READ_SECONDS


@pytest.mark.parametrize("age", [25 * 3600.0, 0.0, -86_400.0], ids=["a day old", "new", "from a clock set back"])
@pytest.mark.parametrize("reply", [None, error(500, "internal_error"), error(404, "task_not_found")], ids=repr)
async def test_a_task_with_a_waiting_caller_is_asked_about_every_ten_seconds(
    tmp_path: Path, age: float, reply: bytes | None
) -> None:
    world = World(reply=reply)
    async with polling(tmp_path, world, 1) as (engine, _):
        world.now += age
        entry = await engine.journal.find("vid_0")
        assert entry is not None
        async with engine.poller.watching(entry):
            begun = world.now
            while world.now < begun + 40:
                await turn(engine, world)
        # Every look is three tries where the API fails; what counts is the time from one look to the next.
        moments = [begun, *(moment for moment, _ in world.asked)]
        assert max(later - sooner for sooner, later in pairwise(moments)) <= 11.5
        assert len(world.asked) >= 3


async def test_a_clock_that_is_set_back_while_a_caller_waits_stops_nothing(tmp_path: Path) -> None:
    world = World()
    async with polling(tmp_path, world, 1) as (engine, _):
        entry = await engine.journal.find("vid_0")
        assert entry is not None
        async with engine.poller.watching(entry):
            while len(world.asked) < 2:
                await turn(engine, world)
            world.now -= 86_400
            begun, seen = world.now, len(world.asked)
            while world.now < begun + 25:
                await turn(engine, world)
        assert len(world.asked) >= seen + 2


async def test_a_look_that_failed_counts_as_none(tmp_path: Path) -> None:
    world = World(reply=error(500, "internal_error"), now=START + 25 * 3600)
    async with polling(tmp_path, world, 1) as (engine, _):
        await turn(engine, world)
        entry = await engine.journal.find("vid_0")
        assert entry is not None
        assert entry.polls == 0
        # An hour is for an answer that said "not yet"; this one said nothing.
        assert entry.next_poll_at - world.now <= 30


@pytest.mark.parametrize("pause", ["Retry-After: 30", "Retry-After: 86400000"])
async def test_a_pause_that_the_api_asked_for_outranks_waiting_callers_and_ends_within_an_hour(
    tmp_path: Path, pause: str
) -> None:
    world = World(reply=error(429, "rate_limit_exceeded", pause))
    async with polling(tmp_path, world, 1) as (engine, other):
        await turn(engine, world)
        asked = len(world.asked)
        entry = await engine.journal.find("vid_0")
        assert entry is not None
        async with engine.poller.watching(entry):
            begun = world.now
            while world.now < begun + 25:
                await turn(engine, world)
                await turn(other, world)
            assert len(world.asked) == asked
            world.now = begun + 3600
            world.reply = None
            await turn(engine, world)
            await turn(engine, world)
            assert len(world.asked) > asked
