"""Reads the body of a request: all of it, within a time and a size, and never too many large ones at once.

Used by middleware.py and by the callbacks' route. What is read here is handed on as one piece, so nobody behind this
meets a client that hangs up in the middle.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from starlette.types import Message, Receive

__all__ = ["Bodies", "BodyRefused", "HungUp", "declared_length", "replayed"]

LARGE = 256 * 1024
LARGE_AT_ONCE = 4
"""Bodies over 256 KiB that are held at once: with what parsing makes of them, each may take 30 MB."""


class BodyRefused(Exception):
    """The body is not taken.

    Attributes:
        status: the HTTP status.
        words: why, for the client.
    """

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class HungUp(Exception):
    """The client left before its request was complete."""


class Bodies:
    """The bodies that one server holds."""

    def __init__(self, *, large_at_once: int = LARGE_AT_ONCE) -> None:
        self._large = anyio.Semaphore(large_at_once)

    @asynccontextmanager
    async def read(
        self, receive: Receive, headers: Iterable[tuple[bytes, bytes]], *, limit: int, seconds: float
    ) -> AsyncGenerator[bytes]:
        """The whole body, as long as the block runs. Raises BodyRefused and HungUp."""
        declared = declared_length(headers)
        if declared is not None and declared > limit:
            raise BodyRefused(413, f"The body is longer than {limit} bytes.")
        async with AsyncExitStack() as held:
            body, large = bytearray(), False
            try:
                with anyio.fail_after(seconds):
                    more = True
                    while more:
                        message = await receive()
                        if message["type"] != "http.request":
                            raise HungUp
                        body += message.get("body", b"")
                        more = message.get("more_body", False)
                        if len(body) > limit:
                            raise BodyRefused(413, f"The body is longer than {limit} bytes.")
                        if len(body) > LARGE and not large:
                            large = True
                            await held.enter_async_context(self._large)
            except TimeoutError:
                raise BodyRefused(408, f"The body did not come within {seconds:g} s.") from None
            yield bytes(body)


def declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """What the Content-Length header says, if there is one."""
    value = next((value for name, value in headers if name == b"content-length"), b"")
    return int(value) if value.isdigit() else None


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives this body and then whatever comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
