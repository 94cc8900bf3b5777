"""A hosted server under steady work for a while: what it holds must not grow.

Run by hand: `python -m benchmarks.soak MINUTES [--json]`; needs the extra `dev`. One server on a PostgreSQL and a fake
API; people of both eras make tasks, look, listen, go away without a word, and come with wrong tokens. Exits with 1 when
memory grows by 5 % or more in the second half, or descriptors or connections are more in its end than in its middle.
"""

import argparse
import json
import random
import shutil
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.composition import FakeApi, Replica, environ, fake_api, people
from tests.support.postgres import Postgres, postgres

PEOPLE = 10
LISTENERS = 6
SAMPLE_SECONDS = 5.0
PAUSE_SECONDS = 1.5
"""Between two visits of one person; ten of them make about six calls a second."""
GROWTH = 0.05
SLACK = 4
"""Descriptors or connections more or less that one visit makes."""
ERAS = ("2026-07-28", "legacy")


@dataclass(frozen=True)
class Sample:
    """What the server held at one moment.

    Attributes:
        at: minutes since the beginning.
        memory: resident, in MB.
        descriptors: open files, sockets and pipes.
        connections: to PostgreSQL.
        tasks: in the journal.
    """

    at: float
    memory: float
    descriptors: int
    connections: int
    tasks: int


@dataclass
class Work:
    """The people, and what they did."""

    url: str
    tokens: dict[str, str]
    calls: int = 0
    failures: int = 0

    @asynccontextmanager
    async def client(self, name: str, era: str) -> AsyncGenerator[Client]:
        headers = {"Authorization": f"Bearer {self.tokens[name]}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.url + "/mcp", http_client=http), mode=era) as client,
        ):
            yield client

    async def visit(self, name: str, number: int) -> None:
        """One visit of many: a new video, a look at it, a page of the list, and a question about none."""
        async with self.client(name, ERAS[number % 2]) as client:
            made = await client.call_tool("create_video", {"prompt": f"A boat, {name}, {number}"})
            told: dict[str, Any] = made.structured_content or {}
            await client.call_tool("get_task", {"task_id": told.get("task_id", "none")})
            await client.call_tool("get_task", {"task_id": "nobody's"})
            await client.call_tool("list_tasks", {})
            await client.call_tool("get_credits", {})
            await client.read_resource("veo://tasks")
            self.calls += 6

    async def person(self, name: str) -> None:
        """Comes again and again."""
        number = 0
        while True:
            number += 1
            try:
                with anyio.fail_after(60):
                    await self.visit(name, number)
            except Exception:
                self.failures += 1
            await anyio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))

    async def listener(self, name: str, era: str) -> None:
        """Listens for a while, goes away without a word, and comes again."""
        while True:
            with suppress(Exception), anyio.move_on_after(random.uniform(5, 40)):
                async with self.client(name, era) as client:
                    if era == "legacy":
                        await client.session.subscribe_resource("veo://tasks")  # pyright: ignore[reportDeprecated] - that era has nothing else
                        await anyio.sleep_forever()
                    async with client.listen(resource_subscriptions=["veo://tasks"]) as events:
                        async for _event in events:
                            pass

    async def stranger(self) -> None:
        """Has no token, or a wrong one, and sends what no client sends."""
        async with httpx2.AsyncClient(timeout=30) as http:
            while True:
                for headers in ({}, {"Authorization": "Bearer veo_nobody-0123456789"}, {"Host": "evil.example"}):
                    with suppress(httpx2.TransportError):
                        await http.post(self.url + "/mcp", headers=headers, content=b"{")
                        await http.post(self.url + "/callbacks/x.y", json={})
                await anyio.sleep(1)


async def soak(minutes: float, folder: Path, database: Postgres) -> tuple[list[Sample], Work]:
    """Runs it; what was sampled, and what was done."""
    tokens = people(folder, PEOPLE)
    schema = await database.new_schema()
    samples: list[Sample] = []
    work, servers = Work("", tokens), list[Replica]()
    async with fake_api(FakeApi()) as api, anyio.create_task_group() as group:
        server = Replica(folder, 0, environ(folder, api, database.address(schema)))
        servers.append(server)
        await server.start()
        work.url = f"http://127.0.0.1:{server.port}"
        for name in tokens:
            group.start_soon(work.person, name)
        for number, name in enumerate(list(tokens)[:LISTENERS]):
            group.start_soon(work.listener, name, ERAS[number % 2])
        group.start_soon(work.stranger)
        began = time.monotonic()
        while (passed := (time.monotonic() - began) / 60) < minutes:
            await anyio.sleep(SAMPLE_SECONDS)
            samples.append(await sample(server.pid, passed, database, schema))
        group.cancel_scope.cancel()
    with anyio.CancelScope(shield=True):
        for server in servers:
            await server.end(signal.SIGTERM)
    return samples, work


async def sample(pid: int, at: float, database: Postgres, schema: str) -> Sample:
    """What the process holds now."""
    status = Path(f"/proc/{pid}/status").read_text()  # noqa: ASYNC240 - no disk is behind it
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'veo-mcp'"
    return Sample(
        at=round(at, 2),
        memory=round(resident / 1024, 1),
        descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),  # noqa: ASYNC240 - as above
        connections=int(await database.run(connections)),
        tasks=int(await database.run("SELECT count(*) FROM veo_entries", schema=schema)),
    )


def middle_and_end(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the tenth after the middle and of the last tenth."""
    tenth, half = max(len(values) // 10, 1), len(values) // 2
    return statistics.median(values[half : half + tenth]), statistics.median(values[-tenth:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float, nargs="?", default=20.0)
    parser.add_argument("--json", action="store_true", help="every sample, instead of the table")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="veo-soak-"))
    try:
        with postgres() as database:
            samples, work = anyio.run(soak, arguments.minutes, folder, database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    well = True
    figures: dict[str, tuple[float, float]] = {}
    for name in ("memory", "descriptors", "connections"):
        middle, end = figures[name] = middle_and_end([getattr(one, name) for one in samples])
        well = well and (end < middle * (1 + GROWTH) if name == "memory" else end <= middle + SLACK)
    if arguments.json:
        print(json.dumps({"figures": figures, "calls": work.calls, "samples": [asdict(one) for one in samples]}))
        return 0 if well else 1
    print(f"{arguments.minutes:g} min: {work.calls} calls, {samples[-1].tasks} tasks, {work.failures} visits failed")
    print(f"{'':12} {'middle':>8} {'end':>8} {'growth':>8}")
    for name, (middle, end) in figures.items():
        print(f"{name:12} {middle:8.1f} {end:8.1f} {100 * (end - middle) / middle:7.1f} %")
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
