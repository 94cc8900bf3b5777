"""SIGKILL at every point of saving and joining, then a restart: no half file, everything there, nothing twice.

VEO_CRASH_ROUNDS sets the rounds a point; the suite runs 1.
"""

import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

import anyio
import pytest

from tests.support.clips import clip
from tests.support.entries import add, unfinished
from tests.support.video_api import IDENTITY, VideoApi, video_api
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.mp4 import measure

pytestmark = pytest.mark.anyio

ROUNDS = int(os.environ.get("VEO_CRASH_ROUNDS", "1"))
ROOT = Path(__file__).parents[2]
POINTS = [
    "file leased",
    "part begun",
    "part whole",
    "file named",
    "file dealt with",
    "saving recorded",
    "parts gathered",
    "film joined",
    "film named",
    "film recorded",
]


async def child(folder: Path, url: str, point: str, skip: int, shift: float) -> int:
    command = [sys.executable, "-m", "tests.crash.saving_child", str(folder), url, point, str(skip), str(shift)]
    return (await anyio.run_process(command, cwd=ROOT, check=False, stderr=None)).returncode


async def filled(folder: Path, api: VideoApi) -> None:
    """A journal with a video and two extensions that wait to be saved."""
    async with SqliteJournal(folder / "journal.db") as journal:
        for number in range(3):
            now = time.time()
            entry = unfinished(
                number,
                api=IDENTITY,
                status=Status.COMPLETED,
                prompt=f"boat {number}",
                extends=f"task-{number - 1}" if number else None,
                video_urls=(api.link(f"{number}.mp4"),),
                save_wanted=True,
                created_at=now,
                file_due_at=now - 3 + number,
                ended_at=now,
                completed_at=now,
            )
            await add(journal, entry)


@pytest.mark.parametrize("point", POINTS)
async def test_a_process_killed_while_it_saves_leaves_no_half_file_and_nothing_twice(
    tmp_path: Path, point: str
) -> None:
    async with video_api(tmp_path / "api") as api:
        for number in range(3):
            # Large enough to come in several pieces.
            clip(api.folder / f"{number}.mp4", size=(320, 240), options={"crf": "1"})
        for number in range(ROUNDS):
            folder = tmp_path / f"round-{number}"
            await anyio.Path(folder).mkdir()
            await filled(folder, api)
            assert await child(folder, api.url, point, number % 2, 0.0) == -signal.SIGKILL
            check_files(folder)
            # After the dead process's lease has run out.
            assert await child(folder, api.url, "", 0, 600.0) == 0
            check_files(folder)
            check_end(folder)


def check_files(folder: Path) -> None:
    """Whatever has its final name is whole."""
    for path in (folder / "videos").iterdir():
        if not path.name.startswith("."):
            found = measure(path)
            assert found is not None
            assert found.seconds in (1.0, 2.0, 3.0)


def check_end(folder: Path) -> None:
    with sqlite3.connect(folder / "journal.db") as db:
        rows = db.execute("SELECT saved_to, film_saved_to, file_error, file_due_at FROM entries ORDER BY id").fetchall()
    assert [(error, due) for _, _, error, due in rows] == [(None, None)] * 3
    named = [path for saved, film, _, _ in rows for path in (saved, film) if path]
    assert len(named) == 5
    # Nothing twice, and no other file is left.
    assert sorted(named) == sorted(map(str, (folder / "videos").iterdir()))
