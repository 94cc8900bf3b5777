"""The SQLite store keeps the contract; and what is its own: the file, its mode, its plans, what it says in trouble."""

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.journal.contract import Contract
from tests.journal.stores import ANN
from veo_mcp.journal.sqlite.store import SqliteJournal

pytestmark = pytest.mark.anyio

SCHEMA = sorted((resources.files("veo_mcp.journal.sqlite") / "schema").iterdir(), key=lambda file: file.name)
OLD_COLUMNS = (
    "id, api, principal, kind, fingerprint, body, prompt, model, mode, aspect_ratio, extends, credits, estimated,"
    " upstream_id, status, upstream_status, progress, video_urls, resolution, error_code, error_message, charged,"
    " retry_after, created_at, updated_at, completed_at, sender, deadline, next_poll_at, polls, seq"
)
OLD_ROWS: list[tuple[str, str, str, str, str | None, float | None, int]] = [
    # id, api, status, charged, API id, completed_at, polls
    ("vid_done", ANN.api, "completed", "yes", "task-done", 1500.0, 4),
    ("vid_running", ANN.api, "processing", "yes", "task-running", None, 2),
    ("vid_refunded", ANN.api, "failed", "refunded", "task-refunded", 1090.0, 3),
    ("vid_lost", ANN.api, "unknown", "unknown", None, None, 0),
    ("vid_odd_date", ANN.api, "completed", "yes", "task-odd", 1e300, 0),
    ("vid_from_the_future", ANN.api, "paused", "yes", None, None, 0),
    ("vid_sandbox", "sandbox:1", "completed", "yes", "task-sandbox", 1090.0, 0),
]


class SqliteStore:
    """See tests/journal/stores.py."""

    learns_by: Literal["listen", "look"] = "look"
    older_versions: Sequence[int] = range(1, len(SCHEMA))

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1_800_000_000.0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[SqliteJournal]:
        async with SqliteJournal(self.path) as journal:
            # Nobody pulls the plug here; the crash tests wait for the disk.
            await journal.file.read(lambda db: db.execute("PRAGMA synchronous = OFF"))
            yield journal

    async def move_clock(self, seconds: float) -> None:
        self.now += seconds

    async def write_behind_the_back(self, entry_id: str, **columns: Any) -> None:
        with sqlite3.connect(self.path) as db:
            (revision,) = db.execute("UPDATE counter SET revision = revision + 1 RETURNING revision").fetchone()
            values = {**columns, "revision": revision}
            assignments = ", ".join(f"{name} = ?" for name in values)
            db.execute(f"UPDATE entries SET {assignments} WHERE id = ?", (*values.values(), entry_id))  # noqa: S608 - our own names
        db.close()

    async def make_older(self, version: int) -> None:
        self.path.unlink(missing_ok=True)
        with sqlite3.connect(self.path) as db:
            for file in SCHEMA[:version]:
                db.executescript(file.read_text("utf-8"))
            db.execute(f"PRAGMA user_version = {version:d}")
            for number, (entry_id, api, status, charged, upstream_id, completed_at, polls) in enumerate(OLD_ROWS, 1):
                db.execute(
                    f"INSERT INTO entries ({OLD_COLUMNS})"  # noqa: S608 - our own names
                    " VALUES (?, ?, '', 'create', ?, '{}', 'p', 'veo-3', 'fast', NULL, NULL, 40, 0, ?, ?, NULL, NULL,"
                    " '[]', NULL, NULL, NULL, ?, NULL, 1000, 1090, ?, 'gone', NULL, 1000, ?, ?)",
                    (entry_id, api, entry_id, upstream_id, status, charged, completed_at, polls, number),
                )
            db.execute("UPDATE counter SET seq = ?", (len(OLD_ROWS),))
            db.execute("INSERT INTO words VALUES ('callback_secret', 'kept')")
        db.close()

    async def make_newer(self) -> None:
        with sqlite3.connect(self.path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "journal.db")


class TestContract(Contract):
    """The whole contract, over SQLite."""
