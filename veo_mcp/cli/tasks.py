"""`veo-mcp tasks`: the journal at a terminal: list, show, and settle an unknown outcome by hand.

Called by cli/main.py. Works on the same journal and settings as the server. Never spends.
"""

import json
import time

from rich.table import Table

from veo_mcp.cli.settling import what_to_check
from veo_mcp.cli.terminal import PERSON, err, fresh, out, with_engine
from veo_mcp.server.views import dump, view
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine

__all__ = ["list_tasks", "resolve_task", "show_task"]


def list_tasks(settings: Settings, *, as_json: bool, limit: int) -> int:
    """Prints the newest tasks."""

    async def act(engine: Engine) -> int:
        page = await engine.reader.list(await engine.accounts.account(PERSON), limit=limit)
        now = time.time()
        rows = [dump(view(entry, now)) for entry in page.entries]
        if as_json:
            print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201 - this command's output
            return 0
        table = Table(box=None)
        # The id is there to be copied: it is never cut, whatever that leaves for the rest.
        table.add_column("task", no_wrap=True, min_width=max((len(row["task_id"]) for row in rows), default=4))
        for heading in ("status", "credits", "charged", "created", "prompt"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(
                row["task_id"], row["status"], str(row["credits"]), row["charged"], row["created_at"], row["prompt"]
            )
        out.print(table if rows else "No tasks yet.")
        return 0

    return with_engine(settings, act)


def show_task(settings: Settings, task_id: str) -> int:
    """Prints one task as JSON."""

    async def act(engine: Engine) -> int:
        entry = await fresh(engine, task_id)
        print(json.dumps(dump(view(entry, time.time())), indent=2, ensure_ascii=False))  # noqa: T201
        return 0

    return with_engine(settings, act)


def resolve_task(settings: Settings, task_id: str, *, upstream: str | None, not_charged: bool) -> int:
    """Settles an unknown outcome by the API's id, which is looked up first, or as not charged; or says how to."""
    if upstream is not None and not_charged:
        err.print("Say either --task-id UPSTREAM or --not-charged. Nothing was changed.")
        return 2

    async def act(engine: Engine) -> int:
        account = await engine.accounts.account(PERSON)
        if upstream is None and not not_charged:
            out.print(what_to_check(await engine.reader.get(account, task_id), time.time()), soft_wrap=True)
            return 2
        entry = await engine.reader.settle(account, task_id, upstream_id=upstream)
        out.print(f"Task {entry.upstream_id or entry.id} is now {entry.status.value}.")
        return 0

    return with_engine(settings, act)
