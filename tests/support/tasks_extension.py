"""A client of the Tasks extension: the messages of the protocol, and a client extension that follows a task.

Used by the tests of the extension, of accounts and of repeated calls.
"""

from collections.abc import Sequence
from typing import Any, Literal

import anyio
from mcp import Client
from mcp.client import ClaimContext, ClientExtension, ResultClaim
from mcp_types import CallToolResult, Request, RequestParams, Result

__all__ = ["TASKS", "CancelTask", "Follower", "StartedTask", "TaskParams", "read_task"]

TASKS = "io.modelcontextprotocol/tasks"


class StartedTask(Result):
    """What a create answers to a client that can follow a task."""

    result_type: Literal["task"] = "task"
    task_id: str
    status: str
    poll_interval_ms: int | None = None


class TaskParams(RequestParams):
    task_id: str


class GetTask(Request[TaskParams, Literal["tasks/get"]]):
    method: Literal["tasks/get"] = "tasks/get"
    params: TaskParams
    name_param = "taskId"


class CancelTask(Request[TaskParams, Literal["tasks/cancel"]]):
    method: Literal["tasks/cancel"] = "tasks/cancel"
    params: TaskParams
    name_param = "taskId"


class TaskState(Result):
    """What tasks/get answers."""

    task_id: str = ""
    status: str = ""
    result: dict[str, Any] | None = None


class Follower(ClientExtension):
    """A client that polls a task until it has ended, as the extension says."""

    identifier = TASKS

    def __init__(self) -> None:
        self.started: list[StartedTask] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=StartedTask, resolve=self.follow)]

    async def follow(self, started: StartedTask, context: ClaimContext) -> CallToolResult:
        self.started.append(started)
        with anyio.fail_after(40):
            while True:
                state = await context.session.send_request(
                    GetTask(params=TaskParams(task_id=started.task_id)), TaskState
                )
                if state.status == "completed":
                    return CallToolResult.model_validate(state.result)
                await anyio.sleep(0.05)


async def read_task(client: Client, task_id: str) -> TaskState:
    """Sends `tasks/get` once."""
    return await client.session.send_request(GetTask(params=TaskParams(task_id=task_id)), TaskState)
