"""An entry of the journal and the one table of allowed moves. Pure: no I/O, no clock.

Used by every store and by everyone above. `moved` is the single rule by which a status changes: late or repeated news
changes nothing, and a task never moves backwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["ALLOWED", "FINAL", "Change", "Charged", "Entry", "Status", "apply"]

Charged = Literal["yes", "no", "refunded", "unknown"]


class Status(StrEnum):
    """Where a task stands."""

    SUBMITTING = "submitting"
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


_RUNNING = frozenset({Status.PENDING, Status.PROCESSING, Status.COMPLETED, Status.FAILED})
ALLOWED: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.SUBMITTING: _RUNNING | {Status.REFUSED, Status.UNKNOWN},
        Status.UNKNOWN: _RUNNING | {Status.REFUSED},
        Status.PENDING: _RUNNING - {Status.PENDING},
        Status.PROCESSING: frozenset({Status.COMPLETED, Status.FAILED}),
        Status.COMPLETED: frozenset(),
        Status.FAILED: frozenset(),
        Status.REFUSED: frozenset(),
    }
)
FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.REFUSED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One intent and what became of it. Times are Unix seconds; `revision` grows with every change of the journal.

    `created_seq` is the `revision` with which the entry came into the journal, whatever has become of it since.
    """

    id: str
    api: str
    principal: str
    kind: str
    fingerprint: str
    body: str
    prompt: str
    model: str
    mode: str | None
    aspect_ratio: str | None
    extends: str | None
    credits: int
    estimated: bool
    upstream_id: str | None
    status: Status
    upstream_status: str | None
    progress: float | None
    video_urls: tuple[str, ...]
    resolution: str | None
    error_code: str | None
    error_message: str | None
    charged: Charged
    retry_after: float | None
    created_at: float
    updated_at: float
    completed_at: float | None
    worker_id: str | None
    deadline: float | None
    next_poll_at: float
    polls: int
    revision: int
    created_seq: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """News about an entry; a field that is None says nothing."""

    status: Status | None = None
    upstream_id: str | None = None
    upstream_status: str | None = None
    progress: float | None = None
    video_urls: tuple[str, ...] | None = None
    resolution: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    charged: Charged | None = None
    retry_after: float | None = None
    completed_at: float | None = None
    next_poll_at: float | None = None


_CARRIED = (
    "upstream_id",
    "upstream_status",
    "progress",
    "video_urls",
    "resolution",
    "error_code",
    "error_message",
    "charged",
    "retry_after",
    "completed_at",
)


def apply(entry: Entry, change: Change, now: float) -> Entry | None:
    """The entry after this news, or None when the news changes nothing or comes too late."""
    status = change.status or entry.status
    if status is not entry.status and status not in ALLOWED[entry.status]:
        return None
    if status is entry.status and entry.status in FINAL:
        return None
    news: dict[str, Any] = {"status": status}
    for name in _CARRIED:
        value = getattr(change, name)
        if value is not None:
            news[name] = value
    if entry.upstream_id is not None:
        news["upstream_id"] = entry.upstream_id
    if status is not Status.PROCESSING or change.upstream_status is None:
        news["upstream_status"] = entry.upstream_status if change.status is None else change.upstream_status
    if status in FINAL and news.get("completed_at") is None and entry.completed_at is None:
        news["completed_at"] = now
    if all(getattr(entry, name) == value for name, value in news.items()):
        return None
    if change.next_poll_at is not None:
        news["next_poll_at"] = change.next_poll_at
    return replace(entry, updated_at=now, **news)
