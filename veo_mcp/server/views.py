"""The structured content that a host gets: a task, a list, a balance. Shapes only; the wording is in messages/.

Called by tools, resources, the Tasks extension and the command line. `message` comes first in each: some hosts show
their model the structured content alone. Absent values are left out, never null.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict

from veo_mcp.journal.entry import FINAL, Entry, Status
from veo_mcp.text import clean, shown_id

__all__ = [
    "AffordableView",
    "CreditsView",
    "LimitView",
    "RowView",
    "TaskListView",
    "TaskView",
    "asked",
    "dump",
    "elapsed",
    "excerpts",
    "in_sandbox",
    "iso",
    "linkable",
    "retry_after",
    "shown",
    "view",
    "view_row",
    "whole",
]

LAST_MOMENT = 253402300799.0
"""The end of the year 9999."""
PROMPT = 200
SANDBOX_WAIT, WAIT = 5, 20
"""Seconds after which it is worth asking again, where the API said nothing."""


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ErrorView(_View):
    """What the API said when it refused or failed."""

    code: str
    message: str


class TaskView(_View):
    """A video task; times are ISO 8601 in UTC."""

    message: str | None = None
    task_id: str
    status: Literal["submitting", "pending", "processing", "completed", "failed", "refused", "unknown"]
    upstream_status: str | None = None
    model: str | None = None
    prompt: str
    mode: str | None = None
    aspect_ratio: str | None = None
    seeds: int | None = None
    watermark: str | None = None
    images: int | None = None
    created_at: str
    completed_at: str | None = None
    elapsed_seconds: int
    progress: float | None = None
    video_urls: list[str] | None = None
    resolution: str | None = None
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    saved_to: str | None = None
    film_saved_to: str | None = None
    credits: int
    credits_estimated: bool | None = None
    charged: Literal["yes", "no", "refunded", "unknown"]
    extends: str | None = None
    error: ErrorView | None = None
    retry_after_seconds: int | None = None
    repeated: bool | None = None
    resource_uri: str
    sandbox: bool | None = None


class RowView(_View):
    """A task in a list: what distinguishes it from the others, what it cost, and its link; the rest is get_task's."""

    task_id: str
    status: str
    prompt: str
    mode: str | None = None
    aspect_ratio: str | None = None
    seeds: int | None = None
    created_at: str
    video_urls: list[str] | None = None
    credits: int
    credits_estimated: bool | None = None
    charged: str
    extends: str | None = None
    error: ErrorView | None = None
    sandbox: bool | None = None


class TaskListView(_View):
    """A page of tasks, newest first."""

    message: str
    tasks: list[RowView]
    next_cursor: str | None = None


class AffordableView(_View):
    """How many videos of each mode the balance pays for and the limit allows."""

    fast: int
    quality: int


class LimitView(_View):
    """What may be spent in any 24 h; `more_at` is when the oldest of it counts no more."""

    max_credits: int
    left: int
    more_at: str | None = None


class CreditsView(_View):
    """The account's credits; 1 credit is $0.005."""

    message: str
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


def view(
    entry: Entry,
    now: float,
    message: str | None = None,
    *,
    repeated: bool = False,
    prompt: int = PROMPT,
    said: int = PROMPT,
) -> TaskView:
    """The entry as a host sees it, with the sentences about it; `prompt` and `said`: characters of either."""
    given = asked(entry)
    error = None
    if entry.error_code or entry.error_message:
        error = ErrorView(code=clean(entry.error_code or "error"), message=clean(entry.error_message or "", said))
    watermark = given.get("watermark")
    return TaskView(
        message=message,
        task_id=shown(entry),
        status=entry.status.value,
        upstream_status=clean(entry.upstream_status) if entry.upstream_status else None,
        model=clean(entry.model, 60),
        prompt=clean(entry.prompt, prompt),
        mode=entry.mode,
        aspect_ratio=entry.aspect_ratio,
        seeds=given.get("seeds"),
        watermark=clean(watermark, 60) if watermark else None,
        images=len(given.get("image_urls") or ()) or None,
        created_at=iso(entry.created_at),
        completed_at=iso(entry.completed_at) if entry.completed_at else None,
        elapsed_seconds=elapsed(entry, now),
        progress=None if entry.status in FINAL else entry.progress,
        video_urls=list(entry.video_urls) or None,
        resolution=entry.resolution,
        duration_seconds=round(entry.duration_seconds, 2) if entry.duration_seconds else None,
        width=entry.width,
        height=entry.height,
        saved_to=entry.saved_to,
        film_saved_to=entry.film_saved_to,
        credits=entry.credits,
        credits_estimated=True if entry.estimated else None,
        charged=entry.charged,
        extends=clean(entry.extends) if entry.extends else None,
        error=error,
        retry_after_seconds=retry_after(entry),
        repeated=True if repeated else None,
        resource_uri=f"veo://tasks/{shown(entry)}",
        sandbox=True if in_sandbox(entry) else None,
    )


def view_row(entry: Entry, now: float, excerpt: str) -> RowView:
    """The entry as a row of a list."""
    fields = view(entry, now).model_dump(include=set(RowView.model_fields))
    return RowView.model_validate({**fields, "prompt": excerpt})


def excerpts(prompts: Sequence[str], limit: int) -> list[str]:
    """One short line for each prompt; where two begin alike, it shows where they differ."""
    lines = [clean(prompt, 2000) for prompt in prompts]
    shown: list[str] = []
    for number, line in enumerate(lines):
        alike = max((_common(line, other) for place, other in enumerate(lines) if place != number), default=0)
        start = 0 if len(line) <= limit or alike < limit - 20 or alike >= len(line) else max(0, alike - 20)
        shown.append(clean(("…" if start else "") + line[start:], limit))
    return shown


def asked(entry: Entry) -> dict[str, Any]:
    """What the request said under `input`; empty for a task that was made elsewhere."""
    found = entry.asked.get("input")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def shown(entry: Entry) -> str:
    """The id that hosts use: the API's as soon as it is known."""
    return shown_id(entry.upstream_id or entry.id)


def elapsed(entry: Entry, now: float) -> int:
    """Seconds since the request, or until its end; by our own clock where we saw both, whatever the API's says."""
    ends = [end for end in (entry.ended_at, entry.completed_at) if end is not None and end >= entry.created_at]
    return max(0, round(min(ends, default=now if entry.status not in FINAL else entry.created_at) - entry.created_at))


def linkable(url: str) -> bool:
    """Whether this can stand in an answer as a link: https, or the sandbox's own on this machine."""
    return bool(re.match(r"https://[^\s/@]+/|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/", url))


def in_sandbox(entry: Entry) -> bool:
    """Whether a sandbox made it."""
    return entry.api.startswith("sandbox:")


def retry_after(entry: Entry) -> int | None:
    """Seconds after which it is worth asking again; None where nothing will have changed."""
    if entry.retry_after is not None:
        return whole(entry.retry_after)
    if entry.status in FINAL or entry.status is Status.UNKNOWN:
        return None
    return SANDBOX_WAIT if in_sandbox(entry) else WAIT


def whole(seconds: float) -> int:
    """Seconds as a whole number from 1 on that can be read."""
    return max(1, round(min(seconds, 999_999.0)))


def iso(moment: float, precision: str = "seconds") -> str:
    """Unix seconds as ISO 8601 in UTC; a moment that no calendar has is shown as the nearest one that it has."""
    date = datetime.fromtimestamp(min(max(moment, 0.0), LAST_MOMENT), UTC)
    return date.isoformat(timespec=precision).replace("+00:00", "Z")


def _common(one: str, other: str) -> int:
    for place, (mark, same) in enumerate(zip(one, other, strict=False)):
        if mark != same:
            return place
    return min(len(one), len(other))
