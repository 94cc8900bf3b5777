"""Runs the MCP server on a transport and owns the lifespan of everything behind it.

Called by the command line. Opens the backend while the first requests are already answered, keeps its loops running,
and on a signal ends it all in order: no new calls, answers to what was begun, leases given back. Only JSON-RPC reaches
stdout: logs go to stderr.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from pydantic import SecretStr

from veo_mcp import bucket, logs
from veo_mcp.errors import JournalUnusable, NotLoopback, PortTaken, SandboxMissing, VeoMcpError, WrongSetting
from veo_mcp.setting_values import PostgresAddress
from veo_mcp.settings import REAL_API, SANDBOX_KEY, Settings
from veo_mcp.supervisor import Supervisor

if TYPE_CHECKING:  # see open_from; the MCP SDK costs a second, which commands that need only the engine do not wait
    from veo_mcp.journal.audit import CreditMovement
    from veo_mcp.journal.journal import Journal
    from veo_mcp.server.backend import Backend
    from veo_mcp.server.build import VeoServer
    from veo_mcp.server.notifications import Announcer
    from veo_mcp.server.shutdown import Shutdown
    from veo_mcp.tasks.engine import Engine
    from veo_mcp.web.metrics import Metrics

__all__ = ["backend_for", "open_from", "require_sandbox", "serve"]

log = logging.getLogger(__name__)

CLOSING_SECONDS = 3.0
"""For closing files and connections once every answer is out; what then still runs, such as a clip being drawn, is not
waited for: it is drawn again."""
RELEASE_SECONDS = 1.0
UNWANTED_SECONDS = 1.0
"""Over stdio the engine is opened when a call needs it, or after this long: what it imports keeps the event loop busy
for 0.4 s, in which no host would get its tools/list."""


def serve(settings: Settings) -> None:
    """Serves until the transport ends or a signal comes. Raises SystemExit."""
    signals = _signals()
    for number in signals:
        # Until the event loop listens. As the first process of a container there is no default to rely on.
        signal.signal(number, _exit_at_once)
    logs.set_up(settings.log_level, settings.log_format)
    for message in settings.warnings:
        log.warning("%s", message)
    if settings.problems and settings.transport != "stdio":
        # The operator of an HTTP server reads its terminal or log. Over stdio no one does: there every tool says it.
        raise SystemExit("\n".join((*settings.problems, "The server was not started.")))
    for message in settings.problems:
        log.warning("%s", message)
    if settings.transport != "stdio":
        from veo_mcp.web.access import closed_to_others

        try:
            closed_to_others(settings)
        except NotLoopback as refusal:
            raise SystemExit(str(refusal)) from None
    status = 0
    try:
        status = anyio.run(_serve, settings, signals)
    except* KeyboardInterrupt:
        raise SystemExit(130) from None
    except* (PortTaken, WrongSetting) as taken:
        raise SystemExit(str(logs.innermost(taken))) from None
    if status:
        raise SystemExit(status)


async def _serve(settings: Settings, signals: tuple[signal.Signals, ...]) -> int:
    from veo_mcp.server.backend import Backend
    from veo_mcp.server.build import build_server
    from veo_mcp.server.notifications import Announcer
    from veo_mcp.server.shutdown import Shutdown

    backend, announcer, shutdown = Backend(), Announcer(), Shutdown()
    server = build_server(
        backend,
        sandbox=settings.embedded,
        announcer=announcer,
        read_only=settings.read_only,
        confirm_above=settings.confirm_above,
        max_credits=settings.max_credits,
        video_hosts=settings.video_hosts,
        log_level=settings.log_level,
        takes_files=bool(settings.image_dirs and settings.uploads),
    )
    # Outside everything else, so that no call is under way without being known.
    server.middleware.insert(0, shutdown.middleware)
    asked = _Asked(shutdown)
    with _receiving(signals) as received:
        async with anyio.create_task_group() as group:
            group.start_soon(asked.listen, received)
            metrics = _metrics(backend) if settings.transport != "stdio" else None
            unwanted = UNWANTED_SECONDS if metrics is None else 0.0
            async with backend_for(settings, backend, announcer, unwanted_seconds=unwanted):
                if metrics is None:
                    from veo_mcp.server.stdio import serve_stdio

                    await serve_stdio(server, shutdown)
                else:
                    await _serve_http(settings, server, backend, shutdown, metrics)
                asked.close_soon()
            group.cancel_scope.cancel()
    return asked.status


def _metrics(backend: "Backend") -> "Metrics":
    # Imported here: stdio needs none of it.
    from veo_mcp.web.metrics import Metrics

    metrics = Metrics(backend)
    backend.observe = metrics.upstream
    backend.followers["metrics"] = metrics.follow
    return metrics


async def _serve_http(
    settings: Settings, server: "VeoServer", backend: "Backend", shutdown: "Shutdown", metrics: "Metrics"
) -> None:
    # Imported here: stdio needs none of it.
    from veo_mcp.web.access import access_from
    from veo_mcp.web.routes import serve_http

    sse_only = settings.transport == "sse"

    def ready() -> None:
        log.info("Listening at http://%s:%d%s", settings.host, settings.port, "/sse" if sse_only else "/mcp and /sse")

    await serve_http(
        server,
        backend,
        shutdown=shutdown,
        access=access_from(settings, backend),
        metrics=metrics,
        host=settings.host,
        port=settings.port,
        sse_only=sse_only,
        ready=ready,
    )


@asynccontextmanager
async def backend_for(
    settings: Settings, backend: "Backend", announcer: "Announcer", *, unwanted_seconds: float = 0.0
) -> AsyncGenerator[None]:
    """Opens the engine in the background and fills `backend`; closes it on leaving.

    For so many seconds it is opened only if it is needed.
    """
    supervisor = Supervisor(clock=time.time, sleep=anyio.sleep)
    backend.loops = supervisor.health
    # A wrong key must not be worked around by quietly using something else: the tools say what to fix.
    if settings.problems:
        backend.failed(" ".join(settings.problems))
        yield
        return

    async def work() -> None:
        try:
            await _work(settings, backend, announcer, supervisor)
        except Exception as error:
            # Whatever is wrong, the host gets a message instead of a dead server, and it is tried again.
            first = logs.innermost(error)
            words = first.explanation if isinstance(first, VeoMcpError) else "It met an error of its own; see its log."
            backend.failed(f"veo-mcp could not start its work: {words}")
            raise

    async def open_in_time() -> None:
        with anyio.move_on_after(unwanted_seconds):
            await backend.wanted.wait()
        await supervisor.keep("engine", work)

    async with anyio.create_task_group() as group:
        group.start_soon(open_in_time)
        try:
            yield
        finally:
            group.cancel_scope.cancel()


async def _work(settings: Settings, backend: "Backend", announcer: "Announcer", supervisor: Supervisor) -> None:
    # Over HTTP with principals, who spends what is on record, whatever the level of the log.
    kept = _to_the_log if settings.transport != "stdio" and settings.asks else _nowhere
    async with open_from(settings, observe=backend.observe, moved=kept) as engine:
        try:
            async with anyio.create_task_group() as group:
                backend.opened(engine)
                group.start_soon(supervisor.keep, "announcer", lambda: announcer.follow(engine))
                for name, follow in backend.followers.items():
                    group.start_soon(supervisor.keep, name, partial(follow, engine))
                group.start_soon(supervisor.keep, "poller", engine.poller.run)
                group.start_soon(supervisor.keep, "receiver of callbacks", engine.callbacks.run)
                group.start_soon(supervisor.keep, "saver", engine.saver.run)
                if settings.uploads is not None:
                    group.start_soon(supervisor.keep, "pictures", engine.pictures.run)
        finally:
            # After the poller has stopped, so that it takes none again: another server goes on at once.
            with anyio.move_on_after(RELEASE_SECONDS, shield=True), suppress(VeoMcpError):
                await engine.poller.let_go()


def _signals() -> tuple[signal.Signals, ...]:
    """The signals that end the server in order. Windows knows none that could be waited for."""
    if sys.platform == "win32":
        return ()
    ending = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    # One that is ignored, such as SIGHUP under nohup, stays so.
    return tuple(number for number in ending if signal.getsignal(number) is not signal.SIG_IGN)


def _status(number: int) -> int:
    """Ended as asked is success; only a person's Ctrl-C is distinguished from it, as shells expect."""
    return 130 if number == signal.SIGINT else 0


def _exit_at_once(number: int, _frame: object) -> None:
    raise SystemExit(_status(number))


@contextmanager
def _receiving(signals: tuple[signal.Signals, ...]) -> Generator[AsyncIterator[signal.Signals] | None]:
    if not signals:
        yield None
        return
    with anyio.open_signal_receiver(*signals) as received:
        yield received


class _Asked:
    """What signals ask for: the first one ends the server in order, the second one at once.

    Attributes:
        status: what the process exits with.
    """

    def __init__(self, shutdown: "Shutdown") -> None:
        self._shutdown = shutdown
        self.status = 0

    async def listen(self, received: AsyncIterator[signal.Signals] | None) -> None:
        if received is None:
            return
        first = await anext(received)
        log.info("Asked to end (%s): what was begun is answered, no new calls are taken.", first.name)
        self.status = _status(first)
        self._shutdown.begin()
        second = await anext(received)
        log.warning("Asked to end again (%s): what is being sent becomes unknown at the next start.", second.name)
        os._exit(128 + second)

    def close_soon(self) -> None:
        """Sees to it that the process ends in a moment, whatever threads still do."""
        last = threading.Timer(CLOSING_SECONDS, os._exit, [self.status])
        last.daemon = True
        last.start()


@asynccontextmanager
async def open_from(
    settings: Settings,
    *,
    observe: Callable[[str, str, float], None] = lambda operation, outcome, seconds: None,
    moved: "Callable[[CreditMovement], None]" = lambda movement: None,
) -> AsyncGenerator["Engine"]:
    """The engine that these settings describe; the caller starts its poller. Raises JournalUnusable, SandboxMissing."""
    # Imported here: the HTTP library and the database wait until tools/list has been answered.
    from veo_mcp.tasks.engine import open_engine

    if settings.embedded:
        require_sandbox()
    public_url = settings.public_url if settings.transport != "stdio" else None
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(_journal(settings.journal, moved))
        # Where callers bring their own keys, the server's is never sent, not even to find out which API it is.
        key = SecretStr(SANDBOX_KEY) if settings.callers_pay else settings.api_key or SecretStr(SANDBOX_KEY)
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
                callers_pay=settings.callers_pay,
                public_url=public_url,
                max_credits=settings.max_credits,
                each=each_limit(settings),
                repeat_seconds=settings.repeat_seconds,
                observe=observe,
                save_dir=settings.save_dir,
                max_video_bytes=settings.max_video_mb * 1_000_000,
                image_dirs=settings.image_dirs,
                uploads=None if settings.uploads is None else bucket.Bucket(settings.uploads),
                picture_trouble=bucket.missing() if settings.uploads else None,
            )
        )


def _to_the_log(movement: "CreditMovement") -> None:
    logs.audit(movement.line)


def _nowhere(movement: "CreditMovement") -> None:
    del movement


def _journal(
    place: str | PostgresAddress, moved: "Callable[[CreditMovement], None]"
) -> AbstractAsyncContextManager["Journal"]:
    """The journal there, to be opened. Raises JournalUnusable where what speaks to it is not installed."""
    if isinstance(place, str):
        from veo_mcp.journal.sqlite.store import SqliteJournal

        return SqliteJournal(Path(place), moved=moved)
    if find_spec("asyncpg") is None:
        raise JournalUnusable(
            "VEO_JOURNAL names a PostgreSQL database, and the library that speaks to it is not installed."
            " Run: pip install 'veo-mcp[postgres]'. Or set VEO_JOURNAL to a file."
        )
    from veo_mcp.journal.postgres.store import PostgresJournal

    return PostgresJournal(place, moved=moved)


def each_limit(settings: Settings) -> Callable[[str], int | None]:
    """The limit of each principal. Raises WrongSetting."""
    from veo_mcp.tasks.budget import limits_in, own_limits
    from veo_mcp.watched_file import WatchedFile

    file = None
    if settings.limits is not None:
        file = WatchedFile(settings.limits, limits_in)
        try:
            file.first()
        except ValueError as fault:
            raise WrongSetting(f"VEO_LIMITS: {settings.limits} {fault}. A line is name: credits.") from None
    return own_limits(settings.max_credits_each, file)


SANDBOX_PARTS = (
    *("av", "numpy", "PIL", "uharfbuzz", "bidi", "budoux"),
    *("manimgx_fonts", "noto_cjk_sans_otc", "fontpkg_oswald", "fontpkg_playfair_display"),
)
"""What the extra `sandbox` installs: an older installation may have only the first of them."""


def require_sandbox() -> None:
    """Raises SandboxMissing unless the libraries that draw and encode clips are installed."""
    if any(find_spec(name) is None for name in SANDBOX_PARTS):
        raise SandboxMissing(
            "The sandbox draws its clips with libraries that are not installed. Run: pip install 'veo-mcp[sandbox]'. "
            "Or set VEO_API_KEY to use the real API."
        )
