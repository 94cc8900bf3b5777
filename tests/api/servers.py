"""What the tests of the API's edge share: calls, and a server that sends exactly the given bytes, plain or over TLS.

Never holds a test.
"""

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSStream
from pydantic import SecretStr

from veo_mcp.api.client import VeoClient
from veo_mcp.api.models import CreateInput, ExtendInput, GenerationRequest
from veo_mcp.errors import ApiError

KEY = "sk-canary-5ecret-0123456789"
CREATE = GenerationRequest(model="veo-3", input=CreateInput(prompt="a boat"))
NOTHING: dict[str, str] = {}

Say = Callable[[str], bytes]


def extend(parent: str) -> GenerationRequest:
    return GenerationRequest(model="veo-3-extend", input=ExtendInput(prompt="on", extend_task_id=parent))


async def at_once(_seconds: float) -> None:
    await anyio.lowlevel.checkpoint()


def client(
    base_url: str,
    *,
    key: str = KEY,
    environ: dict[str, str] | None = None,
    seconds: float = 5,
    sleep: Callable[[float], Awaitable[None]] = at_once,
) -> VeoClient:
    """A client whose gaps between tries pass at once, and which sees no variables but those given."""
    environ = NOTHING if environ is None else environ
    return VeoClient(base_url, SecretStr(key), sleep=sleep, create_seconds=seconds, environ=environ)


async def failure(call: Awaitable[object]) -> ApiError:
    """The error that the call ends in."""
    try:
        value = await call
    except ApiError as error:
        return error
    raise AssertionError(f"no error, but {value!r}")


@dataclass
class Server:
    port: int
    scheme: str
    requests: list[str] = field(default_factory=list[str])

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}"


@asynccontextmanager
async def serving(
    say: Say | bytes, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncGenerator[Server]:
    """A server that answers each request, whose head `say` is handed, with those bytes, and closes."""
    listener = await anyio.create_tcp_listener(local_host=host)
    server = Server(listener.extra(SocketAttribute.local_port), "https" if tls else "http")

    async def serve(stream: ByteStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                if tls is not None:
                    stream = await TLSStream.wrap(stream, ssl_context=tls, server_side=True, standard_compatible=False)
                head = await _request(stream)
                server.requests.append(head)
                await stream.send(say(head) if callable(say) else say)
                if tls is not None:
                    await stream.aclose()

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield server
        group.cancel_scope.cancel()


async def _request(stream: ByteStream) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive()
    head, _, body = head.partition(b"\r\n\r\n")
    length = sum(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += await stream.receive()
    return head.decode("latin-1")
