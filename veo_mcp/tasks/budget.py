"""What may still be spent, by whom, and when more may: the limits beside what the journal counts.

Asked by submit.py before a request is written down, where the journal counts and reserves in one step, and by the tool
get_credits. Never spends.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import anyio

from veo_mcp.api.account import Account
from veo_mcp.api.models import Credits
from veo_mcp.errors import ApiError, InsufficientCredits
from veo_mcp.journal.journal import Journal, Limits
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.balances import Balances
from veo_mcp.watched_file import WatchedFile, numbered_lines

__all__ = ["Budget", "Standing", "limits_in", "own_limits"]

DAY = 24 * 3600.0
ASKING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands.

    Attributes:
        credits: what the API says.
        sandbox: whether they are a sandbox's.
        spent: credits of the last 24 h that were or may have been spent: the account's own where several share a key.
        limit: how many may be spent in any 24 h; None: no limit. Of two limits, the one that leaves less.
        left: what it still allows.
        more_at: Unix seconds at which the oldest of `spent` count no more; None where nothing was spent.
    """

    credits: Credits
    sandbox: bool
    spent: int
    limit: int | None
    left: int | None
    more_at: float | None


class Budget:
    """The limits of one server.

    Args:
        max_credits: credits that may be spent in any 24 h by all principals of an API together, or None.
        each: the same for one principal, asked by its name with every use, or None.
    """

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        balances: Balances,
        *,
        clock: Callable[[], float],
        max_credits: int | None,
        each: Callable[[str], int | None] = lambda principal: None,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._balances = balances
        self._clock = clock
        self._max_credits = max_credits
        self._each = each

    def limits(self, account: Account) -> Limits:
        """What this account may spend in any 24 h."""
        return Limits(total=self._max_credits, each=self._each(account.principal))

    async def spent(self, account: Account) -> int:
        """Credits of this account that were or may have been spent in the last 24 h."""
        return (await self._journal.spent(account, now=self._clock())).own

    async def check(self, account: Account, credits: int) -> None:
        """Checks the limits before the person is asked to confirm these credits. Raises SpendLimit."""
        account = self._identified(account)
        await self._journal.check_limits(account, credits, limits=self.limits(account), now=self._clock())

    def _identified(self, account: Account) -> Account:
        # An answer of the API may have been the first one that shows which API this is.
        return replace(account, api=self._accounts.client(account).known_identity or account.api)

    async def balance_within(self, account: Account, error: ApiError) -> int | None:
        """The balance to show with a refusal for lack of credits; None with any other, or if it is not read in time."""
        if isinstance(error, InsufficientCredits):
            with anyio.move_on_after(ASKING_SECONDS):
                try:
                    return (await self._balances.balance(account)).balance
                except ApiError:
                    pass
        return None

    async def standing(self, account: Account) -> Standing:
        """What the account has, has spent and may spend. Raises ApiError."""
        credits = await self._balances.balance(account)
        account = self._identified(account)
        spent = await self._journal.spent(account, now=self._clock())
        more_at = None if spent.oldest_at is None else spent.oldest_at + DAY
        limits = self.limits(account)
        held = [(limits.total, spent.total), (limits.each, spent.own)]
        lefts = [(max(0, limit - already), limit) for limit, already in held if limit is not None]
        left, limit = min(lefts, default=(None, None))
        # What the others spend is not this one's to know.
        shown = spent.own if account.principal else spent.total
        return Standing(credits, account.sandbox, shown, limit, left, more_at)


def own_limits(each: int | None, file: WatchedFile[Mapping[str, int]] | None) -> Callable[[str], int | None]:
    """The limit of a principal: what the file says of it by name, else what holds for each."""

    def limit(principal: str) -> int | None:
        return ((file.now() if file is not None else None) or {}).get(principal, each)

    return limit


def limits_in(text: str) -> Mapping[str, int]:
    """The lines of VEO_LIMITS, `name: credits`. Raises ValueError."""
    found: dict[str, int] = {}
    for number, line in numbered_lines(text):
        name, colon, credits = line.rpartition(":")
        if not colon or not name.strip() or not re.fullmatch(r"\s*[0-9]{1,15}", credits):
            raise ValueError(f"has a line {number} that is not `name: credits`")
        if name.strip() in found:
            raise ValueError(f"repeats a name in line {number}")
        found[name.strip()] = int(credits)
    return found
