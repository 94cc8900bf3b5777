"""What a hosted server does in a second, how soon it tells, and how politely three replicas ask the API.

Run by hand: `python -m benchmarks.hosting [--json FILE] [calls | told | polite]`; needs nginx and the extra `dev`.
Three replicas on one PostgreSQL behind nginx, against a fake API: `get_task` calls a second beside one replica alone;
200 listeners told of one change (goal: within 0.5 s); 10,000 unfinished tasks of 100 principals (goal: at most five
questions a second for the one key). Exits with 1 when a goal was missed.
"""

import argparse
import json
import shutil
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2

from benchmarks.composition import FakeApi, Replica, balancer, environ, fake_api, people
from tests.support.entries import account, unfinished
from tests.support.postgres import Postgres, address, postgres
from veo_mcp.journal.postgres.store import PostgresJournal

REPLICAS = 3
CALLERS = 24
CALL_SECONDS = 15.0
LISTENERS = 200
CHANGES = 5
TOLD_WITHIN = 0.5
TASKS, PRINCIPALS = 10_000, 100
BATCH = 250
"""As many as are surely written within a statement's time limit."""
POLITE_SECONDS = 60.0
MOST_A_SECOND = 5
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
Figures = dict[str, float | int]


@dataclass(frozen=True)
class Site:
    """Replicas behind nginx, and what is behind them."""

    url: str
    tokens: Mapping[str, str]
    api: FakeApi
    journal: PostgresJournal
    identity: str


def post(method: str, params: Mapping[str, Any], token: str, name: str = "") -> dict[str, Any]:
    """The arguments of an HTTP client's `post` for one message of the modern era."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": method,
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    return {"headers": headers | ({"Mcp-Name": name} if name else {}), "json": body}


@asynccontextmanager
async def site(database: Postgres, *, replicas: int, status: str = "failed") -> AsyncGenerator[Site]:
    """So many replicas, as soon as all of them are ready."""
    folder = Path(tempfile.mkdtemp(prefix="veo-hosting-"))
    schema = await database.new_schema()
    api = FakeApi(status)
    running: list[Replica] = []
    try:
        async with fake_api(api) as upstream, PostgresJournal(address(database.address(schema))) as journal:
            tokens = people(folder, PRINCIPALS)
            given = environ(folder, upstream, database.address(schema))
            running += [Replica(folder, number, given) for number in range(replicas)]
            async with anyio.create_task_group() as starting:
                for replica in running:
                    starting.start_soon(replica.start)
            with ExitStack() as stack:
                url = stack.enter_context(balancer("nginx", folder, [replica.port for replica in running]))
                yield Site(url, tokens, api, journal, upstream)
    finally:
        with anyio.CancelScope(shield=True):
            for replica in running:
                await replica.end(signal.SIGTERM)
        shutil.rmtree(folder, ignore_errors=True)


async def put(site: Site, number: int, *, due_in: float) -> None:
    """One more unfinished task of the first principal."""
    name, now = next(iter(site.tokens)), time.time()
    moment = {"created_at": now, "updated_at": now, "next_poll_at": now + due_in}
    entry = unfinished(number, api=site.identity, principal=name, **moment)
    await site.journal.adopt(account(site.identity, name), entry)


async def fill(site: Site, number: int) -> None:
    """So many of them, spread over the principals; each is due."""
    await put(site, 0, due_in=-1)

    async def write(db: Any) -> None:
        revision = await db.fetchval("UPDATE veo_counter SET revision = revision + $1 RETURNING revision", BATCH)
        await db.execute(
            "INSERT INTO veo_entries SELECT (jsonb_populate_record(one, jsonb_build_object('id', 'vid_' || n,"
            " 'upstream_id', 'task-' || n, 'upstream_key', 'task-' || n, 'principal', 'person-' || n % $4::bigint,"
            " 'revision', $3::bigint + n, 'created_seq', $3::bigint + n))).*"
            " FROM veo_entries AS one, generate_series($1::bigint + 1, $1::bigint + $2::bigint) AS n"
            " WHERE one.id = 'vid_0'",
            *(start, BATCH, revision - BATCH - start, len(site.tokens)),
        )

    for start in range(0, number, BATCH):  # noqa: B007 - read by write
        await site.journal.database.write(write)


async def calls(database: Postgres) -> Figures:
    """`get_task` calls a second, over one replica and over three."""
    figures: Figures = {}
    for replicas in (1, REPLICAS):
        async with site(database, replicas=replicas) as here:
            await put(here, 0, due_in=3600)
            name = next(iter(here.tokens))
            asked = post(
                "tools/call",
                {"name": "get_task", "arguments": {"task_id": "vid_0"}},
                here.tokens[name],
                "get_task",
            )
            took: list[float] = []

            async def ask(http: httpx2.AsyncClient, until: float, asked: Any = asked, took: Any = took) -> None:
                while time.monotonic() < until:
                    began = time.monotonic()
                    answer = await http.post("/mcp", **asked)
                    answer.raise_for_status()
                    took.append(time.monotonic() - began)

            async with httpx2.AsyncClient(base_url=here.url, timeout=60) as http, anyio.create_task_group() as group:
                until = time.monotonic() + CALL_SECONDS
                for _ in range(CALLERS):
                    group.start_soon(ask, http, until)
            figures[f"get_task a second, {replicas} replicas"] = round(len(took) / CALL_SECONDS, 1)
            figures[f"ms a call (median), {replicas} replicas"] = round(1000 * statistics.median(took), 1)
    return figures


async def told(database: Postgres) -> Figures:
    """How long after one change each of 200 listeners was told, over three replicas."""
    waits: list[float] = []
    async with site(database, replicas=REPLICAS) as here, anyio.create_task_group() as group:
        token = next(iter(here.tokens.values()))
        wanted = {"notifications": {"resourceSubscriptions": ["veo://tasks"]}}
        heard: list[float] = []
        agreed = 0

        async def listen(http: httpx2.AsyncClient) -> None:
            nonlocal agreed
            async with http.stream("POST", "/mcp", **post("subscriptions/listen", wanted, token)) as answer:
                async for line in answer.aiter_lines():
                    if "acknowledged" in line:
                        agreed += 1
                    elif "resources/updated" in line:
                        heard.append(time.monotonic())

        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(base_url=here.url, timeout=600, limits=limits) as http:
            for _ in range(LISTENERS):
                group.start_soon(listen, http)
            await until(lambda: agreed == LISTENERS)
            for number in range(CHANGES):
                heard.clear()
                await put(here, number, due_in=3600)  # which no replica asks about meanwhile
                began = time.monotonic()
                await until(lambda: len(heard) >= LISTENERS)
                waits += [moment - began for moment in heard]
            group.cancel_scope.cancel()
    return {"listeners": LISTENERS, "changes": CHANGES, **spread("told after, s", waits)}


async def polite(database: Postgres) -> Figures:
    """How many questions a second three replicas ask about 10,000 unfinished tasks with one key."""
    async with site(database, replicas=REPLICAS, status="processing") as here:
        await fill(here, TASKS)
        here.api.asked.clear()
        began = time.time()
        await anyio.sleep(POLITE_SECONDS)
        asked = [moment - began for moment in here.api.asked]
    seconds = Counter(int(moment) for moment in asked)
    return {
        "unfinished tasks": TASKS,
        "principals": PRINCIPALS,
        "questions a second": round(len(asked) / POLITE_SECONDS, 2),
        "most in one second": max(seconds.values(), default=0),
        "asked twice at once": here.api.twice,
    }


def spread(name: str, values: Sequence[float]) -> Figures:
    ordered = sorted(values)
    parts = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {
        f"{name} ({part})": round(ordered[min(int(len(ordered) * at), len(ordered) - 1)], 3)
        for part, at in parts.items()
    }


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(120):
        while not true():  # noqa: ASYNC110 - counted by others
            await anyio.sleep(0.005)


PARTS: Mapping[str, Callable[[Postgres], Coroutine[Any, Any, Figures]]] = {
    "calls": calls,
    "told": told,
    "polite": polite,
}


def missed(figures: Figures) -> list[str]:
    """The goals that were missed. One second may hold the end of a turn that was taken before it."""
    goals = {"told after, s (max)": TOLD_WITHIN, "questions a second": MOST_A_SECOND, "asked twice at once": 0}
    return [name for name, most in goals.items() if figures.get(name, 0) > most]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    found: dict[str, Figures] = {}
    with postgres() as database:
        for part in arguments.parts or PARTS:
            found[part] = anyio.run(PARTS[part], database)
            for name, value in found[part].items():
                print(f"{part:8} {name:36} {value:>10}", flush=True)
    over = [f"{part}: {name}" for part, figures in found.items() for name in missed(figures)]
    print("missed: " + ", ".join(over) if over else "every goal was reached")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
