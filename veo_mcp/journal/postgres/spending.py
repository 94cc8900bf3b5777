"""What the last 24 h cost, and whether a limit covers one request more. Runs inside the store's transactions.

`hold_limits` reserves only together with its caller, who lets no other process begin anything at this API until the
transaction ends.
"""

import math

from veo_mcp.errors import SpendLimit
from veo_mcp.journal.journal import Limits, Spent
from veo_mcp.journal.postgres.queries import Db, ask_one
from veo_mcp.journal.store_common import DAY, scope_of_a_day

__all__ = ["hold_limits", "spent"]


async def spent(db: Db, api: str, principal: str, now: float) -> Spent:
    """The credits of the last 24 h: of this API, and of this principal alone."""
    scope = scope_of_a_day(api, principal, now)
    oldest = await ask_one(db, "oldest_spent_by_principal", scope)
    return Spent(
        total=await _sum(db, "spent", scope),
        own=await _sum(db, "spent_by_principal", scope),
        oldest_at=None if oldest is None else oldest[0],
        oldest_credits=0 if oldest is None else oldest[1],
    )


async def hold_limits(db: Db, api: str, principal: str, credits: int, limits: Limits, now: float) -> None:
    """Raises SpendLimit if a limit does not cover so many credits more: of two, the one that blocks them longer."""
    scope = scope_of_a_day(api, principal, now)
    refusals: list[SpendLimit] = []
    for limit, sums, free_at in (
        (limits.total, "spent", "free_at"),
        (limits.each, "spent_by_principal", "free_at_by_principal"),
    ):
        if limit is None:
            continue
        already = await _sum(db, sums, scope)
        over = already + credits - limit
        if over > 0:
            # A price above the limit is covered at no time.
            row = await ask_one(db, free_at, {**scope, "needed": over}) if credits <= limit else None
            more_at = None if row is None else float(row[0]) + DAY
            refusals.append(SpendLimit(already, limit, price=credits, more_at=more_at))
    if refusals:
        raise max(refusals, key=lambda refusal: math.inf if refusal.more_at is None else refusal.more_at)


async def _sum(db: Db, name: str, scope: dict[str, str | float]) -> int:
    row = await ask_one(db, name, scope)
    return 0 if row is None else int(row[0])
