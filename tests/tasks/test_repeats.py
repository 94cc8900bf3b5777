"""A call that is repeated is not paid for twice: the first one's task answers it, however the first one ended.

VEO_REPEATS sets how many creates and extensions are timed out and repeated in parallel, over stdio and HTTP in both
eras; the suite runs 40, `VEO_REPEATS=1000 python -m pytest tests/tasks/test_repeats.py` is the full measure.
"""

import hashlib
import json
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult
from pydantic import SecretStr

from tests.support.child import http_child
from tests.support.entries import PERSON, START, everything
from tests.support.late_api import LateApi, late_api
from tests.support.ports import free_port
from tests.support.processes import real_key
from tests.support.results import structured
from tests.support.stack import text
from tests.support.tasks_extension import Follower, StartedTask
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.web.routes import serve_http

pytestmark = pytest.mark.anyio

REPEATS = int(os.environ.get("VEO_REPEATS", "40"))
AT_ONCE = 50
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def client_and_engine(
    folder: Path, api: LateApi, *, era: str = "auto", elicitation: Any = None, extensions: Any = (), **options: Any
) -> AsyncGenerator[tuple[Client, Engine]]:
    """The face and the engine over this API, in memory."""
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), **options) as engine,
    ):
        backend = Backend()
        backend.opened(engine)
        server = build_server(backend, sandbox=False, clock=options.get("clock", time.time))
        async with Client(server, mode=era, elicitation_callback=elicitation, extensions=extensions) as client:
            yield client, engine


@asynccontextmanager
async def at_http(folder: Path, api: LateApi) -> AsyncGenerator[str]:
    """The same over HTTP; the URL of its endpoint."""
    port = free_port()
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
        anyio.create_task_group() as group,
    ):
        backend, up = Backend(), anyio.Event()
        backend.opened(engine)
        server = build_server(backend, sandbox=False)

        async def serve() -> None:
            await serve_http(server, backend, host="127.0.0.1", port=port, ready=up.set)

        group.start_soon(serve)
        await up.wait()
        yield f"http://127.0.0.1:{port}/mcp"
        group.cancel_scope.cancel()


async def create(client: Client, **arguments: Any) -> CallToolResult:
    return await client.call_tool("create_video", {"prompt": "a boat", **arguments})


# ---- the measure: many at once, over both transports and eras --------------------------------------------------------


@ERAS
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_calls_that_timed_out_and_were_repeated_are_paid_once(
    tmp_path: Path, transport: str, era: str, capsys: pytest.CaptureFixture[str]
) -> None:
    timed_out: list[int] = []
    repeated: list[int] = []
    share = REPEATS // 4
    async with late_api(late=1.2) as api, anyio.create_task_group() as group:

        async def twice(client: Client, limit: anyio.CapacityLimiter, number: int) -> None:
            arguments: dict[str, Any] = {"prompt": f"boat {number}"}
            tool = "extend_video" if number % 2 else "create_video"
            if number % 2:
                arguments["task_id"] = f"parent-{number}"
            async with limit:
                if number % 2:
                    # Known before: a first call that the host gave up on while this was looked up began nothing.
                    await client.call_tool("get_task", {"task_id": arguments["task_id"]})
                try:
                    await client.call_tool(tool, arguments, read_timeout_seconds=0.8)
                except MCPError:
                    timed_out.append(number)
                again = await client.call_tool(tool, arguments)
            assert not again.is_error, text(again)
            if structured(again).get("repeated"):
                repeated.append(number)

        async def all_of_them(target: Any) -> None:
            limit = anyio.CapacityLimiter(AT_ONCE)
            async with Client(target, mode=era) as client, anyio.create_task_group() as calls:
                for number in range(share):
                    calls.start_soon(twice, client, limit, number)

        if transport == "stdio":
            await all_of_them(real_key(tmp_path, api.base_url))
        else:
            async with at_http(tmp_path, api) as url:
                await all_of_them(url)
        group.cancel_scope.cancel()
    paid_twice = sum(times > 1 for times in api.paid.values())
    with capsys.disabled():
        print(  # noqa: T201 - the figures of the measure
            f"\n{transport} {era}: {share} creates and extensions, {len(timed_out)} timed out and were called again, "
            f"{len(repeated)} answered with the first, {len(api.paid)} paid once, {paid_twice} paid twice"
        )
    assert paid_twice == 0
    assert len(api.paid) == share
    assert len(timed_out) == share
    assert repeated


# ---- what a repeated call gets ---------------------------------------------------------------------------------------


@ERAS
async def test_a_repeated_call_is_answered_with_the_first_task_in_neutral_words(tmp_path: Path, era: str) -> None:
    clock = Clock()
    async with late_api() as api, client_and_engine(tmp_path, api, era=era, clock=clock) as (client, _):
        first = await create(client)
        assert "repeated" not in structured(first)
        clock.now += 120
        again = await create(client)
        assert not again.is_error
        assert structured(again)["task_id"] == structured(first)["task_id"]
        assert structured(again)["repeated"] is True
        assert "The same request was made before; nothing was sent or charged again." in text(again)
        assert "started 2 min ago" in text(again)
        assert f"repeat_of={structured(first)['task_id']}" in text(again)
        assert api.paid.total() == 1


async def test_after_its_time_an_accepted_request_blocks_no_more(tmp_path: Path) -> None:
    clock = Clock()
    async with late_api() as api, client_and_engine(tmp_path, api, clock=clock, repeat_seconds=600) as (client, _):
        await create(client)
        clock.now += 599
        assert structured(await create(client))["repeated"] is True
        clock.now += 2
        assert "repeated" not in structured(await create(client))
        assert api.paid.total() == 2


async def test_with_no_time_at_all_only_unknown_outcomes_block(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api, repeat_seconds=0, create_seconds=0.3) as (client, _):
        await create(client)
        await create(client)
        assert api.paid.total() == 2
        api.late = 5.0
        lost = await create(client, prompt="a storm")
        assert structured(lost)["status"] == "unknown"
        assert structured(await create(client, prompt="a storm"))["task_id"] == structured(lost)["task_id"]
        assert api.paid.total() == 3


async def test_an_unknown_outcome_blocks_without_limit_of_time(tmp_path: Path) -> None:
    clock = Clock()
    async with late_api(5.0) as api, client_and_engine(tmp_path, api, clock=clock, create_seconds=0.3) as (client, _):
        lost = await create(client)
        assert structured(lost)["status"] == "unknown"
        clock.now += 90 * 24 * 3600
        again = await create(client)
        assert structured(again)["task_id"] == structured(lost)["task_id"]
        assert "May have been charged 40 credits." in text(again)
        assert api.paid.total() == 1


async def test_what_was_refused_or_refunded_does_not_block(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api) as (client, engine):
        first = await create(client)
        api.status = "failed"
        mine = await engine.accounts.account(PERSON)
        entry = await engine.reader.get(mine, structured(first)["task_id"])
        refunded = await engine.reader.refresh(entry, structured(first)["task_id"])
        assert refunded is not None
        assert refunded.charged == "refunded"
        second = await create(client)
        assert "repeated" not in structured(second)
        entry = await engine.reader.get(mine, structured(second)["task_id"])
        await engine.journal.record(entry.id, Change(status=Status.FAILED, charged="no"), now=START)
        assert "repeated" not in structured(await create(client))
        assert api.paid.total() == 3


async def test_three_takes_with_three_seeds_are_three(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api) as (client, _):
        ids = {structured(await create(client, seeds=seeds))["task_id"] for seeds in (10001, 10002, 10003)}
        assert len(ids) == 3
        assert api.paid.total() == 3


SAME: list[dict[str, Any]] = [
    {},
    {"mode": "fast"},
    {"aspect_ratio": "16:9"},
    {"generation_type": "TEXT_2_VIDEO"},
    {"watermark": ""},
    {"callback_url": "", "repeat_of": ""},
    {"watermark": None, "image_urls": None, "seeds": None, "generation_type": None, "mode": None},
    {"image_urls": []},
    {"toolCallId": "7", "sessionId": "s", "action": "call", "chatInput": "make a boat"},
]
OTHER: list[dict[str, Any]] = [
    {"mode": "quality"},
    {"aspect_ratio": "9:16"},
    {"seeds": 10001},
    {"watermark": "mine"},
    {"callback_url": "https://example.com/done"},
    {"image_urls": ["https://example.com/a.jpg"]},
    {"prompt": "a boat."},
]


@ERAS
async def test_identical_is_decided_after_defaults_null_and_empty_and_what_hosts_add(tmp_path: Path, era: str) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api, era=era) as (client, _):
        await create(client)
        for arguments in SAME:
            again = await create(client, **arguments)
            assert not again.is_error, text(again)
            assert structured(again)["repeated"] is True, arguments
        for arguments in OTHER:
            other = await create(client, **arguments)
            if other.is_error:  # the price of a quality video, which this host cannot ask the person about
                other = await create(client, **arguments, confirm_credits=300)
            assert "repeated" not in structured(other), arguments
        # Named or detected, two images are the first and the last frame.
        images = {"image_urls": ["https://example.com/a.jpg"], "generation_type": "FIRST_AND_LAST_FRAMES_2_VIDEO"}
        assert structured(await create(client, **images))["repeated"] is True
        assert api.paid.total() == 1 + len(OTHER)


async def test_an_extension_is_the_same_by_either_id_of_what_it_continues(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api) as (client, engine):
        first = await client.call_tool("extend_video", {"task_id": "parent-1", "prompt": "go on"})
        parent = next(entry for entry in await everything(engine) if entry.upstream_id == "parent-1")
        again = await client.call_tool("extend_video", {"task_id": parent.id, "prompt": "go on"})
        assert structured(again)["task_id"] == structured(first)["task_id"]
        assert structured(again)["repeated"] is True
        assert "Charged about 40 credits (estimate)." in text(again)
        assert api.paid.total() == 1


# ---- another one on purpose ------------------------------------------------------------------------------------------


@ERAS
@pytest.mark.parametrize("form", ["the API's id", "our own id"])
async def test_another_one_on_purpose_is_paid_and_a_blind_retry_of_that_is_not(
    tmp_path: Path, form: str, era: str
) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api, era=era) as (client, engine):
        first = await create(client)
        (entry,) = await everything(engine)
        named = entry.id if form == "our own id" else structured(first)["task_id"]
        second = await create(client, repeat_of=named)
        assert "repeated" not in structured(second)
        assert structured(second)["task_id"] != structured(first)["task_id"]
        assert api.paid.total() == 2
        retry = await create(client, repeat_of=named)
        assert structured(retry)["task_id"] == structured(second)["task_id"]
        assert structured(retry)["repeated"] is True
        # And a third on purpose names the second.
        third = await create(client, repeat_of=structured(second)["task_id"])
        assert "repeated" not in structured(third)
        assert api.paid.total() == 3
        assert structured(await create(client))["repeated"] is True
        assert api.paid.total() == 3


async def test_an_extension_is_made_again_on_purpose_too(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api) as (client, _):
        arguments = {"task_id": "parent-1", "prompt": "go on"}
        first = await client.call_tool("extend_video", arguments)
        second = await client.call_tool("extend_video", {**arguments, "repeat_of": structured(first)["task_id"]})
        assert "repeated" not in structured(second)
        assert api.paid.total() == 2


async def test_repeat_of_must_name_the_identical_request(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api) as (client, _):
        first = await create(client)
        for arguments in (
            {"prompt": "a storm", "repeat_of": structured(first)["task_id"]},
            {"repeat_of": "vid_nobody"},
            {"repeat_of": "parent-1"},
        ):
            refused = await create(client, **arguments)
            assert refused.is_error
            assert "Not charged." in text(refused)
        assert api.paid.total() == 1


# ---- before everything that costs or asks ----------------------------------------------------------------------------


async def test_a_repeat_is_found_before_the_limit(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api, max_credits=40) as (client, _):
        first = await create(client)
        assert structured(await create(client))["task_id"] == structured(first)["task_id"]
        assert "limit of 40 credits" in text(await create(client, prompt="a storm"))
        assert api.paid.total() == 1


@ERAS
async def test_a_repeat_is_found_before_the_person_is_asked(tmp_path: Path, era: str) -> None:
    questions: list[str] = []

    async def person(_context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return ElicitResult(action="accept", content={"spend": True})

    async with late_api() as api, client_and_engine(tmp_path, api, era=era, elicitation=person) as (client, _):
        first = await create(client, mode="quality")
        again = await create(client, mode="quality")
        assert structured(again)["task_id"] == structured(first)["task_id"]
        assert len(questions) == 1
        # What cannot be sent is not asked about either.
        assert (await create(client, mode="quality", repeat_of="vid_nobody")).is_error
        assert len(questions) == 1
        assert (
            structured(await create(client, mode="quality", repeat_of=structured(first)["task_id"])).get("repeated")
            is None
        )
        assert len(questions) == 2
        assert api.paid.total() == 2


@ERAS
async def test_two_confirmed_at_once_are_paid_once(tmp_path: Path, era: str) -> None:
    asked = 0
    both = anyio.Event()

    async def person(_context: ClientRequestContext, _params: ElicitRequestParams) -> ElicitResult:
        nonlocal asked
        asked += 1
        if asked == 2:
            both.set()
        await both.wait()
        return ElicitResult(action="accept", content={"spend": True})

    async with late_api() as api, client_and_engine(tmp_path, api, era=era, elicitation=person) as (client, engine):
        ids: set[str | None] = set()

        async def once() -> None:
            ids.add(structured(await create(client, mode="quality"))["task_id"])

        async with anyio.create_task_group() as group:
            group.start_soon(once)
            group.start_soon(once)
        assert asked == 2
        (entry,) = await everything(engine)
        assert ids <= {entry.id, entry.upstream_id}
        assert api.paid.total() == 1


# ---- in whatever way the first call ended ----------------------------------------------------------------------------


@ERAS
async def test_twenty_at_once_are_one(tmp_path: Path, era: str) -> None:
    async with late_api(0.2) as api, client_and_engine(tmp_path, api, era=era) as (client, engine):
        results: list[CallToolResult] = []

        async def once() -> None:
            results.append(await create(client))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(once)
        (entry,) = await everything(engine)
        assert {structured(result)["task_id"] for result in results} <= {entry.id, entry.upstream_id}
        assert sum("repeated" not in structured(result) for result in results) == 1
        assert api.paid.total() == 1


@ERAS
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_after_a_cancelled_or_cut_first_call_the_second_is_answered_with_its_task(
    tmp_path: Path, transport: str, era: str
) -> None:
    async with late_api() as api, at_http(tmp_path, api) as url:
        target = url if transport == "http" else real_key(tmp_path, api.base_url)
        api.hold = anyio.Event()
        async with Client(target, mode=era) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(create, client)
                await api.arrived.wait()
                group.cancel_scope.cancel()
            again = await create(client)
            assert structured(again)["status"] == "submitting"
            assert structured(again)["repeated"] is True
            if transport == "stdio":
                api.hold.set()  # its process ends with the client, and with it what is under way
        async with Client(target, mode=era) as client:
            api.hold.set()
            last = await create(client)
            assert structured(last)["repeated"] is True
            if transport == "http":
                # Whoever cancelled it, what was sent was recorded.
                with anyio.fail_after(20):
                    while structured(last)["status"] == "submitting":
                        last = await create(client)
                assert structured(last)["task_id"] == "task-1"
        assert api.paid.total() == 1


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_after_a_server_that_was_killed_the_second_call_pays_nothing(tmp_path: Path, era: str) -> None:
    async with late_api() as api:
        api.hold = anyio.Event()
        with pytest.raises(BaseException):  # noqa: B017, PT011, PT012 - the transport breaks, in whatever way
            async with Client(real_key(tmp_path, api.base_url), mode=era) as client, anyio.create_task_group() as group:
                group.start_soon(create, client)
                await api.arrived.wait()
                os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        async with Client(real_key(tmp_path, api.base_url), mode=era) as client:
            again = await create(client)
            assert structured(again)["status"] in ("submitting", "unknown")
            assert structured(again)["repeated"] is True
            assert "May have been charged 40 credits." in text(again)
        assert api.paid.total() == 1


async def test_three_creates_with_one_json_rpc_id_are_one(tmp_path: Path) -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 7,
        "method": "tools/call",
        "params": {"name": "create_video", "arguments": {"prompt": "a boat"}},
    }
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "1"},
        },
    }
    headers = {"Accept": "application/json, text/event-stream"}
    async with (
        late_api(0.2) as api,
        http_child(tmp_path, api.base_url) as server,
        httpx2.AsyncClient(timeout=2.0) as http,
    ):
        url = server.url + "/mcp"
        opened = await http.post(url, json=hello, headers=headers)
        headers["Mcp-Session-Id"] = opened.headers["mcp-session-id"]
        await http.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"}, headers=headers)

        async def once() -> None:
            with suppress(httpx2.TransportError):  # of three with one id, the SDK answers one
                await http.post(url, json=call, headers=headers)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(once)
        async with Client(url) as client:
            assert structured(await create(client))["repeated"] is True
        assert api.paid.total() == 1


async def test_the_tasks_extension_gives_the_same_task(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api, extensions=[Follower()]) as (client, _):
        started = [
            await client.session.call_tool("create_video", {"prompt": "a boat"}, allow_claimed=True) for _ in range(2)
        ]
        assert all(isinstance(task, StartedTask) for task in started)
        assert len({task.task_id for task in started if isinstance(task, StartedTask)}) == 1
        assert api.paid.total() == 1


async def test_older_journals_are_recognised_by_their_fingerprints(tmp_path: Path) -> None:
    """An outcome that nobody knew before an update still blocks after it."""
    async with late_api(5.0) as api, client_and_engine(tmp_path, api, create_seconds=0.3) as (client, engine):
        await create(client)
        (entry,) = await everything(engine)
        old = json.dumps(
            [api.base_url, "", "veo-3", {"prompt": "a boat", "mode": "fast", "aspect_ratio": "16:9"}], sort_keys=True
        )
        assert entry.fingerprint == hashlib.sha256(old.encode()).hexdigest()
