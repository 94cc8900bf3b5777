"""Two servers over HTTP, real child processes, on one PostgreSQL: what one begins, the other announces and ends."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import Process
from mcp import Client

from tests.support.listening import LIST, MODERN, Listener
from tests.support.ports import free_port
from tests.support.postgres import Postgres, postgres
from tests.support.stack import sandbox, text

pytestmark = pytest.mark.anyio

ANNOUNCED_WITHIN = 2.0
CANARY = "hunter2canary"


@pytest.fixture(scope="module")
def database() -> Generator[Postgres]:
    with postgres() as running:
        yield running


@asynccontextmanager
async def serving(folder: Path, name: str, journal: str, api: str) -> AsyncGenerator[tuple[str, Process]]:
    """`veo-mcp serve --transport http` in a process of its own; its URL."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    env = {**os.environ, "VEO_API_KEY": "sk-sandbox", "VEO_BASE_URL": api, "VEO_JOURNAL": journal}
    command = [sys.executable, "-m", "veo_mcp", "serve", "--transport", "http", "--port", str(port)]
    with (folder / f"{name}.log").open("wb") as stderr:
        process = await anyio.open_process(command, env=env, stdout=None, stderr=stderr)
    try:
        async with httpx2.AsyncClient() as http:
            with anyio.fail_after(40):
                while not await is_ready(http, url):  # noqa: ASYNC110 - another process
                    await anyio.sleep(0.1)
        yield url, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def is_ready(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url + "/readyz")).status_code == 200
    except httpx2.TransportError:
        return False


async def test_what_one_server_begins_the_other_announces_answers_for_and_brings_to_its_end(
    tmp_path: Path, database: Postgres
) -> None:
    journal = database.address(await database.new_schema(), password=CANARY)
    async with (
        sandbox(tmp_path / "api", seconds=4.0) as api,
        serving(tmp_path, "one", journal, api) as (one, first),
        serving(tmp_path, "two", journal, api) as (two, _second),
        Client(two + "/mcp", mode=MODERN) as client,
        anyio.create_task_group() as group,
    ):
        listener = Listener()
        await listener.subscribe(client, MODERN, [], group)
        async with Client(one + "/mcp", mode=MODERN) as maker:
            made = await maker.call_tool("create_video", {"prompt": "A lighthouse at dusk", "mode": "fast"})
        assert not made.is_error, text(made)
        with anyio.fail_after(ANNOUNCED_WITHIN):
            await listener.wait_for(LIST)
        assert made.structured_content is not None
        task_id = made.structured_content["task_id"]
        # The server that made it dies, perhaps while it asks about the task.
        first.kill()
        await first.wait()
        uri = f"veo://tasks/{task_id}"
        await listener.subscribe(client, MODERN, [uri], group)
        with anyio.fail_after(60):
            received = 0
            while (await status(client, task_id)) != "completed":
                received += 1
                await listener.wait_for(uri, received)
        group.cancel_scope.cancel()
    for log in ("one.log", "two.log"):
        said = (tmp_path / log).read_text()
        assert CANARY not in said
        assert "Traceback" not in said


async def status(client: Client, task_id: str) -> str:
    answer = await client.call_tool("get_task", {"task_id": task_id})
    assert answer.structured_content is not None
    return str(answer.structured_content["status"])
