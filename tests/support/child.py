"""The real program as a child process whose every byte a test can see: raw lines over stdio, or a port over HTTP.

Used where the SDK's own client would hide what happens: signals, broken lines, half requests, the log. `Child.err` is
everything it has logged so far. Whoever starts one ends it, by its id.
"""

import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.support.ports import free_port

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": "init",
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def call(request_id: int | str, tool: str, **arguments: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}


@dataclass
class Child:
    process: Process
    folder: Path
    url: str = ""
    _out: BufferedByteReceiveStream | None = field(default=None)

    @property
    def err(self) -> str:
        return (self.folder / "stderr").read_text()

    async def send(self, *messages: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in messages]
        await self.process.stdin.send(b"".join(line + b"\n" for line in lines))

    async def line(self) -> dict[str, Any]:
        """The next message over stdout."""
        assert self.process.stdout is not None
        self._out = self._out or BufferedByteReceiveStream(self.process.stdout)
        with anyio.fail_after(60):
            return json.loads(await self._out.receive_until(b"\n", 1 << 24))

    async def answer(self, request_id: int | str | None) -> dict[str, Any]:
        """The answer to this request; what comes before it is dropped."""
        while True:
            line = await self.line()
            if "id" in line and "method" not in line and line["id"] == request_id:
                return line

    async def open(self) -> None:
        """Shakes hands, as a host of the earlier era does."""
        await self.send(INITIALIZE, INITIALIZED)
        await self.answer("init")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, within: float) -> tuple[int, float]:
        """What it exits with, and after how long."""
        began = time.monotonic()
        with anyio.fail_after(within):
            status = await self.process.wait()
        return status, time.monotonic() - began


def settings(folder: Path, api: str | None, **more: str) -> dict[str, str]:
    env = {
        **os.environ,
        "VEO_JOURNAL": str(folder / "journal.db"),
        "VEO_SANDBOX_DIR": str(folder / "sandbox"),
        "VEO_SANDBOX_SECONDS": "0",
        **more,
    }
    return env if api is None else {**env, "VEO_API_KEY": "sk-x", "VEO_BASE_URL": api}


@asynccontextmanager
async def stdio_child(
    folder: Path, api: str | None = None, *, around: Sequence[str] = (), **more: str
) -> AsyncGenerator[Child]:
    """`veo-mcp` over stdio; `around` is a command that starts it."""
    command = [*around, sys.executable, "-m", "veo_mcp"]
    with (folder / "stderr").open("wb") as stderr:
        process = await anyio.open_process(command, env=settings(folder, api, **more), stderr=stderr)
    try:
        yield Child(process, folder)
    finally:
        await _end(process)


@asynccontextmanager
async def http_child(
    folder: Path,
    api: str | None = None,
    *,
    transport: str = "http",
    around: Sequence[str] = (),
    **more: str,
) -> AsyncGenerator[Child]:
    """`veo-mcp serve` over HTTP, as soon as it answers and its backend is open."""
    port = free_port()
    command = [*around, sys.executable, "-m", "veo_mcp", "serve", "--transport", transport, "--port", str(port)]
    with (folder / "stderr").open("wb") as stderr:
        process = await anyio.open_process(
            command, env=settings(folder, api, **more), stdin=-3, stdout=-3, stderr=stderr
        )
    child = Child(process, folder, f"http://127.0.0.1:{port}")
    try:
        async with httpx2.AsyncClient() as http:
            with anyio.fail_after(60):
                while not await _ready(http, child.url):
                    # Another server may have been given the same port in between, and would answer instead.
                    assert process.returncode is None, child.err
                    await anyio.sleep(0.1)
        yield child
    finally:
        await _end(process)


async def _ready(http: httpx2.AsyncClient, url: str) -> bool:
    with suppress(httpx2.TransportError):
        answer = await http.get(url + "/readyz")
        # A key that is refused, or an API that is away, is no reason to wait on.
        return '"status"' in answer.text and "starting" not in answer.text
    return False


async def _end(process: Process) -> None:
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        await process.aclose()
