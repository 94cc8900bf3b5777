"""The crash matrix: SIGKILL at every point of a create and its following, then a restart; held against the ledger.

VEO_CRASH_ROUNDS sets the rounds a point; the suite runs 1, `VEO_CRASH_ROUNDS=20` is the full measure.
"""

import os
import signal
import sqlite3
import sys
from pathlib import Path

import anyio
import pytest

from tests.support.stack import sandbox

pytestmark = pytest.mark.anyio

ROUNDS = int(os.environ.get("VEO_CRASH_ROUNDS", "1"))
ROOT = Path(__file__).parents[2]
POINTS = [
    "mid-migration",
    "before intent",
    "intent written",
    "connected",
    "headers sent",
    "body sent",
    "answer read",
    "recorded",
    "announced",
    "returned",
    "poll answer read",
    "end recorded",
]
NEVER_SENT = ("mid-migration", "before intent", "intent written", "connected")
ANSWER_LOST = ("headers sent", "body sent", "answer read")


async def child(folder: Path, url: str, prompt: str, point: str, shift: float) -> int:
    command = [sys.executable, "-m", "tests.crash.child", str(folder), url, prompt, point, str(shift)]
    done = await anyio.run_process(command, cwd=ROOT, check=False, stderr=None)
    return done.returncode


@pytest.mark.parametrize("point", POINTS)
async def test_a_process_killed_at_any_point_neither_pays_twice_nor_forgets(tmp_path: Path, point: str) -> None:
    async with sandbox(tmp_path / "sandbox") as url:
        for number in range(ROUNDS):
            folder = tmp_path / f"round-{number}"
            folder.mkdir()
            prompt = f"[sandbox:fail] {point} {number}"
            assert await child(folder, url, prompt, point, 0.0) == -signal.SIGKILL
            # An hour later: whatever deadline the dead process had has passed.
            assert await child(folder, url, "", "", 3600.0) == 0
            check_outcome(folder, tmp_path / "sandbox" / "ledger.db", prompt, point)


def check_outcome(folder: Path, ledger: Path, prompt: str, point: str) -> None:
    with sqlite3.connect(ledger) as db:
        charged = db.execute(
            "SELECT id, status FROM tasks WHERE json_extract(body, '$.input.prompt') = ?", (prompt,)
        ).fetchall()
    with sqlite3.connect(folder / "journal.db") as db:
        entries = db.execute("SELECT status, upstream_id FROM entries").fetchall()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    # 1. Per request at most one charge.
    assert len(charged) <= len(entries) <= 1 or not charged
    # 2. Every charged task is linked, or its request is unknown; never refused, never missing.
    for task_id, status in charged:
        ((known, upstream),) = entries
        assert upstream == task_id or known == "unknown"
        # 3. Every linked task reaches its true end.
        if upstream:
            assert known == status == "failed"
    # 4. What was never sent was never charged, and is not forgotten once it was written down.
    if point in NEVER_SENT:
        assert charged == []
    if point in ("intent written", "connected", *ANSWER_LOST):
        assert [known for known, _ in entries] == ["unknown"]
