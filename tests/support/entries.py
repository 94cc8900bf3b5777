"""Entries of the journal for tests."""

from veo_mcp.journal.entry import Entry, Status

START = 1_800_000_000.0


def unfinished(number: int, *, api: str) -> Entry:
    return Entry(
        id=f"vid_{number}",
        api=api,
        principal="",
        kind="create",
        fingerprint=f"f{number}",
        body="{}",
        prompt="x",
        model="veo-3",
        mode="fast",
        aspect_ratio="16:9",
        extends=None,
        credits=40,
        estimated=False,
        upstream_id=f"task-{number}",
        status=Status.PENDING,
        upstream_status=None,
        progress=None,
        video_urls=(),
        resolution=None,
        error_code=None,
        error_message=None,
        charged="yes",
        retry_after=None,
        created_at=START,
        updated_at=START,
        completed_at=None,
        worker_id=None,
        deadline=None,
        next_poll_at=START,
        polls=0,
        revision=0,
    )
