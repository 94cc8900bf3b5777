"""`veo-mcp tasks audit`: every credit movement of all accounts, for the person who pays for a shared server.

Called by cli/main.py. Reads the journal alone: no prompt stands there, and the API is not asked. Never spends.
"""

import csv
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from veo_mcp.cli.tasks import print_json, since_when
from veo_mcp.cli.terminal import out, with_engine
from veo_mcp.journal.audit import CreditMovement
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine

__all__ = ["audit"]

FIELDS = ("time", "principal", "what", "credits", "estimated", "was", "charged", "entry", "kind", "mode", "api")


def audit(settings: Settings, *, form: str, since: str | None, limit: int) -> int:
    """Prints the movements since then, newest first, as "lines", "json" or "csv"."""

    async def act(engine: Engine) -> int:
        _print(await engine.journal.movements(since=since_when(since, time.time()), limit=limit), form)
        return 0

    return with_engine(settings, act)


def _print(moved: Sequence[CreditMovement], form: str) -> None:
    if form == "json":
        print_json([dict(move.line) for move in moved])
    elif form == "csv":
        table: csv.DictWriter[str] = csv.DictWriter(sys.stdout, FIELDS, restval="")
        table.writeheader()
        table.writerows(dict(move.line) for move in moved)
    elif not moved:
        out.print("No credits have moved.")
    else:
        for move in moved:
            out.print(_line(move), soft_wrap=True, highlight=False, markup=False)


def _line(move: CreditMovement) -> str:
    moment = datetime.fromtimestamp(move.moved_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    sandbox = " sandbox" if move.api.startswith("sandbox:") else ""
    amount = f"{'~' if move.estimated else ''}{move.credits}{sandbox}"
    kind = f"{move.kind} {move.mode}" if move.mode else move.kind
    return f"{moment}  {move.principal or '-':20}  {move.words:9}  {amount:>12}  {kind:14}  {move.entry_id}"
