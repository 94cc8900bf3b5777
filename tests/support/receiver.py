"""A receiver of callbacks on loopback, which can also serve one file.

Used by the tests of the sandbox: it answers as scripted, and keeps what was posted.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketAttribute, SocketStream

__all__ = ["Receiver", "receiver"]


@dataclass
class Receiver:
    """An address for callbacks, and every body that was posted to it."""

    url: str
    bodies: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    news: anyio.Event = field(default_factory=anyio.Event)

    async def wait_for(self, number: int) -> None:
        """Returns once that many callbacks have arrived."""
        with anyio.fail_after(20):
            while len(self.bodies) < number:
                await self.news.wait()
                self.news = anyio.Event()


@asynccontextmanager
async def receiver(*statuses: str, content: bytes = b"") -> AsyncGenerator[Receiver]:
    """Answers with these statuses in turn, the last one indefinitely; a GET gets `content`."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    endpoint = Receiver(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/callback")
    left = list(statuses)

    async def serve(stream: SocketStream) -> None:
        async with stream:
            data = await stream.receive()
            while data.startswith(b"POST") and not data.rstrip().endswith(b"}"):
                data += await stream.receive()
            status = left.pop(0) if len(left) > 1 else left[0]
            await stream.send(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n".encode("latin-1") + content
            )
            if data.startswith(b"POST"):
                endpoint.bodies.append(json.loads(data.partition(b"\r\n\r\n")[2]))
                endpoint.news.set()

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield endpoint
        group.cancel_scope.cancel()
