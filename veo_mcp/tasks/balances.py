"""What the balance says about a create whose answer was lost: evidence, not proof.

Used by submit.py around each send. It counts only what nobody here moved: as soon as another create of this account was
sent or another task ended meanwhile, by whichever process on this journal, the balance says nothing about this one.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import anyio

from veo_mcp.api.account import Account
from veo_mcp.api.models import Credits
from veo_mcp.errors import VeoMcpError
from veo_mcp.journal.entry import Entry
from veo_mcp.journal.journal import Journal
from veo_mcp.tasks.accounts import Accounts

__all__ = ["Balances"]

ASKING_SECONDS = 3.0


@dataclass
class _Known:
    """What is known of one account's balance.

    Attributes:
        sends: how many creates were begun.
        open: how many of them are under way.
        consumed: `total_consumed` at the last look during which none was under way, or None.
        spent: what the journal counted as spent then, by everyone on this API.
        at_send: `sends` at that look.
    """

    sends: int = 0
    open: int = 0
    consumed: int | None = None
    spent: int = 0
    at_send: int = -1


class Balances:
    """The balances of one server's accounts, as far as they were looked at."""

    def __init__(self, journal: Journal, accounts: Accounts, *, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._accounts = accounts
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def tried(self, account: Account) -> bool:
        """Whether this account's key was accepted before."""
        return account.credential.get_secret_value() in self._known

    async def balance(self, account: Account) -> Credits:
        """The account's credits, kept as the state before the next create. Raises ApiError."""
        client = self._accounts.client(account)
        known = self._known.get(account.credential.get_secret_value())
        begun = known.sends if known else 0
        credits = (await client.get_credits()).value
        known = self._of(account)
        known.consumed = None
        if known.sends == begun and not known.open:
            with suppress(VeoMcpError):
                known.spent = (await self._journal.spent(account, now=self._clock())).total
                known.consumed, known.at_send = credits.total_consumed, begun
        return credits

    @contextmanager
    def sending(self, account: Account) -> Generator[None]:
        """While this is open, a create of the account is under way."""
        known = self._of(account)
        known.sends += 1
        known.open += 1
        try:
            yield
        finally:
            known.open -= 1

    async def about(self, account: Account, entry: Entry) -> int | None:
        """Credits that were consumed since the look before this create, or None where that says nothing.

        Called while the create still counts as under way. Only a rise is reported: a refund hides a charge.
        """
        known = self._of(account)
        mine = known.sends
        before, known.consumed = known.consumed, None
        if before is None or mine != known.at_send + 1:
            return None
        rise: int | None = None
        with anyio.move_on_after(ASKING_SECONDS), suppress(VeoMcpError):
            after = (await self._accounts.client(account).get_credits()).value.total_consumed
            spent = (await self._journal.spent(account, now=self._clock())).total
            if known.sends == mine and spent - known.spent == entry.credits:
                rise = after - before
        return rise if rise is not None and rise > 0 else None

    def _of(self, account: Account) -> _Known:
        return self._known.setdefault(account.credential.get_secret_value(), _Known())
