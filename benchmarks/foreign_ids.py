"""Whether the time of an answer tells somebody else's task from one that does not exist: `get_task` over HTTP.

Run by hand: `python -m benchmarks.foreign_ids [--tries N] [--json]`; needs the extra `dev`. One server on an SQLite
file and one on a PostgreSQL, each with tasks of two people; one of them asks for tasks of the other and for ids of the
same length that nobody has, in turns. The goal: medians within 5 % of each other, and the same words.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
from pydantic import SecretStr

from benchmarks.hosting import post
from tests.support.access import ANNA, guarded
from tests.support.entries import account, unfinished
from tests.support.ports import free_port
from tests.support.postgres import address, postgres
from veo_mcp.journal.journal import Journal
from veo_mcp.journal.postgres.store import PostgresJournal
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.tasks.engine import open_engine
from veo_mcp.web.routes import serve_http

NOWHERE = "http://127.0.0.1:1"
TASKS = 200
WITHIN = 0.05


@asynccontextmanager
async def serving(journal: Journal, folder: Path) -> AsyncGenerator[str]:
    """A server for anna and ben on this journal; its URL."""
    port, ready = free_port(), anyio.Event()
    backend, announcer = Backend(), Announcer()
    async with (
        open_engine(journal, base_url=NOWHERE, key=SecretStr("sk-x")) as engine,
        anyio.create_task_group() as group,
    ):
        backend.opened(engine)
        server = build_server(backend, sandbox=False, announcer=announcer)
        access = guarded(folder, rate=10**9)
        group.start_soon(
            lambda: serve_http(server, backend, host="127.0.0.1", port=port, ready=ready.set, access=access)
        )
        await ready.wait()
        yield f"http://127.0.0.1:{port}"
        group.cancel_scope.cancel()


async def fill(journal: Journal) -> list[str]:
    """The same number of tasks of each; the ids of ben's."""
    theirs: list[str] = []
    now = time.time()
    for _ in range(TASKS // 2):
        for name in ("anna", "ben"):
            number = random.randrange(10**15, 10**16)
            moment = {"created_at": now, "updated_at": now, "next_poll_at": now + 3600}
            entry = unfinished(number, api=NOWHERE, principal=name, **moment)
            await journal.adopt(account(NOWHERE, name), entry)
            if name == "ben":
                theirs.append(entry.id)
    return theirs


async def measure(journal: Journal, tries: int) -> dict[str, float | int]:
    """Medians, in milliseconds, of so many tries, half of each kind."""
    times: dict[str, list[float]] = {"somebody else's": [], "no such": []}
    words = set[str]()
    with tempfile.TemporaryDirectory() as name:
        theirs = await fill(journal)
        async with serving(journal, Path(name)) as url, httpx2.AsyncClient(base_url=url, timeout=60) as http:
            for number in range(-20, tries // 2):
                kinds = list(times)
                random.shuffle(kinds)  # so that neither always comes right after the other
                for kind in kinds:
                    id_ = (
                        random.choice(theirs)
                        if kind == "somebody else's"
                        else f"vid_{random.randrange(10**15, 10**16)}"
                    )
                    asked = post("tools/call", {"name": "get_task", "arguments": {"task_id": id_}}, ANNA, "get_task")
                    began = time.perf_counter()
                    answer = await http.post("/mcp", **asked)
                    took = time.perf_counter() - began
                    if number >= 0:  # the first ones warm the caches
                        times[kind].append(took * 1000)
                        words.add(f"{answer.status_code} {answer.text.replace(id_, 'ID')}")
    theirs_ms, none_ms = (statistics.median(times[kind]) for kind in times)
    return {
        "tries": tries,
        "ms, somebody else's": round(theirs_ms, 3),
        "ms, no such": round(none_ms, 3),
        "difference in %": round(100 * (theirs_ms - none_ms) / none_ms, 2),
        "different answers": len(words) - 1,
    }


async def run(tries: int) -> dict[str, dict[str, float | int]]:
    """Both stores, one after the other."""
    found: dict[str, dict[str, float | int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with SqliteJournal(Path(folder) / "journal.db") as journal:
            await journal.file.read(lambda db: db.execute("PRAGMA synchronous = OFF"))
            found["sqlite"] = await measure(journal, tries)
    with postgres() as database:
        schema = await database.new_schema()
        async with PostgresJournal(address(database.address(schema))) as journal:
            found["postgres"] = await measure(journal, tries)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=4000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = anyio.run(run, arguments.tries)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        for store, figures in found.items():
            print(f"{store:9} " + "; ".join(f"{name} {value}" for name, value in figures.items()))
    well = all(
        abs(figures["difference in %"]) <= 100 * WITHIN and not figures["different answers"]
        for figures in found.values()
    )
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
