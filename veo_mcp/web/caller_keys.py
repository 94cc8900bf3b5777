"""VEO_CALLER_KEYS: each caller brings their own provider key, in X-Veo-Api-Key, and pays with it.

Used by auth.py's rules and access.py. A key is tried with a free call before a session or a row of the journal comes of
it, and not often from one address, so that nobody finds out keys here. It is shown nowhere and kept in memory only.
"""

from collections.abc import Callable

from starlette.datastructures import Headers

from veo_mcp import setting_values
from veo_mcp.api.account import Caller
from veo_mcp.errors import ApiError, InsufficientCredits, InvalidApiKey, IpNotAllowed, JournalError
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import SCOPES
from veo_mcp.web.auth import AccessDenied, User
from veo_mcp.web.rate_limit import RateLimiter

__all__ = ["HEADER", "CallerKeyMethod"]

HEADER = "X-Veo-Api-Key"
LONGEST = 512
TRIES = 10
"""Keys that may be tried a minute from one address."""
TRIES_IN_ALL = 120


class CallerKeyMethod:
    """A key's own account is the principal; see AuthMethod.

    Args:
        backend: where the engine is or will be.
        monotonic: seconds that never go back.
    """

    scheme = 'ApiKey realm="veo-mcp"'
    scoped = False

    def __init__(self, backend: Backend, *, monotonic: Callable[[], float]) -> None:
        self._backend = backend
        self._tries = RateLimiter(TRIES, monotonic=monotonic)
        self._tries_in_all = RateLimiter(TRIES_IN_ALL, monotonic=monotonic)

    async def authenticate(self, headers: Headers, client: str) -> User:
        """The user whose own API key the header holds, tried with a free call. Raises AccessDenied."""
        given = headers.getlist(HEADER)
        if not given:
            raise AccessDenied(401, f"Bring your own key of the Veo API in the header {HEADER}. Nothing was done.")
        try:
            if len(given) > 1 or len(given[0]) > LONGEST:
                raise ValueError
            key = setting_values.key(given[0])
        except ValueError:
            raise AccessDenied(401, f"{HEADER} is not one key of the Veo API, sk-… Nothing was done.") from None
        engine = self._backend.engine_now
        if engine is None:
            words = self._backend.problem or "The server is still starting."
            raise AccessDenied(503, f"{words} Nothing was done.", retry_after=5.0)
        callers = engine.accounts.callers
        try:
            principal = await callers.principal(key)
            if not callers.see(principal):
                wait = self._tries.wait(client) or self._tries_in_all.wait("")
                if wait:
                    raise AccessDenied(429, "Too many keys were tried from here. Nothing was done.", retry_after=wait)
                principal = await callers.prove(key)
        except (InvalidApiKey, IpNotAllowed, InsufficientCredits) as refused:
            raise AccessDenied(401, f"The Veo API refuses this key: {refused.explanation} Nothing was done.") from None
        except (ApiError, JournalError) as away:
            raise AccessDenied(503, f"{away.explanation} Nothing was done.", retry_after=30.0) from None
        except TimeoutError:
            words = "The Veo API did not answer in time whether this key works. Nothing was done."
            raise AccessDenied(503, words, retry_after=30.0) from None
        return User(
            Caller(principal=principal, key=key),
            client="caller-key",
            scopes=SCOPES,
            still_valid=lambda: callers.see(principal),
        )
