"""Whose money, whose task: every way in keeps to the account.

Somebody else's task is answered like one that does not exist.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import ResourceTemplateReference, TextResourceContents
from pydantic import SecretStr

from tests.support.entries import PERSON, START, account, add, everything, unfinished
from tests.support.late_api import late_api
from tests.support.listening import LEGACY, LIST, Listener
from tests.support.ports import free_port
from tests.support.raw_api import raw_api, says, success
from tests.support.results import structured
from tests.support.stack import sandbox, text
from tests.support.tasks_extension import Follower, read_task
from veo_mcp.api.account import Caller
from veo_mcp.api.models import CreateInput
from veo_mcp.errors import RequestError, UnknownTask
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.server.shutdown import Shutdown
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.web.access import Access
from veo_mcp.web.auth import AccessTokenMethod, Authenticator
from veo_mcp.web.routes import build_web
from veo_mcp.web.runner import serve_app
from veo_mcp.web.tokens import Tokens

pytestmark = pytest.mark.anyio
TOKENS = {name: f"veo_token-of-{name}" for name in ("anna", "ben")}
ERAS = pytest.mark.parametrize("era", ["auto", "legacy"])


class Site:
    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self.engine = engine

    @asynccontextmanager
    async def as_(self, name: str, era: str, **options: Any) -> AsyncGenerator[Client]:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKENS[name]}"}, timeout=20) as http,
            Client(streamable_http_client(self.url + "/mcp", http_client=http), mode=era, **options) as client,
        ):
            yield client


@asynccontextmanager
async def site(folder: Path, base_url: str, **options: Any) -> AsyncGenerator[Site]:
    """The server over HTTP for several people who share its key."""
    port = free_port()
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(journal, base_url=base_url, key=SecretStr("sk-x"), **options) as engine,
        anyio.create_task_group() as group,
    ):
        backend, announcer, up = Backend(), Announcer(), anyio.Event()
        backend.opened(engine)
        server = build_server(backend, sandbox=False, announcer=announcer)
        lines = [f"{name}:sha256:{sha256(token.encode()).hexdigest()}\n" for name, token in TOKENS.items()]
        (folder / "tokens").write_text("".join(lines))
        access = Access(authenticator=Authenticator(AccessTokenMethod(Tokens(folder / "tokens"))))
        app = build_web(server, backend, Shutdown(), access=access)

        async def serve() -> None:
            await serve_app(app, "127.0.0.1", port, ready=up.set)

        group.start_soon(serve)
        group.start_soon(announcer.follow, engine)
        await up.wait()
        yield Site(f"http://127.0.0.1:{port}", engine)
        group.cancel_scope.cancel()


@ERAS
async def test_another_accounts_task_is_answered_like_one_that_does_not_exist_everywhere(
    tmp_path: Path, era: str
) -> None:
    async with late_api() as api, site(tmp_path, api.base_url) as env:
        options: dict[str, Any] = {"extensions": [Follower()]} if era == "auto" else {}
        async with env.as_("anna", era) as anna, env.as_("ben", era, **options) as ben:
            made = structured(await anna.call_tool("create_video", {"prompt": "anna's boat"}))
            (entry,) = (await env.engine.journal.list(account(api.base_url, "anna"))).entries
            for id_ in (made["task_id"], entry.id):
                missing = "task-999" if id_.startswith("task-") else "vid_nobody"

                async def both(ask: Callable[[str], Awaitable[Any]], id_: str = id_, missing: str = missing) -> None:
                    assert str(await ask(id_)).replace(id_, "ID") == str(await ask(missing)).replace(missing, "ID")

                async def refused(task_id: str, tool: str = "get_task", **more: Any) -> str:
                    result = await ben.call_tool(tool, {"task_id": task_id, **more})
                    assert result.is_error
                    return text(result)

                async def read(task_id: str) -> str:
                    with pytest.raises(MCPError) as refusal:
                        await ben.read_resource(f"veo://tasks/{task_id}")
                    return f"{refusal.value.error.code} {refusal.value.error.message}"

                async def extend(task_id: str) -> str:
                    return await refused(task_id, "extend_video", prompt="go on")

                async def again(task_id: str) -> str:
                    result = await ben.call_tool("create_video", {"prompt": "anna's boat", "repeat_of": task_id})
                    assert result.is_error
                    return text(result)

                async def extension(task_id: str) -> str:
                    with pytest.raises(MCPError) as refusal:
                        await read_task(ben, task_id)
                    return f"{refusal.value.error.code} {refusal.value.error.message}"

                await both(refused)
                await both(read)
                await both(extend)
                await both(again)
                if era == "auto":
                    await both(extension)
            listed = await ben.call_tool("list_tasks", {})
            assert structured(listed)["tasks"] == []
            (newest,) = (await ben.read_resource("veo://tasks")).contents
            assert isinstance(newest, TextResourceContents)
            # What Anna spent is nobody's business, neither there nor here.
            assert json.loads(newest.text)["message"] == structured(listed)["message"]
            assert "40 credits" not in newest.text
            assert not [r for r in (await ben.list_resources()).resources if str(r.uri).startswith("veo://tasks/")]
            assert "anna" not in str(await ben.read_resource("veo://tasks"))
            reference = ResourceTemplateReference(uri="veo://tasks/{task_id}")
            completed = await ben.complete(reference, {"name": "task_id", "value": ""})
            assert completed.completion.values == []
            mine = await anna.complete(reference, {"name": "task_id", "value": ""})
            assert mine.completion.values == [made["task_id"]]
            # Nor does hers answer his identical request.
            async with env.as_("ben", era) as plain:
                his = structured(await plain.call_tool("create_video", {"prompt": "anna's boat"}))
            assert "repeated" not in his
            assert his["task_id"] != made["task_id"]
            assert api.paid.total() == 2


@ERAS
async def test_a_listener_is_notified_of_its_own_accounts_tasks_alone(tmp_path: Path, era: str) -> None:
    async with late_api() as api, site(tmp_path, api.base_url) as env:
        listeners = {name: Listener() for name in ("anna", "ben")}
        received = listeners["anna"].received, listeners["ben"].received
        handler = {name: listeners[name] if era == LEGACY else None for name in listeners}
        async with (
            env.as_("anna", era, message_handler=handler["anna"]) as anna,
            env.as_("ben", era, message_handler=handler["ben"]) as ben,
            anyio.create_task_group() as group,
        ):
            for name, client in (("anna", anna), ("ben", ben)):
                await listeners[name].subscribe(
                    client, era, ["veo://tasks", "veo://tasks/vid_1", "veo://tasks/vid_2"], group
                )
            journal = env.engine.journal
            await add(journal, unfinished(1, api=api.base_url, principal="anna"))
            await add(journal, unfinished(3, api="https://another.example", principal="ben"))
            await listeners["anna"].wait_for("veo://tasks/vid_1")
            await add(journal, unfinished(2, api=api.base_url, principal="ben"))
            await listeners["ben"].wait_for("veo://tasks/vid_2")
            await listeners["ben"].wait_for(LIST)
            assert "veo://tasks/vid_2" not in received[0]
            assert "veo://tasks/vid_1" not in received[1]
            assert received[1].count(LIST) == 1
            assert received[1].count("veo://tasks") == 1
            group.cancel_scope.cancel()


async def test_a_sandboxs_credits_leave_the_real_apis_limit_alone(tmp_path: Path) -> None:
    async with (
        SqliteJournal(tmp_path / "journal.db") as journal,
        sandbox(tmp_path / "sandbox") as sandbox_url,
        late_api() as api,
    ):
        async with open_engine(journal, base_url=sandbox_url, key=SecretStr("sk-x"), max_credits=40) as engine:
            assert "Charged 40 sandbox credits." in await create(engine, "a boat")
            assert "limit of 40 credits" in await create(engine, "a second boat")
        async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), max_credits=40) as engine:
            assert "Charged 40 credits." in await create(engine, "a boat")
            assert len(await everything(engine)) == 1


async def create(engine: Engine, prompt: str) -> str:
    backend = Backend()
    backend.opened(engine)
    async with Client(build_server(backend, sandbox=False)) as client:
        return text(await client.call_tool("create_video", {"prompt": f"[sandbox:slow] {prompt}"}))


async def test_a_task_of_another_api_is_named_and_not_shown(tmp_path: Path) -> None:
    async with late_api() as api, SqliteJournal(tmp_path / "journal.db") as journal:
        await add(journal, unfinished(1, api="sandbox:elsewhere"))
        async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine:
            mine = await engine.accounts.account(PERSON)
            with pytest.raises(UnknownTask) as refusal:
                await engine.reader.get(mine, "vid_1")
            assert "belongs to another API (sandbox:elsewhere)" in refusal.value.explanation
            assert (await engine.reader.list(mine)).entries == ()
            entry = await journal.find("vid_1")
            assert entry is not None
            # Nor is this API asked about it, whatever a callback says.
            assert await engine.reader.refresh(entry, "task-1") is None
            assert api.asked == []
            # And only its own person learns where it is.
            with pytest.raises(UnknownTask) as somebodys:
                await engine.reader.get(await engine.accounts.account(Caller(principal="ben")), "vid_1")
            assert somebodys.value.explanation == UnknownTask.explanation


async def test_where_several_share_a_key_an_id_of_the_api_belongs_to_no_account(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        with pytest.raises(UnknownTask):
            await engine.reader.get(await engine.accounts.account(Caller(principal="anna")), "parent-1")
        # One person alone may take in what was made elsewhere.
        entry = await engine.reader.get(await engine.accounts.account(PERSON), "parent-1")
        assert entry.status is Status.COMPLETED


async def test_a_callers_own_key_is_its_account_and_stands_nowhere(tmp_path: Path) -> None:
    first, second = (Caller(principal="", key=SecretStr(f"sk-own-{name}-5ecret")) for name in ("a", "b"))
    async with late_api() as api, SqliteJournal(tmp_path / "journal.db") as journal:
        async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine:
            one, other = [await engine.accounts.account(caller) for caller in (first, second)]
            assert one != other
            assert one == await engine.accounts.account(first)
            assert one.principal.startswith("key:")
            plan = engine.submitter.plan_create
            sent = await engine.submitter.spend(one, plan(one, CreateInput(prompt="a boat")))
            assert await engine.reader.get(one, sent.entry.id)
            with pytest.raises(UnknownTask):
                await engine.reader.get(other, sent.entry.id)
            assert "5ecret" not in repr(one) + repr(engine)
            scopes = await engine.accounts.scopes()
            assert [tuple(scope.principals or ()) for scope in scopes] == [(one.principal,), (other.principal,)]
            assert engine.accounts.owns(first, sent.entry)
            assert not engine.accounts.owns(second, sent.entry)
            assert not engine.accounts.owns(PERSON, sent.entry)
            assert not engine.accounts.owns(first, replace(sent.entry, api="https://another.example"))
        async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine:
            # The same key is the same person after a restart.
            assert await engine.accounts.account(first) == one
        assert b"5ecret" not in (tmp_path / "journal.db").read_bytes()


async def test_each_key_pays_and_asks_for_its_own_account_and_pauses_alone(tmp_path: Path) -> None:
    keys = ["sk-own-a", "sk-own-b"]
    now = START

    async def no_time(_seconds: float) -> None:
        await anyio.lowlevel.checkpoint()

    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), clock=lambda: now, sleep=no_time) as engine,
    ):
        accounts = [await engine.accounts.account(Caller(principal="", key=SecretStr(key))) for key in keys]
        entries: list[Entry] = []
        for mine in accounts:
            plan = engine.submitter.plan_create(mine, CreateInput(prompt="a boat"))
            entries.append((await engine.submitter.spend(mine, plan)).entry)
        assert api.keys == [("create", key) for key in keys]
        api.keys.clear()
        for entry in entries:
            assert await engine.reader.refresh(entry, entry.upstream_id or "")
        held = [engine.accounts.of_entry(entry) for entry in entries]
        assert [mine.credential.get_secret_value() for mine in held if mine is not None] == keys
        own = [(entry.upstream_id, key) for entry, key in zip(entries, keys, strict=True)]
        assert api.keys == own
        api.keys.clear()
        api.busy.add(entries[0].upstream_id or "")
        now += 30
        await engine.poller.round()
        assert list(dict.fromkeys(api.keys)) == own
        # Only the first key was asked to wait; the other one goes on asking.
        assert [await engine.reader.paused(entry) for entry in entries] == [True, False]
        api.keys.clear()
        now += 50
        await engine.poller.round()
        assert api.keys == own[1:]


async def test_an_answer_of_an_api_that_became_another_one_is_recorded_for_no_account(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        mine = await engine.accounts.account(PERSON)
        entry = await add(journal, unfinished(1, api=api.base_url))
        lost = await add(
            journal, unfinished(2, api=api.base_url, upstream_id=None, status=Status.SUBMITTING, charged="unknown")
        )
        assert entry is not None
        assert lost is not None
        await journal.record(lost.id, Change(status=Status.UNKNOWN), now=START)
        api.status = "failed"
        api.ledger = "other"
        assert await engine.reader.refresh(entry, "task-1") is None
        with pytest.raises(RequestError, match="belongs to sandbox:other"):
            await engine.reader.settle(mine, lost.id, upstream_id="task-9")
        assert await journal.find(entry.id) == entry


async def test_an_id_is_not_adopted_from_an_api_that_became_another_one(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        mine = await engine.accounts.account(PERSON)
        api.ledger = "other"
        with pytest.raises(UnknownTask):
            await engine.reader.get(mine, "parent-1")
        assert (await engine.reader.list(mine)).entries == ()


async def test_a_poll_answered_by_another_api_is_not_recorded(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        await engine.accounts.account(PERSON)
        await add(journal, unfinished(1, api=api.base_url))
        api.status, api.ledger = "failed", "other"
        await engine.poller.round()
        assert api.asked == ["task-1"]
        entry = await journal.find("vid_1")
        assert entry is not None
        assert entry.status is Status.PENDING


async def test_durations_are_of_the_api_in_use(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        for number in range(8):
            done = {"status": Status.COMPLETED, "ended_at": START + 6, "completed_at": START + 600}
            await add(journal, unfinished(number, api="sandbox:quick", **done))
        assert await engine.poller.usual(unfinished(9, api="sandbox:quick")) == 6
        assert await engine.poller.usual(unfinished(9, api=api.base_url)) is None


async def test_what_one_person_waits_for_is_settled_for_that_person(tmp_path: Path) -> None:
    """A change recorded under one account leaves the other's task with the same API id alone."""
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        await add(journal, unfinished(1, api="a"))
        await add(journal, unfinished(1, api="b", id="vid_other"))
        await journal.record("vid_1", Change(status=Status.COMPLETED), now=START)
        other = await journal.find("vid_other")
        assert other is not None
        assert other.status is Status.PENDING


async def test_an_address_is_an_unknown_id_and_an_odd_id_of_the_api_stays_known(tmp_path: Path) -> None:
    async with (
        raw_api(says(success("odd/id://1"))) as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        mine = await engine.accounts.account(PERSON)
        plan = engine.submitter.plan_create(mine, CreateInput(prompt="a boat"))
        made = (await engine.submitter.spend(mine, plan)).entry
        assert made.upstream_id == "odd/id://1"
        assert (await engine.reader.get(mine, "odd/id://1")).id == made.id
        asked = api.reads
        with pytest.raises(UnknownTask) as unknown:
            await engine.reader.get(mine, "https://file.example.com/videos/1.mp4")
        assert unknown.value.explanation == UnknownTask.explanation
        assert api.reads == asked, "the API was not asked about an address"
