"""The keys that callers send (VEO_CALLER_KEYS): proven by a free call, kept in memory alone, and for a limited time.

Used by accounts.py, which finds a caller's client here, and by web/caller_keys.py, which lets callers in. A key is kept
while its caller has a session or unfinished tasks, 24 h at most; a restart forgets it. Shows and stores no key.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import anyio
from pydantic import SecretStr

from veo_mcp.api.client import VeoClient

__all__ = ["IDLE_SECONDS", "KEPT_SECONDS", "Callers", "Held"]

KEPT_SECONDS = 24 * 3600.0
IDLE_SECONDS = 1800.0
"""A session without a request for this long has ended; so the SDK counts too."""
CLOSING_SECONDS = 120.0
"""A client is closed this long after its key was let go: what was being sent with it is through by then."""
PROVING_SECONDS = 20.0


@dataclass(slots=True)
class Held:
    """One caller's key.

    Attributes:
        client: asks and pays with it.
        since: when it was proven, and `seen`: when its caller was last here; seconds of the callers' clock.
    """

    key: SecretStr = field(repr=False)
    client: VeoClient
    since: float
    seen: float


class Callers:
    """The keys of one server.

    Args:
        client_for: makes a client with a key.
        secret: the secret behind the principals, kept in the journal.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        *,
        client_for: Callable[[SecretStr], VeoClient],
        secret: Callable[[], Awaitable[str]],
        monotonic: Callable[[], float],
    ) -> None:
        self._client_for = client_for
        self._secret = secret
        self._monotonic = monotonic
        self._known_secret: str | None = None
        self._held: dict[str, Held] = {}
        self._leaving: dict[str, list[tuple[float, VeoClient]]] = {}

    def __contains__(self, principal: str) -> bool:
        return principal in self._held

    def __iter__(self) -> Iterator[tuple[str, Held]]:
        return iter(list(self._held.items()))

    def __bool__(self) -> bool:
        return bool(self._held)

    def get(self, principal: str) -> Held | None:
        """The key of this principal, while it is kept."""
        return self._held.get(principal)

    def client(self, principal: str) -> VeoClient | None:
        """The client of this principal, also shortly after the key was let go."""
        held = self._held.get(principal)
        if held is not None:
            return held.client
        left = self._leaving.get(principal)
        return left[-1][1] if left else None

    async def principal(self, key: SecretStr) -> str:
        """Whose tasks a key's are: always the same, on every server of the journal, and nothing of the key."""
        if self._known_secret is None:
            self._known_secret = await self._secret()
        digest = hmac.new(self._known_secret.encode(), key.get_secret_value().encode(), hashlib.sha256)
        return "key:" + digest.hexdigest()[:32]

    async def hold(self, key: SecretStr) -> tuple[str, Held]:
        """The principal of a key that was let in, and what is kept for it."""
        principal = await self.principal(key)
        if principal not in self._held:
            now = self._monotonic()
            self._held[principal] = Held(key, self._client_for(key), now, now)
        return principal, self._held[principal]

    def see(self, principal: str) -> bool:
        """Notes that this caller is here; False where their key is not kept, or is too old: it has to be proven."""
        held, now = self._held.get(principal), self._monotonic()
        if held is None or now - held.since >= KEPT_SECONDS:
            return False
        held.seen = now
        return True

    async def prove(self, key: SecretStr) -> str:
        """Tries a key with a free call and keeps it if it works; its principal. Raises ApiError, TimeoutError."""
        client = self._client_for(key)
        try:
            with anyio.fail_after(PROVING_SECONDS):
                await client.get_credits()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await client.__aexit__(None, None, None)
            raise
        principal, now = await self.principal(key), self._monotonic()
        self._let_go(principal, now)
        self._held[principal] = Held(key, client, now, now)
        return principal

    async def forget(self, unfinished: Callable[[str], Awaitable[bool]]) -> None:
        """Lets go of keys whose caller has neither a session nor unfinished tasks, or that were kept long enough."""
        for principal, held in list(self._held.items()):
            now = self._monotonic()
            over = now - held.since >= KEPT_SECONDS
            if over or (now - held.seen >= IDLE_SECONDS and not await unfinished(principal)):
                self._let_go(principal, now)
        for principal, left in list(self._leaving.items()):
            for entry in list(left):
                if self._monotonic() - entry[0] >= CLOSING_SECONDS:
                    left.remove(entry)
                    await entry[1].__aexit__(None, None, None)
            if not left:
                del self._leaving[principal]

    async def aclose(self) -> None:
        """Forgets every key."""
        clients = [held.client for held in self._held.values()]
        clients += [client for left in self._leaving.values() for _, client in left]
        self._held.clear()
        self._leaving.clear()
        for client in clients:
            await client.__aexit__(None, None, None)

    def _let_go(self, principal: str, now: float) -> None:
        held = self._held.pop(principal, None)
        if held is not None:
            self._leaving.setdefault(principal, []).append((now, held.client))
