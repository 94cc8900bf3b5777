"""`veo-mcp tasks --watch`: the tasks as they are now, until Ctrl-C: a screen redrawn, in a pipe a line a change.

Called by cli/tasks.py. Asks the API about unfinished tasks as a server does, sharing the work with those on the same
journal, so that it goes on with no host open. Never spends.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import anyio
from rich.live import Live
from rich.text import Text

from veo_mcp.cli.terminal import err, out
from veo_mcp.errors import VeoMcpError
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.supervisor import Supervisor
from veo_mcp.tasks.engine import Engine

__all__ = ["watch"]

EVERY_SECONDS = 1.0
RELEASE_SECONDS = 1.0

Find = Callable[[], Awaitable[Sequence[Entry]]]
Draw = Callable[[Sequence[Entry], float], Sequence[Text]]


async def watch(engine: Engine, find: Find, draw: Draw) -> None:
    """Never returns by itself.

    Args:
        find: the tasks that are wanted, as they are now.
        draw: a line for each; the second argument is now, in Unix seconds.
    """
    supervisor = Supervisor(clock=time.time, sleep=anyio.sleep)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(supervisor.keep, "poller", engine.poller.run)
            await (_on_a_screen if out.is_terminal else _in_a_pipe)(engine, find, draw)
    finally:
        with anyio.move_on_after(RELEASE_SECONDS, shield=True), suppress(VeoMcpError):
            await engine.poller.let_go()


async def _on_a_screen(engine: Engine, find: Find, draw: Draw) -> None:
    err.print("Watching; Ctrl-C ends it, and nothing else.", style="dim")
    async with engine.journal.changes() as feed:
        with Live(console=out, auto_refresh=False) as live:
            while True:
                lines = draw(await find(), time.time()) or [Text("No tasks yet.")]
                live.update(Text("\n", no_wrap=True, overflow="crop").join(lines), refresh=True)
                with anyio.move_on_after(EVERY_SECONDS):  # the times go on without a change, too
                    await anext(feed)


async def _in_a_pipe(engine: Engine, find: Find, draw: Draw) -> None:
    shown: dict[str, tuple[Status, str, int]] = {}
    async with engine.journal.changes() as feed:
        while True:
            found = await find()
            # Not the entries: when one is asked about next changes, too, and no line shows it.
            facts = {entry.id: (entry.status, entry.charged, entry.credits) for entry in found}
            for line in draw([entry for entry in found if facts[entry.id] != shown.get(entry.id)], time.time()):
                out.print(line, soft_wrap=True, highlight=False)
            out.file.flush()
            shown = facts
            await anext(feed)
