"""What the last 24 h cost, and whether a limit covers one request more. Runs inside the store's transactions.

Counted from sums by the hour and by the minute, which triggers in the file keep; the entries themselves are added up
only for the one minute in which the 24 h begin.
"""

import math
import sqlite3
from collections.abc import Mapping
from contextlib import closing

from veo_mcp.errors import SpendLimit
from veo_mcp.journal.journal import Limits, Spent
from veo_mcp.journal.sqlite.queries import QUERIES
from veo_mcp.journal.store_common import DAY, scope_of_a_day

__all__ = ["hold_limits", "spent"]


def spent(db: sqlite3.Connection, api: str, principal: str, now: float) -> Spent:
    """The credits of the last 24 h: of this API, and of this principal alone."""
    oldest_at: float | None = None
    oldest_credits = 0
    with closing(db.execute(QUERIES["oldest_spent_by_principal"], scope_of_a_day(api, principal, now))) as oldest:
        for created_at, credits in oldest:
            if oldest_at is not None and created_at != oldest_at:
                break
            oldest_at = created_at
            oldest_credits += credits
    return Spent(
        total=_sum(db, "spent", api, principal, now),
        own=_sum(db, "spent_by_principal", api, principal, now),
        oldest_at=oldest_at,
        oldest_credits=oldest_credits,
    )


def hold_limits(db: sqlite3.Connection, api: str, principal: str, credits: int, limits: Limits, now: float) -> None:
    """Raises SpendLimit if a limit does not cover so many credits more: of two, the one that blocks them longer."""
    refusals: list[SpendLimit] = []
    for limit, sums, oldest in (
        (limits.total, "spent", "oldest_spent"),
        (limits.each, "spent_by_principal", "oldest_spent_by_principal"),
    ):
        if limit is None:
            continue
        already = _sum(db, sums, api, principal, now)
        if already + credits > limit:
            more_at: float | None = None
            if credits <= limit:
                scope = scope_of_a_day(api, principal, now)
                more_at = _free_at(db, oldest, scope, already + credits - limit)
            refusals.append(SpendLimit(already, limit, price=credits, more_at=more_at))
    if refusals:
        raise max(refusals, key=lambda refusal: math.inf if refusal.more_at is None else refusal.more_at)


def _sum(db: sqlite3.Connection, query: str, api: str, principal: str, now: float) -> int:
    return int(db.execute(QUERIES[query], scope_of_a_day(api, principal, now)).fetchone()[0])


def _free_at(db: sqlite3.Connection, query: str, scope: Mapping[str, str | float], needed: int) -> float | None:
    """When so many of the credits in the last 24 h are older than that."""
    with closing(db.execute(QUERIES[query], scope)) as oldest:
        for created_at, credits in oldest:
            needed -= credits
            if needed <= 0:
                return float(created_at) + DAY
    return None
