"""Tools that become tasks, for the suite's `tasks-*` scenarios.

The product's, and under test here: the whole wire (fields, acknowledgements, error codes, the capability gate, headers,
which methods exist) in server/tasks_extension.py; and for `slow_compute` up to a few seconds also what is behind it:
create_video, the sandbox, the journal, the poller. The overlay's: tasks that do what no video does, which is to be
cancelled, to ask while they run, to end in a protocol error, and to insist on a client that can follow them.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit, Resolve
from mcp.server.mcpserver.server import require_client_extension
from mcp_types import INTERNAL_ERROR, CallToolResult, InputRequiredResult, TextContent
from pydantic import BaseModel

from tests.conformance.rounds import elicit
from veo_mcp.server.build import VeoServer
from veo_mcp.server.messages.errors import tool_error
from veo_mcp.server.tasks_extension import TASKS, Ctx, TaskSource, TaskState

__all__ = ["Jobs", "register"]

A_VIDEO_CAN_BE_WAITED_FOR = 5
"""Seconds; a `slow_compute` that is longer is there to be cancelled, which no video can be."""


@dataclass
class Job:
    """A task of the overlay: it works for some seconds, or until its questions are answered, and then has its end."""

    id: str
    began: float
    seconds: float
    end: dict[str, Any]
    questions: dict[str, Any] = field(default_factory=dict[str, Any])
    cancelled: bool = False


class Jobs:
    """The source of tasks that stands in for the product's: the overlay's own, then the product's."""

    def __init__(self, videos: TaskSource) -> None:
        self._videos = videos
        self._jobs: dict[str, Job] = {}

    def start(self, ctx: Context[Any, Any], seconds: float, end: dict[str, Any], **questions: Any) -> CallToolResult:
        """Begins a task and gives the answer that names it. Raises MCPError for a client that could not follow it."""
        require_client_extension(ctx.request_context, TASKS)
        job = Job(secrets.token_urlsafe(12), time.time(), seconds, end, questions)
        self._jobs[job.id] = job
        return CallToolResult(content=[TextContent(type="text", text=job.id)], structured_content={"job": job.id})

    async def begun(self, ctx: Ctx, tool: str, result: CallToolResult) -> TaskState | None:
        named: dict[str, Any] = result.structured_content or {}
        job = self._jobs.get(named.get("job", ""))
        if job is not None:
            return _shown(job)
        return await self._videos.begun(ctx, "create_video" if tool == "slow_compute" else tool, result)

    async def find(self, ctx: Ctx, task_id: str) -> TaskState | None:
        job = self._jobs.get(task_id)
        return _shown(job) if job is not None else await self._videos.find(ctx, task_id)

    async def answer(self, task_id: str, responses: Mapping[str, Any]) -> None:
        job = self._jobs.get(task_id)
        if job is None:
            return await self._videos.answer(task_id, responses)
        for key in responses:
            job.questions.pop(key, None)
        return None

    async def cancel(self, task_id: str) -> None:
        job = self._jobs.get(task_id)
        if job is None:
            return await self._videos.cancel(task_id)
        job.cancelled = job.cancelled or _status(job) in ("working", "input_required")
        return None


class Name(BaseModel):
    """The one question of `test_tool_with_task`."""

    name: str


async def ask_name() -> Elicit[Name]:
    """Asks before there is a task, as create_video asks about its price."""
    return Elicit("What is your name?", Name)


def register(server: VeoServer, jobs: Jobs) -> None:
    """Adds the fixtures to the server."""

    @server.tool(description="Greets", structured_output=False)
    def greet(name: str) -> str:
        return f"Hello, {name}!"

    @server.tool(description="Works for some seconds")
    async def slow_compute(seconds: int, label: str, ctx: Context[None, Any]) -> CallToolResult | InputRequiredResult:
        if seconds > A_VIDEO_CAN_BE_WAITED_FOR:
            return jobs.start(ctx, seconds, _text(label))
        # The real thing, with a directive that needs no rendering: how long it takes does not depend on the machine.
        return await server.call_tool("create_video", {"prompt": f"[sandbox:fail] {label} {seconds}"}, ctx)

    @server.tool(description="Fails as a tool does")
    def failing_job(ctx: Context) -> CallToolResult:
        return jobs.start(ctx, 1, _result(tool_error("This job fails, as it should.")))

    @server.tool(description="Fails as a protocol does")
    def protocol_error_job(ctx: Context) -> CallToolResult:
        return jobs.start(ctx, 0.5, {"error": {"code": INTERNAL_ERROR, "message": "It broke, as it should."}})

    @server.tool(description="Asks one thing while it runs")
    def confirm_delete(filename: str, ctx: Context) -> CallToolResult:
        question = _wire(elicit(f"Delete {filename}?", "confirm", "boolean"))
        return jobs.start(ctx, 0, _text(f"Deleted {filename}."), confirm=question)

    @server.tool(description="Asks two things while it runs")
    def multi_input(ctx: Context) -> CallToolResult:
        first, second = (_wire(elicit(f"Name {number}?", "name")) for number in (1, 2))
        return jobs.start(ctx, 0, _text("Both are answered."), first=first, second=second)

    @server.tool(description="Asks, and then becomes a task")
    def test_tool_with_task(
        name: Annotated[ElicitationResult[Name], Resolve(ask_name)], ctx: Context
    ) -> CallToolResult:
        assert isinstance(name, AcceptedElicitation)
        return jobs.start(ctx, 0.5, _text(f"Done for {name.data.name}."))


def _status(job: Job) -> str:
    if job.cancelled:
        return "cancelled"
    if job.questions:
        return "input_required"
    if time.time() < job.began + job.seconds:
        return "working"
    return "failed" if "error" in job.end else "completed"


def _shown(job: Job) -> TaskState:
    status = _status(job)
    details: dict[str, Any] = {}
    if status in ("completed", "failed"):
        details = job.end
    elif status == "input_required":
        details = {"inputRequests": dict(job.questions)}
    return TaskState(job.id, status, status, job.began, job.began, details)


def _text(text: str) -> dict[str, Any]:
    return _result(CallToolResult(content=[TextContent(type="text", text=text)]))


def _result(result: CallToolResult) -> dict[str, Any]:
    return {"result": _wire(result)}


def _wire(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)
