"""What may still be spent, by whom, and when more may: the limits beside what the journal counts.

Asked by submit.py before a request is written down, where the journal counts and reserves in one step, and by the tool
get_credits. Never spends.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import anyio

from veo_mcp.api.account import Account
from veo_mcp.api.models import Credits
from veo_mcp.errors import ApiError, InsufficientCredits
from veo_mcp.journal.journal import Journal, Limits
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.evidence import Evidence

__all__ = ["Budget", "Standing"]

DAY = 24 * 3600.0
ASKING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands.

    Attributes:
        credits: what the API says.
        sandbox: whether they are a sandbox's.
        spent: credits of the last 24 h that were or may have been spent, as the limit counts them.
        limit: how many may be spent in any 24 h; None: no limit.
        more_at: Unix seconds at which the oldest of `spent` count no more; None where nothing was spent.
    """

    credits: Credits
    sandbox: bool
    spent: int
    limit: int | None
    more_at: float | None

    @property
    def left(self) -> int | None:
        """What the limit still allows; None without one."""
        return None if self.limit is None else max(0, self.limit - self.spent)


class Budget:
    """The limits of one server.

    Args:
        max_credits: credits that may be spent in any 24 h by all principals of an API together, or None.
    """

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        evidence: Evidence,
        *,
        clock: Callable[[], float],
        max_credits: int | None,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._evidence = evidence
        self._clock = clock
        self._max_credits = max_credits

    def limits(self, account: Account) -> Limits:
        """What this account may spend in any 24 h."""
        del account  # everybody's limit is the same; a person's own comes with hosting
        return Limits(total=self._max_credits)

    async def spent(self, account: Account) -> int:
        """Credits of this account that were or may have been spent in the last 24 h."""
        return (await self._journal.spent(account, now=self._clock())).own

    async def balance_within(self, account: Account, error: ApiError) -> int | None:
        """The balance, to be shown beside a refusal for want of credits; None for any other, or where it is unknown."""
        if isinstance(error, InsufficientCredits):
            with anyio.move_on_after(ASKING_SECONDS):
                try:
                    return (await self._evidence.balance(account)).balance
                except ApiError:
                    pass
        return None

    async def standing(self, account: Account) -> Standing:
        """What the account has, has spent and may spend. Raises ApiError."""
        credits = await self._evidence.balance(account)
        # The answer may be the first one that tells which API this is.
        account = replace(account, api=self._accounts.client(account).known_identity or account.api)
        spent = await self._journal.spent(account, now=self._clock())
        more_at = None if spent.oldest_at is None else spent.oldest_at + DAY
        return Standing(credits, account.sandbox, spent.total, self.limits(account).total, more_at)
