"""Whose account a call is about: the one place where an Account is made, and where its client is found.

Used by the MCP face and the command line, which know who calls; by the poller and the callbacks, which know an entry.
Keeps callers' own keys in memory only. Never spends, and shows no key.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass

import anyio
from pydantic import SecretStr

from veo_mcp.api.account import Account, Caller
from veo_mcp.api.client import VeoClient
from veo_mcp.errors import ApiError
from veo_mcp.journal.entry import Entry

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
        principals: whose tasks the key may see; None: everybody's.
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
        client_for: makes a client with a caller's own key.
        secret: the secret behind the principals of callers' own keys, kept in the journal.
    """

    def __init__(
        self,
        client: VeoClient,
        key: SecretStr,
        *,
        client_for: Callable[[SecretStr], VeoClient],
        secret: Callable[[], Awaitable[str]],
    ) -> None:
        self._client = client
        self._key = key
        self._client_for = client_for
        self._secret = secret
        self._callers: dict[str, tuple[SecretStr, VeoClient]] = {}
        self._stack = AsyncExitStack()
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
        if client.known_identity is None:
            # One asks, and whoever comes meanwhile waits for that answer: a hundred calls may be the first together.
            async with self._asking:
                await self._ask(client)
        return Account(client.known_identity or client.origin, principal, key)

    def owns(self, caller: Caller, entry: Entry) -> bool:
        """Whether an entry is one of this caller's, as far as is known without asking."""
        if caller.key is not None:
            held = next((name for name, (key, _) in self._callers.items() if key == caller.key), None)
            return held is not None and entry.principal == held and entry.api == self._api(self._callers[held][1])
        return entry.principal == caller.principal and entry.api == self._api(self._client)

    def of_entry(self, entry: Entry) -> Account | None:
        """The account of an entry, if its API is in use here and a key for it is at hand."""
        key, client = self._callers.get(entry.principal, (self._key, self._client))
        account = Account(self._api(client), entry.principal, key)
        return account if entry.belongs_to(account) else None

    def client(self, account: Account) -> VeoClient:
        """The client that asks and pays for this account."""
        return self._callers.get(account.principal, (self._key, self._client))[1]

    def alone(self, account: Account) -> bool:
        """Whether the key is this account's alone, so that a task the API shows it is its own."""
        return account.principal == "" or account.principal in self._callers

    def pauser(self, entry: Entry) -> str:
        """The principal under which a pause of the key that asks about this entry is kept."""
        return entry.principal if entry.principal in self._callers else ""

    async def scopes(self) -> Sequence[Scope]:
        """Every client that may ask about tasks, and about whose. Raises ApiError."""
        async with self._loop_asks:  # the loops start together, and one question is enough for all of them
            if self._callers:
                return [
                    Scope(client, await client.identity(), (principal,), principal)
                    for principal, (_, client) in self._callers.items()
                ]
            return [Scope(self._client, await self._client.identity(), None, "")]

    @property
    def refusal(self) -> str | None:
        """Why the API refuses a key that is in use here, as far as is known; None while all work."""
        clients = [self._client, *(client for _, client in self._callers.values())]
        refusals = (client.keycare.refusal for client in clients)
        return next((refusal.explanation for refusal in refusals if refusal is not None), None)

    async def sandbox_origin(self) -> str | None:
        """The origin that a sandbox's videos come from; None when the API is not one. Raises ApiError."""
        return self._client.origin if (await self._client.identity()).startswith("sandbox:") else None

    async def aclose(self) -> None:
        """Closes the clients of callers' own keys."""
        await self._stack.aclose()

    async def _of(self, caller: Caller) -> tuple[str, SecretStr, VeoClient]:
        if caller.key is None:
            return caller.principal, self._key, self._client
        digest = hmac.new((await self._secret()).encode(), caller.key.get_secret_value().encode(), hashlib.sha256)
        principal = "key:" + digest.hexdigest()[:32]
        if principal not in self._callers:
            self._callers[principal] = (caller.key, client := self._client_for(caller.key))
            await self._stack.enter_async_context(client)
        return principal, *self._callers[principal]

    async def _ask(self, client: VeoClient) -> None:
        if client.known_identity is not None or anyio.current_time() < self._ask_again_at:
            return
        with anyio.move_on_after(ASKING_SECONDS), suppress(ApiError):
            await client.identity(tries=1)
        self._ask_again_at = anyio.current_time() + AGAIN_SECONDS

    @staticmethod
    def _api(client: VeoClient) -> str:
        return client.known_identity or client.origin
