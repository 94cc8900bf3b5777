"""A whole server over HTTP in front of a real sandbox."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from pydantic import SecretStr

from tests.support.ports import free_port
from tests.support.stack import sandbox
from veo_mcp.api.account import Caller
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.web.access import Access
from veo_mcp.web.routes import serve_http


@dataclass
class Site:
    url: str
    engine: Engine

    async def entry(self, task_id: str) -> Entry:
        """The entry with this own or API id."""
        account = await self.engine.accounts.account(Caller(principal=""))
        entry = await self.engine.journal.get(account, task_id)
        assert entry is not None
        return entry

    async def token(self, entry_id: str) -> str:
        return await self.engine.callbacks.urls.token(entry_id)


@asynccontextmanager
async def site(
    folder: Path,
    *,
    poll: bool = False,
    create_seconds: float = 45.0,
    access: Access | None = None,
    api: str | None = None,
    **options: Any,
) -> AsyncGenerator[Site]:
    """The HTTP server in front of a sandbox that can call it back, or of `api`; without the poller unless asked for."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    async with (
        nullcontext(api) if api else sandbox(folder / "sandbox") as base_url,
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(
            journal,
            base_url=base_url,
            key=SecretStr("sk-web"),
            public_url=url,
            create_seconds=create_seconds,
            **options,
        ) as engine,
        anyio.create_task_group() as group,
    ):
        backend, announcer = Backend(), Announcer()
        backend.opened(engine)
        server = build_server(backend, sandbox=True, announcer=announcer)
        up = anyio.Event()

        async def serve() -> None:
            await serve_http(server, backend, host="127.0.0.1", port=port, ready=up.set, access=access)

        group.start_soon(serve)
        group.start_soon(announcer.follow, engine)
        # As the receiver does before anything else, so that a test need not wait for it.
        await engine.callbacks.urls.load()
        group.start_soon(engine.callbacks.run)
        if poll:
            group.start_soon(engine.poller.run)
        await up.wait()
        yield Site(url, engine)
        group.cancel_scope.cancel()


async def until(engine: Engine, entry_id: str, *wanted: Status) -> Status:
    async with engine.journal.changes() as feed:
        entry = await engine.journal.find(entry_id)
        if entry is not None and entry.status in wanted:
            return entry.status
        async for changed in feed:
            if changed.id == entry_id and changed.status in wanted:
                return changed.status
    raise AssertionError("the feed ended")
