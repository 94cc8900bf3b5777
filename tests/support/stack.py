"""The full stack for tests: the real sandbox on a real loopback port, the real journal, and the real MCP server.

Used by the behaviour tests.
"""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp_types import CallToolResult, TextContent
from pydantic import SecretStr

from tests.support.entries import account
from tests.support.ports import free_port
from veo_mcp.api.client import VeoClient
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.sandbox.app import SandboxConfig
from veo_mcp.sandbox.embedded import run_server
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.tasks.engine import Engine, open_engine
from veo_mcp.tasks.pictures import Uploads


@dataclass
class Stack:
    client: Client
    engine: Engine
    base_url: str

    async def call(self, tool: str, **arguments: object) -> CallToolResult:
        return await self.client.call_tool(tool, dict(arguments))

    async def charged(self) -> int:
        return (await self.api.get_credits()).value.total_consumed

    @property
    def api(self) -> VeoClient:
        return self.engine.accounts.client(account("", ""))


def text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


@asynccontextmanager
async def sandbox(
    folder: Path, *, seconds: float = 0.0, allow_private: bool = True, **options: Any
) -> AsyncGenerator[str]:
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    config = SandboxConfig(folder, lambda: base_url, seconds=seconds, allow_private=allow_private, **options)
    up = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(run_server, config, "127.0.0.1", port, up.set)
        await up.wait()
        yield base_url
        group.cancel_scope.cancel()


@asynccontextmanager
async def open_stack(
    folder: Path,
    *,
    mode: str = "auto",
    key: str = "sk-test",
    seconds: float = 0.0,
    max_credits: int | None = None,
    confirm_above: int = 100,
    elicitation: Any = None,
    message_handler: Any = None,
    extensions: Any = (),
    clock: Callable[[], float] = time.time,
    image_dirs: Sequence[Path] = (),
    uploads: Uploads | None = None,
    **options: Any,
) -> AsyncGenerator[Stack]:
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(sandbox(folder / "sandbox", seconds=seconds))
        journal = await stack.enter_async_context(SqliteJournal(folder / "journal.db"))
        engine = await stack.enter_async_context(
            open_engine(
                journal,
                base_url=base_url,
                key=SecretStr(key),
                max_credits=max_credits,
                clock=clock,
                image_dirs=image_dirs,
                uploads=uploads,
                **options,
            )
        )
        backend, announcer = Backend(), Announcer()
        backend.opened(engine)
        server = build_server(
            backend,
            sandbox=True,
            announcer=announcer,
            confirm_above=confirm_above,
            takes_files=bool(image_dirs and uploads),
        )
        group = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(group.cancel_scope.cancel)
        group.start_soon(announcer.follow, engine)
        group.start_soon(engine.poller.run)
        group.start_soon(engine.saver.run)
        client = await stack.enter_async_context(
            Client(
                server,
                mode=mode,
                elicitation_callback=elicitation,
                message_handler=message_handler,
                extensions=extensions,
            )
        )
        yield Stack(client, engine, base_url)
