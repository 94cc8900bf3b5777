"""What the commands share: two consoles, finding a task by the first characters of its id, running over the engine.

Called by the other files of cli/. Turns every error of ours into one line on stderr. Never spends.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio
from rich.console import Console

from veo_mcp import logs
from veo_mcp.api.account import Account, Caller
from veo_mcp.cli.error_boundary import PIPE_CLOSED, silence
from veo_mcp.errors import ApiError, RequestError, UnknownTask, VeoMcpError
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.settings import Settings

if TYPE_CHECKING:  # `install` and `login` need no engine
    from veo_mcp.tasks.engine import Engine

__all__ = ["PERSON", "entries", "err", "explained", "fresh", "marks", "out", "whole_id", "with_engine"]

PERSON = Caller(principal="")
"""The person at the terminal, whose journal this is."""
PAGE = 500


class _Console(Console):
    """Ends with error_boundary.py's status when the reader goes away; rich and click would exit with 1."""

    def on_broken_pipe(self) -> None:
        silence()
        raise SystemExit(PIPE_CLOSED)


# Without markup: prompts and messages hold square brackets, which rich would take for styles and swallow.
out = _Console(markup=False, emoji=False)
err = _Console(stderr=True, markup=False, emoji=False)


def marks() -> tuple[str, str]:
    """What stands before what is well and what is not; words where the output has no such signs."""
    return ("✓", "✗") if (out.encoding or "").lower().startswith("utf") else ("ok", "NO")


async def entries(engine: "Engine", account: Account) -> list[Entry]:
    """All of the account's tasks, newest first."""
    found: list[Entry] = []
    cursor: str | None = None
    while True:
        page = await engine.reader.list(account, limit=PAGE, cursor=cursor)
        found += page.entries
        cursor = page.next_cursor
        if cursor is None:
            return found


async def whole_id(engine: "Engine", account: Account, typed: str) -> str:
    """The id that begins with what was typed, where only one does; else what was typed. Raises RequestError."""
    if await engine.journal.get(account, typed) is not None:
        return typed
    found = [
        entry.upstream_id or entry.id
        for entry in await entries(engine, account)
        if entry.id.startswith(typed) or (entry.upstream_id or "").startswith(typed)
    ]
    if len(found) > 1:
        raise RequestError(
            f"{len(found)} tasks have an id that begins with {typed}: {', '.join(found[:5])}. Type more."
        )
    return found[0] if found else typed


async def fresh(engine: "Engine", typed: str) -> Entry:
    """The task as the API has it now; no server need be running. Says it where the API could not be asked."""
    account = await engine.accounts.account(PERSON)
    entry = await engine.reader.get(account, await whole_id(engine, account, typed))
    if entry.status in FINAL or entry.upstream_id is None:
        return entry
    try:
        return await engine.reader.refresh(entry, entry.upstream_id) or entry
    except ApiError as error:
        err.print(
            f"The API could not be asked, so this is what was known last. {error.explanation}",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )
        return entry


def explained(error: VeoMcpError, settings: Settings) -> str:
    """The message that the terminal shows for any error of ours."""
    if not isinstance(error, UnknownTask):
        return error.explanation
    if error.explanation == UnknownTask.explanation:
        said = "No task with this id exists; `veo-mcp tasks` lists them."
    else:
        said = error.explanation
    if settings.embedded and not settings.sandbox:
        said += (
            " Only the sandbox was asked, because no key is set or saved: for a task of the real API run `veo-mcp "
            "login` first, or set VEO_API_KEY."
        )
    elif not settings.embedded:
        said += " For a task of the sandbox add --sandbox."
    return said


def with_engine(settings: Settings, act: Callable[["Engine"], Awaitable[int]]) -> int:
    """Runs a piece of work over the engine that the settings describe; the exit status."""

    from veo_mcp.app import open_from

    async def run() -> int:
        if settings.problems:
            err.print("\n".join(settings.problems), highlight=False, soft_wrap=True)
            return 1
        try:
            async with open_from(settings) as engine:
                return await act(engine)
        except* VeoMcpError as group:
            error = logs.innermost(group)
            words = explained(error, settings) if isinstance(error, VeoMcpError) else str(error)
            err.print(words, highlight=False, soft_wrap=True)
        return 1

    return anyio.run(run)
