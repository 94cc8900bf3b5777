"""Nothing ends the sandbox's worker but the sandbox's end: each task and callback fails for itself, and is shown."""

import json
import logging
import os
import sqlite3
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.receiver import receiver
from tests.support.sandbox_api import ApiClient, api
from veo_mcp.sandbox.fetch import Fetcher
from veo_mcp.sandbox.key_rules import Rules
from veo_mcp.sandbox.ledger import Ledger, Task
from veo_mcp.sandbox.worker import Worker

pytestmark = pytest.mark.anyio

QUICK: dict[str, Any] = {"callback_gaps": (0.0, 0.01), "retry_gaps": (0.01, 0.01)}


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    with anyio.fail_after(seconds):
        while not await holds():  # noqa: ASYNC110 - the ledger and HTTP can only be asked
            await anyio.sleep(0.05)


async def still_works(client: ApiClient) -> None:
    made = await client.create(prompt="[sandbox:fail] and on it goes")
    assert (await client.ended(made.json()["data"]["taskId"]))["status"] == "failed"


async def health(client: ApiClient) -> dict[str, Any]:
    return (await client.get("/healthz")).json()


BODIES: dict[str, str] = {
    "a path that is not ASCII": json.dumps(
        {"callback_url": "https://example.com/ü", "input": {"prompt": "[sandbox:fail]"}}
    ),
    "a host that punycode has no form for": json.dumps(
        {"callback_url": f"https://{'ü' * 80}.example/", "input": {"prompt": "[sandbox:fail]"}}
    ),
    "half a character": '{"callback_url": "https://a.example/\\ud800", "input": {"prompt": "[sandbox:fail] \\udfff"}}',
    "a port that is none": '{"callback_url": "https://example.com:99999999/", "input": {"prompt": "[sandbox:fail]"}}',
    "a callback that is a number": '{"callback_url": 7, "input": {"prompt": "[sandbox:fail]"}}',
    "no request": "{}",
    "a list": "[1]",
    "no JSON": "{",
    "deep nesting": "[" * 100_000,
    "a prompt that is a list": '{"input": {"prompt": []}}',
    "a parent that is a number": '{"input": {"prompt": "x", "extend_task_id": 7}}',
}


@pytest.mark.parametrize("status", ["pending", "failed"])
async def test_a_spoilt_row_is_dealt_with_at_the_start_and_hurts_nothing_else(tmp_path: Path, status: str) -> None:
    async with api(tmp_path, seconds=60) as client:
        ids = [(await client.create(prompt="[sandbox:fail]")).json()["data"]["taskId"] for _ in BODIES]
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as db, db:
        db.execute("UPDATE tasks SET status = ?", (status,))
        for task_id, body in zip(ids, BODIES.values(), strict=True):
            db.execute("UPDATE tasks SET body = ? WHERE id = ?", (body, task_id))
    async with api(tmp_path, allow_private=False, **QUICK) as client:
        await still_works(client)
        for task_id in ids:
            await client.ended(task_id)
        # Its callbacks are dealt with too: the next start has nothing left to do.
        await until(lambda: nothing_owed(tmp_path))
        if status == "pending":
            assert (await client.credits())["balance"] == 10_000


async def nothing_owed(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "ledger.db")) as db:
        return db.execute("SELECT COUNT(*) FROM tasks WHERE callback_delivered = 0").fetchone() == (0,)


async def test_a_receiver_that_asks_for_nonsense_does_not_end_the_worker(tmp_path: Path) -> None:
    for retry_after in ("\xb2", "-1", "1e9", "\xbc", "9" * 5000, ""):
        status = f"503 Busy\r\nRetry-After: {retry_after}"
        async with receiver(status, "200 OK") as endpoint, api(tmp_path, **QUICK) as client:
            body = {"model": "veo-3", "callback_url": endpoint.url, "input": {"prompt": "[sandbox:fail]"}}
            await client.post(body)
            await endpoint.wait_for(2)
            await still_works(client)


async def test_a_ledger_that_is_full_for_a_while_loses_no_refund_and_is_shown(tmp_path: Path) -> None:
    full = "CREATE TRIGGER full BEFORE UPDATE ON tasks BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    async with api(tmp_path, **QUICK) as client:
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as db:
            with db:
                db.execute(full)
            task_id = (await client.create(prompt="[sandbox:fail]")).json()["data"]["taskId"]

            async def shown() -> bool:
                return (await health(client))["status"] == "degraded"

            await until(shown)
            assert (await client.get("/healthz")).status_code == 503
            assert "disk is full" in (await health(client))["last_failure"]
            assert (await client.get(f"/v1/tasks/{task_id}")).json()["status"] == "pending"
            with db:
                db.execute("DROP TRIGGER full")
        assert (await client.ended(task_id))["status"] == "failed"
        assert (await client.credits())["balance"] == 10_000
        await still_works(client)
        await until(lambda: nothing_owed(tmp_path))

        async def well() -> bool:
            return (await health(client))["status"] == "ok"

        await until(well)


async def test_a_ledger_that_is_locked_for_longer_than_sqlite_waits_is_waited_for(tmp_path: Path) -> None:
    async with api(tmp_path, seconds=0.5, **QUICK) as client:
        client.http.timeout = 60
        task_id = (await client.create(prompt="[sandbox:fail]")).json()["data"]["taskId"]
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            answer = await client.get("/v1/credits")  # ten seconds later
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "upstream_error"
            assert "nothing was charged" in answer.json()["error"]["message"]
            db.execute("ROLLBACK")
        assert (await client.ended(task_id))["status"] == "failed"
        assert (await client.credits())["balance"] == 10_000


@asynccontextmanager
async def working(folder: Path, fetcher: Fetcher) -> AsyncGenerator[tuple[Ledger, Worker]]:
    ledger = Ledger(folder / "ledger.db", lambda: "x")
    worker = Worker(ledger, folder, base_url=lambda: "http://x", seconds=0.0, fetcher=fetcher, **QUICK)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(worker.run)
            yield ledger, worker
            group.cancel_scope.cancel()
    finally:
        ledger.close()


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError(), KeyError("x"), UnicodeError("x"), OSError(28, "full")]
)
async def test_whatever_is_raised_in_fetching_or_calling_back_concerns_one_task(
    tmp_path: Path, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    async def breaks(host: str, _port: int) -> list[str]:
        asked.append(host)
        raise error

    caplog.set_level(logging.INFO)
    async with working(tmp_path, Fetcher(resolve=breaks)) as (ledger, worker):
        account = await ledger.open_account("sk-me", 100)
        request = {"prompt": "x", "image_urls": ["http://images.example/a.png"]}
        body = {"model": "veo-3", "callback_url": "http://callbacks.example/secret", "input": request}
        task = Task("t", account, "veo-3", body, "pending", 40, 10_000, 0.0, None, None, None, None, None, False)
        await ledger.charge(task, Rules())
        worker.wake()
        await until(lambda: nothing_owed(tmp_path))
        ended = await ledger.get("t")
        assert ended is not None
        assert ended.status == "failed"
        assert (await ledger.credits(account))["balance"] == 100
        assert asked.count("callbacks.example") == len(QUICK["callback_gaps"])
        assert worker.health().ok
    assert "secret" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_parent_whose_file_is_gone_fails_the_extension_and_is_counted(tmp_path: Path) -> None:
    async with api(tmp_path, **QUICK) as client:
        parent = (await client.create()).json()["data"]["taskId"]
        assert (await client.ended(parent))["status"] == "completed"
        (clip,) = (tmp_path / "videos").rglob("*.mp4")
        clip.write_bytes(b"not a film")
        made = await client.post({"model": "veo-3-extend", "input": {"prompt": "on", "extend_task_id": parent}})
        task = await client.ended(made.json()["data"]["taskId"])
        assert task["status"] == "failed"
        assert (await client.credits())["total_consumed"] == 40
        await still_works(client)


SEEN_BY_WORKERS = """
import anyio, anyio.to_process, os, sys
from pathlib import Path
from veo_mcp.sandbox.app import SandboxConfig, build_app

async def main():
    app = build_app(SandboxConfig(Path(sys.argv[1]), lambda: "http://127.0.0.1:1", workers=1))
    async with app.router.lifespan_context(app):
        await anyio.wait_all_tasks_blocked()
        print([await anyio.to_process.run_sync(os.getenv, name) for name in sys.argv[2:]])

anyio.run(main)
"""


async def test_worker_processes_inherit_no_key(tmp_path: Path) -> None:
    names = ("VEO_API_KEY", "AIVIDEOAPI_API_KEY", "VEO_JOURNAL", "VEO_ANYTHING")
    env = {**os.environ, **dict.fromkeys(names, "sk-secret")}
    done = await anyio.run_process([sys.executable, "-c", SEEN_BY_WORKERS, str(tmp_path), "PATH", *names], env=env)
    assert done.stdout.decode().strip() == str([env["PATH"], *[None for _ in names]])
