"""The sandbox's ledger under kill -9: it adds up at any moment, no task is stuck, no refund comes twice.

VEO_REQUESTS sets how many mixed requests are sent; the suite sends 200, `VEO_REQUESTS=2000` is the full measure.
"""

import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import httpx2
import pytest
from anyio.abc import Process

from tests.support.ports import free_port
from veo_mcp.sandbox.ledger import MIGRATIONS, Ledger

pytestmark = pytest.mark.anyio

REQUESTS = int(os.environ.get("VEO_REQUESTS", "200"))
KILLS = max(3, REQUESTS // 200)
CREATE = "/v1/videos/generations"
OLD_TASK = """
INSERT INTO tasks (id, account, model, body, status, price, seed, created_at, told)
VALUES (?, 'a', 'veo-3', '{}', 'completed', 40, 1, 1000.0, ?)
"""


async def started(folder: Path, port: int, http: httpx2.AsyncClient) -> Process:
    """A sandbox process that answers."""
    command = [sys.executable, "-m", "veo_mcp", "sandbox", "--port", str(port), "--dir", str(folder), "--seconds", "0"]
    process = await anyio.open_process(command, stdout=None, stderr=None)
    with anyio.fail_after(30):
        while True:
            try:
                await http.get("/v1/credits", headers={"Authorization": "Bearer sk-probe"})
            except httpx2.TransportError:
                await anyio.sleep(0.05)
            else:
                return process


def check_ledger(ledger: Path, *, all_ended: bool) -> None:
    with sqlite3.connect(ledger) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT COALESCE(SUM(amount), 0) FROM moves").fetchone() == (0,)
        unbalanced = db.execute("SELECT txn FROM moves GROUP BY txn HAVING SUM(amount) != 0 OR COUNT(*) != 2")
        assert unbalanced.fetchall() == []
        per_task = db.execute(
            "SELECT t.status, SUM(m.kind = 'charge'), SUM(m.kind = 'refund') FROM tasks t JOIN moves m ON m.task = t.id"
            " GROUP BY t.id"
        ).fetchall()
        assert len(per_task) == db.execute("SELECT COUNT(*) FROM tasks").fetchone()[0]
        for status, charges, refunds in per_task:
            assert charges == 2, status
            assert refunds == (2 if status == "failed" else 0), status
            if all_ended:
                assert status == "failed", status


async def test_the_ledger_adds_up_whenever_the_process_is_killed(tmp_path: Path) -> None:
    rng, port = random.Random(5), free_port()
    ledger = tmp_path / "ledger.db"
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
        process = await started(tmp_path, port, http)
        ids: list[str] = []

        async def one() -> None:
            headers = {"Authorization": f"Bearer sk-{rng.randrange(20)}"}
            try:
                match rng.randrange(4):
                    case 0 | 1:
                        body = {"model": "veo-3", "input": {"prompt": "[sandbox:fail] x"}}
                        answer = await http.post(CREATE, json=body, headers=headers)
                        if answer.status_code == 200:
                            ids.append(answer.json()["data"]["taskId"])
                    case 2 if ids:
                        await http.get(f"/v1/tasks/{rng.choice(ids)}", headers=headers)
                    case _:
                        await http.get("/v1/credits", headers=headers)
            except httpx2.TransportError:
                pass  # the process is being killed; what became of the request is in the ledger

        for _round in range(KILLS):
            async with anyio.create_task_group() as group:
                for number in range(REQUESTS // KILLS):
                    group.start_soon(one)
                    if number % 10 == 9:
                        await anyio.lowlevel.checkpoint()
                process.send_signal(signal.SIGKILL)
            await process.aclose()
            check_ledger(ledger, all_ended=False)
            process = await started(tmp_path, port, http)
        with anyio.fail_after(120):
            while True:
                with sqlite3.connect(ledger) as db:
                    left = db.execute("SELECT COUNT(*) FROM tasks WHERE status NOT IN ('failed', 'completed')")
                    if left.fetchone() == (0,):
                        break
                await anyio.sleep(0.2)
        process.send_signal(signal.SIGKILL)
        await process.aclose()
    check_ledger(ledger, all_ended=True)
    assert ids


@pytest.mark.parametrize("version", [1, 2])
async def test_a_ledger_of_an_older_version_opens_and_still_owes_the_same_callbacks(
    tmp_path: Path, version: int
) -> None:
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as db:
        for script in MIGRATIONS[:version]:
            db.executescript(script)
        db.execute("INSERT INTO meta VALUES ('id', 'the same ledger')")
        db.executemany(OLD_TASK, [("owed", 0), ("delivered", 1)])
        db.execute(f"PRAGMA user_version = {version:d}")
        db.commit()

    ledger = Ledger(file, lambda: "another ledger")
    try:
        assert ledger.id == "the same ledger"
        assert await ledger.owed() == ["owed"]
        await ledger.callback_delivered("owed")
        assert await ledger.owed() == []
    finally:
        ledger.close()
    with closing(sqlite3.connect(file)) as db:
        plan = db.execute("EXPLAIN QUERY PLAN SELECT id FROM tasks WHERE callback_delivered = 0 ORDER BY number")
        assert "tasks_owed" in str(plan.fetchall())
