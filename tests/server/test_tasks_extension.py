"""The Tasks extension: a task for clients that declare it, the ordinary answer for everyone else."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from mcp import Client
from mcp.client import ClaimContext, ClientExtension, ResultClaim, advertise
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Request, RequestParams, Result

from tests.support.processes import server
from tests.support.site import site
from tests.support.stack import open_stack, text

pytestmark = pytest.mark.anyio

TASKS = "io.modelcontextprotocol/tasks"


class Started(Result):
    """What a create answers to a client that can follow a task."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    poll_interval_ms: int | None = None


class Ask(RequestParams):
    task_id: str


class GetTask(Request[Ask, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    params: Ask
    name_param = "taskId"


class CancelTask(Request[Ask, Literal["tasks/cancel"]]):
    method: Literal["tasks/cancel"] = "tasks/cancel"
    params: Ask
    name_param = "taskId"


class Seen(Result):
    """What tasks/get answers."""

    task_id: str = ""
    status: str = ""
    result: dict[str, Any] | None = None


class Follower(ClientExtension):
    """A client that follows tasks to their end, as the extension says."""

    identifier = TASKS

    def __init__(self) -> None:
        self.started: list[Started] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Started, resolve=self.follow)]

    async def follow(self, started: Started, context: ClaimContext) -> CallToolResult:
        self.started.append(started)
        with anyio.fail_after(40):
            while True:
                seen = await context.session.send_request(GetTask(params=Ask(task_id=started.task_id)), Seen)
                if seen.status == "completed":
                    return CallToolResult.model_validate(seen.result)
                await anyio.sleep(0.05)


async def look(client: Client, task_id: str) -> Seen:
    return await client.session.send_request(GetTask(params=Ask(task_id=task_id)), Seen)


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
            # The age is told as of each look, and a second may have passed between the two.
            one, other = (
                re.sub(r"started \d+ s ago", "", json.dumps(told.structured_content)) for told in (plain, done)
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
            await look(env.client, (made.structured_content or {})["task_id"])
        assert refusal.value.error.code in (-32021, -32601)


async def test_wrong_ids_are_refused_and_a_cancelled_task_goes_on(tmp_path: Path) -> None:
    async with open_stack(tmp_path, extensions=[Follower()]) as env:
        with pytest.raises(MCPError) as unknown:
            await look(env.client, "vid_nobody")
        assert unknown.value.error.code == -32602
        started = await env.client.session.call_tool(
            "create_video", {"prompt": "[sandbox:slow] a boat"}, allow_claimed=True
        )
        assert isinstance(started, Started)
        task_id = started.task_id
        await env.client.session.send_request(CancelTask(params=Ask(task_id=task_id)), Result)
        assert (await look(env.client, task_id)).status == "working"
        assert await env.charged() == 40


async def test_a_task_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    async with Client(server(tmp_path, seconds=2), extensions=[Follower()]) as client:
        started = await client.session.call_tool(
            "create_video", {"prompt": "[sandbox:fail] a boat"}, allow_claimed=True
        )
        assert isinstance(started, Started)
    async with Client(server(tmp_path, seconds=2), extensions=[Follower()]) as client:
        # Waiting with the tool first: both ways lead to the same entry.
        await client.call_tool("get_task", {"task_id": started.task_id, "wait_seconds": 30})
        seen = await look(client, started.task_id)
        assert seen.status == "completed"
        assert "Refunded 40 sandbox credits." in str(seen.result)
