"""The sandbox inside a server without a key: one per folder and machine, on a port it keeps from start to start.

Opened by app.py. The first process hosts it, the next ones use it, and one of them takes over when the host goes; a
file lock decides who. The port stays, so that video URLs last; where something else has taken it, the sandbox moves
to another one and serves the old one again as soon as it can.
"""

import json
import logging
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from zlib import crc32

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup, TaskStatus
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from veo_mcp.errors import PortTaken, SandboxUnavailable
from veo_mcp.sandbox.app import SandboxConfig, build_app
from veo_mcp.sandbox.files import FILE, private_folder, tighten, write_private
from veo_mcp.sqlite_file import NewerSchema
from veo_mcp.web.runner import serve_app

__all__ = ["embedded", "run_server", "status_of", "work_in"]

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TAKE_OVER_SECONDS = 0.5
PATIENCE = 5.0
LOOK_SECONDS = 10.0
ANSWER_SECONDS = 1.0
PORT_GAPS = (0.2, 0.5, 1.0)
FORMER_SECONDS = 5.0
RESTART_GAPS = (1.0, 5.0, 30.0)
MOST_PORTS = 8
# Below the ports that Linux (32768 and up), macOS and Windows (49152 and up) give to outgoing connections: one of
# those, taken for a minute by a browser, once kept the sandbox from its port.
FIRST_PORT, PORTS = 20_000, 12_000


@asynccontextmanager
async def embedded(
    folder: Path,
    seconds: float,
    *,
    allow_private: bool = False,
    trusted_origin: str | None = None,
    patience: float = PATIENCE,
    look_seconds: float = LOOK_SECONDS,
) -> AsyncGenerator[str]:
    """The URL of this folder's sandbox, hosted here or by another process, for as long as the block runs.

    Args:
        folder: where it keeps its ledger, videos, port and lock.
        seconds: how long a generation takes at least.
        allow_private: whether images and callbacks may lie on private addresses.
        trusted_origin: the one private origin that callbacks may reach.
        patience: seconds that another process which holds the sandbox may take to answer.
        look_seconds: how often it is asked whether it still does.

    Raises:
        SandboxUnavailable: the folder is not usable, or its holder does not answer; out of the block, where the
            sandbox had to move to another port meanwhile: entered again, it is there.
    """
    config = SandboxConfig(
        folder,
        lambda: f"http://{HOST}:{member.port}",
        seconds=seconds,
        allow_private=allow_private,
        trusted_origin=trusted_origin,
    )
    member = _Member(config, patience, look_seconds)
    try:
        async with anyio.create_task_group() as group:
            url = await group.start(member.keep)
            group.start_soon(member.until_moved)
            try:
                yield url
            finally:
                group.cancel_scope.cancel()
    except BaseExceptionGroup as errors:
        unavailable = errors.subgroup(SandboxUnavailable)
        if unavailable is None:
            raise
        raise _innermost(unavailable) from None


def _innermost(error: BaseException) -> BaseException:
    inside: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return _innermost(inside[0]) if inside else error


async def run_server(config: SandboxConfig, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serves the sandbox until cancelled; calls `ready` when the port is open. Raises PortTaken."""
    # In a thread: a ledger that another process holds is waited for up to ten seconds.
    app = await anyio.to_thread.run_sync(build_app, config)
    try:
        await serve_app(app, host, port, ready=ready)
    finally:
        app.state.ledger.close()


async def status_of(url: str) -> dict[str, Any] | None:
    """What the sandbox at a URL says of its work (`GET /healthz`); None when no sandbox answers there in time."""
    port = urlsplit(url).port or 80
    answer = b""
    with (
        anyio.move_on_after(ANSWER_SECONDS),
        suppress(OSError, anyio.EndOfStream, anyio.BrokenResourceError),
    ):
        async with await anyio.connect_tcp(HOST, port) as stream:
            await stream.send(f"GET /healthz HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
            while len(answer) < 65536:
                answer += await stream.receive()
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"\r\nx-veo-sandbox:" not in head.lower():
        return None
    try:
        return cast("dict[str, Any]", json.loads(body))
    except ValueError:
        return None


async def work_in(folder: Path) -> str | None:
    """One sentence on how the work in a folder's sandbox goes, or None when all is well or none answers."""
    ports = await anyio.to_thread.run_sync(_kept_ports, folder)
    status = await status_of(f"http://{HOST}:{ports[0]}") if ports else None
    if status is None or not status.get("failures"):
        return None
    begins = "The sandbox's ledger cannot be written at the moment" if not status.get("ok") else "The sandbox works"
    return f"{begins}; {status['failures']} failures since its start, the latest: {status.get('last_failure')}"


class _Member:
    """One process's part in a folder's sandbox: it hosts it, or uses the host's and stands by."""

    def __init__(self, config: SandboxConfig, patience: float, look_seconds: float) -> None:
        self.port = 0
        self._config = config
        self._folder = config.folder
        self._moved = anyio.Event()
        self._patience = patience
        self._look_seconds = look_seconds
        self._url: str | None = None
        self._status: TaskStatus[str] | None = None

    async def keep(self, *, task_status: TaskStatus[str]) -> None:
        """Runs until cancelled; says the URL as soon as a sandbox answers there."""
        self._status = task_status
        try:
            lock = _opened_lock(self._folder)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            await self._follow(lock)
            with suppress(OSError):
                os.truncate(lock, 0)
                os.write(lock, str(os.getpid()).encode())
            await self._host_always()
        finally:
            os.close(lock)

    async def until_moved(self) -> None:
        """Waits for the sandbox to move, and raises: what uses it must begin again, at the new port."""
        await self._moved.wait()
        raise SandboxUnavailable(f"The sandbox moved to {self._url}. Try again.")

    async def _follow(self, lock: int) -> None:
        """Uses another process's sandbox; returns when this process holds the lock."""
        silent_since: float | None = anyio.current_time()
        next_look = 0.0
        while not _locked(lock):
            now = anyio.current_time()
            ports = _kept_ports(self._folder)
            url = f"http://{HOST}:{ports[0]}" if ports else None
            if url is not None and (now >= next_look or url != self._url):
                if await status_of(url) is not None:
                    self._announce(url)
                    silent_since, next_look = None, now + self._look_seconds
                else:
                    silent_since, next_look = silent_since or now, 0.0
            if silent_since is not None and now - silent_since > self._patience:
                unavailable = self._silent()
                if self._url is None:
                    raise unavailable
                log.error("%s", unavailable)
                silent_since, next_look = None, now + 60.0
            await anyio.sleep(TAKE_OVER_SECONDS if self._url is not None else 0.05)

    async def _host_always(self) -> None:
        for gap in _growing(RESTART_GAPS):
            try:
                await self._host()
            except (OSError, sqlite3.Error, NewerSchema) as error:
                if self._url is None:
                    raise self._unusable(error) from None
                log.error("%s", self._unusable(error))
            except SandboxUnavailable as error:
                if self._url is None:
                    raise
                log.error("%s", error)
            except Exception as error:  # this server was using the sandbox: it goes on trying instead of ending
                if self._url is None:
                    raise
                log.error("The sandbox stopped and is started again: %s", type(error).__name__)
                log.debug("Where it happened:", exc_info=error)
            await anyio.sleep(gap)

    async def _host(self) -> None:
        app = await anyio.to_thread.run_sync(build_app, self._config)
        try:
            kept = _kept_ports(self._folder)
            async with anyio.create_task_group() as group:
                for number, port in enumerate(self._candidates(kept)):
                    # A port that is only just being given up, by the host before us, is waited for.
                    for gap in PORT_GAPS if kept and not number else (0.0,):
                        self.port = port
                        try:
                            await serve_app(app, HOST, port, ready=lambda: self._opened(app, kept, group))
                        except PortTaken:
                            await anyio.sleep(gap)
            last = FIRST_PORT + PORTS - 1
            raise SandboxUnavailable(
                f"The sandbox found no free port on {HOST} from {FIRST_PORT} to {last}. Free one, then try again."
            )
        finally:
            app.state.ledger.close()

    def _candidates(self, kept: list[int]) -> Iterator[int]:
        """The kept port, then others that follow from the folder's path: a lost `port` file leads to the same again."""
        yield from kept[:1]
        start = crc32(str(self._folder.resolve()).encode("utf-8", "replace"))
        for number in range(50):
            port = FIRST_PORT + (start + 7 * number) % PORTS
            if port not in kept:
                yield port

    def _opened(self, app: Starlette, kept: list[int], group: TaskGroup) -> None:
        port = self.port
        if kept[:1] != [port]:
            with suppress(OSError):  # served all the same; only the next start does not know of it
                write_private(self._folder / "port", "\n".join(str(each) for each in (port, *kept)[:MOST_PORTS]) + "\n")
            if kept:
                log.warning(
                    "Port %d, where the sandbox's links point, is used by another program; the sandbox moved to port "
                    "%d. The old links work again once that port is free.",
                    kept[0],
                    port,
                )
        for former in kept:
            if former != port:
                group.start_soon(_serve_former, app, former)
        self._announce(f"http://{HOST}:{port}")

    def _announce(self, url: str) -> None:
        if url == self._url:
            return
        first, self._url = self._url is None, url
        if not first:
            self._moved.set()
        elif self._status is not None:
            self._status.started(url)

    def _silent(self) -> SandboxUnavailable:
        holder = "another veo-mcp process"
        with suppress(OSError, ValueError):
            holder += f" (process id {int((self._folder / 'host.lock').read_text())})"
        return SandboxUnavailable(
            f"The sandbox in {self._folder} is held by {holder}, which does not answer. End that process, or start "
            "this server with another VEO_SANDBOX_DIR."
        )

    def _unusable(self, error: Exception) -> SandboxUnavailable:
        if isinstance(error, NewerSchema):
            why, what = "was written by a newer veo-mcp", "Update veo-mcp"
        else:
            words = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
            why, what = f"cannot be used: {words}", "Make it readable and writable for this user"
        return SandboxUnavailable(
            f"The sandbox's folder {self._folder} {why}. {what}, or start this server with another VEO_SANDBOX_DIR."
        )


async def _serve_former(app: Starlette, port: int) -> None:
    """Serves links that point to a port of earlier days, whenever nothing else uses it."""

    async def without_lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        # The worker runs once, with the port of today.
        if scope["type"] != "lifespan":
            await app(scope, receive, send)

    while True:
        try:
            await serve_app(without_lifespan, HOST, port)
        except PortTaken:
            await anyio.sleep(FORMER_SECONDS)


def _growing(gaps: tuple[float, ...]) -> Iterator[float]:
    yield from gaps
    while True:
        yield gaps[-1]


def _kept_ports(folder: Path) -> list[int]:
    """Where the sandbox is, and after that where it was. What is no port in the file is passed over, and so healed."""
    try:
        words = (folder / "port").read_text("utf-8", "replace").split()
    except OSError:
        return []
    ports = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 6]
    return list(dict.fromkeys(port for port in ports if 1024 <= port <= 65535))[:MOST_PORTS]


def _opened_lock(folder: Path) -> int:
    private_folder(folder)
    path = folder / "host.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, FILE)
    tighten(path)
    tighten(folder / "port")
    return handle


def _locked(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return _locked_on_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _locked_on_windows(handle: int) -> bool:
    import msvcrt

    try:
        # Far behind the holder's process id: a locked byte cannot be read by others.
        os.lseek(handle, 1 << 20, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined] # exists on Windows only
    except OSError:
        return False
    os.lseek(handle, 0, os.SEEK_SET)
    return True
