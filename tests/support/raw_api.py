"""A Veo API made of raw TCP, for the answers that no well-behaved server gives.

Used by the verdict tests. The balance is answered properly; all else goes to a script that may do anything at all.
"""

import json
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
import anyio.lowlevel
from anyio.abc import SocketAttribute, SocketStream

Script = Callable[[SocketStream], Awaitable[None]]
TASK_ID = "7d89c51e-0000-4000-8000-000000000001"


@dataclass
class RawApi:
    base_url: str
    posts: int = 0
    reads: int = 0
    bodies: list[bytes] = field(default_factory=list[bytes])
    heads: list[bytes] = field(default_factory=list[bytes])
    #: Closes the port: later connections are refused.
    go_away: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint


def answer(status: int, body: bytes | Mapping[str, object], *headers: str) -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(raw)}", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


def error(status: int, code: str, *headers: str) -> bytes:
    return answer(status, {"error": {"code": code, "message": "words of the API", "type": "t"}}, *headers)


def balance(consumed: int = 200) -> bytes:
    data: dict[str, object] = {"balance": 9800, "total_purchased": 10000, "total_consumed": consumed}
    return answer(200, {"code": 200, "msg": "success", "data": data})


def success(task_id: object = TASK_ID, code: int = 200) -> bytes:
    return answer(200, {"code": code, "msg": "success", "data": {"taskId": task_id}})


def says(data: bytes) -> Script:
    async def script(stream: SocketStream) -> None:
        await stream.send(data)

    return script


def says_in_turn(*answers: bytes) -> Script:
    left = list(answers)

    async def script(stream: SocketStream) -> None:
        await stream.send(left.pop(0) if len(left) > 1 else left[0])

    return script


async def resets(stream: SocketStream) -> None:
    raw = stream.extra(SocketAttribute.raw_socket)
    # A linger of zero seconds makes close() send RST instead of FIN.
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


async def hangs(stream: SocketStream) -> None:
    await anyio.sleep_forever()


def trickles(data: bytes) -> Script:
    async def script(stream: SocketStream) -> None:
        for number in range(len(data)):
            await stream.send(data[number : number + 1])
            await anyio.sleep(0.05)

    return script


@asynccontextmanager
async def raw_api(
    script: Script, *, before_body: bool = False, credits: Script | None = None
) -> AsyncGenerator[RawApi]:
    """Runs the API; `before_body` lets the script act as soon as the headers of a POST are there.

    `credits` answers what is asked about the balance, in place of a plain balance.
    """
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    api = RawApi(f"http://127.0.0.1:{port}", go_away=listener.aclose)

    async def serve(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += await stream.receive()
                    if head.startswith(b"\x16"):
                        return  # the hello of TLS, which is not spoken here
                head, _, body = head.partition(b"\r\n\r\n")
                api.heads.append(head)
                if head.startswith(b"GET /v1/credits"):
                    api.reads += 1
                    await (credits or says(balance()))(stream)
                    return
                api.posts += head.startswith(b"POST")
                length = sum(
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                while len(body) < length and not before_body:
                    body += await stream.receive()
                api.bodies.append(body)
                await script(stream)

    async def listen() -> None:
        try:
            await listener.serve(serve)
        except* anyio.ClosedResourceError:
            pass  # it went away

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listen)
        yield api
        group.cancel_scope.cancel()
