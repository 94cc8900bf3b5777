"""Whose account a call is about: the one place where an Account is made, and where its client is found.

Used by the MCP server and the command line, which know who calls; by the poller and the callbacks, which know an entry.
Keeps callers' own keys in memory only. Never spends, and shows no key.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio
from pydantic import SecretStr

from veo_mcp.api.account import Account, Caller
from veo_mcp.api.client import VeoClient
from veo_mcp.errors import ApiError, RequestError
from veo_mcp.journal.entry import Entry
from veo_mcp.tasks.caller_keys import Callers

__all__ = ["Accounts", "Scope"]

ASKING_SECONDS = 3.0
"""How long a read of the journal waits for an API that has not yet said which one it is."""
AGAIN_SECONDS = 10.0
"""How long after that no read waits for it again."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose tasks one client may ask about.

    Attributes:
        client: asks, with its own key.
        api: the identity of its API.
        principals: whose tasks the key may see; None: those of all.
        pauser: the principal under which a pause of this key is kept.
    """

    client: VeoClient
    api: str
    principals: Sequence[str] | None
    pauser: str


class Accounts:
    """The accounts of one server.

    Args:
        client: asks and pays with the server's key.
        key: that key.
        callers: the keys that callers send.
        callers_pay: whether each caller brings their own, and the server has none.
    """

    def __init__(
        self,
        client: VeoClient,
        key: SecretStr,
        *,
        callers: Callers,
        callers_pay: bool = False,
    ) -> None:
        self._client = client
        self._key = key
        self.callers = callers
        self.callers_pay = callers_pay
        self._asking = anyio.Lock()
        self._ask_again_at = 0.0
        # Not the same: a loop may ask for minutes, and no call waits for that.
        self._loop_asks = anyio.Lock()

    async def account(self, caller: Caller) -> Account:
        """The account of this caller. Never fails: a journal can be read while the API is away.

        Until an answer has shown which API this is, it is taken for the one that its URL names; submit.py spends
        nothing before that.
        """
        principal, key, client = await self._of(caller)
        if client.known_identity is None and not (self.callers_pay and client is self._client):
            # One asks, and calls that come meanwhile wait for that answer: a hundred calls may be the first together.
            async with self._asking:
                await self._ask(client)
        return Account(client.known_identity or client.origin, principal, key)

    def owns(self, caller: Caller, entry: Entry) -> bool:
        """Whether an entry is one of this caller's, as far as is known without asking."""
        if caller.key is not None:
            held = self.callers.get(entry.principal)
            return held is not None and held.key == caller.key and entry.api == self._api(held.client)
        return entry.principal == caller.principal and entry.api == self._api(self._client)

    def of_entry(self, entry: Entry) -> Account | None:
        """The account of an entry, if its API is in use here and a key for it is at hand."""
        held = self.callers.get(entry.principal)
        if held is None and self.callers_pay:
            return None
        key, client = (held.key, held.client) if held is not None else (self._key, self._client)
        account = Account(self._api(client), entry.principal, key)
        return account if entry.belongs_to(account) else None

    def client(self, account: Account) -> VeoClient:
        """The client that asks and pays for this account. Raises RequestError where its key is not kept any more."""
        client = self.callers.client(account.principal)
        if client is None and self.callers_pay and account.principal:
            raise RequestError("Your key is not kept here any more. Nothing was done. Call again.")
        return client or self._client

    def alone(self, account: Account) -> bool:
        """Whether the key is this account's alone, so that a task the API shows it is its own."""
        return account.principal == "" or account.principal in self.callers

    def pauser(self, entry: Entry) -> str:
        """The principal under which a pause of the key that asks about this entry is kept."""
        return entry.principal if entry.principal in self.callers else ""

    async def scopes(self) -> Sequence[Scope]:
        """Every client that may ask about tasks, and about whose. Raises ApiError."""
        async with self._loop_asks:  # the loops start together, and one question is enough for all of them
            if self.callers or self.callers_pay:
                return [
                    Scope(held.client, await held.client.identity(), (principal,), principal)
                    for principal, held in self.callers
                ]
            return [Scope(self._client, await self._client.identity(), None, "")]

    @property
    def refusal(self) -> str | None:
        """Why the API refuses the server's key, as far as is known, or None. Callers' own are theirs to fix."""
        refusal = None if self.callers_pay else self._client.key_backoff.refusal
        return None if refusal is None else refusal.explanation

    async def sandbox_origin(self) -> str | None:
        """The origin that a sandbox's videos come from; None when the API is not one. Raises ApiError."""
        if self.callers_pay:
            client = next((held.client for _, held in self.callers), self._client)
            return client.origin if (client.known_identity or "").startswith("sandbox:") else None
        return self._client.origin if (await self._client.identity()).startswith("sandbox:") else None

    async def aclose(self) -> None:
        """Closes the clients of callers' own keys."""
        await self.callers.aclose()

    async def _of(self, caller: Caller) -> tuple[str, SecretStr, VeoClient]:
        if caller.key is None:
            return caller.principal, self._key, self._client
        principal, held = await self.callers.hold(caller.key)
        return principal, held.key, held.client

    async def _ask(self, client: VeoClient) -> None:
        if client.known_identity is not None or anyio.current_time() < self._ask_again_at:
            return
        with anyio.move_on_after(ASKING_SECONDS), suppress(ApiError):
            await client.identity(tries=1)
        self._ask_again_at = anyio.current_time() + AGAIN_SECONDS

    @staticmethod
    def _api(client: VeoClient) -> str:
        return client.known_identity or client.origin
