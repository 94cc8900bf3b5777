"""SIGKILL while pictures from the disk are handed over or taken away, then a restart: nothing is paid twice, and every
picture in the bucket is one that the journal knows, until it is gone.

VEO_CRASH_ROUNDS sets the rounds a point; the suite runs 1.
"""

import os
import signal
import sqlite3
import sys
from collections.abc import Generator
from pathlib import Path

import anyio
import httpx2
import pytest
from PIL import Image

from tests.crash import uploading_child
from tests.support.bucket import Service, service
from tests.support.stack import sandbox

pytestmark = pytest.mark.anyio

ROUNDS = int(os.environ.get("VEO_CRASH_ROUNDS", "1"))
ROOT = Path(__file__).parents[2]
DELETED = "picture deleted"
#: What lies in the bucket when the process dies, in even rounds and in odd ones.
POINTS = {"uploads noted": (0, 0), "picture uploaded": (1, 2), DELETED: (1, 0)}


@pytest.fixture(scope="module")
def s3() -> Generator[Service]:
    with service() as found:
        yield found


@pytest.mark.parametrize("point", POINTS)
async def test_a_process_killed_while_it_hands_over_pictures_neither_pays_twice_nor_leaves_one_behind(
    tmp_path: Path, s3: Service, point: str
) -> None:
    async with sandbox(tmp_path / "sandbox") as url:
        for number in range(ROUNDS):
            httpx2.post(f"{s3.url}/moto-api/reset").raise_for_status()
            httpx2.put(f"{s3.url}/films").raise_for_status()
            folder = tmp_path / f"round-{number}"
            folder.mkdir()
            for name, colour in (("one.png", "red"), ("two.png", "blue")):
                Image.new("RGB", (320, 180), colour).save(folder / name)
            skip = 0 if point == "uploads noted" else number % 2
            assert await child(folder, url, s3.url, point, skip) == -signal.SIGKILL
            assert len(s3.names()) == POINTS[point][number % 2]
            assert set(s3.names()) <= known(folder)
            # The deadline of the dead process has passed, and the same call comes again.
            sends = point != DELETED
            await uploading_child.main(folder, url, s3.url, shift=120.0, sends=sends)
            check_outcome(folder, tmp_path / "sandbox" / "ledger.db", sent=not sends)
            if sends:
                # It may be under way as far as anybody knows, so the pictures stay as long as their links do.
                assert len(s3.names()) == POINTS[point][number % 2]
                assert len(known(folder)) == 2
                assert set(s3.names()) <= known(folder)
                await uploading_child.main(folder, url, s3.url, shift=90_000.0)
                check_outcome(folder, tmp_path / "sandbox" / "ledger.db", sent=False)
            assert s3.names() == []
            assert known(folder) == set()


async def child(folder: Path, url: str, bucket: str, point: str, skip: int) -> int:
    command = [sys.executable, "-m", "tests.crash.uploading_child", str(folder), url, bucket, point, str(skip)]
    return (await anyio.run_process(command, cwd=ROOT, check=False, stderr=None)).returncode


def known(folder: Path) -> set[str]:
    """The names of the pictures that the journal knows."""
    with sqlite3.connect(folder / "journal.db") as db:
        return {address.removeprefix("s3://films/") for (address,) in db.execute("SELECT address FROM uploads")}


def check_outcome(folder: Path, ledger: Path, *, sent: bool) -> None:
    """One request, one charge at most, and none where it never got as far as being sent."""
    with sqlite3.connect(ledger) as db:
        charged = db.execute(
            "SELECT id FROM tasks WHERE json_extract(body, '$.input.prompt') = ?", (f"[sandbox:fail] {folder.name}",)
        ).fetchall()
    with sqlite3.connect(folder / "journal.db") as db:
        entries = db.execute("SELECT status FROM entries").fetchall()
    assert len(charged) == (1 if sent else 0)
    assert entries == [("failed" if sent else "unknown",)]
