"""What a model reads: a task, a list and a balance as structured content, and the sentences beside them.

Called by tools and resources. Absent values are left out, never null. Every sentence says what happened, whether
credits were spent and what to do next. Never decides anything and never performs I/O.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from veo_mcp.journal.entry import FINAL, Entry, Status
from veo_mcp.server.text import charge_words, quoted

__all__ = ["CreditsView", "TaskListView", "TaskView", "dump", "task_message", "view"]


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
    sandbox: bool | None = None


class TaskListView(_View):
    """A page of tasks, newest first."""

    tasks: list[TaskView]
    next_cursor: str | None = None


class AffordableView(_View):
    """How many videos of each mode the balance pays for."""

    fast: int
    quality: int


class CreditsView(_View):
    """The account's credits; 1 credit is $0.005."""

    balance: int
    total_purchased: int
    total_consumed: int
    affordable: AffordableView
    sandbox: bool


def dump(model: BaseModel) -> dict[str, Any]:
    """The view as JSON-ready data; a field without a value is absent."""
    return model.model_dump(mode="json", exclude_none=True)


def view(entry: Entry, now: float) -> TaskView:
    """The entry as a host sees it."""
    shown = entry.upstream_id or entry.id
    error = None
    if entry.error_code or entry.error_message:
        error = ErrorView(code=quoted(entry.error_code or "error"), message=quoted(entry.error_message or ""))
    return TaskView(
        task_id=shown,
        status=entry.status.value,
        upstream_status=quoted(entry.upstream_status) if entry.upstream_status else None,
        model=entry.model,
        prompt=quoted(entry.prompt),
        mode=entry.mode,
        aspect_ratio=entry.aspect_ratio,
        created_at=_iso(entry.created_at),
        completed_at=_iso(entry.completed_at) if entry.completed_at else None,
        elapsed_seconds=max(0, round((entry.completed_at or now) - entry.created_at)),
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
        sandbox=True if entry.api.startswith("sandbox:") else None,
    )


def task_message(entry: Entry, now: float, *, repeated: bool = False, api: str | None = None) -> str:
    """One to three sentences for the model: what happened, credits, next step."""
    shown = entry.upstream_id or entry.id
    money = charge_words(entry.charged, entry.credits)
    again = "extend_video" if entry.kind == "extend" else "create_video"
    mark = (
        " This is a SANDBOX clip, drawn without an AI model; no real credits are involved."
        if (entry.api.startswith("sandbox:"))
        else ""
    )
    if api is not None and entry.api != api and entry.status not in FINAL:
        return (
            f"Task {shown} was {entry.status.value} when last seen. It belongs to another API ({quoted(entry.api, 60)})"
            f" than the one this server uses now ({quoted(api, 60)}), so it is not asked about here. {money}{mark}"
        )
    if repeated:
        return (
            f"The same request is already {entry.status.value} as task {shown}; nothing was sent again. {money} "
            "To pay for another one on purpose, change the seed or the wording, or settle the first."
        ) + mark
    match entry.status:
        case Status.COMPLETED:
            link = " ".join(entry.video_urls) or "The API named no video URL."
            return f"The video is ready: {link} {money} To continue it, call extend_video with task_id {shown}.{mark}"
        case Status.FAILED:
            reason = quoted(entry.error_message or "no reason given").rstrip(".")
            return f"The generation failed: “{reason}”. {money} Change the wording and call {again} again.{mark}"
        case Status.REFUSED:
            reason = quoted(entry.error_message or "no reason given").rstrip(".")
            wait = _retry_after(entry)
            later = f" in {wait} s" if wait else " once that is fixed"
            return f"The API did not take the request: “{reason}”. {money} Call {again} again{later}.{mark}"
        case Status.UNKNOWN:
            why = quoted(entry.error_message or "its answer was lost").rstrip(".")
            return (
                f"Nobody knows whether the API took this request: “{why}”. {money} It was not sent again, and must not "
                f"be: look at task {shown} later with get_task; ask the person before paying again. The person can "
                f"settle it at a terminal: veo-mcp tasks resolve {shown}{mark}"
            )
        case Status.SUBMITTING:
            return f"Task {shown} is being sent. {money} Call get_task in a few seconds.{mark}"
        case _:
            seconds = _retry_after(entry) or 10
            return (
                f"Task {shown} is {entry.status.value}, {round(max(0.0, now - entry.created_at))} s so far. {money} "
                f"Go on talking and call get_task in about {seconds} s, or now with wait_seconds=45.{mark}"
            )


def _retry_after(entry: Entry) -> int | None:
    if entry.retry_after is not None:
        return max(1, round(entry.retry_after))
    if entry.status in FINAL or entry.status is Status.UNKNOWN:
        return None
    return 5 if entry.api.startswith("sandbox:") else 20


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
