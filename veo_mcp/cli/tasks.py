"""`veo-mcp tasks`: the journal at a terminal: list, show, watch, and settle an unknown outcome by hand.

Called by cli/main.py. Works on the same journal and settings as the server. Never spends.
"""

import csv
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from veo_mcp.cli.terminal import PERSON, err, fresh, out, whole_id, with_engine
from veo_mcp.errors import RequestError
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.views import dump, view
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine

__all__ = ["Wanted", "ago", "list_tasks", "print_json", "resolve_task", "show_task", "since_when"]

COLOURS = {
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.REFUSED: "red",
    Status.UNKNOWN: "bold magenta",
}
RUNNING = "yellow"
SHORT_ID = 8
STATUS_WIDTH, AGO_WIDTH, CREDITS_WIDTH = 10, 10, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks, and in which form.

    Attributes:
        form: "lines", "json" or "csv".
        status: only these.
        since: begun since then, as the person wrote it.
        limit: how many at most.
    """

    form: str
    status: str | None
    since: str | None
    limit: int


def list_tasks(settings: Settings, wanted: Wanted, *, watch: bool = False) -> int:
    """Prints tasks, newest first; with `watch` as they are now, until Ctrl-C."""
    if watch and wanted.form != "lines":
        err.print("--watch shows lines: leave out --json and --csv.")
        return 2

    async def act(engine: Engine) -> int:
        if watch:
            from veo_mcp.cli.watching import watch as keep_showing

            note()
            await find(engine)  # what is wrong with the question is said before anything is shown
            await keep_showing(engine, lambda: find(engine), _lines)
        else:
            _print(await find(engine), wanted.form, time.time())
            note()
        return 0

    async def find(engine: Engine) -> list[Entry]:
        return await _found(engine, wanted)

    def note() -> None:
        if wanted.form == "lines" and settings.embedded and not settings.sandbox:
            err.print(
                "These are tasks of the sandbox, because no key is set or saved; the API was not asked.",
                style="yellow",
                soft_wrap=True,
            )

    return with_engine(settings, act)


async def _found(engine: Engine, wanted: Wanted) -> list[Entry]:
    account = await engine.accounts.account(PERSON)
    status, after = _status(wanted.status), since_when(wanted.since, time.time())
    found: list[Entry] = []
    cursor: str | None = None
    while len(found) < wanted.limit:
        page = await engine.reader.list(
            account, status=status, limit=min(500, wanted.limit - len(found)), cursor=cursor
        )
        found += [entry for entry in page.entries if entry.created_at >= after]
        cursor = page.next_cursor
        if cursor is None or (page.entries and page.entries[-1].created_at < after):
            break
    return found


def show_task(settings: Settings, task_id: str) -> int:
    """Prints one task as JSON."""

    async def act(engine: Engine) -> int:
        print_json(dump(view(await fresh(engine, task_id), time.time())))
        return 0

    return with_engine(settings, act)


def resolve_task(settings: Settings, task_id: str, *, upstream: str | None, not_charged: bool) -> int:
    """Settles an unknown outcome by the API's id, which is looked up first, or as not charged; or says how to."""
    if upstream is not None and not_charged:
        err.print("Say either --task-id UPSTREAM or --not-charged. Nothing was changed.")
        return 2

    async def act(engine: Engine) -> int:
        account = await engine.accounts.account(PERSON)
        found = await whole_id(engine, account, task_id)
        if upstream is None and not not_charged:
            from veo_mcp.cli.resolve import what_to_check  # and the words of the server with it

            out.print(what_to_check(await engine.reader.get(account, found), time.time()), soft_wrap=True)
            return 2
        entry = await engine.reader.settle(account, found, upstream_id=upstream)
        out.print(f"Task {entry.upstream_id or entry.id} is now {entry.status.value}.", highlight=False, soft_wrap=True)
        return 0

    return with_engine(settings, act)


def ago(seconds: float) -> str:
    """How long ago, in one unit."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {name} ago"
    return "just now"


def _print(found: Sequence[Entry], form: str, now: float) -> None:
    rows = [dump(view(entry, now)) for entry in found]
    if form == "json":
        print_json(rows)
    elif form == "csv":
        fields: tuple[str, ...] = ("task_id", "status", "created_at", "credits", "charged", "sandbox", "mode", "prompt")
        table: csv.DictWriter[str] = csv.DictWriter(sys.stdout, fields, extrasaction="ignore", restval="")
        table.writeheader()
        table.writerows(rows)
    elif not rows:
        out.print("No tasks yet. `veo-mcp demo` makes one in the sandbox, without a key.")
    else:
        for line in _lines(found, now):
            out.print(line, soft_wrap=True, highlight=False)


def _lines(found: Sequence[Entry], now: float) -> list[Text]:
    # In a pipe ids are whole and lines as long as they are: there a program reads, not a person.
    width = out.width if out.is_terminal else None
    ids = [_shown_id(entry, found, whole=width is None) for entry in found]
    longest = max(map(len, ids), default=0)
    return [_line(entry, shown.ljust(longest), now, width) for entry, shown in zip(found, ids, strict=True)]


def _line(entry: Entry, shown: str, now: float, width: int | None) -> Text:
    line = Text(shown + "  ")
    line.append(entry.status.value.ljust(STATUS_WIDTH), COLOURS.get(entry.status, RUNNING))
    line.append("  " + ago(now - entry.created_at).rjust(AGO_WIDTH) + "  ")
    line.append(_credits(entry).ljust(CREDITS_WIDTH) + "  ", "dim" if entry.api.startswith("sandbox:") else "")
    prompt = " ".join(entry.prompt.split())
    left = None if width is None else width - cell_len(line.plain)
    if left is not None and cell_len(prompt) > left:
        prompt = set_cell_size(prompt, max(0, left - 1)).rstrip() + "…"
    return line.append(prompt)


def _credits(entry: Entry) -> str:
    """What it cost, so that nobody takes a sandbox's credits for money or a refund for a cost."""
    about = "~" if entry.estimated else ""
    amount = {"yes": f"{about}{entry.credits}", "no": "0", "refunded": "0 back", "unknown": f"{entry.credits}?"}
    return amount[entry.charged] + (" sandbox" if entry.api.startswith("sandbox:") else "")


def _shown_id(entry: Entry, others: Sequence[Entry], *, whole: bool) -> str:
    """The shortest beginning of the id that distinguishes it from the others shown."""
    name = entry.upstream_id or entry.id
    if whole:
        return name
    names = [other.upstream_id or other.id for other in others]
    for length in range(SHORT_ID, len(name)):
        if sum(other.startswith(name[:length]) for other in names) == 1:
            return name[:length]
    return name


def _status(text: str | None) -> Status | None:
    if text is None:
        return None
    try:
        return Status(text.strip().lower())
    except ValueError:
        raise RequestError(f"--status must be one of {', '.join(status.value for status in Status)}.") from None


def since_when(text: str | None, now: float) -> float:
    """Unix seconds of "24h", "7d" or a date."""
    if text is None:
        return 0.0
    span = re.fullmatch(r"([0-9]{1,6})\s*(min|h|d|w)", text.strip().lower())
    if span:
        return now - int(span[1]) * {"min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}[span[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        raise RequestError("--since must be a span such as 24h or 7d, or a date such as 2026-11-30.") from None


def print_json(value: Any) -> None:
    # An output that cannot hold every character gets escapes, which say the same in JSON.
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=ascii_only) + "\n")
