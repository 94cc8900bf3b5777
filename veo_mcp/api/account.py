"""An account: which API (its identity) and whose (the principal), with the credential that it uses.

Required by everything that reads, spends, lists, counts, completes or announces; there is no default on purpose, so
that the type checker, not care, finds a forgotten scope. Made by `Accounts` in tasks/accounts.py alone.
"""

from dataclasses import dataclass, field

from pydantic import SecretStr

__all__ = ["Account", "Caller"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks for something, as far as the way in knows.

    Attributes:
        principal: whose tasks are meant; "" where one person uses the server.
        key: the provider key that the caller brought along, or None to use the server's; then the key is the principal.
    """

    principal: str
    key: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Two accounts are the same if API and principal are: a rotated key changes nothing.

    Attributes:
        api: a sandbox's ledger as `sandbox:<id>`, or the origin of the API's URL.
        principal: whose tasks these are; "" where one person uses the server, a token's name, an issuer's subject, or
            the HMAC of the caller's own key.
        credential: the key that asks and pays; never shown, never compared, never stored.
    """

    api: str
    principal: str
    credential: SecretStr = field(repr=False, compare=False)

    @property
    def sandbox(self) -> bool:
        """Whether the credits are a sandbox's."""
        return self.api.startswith("sandbox:")
