"""Three replicas, one PostgreSQL, a real balancer, and clients that only want their videos, while servers die.

Run by hand: `python -m benchmarks.replicas --balancer nginx`, or `haproxy`; needs that program and the extra `dev`.
Replicas are killed or ended at random and started again, PostgreSQL is restarted once; then the API's own log is held
against the journal. Exits with 1 when a task was lost, charged twice, asked about by two at once, or told of too late.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import Process
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ResourceUpdatedNotification
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.ports import free_port
from tests.support.postgres import Postgres, postgres
from veo_mcp.web.runner import serve_app

PRINCIPALS = 10
URI = "veo://tasks"
TOLD_WITHIN = 2.0
QUIET_SECONDS = 240.0
"""A replica that dies holds its leases for 150 s, and what it was sending becomes unknown after 60 s."""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn; user root;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream veo {{ {servers} }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 4m;
        location / {{
            proxy_pass http://veo;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""
HAPROXY = """
global
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend veo
    bind 127.0.0.1:{port}
    option forwardfor
    default_backend veo
backend veo
    balance roundrobin
    option httpchk GET /healthz
    http-check send hdr Host localhost
    option redispatch
    stick-table type string len 64 size 100k expire 30m
    stick store-response res.hdr(mcp-session-id)
    stick match req.hdr(mcp-session-id)
{servers}
"""


@dataclass
class FakeApi:
    """Finishes at once, and remembers every request.

    Attributes:
        made: API's task id → prompt, in the order of the charges.
        asked: when each question about a task came.
        twice: how often a task was asked about while another question about it was open.
    """

    made: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[float] = field(default_factory=list[float])
    open: Counter[str] = field(default_factory=Counter[str])
    twice: int = 0

    async def create(self, request: Request) -> Response:
        body = await request.json()
        task_id = f"task-{len(self.made):06d}-{random.randrange(16**8):08x}"
        self.made[task_id] = body["input"]["prompt"]
        return JSONResponse({"code": 200, "msg": "success", "data": {"taskId": task_id}})

    async def look(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        self.asked.append(time.time())
        self.open[task_id] += 1
        self.twice += self.open[task_id] > 1
        try:
            await anyio.sleep(0.02)
            done = {"id": task_id, "status": "failed", "created_at": int(time.time())}
            return JSONResponse(done)
        finally:
            self.open[task_id] -= 1

    async def credits(self, _request: Request) -> Response:
        data = {"balance": 10**8, "total_purchased": 10**8, "total_consumed": 40 * len(self.made)}
        return JSONResponse({"code": 200, "msg": "success", "data": data})

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/videos/generations", self.create, methods=["POST"]),
                Route("/v1/tasks/{task_id}", self.look),
                Route("/v1/credits", self.credits),
            ]
        )


class Replica:
    """One `veo-mcp serve`, started again each time it is gone."""

    def __init__(self, folder: Path, number: int, environ: dict[str, str]) -> None:
        self.port = free_port()
        self._log = folder / f"replica-{number}.log"
        self._environ = environ
        self._process: Process | None = None
        self.exits: list[int] = []

    async def start(self) -> None:
        command = [sys.executable, "-m", "veo_mcp", "serve", "--transport", "http", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = await anyio.open_process(command, env=self._environ, stdout=log, stderr=log)
        async with httpx2.AsyncClient() as http:
            with anyio.fail_after(120):
                while True:
                    with suppress(httpx2.TransportError):
                        if (await http.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                            return
                    await anyio.sleep(0.3)

    async def end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self.exits.append(await self._process.wait())

    def said(self) -> str:
        return self._log.read_text()


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
                        # The era that has this call is one of the two that are measured.
                        await client.session.subscribe_resource(URI)  # pyright: ignore[reportDeprecated]
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


@contextmanager
def balancer(kind: str, folder: Path, ports: list[int]) -> Generator[str]:
    port = free_port()
    if kind == "nginx":
        servers = " ".join(f"server 127.0.0.1:{number} fail_timeout=2s;" for number in ports)
        command = ["nginx", "-c", str(folder / "balancer")]
        text = NGINX
    else:
        servers = "\n".join(f"    server s{number} 127.0.0.1:{number} check inter 500ms" for number in ports)
        command = ["haproxy", "-db", "-f", str(folder / "balancer")]
        text = HAPROXY
    (folder / "balancer").write_text(text.format(folder=folder, port=port, servers=servers))
    subprocess.run([command[0], "-t" if kind == "nginx" else "-c", *command[1 if kind == "nginx" else 2 :]], check=True)  # noqa: S603 - the balancer named on the command line
    process = subprocess.Popen(command)  # noqa: S603 - as above
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def run(arguments: argparse.Namespace, folder: Path, database: Postgres) -> bool:
    api, api_port = FakeApi(), free_port()
    names = [f"person-{number}" for number in range(PRINCIPALS)]
    tokens = {name: f"veo_{name}-0123456789abcdef" for name in names}
    (folder / "tokens").write_text(
        "".join(f"{name}:sha256:{sha256(token.encode()).hexdigest()}\n" for name, token in tokens.items())
    )
    schema = await database.new_schema()
    environ = {
        **os.environ,
        "VEO_API_KEY": "sk-load",
        "VEO_BASE_URL": f"http://127.0.0.1:{api_port}",
        "VEO_JOURNAL": database.address(schema),
        "VEO_ACCESS_TOKENS": str(folder / "tokens"),
        "VEO_TRUSTED_PROXIES": "127.0.0.1",
        "VEO_RATE_LIMIT": "100000",
        "VEO_LOG_LEVEL": "WARNING",
    }
    replicas = [Replica(folder, number, environ) for number in range(3)]
    eras = ["2026-07-28"] if arguments.balancer == "nginx" else ["2026-07-28", "legacy"]
    chaos, began = Counter[str](), time.time()
    work, rows, made_at = Run("", tokens), list[dict[str, Any]](), began
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        ready = anyio.Event()

        async def serve() -> None:
            await serve_app(api.app, "127.0.0.1", api_port, ready=ready.set, connections=1000)

        group.start_soon(serve)
        await ready.wait()
        async with anyio.create_task_group() as starting:
            for replica in replicas:
                starting.start_soon(replica.start)
        work.url = stack.enter_context(balancer(arguments.balancer, folder, [replica.port for replica in replicas]))
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
        with anyio.move_on_after(QUIET_SECONDS + arguments.tasks / 4):
            unfinished = "SELECT count(*) FROM veo_entries WHERE status IN ('submitting', 'pending', 'processing')"
            while await database.run(unfinished, schema=schema):  # noqa: ASYNC110 - another process
                await anyio.sleep(1)
        await anyio.sleep(3)
        for ear in work.ears:
            for span in ear.spans:
                span[1] = min(span[1], time.time())
        rows = json.loads(
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
    waits = [
        late
        for ear in work.ears
        for row in rows
        if row["principal"] == ear.principal and (late := ear.late(row["updated"])) is not None
    ]
    too_late = sum(late > TOLD_WITHIN for late in waits)
    rate = max(Counter(int(moment) for moment in api.asked).values(), default=0)
    print(f"{arguments.balancer}: {arguments.clients} clients, {len(work.answered)} tasks answered in {seconds:.0f} s")
    print(f"  disturbances {dict(chaos)}; exits {dict(exits)}; calls made again {work.retries}")
    print(f"  states {dict(Counter(row['status'] for row in rows))}; API: {len(api.made)} charges")
    print(
        f"  lost {len(lost)}; charged twice {len(twice)}; unfinished {len(open_still)};"
        f" asked about by two at once {api.twice}"
    )
    print(f"  questions to the API: {len(api.asked)}, at most {rate} in a second")
    waits.sort()
    if waits:
        print(
            f"  told: {len(waits)} changes × listeners, median {waits[len(waits) // 2]:.2f} s, "
            f"99 % {waits[int(len(waits) * 0.99)]:.2f} s, later than {TOLD_WITHIN:g} s {too_late}"
        )
    tracebacks = sum(log.count("Traceback") for log in logs)
    print(f"  tracebacks {tracebacks}")
    return not (lost or twice or open_still or api.twice or too_late or tracebacks)


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
