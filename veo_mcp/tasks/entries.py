"""What is asked of the API, and what it answers about a task, in the journal's terms. Pure: no clock, no I/O.

Makes every Entry there is: `begun` for a request that is about to be sent, `adopted` for a task that was made
elsewhere. What comes from outside is made fit to be stored: text that is no Unicode, and dates that no calendar has.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from veo_mcp.api.account import Account
from veo_mcp.api.models import (
    MODEL_CREATE,
    MODEL_EXTEND,
    PRICES,
    ApiTask,
    AspectRatio,
    CreateInput,
    GenerationRequest,
    GenerationType,
    Mode,
)
from veo_mcp.journal.entry import CLEAR, FINAL, Change, Entry, Status
from veo_mcp.journal.sanitize import LATEST
from veo_mcp.journal.sanitize import text as kept_text
from veo_mcp.picture import Picture

__all__ = ["Plan", "adopted", "begun", "change_from", "fingerprint", "normalised", "plan_of", "storable"]

LONGEST = 2000
"""Characters of one foreign text that are kept."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request that could be sent: checked, normalised and priced; nothing is written down yet.

    Attributes:
        request: what would be sent, but for a callback URL of our own.
        fingerprint: the same for two requests of one account that ask for the same.
        credits: its price.
        aspect_ratio: the shape of the picture, for an extension its parent's.
        pictures: those from the disk, by what stands for them in the request until they are uploaded.
    """

    request: GenerationRequest
    fingerprint: str
    credits: int
    aspect_ratio: str | None
    pictures: Mapping[str, Picture] = field(default_factory=dict[str, Picture])

    @property
    def is_extension(self) -> bool:
        """Whether it continues a video."""
        return not isinstance(self.request.input, CreateInput)


def plan_of(account: Account, request: GenerationRequest, *, aspect_ratio: str | None = None) -> Plan:
    """The plan of a request that fits the rules; `aspect_ratio` where the request itself has none."""
    request = normalised(request)
    mode = Mode.FAST
    if isinstance(request.input, CreateInput):
        mode, aspect_ratio = request.input.mode or mode, request.input.aspect_ratio
    return Plan(request, fingerprint(account, request), PRICES[mode], aspect_ratio and str(aspect_ratio))


def normalised(request: GenerationRequest) -> GenerationRequest:
    """The same request in one form, whether a default was spelt out, left out, null or empty."""
    given = request.input
    if isinstance(given, CreateInput):
        images = given.image_urls or None
        detected = GenerationType.FRAMES if images else GenerationType.TEXT
        given = given.model_copy(
            update={
                "mode": given.mode or Mode.FAST,
                "aspect_ratio": given.aspect_ratio or AspectRatio.WIDE,
                "generation_type": None if given.generation_type is detected else given.generation_type,
                "image_urls": images,
                "watermark": given.watermark or None,
            }
        )
    return request.model_copy(update={"input": given, "callback_url": request.callback_url or None})


def fingerprint(account: Account, request: GenerationRequest) -> str:
    """What two requests of one account share if they ask for the same."""
    request = normalised(request)
    wanted: list[Any] = [account.api, account.principal, request.model, request.body()["input"]]
    # Only where there is one: so the entries of older versions, which did not count it, are recognised.
    wanted += [request.callback_url] if request.callback_url else []
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def begun(
    plan: Plan, account: Account, *, entry_id: str, repeat_of: str | None, worker_id: str, now: float, deadline: float
) -> Entry:
    """The entry of a request that is about to be sent."""
    given = plan.request.input
    create = given if isinstance(given, CreateInput) else None
    return Entry(
        id=entry_id,
        api=account.api,
        principal=account.principal,
        kind="create" if create else "extend",
        fingerprint=plan.fingerprint,
        repeat_of=repeat_of,
        body=json.dumps(plan.request.body(), sort_keys=True, ensure_ascii=False),
        prompt=given.prompt,
        model=plan.request.model,
        mode=str(create.mode) if create else None,
        aspect_ratio=plan.aspect_ratio,
        extends=None if isinstance(given, CreateInput) else given.extend_task_id,
        credits=plan.credits,
        estimated=plan.is_extension,
        status=Status.SUBMITTING,
        created_at=now,
        updated_at=now,
        worker_id=worker_id,
        deadline=deadline,
        next_poll_at=now,
    )


def adopted(task: ApiTask, account: Account, *, upstream_id: str, entry_id: str, now: float) -> Entry:
    """The entry of a task that was made elsewhere: what its create said is not known, so its price is an estimate."""
    change = change_from(task, upstream_id)
    failed = change.status is Status.FAILED
    return Entry(
        id=entry_id,
        api=account.api,
        principal=account.principal,
        kind="extend" if task.model == MODEL_EXTEND else "create",
        model=storable(task.model or MODEL_CREATE, 100),
        credits=PRICES[Mode.FAST],
        estimated=True,
        upstream_id=upstream_id,
        status=change.status or Status.PROCESSING,
        upstream_status=storable(task.status, 100) if change.upstream_status else None,
        progress=task.progress,
        video_urls=change.video_urls or (),
        resolution=change.resolution,
        error_code=storable(task.error.code, 100) if failed and task.error else None,
        error_message=storable(task.error.message) if failed and task.error else None,
        charged=change.charged or "yes",
        created_at=_moment(task.created_at) or now,
        updated_at=now,
        completed_at=change.completed_at,
        file_due_at=now if change.status is Status.COMPLETED else None,
        next_poll_at=now,
    )


def change_from(task: ApiTask, upstream_id: str) -> Change:
    """What an answer of the API about the task with this id says, as a change to its entry.

    An undocumented status is kept as it came and counts as processing. A failed task was refunded, by the API's word.
    Where nothing failed, the error of an earlier answer is gone.
    """
    documented = task.status in ("pending", "processing", "completed", "failed")
    status = Status(task.status) if documented else Status.PROCESSING
    error = task.error if status is Status.FAILED else None
    return Change(
        status=status,
        upstream_id=upstream_id,
        upstream_status=None if documented else storable(task.status, 100),
        progress=task.progress,
        video_urls=tuple(storable(url) for url in task.video_urls) or None,
        resolution=storable(task.resolution, 40) if task.resolution else None,
        error_code=storable(error.code, 100) if error else CLEAR,
        error_message=storable(error.message) if error else CLEAR,
        charged="refunded" if status is Status.FAILED else "yes",
        retry_after=CLEAR,
        completed_at=_moment(task.completed_at) if status in FINAL else None,
    )


def storable(text: str, longest: int = LONGEST) -> str:
    """Foreign text as it will be read back, and not longer than that."""
    return kept_text(text[:longest])


def _moment(date: datetime | None) -> float | None:
    """Unix seconds, or None for a date that cannot be shown in UTC: year 1 in a zone ahead of it, and the like."""
    try:
        seconds = date.timestamp() if date is not None else None
    except (OverflowError, ValueError, OSError):
        return None
    return seconds if seconds is not None and 0 <= seconds <= LATEST else None
