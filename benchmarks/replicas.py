"""Three replicas, one PostgreSQL, a real balancer, and clients that only want their videos, while servers die.

Run by hand: `python -m benchmarks.replicas --balancer nginx`, or `haproxy`; needs that program and the extra `dev`.
Replicas are killed or ended at random and started again, PostgreSQL is restarted once; then the API's own log is held
against the journal. Exits with 1 when a task was lost, charged twice, asked about by two at once, or told of too late.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ResourceUpdatedNotification

from benchmarks.composition import FakeApi, Replica, balancer, environ, fake_api, people
from tests.support.postgres import Postgres, postgres

PRINCIPALS = 10
URI = "veo://tasks"
TOLD_WITHIN = 2.0
BEAT_SECONDS = 0.25
SETTLE_SECONDS = 15.0
"""For what was told last to arrive here, also on a busy machine; how late it was is measured."""
QUIET_SECONDS = 240.0
"""A replica that dies holds its leases for 150 s, and what it was sending becomes unknown after 60 s."""


@dataclass
class Ear:
    """What one client that listens was told, and since when it has been connected.

    Attributes:
        spans: from agreeing to breaking off, by time.time().
        heard: when it was told that a task changed.
    """

    principal: str
    spans: list[list[float]] = field(default_factory=list[list[float]])
    heard: list[float] = field(default_factory=list[float])

    def late(self, changed_at: float) -> float | None:
        """Seconds until this change was told, or None where it was not connected all the time."""
        if not any(begin <= changed_at and changed_at + TOLD_WITHIN <= end for begin, end in self.spans):
            return None
        return min((moment - changed_at for moment in self.heard if moment >= changed_at - 0.05), default=float("inf"))


@dataclass
class Run:
    """One run and what came of it."""

    url: str
    tokens: dict[str, str]
    answered: dict[str, str] = field(default_factory=dict[str, str])
    retries: int = 0
    ears: list[Ear] = field(default_factory=list[Ear])
    stalls: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def stalled(self, begin: float) -> bool:
        """Whether this program stood still in the seconds in which a change was to be told."""
        return any(since < begin + TOLD_WITHIN and until > begin for since, until in self.stalls)

    @asynccontextmanager
    async def client(self, principal: str, era: str, handler: Any = None) -> AsyncGenerator[Client]:
        headers = {"Authorization": f"Bearer {self.tokens[principal]}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(60, read=300)) as http,
            Client(
                streamable_http_client(self.url + "/mcp", http_client=http), mode=era, message_handler=handler
            ) as client,
        ):
            yield client

    async def make(self, principal: str, era: str, prompts: list[str]) -> None:
        """Makes these videos; what fails is tried again blindly, as hosts do."""
        left = list(prompts)
        while left:
            try:
                async with self.client(principal, era) as client:
                    while left:
                        with anyio.fail_after(60):
                            answer = await client.call_tool("create_video", {"prompt": left[0]})
                        told: dict[str, Any] = answer.structured_content or {}
                        if answer.is_error or "task_id" not in told:
                            raise ConnectionError(str(answer.content))
                        self.answered[left.pop(0)] = str(told["task_id"])
            except Exception:
                self.retries += 1
                await anyio.sleep(0.5 + random.random())

    async def listen(self, ear: Ear, era: str) -> None:
        """Listens to this principal's tasks for as long as it takes, connecting again whenever it must."""
        self.ears.append(ear)

        async def hear(message: Any) -> None:
            if isinstance(message, ResourceUpdatedNotification) and str(message.params.uri) == URI:
                ear.heard.append(time.time())

        while True:
            span: list[float] = []
            try:
                async with self.client(ear.principal, era, hear if era == "legacy" else None) as client:
                    if era == "legacy":
                        await client.session.subscribe_resource(URI)  # pyright: ignore[reportDeprecated] - that era has nothing else
                        ear.spans.append(span := [time.time(), float("inf")])
                        while True:  # a session that is gone is found out by asking
                            await anyio.sleep(1)
                            await client.session.send_ping()
                            span[1:] = [float("inf")]
                    async with client.listen(resource_subscriptions=[URI]) as events:
                        ear.spans.append(span := [time.time(), float("inf")])
                        async for event in events:
                            if getattr(event, "uri", "") == URI:
                                ear.heard.append(time.time())
            except Exception:
                self.retries += 1
            finally:
                if span:
                    # When exactly it broke is not known here: the second before does not count.
                    span[1:] = [time.time() - 1.5]
            await anyio.sleep(0.2)


async def settled(database: Postgres, schema: str) -> None:
    """Returns when no task is under way, or when for QUIET_SECONDS none has come to its end."""
    unfinished = "SELECT count(*) FROM veo_entries WHERE status IN ('submitting', 'pending', 'processing')"
    least, since = sys.maxsize, time.monotonic()
    while least and time.monotonic() - since < QUIET_SECONDS:
        left = int(await database.run(unfinished, schema=schema))
        if left < least:
            least, since = left, time.monotonic()
        await anyio.sleep(1)


async def watch(stalls: list[tuple[float, float]]) -> None:
    """Notes when this program itself stood still, which makes everybody look late: from when, until when."""
    while True:
        before = time.time()
        await anyio.sleep(BEAT_SECONDS)
        if time.time() - before > 2 * BEAT_SECONDS:
            stalls.append((before, time.time()))


async def run(arguments: argparse.Namespace, folder: Path, database: Postgres) -> bool:
    tokens = people(folder, PRINCIPALS)
    names = list(tokens)
    schema = await database.new_schema()
    eras = ["2026-07-28"] if arguments.balancer == "nginx" else ["2026-07-28", "legacy"]
    chaos, began = Counter[str](), time.time()
    api, work, made_at = FakeApi(), Run("", tokens), began
    replicas: list[Replica] = []
    rows: list[dict[str, Any]] = []
    async with fake_api(api) as api_url, AsyncExitStack() as stack, anyio.create_task_group() as group:
        given = environ(folder, api_url, database.address(schema))
        replicas += [Replica(folder, number, given) for number in range(3)]
        async with anyio.create_task_group() as starting:
            for replica in replicas:
                starting.start_soon(replica.start)
        work.url = stack.enter_context(balancer(arguments.balancer, folder, [replica.port for replica in replicas]))
        group.start_soon(watch, work.stalls)
        for number in range(arguments.listeners):
            group.start_soon(work.listen, Ear(names[number % PRINCIPALS]), eras[number % len(eras)])

        async def disturb() -> None:
            restarted = False
            while True:
                await anyio.sleep(random.uniform(3, 9))
                replica, how = random.choice(replicas), random.choice([signal.SIGKILL, signal.SIGTERM])
                chaos[how.name] += 1
                await replica.end(how)
                if not restarted and len(work.answered) > arguments.tasks / 3:
                    restarted = True
                    chaos["PostgreSQL"] += 1
                    await anyio.to_thread.run_sync(database.stop)
                    await anyio.to_thread.run_sync(database.start)
                await replica.start()

        async with anyio.create_task_group() as busy, anyio.create_task_group() as disturbing:
            disturbing.start_soon(disturb)
            each = arguments.tasks // arguments.clients
            async with anyio.create_task_group() as clients:
                for number in range(arguments.clients):
                    prompts = [f"A boat, {number}, {video}" for video in range(each)]
                    clients.start_soon(work.make, names[number % PRINCIPALS], eras[number % len(eras)], prompts)
            made_at = time.time()
            disturbing.cancel_scope.cancel()
            busy.cancel_scope.cancel()
        for replica in replicas:  # whichever was just being started
            with suppress(Exception):
                await replica.end(signal.SIGTERM)
            await replica.start()
        await settled(database, schema)
        await anyio.sleep(SETTLE_SECONDS)
        for ear in work.ears:
            for span in ear.spans:
                span[1] = min(span[1], time.time())
        rows += json.loads(
            await database.run(
                "SELECT json_agg(json_build_object('id', id, 'prompt', prompt, 'status', status,"
                " 'principal', principal,"
                " 'upstream', upstream_id, 'updated', updated_at))::text FROM veo_entries",
                schema=schema,
            )
        )
        group.cancel_scope.cancel()
    with anyio.CancelScope(shield=True):
        for replica in replicas:
            await replica.end(signal.SIGTERM)
    exits = Counter(code for replica in replicas for code in replica.exits)
    return report(arguments, work, api, rows, chaos, exits, made_at - began, [replica.said() for replica in replicas])


def report(
    arguments: argparse.Namespace,
    work: Run,
    api: FakeApi,
    rows: list[dict[str, Any]],
    chaos: Counter[str],
    exits: Counter[int],
    seconds: float,
    logs: list[str],
) -> bool:
    linked = {row["upstream"] for row in rows}
    doubtful = {row["prompt"] for row in rows if row["status"] == "unknown"}
    charges = Counter(api.made.values())
    lost = [prompt for task_id, prompt in api.made.items() if task_id not in linked and prompt not in doubtful]
    lost += [prompt for prompt in work.answered if prompt not in {row["prompt"] for row in rows}]
    open_still = [row["id"] for row in rows if row["status"] in ("submitting", "pending", "processing")]
    twice = [prompt for prompt, times in charges.items() if times > 1]
    # The last change of a task is its end; a listener is told of each account's own.
    waits = sorted(
        (late, work.stalled(row["updated"]))
        for ear in work.ears
        for row in rows
        if row["principal"] == ear.principal and (late := ear.late(row["updated"])) is not None
    )
    too_late = [stalled for late, stalled in waits if late > TOLD_WITHIN]
    rate = max(Counter(int(moment) for moment in api.asked).values(), default=0)
    print(f"{arguments.balancer}: {arguments.clients} clients, {len(work.answered)} tasks answered in {seconds:.0f} s")
    print(f"  disturbances {dict(chaos)}; exits {dict(exits)}; calls made again {work.retries}")
    print(f"  states {dict(Counter(row['status'] for row in rows))}; API: {len(api.made)} charges")
    print(
        f"  lost {len(lost)}; charged twice {len(twice)}; unfinished {len(open_still)};"
        f" asked about by two at once {api.twice}"
    )
    print(f"  questions to the API: {len(api.asked)}, at most {rate} in a second")
    if waits:
        p50, p95, p99 = (waits[int(len(waits) * part)][0] for part in (0.5, 0.95, 0.99))
        print(
            f"  told: {len(waits)} changes × listeners, p50 {p50:.2f} s, p95 {p95:.2f} s, p99 {p99:.2f} s,"
            f" max {waits[-1][0]:.2f} s; later than {TOLD_WITHIN:g} s {len(too_late)},"
            f" {sum(too_late)} of them while this program itself stood still ({len(work.stalls)} times,"
            f" at most {max((until - since for since, until in work.stalls), default=0.0):.2f} s)"
        )
    tracebacks = sum(log.count("Traceback") for log in logs)
    print(f"  tracebacks {tracebacks}")
    return not (lost or twice or open_still or api.twice or not all(too_late) or tracebacks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--balancer", choices=["nginx", "haproxy"], default="nginx")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--listeners", type=int, default=100)
    parser.add_argument("--keep", type=Path, help="a folder for the logs of the replicas")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="veo-replicas-"))
    try:
        with postgres() as database:
            well = anyio.run(run, arguments, folder, database)
        if arguments.keep is not None:
            shutil.copytree(folder, arguments.keep, dirs_exist_ok=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())
