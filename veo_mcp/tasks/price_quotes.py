"""Prices that were quoted before a request, for hosts that cannot ask the person: a speed bump, kept in the journal.

Called by the two tools that spend. A confirmation counts if this price was quoted to this account for this very request
less than 15 minutes ago, and once. What locks is the limit (budget.py). Never spends.
"""

from collections.abc import Callable

import anyio

from veo_mcp.api.account import Account
from veo_mcp.errors import ApiError
from veo_mcp.journal.journal import Journal
from veo_mcp.tasks.budget import Budget
from veo_mcp.tasks.entries import Plan

__all__ = ["Quotes"]

QUOTE_SECONDS = 900.0
ASKING_SECONDS = 3.0


class Quotes:
    """The quotes of one server.

    Args:
        clock: Unix seconds now.
    """

    def __init__(self, journal: Journal, budget: Budget, *, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._budget = budget
        self._clock = clock

    async def give(self, account: Account, plan: Plan, repeat_of: str | None) -> int | None:
        """Records that this price is quoted now; returns the balance to show with it, where the API answers in time."""
        await self._journal.quote(account, _request(plan, repeat_of), plan.credits, now=self._clock())
        with anyio.move_on_after(ASKING_SECONDS):
            try:
                return (await self._budget.standing(account)).credits.balance
            except ApiError:
                pass
        return None

    async def take(self, account: Account, plan: Plan, repeat_of: str | None, confirmed: int | None) -> bool:
        """Whether the price was confirmed as it was quoted; the quote is used up by that."""
        if confirmed != plan.credits:
            return False
        after = self._clock() - QUOTE_SECONDS
        return await self._journal.take_quote(account, _request(plan, repeat_of), plan.credits, after=after)


def _request(plan: Plan, repeat_of: str | None) -> str:
    return f"{plan.fingerprint}:{repeat_of or ''}"
