"""The server on stdin and stdout.

Called by app.py. The SDK's own transport reads in a thread that nothing can interrupt, drops lines that it cannot parse
silently, and does not notice a client that has closed stdout; so this one is ours, as its documentation allows.
Only JSON-RPC is written to stdout: while it is served, whatever else the process prints goes to stderr.
"""

import logging
import os
import select
import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.mcpserver import MCPServer
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCResponse
from pydantic_core import PydanticSerializationError

from veo_mcp.server.json_rpc import LIMIT, BadFrame, parse
from veo_mcp.server.sdk_compat import lowlevel
from veo_mcp.server.shutdown import Shutdown

__all__ = ["encoded", "serve_stdio"]

log = logging.getLogger(__name__)

CHUNK = 1 << 16
LAST_SECONDS = 1.0
TOO_LONG = BadFrame.because(f"The line is longer than {LIMIT} bytes.")
BOM = b"\xef\xbb\xbf"


async def serve_stdio(server: MCPServer[Any], shutdown: Shutdown) -> None:
    """Serves until the client closes stdin or stdout, or the server is asked to end; what was begun is answered."""
    with _claimed() as (source, sink):
        inbox, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        write, outbox = anyio.create_memory_object_stream[SessionMessage](0)
        over = anyio.Event()
        lines = _Lines(inbox, write.clone())
        async with anyio.create_task_group() as group:
            async with BlockingPortal() as portal:
                # A daemon: a read that waits for a client that never writes again must not hold up the end.
                pump = partial(_pump, source, sink, partial(portal.call, lines.take), partial(portal.call, over.set))
                threading.Thread(target=pump, name="stdin", daemon=True).start()
                group.start_soon(_write, sink, outbox, over)
                group.start_soon(_run, server, read, write)
                group.start_soon(_end_with, shutdown, over)
                await over.wait()
                shutdown.begin()
                await shutdown.finish()
                await portal.stop(cancel_remaining=True)
            # The server sees the end of its input and closes its output, so the last answers are written first; but a
            # client that does not read them is not waited for.
            group.cancel_scope.deadline = anyio.current_time() + LAST_SECONDS
            lines.close()


async def _run(
    server: MCPServer[Any], read: MemoryObjectReceiveStream[Any], write: MemoryObjectSendStream[Any]
) -> None:
    low = lowlevel(server)
    await low.run(read, write, low.create_initialization_options())


async def _end_with(shutdown: Shutdown, over: anyio.Event) -> None:
    await shutdown.wait()
    over.set()


class _Lines:
    """Cuts what comes over stdin into messages; each line that is not one is answered and noted.

    Args:
        inbox: where messages go.
        outbox: where answers to what is no message go.
    """

    def __init__(
        self, inbox: MemoryObjectSendStream[SessionMessage | Exception], outbox: MemoryObjectSendStream[SessionMessage]
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._rest = bytearray()
        self._too_long = False
        self._first = True

    def close(self) -> None:
        """Ends what the server reads."""
        self._inbox.close()
        self._outbox.close()

    async def take(self, chunk: bytes) -> None:
        """Passes on every line that ends in `chunk`; an empty one ends the last line."""
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            self._add(chunk[begin:end])
            await self._line()
            begin = end + 1
        self._add(chunk[begin:])
        if not chunk:
            await self._line()

    def _add(self, part: bytes) -> None:
        if not self._too_long:
            self._rest += part
            self._too_long = len(self._rest) > LIMIT
        if self._too_long:
            # Kept is nothing of it, so an endless line costs no memory.
            self._rest.clear()

    async def _line(self) -> None:
        line, too_long = bytes(self._rest).strip(), self._too_long
        self._rest.clear()
        self._too_long = False
        if self._first and line.startswith(BOM):
            line = line.removeprefix(BOM)
        if not line and not too_long:
            return
        self._first = False
        message = TOO_LONG if too_long else parse(line)
        with suppress(anyio.BrokenResourceError):  # the server is gone, and nothing can answer
            if isinstance(message, BadFrame):
                log.warning("A line on stdin was answered with an error: %s", message.why)
                await self._outbox.send(SessionMessage(message.answer))
            else:
                await self._inbox.send(SessionMessage(message))


async def _write(sink: int, outbox: MemoryObjectReceiveStream[SessionMessage], over: anyio.Event) -> None:
    async with outbox:
        async for item in outbox:
            try:
                # Abandoned when cancelled: a client that does not read must not hold up the end.
                await anyio.to_thread.run_sync(_write_all, sink, encoded(item.message), abandon_on_cancel=True)
            except OSError as error:
                log.info("The client has closed stdout: %s.", error.strerror)
                break
    over.set()


def encoded(message: JSONRPCMessage) -> bytes:
    """One line. What cannot be encoded, such as half a character out of an answer of the API, is an error instead."""
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except (PydanticSerializationError, UnicodeEncodeError):
        log.error("A message to the client could not be encoded.")
    if not isinstance(message, JSONRPCResponse):
        return b""
    error = ErrorData(code=INTERNAL_ERROR, message="The answer has text that cannot be sent. The log has the details.")
    answer = JSONRPCError(jsonrpc="2.0", id=message.id, error=error)
    return answer.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"


def _write_all(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


def _pump(source: int, sink: int, take: Callable[[bytes], object], over: Callable[[], object]) -> None:
    """Runs in a thread: hands on what can be read, until the client closes stdin, or stdout, which poll alone tells."""
    with suppress(RuntimeError, CancelledError):  # the server has ended meanwhile
        try:
            while _readable(source, sink):
                chunk = os.read(source, CHUNK)
                take(chunk)
                if not chunk:
                    break
        except OSError as error:
            log.info("stdin cannot be read any more: %s.", error.strerror)
        over()


def _readable(source: int, sink: int) -> bool:
    """Waits until `source` can be read; False once nobody reads `sink`. Without poll, reading itself waits."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(sink, 0)
    ready = dict(poll.poll())
    return not ready.get(sink, 0) & (select.POLLERR | select.POLLHUP)


@contextmanager
def _claimed() -> Generator[tuple[int, int]]:
    """stdin and stdout as descriptors for the protocol alone: prints and children of this process get others."""
    source, sink, errors = _copy(0), _copy(1), _copy(2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(errors, 1)
    os.close(nothing)
    os.close(errors)
    try:
        yield source, sink
    finally:
        os.dup2(source, 0)
        os.dup2(sink, 1)


def _copy(standard: int) -> int:
    try:
        return os.dup(standard)
    except OSError:  # closed by the parent process
        return os.open(os.devnull, os.O_RDWR)
