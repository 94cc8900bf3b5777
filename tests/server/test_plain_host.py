"""A host with nothing but tools: it cuts every call, asks nobody, reads no resource, and sees only a result's text.

Written by hand over a child's stdin and stdout, so that every message it sends is counted here and none is a library's.
In the suite it cuts at 6 s; `VEO_HOST_CUT=60` runs the length of real hosts (about 5 min).
"""

import json
import os
import re
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

pytestmark = pytest.mark.anyio

CUT = int(os.environ.get("VEO_HOST_CUT", "6"))
WAIT = min(CUT - 2, 50)
GENERATION = max(CUT + 2, CUT * 7 // 6)
ME = {"name": "plain-host", "version": "1"}
LEGACY, MODERN = "2025-11-25", "2026-07-28"


class PlainHost:
    """Calls tools one after another, gives each `CUT` seconds, and hands on the text alone."""

    def __init__(self, process: Process, era: str) -> None:
        assert process.stdin
        assert process.stdout
        self._into = process.stdin
        self._lines = BufferedByteReceiveStream(process.stdout)
        self._era = era
        self.sent: list[str] = []
        self.longest = 0.0

    async def greet(self) -> None:
        """The legacy era's handshake, which declares that this host can do nothing; the modern era has none."""
        if self._era == LEGACY:
            hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": ME}
            assert (await self._ask("initialize", hello))["protocolVersion"] == LEGACY
            await self._send({"method": "notifications/initialized"})

    async def tools(self) -> list[str]:
        return [tool["name"] for tool in (await self._ask("tools/list", {}))["tools"]]

    async def call(self, tool: str, **arguments: object) -> str:
        """The words that a model in this host reads."""
        began = time.monotonic()
        with anyio.fail_after(CUT):
            result = await self._ask("tools/call", {"name": tool, "arguments": arguments})
        self.longest = max(self.longest, time.monotonic() - began)
        words = " ".join(block["text"] for block in result["content"] if block["type"] == "text")
        assert not result.get("isError"), words
        return words

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if self._era == MODERN:
            about = {"protocolVersion": MODERN, "clientInfo": ME, "clientCapabilities": {}}
            params = {**params, "_meta": {f"io.modelcontextprotocol/{name}": about[name] for name in about}}
        number = len(self.sent)
        await self._send({"id": number, "method": method, "params": params})
        while True:
            message = json.loads(await self._lines.receive_until(b"\n", 1 << 20))
            assert "error" not in message, message
            assert not ("id" in message and "method" in message), f"asked by the server: {message}"
            if message.get("id") == number:
                return message["result"]

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message["method"])
        await self._into.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


@asynccontextmanager
async def plain_host(folder: Path, era: str) -> AsyncGenerator[PlainHost]:
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VEO_")},
        "VEO_JOURNAL": str(folder / "journal.db"),
        "VEO_SANDBOX_DIR": str(folder / "sandbox"),
        "VEO_SANDBOX_SECONDS": str(GENERATION),
    }
    command = [sys.executable, "-m", "veo_mcp", "serve", "--sandbox"]
    async with await anyio.open_process(command, env=env, stderr=DEVNULL) as process:
        host = PlainHost(process, era)
        await host.greet()
        yield host
        assert process.stdin
        await process.stdin.aclose()
        with anyio.fail_after(20):
            assert await process.wait() == 0


def found(pattern: str, words: str) -> str:
    match = re.search(pattern, words)
    assert match, f"{pattern!r} is not in: {words}"
    return match[1]


async def watched(host: PlainHost, words: str) -> tuple[str, str]:
    """Follows what the text says until the video is there; returns its URL and the id that goes on from it."""
    waits = 0
    while "get_task" in words:
        task_id = found(r"Veo video (\S+) is", words)
        words = await host.call("get_task", task_id=task_id, wait_seconds=WAIT)
        waits += 1
    assert waits > 1, "one wait was enough: nothing was shown about hosts that cut"
    return found(r"(https?://\S+\.mp4)", words), found(r"extend_video, task_id=(\S+?)\.", words)


async def main_job(folder: Path, era: str) -> None:
    async with plain_host(folder, era) as host:
        assert "create_video" in await host.tools()
        before = int(found(r"(\d+) sandbox credits", await host.call("get_credits")))
        made = await host.call("create_video", prompt="a boat on a calm sea")
        assert "Charged 40 sandbox credits." in made
        first, task_id = await watched(host, made)
        more = await host.call("extend_video", task_id=task_id, prompt="night falls")
        second, _ = await watched(host, more)
        async with httpx2.AsyncClient() as person:
            for url in (first, second):
                assert (await person.get(url)).content[4:8] == b"ftyp"
        listed = await host.call("list_tasks", limit=1)
        assert " completed, " in listed
        assert "sandbox credits" in listed
        assert second in listed
        assert first in await host.call("list_tasks", limit=1, cursor=found(r"cursor=(\S+)", listed))
        after = int(found(r"(\d+) sandbox credits", await host.call("get_credits")))
        assert before - after == 80
        assert host.longest < CUT
        assert set(host.sent) - {"initialize", "notifications/initialized"} == {"tools/list", "tools/call"}


async def test_a_host_that_cuts_calls_and_cannot_ask_does_the_main_job_in_both_eras(tmp_path: Path) -> None:
    # Side by side, because nearly all of it is waiting.
    async with anyio.create_task_group() as group:
        for era in (LEGACY, MODERN):
            group.start_soon(main_job, tmp_path / era, era)
