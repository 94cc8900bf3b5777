"""What is written down about a paid request, whatever answered it: the truth, once, and as soon as that is possible."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream
from mcp import Client
from pydantic import SecretStr

from tests.support.entries import PERSON, START, add, create, everything, unfinished
from tests.support.late_api import late_api
from tests.support.raw_api import TASK_ID, answer, balance, error, raw_api, says, says_in_turn, success
from tests.support.results import structured
from tests.support.stack import text
from veo_mcp.errors import RequestError, Unrecorded
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.tasks.engine import Engine, open_engine

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client_and_engine(
    folder: Path, base_url: str, *, key: str = "sk-x", **options: Any
) -> AsyncGenerator[tuple[Client, Engine]]:
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=base_url, key=SecretStr(key), **options) as engine,
    ):
        backend = Backend()
        backend.opened(engine)
        async with Client(build_server(backend, sandbox=False)) as client:
            yield client, engine


async def call(client: Client, tool: str = "create_video", **arguments: Any) -> str:
    return text(
        await client.call_tool(tool, {"prompt": "a boat", **arguments} if tool == "create_video" else arguments)
    )


# ---- what could not be recorded when it came -------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["accepted", "refused", "unknown"])
async def test_an_outcome_that_found_no_room_is_recorded_when_there_is_some(tmp_path: Path, outcome: str) -> None:
    answers = {"accepted": success(), "refused": error(400, "invalid_request"), "unknown": answer(500, b"<html>")}

    async def fills_the_disk(stream: SocketStream) -> None:
        await journal.file.read(lambda db: db.execute("PRAGMA query_only = ON").fetchone())
        await stream.send(answers[outcome])

    async with (
        SqliteJournal(tmp_path / "journal.db") as journal,
        raw_api(fills_the_disk) as api,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        with pytest.raises(Unrecorded) as lost:
            await create(engine, "a boat")
        assert lost.value.charged == {"accepted": "yes", "refused": "no", "unknown": "unknown"}[outcome]
        assert (TASK_ID in lost.value.explanation) is (outcome == "accepted")
        await engine.submitter.record_kept()
        (entry,) = await everything(engine)
        assert entry.status is Status.SUBMITTING
        await journal.file.read(lambda db: db.execute("PRAGMA query_only = OFF").fetchone())
        # Another process may have given it up meanwhile, and said why.
        assert entry.deadline is not None
        await journal.expire_submissions(entry.deadline + 1)
        await engine.submitter.record_kept()
        (entry,) = await everything(engine)
        assert (
            entry.status
            is {
                "accepted": Status.PENDING,
                "refused": Status.REFUSED,
                "unknown": Status.UNKNOWN,
            }[outcome]
        )
        assert entry.upstream_id == (TASK_ID if outcome == "accepted" else None)
        assert "ended" not in (entry.error_message or "")
        assert api.posts == 1


async def test_the_same_task_id_for_two_creates_leaves_the_second_unknown_in_clear_words(tmp_path: Path) -> None:
    async with raw_api(says(success())) as api, client_and_engine(tmp_path, api.base_url) as (client, engine):
        assert "Charged 40 credits." in await call(client)
        second = await client.call_tool("create_video", {"prompt": "a storm"})
        assert not second.is_error
        assert structured(second)["status"] == "unknown"
        assert "the id of another task" in text(second)
        assert "May have been charged 40 credits." in text(second)
        assert "check the file" not in text(second).lower()
        assert {entry.status for entry in await everything(engine)} == {Status.PENDING, Status.UNKNOWN}


# ---- what never left -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sk-a\u00a0b", "sk-ö", "sk-a\u200bb", "sk-\u0430"])
async def test_with_a_key_that_no_header_can_carry_nothing_leaves_and_nothing_is_charged(
    tmp_path: Path, key: str
) -> None:
    async with raw_api(says(success())) as api, client_and_engine(tmp_path, api.base_url, key=key) as (client, _):
        said = await call(client)
        assert "Not charged." in said
        assert "May have been" not in said
        assert api.posts == 0


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:99999", "http://127.0.0.1:1\r", "http://127.0.0.1:1 "])
async def test_with_a_url_that_is_none_nothing_leaves_and_nothing_is_charged(tmp_path: Path, base_url: str) -> None:
    async with client_and_engine(tmp_path, base_url) as (client, _):
        said = await call(client)
        assert "Not charged." in said
        assert "May have been" not in said


@pytest.mark.parametrize("arguments", [{"prompt": "\ud800"}, {"watermark": "\udfff"}, {"prompt": "a\0b"}])
async def test_text_that_is_no_unicode_is_refused_before_anything_is_sent(
    tmp_path: Path, arguments: dict[str, str]
) -> None:
    async with raw_api(says(success())) as api, client_and_engine(tmp_path, api.base_url) as (_, engine):
        with pytest.raises(RequestError):
            await create(engine, **{"prompt": "a boat", **arguments})
        assert api.posts == 0


# ---- odd answers -----------------------------------------------------------------------------------------------------

DEEP = b'{"code":200,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("odd", "status"),
    [
        (answer(200, DEEP), "unknown"),
        (success("\ud800"), "unknown"),
        (answer(400, b'{"error":{"code":"invalid_request","message":"\\ud800","type":"\\udfff"}}'), "refused"),
        (answer(400, DEEP), "refused"),
        (answer(503, b'{"error":{"code":"upstream_error","message":"\\u0000\\ud800","type":"t"}}'), "refused"),
    ],
    ids=[
        "deep nesting",
        "an id that is no text",
        "words that are no text",
        "a deep refusal",
        "a refund that is no text",
    ],
)
async def test_an_odd_answer_to_a_create_is_recorded_for_what_it_proves(
    tmp_path: Path, odd: bytes, status: str
) -> None:
    async with raw_api(says(odd)) as api, client_and_engine(tmp_path, api.base_url) as (client, engine):
        said = await call(client)
        (entry,) = await everything(engine)
        assert entry.status.value == status
        assert ("May have been charged" in said) is (status == "unknown")
        assert api.posts == 1
        assert "a boat" in await call(client, "list_tasks")


ODD_TASKS: dict[str, dict[str, Any]] = {
    "a message that is no text": {"status": "failed", "error": {"code": "\ud800", "message": "\udfff"}},
    "a status that is no text": {"status": "\udfff"},
    "year 1 in a zone ahead": {"status": "completed", "completed_at": "0001-01-01T00:00:00+14:00"},
    "year 1 without a zone": {"status": "completed", "completed_at": "0001-01-01T00:00:00"},
    "year 9999 in a zone behind": {"status": "completed", "completed_at": "9999-12-31T23:59:59-12:00"},
    "a far future": {"status": "completed", "completed_at": 99999999999999},
    "a URL that is no text": {"status": "completed", "output": {"urls": ["https://x.example/\ud800.mp4"]}},
}


@pytest.mark.parametrize("name", ODD_TASKS)
async def test_an_odd_answer_about_a_task_ends_no_loop_and_breaks_no_list(tmp_path: Path, name: str) -> None:
    shape = {"id": TASK_ID, "created_at": 1774790227, **ODD_TASKS[name]}
    reply = answer(200, json.dumps(shape).encode())
    async with (
        raw_api(says_in_turn(success(), reply)) as api,
        client_and_engine(tmp_path, api.base_url) as (client, engine),
    ):
        await call(client)
        await engine.journal.poll_no_later_than((await everything(engine))[0].id, 0.0)
        await engine.poller.round()
        listed = await client.call_tool("list_tasks", {})
        (row,) = structured(listed)["tasks"]
        assert row["task_id"] == TASK_ID
        assert not (await client.call_tool("get_task", {"task_id": TASK_ID})).is_error
        assert len((await client.read_resource("veo://tasks")).contents) == 1


async def test_deep_nesting_in_a_read_back_is_a_failed_look(tmp_path: Path) -> None:
    async with (
        raw_api(says_in_turn(success(), answer(200, DEEP))) as api,
        client_and_engine(tmp_path, api.base_url) as (client, engine),
    ):
        await call(client)
        (entry,) = await everything(engine)
        await engine.journal.poll_no_later_than(entry.id, 0.0)
        await engine.poller.round()
        (entry,) = await everything(engine)
        assert entry.status is Status.PENDING


async def test_a_later_answer_clears_an_earlier_error(tmp_path: Path) -> None:
    done = {"id": TASK_ID, "status": "completed", "created_at": 1774790227, "output": {"urls": ["https://x.example/v"]}}
    async with (
        raw_api(says_in_turn(answer(500, b"<html>"), answer(200, done))) as api,
        client_and_engine(tmp_path, api.base_url) as (client, engine),
    ):
        await call(client)
        (lost,) = await everything(engine)
        assert lost.error_message
        settled = await engine.reader.refresh(lost, TASK_ID)
        assert settled is not None
        assert settled.status is Status.COMPLETED
        assert settled.error_code is None
        assert settled.error_message is None
        shown = await client.call_tool("get_task", {"task_id": TASK_ID})
        assert "error" not in structured(shown)


async def test_a_key_that_is_refused_later_is_named_where_its_tasks_are_looked_at(tmp_path: Path) -> None:
    async with (
        raw_api(says_in_turn(success(), error(401, "invalid_api_key"))) as api,
        client_and_engine(tmp_path, api.base_url) as (client, engine),
    ):
        await call(client)
        assert "cannot be asked" not in await call(client, "get_task", task_id=TASK_ID)
        await engine.journal.poll_no_later_than((await everything(engine))[0].id, 0.0)
        await engine.poller.round()
        said = await call(client, "get_task", task_id=TASK_ID)
        assert "It cannot be asked about at the moment: " in said
        assert "key" in said.split("at the moment: ")[1]
        assert (await everything(engine))[0].status is Status.PENDING


# ---- evidence --------------------------------------------------------------------------------------------------------


class Ledger:
    """An API whose balance moves with every create, and which drops the answers that the test asks it to drop."""

    def __init__(self) -> None:
        self.consumed = 0
        self.number = 0
        self.go_on = anyio.Event()

    async def serve(self, stream: SocketStream) -> None:
        async with stream:
            data = await stream.receive()
            if data.startswith(b"GET"):
                await stream.send(balance(self.consumed))
                return
            while b"}}" not in data:
                data += await stream.receive()
            self.consumed += 300 if b"quality" in data else 40
            if b"lost" in data:
                await self.go_on.wait()
                return
            self.number += 1
            await stream.send(success(f"task-{self.number}"))


@asynccontextmanager
async def ledger_api() -> AsyncGenerator[tuple[Ledger, str]]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    ledger = Ledger()
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, ledger.serve)
        yield ledger, f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        group.cancel_scope.cancel()


async def test_evidence_is_only_what_this_journal_did_not_spend(tmp_path: Path) -> None:
    async with ledger_api() as (ledger, base_url), client_and_engine(tmp_path, base_url) as (client, engine):
        ledger.go_on.set()
        said = await call(client, prompt="lost alone")
        assert "May have been charged 40 credits. Evidence, not proof: 40 credits left the account just then" in said
        (entry,) = await everything(engine)
        assert entry.evidence == 40
        assert "Evidence" not in (entry.error_message or "")


async def test_what_another_call_moved_meanwhile_is_no_evidence(tmp_path: Path) -> None:
    async with ledger_api() as (ledger, base_url), client_and_engine(tmp_path, base_url) as (client, engine):
        await call(client, "get_credits")
        lost: list[str] = []

        async def loses() -> None:
            lost.append(await call(client, prompt="lost beside another"))

        async with anyio.create_task_group() as group:
            group.start_soon(loses)
            while not ledger.consumed:  # noqa: ASYNC110 - what arrives at a socket tells nobody
                await anyio.sleep(0.01)
            await call(client, prompt="another")
            ledger.go_on.set()
        assert "Evidence" not in lost[0]
        assert all(entry.evidence is None for entry in await everything(engine))


async def test_what_another_process_on_this_journal_moved_is_no_evidence(tmp_path: Path) -> None:
    async with ledger_api() as (ledger, base_url), client_and_engine(tmp_path, base_url) as (client, engine):
        await call(client, "get_credits")
        async with client_and_engine(tmp_path, base_url) as (other, _):
            await call(other, prompt="another")
        ledger.go_on.set()
        assert "Evidence" not in await call(client, prompt="lost after another")
        assert all(entry.evidence is None for entry in await everything(engine))


# ---- settled by hand -------------------------------------------------------------------------------------------------


async def test_settling_by_hand_says_whose_an_id_is_and_changes_nothing_then(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api.base_url) as (_, engine):
        mine = await engine.accounts.account(PERSON)
        lost = {"upstream_id": None, "status": Status.UNKNOWN, "charged": "unknown"}
        await add(engine.journal, unfinished(1, api=api.base_url, **lost))
        await add(engine.journal, unfinished(2, api=api.base_url, prompt="a whale"))
        await add(engine.journal, unfinished(3, api=api.base_url, principal="ben"))
        with pytest.raises(RequestError, match=r"belongs to another task already, vid_2 .*a whale"):
            await engine.reader.settle(mine, "vid_1", upstream_id="task-2")
        with pytest.raises(RequestError) as somebodys:
            await engine.reader.settle(mine, "vid_1", upstream_id="task-3")
        assert "vid_3" not in somebodys.value.explanation
        with pytest.raises(RequestError, match="knows no task nothing-here"):
            await engine.reader.settle(mine, "vid_1", upstream_id="nothing-here")
        with pytest.raises(RequestError, match="Only an unknown outcome"):
            await engine.reader.settle(mine, "vid_2", upstream_id=None)
        entry = await engine.journal.get(mine, "vid_1")
        assert entry is not None
        assert entry.status is Status.UNKNOWN
        done = await engine.reader.settle(mine, "vid_1", upstream_id="parent-1")
        assert (done.status, done.upstream_id, done.charged) == (Status.COMPLETED, "parent-1", "yes")


async def test_settling_by_hand_holds_to_the_api_in_use(tmp_path: Path) -> None:
    async with late_api() as api, client_and_engine(tmp_path, api.base_url) as (_, engine):
        lost = {"upstream_id": None, "status": Status.UNKNOWN, "charged": "unknown"}
        await add(engine.journal, unfinished(1, api="sandbox:elsewhere", **lost))
        with pytest.raises(RequestError, match="belongs to another API"):
            await engine.reader.settle(await engine.accounts.account(PERSON), "vid_1", upstream_id="task-1")


async def test_durations_are_by_our_own_clock_whatever_the_apis_says(tmp_path: Path) -> None:
    clock = [START]
    early = {"id": TASK_ID, "status": "completed", "created_at": START - 600, "completed_at": START - 590}
    async with (
        raw_api(says_in_turn(success(), answer(200, early))) as api,
        client_and_engine(tmp_path, api.base_url, clock=lambda: clock[0]) as (_, engine),
    ):
        await create(engine, "a boat")
        clock[0] += 90
        await engine.poller.round()
        (entry,) = await everything(engine)
        assert entry.ended_at == START + 90
        assert list(await engine.journal.durations(entry.api, entry.mode)) == [90.0]


def test_every_entry_comes_from_one_module() -> None:
    package = Path(__file__).parents[2] / "veo_mcp"
    makers = [path.name for path in (package / "tasks").rglob("*.py") if " Entry(" in path.read_text()]
    assert makers == ["entries.py"]
