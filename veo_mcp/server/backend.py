"""The way from the MCP face to the engine behind it, which may still be opening, or may not open at all.

Filled by app.py, awaited by tools and resources. It exists so that `tools/list` is answered before the journal, the
HTTP library and the sandbox are there, and so that a wrong setting becomes a sentence in every tool's answer.
"""

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.callbacks import Callbacks
    from veo_mcp.tasks.engine import Engine

__all__ = ["Backend", "Unavailable"]


class Unavailable(Exception):
    """The engine did not open; the message says what to fix."""


class Backend:
    """A slot for the engine."""

    def __init__(self) -> None:
        self._settled = anyio.Event()
        self._engine: Engine | None = None
        self._callbacks: Callbacks | None = None
        self._problem: str | None = None

    @property
    def callbacks(self) -> "Callbacks":
        """The receiver of callbacks. Raises Unavailable before the engine is open."""
        if self._callbacks is None:
            raise Unavailable("Callbacks are not received yet.")
        return self._callbacks

    def opened(self, engine: "Engine", callbacks: "Callbacks | None" = None) -> None:
        """Hands the engine, and the receiver of callbacks, to everyone who waits."""
        self._engine = engine
        self._callbacks = callbacks
        self._settled.set()

    def failed(self, problem: str) -> None:
        """Tells everyone who waits that there will be no engine, and why."""
        self._problem = problem
        self._settled.set()

    async def engine(self) -> "Engine":
        """The engine, as soon as it is open. Raises Unavailable."""
        await self._settled.wait()
        if self._engine is None:
            raise Unavailable(self._problem or "The server is shutting down.")
        return self._engine
