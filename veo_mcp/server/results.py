"""What a model reads: a task, a list and a balance as structured content, the sentences beside them, and every failure.

Called by tools, resources and the command line. Absent values are left out, never null. Every sentence says what
happened, whether credits were spent and what to do next. Never decides anything and never performs I/O.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel, ConfigDict, ValidationError

from veo_mcp.errors import (
    ApiError,
    JournalError,
    NotExtendable,
    RuleViolation,
    SetupError,
    SpendLimit,
    UnknownTask,
    Unrecorded,
    VeoMcpError,
)
from veo_mcp.journal.entry import FINAL, Entry, Status
from veo_mcp.journal.storable import LATEST
from veo_mcp.text import clean
from veo_mcp.validation import requirement

__all__ = [
    "AffordableView",
    "CreditsView",
    "TaskListView",
    "TaskView",
    "charge_words",
    "crashed",
    "dump",
    "elapsed",
    "failure",
    "iso",
    "money",
    "refusal",
    "result",
    "task_message",
    "tool_error",
    "validation_error",
    "view",
]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ErrorView(_View):
    """What the API said when it refused or failed."""

    code: str
    message: str


class TaskView(_View):
    """A video task; times are ISO 8601 in UTC."""

    task_id: str
    status: Literal["submitting", "pending", "processing", "completed", "failed", "refused", "unknown"]
    upstream_status: str | None = None
    model: str
    prompt: str
    mode: str | None = None
    aspect_ratio: str | None = None
    created_at: str
    completed_at: str | None = None
    elapsed_seconds: int
    progress: float | None = None
    video_urls: list[str] | None = None
    resolution: str | None = None
    credits: int
    credits_estimated: bool | None = None
    charged: Literal["yes", "no", "refunded", "unknown"]
    extends: str | None = None
    error: ErrorView | None = None
    retry_after_seconds: int | None = None
    resource_uri: str
    repeated: bool | None = None
    sandbox: bool | None = None


class TaskListView(_View):
    """A page of tasks, newest first."""

    tasks: list[TaskView]
    next_cursor: str | None = None


class AffordableView(_View):
    """How many videos of each mode the balance pays for and the limit allows."""

    fast: int
    quality: int


class LimitView(_View):
    """What may be spent in any 24 h."""

    max_credits: int
    left: int
    more_at: str | None = None


class CreditsView(_View):
    """The account's credits; 1 credit is $0.005."""

    balance: int
    total_purchased: int
    total_consumed: int
    affordable: AffordableView
    spent_24h: int
    limit: LimitView | None = None
    sandbox: bool


def dump(model: BaseModel) -> dict[str, Any]:
    """The view as JSON-ready data; a field without a value is absent."""
    return model.model_dump(mode="json", exclude_none=True)


def view(entry: Entry, now: float, *, repeated: bool = False) -> TaskView:
    """The entry as a host sees it."""
    shown = entry.upstream_id or entry.id
    error = None
    if entry.error_code or entry.error_message:
        error = ErrorView(code=clean(entry.error_code or "error"), message=clean(entry.error_message or ""))
    return TaskView(
        task_id=shown,
        status=entry.status.value,
        upstream_status=clean(entry.upstream_status) if entry.upstream_status else None,
        model=entry.model,
        prompt=clean(entry.prompt),
        mode=entry.mode,
        aspect_ratio=entry.aspect_ratio,
        created_at=iso(entry.created_at),
        completed_at=iso(entry.completed_at) if entry.completed_at else None,
        elapsed_seconds=elapsed(entry, now),
        progress=None if entry.status in FINAL else entry.progress,
        video_urls=list(entry.video_urls) or None,
        resolution=entry.resolution,
        credits=entry.credits,
        credits_estimated=True if entry.estimated else None,
        charged=entry.charged,
        extends=entry.extends,
        error=error,
        retry_after_seconds=_retry_after(entry),
        resource_uri=f"veo://tasks/{shown}",
        repeated=True if repeated else None,
        sandbox=True if _in_sandbox(entry) else None,
    )


def elapsed(entry: Entry, now: float) -> int:
    """Seconds since the request, or until its end; by our own clock where we saw both, whatever the API's says."""
    ends = [end for end in (entry.ended_at, entry.completed_at) if end is not None and end >= entry.created_at]
    return max(0, round(min(ends, default=now if entry.status not in FINAL else entry.created_at) - entry.created_at))


def charge_words(charged: str, credits: int, *, estimated: bool = False, sandbox: bool = False) -> str:
    """The sentence on credits that models and checks rely on."""
    about, estimate = ("about ", " (estimate)") if estimated else ("", "")
    amount = f"{about}{credits} {'sandbox ' if sandbox else ''}credits{estimate}."
    match charged:
        case "yes":
            return f"Charged {amount}"
        case "refunded":
            return f"Refunded {amount}"
        case "no":
            return "Not charged."
        case _:
            return f"May have been charged {amount}"


def money(entry: Entry, charged: str | None = None) -> str:
    """The sentence on this entry's credits; `charged` where something else is known than it says."""
    return charge_words(charged or entry.charged, entry.credits, estimated=entry.estimated, sandbox=_in_sandbox(entry))


def task_message(entry: Entry, now: float, *, repeated: bool = False, trouble: str | None = None) -> str:
    """One to four sentences for the model: what happened, credits, next step.

    `trouble` says why the API cannot be asked about it at the moment.
    """
    shown = entry.upstream_id or entry.id
    words = _state(entry, now, shown, trouble)
    if _in_sandbox(entry):
        words += " This is a SANDBOX clip, drawn without an AI model; no real credits are involved."
    if not repeated:
        return words
    return (
        f"This request was made {_ago(now - entry.created_at)} ago, as task {shown}; nothing was sent again. {words} "
        f"Only for another one on purpose call again with repeat_of={shown}"
        + (", or with other seeds." if entry.kind == "create" else ".")
    )


def _state(entry: Entry, now: float, shown: str, trouble: str | None) -> str:
    paid = money(entry)
    again = "extend_video" if entry.kind == "extend" else "create_video"
    match entry.status:
        case Status.COMPLETED:
            link = " ".join(entry.video_urls) or "The API named no video URL."
            return f"The video is ready: {link} {paid} To continue it, call extend_video with task_id {shown}."
        case Status.FAILED:
            reason = clean(entry.error_message or "no reason given").rstrip(".")
            return f"The generation failed: “{reason}”. {paid} Change the wording and call {again} again."
        case Status.REFUSED:
            reason = clean(entry.error_message or "no reason given").rstrip(".")
            wait = _retry_after(entry)
            later = f" in {wait} s" if wait else " once that is fixed"
            return f"The API did not take the request: “{reason}”. {paid} Call {again} again{later}."
        case Status.UNKNOWN:
            why = clean(entry.error_message or "its answer was lost").rstrip(".")
            moved = f" Evidence, not proof: {entry.evidence} credits were consumed meanwhile." if entry.evidence else ""
            return (
                f"Nobody knows whether the API took this request: “{why}”. {paid}{moved} It was not sent again, and "
                f"must not be: look at task {shown} later with get_task; ask the person before paying again. The "
                f"person can settle it at a terminal: veo-mcp tasks resolve {shown}"
            )
        case Status.SUBMITTING:
            return f"Task {shown} is being sent. {paid} Call get_task in a few seconds."
        case _:
            seconds = _retry_after(entry) or 10
            stuck = f" It cannot be asked about at the moment: {trouble}" if trouble else ""
            return (
                f"Task {shown} is {entry.status.value}, {elapsed(entry, now)} s so far. {paid}{stuck} "
                f"Go on talking and call get_task in about {seconds} s, or now with wait_seconds=45."
            )


def result(model: BaseModel, text: str) -> CallToolResult:
    """A tool's answer: the data, and the sentences beside it."""
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=dump(model))


def tool_error(text: str) -> CallToolResult:
    """A failed tool result with this text."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def failure(error: VeoMcpError) -> CallToolResult:
    """The answer of any tool to any error of ours: nothing was recorded as sent, unless the error itself says so."""
    said = error.explanation
    match error:
        case Unrecorded():
            paid = charge_words(error.charged, error.credits, estimated=error.estimated, sandbox=error.sandbox)
            return tool_error(f"The request was sent, but not recorded. {said} {paid}")
        case RuleViolation():
            return tool_error(f"{said} Not charged. Fix the arguments and call again.")
        case UnknownTask() if said == UnknownTask.explanation:
            return tool_error(
                f"No task with the id “{clean(error.task_id, 60)}” exists. Not charged. list_tasks shows the ids."
            )
        case NotExtendable():
            return tool_error(f"{said} Not charged. get_task says when a task is completed.")
        case SpendLimit():
            wait = f"wait until {iso(error.more_at)}" if error.more_at else "wait until what was spent is a day old"
            return tool_error(
                f"The limit of {error.limit} credits in 24 h would be passed: {error.spent} are spent. Not charged. "
                f"Take a cheaper mode, {wait}, or ask the person who runs this server to raise VEO_MAX_CREDITS."
            )
        case ApiError():
            return tool_error(f"{said} Not charged.{_later(error)}")
        case JournalError() | SetupError():
            return tool_error(f"{said} Not charged. Nothing can be made until that is fixed.")
        case _:
            return tool_error(f"{said} Not charged.")


def refusal(error: ApiError, entry: Entry) -> CallToolResult:
    """The answer to a request that was written down, and then was not sent or was refused."""
    paid = money(entry, error.charged)
    words = f" The API's words: “{clean(error.message)}”." if error.message else ""
    return tool_error(f"{error.explanation}{words} {paid}{_later(error)}")


def crashed(paid: str) -> CallToolResult:
    """The answer after a crash of ours, with the sentence on what it may have cost."""
    return tool_error(
        f"veo-mcp hit an error of its own; its log has the details. {paid} Look at list_tasks before anything is paid "
        "for again: it shows whether a video was started."
    )


def validation_error(tool: str, error: ValidationError, parameters: Mapping[str, Any]) -> CallToolResult:
    """The answer to arguments that do not fit the tool's schema.

    The SDK would show pydantic's raw dump, with the rejected values and a link to a website about pydantic.
    """
    faults = " ".join(_fault(tool, dict(fault), parameters) for fault in error.errors()[:5])
    return tool_error(f"{faults} Not charged. Fix the arguments and call {tool} again.")


def _fault(tool: str, fault: dict[str, Any], parameters: Mapping[str, Any]) -> str:
    location: tuple[Any, ...] = fault["loc"]
    name = clean(str(location[0]), 40) if location else "arguments"
    properties: Mapping[str, Any] = parameters.get("properties", {})
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name} is not an argument of {tool}, which takes {', '.join(properties) or 'none'}."
    return f"{name} {requirement(fault, properties.get(name))}."


def _later(error: ApiError) -> str:
    return f" Try again in {_whole(error.retry_after)} s." if error.retry_after is not None else ""


def _whole(seconds: float) -> int:
    return max(1, round(min(seconds, 999_999.0)))


def _in_sandbox(entry: Entry) -> bool:
    return entry.api.startswith("sandbox:")


def _ago(seconds: float) -> str:
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"


def _retry_after(entry: Entry) -> int | None:
    if entry.retry_after is not None:
        return _whole(entry.retry_after)
    if entry.status in FINAL or entry.status is Status.UNKNOWN:
        return None
    return 5 if entry.api.startswith("sandbox:") else 20


def iso(moment: float, precision: str = "seconds") -> str:
    """Unix seconds as ISO 8601 in UTC; a moment that no calendar has is shown as the nearest one that it has."""
    date = datetime.fromtimestamp(min(max(moment, 0.0), LATEST), UTC)
    return date.isoformat(timespec=precision).replace("+00:00", "Z")
