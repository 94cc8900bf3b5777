"""The verdict table: what each outcome of a paid POST proves, what the model is answered, and that nothing repeats.

Every row goes through a real socket. `posts` is how many requests reached the server: more than one only where the
first proved that nothing was charged.
"""

import gzip
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from pathlib import Path

import anyio
import pytest
from mcp import Client
from pydantic import SecretStr

from tests.support.entries import PERSON, everything
from tests.support.ports import free_port
from tests.support.raw_api import (
    TASK_ID,
    Script,
    answer,
    balance,
    error,
    hangs,
    raw_api,
    resets,
    says,
    says_in_turn,
    success,
    trickles,
)
from tests.support.results import structured
from tests.support.stack import text
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.tasks.engine import Engine, open_engine

pytestmark = pytest.mark.anyio

BOMB = gzip.compress(b"\0" * 1_000_000)


async def at_once(_seconds: float) -> None:
    await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def standing(folder: Path, base_url: str, *, seconds: float = 1.0) -> AsyncGenerator[tuple[Client, Engine]]:
    """A server over this API whose gaps between tries pass at once, and whose creates may take `seconds`."""
    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(
            journal, base_url=base_url, key=SecretStr("sk-canary-5ecret"), sleep=at_once, create_seconds=seconds
        ) as engine,
    ):
        backend = Backend()
        backend.opened(engine)
        async with Client(build_server(backend, sandbox=False)) as client:
            yield client, engine


UNKNOWN: dict[str, tuple[Script, bool]] = {
    "the answer never comes": (hangs, False),
    "the server hangs before it reads the body": (hangs, True),
    "reset after the body": (resets, False),
    "closed after the body": (says(b""), False),
    "cut in the headers": (says(b"HTTP/1.1 200 OK\r\nContent-Le"), False),
    "cut in the body": (says(success()[:-9]), False),
    "a trickle": (trickles(success()), False),
    "a body of 10 MB": (says(answer(200, b"x" * 10_000_000)), False),
    "a gzip bomb": (says(answer(200, BOMB, "Content-Encoding: gzip")), False),
    "a gateway's HTML page": (says(answer(502, b"<html>Bad gateway</html>")), False),
    "an HTML page with 200": (says(answer(200, b"<html>hello</html>")), False),
    "garbage": (says(b"\x00\x01\x02 garbage \xff"), False),
    "JSON of another shape": (says(answer(200, b"[1, 2, 3]")), False),
    "200 with code 500": (says(success(code=500)), False),
    "a taskId that is null": (says(success(None)), False),
    "a taskId that is empty": (says(success(" ")), False),
    "500": (says(error(500, "internal_error")), False),
    "502": (says(error(502, "bad_gateway")), False),
    "503 of a gateway": (says(answer(503, b"<html>busy</html>")), False),
    "a redirect": (says(answer(307, b"", "Location: /elsewhere")), False),
}


@pytest.mark.parametrize("name", UNKNOWN)
async def test_an_unknown_outcome_is_a_task_not_an_error_and_is_never_sent_again(tmp_path: Path, name: str) -> None:
    script, before_body = UNKNOWN[name]
    async with raw_api(script, before_body=before_body) as api, standing(tmp_path, api.base_url) as (client, _):
        result = await client.call_tool("create_video", {"prompt": "a boat"})
        task = structured(result)
        assert not result.is_error
        assert task["status"] == "unknown"
        assert task["charged"] == "unknown"
        assert "May have been charged 40 credits." in text(result)
        assert api.posts == 1
        again = await client.call_tool("create_video", {"prompt": "a boat"})
        assert structured(again)["task_id"] == task["task_id"]
        assert "nothing was sent again" in text(again)
        assert f"repeat_of={task['task_id']}" in text(again)
        assert api.posts == 1


REFUSED: dict[str, tuple[Script, int, str]] = {
    "400": (says(error(400, "invalid_request")), 1, "Not charged."),
    "401": (says(error(401, "invalid_api_key")), 1, "Not charged."),
    "402": (says(error(402, "insufficient_credits")), 1, "Not charged."),
    "403": (says(error(403, "ip_not_allowed")), 1, "Not charged."),
    "404": (says(error(404, "model_not_found")), 1, "Not charged."),
    "404 of a gateway": (says(answer(404, b"<html>not here</html>")), 1, "Not charged."),
    "429 spend limit": (says(error(429, "spend_limit_exceeded")), 1, "Not charged."),
    "429 every time": (says(error(429, "rate_limit_exceeded")), 3, "Not charged."),
    "429 for longer than a create may take": (
        says(error(429, "rate_limit_exceeded", "Retry-After: 600")),
        1,
        "Try again in 600 s.",
    ),
    "503 in the documented shape": (says(error(503, "upstream_error")), 1, "Refunded 40 credits."),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_is_an_error_that_says_what_became_of_the_credits(tmp_path: Path, name: str) -> None:
    script, posts, words = REFUSED[name]
    async with raw_api(script) as api, standing(tmp_path, api.base_url, seconds=45) as (client, engine):
        result = await client.call_tool("create_video", {"prompt": "a boat"})
        assert result.is_error
        assert words in text(result)
        assert api.posts == posts
        (entry,) = await everything(engine)
        assert entry.status.value == "refused"
        assert entry.charged == ("refunded" if "Refunded" in words else "no")


@pytest.mark.parametrize(
    "wait",
    [[], ["Retry-After: 2"], ["Retry-After: " + formatdate(usegmt=True)]],
    ids=["no Retry-After", "seconds", "a date"],
)
async def test_a_rate_limit_is_waited_for_inside_the_same_intent(tmp_path: Path, wait: list[str]) -> None:
    script = says_in_turn(error(429, "rate_limit_exceeded", *wait), success())
    async with raw_api(script) as api, standing(tmp_path, api.base_url, seconds=45) as (client, engine):
        result = await client.call_tool("create_video", {"prompt": "a boat"})
        assert structured(result)["task_id"] == TASK_ID
        assert "Charged 40 credits." in text(result)
        assert api.posts == 2
        assert len(await everything(engine)) == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_connection_that_never_came_about_costs_nothing(tmp_path: Path, scheme: str) -> None:
    async with raw_api(says(success())) as api:
        # Over https the raw server's answer is no TLS; over http nobody listens at the port.
        base_url = api.base_url.replace("http", "https") if scheme == "https" else f"http://127.0.0.1:{free_port()}"
        async with standing(tmp_path, base_url, seconds=45) as (client, engine):
            result = await client.call_tool("create_video", {"prompt": "a boat"})
            assert result.is_error
            assert "Not charged." in text(result)
            # It never showed which API it is: there is no account to write anything down for.
            assert await everything(engine) == ()


async def test_an_api_that_went_away_costs_nothing(tmp_path: Path) -> None:
    async with raw_api(says(success())) as api, standing(tmp_path, api.base_url, seconds=45) as (client, engine):
        await client.call_tool("get_credits", {})
        await api.go_away()
        result = await client.call_tool("create_video", {"prompt": "a boat"})
        assert result.is_error
        assert "Not charged." in text(result)
        (entry,) = await everything(engine)
        assert (entry.status.value, entry.charged) == ("refused", "no")


async def test_a_client_that_gives_up_in_the_middle_finds_the_paid_task_afterwards(tmp_path: Path) -> None:
    arrived, go_on = anyio.Event(), anyio.Event()

    async def slow(stream: anyio.abc.SocketStream) -> None:
        arrived.set()
        await go_on.wait()
        await stream.send(success())

    async with raw_api(slow) as api, standing(tmp_path, api.base_url, seconds=45) as (client, engine):
        async with engine.journal.changes() as feed:
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "create_video", {"prompt": "a boat"})
                await arrived.wait()
                group.cancel_scope.cancel()
                # The answer needs turns of the loop to arrive, and the cancellation is delivered in the next one.
                go_on.set()
            with anyio.fail_after(10):
                async for entry in feed:
                    if entry.upstream_id is not None:
                        break
        listed = await client.call_tool("list_tasks", {})
        (task,) = structured(listed)["tasks"]
        assert task["task_id"] == TASK_ID
        assert task["charged"] == "yes"
        assert api.posts == 1


async def test_the_key_shows_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with (
        raw_api(says(error(401, "invalid_api_key"))) as api,
        standing(tmp_path, api.base_url) as (client, engine),
    ):
        result = await client.call_tool("create_video", {"prompt": "a boat"})
        seen = [
            text(result),
            repr(engine),
            repr(engine.accounts),
            repr(await engine.accounts.account(PERSON)),
            repr(engine.submitter),
            caplog.text,
        ]
        assert all("5ecret" not in words for words in seen)
        assert b"5ecret" not in (tmp_path / "journal.db").read_bytes()


def test_exactly_one_function_sends_a_create() -> None:
    package = Path(__file__).parents[2] / "veo_mcp"
    sources = {path: path.read_text() for path in package.rglob("*.py") if "sandbox" not in path.parts}
    assert [path.name for path, code in sources.items() if '"POST"' in code and "generations" in code] == ["client.py"]
    assert sum(code.count(".send_create(") for code in sources.values()) == 1
    assert sum(code.count('"/v1/videos/generations"') for code in sources.values()) == 1


async def test_every_create_goes_out_on_a_fresh_connection(tmp_path: Path) -> None:
    """A server that closes an idle connection just as it is used again loses the second request, unseen."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    base_url = f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
    posts: list[int] = []

    async def serve(stream: anyio.abc.SocketStream) -> None:
        number = 0
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while number < 2:
                    data = await stream.receive()
                    if data.startswith(b"GET"):
                        await stream.send(balance())
                        return
                    if b"generations" not in data:
                        continue  # the body, in a packet of its own
                    number += 1
                    if number == 1:
                        posts.append(number)
                        await stream.send(success(f"task-{len(posts)}"))

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        async with standing(tmp_path, base_url, seconds=45) as (client, _):
            for number in range(3):
                result = await client.call_tool("create_video", {"prompt": f"boat {number}"})
                assert "Charged 40 credits." in text(result)
        assert len(posts) == 3
        group.cancel_scope.cancel()
