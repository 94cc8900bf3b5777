"""A forward proxy on loopback, as companies have them: CONNECT for https, whole URLs for http, a password if wanted.

Used by the tests of networks. It resolves every name to this machine, so that a test can call `api.example` through it;
`seen` holds the first lines of what it was asked, `passed` what went through its tunnels.
"""

import base64
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketAttribute, SocketStream

__all__ = ["ForwardProxy", "forward_proxy"]

BROKEN = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


@dataclass
class ForwardProxy:
    host: str
    password: str | None
    refuse: int | None
    seen: list[str] = field(default_factory=list[str])
    passed: bytearray = field(default_factory=bytearray)

    @property
    def url(self) -> str:
        """Its URL, with the password if it wants one."""
        return f"http://{f'me:{self.password}@' if self.password else ''}{self.host}"


@asynccontextmanager
async def forward_proxy(*, password: str | None = None, refuse: int | None = None) -> AsyncGenerator[ForwardProxy]:
    """A proxy; with `refuse` it answers every request with that status."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    proxy = ForwardProxy(f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}", password, refuse)

    async def serve(client: SocketStream) -> None:
        async with client:
            with suppress(*BROKEN):
                await _one(client, proxy)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield proxy
        group.cancel_scope.cancel()


async def _one(client: SocketStream, proxy: ForwardProxy) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += await client.receive()
    head, _, rest = head.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    proxy.seen.append(lines[0])
    method, target, _ = lines[0].split(" ")
    if proxy.refuse is not None:
        await client.send(f"HTTP/1.1 {proxy.refuse} No\r\nContent-Length: 0\r\n\r\n".encode())
        return
    if proxy.password is not None:
        wanted = "Basic " + base64.b64encode(f"me:{proxy.password}".encode()).decode()
        if f"proxy-authorization: {wanted}".lower() not in (line.lower() for line in lines):
            await client.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
    if method == "CONNECT":
        port = int(target.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as upstream:
            await client.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _both_ways(client, upstream, proxy)
        return
    address, _, path = target.removeprefix("http://").partition("/")
    kept = [line for line in lines[1:] if not line.lower().startswith("proxy-")]
    async with await anyio.connect_tcp("127.0.0.1", int(address.rpartition(":")[2])) as upstream:
        await upstream.send("\r\n".join([f"{method} /{path} HTTP/1.1", *kept]).encode() + b"\r\n\r\n" + rest)
        await _both_ways(client, upstream, proxy)


async def _both_ways(client: SocketStream, upstream: SocketStream, proxy: ForwardProxy) -> None:
    async with anyio.create_task_group() as group:

        async def pump(source: SocketStream, target: SocketStream) -> None:
            with suppress(*BROKEN):
                while True:
                    data = await source.receive()
                    proxy.passed += data
                    await target.send(data)
            group.cancel_scope.cancel()

        group.start_soon(pump, client, upstream)
        group.start_soon(pump, upstream, client)
