"""What the commands share: the two consoles, and running a piece of work over the engine that the settings describe.

Called by the other files of cli/. Turns every error of the outside into one line on stderr. Never spends.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from rich.console import Console

from veo_mcp.app import SandboxMissing, open_from
from veo_mcp.errors import VeoError
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.journal.errors import JournalUnusable
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine
from veo_mcp.tasks.errors import UnknownTask

__all__ = ["err", "fresh", "out", "with_engine"]

# Without markup: prompts and messages hold square brackets, which rich would take for styles and swallow.
out = Console(markup=False)
err = Console(stderr=True, markup=False)


async def fresh(engine: Engine, task_id: str) -> Entry:
    """The task as the API has it now, if it can be asked: no server need be running to finish a download."""
    entry = await engine.service.get(task_id)
    if entry.status in FINAL or entry.upstream_id is None:
        return entry
    with suppress(VeoError):
        if entry.api == await engine.service.api_name():
            return await engine.service.refresh(entry, entry.upstream_id) or entry
    return entry


def with_engine(settings: Settings, act: Callable[[Engine], Awaitable[int]]) -> int:
    async def run() -> int:
        try:
            async with open_from(settings) as engine:
                try:
                    return await act(engine)
                except UnknownTask:
                    err.print("No task with this id exists; `veo-mcp tasks` lists them.")
                except VeoError as error:
                    err.print(error.explanation)
        except* (JournalUnusable, SandboxMissing) as group:
            err.print(str(group.exceptions[0]), soft_wrap=True)
        return 1

    return anyio.run(run)
