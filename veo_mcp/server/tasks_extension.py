"""The Tasks extension (`io.modelcontextprotocol/tasks`, SEP-2663) over the journal.

Registered by server/build.py. A client that declares it gets a task instead of an answer when it creates or extends,
and asks for the end with `tasks/get`, which gives what the tool get_task would. A task lives in the journal, under our
own id, so it survives a restart. Everyone else gets the ordinary answer. Never spends: the tool has done that already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import Field

from veo_mcp.errors import UnknownTask, VeoMcpError
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import account_of
from veo_mcp.server.results import task_result
from veo_mcp.server.views import elapsed, iso

__all__ = ["SPENDING", "TASKS", "Ctx", "JournalTasks", "TaskSource", "TaskState", "TasksExtension"]

TASKS = "io.modelcontextprotocol/tasks"
SPENDING = ("create_video", "extend_video")
HEADER_MISMATCH = -32020
POLL_MILLISECONDS = 5000
Ctx = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task as the wire has it; times are Unix seconds. `details` is for `tasks/get` alone, such as the result."""

    task_id: str
    status: str
    message: str
    created_at: float
    updated_at: float
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


class TaskSource(Protocol):
    """Where the tasks are; the extension itself only knows the wire. The context says who asks."""

    async def begun(self, ctx: Ctx, tool: str, result: CallToolResult) -> TaskState | None:
        """The task that this answer of a tool has begun, or None where the answer is all there is."""
        ...

    async def find(self, ctx: Ctx, task_id: str) -> TaskState | None:
        """The caller's task with this id."""
        ...

    async def answer(self, task_id: str, responses: Mapping[str, Any]) -> None:
        """Takes the client's answers to what the task asked."""
        ...

    async def cancel(self, task_id: str) -> None:
        """Notes that the client wants the task no more."""
        ...


class TaskParams(RequestParams):
    """Names a task."""

    task_id: str


class UpdateParams(TaskParams):
    """Names a task and answers what it asked."""

    input_responses: dict[str, Any] = Field(default_factory=dict)


class TasksExtension(Extension):
    """The extension on the wire: its methods, its capability and its task objects.

    Args:
        source: where the tasks are.
    """

    identifier = TASKS

    def __init__(self, source: TaskSource) -> None:
        self._source = source

    def methods(self) -> Sequence[MethodBinding]:
        """`tasks/get`, `tasks/update` and `tasks/cancel`, in the modern era only."""
        modern = frozenset(MODERN_PROTOCOL_VERSIONS)
        return [
            MethodBinding("tasks/get", TaskParams, self._get, modern),
            MethodBinding("tasks/update", UpdateParams, self._update, modern),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, modern),
        ]

    async def intercept_tool_call(self, params: CallToolRequestParams, ctx: Ctx, call_next: CallNext) -> HandlerResult:
        """Turns the answer of a tool that began a task into that task, for a client that can follow one."""
        result = await call_next(ctx)
        if not isinstance(result, CallToolResult) or not _declared(ctx):
            return result
        task = await self._source.begun(ctx, params.name, result)
        return result if task is None else {"resultType": "task", **_fields(task)}

    async def _get(self, ctx: Ctx, params: TaskParams) -> HandlerResult:
        task = await self._required(ctx, params)
        return {"resultType": "complete", **_fields(task), **task.details}

    async def _update(self, ctx: Ctx, params: UpdateParams) -> HandlerResult:
        task = await self._required(ctx, params)
        await self._source.answer(task.task_id, params.input_responses)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: Ctx, params: TaskParams) -> HandlerResult:
        task = await self._required(ctx, params)
        await self._source.cancel(task.task_id)
        return {"resultType": "complete"}

    async def _required(self, ctx: Ctx, params: TaskParams) -> TaskState:
        require_client_extension(ctx, TASKS)
        # The SDK holds this header against the body for the core methods only.
        named = ctx.request.headers.get("mcp-name") if ctx.request is not None else None
        if named is not None and named != params.task_id:
            raise MCPError(HEADER_MISMATCH, "The Mcp-Name header and the taskId differ.")
        task = await self._source.find(ctx, params.task_id)
        if task is None:
            raise MCPError(INVALID_PARAMS, "No task with this id exists.")
        return task


class JournalTasks:
    """The tasks of this server: what the journal has.

    Args:
        backend: where the engine is or will be.
        clock: Unix seconds now.
    """

    def __init__(self, backend: Backend, *, clock: Callable[[], float]) -> None:
        self._backend = backend
        self._clock = clock

    async def begun(self, ctx: Ctx, tool: str, result: CallToolResult) -> TaskState | None:
        """The video that this answer has begun, or that it says was begun before; None where it has ended already."""
        if tool not in SPENDING:
            return None
        structured: dict[str, Any] = result.structured_content or {}
        task_id = structured.get("task_id")
        entry = await self._entry(ctx, task_id) if isinstance(task_id, str) else None
        return None if entry is None or entry.settled else await self._shown(ctx, entry)

    async def find(self, ctx: Ctx, task_id: str) -> TaskState | None:
        """The caller's video with this own id or API id."""
        entry = await self._entry(ctx, task_id)
        return None if entry is None else await self._shown(ctx, entry)

    async def answer(self, task_id: str, responses: Mapping[str, Any]) -> None:
        """Nothing to do: what there is to ask is asked before a video is begun."""

    async def cancel(self, task_id: str) -> None:
        """Nothing to do: the API cannot stop a generation, and the credits are spent. The extension allows it."""

    async def _entry(self, ctx: Ctx, task_id: str) -> Entry | None:
        try:
            engine = await self._backend.engine()
            return await engine.reader.get(await account_of(ctx, engine), task_id)
        except UnknownTask:
            return None
        except VeoMcpError as error:
            raise protocol_error(error) from None

    async def _shown(self, ctx: Ctx, entry: Entry) -> TaskState:
        now = self._clock()
        details: dict[str, Any] = {}
        if entry.settled:
            try:
                engine = await self._backend.engine()
                context = await engine.contexts.of(await account_of(ctx, engine), entry)
            except VeoMcpError as error:
                raise protocol_error(error) from None
            result = task_result(entry, now, context)
            details["result"] = result.model_dump(by_alias=True, mode="json", exclude_none=True)
        # A failed video is a completed call: `failed` is for calls that ended in a protocol error.
        status = "completed" if entry.settled else "working"
        return TaskState(entry.id, status, _message(entry, now), entry.created_at, entry.updated_at, details)


def _declared(ctx: Ctx) -> bool:
    capabilities = ctx.session.client_capabilities
    extensions = capabilities.extensions if capabilities else None
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and TASKS in (extensions or {})


def _fields(task: TaskState) -> dict[str, Any]:
    return {
        "taskId": task.task_id,
        "status": task.status,
        "statusMessage": task.message,
        "createdAt": iso(task.created_at, "milliseconds"),
        "lastUpdatedAt": iso(task.updated_at, "milliseconds"),
        "ttlMs": None,
        "pollIntervalMs": POLL_MILLISECONDS,
    }


def _message(entry: Entry, now: float) -> str:
    if entry.status is Status.COMPLETED:
        return "completed"
    return f"{entry.status.value}, {elapsed(entry, now)} s"


def protocol_error(error: VeoMcpError) -> MCPError:
    """Any error of ours as the answer of the extension's methods; none of them spends."""
    return MCPError(INTERNAL_ERROR, error.explanation)
