"""A TCP proxy in front of the sandbox that misbehaves on purpose, request by request, as real networks and gateways do.

Used by the fault and crash tests, and by anyone who wants to see how a client takes it. Reads pass through untouched;
what befalls a create is decided by a function that is handed in, so that a seed makes a run repeatable.
"""

import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from enum import StrEnum

import anyio
from anyio.abc import SocketAttribute, SocketStream

__all__ = ["Fault", "faulty"]


class Fault(StrEnum):
    """What befalls one create. The word in brackets says whether the sandbox sees, and charges, it."""

    NONE = "none"  # (charged)
    HANG = "hang"  # (charged) the answer never comes
    RESET_BEFORE = "reset_before"  # (not) the connection is reset before anything is passed on
    RESET_AFTER = "reset_after"  # (charged) passed on, then reset instead of answered
    TRUNCATE = "truncate"  # (charged) half of the answer
    GARBAGE = "garbage"  # (charged) bytes that are no HTTP
    INTERNAL_ERROR = "500"  # (charged) the documented 500
    UPSTREAM_ERROR = "503"  # (not) the documented 503, refunded
    RATE_LIMIT = "429"  # (not) the documented 429


_ANSWERED = {
    Fault.INTERNAL_ERROR: (500, "internal_error", "api_error"),
    Fault.UPSTREAM_ERROR: (503, "upstream_error", "upstream_error"),
    Fault.RATE_LIMIT: (429, "rate_limit_exceeded", "rate_limit_error"),
}
_UNSEEN = frozenset({Fault.RESET_BEFORE, Fault.UPSTREAM_ERROR, Fault.RATE_LIMIT})


@asynccontextmanager
async def faulty(port: int, decide: Callable[[bytes], Fault]) -> AsyncGenerator[str]:
    """The URL of a proxy to the sandbox at `port`; `decide` is handed the body of each create."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    own = listener.extra(SocketAttribute.local_port)

    async def serve(client: SocketStream) -> None:
        async with client:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                await _one_request(client, port, decide)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{own}"
        group.cancel_scope.cancel()


async def _one_request(client: SocketStream, port: int, decide: Callable[[bytes], Fault]) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += await client.receive()
    head, _, body = head.partition(b"\r\n\r\n")
    wanted = sum(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < wanted:
        body += await client.receive()
    fault = decide(body) if head.startswith(b"POST /v1/videos/generations") else Fault.NONE
    answer = b"" if fault in _UNSEEN else await _passed_on(head + b"\r\n\r\n" + body, port)
    match fault:
        case Fault.NONE:
            await client.send(answer)
        case Fault.HANG:
            await anyio.sleep_forever()
        case Fault.RESET_BEFORE | Fault.RESET_AFTER:
            # A linger of zero seconds makes close() send RST instead of FIN.
            raw = client.extra(SocketAttribute.raw_socket)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        case Fault.TRUNCATE:
            await client.send(answer[: len(answer) - 12])
        case Fault.GARBAGE:
            await client.send(b"\x00\x17garbage\xff\r\n\r\n")
        case _:
            status, code, kind = _ANSWERED[fault]
            text = f'{{"error":{{"code":"{code}","message":"on purpose","type":"{kind}"}}}}'.encode()
            start = f"HTTP/1.1 {status} Fault\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
            await client.send(start.encode() + text)


async def _passed_on(request: bytes, port: int) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    # Asked to close, the sandbox ends its answer by closing, and nothing here needs to understand HTTP further.
    # It answers under its own name only, so the Host is not the proxy's.
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"host:"))]
    lines += [b"Host: 127.0.0.1:%d" % port]
    answer = b""
    async with await anyio.connect_tcp("127.0.0.1", port) as upstream:
        await upstream.send(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
        with suppress(anyio.EndOfStream):
            while True:
                answer += await upstream.receive()
    return answer
