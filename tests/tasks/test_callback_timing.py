"""Callbacks that come early, late, twice, out of order or slowly."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from pydantic import SecretStr

from tests.support.entries import PERSON, create, everything
from tests.support.ports import free_port
from tests.support.raw_api import TASK_ID, answer, raw_api, success
from tests.support.results import structured
from veo_mcp.app import backend_for
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.server.shutdown import Shutdown
from veo_mcp.settings import load
from veo_mcp.tasks.engine import open_engine
from veo_mcp.web.routes import build_web, serve_http

pytestmark = pytest.mark.anyio

DONE: dict[str, object] = {
    "id": TASK_ID,
    "status": "completed",
    "created_at": 1774790227,
    "completed_at": 1774796529,
    "output": {"urls": ["https://file.example/v.mp4"], "metadata": {"resolution": "720p"}},
}


async def test_callbacks_before_the_answer_twice_and_afterwards_settle_the_task_once(tmp_path: Path) -> None:
    """The API calls back while its answer to the create is still on the way, and again later."""
    go_on = anyio.Event()
    reads = 0

    async def script(stream: anyio.abc.SocketStream) -> None:
        nonlocal reads
        if api.posts == 1 and not reads:
            arrived.set()
            await go_on.wait()
            await stream.send(success())
            return
        reads += 1
        await stream.send(answer(200, DONE))

    arrived = anyio.Event()
    async with (
        raw_api(script) as api,
        SqliteJournal(tmp_path / "j.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), public_url="http://127.0.0.1:1") as engine,
        anyio.create_task_group() as group,
    ):
        callbacks = engine.callbacks
        group.start_soon(callbacks.run)
        group.start_soon(create, engine, "a boat")
        await arrived.wait()
        (sending,) = await everything(engine)
        assert sending.status is Status.SUBMITTING
        token = await callbacks.urls.token(sending.id)
        reads = 1
        seen: list[Status] = []
        async with journal.changes() as feed:
            for _ in range(3):
                assert callbacks.prove(token) == sending.id
                callbacks.take(sending.id, json.dumps({"id": TASK_ID}).encode())
            async for entry in feed:
                seen.append(entry.status)
                if entry.status is Status.COMPLETED:
                    break
        go_on.set()
        callbacks.take(sending.id, b"{}")
        await engine.submitter.wait_idle()
        (entry,) = await everything(engine)
        assert seen == [Status.COMPLETED]
        assert entry.status is Status.COMPLETED
        assert entry.upstream_id == TASK_ID
        assert entry.charged == "yes"
        group.cancel_scope.cancel()


async def test_a_slow_callback_is_cut_off(tmp_path: Path) -> None:
    async def drips() -> AsyncGenerator[bytes]:
        yield b"{"
        await anyio.sleep_forever()

    async with (
        SqliteJournal(tmp_path / "j.db") as journal,
        open_engine(journal, base_url="http://127.0.0.1:1", key=SecretStr("sk-x")) as engine,
        anyio.create_task_group() as group,
    ):
        backend = Backend()
        backend.opened(engine)
        group.start_soon(engine.callbacks.run)
        app = build_web(build_server(backend, sandbox=False), backend, Shutdown(), body_seconds=0.05)
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            token = await engine.callbacks.urls.token("vid_1")
            assert (await http.post(f"/callbacks/{token}", content=drips())).status_code == 408
        group.cancel_scope.cancel()


async def test_the_embedded_sandbox_calls_back_to_its_own_server_and_to_no_other_private_address(
    tmp_path: Path,
) -> None:
    port = free_port()
    settings = load(
        {
            "VEO_TRANSPORT": "http",
            "VEO_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "VEO_JOURNAL": str(tmp_path / "journal.db"),
            "VEO_SANDBOX_DIR": str(tmp_path / "sandbox"),
            "VEO_SANDBOX_SECONDS": "0",
        }
    )
    backend, announcer = Backend(), Announcer()
    server = build_server(backend, sandbox=True, announcer=announcer)
    async with backend_for(settings, backend, announcer), anyio.create_task_group() as group:
        up = anyio.Event()

        async def serve() -> None:
            await serve_http(server, backend, shutdown=Shutdown(), host="127.0.0.1", port=port, ready=up.set)

        group.start_soon(serve)
        await up.wait()
        async with Client(server) as client:
            made = await client.call_tool("create_video", {"prompt": "[sandbox:fail] x"})
            task_id = structured(made)["task_id"]
            await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 30})
            engine = await backend.engine()
            entry = await engine.reader.get(await engine.accounts.account(PERSON), task_id)
            assert entry.status is Status.FAILED
            assert entry.polls == 0
            elsewhere = f"http://127.0.0.1:{free_port()}/x"
            refused = await client.call_tool("create_video", {"prompt": "x", "callback_url": elsewhere})
            assert refused.is_error
        group.cancel_scope.cancel()
