"""The Tasks extension: a task for clients that declare it, the ordinary answer for everyone else."""

import json
import re
from pathlib import Path

import pytest
from mcp import Client
from mcp.client import advertise
from mcp.shared.exceptions import MCPError
from mcp_types import Result

from tests.support.processes import server
from tests.support.results import structured
from tests.support.site import site
from tests.support.stack import open_stack, text
from tests.support.tasks_extension import TASKS, CancelTask, Follower, StartedTask, TaskParams, read_task

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("transport", ["memory", "http"])
async def test_a_client_that_declares_it_gets_a_task_that_ends_as_get_task_does(tmp_path: Path, transport: str) -> None:
    follower = Follower()
    async with site(tmp_path, poll=True) if transport == "http" else open_stack(tmp_path, extensions=[follower]) as env:
        client = Client(env.url + "/mcp", extensions=[follower]) if transport == "http" else None  # type: ignore[union-attr]

        async def day(client: Client) -> None:
            done = await client.call_tool("create_video", {"prompt": "[sandbox:fail] a boat"})
            assert "Refunded 40 sandbox credits." in text(done)
            (started,) = follower.started
            assert started.task_id.startswith("vid_")
            assert started.status == "working"
            plain = await client.call_tool("get_task", {"task_id": started.task_id})
            # The age is stated as of each look, and a second may have passed between the two.
            one, other = (
                re.sub(r"started \d+ s ago", "", json.dumps(result.structured_content)) for result in (plain, done)
            )
            assert one == other

        if client is None:
            await day(env.client)  # type: ignore[union-attr]
        else:
            async with client:
                await day(client)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_everyone_else_gets_the_ordinary_answer(tmp_path: Path, mode: str) -> None:
    extensions = [] if mode == "auto" else [advertise(TASKS)]
    async with open_stack(tmp_path, mode=mode, extensions=extensions) as env:
        made = await env.call("create_video", prompt="[sandbox:slow] a boat")
        assert "Charged 40 sandbox credits." in text(made)
        with pytest.raises(MCPError) as refusal:
            await read_task(env.client, structured(made)["task_id"])
        assert refusal.value.error.code in (-32021, -32601)


async def test_wrong_ids_are_refused_and_a_cancelled_task_goes_on(tmp_path: Path) -> None:
    async with open_stack(tmp_path, extensions=[Follower()]) as env:
        with pytest.raises(MCPError) as unknown:
            await read_task(env.client, "vid_nobody")
        assert unknown.value.error.code == -32602
        started = await env.client.session.call_tool(
            "create_video", {"prompt": "[sandbox:slow] a boat"}, allow_claimed=True
        )
        assert isinstance(started, StartedTask)
        task_id = started.task_id
        await env.client.session.send_request(CancelTask(params=TaskParams(task_id=task_id)), Result)
        assert (await read_task(env.client, task_id)).status == "working"
        assert await env.charged() == 40


async def test_a_task_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    async with Client(server(tmp_path, seconds=2), extensions=[Follower()]) as client:
        started = await client.session.call_tool(
            "create_video", {"prompt": "[sandbox:fail] a boat"}, allow_claimed=True
        )
        assert isinstance(started, StartedTask)
    async with Client(server(tmp_path, seconds=2), extensions=[Follower()]) as client:
        # Waiting with the tool first: both ways lead to the same entry.
        await client.call_tool("get_task", {"task_id": started.task_id, "wait_seconds": 30})
        state = await read_task(client, started.task_id)
        assert state.status == "completed"
        assert "Refunded 40 sandbox credits." in str(state.result)
