"""Runs the MCP face on a transport and owns the lifespan of everything behind it.

Called by the command line. Opens the backend while the first requests are already answered, runs the poller as long as
the server runs, and closes both. Only JSON-RPC reaches stdout: logs go to stderr.
"""

import logging
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from pydantic import SecretStr

from veo_mcp.server.backend import Backend
from veo_mcp.server.build import VeoServer, build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.settings import REAL_API, Settings
from veo_mcp.web.runner import PortTaken

if TYPE_CHECKING:  # see open_from
    from veo_mcp.tasks.callbacks import Callbacks
    from veo_mcp.tasks.engine import Engine

__all__ = ["SandboxMissing", "backend_for", "open_from", "require_sandbox", "serve"]

log = logging.getLogger(__name__)

SANDBOX_KEY = "sk-sandbox"
LAST_SECONDS = 2.0
"""What hosts leave a server between asking it to end and killing it."""


class SandboxMissing(Exception):
    """The extra `sandbox` is not installed; the message names the command that installs it."""


def serve(settings: Settings) -> None:
    """Serves until the transport ends. Raises SystemExit where it must not run."""
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    for noisy in ("httpx", "httpcore", "uvicorn", "uvicorn.error"):
        logging.getLogger(noisy).setLevel("WARNING")
    for message in (*settings.problems, *settings.warnings):
        log.warning("%s", message)
    if settings.transport != "stdio":
        from veo_mcp.web.routes import NotLoopback, only_loopback

        try:
            only_loopback(settings.host)
        except NotLoopback as refusal:
            raise SystemExit(str(refusal)) from None
    try:
        anyio.run(_serve, settings)
    except* KeyboardInterrupt:
        raise SystemExit(130) from None
    except* PortTaken as taken:
        raise SystemExit(_innermost(taken)) from None


async def _serve(settings: Settings) -> None:
    backend, announcer = Backend(), Announcer()
    server = build_server(
        backend,
        sandbox=settings.embedded,
        announcer=announcer,
        read_only=settings.read_only,
        confirm_above=settings.confirm_above,
        video_hosts=settings.video_hosts,
        log_level=settings.log_level,
    )
    async with backend_for(settings, backend, announcer):
        if settings.transport == "stdio":
            await server.run_stdio_async()
        else:
            await _serve_http(settings, server, backend)


async def _serve_http(settings: Settings, server: VeoServer, backend: Backend) -> None:
    # Imported here: stdio needs none of it.
    from veo_mcp.web.routes import serve_http

    sse_only = settings.transport == "sse"

    def ready() -> None:
        log.info("Listening at http://%s:%d%s", settings.host, settings.port, "/sse" if sse_only else "/mcp and /sse")

    await serve_http(server, backend, host=settings.host, port=settings.port, sse_only=sse_only, ready=ready)


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
    # A wrong key must not be worked around by quietly using something else: the tools say what to fix.
    if settings.problems:
        backend.failed(" ".join(settings.problems))
        return
    async with AsyncExitStack() as stack:
        try:
            engine = await stack.enter_async_context(open_from(settings))
        except Exception as error:  # whatever is wrong, the host must get a sentence instead of a dead server
            log.exception("The backend could not be opened.")
            backend.failed(f"veo-mcp could not start its work: {_innermost(error)}")
            return
        async with anyio.create_task_group() as group:
            backend.opened(engine, _callbacks(engine))
            group.start_soon(announcer.follow, engine.journal)
            group.start_soon(engine.poller.run)
            group.start_soon(backend.callbacks.run)
            group.start_soon(_end_in_order, engine)


def _callbacks(engine: "Engine") -> "Callbacks":
    from veo_mcp.tasks.callbacks import Callbacks

    return Callbacks(engine.service)


async def _end_in_order(engine: "Engine") -> None:
    """On SIGTERM a create under way gets a moment to be recorded; what is not by then becomes `unknown` later."""
    if sys.platform == "win32":
        return
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for number in signals:
            with anyio.move_on_after(LAST_SECONDS):
                await engine.service.wait_idle()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


@asynccontextmanager
async def open_from(settings: Settings) -> AsyncGenerator["Engine"]:
    """The engine that these settings describe; the caller starts its poller. Raises JournalUnusable, SandboxMissing."""
    # Imported here: the HTTP library and the database wait until tools/list has been answered.
    from veo_mcp.journal.sqlite.store import SqliteJournal
    from veo_mcp.tasks.engine import open_engine

    if settings.embedded:
        require_sandbox()
    public_url = settings.public_url if settings.transport != "stdio" else None
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(SqliteJournal(Path(settings.journal)))
        key = settings.api_key or SecretStr(SANDBOX_KEY)
        base_url = settings.base_url or REAL_API
        if settings.embedded:
            from veo_mcp.sandbox.embedded import embedded

            key = SecretStr(SANDBOX_KEY)
            base_url = await stack.enter_async_context(
                embedded(settings.sandbox_dir, settings.sandbox_seconds, trusted_origin=public_url)
            )
        yield await stack.enter_async_context(
            open_engine(
                journal,
                base_url=base_url,
                key=key,
                public_url=public_url,
                max_credits=settings.max_credits,
            )
        )


def require_sandbox() -> None:
    """Raises SandboxMissing unless the libraries that draw and encode clips are installed."""
    if any(find_spec(name) is None for name in ("av", "numpy", "PIL")):
        raise SandboxMissing(
            "The sandbox draws its clips with libraries that are not installed. Run: pip install 'veo-mcp[sandbox]'. "
            "Or set VEO_API_KEY to use the real API."
        )


def _innermost(error: BaseException) -> str:
    """The innermost error's words: task groups wrap what goes wrong inside them."""
    wrapped: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _innermost(wrapped[0]) if wrapped else str(error)
