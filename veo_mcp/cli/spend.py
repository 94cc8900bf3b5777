"""`veo-mcp tasks spend`: the credits of each day and month, by the journal.

Called by cli/main.py. A sandbox's credits never stand beside real ones. Never spends.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from veo_mcp.cli.terminal import PERSON, entries, out, with_engine
from veo_mcp.journal.entry import Entry
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine

__all__ = ["Sum", "spend", "sums"]

DAYS = 31
DOLLARS = 0.005


@dataclass(slots=True)
class Sum:
    """What one day or month cost.

    Attributes:
        videos: how many requests cost something, or may have.
        credits: charged for certain, estimates included.
        unclear: may have been charged.
        refunded: charged and given back.
    """

    videos: int = 0
    credits: int = 0
    unclear: int = 0
    refunded: int = 0


def sums(found: Iterable[Entry], form: str) -> dict[str, Sum]:
    """By the local day or month in which they were begun, newest first."""
    total: dict[str, Sum] = defaultdict(Sum)
    for entry in found:
        if entry.charged == "no":
            continue
        one = total[datetime.fromtimestamp(entry.created_at).astimezone().strftime(form)]
        one.videos += entry.charged != "refunded"
        one.credits += entry.credits if entry.charged == "yes" else 0
        one.unclear += entry.credits if entry.charged == "unknown" else 0
        one.refunded += entry.credits if entry.charged == "refunded" else 0
    return dict(sorted(total.items(), reverse=True))


def spend(settings: Settings, *, as_json: bool) -> int:
    """Prints the sums."""

    async def act(engine: Engine) -> int:
        account = await engine.accounts.account(PERSON)
        found = await entries(engine, account)
        days, months = sums(found, "%Y-%m-%d"), sums(found, "%Y-%m")
        if as_json:
            value = {
                "sandbox": account.sandbox,
                "days": {day: asdict(one) for day, one in days.items()},
                "months": {month: asdict(one) for month, one in months.items()},
            }
            sys.stdout.write(json.dumps(value, indent=2) + "\n")
            return 0
        kind = "SANDBOX credits: no money" if account.sandbox else f"credits of {account.api}; 1 is ${DOLLARS:g}"
        out.print(f"Spent, in {kind}", highlight=False, soft_wrap=True)
        if not days:
            out.print("Nothing yet.")
            return 0
        out.print(f"{'':10}  {'videos':>7}  {'credits':>8}  {'unclear':>8}  {'refunded':>8}")
        for title, one in [*list(days.items())[:DAYS], ("", None), *months.items()]:
            if one is None:
                out.print("")
                continue
            line = f"{title:10}  {one.videos:7,}  {one.credits:8,}  {one.unclear:8,}  {one.refunded:8,}"
            out.print(line, highlight=False)
        return 0

    return with_engine(settings, act)
