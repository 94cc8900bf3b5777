"""VEO_CALLER_KEYS: each caller's own provider key, proven before anything else and kept in memory alone."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

from tests.support.access import JSON
from tests.support.child import INITIALIZE
from tests.support.listening import ERAS
from tests.support.results import structured
from tests.support.site import Site, site
from tests.support.stack import sandbox, text
from veo_mcp.server.backend import Backend
from veo_mcp.settings import load
from veo_mcp.tasks.caller_keys import CLOSING_SECONDS, IDLE_SECONDS, KEPT_SECONDS
from veo_mcp.web.access import Access, access_from, closed_to_others
from veo_mcp.web.auth import Authenticator
from veo_mcp.web.caller_keys import HEADER, TRIES, CallerKeyMethod

pytestmark = pytest.mark.anyio

ANN, BOB = "sk-ann-0wn-canary", "sk-bob-0wn-canary"


@dataclass
class Time:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def open_to_keys(folder: Path, time: Time | None = None) -> AsyncGenerator[Site]:
    """A site whose callers bring their own keys."""
    backend, time = Backend(), time or Time()
    access = Access(authenticator=Authenticator(CallerKeyMethod(backend, monotonic=time)))
    async with (
        sandbox(folder / "api", seconds=3600) as api,
        site(folder, access=access, api=api, callers_pay=True, monotonic=time) as env,
    ):
        backend.opened(env.engine)
        yield env


def journal_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("journal.db*"))


@asynccontextmanager
async def client(env: Site, key: str, era: str = "auto") -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers={HEADER: key}, timeout=20) as http,
        Client(streamable_http_client(env.url + "/mcp", http_client=http), mode=era) as made,
    ):
        yield made


@ERAS
async def test_each_pays_with_their_own_key_and_sees_their_own_tasks_alone(tmp_path: Path, era: str) -> None:
    async with open_to_keys(tmp_path) as env, client(env, ANN, era) as ann, client(env, BOB, era) as bob:
        made = await ann.call_tool("create_video", {"prompt": "a boat"})
        assert "Charged 40 sandbox credits." in text(made)
        assert "waits for your return" in text(made)
        task_id = structured(made)["task_id"]
        assert (await bob.call_tool("list_tasks", {})).structured_content == {
            **structured(await bob.call_tool("list_tasks", {})),
            "tasks": [],
        }
        theirs = await bob.call_tool("get_task", {"task_id": task_id})
        none = await bob.call_tool("get_task", {"task_id": "x" * len(task_id)})
        assert text(theirs).replace(task_id, "ID") == text(none).replace("x" * len(task_id), "ID")
        balance = [structured(await who.call_tool("get_credits", {})) for who in (ann, bob)]
        assert [said["balance"] for said in balance] == [9960, 10000]
    assert b"canary" not in journal_of(tmp_path)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: ""},
        {HEADER: "not-a-key"},
        {HEADER: "sk-" + "x" * 600},
        {HEADER: "sk-sandbox-disabled"},
        {HEADER: "sk-sandbox-ip"},
        {"Authorization": "Bearer sk-ann-0wn-canary"},
    ],
)
async def test_without_a_working_key_no_caller_is_admitted(tmp_path: Path, headers: dict[str, str]) -> None:
    async with open_to_keys(tmp_path) as env, httpx2.AsyncClient(headers=JSON) as http:
        answer = await http.post(env.url + "/mcp", json=INITIALIZE, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("ApiKey")
        assert "mcp-session-id" not in answer.headers
        assert "canary" not in answer.text
        assert not env.engine.accounts.callers
        assert (await env.engine.journal.movements()) == []


async def test_keys_are_not_found_out_by_trying(tmp_path: Path) -> None:
    async with open_to_keys(tmp_path) as env, httpx2.AsyncClient(headers=JSON) as http:

        async def status(key: str) -> int:
            return (await http.post(env.url + "/mcp", json=INITIALIZE, headers={HEADER: key})).status_code

        assert await status(ANN) == 200
        tried = [await status("sk-sandbox-disabled") for _ in range(TRIES)]
        assert tried == [401] * (TRIES - 1) + [429]
        # Whoever has proven theirs is not held up by it.
        assert await status(ANN) == 200


async def test_a_key_is_kept_for_a_session_and_unfinished_tasks_and_a_day_at_most(tmp_path: Path) -> None:
    time = Time()

    async def no_tasks(_principal: str) -> bool:
        return False

    async def tasks(_principal: str) -> bool:
        return True

    async with open_to_keys(tmp_path, time) as env, client(env, ANN) as ann:
        callers = env.engine.accounts.callers
        await ann.call_tool("list_tasks", {})
        time.now += IDLE_SECONDS - 1
        await callers.forget(no_tasks)
        assert callers, "its session lasts"
        time.now += 2
        await callers.forget(tasks)
        assert callers, "its tasks are unfinished"
        await callers.forget(no_tasks)
        assert not callers
        await ann.call_tool("list_tasks", {})
        assert callers, "it was proven again"
        time.now += KEPT_SECONDS
        await callers.forget(tasks)
        assert not callers
        time.now += CLOSING_SECONDS
        await callers.forget(tasks)
        assert callers.client(await callers.principal(SecretStr(ANN))) is None


async def test_the_poller_asks_about_no_callers_tasks_until_their_key_is_here(tmp_path: Path) -> None:
    async with open_to_keys(tmp_path) as env:
        assert list(await env.engine.accounts.scopes()) == []
        async with client(env, ANN) as ann:
            await ann.call_tool("list_tasks", {})
        assert len(await env.engine.accounts.scopes()) == 1


def test_it_opens_the_server_to_others_and_needs_no_key_of_its_own() -> None:
    given = {"VEO_TRANSPORT": "http", "VEO_HOST": "192.0.2.1", "VEO_CALLER_KEYS": "true"}
    settings = load({**given, "VEO_BASE_URL": "https://api.example.com"})
    assert settings.problems == ()
    assert not settings.embedded
    closed_to_others(settings)
    assert access_from(settings, monotonic=lambda: 0.0)
    assert not load({"VEO_CALLER_KEYS": "true"}).callers_pay, "over stdio there is one person"
    both = load({**given, "VEO_OAUTH_ISSUER": "https://a.example", "VEO_OAUTH_AUDIENCE": "x"})
    assert any("VEO_CALLER_KEYS" in problem for problem in both.problems)
