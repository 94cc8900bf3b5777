"""What the commands share: the two consoles, and running a piece of work over the engine that the settings describe.

Called by the other files of cli/. Turns every error of the outside into one line on stderr. Never spends.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from rich.console import Console

from veo_mcp.api.account import Caller
from veo_mcp.app import open_from
from veo_mcp.errors import ApiError, UnknownTask, VeoMcpError
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine

__all__ = ["PERSON", "err", "explained", "fresh", "out", "with_engine"]

PERSON = Caller(principal="")
"""Whoever sits at the terminal: the one person whose journal this is."""

# Without markup: prompts and messages hold square brackets, which rich would take for styles and swallow.
out = Console(markup=False)
err = Console(stderr=True, markup=False)


async def fresh(engine: Engine, task_id: str) -> Entry:
    """The task as the API has it now, if it can be asked: no server need be running to finish a download."""
    entry = await engine.reader.get(await engine.accounts.account(PERSON), task_id)
    if entry.status in FINAL or entry.upstream_id is None:
        return entry
    with suppress(ApiError):
        return await engine.reader.refresh(entry, entry.upstream_id) or entry
    return entry


def explained(error: VeoMcpError) -> str:
    """Any error of ours as the terminal tells it."""
    if isinstance(error, UnknownTask) and error.explanation == UnknownTask.explanation:
        return "No task with this id exists; `veo-mcp tasks` lists them."
    return error.explanation


def with_engine(settings: Settings, act: Callable[[Engine], Awaitable[int]]) -> int:
    async def run() -> int:
        try:
            async with open_from(settings) as engine:
                return await act(engine)
        except* VeoMcpError as group:
            error = group.exceptions[0]
            err.print(explained(error) if isinstance(error, VeoMcpError) else str(error), soft_wrap=True)
        return 1

    return anyio.run(run)
