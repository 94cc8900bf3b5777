"""Creates under random faults: no intent is charged twice, no charged task is lost, no word about credits is wrong.

VEO_CREATES sets how many; the suite runs 200, `VEO_CREATES=1000` is the full measure. The seed makes a run repeatable.
"""

import json
import os
import random
import sqlite3
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from mcp import Client
from pydantic import SecretStr

from tests.support.entries import everything
from tests.support.fault_proxy import Fault, faulty
from tests.support.ports import free_port
from tests.support.stack import sandbox, text
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.web.routes import serve_http

pytestmark = pytest.mark.anyio

CREATES = int(os.environ.get("VEO_CREATES", "200"))
PER_KEY = 100
AT_ONCE = 10
KINDS = ["refuse", "double callback", *Fault]


async def soon(_seconds: float) -> None:
    await anyio.sleep(0.01)


class Run:
    """What was decided for each create, what reached the proxy, and what the model was answered."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.faults = [rng.choice(KINDS) for _ in range(CREATES)]
        self.seen: Counter[str] = Counter()
        self.answers: dict[str, str] = {}

    def decide(self, body: bytes) -> Fault:
        prompt = json.loads(body)["input"]["prompt"]
        fault = self.faults[int(prompt.split()[-1])]
        if fault is Fault.RATE_LIMIT and self.seen[prompt + " limited"]:
            fault = Fault.NONE
        if fault is Fault.RATE_LIMIT:
            self.seen[prompt + " limited"] += 1
            return fault
        self.seen[prompt] += 1
        return fault if isinstance(fault, Fault) else Fault.NONE


def prompt_of(number: int) -> str:
    return f"[sandbox:fail] boat {number}"


@pytest.mark.parametrize("callbacks", [False, True], ids=["without callbacks", "with callbacks"])
async def test_no_create_is_paid_twice_lost_or_misreported(tmp_path: Path, callbacks: bool) -> None:
    run = Run(seed=20261124 + callbacks)
    numbers = range(callbacks, CREATES, 2)
    async with sandbox(tmp_path / "sandbox") as base_url, faulty(urlsplit(base_url).port or 0, run.decide) as bad_url:
        keys = {number // PER_KEY for number in numbers}
        async with SqliteJournal(tmp_path / "journal.db") as journal, anyio.create_task_group() as group:
            for key in keys:
                mine = [number for number in numbers if number // PER_KEY == key]
                await one_key(journal, bad_url, f"sk-{key}", run, mine, callbacks=callbacks)
            group.cancel_scope.cancel()
        check_outcome(run, tmp_path, numbers, callbacks=callbacks)


async def one_key(
    journal: SqliteJournal, bad_url: str, key: str, run: Run, numbers: list[int], *, callbacks: bool
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}" if callbacks else None
    dead_url = f"http://127.0.0.1:{free_port()}"
    async with (
        open_engine(
            journal, base_url=bad_url, key=SecretStr(key), public_url=url, sleep=soon, create_seconds=6
        ) as engine,
        open_engine(journal, base_url=dead_url, key=SecretStr(key), sleep=soon) as unreachable,
        anyio.create_task_group() as group,
    ):
        backend, dead = Backend(), Backend()
        backend.opened(engine)
        dead.opened(unreachable)
        server = build_server(backend, sandbox=True, announcer=Announcer())
        if url:
            up = anyio.Event()
            group.start_soon(engine.callbacks.run)

            async def serve() -> None:
                await serve_http(server, backend, host="127.0.0.1", port=port, ready=up.set)

            group.start_soon(serve)
            await up.wait()
        limit = anyio.CapacityLimiter(AT_ONCE)
        async with (
            Client(server) as client,
            Client(build_server(dead, sandbox=True)) as cut_off,
            anyio.create_task_group() as creates,
        ):

            async def create(number: int) -> None:
                async with limit:
                    by = cut_off if run.faults[number] == "refuse" else client
                    run.answers[prompt_of(number)] = text(
                        await by.call_tool("create_video", {"prompt": prompt_of(number)})
                    )
                    if run.faults[number] == "double callback" and url:
                        await call_back_again(engine, url, prompt_of(number))

            for number in numbers:
                creates.start_soon(create, number)
        await wait_idle(engine)
        group.cancel_scope.cancel()


async def call_back_again(engine: Engine, url: str, prompt: str) -> None:
    entry = next(entry for entry in await everything(engine) if entry.prompt == prompt)
    token = await engine.callbacks.urls.token(entry.id)
    async with httpx2.AsyncClient() as http:
        for _ in range(2):
            answer = await http.post(f"{url}/callbacks/{token}", json={"id": entry.upstream_id})
            assert answer.status_code == 204


async def wait_idle(engine: Engine) -> None:
    """Polls until no task is under way; an unknown outcome stays unknown."""
    while any(
        entry.status in (Status.SUBMITTING, Status.PENDING, Status.PROCESSING) for entry in await everything(engine)
    ):
        for entry in await everything(engine):
            await engine.journal.poll_no_later_than(entry.id, 0.0)
        await engine.poller.round()


def check_outcome(run: Run, folder: Path, numbers: range, *, callbacks: bool) -> None:
    with sqlite3.connect(folder / "sandbox" / "ledger.db") as db:
        rows = db.execute("SELECT id, json_extract(body, '$.input.prompt') FROM tasks").fetchall()
    with sqlite3.connect(folder / "journal.db") as db:
        entries = {
            row[0]: row[1:] for row in db.execute("SELECT prompt, status, upstream_id, charged FROM entries").fetchall()
        }
    charged = Counter(prompt for _, prompt in rows)
    ids = {prompt: task_id for task_id, prompt in rows}
    assert len(run.answers) == len(numbers)
    for number in numbers:
        prompt, fault = prompt_of(number), run.faults[number]
        if fault == "refuse":
            # An API that never answered did not show which one it is: nothing is written down, and nothing was sent.
            assert prompt not in entries
            assert not charged[prompt]
            assert "Not charged." in run.answers[prompt]
            continue
        status, upstream, _ = entries[prompt]
        said = run.answers[prompt]
        assert charged[prompt] <= 1, (fault, said)
        assert run.seen[prompt] <= 1, (fault, said)
        if charged[prompt]:
            assert status != "refused", (fault, said)
            assert upstream == ids[prompt] or status == "unknown", (fault, said)
            assert "Not charged." not in said, (fault, said)
        else:
            assert status in ("refused", "unknown"), (fault, status)
            assert "Charged 40" not in said, (fault, said)
        if callbacks and charged[prompt]:
            assert upstream == ids[prompt], (fault, status)
        if upstream:
            assert status == "failed", (fault, status)
    with sqlite3.connect(folder / "journal.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
