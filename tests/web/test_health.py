"""/readyz says whether the server can do its work, and why not; /healthz that it is there."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from tests.support.child import call, http_child, stdio_child
from tests.support.raw_api import error, raw_api, says
from veo_mcp.api.account import Caller
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.shutdown import Shutdown
from veo_mcp.supervisor import LoopHealth
from veo_mcp.tasks.engine import open_engine
from veo_mcp.web.health import Health

pytestmark = pytest.mark.anyio


def loop(*, well: bool) -> LoopHealth:
    return LoopHealth(name="poller", running=well, well=well, failures=1, error="The disk is full.", since=0.0)


async def test_each_trouble_is_named(tmp_path: Path) -> None:
    now, states = 1000.0, [loop(well=True)]
    backend, shutdown = Backend(), Shutdown()
    health = Health(backend, shutdown, clock=lambda: now)

    def loops() -> Sequence[LoopHealth]:
        return states

    backend.loops = loops
    assert await health.reasons() == ["It is still starting."]
    backend.failed("VEO_MAX_CREDITS is not usable.")
    assert await health.reasons() == ["VEO_MAX_CREDITS is not usable."]
    async with (
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url="http://127.0.0.1:9", key=SecretStr("sk-x")) as engine,
    ):
        backend.opened(engine)
        assert await health.reasons() == []
        engine.poller.last_round_at = now
        assert await health.reasons() == []
        now += 200
        assert await health.reasons() == ["The poller's last round began 200 s ago."]
        engine.poller.last_round_at = now
        engine.poller.unreachable = "No network."
        assert await health.reasons() == ["No network."]
        engine.poller.unreachable = None
        states = [loop(well=False)]
        assert await health.reasons() == ["The poller fails: The disk is full."]
        states = [loop(well=True)]
        with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            (why,) = await health.reasons()
            assert "journal" in why
            other.execute("ROLLBACK")
        assert await health.reasons() == []
    shutdown.begin()
    assert await health.reasons() == ["It is ending."]


async def test_what_keeps_a_task_from_being_looked_at_is_shown_with_the_task(tmp_path: Path) -> None:
    now = 1000.0
    async with (
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url="http://127.0.0.1:9", key=SecretStr("sk-x"), clock=lambda: now) as engine,
    ):
        mine = await engine.accounts.account(Caller(principal=""))
        assert engine.poller.trouble(mine) is None
        engine.poller.last_round_at = now
        now += 200
        assert engine.poller.trouble(mine) == (
            "This server last looked 200 s ago, because its own loop fails; its log says why."
        )
        engine.poller.last_round_at, engine.poller.unreachable = now, "No network."
        assert engine.poller.trouble(mine) == "No network."


async def test_a_key_that_is_refused_makes_it_not_ready(tmp_path: Path) -> None:
    async with (
        raw_api(says(error(401, "invalid_api_key")), credits=says(error(401, "invalid_api_key"))) as api,
        http_child(tmp_path, api.base_url) as child,
        httpx2.AsyncClient() as http,
    ):
        with anyio.fail_after(20):
            while (answer := await http.get(child.url + "/readyz")).status_code != 503:  # noqa: ASYNC110 - another process
                await anyio.sleep(0.1)
        assert "VEO_API_KEY" in answer.text
        assert (await http.get(child.url + "/healthz")).json() == {"status": "ok"}


async def test_a_journal_that_comes_back_is_used_without_a_restart(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    async with stdio_child(tmp_path) as child:
        await child.open()
        await child.send(call(1, "create_video", prompt="a boat"))
        refused = (await child.answer(1))["result"]
        assert refused["isError"]
        assert "Not charged." in refused["content"][0]["text"]
        await anyio.Path(tmp_path / "journal.db").rmdir()
        with anyio.fail_after(40):
            while True:
                await child.send(call(2, "create_video", prompt="a boat"))
                if not (await child.answer(2))["result"].get("isError"):
                    break
                await anyio.sleep(0.2)
        assert "Traceback" not in child.err
