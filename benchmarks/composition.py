"""What a hosted server consists of, as plain processes: replicas, a balancer in front of them, and an API behind them.

Used by replicas.py, hosting.py and soak.py. The API is a fake that remembers every request; the balancers are the real
programs, with the settings of docs/hosting.md but for TLS.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import anyio
import httpx2
from anyio.abc import Process
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.ports import free_port
from veo_mcp.web.runner import serve_app

__all__ = ["FakeApi", "Replica", "balancer", "environ", "fake_api", "people"]

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


START_SECONDS = 600.0
"""Half a second on a quiet machine."""


@dataclass
class FakeApi:
    """Finishes at once, and remembers every request.

    Attributes:
        made: API's task id → prompt, in the order of the charges.
        status: what it says of every task.
        asked: when each question about a task came.
        twice: how often a task was asked about while whoever had asked before still waited for the answer.
    """

    status: str = "failed"
    made: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[float] = field(default_factory=list[float])
    open: dict[str, list[Request]] = field(default_factory=dict[str, list[Request]])
    twice: int = 0

    async def create(self, request: Request) -> Response:
        body = await request.json()
        task_id = f"task-{len(self.made):06d}-{random.randrange(16**8):08x}"
        self.made[task_id] = body["input"]["prompt"]
        return JSONResponse({"code": 200, "msg": "success", "data": {"taskId": task_id}})

    async def look(self, request: Request) -> Response:
        task_id = request.path_params["task_id"]
        self.asked.append(time.time())
        here = self.open.setdefault(task_id, [])
        # A server that was ended, or that gave up while this program stood still, asks no more.
        waiting = [not await other.is_disconnected() for other in here]
        self.twice += any(waiting)
        here.append(request)
        try:
            await anyio.sleep(0.02)
            done = {"id": task_id, "status": self.status, "created_at": int(time.time())}
            return JSONResponse(done)
        finally:
            here.remove(request)

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
            with anyio.fail_after(START_SECONDS):
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

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        if self._process is None:
            raise RuntimeError("It was never started.")
        return self._process.pid

    def said(self) -> str:
        return self._log.read_text()


def people(folder: Path, number: int) -> dict[str, str]:
    """So many principals and their tokens; a file in the folder lets them in."""
    tokens = {name: f"veo_{name}-0123456789abcdef" for name in (f"person-{which}" for which in range(number))}
    lines = (f"{name}:sha256:{sha256(token.encode()).hexdigest()}\n" for name, token in tokens.items())
    (folder / "tokens").write_text("".join(lines))
    return tokens


def environ(folder: Path, api: str, journal: str) -> dict[str, str]:
    """The settings of every replica."""
    return {
        **os.environ,
        "VEO_API_KEY": "sk-load",
        "VEO_BASE_URL": api,
        "VEO_JOURNAL": journal,
        "VEO_ACCESS_TOKENS": str(folder / "tokens"),
        "VEO_TRUSTED_PROXIES": "127.0.0.1",
        "VEO_RATE_LIMIT": "100000",
        "VEO_LOG_LEVEL": "WARNING",
    }


@asynccontextmanager
async def fake_api(api: FakeApi) -> AsyncGenerator[str]:
    """Serves it; its URL."""
    port, ready = free_port(), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: serve_app(api.app, "127.0.0.1", port, ready=ready.set, connections=1000))
        await ready.wait()
        yield f"http://127.0.0.1:{port}"
        group.cancel_scope.cancel()


@contextmanager
def balancer(kind: str, folder: Path, ports: Sequence[int]) -> Generator[str]:
    port = free_port()
    if kind == "nginx":
        servers = " ".join(f"server 127.0.0.1:{number} max_fails=0;" for number in ports)
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
