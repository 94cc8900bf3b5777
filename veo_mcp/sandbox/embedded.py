"""The sandbox that a keyless server brings along: one per folder and machine, on a port it keeps indefinitely.

Opened by app.py. The first process hosts it, the next ones use it, and one of them takes over when the host
goes; a file lock decides who. The port stays, so that video URLs last.
"""

import logging
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import anyio
import anyio.to_thread
from anyio.abc import TaskStatus

from veo_mcp.sandbox.app import SandboxConfig, build_app
from veo_mcp.web.runner import serve_app

__all__ = ["embedded", "run_server"]

log = logging.getLogger(__name__)

TAKE_OVER_SECONDS = 0.5


@asynccontextmanager
async def embedded(
    folder: Path, seconds: float, *, allow_private: bool = False, trusted_origin: str | None = None
) -> AsyncGenerator[str]:
    """The URL of this folder's sandbox, hosted here or by another process, for as long as the block runs."""
    port = await anyio.to_thread.run_sync(_kept_port, folder)
    async with anyio.create_task_group() as group:
        config = SandboxConfig(
            folder,
            lambda: f"http://127.0.0.1:{port}",
            seconds=seconds,
            allow_private=allow_private,
            trusted_origin=trusted_origin,
        )
        await group.start(_host_or_follow, config, port)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            group.cancel_scope.cancel()


async def _host_or_follow(config: SandboxConfig, port: int, *, task_status: TaskStatus[None]) -> None:
    ready_called = False

    def ready() -> None:
        nonlocal ready_called
        if not ready_called:
            ready_called = True
            task_status.started()

    with (config.folder / "host.lock").open("a") as lock:
        while True:
            if _locked(lock):
                await run_server(config, "127.0.0.1", port, ready)
                return
            # Another process hosts; wait until it answers, and stand by for when it goes.
            if not ready_called and await _answers(port):
                ready()
            await anyio.sleep(TAKE_OVER_SECONDS if ready_called else 0.05)


async def run_server(config: SandboxConfig, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serves the sandbox until cancelled; calls `ready` when the port is open."""
    await serve_app(build_app(config), host, port, ready=ready)


def _kept_port(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "port"
    try:
        return int(note.read_text())
    except (OSError, ValueError):
        pass
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        with note.open("x") as file:
            file.write(str(port))
        return int(port)
    except FileExistsError:
        return int(note.read_text())


def _locked(file: IO[str]) -> bool:
    try:
        import fcntl
    except ImportError:
        return _locked_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _locked_on_windows(file: IO[str]) -> bool:
    import msvcrt

    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined] # exists on Windows only
    except OSError:
        return False
    return True


async def _answers(port: int) -> bool:
    try:
        async with await anyio.connect_tcp("127.0.0.1", port):
            return True
    except OSError:
        return False
