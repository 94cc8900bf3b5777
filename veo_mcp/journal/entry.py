"""An entry of the journal and the one table of allowed transitions. Pure: no I/O, no clock.

Used by every store and by everyone above. `apply` is the single rule by which a status changes: late or repeated news
changes nothing, and a task never moves backwards.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Literal, cast

from veo_mcp.api.account import Account

__all__ = [
    "ALLOWED",
    "CLEAR",
    "FINAL",
    "SENDER_LOST",
    "Change",
    "Charged",
    "Entry",
    "FileNews",
    "Kind",
    "Status",
    "apply",
    "apply_file",
]

Charged = Literal["yes", "no", "refunded", "unknown"]
Kind = Literal["create", "extend"]


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
_WELL = _RUNNING - {Status.FAILED}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request and what became of it. All times are Unix seconds."""

    #: Our own id, `vid_…`, made before anything is sent.
    id: str
    #: The API that it belongs to: `sandbox:<ledger id>`, or an origin. With `principal`, the account.
    api: str
    #: Whose task it is; "" where one person uses the server.
    principal: str
    #: What was asked for.
    kind: Kind
    #: What makes two requests of one account the same; "" for a task that was made elsewhere.
    fingerprint: str = ""
    #: Our own id of the entry that this one makes again on purpose; None for any other.
    repeat_of: str | None = None
    #: The request's body as JSON, without the callback URL that we add.
    body: str = "{}"
    prompt: str = ""
    #: The API's name of the model.
    model: str
    #: fast or quality; None where the request has none.
    mode: str | None = None
    aspect_ratio: str | None = None
    #: The API's id of the video that this one continues.
    extends: str | None = None
    #: The price in credits.
    credits: int
    #: Whether the price is only an estimate.
    estimated: bool = False
    #: The API's id of the task, as soon as it is known.
    upstream_id: str | None = None
    status: Status
    #: A status that the API does not document, as it came.
    upstream_status: str | None = None
    #: What the API says of its progress, as it came.
    progress: float | None = None
    video_urls: tuple[str, ...] = ()
    #: Such as "720p".
    resolution: str | None = None
    #: Seconds, read from the finished file itself; so are width and height, in pixels.
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    #: Whether finished videos were to be saved (VEO_SAVE_DIR) when this one was begun.
    save_wanted: bool = False
    #: Where the finished file was saved.
    saved_to: str | None = None
    #: Where it was saved joined with what it continues.
    film_saved_to: str | None = None
    #: Why the finished file could not be measured, saved or joined yet; it is tried again.
    file_error: str | None = None
    #: When the finished file is dealt with next; None where nothing is left to do.
    file_due_at: float | None = None
    #: How often that failed in a row.
    file_tries: int = 0
    error_code: str | None = None
    error_message: str | None = None
    #: Credits that the account consumed while the answer was lost, beyond what this server moved: evidence, not proof.
    evidence: int | None = None
    charged: Charged = "unknown"
    #: Seconds after which the API wants to be asked again.
    retry_after: float | None = None
    created_at: float
    updated_at: float
    #: By the API's clock; ours where it says nothing.
    completed_at: float | None = None
    #: When this journal first knew of the end, by our clock; None for a task whose end we did not watch come: one that
    #: was adopted after it, or whose outcome was unknown until then.
    ended_at: float | None = None
    #: The process that sends it.
    worker_id: str | None = None
    #: When that process must be done with sending; later the outcome is unknown.
    deadline: float | None = None
    next_poll_at: float
    #: How often the API was asked about it.
    polls: int = 0
    #: Grows with every change of the journal.
    revision: int = 0
    #: The `revision` with which the entry came into the journal.
    created_seq: int = 0

    def belongs_to(self, account: Account) -> bool:
        """Whether this is one of the account's tasks."""
        return (self.api, self.principal) == (account.api, account.principal)

    @property
    def asked(self) -> Mapping[str, Any]:
        """The request's body as an object; empty for a task that was made elsewhere, or where it cannot be read."""
        try:
            body: Any = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return cast("dict[str, Any]", body) if isinstance(body, dict) else {}

    @property
    def settled(self) -> bool:
        """Whether nothing more comes of it by itself soon; an unknown outcome waits for a callback or a person."""
        return self.status in FINAL or self.status is Status.UNKNOWN


class _Clear:
    """The type of CLEAR."""


CLEAR: Final = _Clear()
"""In a Change: the field has no value any more, while None says nothing about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """News about an entry; a field that is None says nothing, one that is CLEAR takes the value away."""

    status: Status | None = None
    upstream_id: str | None = None
    upstream_status: str | _Clear | None = None
    progress: float | None = None
    video_urls: tuple[str, ...] | None = None
    resolution: str | None = None
    error_code: str | _Clear | None = None
    error_message: str | _Clear | None = None
    evidence: int | None = None
    charged: Charged | None = None
    retry_after: float | _Clear | None = None
    completed_at: float | None = None
    next_poll_at: float | None = None


SENDER_LOST = Change(
    status=Status.UNKNOWN,
    charged="unknown",
    error_code="sender_lost",
    error_message="the process that sent this request recorded no answer in time",
)
"""What becomes of a send whose deadline has passed."""

_CARRIED = (
    "upstream_id",
    "upstream_status",
    "progress",
    "video_urls",
    "resolution",
    "error_code",
    "error_message",
    "evidence",
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
            news[name] = None if value is CLEAR else value
    if entry.upstream_id is not None:
        news["upstream_id"] = entry.upstream_id
    if status is not entry.status and status in _WELL and change.error_code is None:
        # What was said while nobody knew is over.
        news["error_code"] = news["error_message"] = None
    if status is not Status.PROCESSING or change.upstream_status is None:
        news["upstream_status"] = entry.upstream_status if change.status is None else None
    if status in FINAL:
        if news.get("completed_at") is None and entry.completed_at is None:
            news["completed_at"] = now
        if entry.status is not Status.UNKNOWN:
            news["ended_at"] = now
        if status is Status.COMPLETED:
            news["file_due_at"] = now
    if all(getattr(entry, name) == value for name, value in news.items()):
        return None
    if change.next_poll_at is not None:
        news["next_poll_at"] = change.next_poll_at
    return replace(entry, updated_at=now, **news)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNews:
    """What was found out about, or done with, a finished file; None says nothing about a field, CLEAR empties it."""

    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    saved_to: str | None = None
    film_saved_to: str | None = None
    file_error: str | _Clear | None = None
    file_due_at: float | _Clear | None = None
    file_tries: int | None = None


def apply_file(entry: Entry, news: FileNews, now: float) -> Entry | None:
    """The entry after news about its file, or None when they change nothing. The status never moves by it."""
    values = {field.name: getattr(news, field.name) for field in fields(news)}
    said = {name: None if value is CLEAR else value for name, value in values.items() if value is not None}
    if all(getattr(entry, name) == value for name, value in said.items()):
        return None
    return replace(entry, updated_at=now, **said)
