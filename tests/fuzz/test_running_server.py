"""Odd answers of the API, callbacks, lines and requests of clients, and rows of the journal, fed to a running server.

400 mutations in the suite; `VEO_MUTATIONS=10000 python -m pytest tests/fuzz` for a thorough run, `VEO_SEED=…` for other
ones. Whatever comes, the real child process stays alive, answers in time, and says neither a traceback nor a validation
library's words; and afterwards a plain call is answered as ever.
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import SocketStream

from tests.fuzz.mutations import Mutator
from tests.support.child import INITIALIZE, INITIALIZED, Child, call, http_child, stdio_child
from tests.support.raw_api import raw_api

pytestmark = pytest.mark.anyio

MUTATIONS = int(os.environ.get("VEO_MUTATIONS", "400"))
SEED = int(os.environ.get("VEO_SEED", "20261125"))
ANSWER_SECONDS = 30.0
FORBIDDEN = ("Traceback (", "pydantic", "validation error for", "[type=", "site-packages")
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "fuzz", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
URIS = ["veo://tasks", "veo://tasks/vid_x", "veo://models", "ui://veo/panel", "file:///etc/passwd"]
PAGE: dict[str, Any] = {"cursor": "x"}
REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("ping", {}),
    ("tools/list", PAGE),
    ("resources/list", PAGE),
    ("resources/templates/list", {}),
    ("prompts/list", {}),
    *(("resources/read", {"uri": uri}) for uri in URIS),
    ("resources/subscribe", {"uri": "veo://tasks"}),
    ("resources/unsubscribe", {"uri": "veo://tasks"}),
    ("prompts/get", {"name": "direct_video", "arguments": {"idea": "a sea", "style": "film"}}),
    (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "veo://tasks/{task_id}"}, "argument": {"name": "task_id", "value": ""}},
    ),
    (
        "tools/call",
        {
            "name": "create_video",
            "arguments": {"prompt": "a sea", "mode": "fast", "seeds": 12345, "image_urls": ["https://x.example/a.png"]},
        },
    ),
    ("tools/call", {"name": "extend_video", "arguments": {"task_id": "task-1", "prompt": "rain"}}),
    ("tools/call", {"name": "get_task", "arguments": {"task_id": "task-1", "wait_seconds": 0}}),
    ("tools/call", {"name": "list_tasks", "arguments": {"status": "pending", "limit": 5, "cursor": "x"}}),
    ("tools/call", {"name": "get_credits", "arguments": {}}),
    ("logging/setLevel", {"level": "debug"}),
    ("tasks/get", {"taskId": "vid_x"}),
    ("notifications/cancelled", {"requestId": 5, "reason": "x"}),
    ("notifications/progress", {"progressToken": 1, "progress": 1}),
    ("server/discover", {}),
]  # fmt: skip
ANSWERS: list[dict[str, Any]] = [
    {"code": 200, "msg": "success", "data": {"taskId": "task-1"}},
    {"code": 200, "msg": "success", "data": {"balance": 9800, "total_purchased": 10000, "total_consumed": 200}},
    {"id": "task-1", "status": "processing", "created_at": 1, "progress": 40},
    {
        "id": "task-1",
        "status": "completed",
        "created_at": "2026-11-25T10:00:00Z",
        "completed_at": "2026-11-25T10:01:00Z",
        "output": {"urls": ["https://file.aivideoapi.ai/x.mp4"], "resolution": "720p"},
    },
    {"id": "task-1", "status": "failed", "created_at": 1, "error": {"code": "x", "message": "words"}},
    {"error": {"code": "invalid_request", "message": "words", "type": "t"}},
]


def message(mutator: Mutator, *, modern: bool, number: int) -> dict[str, Any]:
    method, params = mutator.random.choice(REQUESTS)
    whole: dict[str, Any] = {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(params)}
    if modern:
        whole["params"]["_meta"] = META
    if method.startswith("notifications/"):
        del whole["id"]
    return whole


def clean(text: str) -> None:
    if "<!doctype html>" in text:
        return  # the card, whose script has every word there is
    for word in FORBIDDEN:
        assert word not in text, text[:2000]


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_lines_over_stdio(tmp_path: Path, era: str) -> None:
    mutator = Mutator(SEED)
    modern = era == "modern"
    async with stdio_child(tmp_path) as child:
        if modern:
            await child.send({"jsonrpc": "2.0", "id": "init", "method": "ping", "params": {"_meta": META}})
            await child.answer("init")
        else:
            await child.open()
        said = Counter[str]()
        over = anyio.Event()

        async def read() -> None:
            while True:
                line = await child.line()
                clean(json.dumps(line))
                if line.get("id") == "end":
                    over.set()
                    return
                said["error" if "error" in line else "other"] += 1

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            for number in range(MUTATIONS):
                raw = mutator.body(message(mutator, modern=modern, number=number))
                await child.send(raw.replace(b"\n", b" "))
            end = {"jsonrpc": "2.0", "id": "end", "method": "tools/list", "params": {"_meta": META} if modern else {}}
            await child.send(end)
            with anyio.fail_after(ANSWER_SECONDS + MUTATIONS / 20):
                await over.wait()
        assert said["error"]
        assert child.process.returncode is None
        clean(child.err)


@dataclass
class EntryPoint:
    """One HTTP entry point in one era, to which any bytes can be posted as a message."""

    url: str
    headers: dict[str, str]
    modern: bool
    statuses: Counter[int] = field(default_factory=Counter[int])

    async def post(self, http: httpx2.AsyncClient, body: bytes) -> None:
        with anyio.fail_after(ANSWER_SECONDS):
            async with http.stream("POST", self.url, headers=self.headers, content=body) as answer:
                self.statuses[answer.status_code] += 1
                text = ""
                # A stream that only listens has no end of its own.
                with anyio.move_on_after(5):
                    async for chunk in answer.aiter_text():
                        text += chunk
                clean(text)


@asynccontextmanager
async def entry_point(child: Child, path: str, era: str, http: httpx2.AsyncClient) -> AsyncGenerator[EntryPoint]:
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    if path == "/mcp" and era == "modern":
        yield EntryPoint(child.url + path, {**headers, "MCP-Protocol-Version": "2026-07-28"}, modern=True)
    elif path == "/mcp":
        opened = await http.post(child.url + path, headers=headers, json=INITIALIZE)
        assert opened.status_code == 200, opened.text
        headers["mcp-session-id"] = opened.headers["mcp-session-id"]
        await http.post(child.url + path, headers=headers, json=INITIALIZED)
        yield EntryPoint(child.url + path, headers, modern=False)
    else:
        async with http.stream("GET", child.url + "/sse") as stream, anyio.create_task_group() as group:
            lines = stream.aiter_lines()
            endpoint = ""
            async for line in lines:
                if line.startswith("data: "):
                    endpoint = line.removeprefix("data: ")
                    break

            async def listen() -> None:
                async for line in lines:
                    clean(line)

            group.start_soon(listen)
            if era == "legacy":
                await http.post(child.url + endpoint, headers=headers, json=INITIALIZE)
                await http.post(child.url + endpoint, headers=headers, json=INITIALIZED)
            yield EntryPoint(child.url + endpoint, headers, modern=era == "modern")
            group.cancel_scope.cancel()


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("path", ["/mcp", "/sse"])
async def test_messages_over_http(tmp_path: Path, path: str, era: str) -> None:
    mutator = Mutator(SEED + 1)
    async with (
        http_child(tmp_path) as child,
        httpx2.AsyncClient(timeout=ANSWER_SECONDS) as http,
        entry_point(child, path, era, http) as opened,
    ):
        await in_parallel(
            MUTATIONS,
            lambda number: opened.post(http, mutator.body(message(mutator, modern=opened.modern, number=number + 10))),
        )
        # A message may have been one that ends the session: which is what it then did.
        await still_serves(child)
        assert opened.statuses[400]


async def in_parallel(count: int, work: Callable[[int], Awaitable[None]], *, at_once: int = 8) -> None:
    """Does the work so many times, a few at once."""
    numbers = iter(range(count))

    async def some() -> None:
        for number in numbers:
            await work(number)

    async with anyio.create_task_group() as group:
        for _ in range(at_once):
            group.start_soon(some)


async def still_serves(child: Child) -> None:
    """A plain client that comes now is served, and the log is clean."""
    assert child.process.returncode is None
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    async with httpx2.AsyncClient(timeout=ANSWER_SECONDS) as http:
        headers["mcp-session-id"] = (await http.post(child.url + "/mcp", headers=headers, json=INITIALIZE)).headers[
            "mcp-session-id"
        ]
        await http.post(child.url + "/mcp", headers=headers, json=INITIALIZED)
        listed = await http.post(child.url + "/mcp", headers=headers, json=call(1, "list_tasks"))
        assert '"isError":false' in listed.text, child.err
    clean(child.err)


async def test_answers_of_the_api_callbacks_and_rows(tmp_path: Path) -> None:
    """All three at once, because a callback and a row lead to reads of the API."""
    mutator = Mutator(SEED + 2)
    answered = 0

    async def script(stream: SocketStream) -> None:
        nonlocal answered
        answered += 1
        with suppress(OSError):
            await stream.send(mutator.reply(mutator.random.choice(ANSWERS)))

    async with (
        raw_api(script, credits=script) as api,
        http_child(tmp_path, api.base_url, VEO_PUBLIC_URL="http://127.0.0.1:9") as child,
        httpx2.AsyncClient(timeout=60) as http,
    ):
        tokens = [await token(tmp_path, entry) for entry in seeded(tmp_path, api.base_url)]
        async with entry_point(child, "/mcp", "legacy", http) as face:

            async def one(number: int) -> None:
                match number % 4:
                    case 0:
                        callback = f"{child.url}/callbacks/{mutator.random.choice(tokens)}"
                        body = mutator.body(mutator.random.choice(ANSWERS))
                        assert (await http.post(callback, content=body)).status_code in (204, 413)
                    case 1:
                        odd_row(tmp_path, mutator)
                    case _:
                        asked = mutator.random.choice(
                            [
                                call(number + 10, "get_credits"),
                                call(number + 10, "get_task", task_id=f"task-{number}"),
                                call(number + 10, "list_tasks", limit=50),
                                call(number + 10, "create_video", prompt=f"boat {number}"),
                            ]
                        )
                        await face.post(http, json.dumps(asked).encode())

            await in_parallel(MUTATIONS, one)
            await still_serves(child)
            assert answered > MUTATIONS / 10


def seeded(folder: Path, api: str) -> list[str]:
    """Puts some tasks into the journal of the running server, and gives their ids."""
    names = [f"vid_{number}" for number in range(12)]
    with closing(sqlite3.connect(folder / "journal.db", isolation_level=None, timeout=30)) as db:
        for number, name in enumerate(names):
            fields: dict[str, Any] = {
                "id": name, "api": api, "principal": "", "kind": "create", "fingerprint": name, "body": "{}",
                "prompt": "x", "model": "veo-3", "credits": 40, "estimated": 0, "upstream_id": f"up-{number}",
                "status": "pending", "video_urls": "[]", "charged": "yes", "created_at": 1.8e9, "updated_at": 1.8e9,
                "next_poll_at": 0.0, "polls": 0, "revision": 0, "created_seq": 0,
            }  # fmt: skip
            there = {row[1] for row in db.execute("PRAGMA table_info(entries)")}
            fields = {name: value for name, value in fields.items() if name in there}
            marks = ", ".join("?" * len(fields))
            db.execute(f"INSERT INTO entries ({', '.join(fields)}) VALUES ({marks})", list(fields.values()))  # noqa: S608
    return names


async def token(folder: Path, entry_id: str) -> str:
    from veo_mcp.journal.sqlite.store import SqliteJournal
    from veo_mcp.tasks.callbacks import CallbackUrls

    async with SqliteJournal(folder / "journal.db") as journal:
        return await CallbackUrls(journal, public_url=None, new_id=lambda: "x").token(entry_id)


def odd_row(folder: Path, mutator: Mutator) -> None:
    columns = ["status", "upstream_status", "progress", "video_urls", "error_message", "charged", "retry_after", "body",
               "created_at", "completed_at", "next_poll_at", "credits", "kind", "mode", "prompt", "polls"]  # fmt: skip
    column = mutator.random.choice(columns)
    change = f"UPDATE entries SET {column} = ?, next_poll_at = 0 WHERE id = ?"  # noqa: S608
    # What the table itself refuses is no row that anybody could meet.
    with (
        closing(sqlite3.connect(folder / "journal.db", isolation_level=None, timeout=30)) as db,
        suppress(sqlite3.Error, OverflowError),
    ):
        db.execute(change, (mutator.row(column), f"vid_{mutator.random.randrange(12)}"))
