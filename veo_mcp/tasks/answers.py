"""What the API's answer about a task means for the journal. Pure: no clock, no I/O.

Used by the service, the poller and the command line, so that all of them read an answer the same way.
"""

from veo_mcp.api.models import MODEL_CREATE, MODEL_EXTEND, PRICES, ApiTask, Mode
from veo_mcp.journal.entry import FINAL, Change, Entry, Status

__all__ = ["adopted", "change_from"]


def adopted(task: ApiTask, *, entry_id: str, api: str, principal: str, now: float) -> Entry:
    """The entry of a task that was made elsewhere: what its create said is not known, so its price is an estimate."""
    change = change_from(task)
    status = change.status or Status.PROCESSING
    extension = task.model == MODEL_EXTEND
    return Entry(
        id=entry_id,
        api=api,
        principal=principal,
        kind="extend" if extension else "create",
        fingerprint="",
        body="{}",
        prompt="",
        model=task.model or MODEL_CREATE,
        mode=None,
        aspect_ratio=None,
        extends=None,
        credits=PRICES[Mode.FAST],
        estimated=True,
        upstream_id=task.id,
        status=status,
        upstream_status=change.upstream_status,
        progress=task.progress,
        video_urls=task.video_urls,
        resolution=task.resolution,
        error_code=change.error_code,
        error_message=change.error_message,
        charged=change.charged or "yes",
        retry_after=None,
        created_at=task.created_at.timestamp(),
        updated_at=now,
        completed_at=change.completed_at,
        worker_id=None,
        deadline=None,
        next_poll_at=now,
        polls=0,
        revision=0,
    )


def change_from(task: ApiTask) -> Change:
    """What an answer of the API says about a task, as a change to its entry.

    An undocumented status is kept as it came and counts as processing. A failed task was refunded, by the API's word.
    """
    done = task.completed_at.timestamp() if task.completed_at else None
    documented = {"pending", "processing", "completed", "failed"}
    if task.status not in documented:
        return Change(
            status=Status.PROCESSING, upstream_id=task.id, upstream_status=task.status, progress=task.progress
        )
    status = Status(task.status)
    return Change(
        status=status,
        upstream_id=task.id,
        progress=task.progress,
        video_urls=task.video_urls or None,
        resolution=task.resolution,
        error_code=task.error.code if task.error else None,
        error_message=task.error.message if task.error else None,
        charged="refunded" if status is Status.FAILED else "yes",
        completed_at=done if status in FINAL else None,
    )
