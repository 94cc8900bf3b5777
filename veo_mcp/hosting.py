"""Runs the MCP face on a transport and owns the lifespan of everything behind it.

Called by the command line. Opens the backend while the first requests are already answered, runs the poller as long as
the server runs, and closes both. Only JSON-RPC reaches stdout: logs go to stderr.
"""

import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from mcp.server.mcpserver import MCPServer
from pydantic import SecretStr

from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.settings import REAL_API, Settings

if TYPE_CHECKING:  # see open_from
    from veo_mcp.tasks.engine import Engine

if TYPE_CHECKING:  # see open_from
    pass

__all__ = ["SandboxMissing", "backend_for", "open_from", "require_sandbox", "serve"]

log = logging.getLogger(__name__)

SANDBOX_KEY = "sk-sandbox"


class SandboxMissing(Exception):
    """The extra `sandbox` is not installed; the message names the command that installs it."""


def serve(settings: Settings) -> None:
    """Serves until the transport ends."""
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for noisy in ("httpx", "httpcore", "uvicorn", "uvicorn.error"):
        logging.getLogger(noisy).setLevel("WARNING")
    for problem in settings.problems:
        log.warning("%s", problem)
    if settings.transport != "stdio":
        raise SystemExit(f"--transport {settings.transport} is not built yet; use stdio.")
    backend, announcer = Backend(), Announcer()

    @asynccontextmanager
    async def lifespan(_server: MCPServer[None]) -> AsyncGenerator[None]:
        async with backend_for(settings, backend, announcer):
            yield

    server = build_server(
        backend,
        sandbox=settings.embedded,
        announcer=announcer,
        read_only=settings.read_only,
        lifespan=lifespan,
        log_level=settings.log_level,
    )
    anyio.run(server.run_stdio_async)


@asynccontextmanager
async def backend_for(settings: Settings, backend: Backend, announcer: Announcer) -> AsyncGenerator[None]:
    """Opens the engine in the background and fills `backend`; closes it on leaving."""
    async with anyio.create_task_group() as group:
        group.start_soon(_run, settings, backend, announcer)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


async def _run(settings: Settings, backend: Backend, announcer: Announcer) -> None:
    # A wrong key must not be worked around by quietly using something else: the tools say what to mend.
    if settings.problems:
        backend.failed(" ".join(settings.problems))
        return
    async with AsyncExitStack() as stack:
        try:
            engine = await stack.enter_async_context(open_from(settings))
        except Exception as error:  # whatever is wrong, the host must get a sentence instead of a dead server
            log.exception("The backend could not be opened.")
            backend.failed(f"veo-mcp could not start its work: {_sentence(error)}")
            return
        backend.opened(engine)
        async with anyio.create_task_group() as group:
            group.start_soon(announcer.follow, engine.journal)
            group.start_soon(engine.poller.run)


@asynccontextmanager
async def open_from(settings: Settings) -> AsyncGenerator["Engine"]:
    """The engine that these settings describe; the caller starts its poller. Raises JournalUnusable, SandboxMissing."""
    # Imported here: the HTTP library and the database wait until tools/list has been answered.
    from veo_mcp.journal.sqlite import SqliteJournal
    from veo_mcp.tasks.engine import open_engine

    if settings.embedded:
        require_sandbox()
    path = Path(settings.journal)
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(SqliteJournal(path))
        key = settings.api_key or SecretStr(SANDBOX_KEY)
        base_url = settings.base_url or REAL_API
        if settings.embedded:
            from veo_mcp.sandbox.embedded import embedded

            key = SecretStr(SANDBOX_KEY)
            base_url = await stack.enter_async_context(embedded(settings.sandbox_dir, settings.sandbox_seconds))
        yield await stack.enter_async_context(
            open_engine(journal, base_url=base_url, key=key, max_credits=settings.max_credits)
        )


def require_sandbox() -> None:
    """Raises SandboxMissing unless the libraries that draw and encode clips are installed."""
    missing = [name for name in ("av", "numpy", "PIL") if find_spec(name) is None]
    if missing:
        raise SandboxMissing(
            "The sandbox draws its clips with libraries that are not installed. Run: pip install 'veo-mcp[sandbox]'. "
            "Or set VEO_API_KEY to use the real API."
        )


def _sentence(error: BaseException) -> str:
    """The innermost error's words: task groups wrap what goes wrong inside them."""
    wrapped: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _sentence(wrapped[0]) if wrapped else str(error)
