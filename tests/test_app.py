"""The server as hosts run it: a real child process over stdio, killed and started again."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.entries import add, unfinished, whole
from tests.support.processes import real_key, server, veo_mcp
from tests.support.raw_api import raw_api, success
from tests.support.results import structured
from tests.support.stack import text
from veo_mcp.app import backend_for
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.settings import load

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_model_makes_watches_extends_and_pays_for_a_video(tmp_path: Path, mode: str) -> None:
    numbers: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        numbers.append(progress)

    async with Client(server(tmp_path, seconds=1), mode=mode) as client:
        made = await client.call_tool("create_video", {"prompt": "a quiet sea at dawn", "seeds": 12345})
        task = structured(made)
        assert task["charged"] == "yes"
        assert "Charged 40 sandbox credits." in text(made)
        done = await client.call_tool(
            "get_task", {"task_id": task["task_id"], "wait_seconds": 50}, progress_callback=on_progress
        )
        finished = structured(done)
        assert finished["status"] == "completed"
        assert "progress" not in finished, "the last number before the end reads like an unfinished video"
        assert finished["video_urls"][0] in text(done)
        assert numbers
        assert numbers == sorted(set(numbers))
        resource = await client.read_resource(finished["resource_uri"])
        assert finished["video_urls"][0] in str(resource.contents[0])
        more = await client.call_tool("extend_video", {"task_id": task["task_id"], "prompt": "rain begins"})
        assert structured(more)["credits_estimated"] is True
        balance = await client.call_tool("get_credits", {})
        assert structured(balance)["total_consumed"] == 80


async def test_a_task_survives_the_death_of_the_server(tmp_path: Path) -> None:
    async with Client(server(tmp_path, seconds=2)) as client:
        made = await client.call_tool("create_video", {"prompt": "a forest in fog"})
        task_id = structured(made)["task_id"]
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    async with Client(server(tmp_path, seconds=2)) as client:
        done = await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 50})
        finished = structured(done)
        assert finished["status"] == "completed"
        assert finished["video_urls"]


async def test_a_wrong_setting_leaves_the_server_standing_with_a_sentence(tmp_path: Path) -> None:
    parameters = server(tmp_path, seconds=1)
    parameters.env = {**(parameters.env or {}), "VEO_MAX_CREDITS": "many"}
    async with Client(parameters) as client:
        assert len((await client.list_tools()).tools) == 5
        refused = await client.call_tool("create_video", {"prompt": "x"})
        assert refused.is_error
        assert "VEO_MAX_CREDITS" in text(refused)
        assert "Not charged." in text(refused)


def test_what_a_host_waits_for_at_the_start_brings_no_library_of_the_engine_along() -> None:
    """Each costs tens of milliseconds; a host that lists the tools needs none of them."""
    heavy = (
        "httpx",
        "sqlite3",
        "asyncpg",
        "av",
        "numpy",
        "typer",
        "rich.console",
        "prometheus_client",
        "jwt",
        "keyring",
    )
    program = (
        "import sys, mcp.server.mcpserver\nof_the_sdk = set(sys.modules)\n"
        "import veo_mcp.cli.main, veo_mcp.app, veo_mcp.server.build, veo_mcp.server.stdio\n"
        f"print(*({{*{heavy}}} & (set(sys.modules) - of_the_sdk)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


async def test_over_stdio_the_engine_waits_for_a_call_that_needs_it(tmp_path: Path) -> None:
    settings = load(
        {"VEO_API_KEY": "sk-x", "VEO_BASE_URL": "http://127.0.0.1:9", "VEO_JOURNAL": str(tmp_path / "j.db")}
    )
    backend, announcer = Backend(), Announcer()
    server = build_server(backend, sandbox=False, announcer=announcer)
    async with (
        backend_for(settings, backend, announcer, unwanted_seconds=600),
        Client(server) as client,
    ):
        assert len((await client.list_tools()).tools) == 5
        assert not (tmp_path / "j.db").exists()
        with anyio.fail_after(30):
            assert not (await client.call_tool("list_tasks", {})).is_error
        assert (tmp_path / "j.db").exists()


def test_a_server_over_http_does_not_start_with_a_wrong_setting_and_says_which(tmp_path: Path) -> None:
    ended = veo_mcp(tmp_path, "serve", "--transport", "http", "--port", "80000")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "--port is not usable: it must be at most 65535.",
        "The server was not started.",
    ]
    ended = veo_mcp(tmp_path, "serve", VEO_TRANSPORT="http", VEO_PORT="0", VEO_MAX_CREDITS="many")
    assert ended.returncode == 1
    assert "VEO_MAX_CREDITS is not usable" in ended.stderr


@pytest.mark.parametrize("end", ["SIGTERM", "closed stdin"])
async def test_a_create_under_way_is_recorded_when_the_server_is_asked_to_end(tmp_path: Path, end: str) -> None:
    arrived, go_on = anyio.Event(), anyio.Event()

    async def slow(stream: anyio.abc.SocketStream) -> None:
        arrived.set()
        await go_on.wait()
        await stream.send(success())

    async with raw_api(slow) as api, anyio.create_task_group() as group:

        async def create(client: Client) -> None:
            with suppress(MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError):
                await client.call_tool("create_video", {"prompt": "a boat"})

        async def answer_soon() -> None:
            await anyio.sleep(0.2)
            go_on.set()

        async with Client(real_key(tmp_path, api.base_url), mode="legacy") as client:
            group.start_soon(create, client)
            await arrived.wait()
            group.start_soon(answer_soon)
            if end == "SIGTERM":
                os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        await go_on.wait()
        async with SqliteJournal(tmp_path / "journal.db") as journal:
            with anyio.fail_after(10):
                while (entry := (await whole(journal))[0]).upstream_id is None:  # noqa: ASYNC110
                    await anyio.sleep(0.05)
        assert entry.charged == "yes"
        assert api.posts == 1
        group.cancel_scope.cancel()


def test_check_is_content_with_a_sandbox_and_names_what_is_wrong(tmp_path: Path) -> None:
    well = veo_mcp(tmp_path, "check")
    assert well.returncode == 0, well.stderr
    assert "SANDBOX" in well.stdout
    assert "credits   10000" in well.stdout
    wrong = veo_mcp(tmp_path, "check", VEO_MAX_CREDITS="many")
    assert wrong.returncode == 1
    assert "VEO_MAX_CREDITS" in wrong.stderr
    (tmp_path / "journal.db").write_bytes(b"no database at all, not even a small one" * 30)
    broken = veo_mcp(tmp_path, "check")
    assert broken.returncode == 1
    assert str(tmp_path / "journal.db") in broken.stderr


async def test_a_person_settles_an_unknown_outcome_by_hand(tmp_path: Path) -> None:
    said = veo_mcp(tmp_path, "check").stdout
    (api,) = re.findall(r"sandbox:\S+", said)
    async with SqliteJournal(tmp_path / "journal.db") as journal:
        for number in (1, 2):
            entry = unfinished(number, api=api, status=Status.UNKNOWN, upstream_id=None, charged="unknown")
            await add(journal, entry)
    assert veo_mcp(tmp_path, "tasks", "resolve", "vid_1").returncode == 2
    done = veo_mcp(tmp_path, "tasks", "resolve", "vid_1", "--not-charged")
    assert done.returncode == 0, done.stderr
    assert "refused" in done.stdout
    wrong = veo_mcp(tmp_path, "tasks", "resolve", "vid_2", "--task-id", "no-such-task")
    assert wrong.returncode == 1
    assert "knows no task" in wrong.stderr
    shown = json.loads(veo_mcp(tmp_path, "tasks", "list", "--json").stdout)
    assert {row["task_id"]: (row["status"], row["charged"]) for row in shown} == {
        "vid_1": ("refused", "no"),
        "vid_2": ("unknown", "unknown"),
    }


def test_without_the_drawing_libraries_the_command_that_installs_them_is_named(tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['av'] = None; "
    code = (
        hidden
        + "import importlib.util as u; f = u.find_spec; "
        + (
            "u.find_spec = lambda name: None if name == 'av' else f(name); import veo_mcp.app as h; "
            "h.find_spec = u.find_spec; import veo_mcp.cli.main as c; sys.argv = ['veo-mcp', 'check']; c.main()"
        )
    )
    env = {**os.environ, "VEO_JOURNAL": str(tmp_path / "j.db"), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "pip install 'veo-mcp[sandbox]'" in done.stderr
