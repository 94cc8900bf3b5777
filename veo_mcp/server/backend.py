"""The way from the MCP face to the engine behind it, which may still be opening, or may not open at all.

Filled by app.py, awaited by tools and resources. It exists so that `tools/list` is answered before the journal, the
HTTP library and the sandbox are there, and so that a wrong setting becomes a sentence in every tool's answer.
"""

from typing import TYPE_CHECKING

import anyio

from veo_mcp.errors import Unavailable

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine

__all__ = ["Backend"]


class Backend:
    """A slot for the engine."""

    def __init__(self) -> None:
        self._settled = anyio.Event()
        self._engine: Engine | None = None
        self._problem: str | None = None

    def opened(self, engine: "Engine") -> None:
        """Hands the engine to everyone who waits."""
        self._engine = engine
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
