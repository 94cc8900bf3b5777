"""A Veo API that delays its answers to creates, counts what it charged, and knows `parent-…` as completed videos.

Used by the tests of repeated calls: a host gives up before the answer comes, and calls again.
"""

import json
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketAttribute, SocketStream

from tests.support.raw_api import answer, balance, error, success

__all__ = ["LateApi", "late_api"]


@dataclass
class LateApi:
    """The settings of the API, and what it recorded.

    Attributes:
        late: seconds before it answers a create.
        paid: how often each request was charged, by its input as JSON.
        hold: creates are answered only once this is set; None: after `late`.
        status: the status of the tasks that it created.
        asked: the ids of tasks that were asked about.
        keys: the key that came with each read (its task id) and each create ("create"), in order.
        ledger: the ledger id that it names in its header, as a sandbox does, or None.
        busy: the ids whose reads are answered with 429.
    """

    base_url: str
    late: float
    paid: Counter[str] = field(default_factory=Counter[str])
    hold: anyio.Event | None = None
    arrived: anyio.Event = field(default_factory=anyio.Event)
    status: str = "processing"
    asked: list[str] = field(default_factory=list[str])
    keys: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    ledger: str | None = None
    busy: set[str] = field(default_factory=set[str])

    def task(self, task_id: str) -> bytes:
        """The answer about a task."""
        self.asked.append(task_id)
        if task_id in self.busy:
            return error(429, "rate_limited", "Retry-After: 60")
        shape: dict[str, object] = {"id": task_id, "status": self.status, "created_at": 1774790227}
        if self.status == "failed":
            shape["error"] = {"code": "x", "message": "on purpose"}
        if task_id.startswith("parent-"):
            urls = [f"https://file.example/{task_id}.mp4"]
            shape |= {"status": "completed", "completed_at": 1774790327, "output": {"urls": urls}}
        elif not task_id.startswith("task-"):
            return error(404, "task_not_found")
        return self.signed(answer(200, shape))

    def signed(self, reply: bytes) -> bytes:
        """An answer with the name of the sandbox that it says it is."""
        line, rest = reply.split(b"\r\n", 1)
        named = f"\r\nX-Veo-Sandbox: {self.ledger}\r\n".encode() if self.ledger else b"\r\n"
        return line + named + rest


@asynccontextmanager
async def late_api(late: float = 0.0) -> AsyncGenerator[LateApi]:
    """Runs it."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", backlog=2000)
    api = LateApi(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}", late)

    async def serve(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                await _one_request(api, stream)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield api
        group.cancel_scope.cancel()


async def _one_request(api: LateApi, stream: SocketStream) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive()
    head, _, body = head.partition(b"\r\n\r\n")
    path = head.split(b" ")[1].decode()
    lines = [line.decode() for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:")]
    created = head.startswith(b"POST")
    if created or path != "/v1/credits":
        named = "create" if created else path.rsplit("/", 1)[1]
        api.keys += [(named, line.split(" ")[-1]) for line in lines]
    if not head.startswith(b"POST"):
        await stream.send(api.signed(balance()) if path == "/v1/credits" else api.task(path.rsplit("/", 1)[1]))
        return
    length = sum(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += await stream.receive()
    api.paid[json.dumps(json.loads(body)["input"], sort_keys=True)] += 1
    number = api.paid.total()
    api.arrived.set()
    if api.hold is not None:
        await api.hold.wait()
    await anyio.sleep(api.late)
    await stream.send(api.signed(success(f"task-{number}")))
