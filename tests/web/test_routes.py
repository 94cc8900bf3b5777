"""HTTP: both transports on one port, callbacks as hints, and nobody from outside."""

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client

from tests.support.results import structured
from tests.support.site import site, until
from tests.support.stack import text
from veo_mcp.errors import NotLoopback
from veo_mcp.journal.entry import Status
from veo_mcp.settings import load
from veo_mcp.web.access import closed_to_others

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_streamable_http_and_sse_answer_on_one_port_in_both_eras(tmp_path: Path, mode: str, path: str) -> None:
    async with site(tmp_path, poll=True) as env:
        target = sse_client(env.url + path) if path == "/sse" else env.url + path
        async with Client(target, mode=mode) as client:
            assert len((await client.list_tools()).tools) == 5
            made = await client.call_tool("create_video", {"prompt": "[sandbox:fail] a boat"})
            task_id = structured(made)["task_id"]
            done = await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 30})
            assert "Refunded 40 sandbox credits." in text(done)


async def test_a_callback_ends_a_wait_without_a_single_poll(tmp_path: Path) -> None:
    async with site(tmp_path) as env, Client(env.url + "/mcp") as client:
        made = await client.call_tool("create_video", {"prompt": "[sandbox:fail] a boat"})
        task_id = structured(made)["task_id"]
        done = await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 30})
        assert structured(done)["status"] == "failed"
        entry = await env.entry(task_id)
        assert entry.polls == 0


@pytest.mark.parametrize("directive", ["drop", "garbage", "internal_error"])
async def test_a_callback_turns_an_unknown_outcome_into_its_real_task(tmp_path: Path, directive: str) -> None:
    async with site(tmp_path, create_seconds=2) as env, Client(env.url + "/mcp") as client:
        made = await client.call_tool("create_video", {"prompt": f"[sandbox:{directive}] a boat at sea"})
        task = structured(made)
        assert task["charged"] in ("unknown", "yes")
        assert await until(env.engine, task["task_id"], Status.COMPLETED) is Status.COMPLETED
        looked = await client.call_tool("get_task", {"task_id": task["task_id"]})
        found = structured(looked)
        assert found["charged"] == "yes"
        assert found["task_id"] != task["task_id"]
        assert found["video_urls"]


async def test_forged_and_unknown_callbacks_are_not_found(tmp_path: Path) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        real = await env.token("vid_somebody")
        for token in ("x", "vid_somebody.", "vid_somebody.0000", "vid_other." + real.rpartition(".")[2], "ü.ü"):
            answer = await http.post(f"{env.url}/callbacks/{token}", json={"id": "x", "status": "completed"})
            assert answer.status_code == 404, token
        assert (await http.post(f"{env.url}/callbacks/{real}", json={"id": "nope"})).status_code == 204


async def test_the_body_of_a_callback_is_never_believed(tmp_path: Path) -> None:
    async with site(tmp_path) as env, Client(env.url + "/mcp") as client, httpx2.AsyncClient() as http:
        made = await client.call_tool("create_video", {"prompt": "[sandbox:slow] a boat"})
        task_id = structured(made)["task_id"]
        entry = await env.entry(task_id)
        url = f"{env.url}/callbacks/{await env.token(entry.id)}"
        lie = {"id": task_id, "status": "completed", "output": {"urls": ["https://evil.example/x.mp4"]}}
        for body in (json.dumps(lie), json.dumps({"id": "another"}), "garbage", "[" * 60_000, "", '{"id": 5}'):
            assert (await http.post(url, content=body)).status_code == 204
        looked = await client.call_tool("get_task", {"task_id": task_id})
        assert structured(looked)["status"] in ("pending", "processing")
        assert "video_urls" not in structured(looked)


class Noted(logging.Handler):
    """Tells when something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.event = anyio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


async def test_a_callback_that_meets_a_journal_in_trouble_ends_nothing(tmp_path: Path) -> None:
    noted, log = Noted(), logging.getLogger("veo_mcp.tasks.callbacks")
    log.addHandler(noted)
    try:
        async with site(tmp_path) as env, Client(env.url + "/mcp") as client, httpx2.AsyncClient() as http:
            made = await client.call_tool("create_video", {"prompt": "[sandbox:no_callback] [sandbox:fail] a boat"})
            entry = await env.entry(structured(made)["task_id"])
            url = f"{env.url}/callbacks/{await env.token(entry.id)}"
            with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as db:
                db.execute("ALTER TABLE entries RENAME TO elsewhere")
                assert (await http.post(url, json={"id": entry.upstream_id})).status_code == 204
                with anyio.fail_after(10):
                    await noted.event.wait()
                db.execute("ALTER TABLE elsewhere RENAME TO entries")
            assert (await client.call_tool("get_task", {"task_id": entry.id})).structured_content
            assert (await http.post(url, json={"id": entry.upstream_id})).status_code == 204
    finally:
        log.removeHandler(noted)


async def test_an_oversized_callback_is_cut_off(tmp_path: Path) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        url = f"{env.url}/callbacks/{await env.token('vid_x')}"
        assert (await http.post(url, content=b"x" * 100_000)).status_code == 413


async def test_a_callers_own_callback_url_is_passed_through_untouched(tmp_path: Path) -> None:
    async with site(tmp_path) as env, Client(env.url + "/mcp") as client:
        mine = "http://127.0.0.1:9/mine"
        made = await client.call_tool("create_video", {"prompt": "[sandbox:slow] x", "callback_url": mine})
        entry = await env.entry(structured(made)["task_id"])
        assert json.loads(entry.body)["callback_url"] == mine
        assert not env.engine.callbacks.urls.expects(entry)


async def test_another_host_or_origin_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        for path in ("/mcp", "/sse"):
            assert (await http.get(env.url + path, headers={"Host": "evil.example"})).status_code == 421
            evil = {"Origin": "https://evil.example"}
            assert (await http.get(env.url + path, headers=evil)).status_code == 403
        assert (await http.get(env.url + "/healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104
async def test_binding_to_anything_but_loopback_is_refused(host: str) -> None:
    with pytest.raises(NotLoopback, match="spend your credits"):
        closed_to_others(load({"VEO_TRANSPORT": "http", "VEO_HOST": host}))
