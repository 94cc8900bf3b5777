"""The Tasks extension (`io.modelcontextprotocol/tasks`, SEP-2663) over the journal.

Registered by server/build.py. A client that declares it gets a task instead of an answer when it creates or extends,
and asks for the end with `tasks/get`, which gives what the tool get_task would. A task lives in the journal, under our
own id, so it survives a restart. Everyone else gets the ordinary answer. Never spends: the tool has done that already.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.server import require_client_extension
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.backend import Backend, Unavailable
from veo_mcp.server.tools import settled, shown_task

__all__ = ["TasksExtension"]

TASKS = "io.modelcontextprotocol/tasks"
SPENDING = ("create_video", "extend_video")
HEADER_MISMATCH = -32020
POLL_MILLISECONDS = 5000


class TaskParams(RequestParams):
    """Names a task; `tasks/update` may carry more, which is ignored."""

    task_id: str


class TasksExtension(Extension):
    """See the module.

    Args:
        backend: where the engine is or will be.
        clock: Unix seconds now.
    """

    identifier = TASKS

    def __init__(self, backend: Backend, *, clock: Callable[[], float]) -> None:
        self._backend = backend
        self._clock = clock

    def methods(self) -> Sequence[MethodBinding]:
        """`tasks/get`, `tasks/update` and `tasks/cancel`, in the modern era only."""
        modern = frozenset(MODERN_PROTOCOL_VERSIONS)
        return [
            MethodBinding("tasks/get", TaskParams, self._get, modern),
            MethodBinding("tasks/update", TaskParams, self._acknowledge, modern),
            # The API cannot cancel a generation, and the credits are spent: the task goes on, as the extension allows.
            MethodBinding("tasks/cancel", TaskParams, self._acknowledge, modern),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Turns the answer of a create or an extension into a task, for a client that can follow one."""
        result = await call_next(ctx)
        if params.name not in SPENDING or not isinstance(result, CallToolResult) or not _declared(ctx):
            return result
        structured: dict[str, Any] = result.structured_content or {}
        task_id = structured.get("task_id")
        entry = await self._find(task_id) if isinstance(task_id, str) else None
        if entry is None or settled(entry):
            return result
        return {"resultType": "task", **self._fields(entry)}

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        entry = await self._required(ctx, params)
        shape: dict[str, Any] = {"resultType": "complete", **self._fields(entry)}
        if settled(entry):
            result = shown_task(entry, self._clock())
            shape["result"] = result.model_dump(by_alias=True, mode="json", exclude_none=True)
        return shape

    async def _acknowledge(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        await self._required(ctx, params)
        return {"resultType": "complete"}

    async def _required(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> Entry:
        require_client_extension(ctx, TASKS)
        # The SDK holds this header against the body for the core methods only.
        named = ctx.request.headers.get("mcp-name") if ctx.request is not None else None
        if named is not None and named != params.task_id:
            raise MCPError(HEADER_MISMATCH, "The Mcp-Name header and the taskId differ.")
        entry = await self._find(params.task_id)
        if entry is None:
            raise MCPError(INVALID_PARAMS, "No task with this id exists.")
        return entry

    async def _find(self, task_id: str) -> Entry | None:
        try:
            engine = await self._backend.engine()
        except Unavailable as problem:
            raise MCPError(INVALID_PARAMS, str(problem)) from None
        return await engine.journal.get(task_id)

    def _fields(self, entry: Entry) -> dict[str, Any]:
        # A failed video is a completed call: `failed` is for calls that ended in a protocol error.
        return {
            "taskId": entry.id,
            "status": "completed" if settled(entry) else "working",
            "statusMessage": _message(entry, self._clock()),
            "createdAt": _iso(entry.created_at),
            "lastUpdatedAt": _iso(entry.updated_at),
            "ttlMs": None,
            "pollIntervalMs": POLL_MILLISECONDS,
        }


def _declared(ctx: ServerRequestContext[Any, Any]) -> bool:
    capabilities = ctx.session.client_capabilities
    extensions = capabilities.extensions if capabilities else None
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and TASKS in (extensions or {})


def _message(entry: Entry, now: float) -> str:
    if entry.status is Status.COMPLETED:
        return "completed"
    return f"{entry.status.value}, {round(max(0.0, (entry.completed_at or now) - entry.created_at))} s"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
