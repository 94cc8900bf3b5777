"""One running backend: client, journal, service and poller, opened together and closed together.

Opened by app.py and by the command line. Never knows MCP.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from pydantic import SecretStr

from veo_mcp.api.client import VeoClient
from veo_mcp.journal.journal import Journal
from veo_mcp.tasks.poller import Poller
from veo_mcp.tasks.service import TaskService

__all__ = ["Engine", "open_engine"]


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts behind the MCP face."""

    service: TaskService
    poller: Poller
    journal: Journal
    api: VeoClient


@asynccontextmanager
async def open_engine(
    journal: Journal,
    *,
    base_url: str,
    key: SecretStr,
    public_url: str | None = None,
    max_credits: int | None = None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    create_seconds: float = 45.0,
    crash_at: Callable[[str], None] = lambda point: None,
) -> AsyncGenerator[Engine]:
    """Client, service and poller over an open journal; the caller starts the poller.

    `crash_at` is called with the name of each point where a crash can fall; the crash tests end the process there.
    """
    async with VeoClient(base_url, key, sleep=sleep, create_seconds=create_seconds, crash_at=crash_at) as api:
        service = TaskService(
            api,
            journal,
            base_url=base_url,
            clock=clock,
            new_id=lambda: "vid_" + secrets.token_urlsafe(16),
            worker_id=secrets.token_hex(8),
            public_url=public_url,
            max_credits=max_credits,
            crash_at=crash_at,
        )
        poller = Poller(api, service, clock=clock, sleep=sleep, crash_at=crash_at)
        yield Engine(service, poller, journal, api)
