"""The server on HTTP as a person starts it, a real child process: both transports or SSE alone, one backend."""

import os
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import SocketStream
from mcp import Client
from mcp.client.sse import sse_client

from tests.support.child import http_child
from tests.support.entries import add, unfinished
from tests.support.raw_api import answer, raw_api, says
from tests.support.stack import text
from veo_mcp.journal.sqlite.store import SqliteJournal

pytestmark = pytest.mark.anyio


UNDER_WAY = answer(200, {"id": "task-1", "status": "processing", "created_at": 1})


def client_at(url: str, era: str) -> Client:
    return Client(sse_client(url) if url.endswith("/sse") else url, mode=era)


async def test_all_connections_share_one_backend(tmp_path: Path) -> None:
    """A backend asks for the credits once, to know its API, before it asks about a task; a second would too."""
    asked = anyio.Event()

    async def tasks(stream: SocketStream) -> None:
        await stream.send(UNDER_WAY)
        asked.set()

    async with raw_api(tasks) as api:
        async with SqliteJournal(tmp_path / "journal.db") as journal:
            await add(journal, replace(unfinished(1, api=api.base_url), next_poll_at=0.0))
        async with http_child(tmp_path, api.base_url, transport="http") as env, AsyncExitStack() as stack:
            for path in ("/sse", "/mcp"):
                for era in ("legacy", "auto", "legacy", "auto"):
                    client = await stack.enter_async_context(client_at(env.url + path, era))
                    assert "task-1" in text(await client.call_tool("list_tasks", {}))
            with anyio.fail_after(20):
                await asked.wait()
                asked = anyio.Event()
                await asked.wait()
            assert api.reads == 1


@pytest.mark.parametrize("transport", ["http", "sse"])
async def test_other_hosts_and_origins_are_refused_on_every_transport(tmp_path: Path, transport: str) -> None:
    async with (
        raw_api(says(UNDER_WAY)) as api,
        http_child(tmp_path, api.base_url, transport=transport) as env,
        httpx2.AsyncClient() as http,
    ):
        entry_points = [("GET", "/sse"), ("POST", "/messages/?session_id=" + "0" * 32)]
        entry_points += [("GET", "/mcp"), ("POST", "/mcp")] if transport == "http" else []
        for method, path in entry_points:
            body: dict[str, Any] = {"json": {}} if method == "POST" else {}
            for name in ("evil.example", "127.0.0.1.evil.example:80"):
                refusal = await http.request(method, env.url + path, headers={"Host": name}, **body)
                assert refusal.status_code == 421, (path, name)
            for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
                refusal = await http.request(method, env.url + path, headers={"Origin": origin}, **body)
                assert refusal.status_code == 403, (path, origin)
        assert (await http.get(env.url + "/healthz")).json() == {"status": "ok"}
        # A callback comes under the public name of the server, whatever that is, and proves itself.
        public = {"Host": "veo.example"}
        assert (await http.post(env.url + "/callbacks/vid_x.0", headers=public, json={})).status_code == 404
        assert "Traceback" not in (tmp_path / "stderr").read_text()


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_sse_alone_serves_both_eras_and_nothing_at_mcp(tmp_path: Path, era: str) -> None:
    async with raw_api(says(UNDER_WAY)) as api, http_child(tmp_path, api.base_url, transport="sse") as env:
        async with client_at(env.url + "/sse", era) as client:
            assert len((await client.list_tools()).tools) == 5
            assert "9800 credits" in text(await client.call_tool("get_credits", {}))
        async with httpx2.AsyncClient() as http:
            for method in ("GET", "POST", "DELETE"):
                assert (await http.request(method, env.url + "/mcp")).status_code == 404


@pytest.mark.parametrize("transport", ["http", "sse"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_a_server_that_others_could_reach_does_not_start(tmp_path: Path, transport: str, host: str) -> None:
    env = {**os.environ, "VEO_JOURNAL": str(tmp_path / "journal.db"), "VEO_SANDBOX_DIR": str(tmp_path / "sandbox")}
    command = [sys.executable, "-m", "veo_mcp", "serve", "--transport", transport, "--host", host]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "would let others spend your credits" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
