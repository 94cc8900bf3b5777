"""A network between a server and its PostgreSQL: it can fall silent, cut a commit's answer off, or pool connections.

Listens on a loopback port and leads to another one. `transaction_pooler` does what PgBouncer's mode "transaction"
does: connections to PostgreSQL are lent to whoever has a transaction, and nothing of a session lasts.
"""

import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream

__all__ = ["Relay", "relay", "transaction_pooler"]

IDLE = b"Z\0\0\0\x05I"
COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


@dataclass
class Relay:
    """Where it listens, and how it behaves.

    Attributes:
        host: "127.0.0.1:port".
        cut: at the next COMMIT: lose it, or let it through and lose its answer; then nothing.
        commits_cut: how many were.
    """

    host: str
    cut: Literal["nothing", "commit", "answer"] = "nothing"
    commits_cut: int = 0
    _lines: list["_Line"] = field(default_factory=list["_Line"])

    def fall_silent(self) -> None:
        """The connections that are open now carry nothing any more, and neither side is notified. New ones work."""
        for line in self._lines:
            line.silent = True

    def add(self, line: "_Line") -> None:
        """One more connection."""
        self._lines.append(line)


@dataclass
class _Line:
    """One connection, both ways.

    Attributes:
        end: breaks it.
        silent: whether it carries nothing any more.
        doomed: whether it breaks with the next answer.
    """

    end: Callable[[], None]
    silent: bool = False
    doomed: bool = False


@asynccontextmanager
async def relay(port: int) -> AsyncGenerator[Relay]:
    """Leads to this port while it is open."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        state = Relay(f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}")

        async def serve(client: SocketStream) -> None:
            async with client:
                try:
                    server = await anyio.connect_tcp("127.0.0.1", port)
                except OSError:
                    return
                async with server, anyio.create_task_group() as both:
                    line = _Line(both.cancel_scope.cancel)
                    state.add(line)
                    both.start_soon(_carry, state, line, client, server)
                    both.start_soon(_carry_back, line, server, client)

        group.start_soon(listener.serve, serve)
        yield state
        group.cancel_scope.cancel()


async def _carry(state: Relay, line: _Line, client: ByteStream, server: ByteStream) -> None:
    try:
        while True:
            data = await client.receive()
            if line.silent:
                await anyio.sleep_forever()
            if COMMIT in data and state.cut != "nothing":
                cut, state.cut = state.cut, "nothing"
                state.commits_cut += 1
                if cut == "commit":
                    break
                line.doomed = True
            await server.send(data)
    except GONE:
        pass
    line.end()


async def _carry_back(line: _Line, server: ByteStream, client: ByteStream) -> None:
    try:
        while True:
            data = await server.receive()
            if line.silent:
                await anyio.sleep_forever()
            if line.doomed:
                break
            await client.send(data)
    except GONE:
        pass
    line.end()


class _Messages:
    """Whole messages of PostgreSQL's protocol out of a stream."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffer = b""

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += await self._stream.receive()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def startup(self) -> bytes:
        """The message that begins a connection, which has no letter."""
        head = await self.exactly(4)
        return head + await self.exactly(struct.unpack("!I", head)[0] - 4)

    async def next(self) -> bytes:
        head = await self.exactly(5)
        return head + await self.exactly(struct.unpack("!I", head[1:])[0] - 4)


class _Lent:
    """A connection to PostgreSQL that is lent out."""

    def __init__(self, stream: ByteStream) -> None:
        self.stream = stream
        self.messages = _Messages(stream)
        self.greeting = b""


@asynccontextmanager
async def transaction_pooler(port: int, size: int = 3) -> AsyncGenerator[str]:
    """ "127.0.0.1:port" of a pooler with so many connections to PostgreSQL, each for whoever asks next."""
    free: list[_Lent] = []
    borrowed: dict[ByteStream, _Lent] = {}
    slots = anyio.Semaphore(size)

    async def connected(startup: bytes) -> _Lent:
        if free:
            # The one that was not used for longest: two statements in a row seldom meet the same.
            return free.pop(0)
        lent = _Lent(await anyio.connect_tcp("127.0.0.1", port))
        await lent.stream.send(startup)
        while not lent.greeting.endswith(IDLE):
            lent.greeting += await lent.messages.next()
        return lent

    async def answer(lent: _Lent, client: ByteStream) -> None:
        """Carries answers to the client until its transaction has ended."""
        while True:
            message = await lent.messages.next()
            if message[:1] == b"A":
                continue  # a notification: there is no session that it could be for
            if message == IDLE:
                free.append(lent)
                slots.release()
                # After it is free: the client goes on at once.
                borrowed.pop(client)
            await client.send(message)
            if message == IDLE:
                return

    async def serve(client: SocketStream) -> None:
        with suppress(*GONE):
            async with client, anyio.create_task_group() as answers:
                try:
                    messages = _Messages(client)
                    startup = await messages.startup()
                    await slots.acquire()
                    first = await connected(startup)
                    free.append(first)
                    slots.release()
                    await client.send(first.greeting)
                    while (message := await messages.next())[:1] != b"X":
                        if client not in borrowed:
                            await slots.acquire()
                            borrowed[client] = await connected(startup)
                            answers.start_soon(answer, borrowed[client], client)
                        await borrowed[client].stream.send(message)
                finally:
                    answers.cancel_scope.cancel()
                    if client in borrowed:
                        slots.release()
                        await borrowed.pop(client).stream.aclose()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield f"127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        group.cancel_scope.cancel()
        for lent in free:
            with anyio.CancelScope(shield=True):
                await lent.stream.aclose()
