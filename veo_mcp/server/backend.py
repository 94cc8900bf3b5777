"""The way from the MCP server to the engine behind it, which may still be opening, or may not open at all.

Filled by app.py, awaited by tools and resources. It exists so that `tools/list` is answered before the journal, the
HTTP library and the sandbox are there, and so that a wrong setting becomes a message in every tool's answer.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from veo_mcp.errors import Unavailable
from veo_mcp.supervisor import LoopHealth

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine

__all__ = ["Backend"]


class Backend:
    """A slot for the engine.

    Attributes:
        loops: returns the state of the long-running loops, which app.py's supervisor keeps.
        followers: what else runs as long as the engine is open, by name.
        observe: called for every request to the API; see Transport.
        wanted: set once a request has asked for the engine.
    """

    def __init__(self) -> None:
        self.loops: Callable[[], Sequence[LoopHealth]] = tuple
        self.followers: dict[str, Callable[[Engine], Awaitable[None]]] = {}
        self.observe: Callable[[str, str, float], None] = lambda operation, outcome, seconds: None
        self.wanted = anyio.Event()
        self._settled = anyio.Event()
        self._engine: Engine | None = None
        self._problem: str | None = None

    @property
    def engine_now(self) -> "Engine | None":
        """The engine if it is open now; never waits."""
        return self._engine

    @property
    def problem(self) -> str | None:
        """Why there is no engine now, or None."""
        return self._problem

    def opened(self, engine: "Engine") -> None:
        """Hands the engine to everyone who waits."""
        self._engine, self._problem = engine, None
        self._settled.set()

    def failed(self, problem: str) -> None:
        """Makes everyone who asks for the engine get this reason why there is none."""
        self._engine, self._problem = None, problem
        self._settled.set()

    async def engine(self) -> "Engine":
        """The engine, as soon as it is open. Raises Unavailable."""
        self.wanted.set()
        await self._settled.wait()
        if self._engine is None:
            raise Unavailable(self._problem or "The server is shutting down.")
        return self._engine
