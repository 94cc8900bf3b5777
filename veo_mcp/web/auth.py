"""Access: every request but callbacks and health passes here, and leaves with the user it belongs to.

Called by middleware.py, before a body is read. The methods are in tokens.py, oauth.py and caller_keys.py; without one,
which only a loopback server may be, all callers are the one person. What a client proves itself with goes no further
than this: it is never logged, stored or sent upstream.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp_types import INVALID_REQUEST, ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from veo_mcp.api.account import Caller
from veo_mcp.server.caller import CREATE, READ, SCOPES
from veo_mcp.server.tasks_extension import SPENDING
from veo_mcp.web.rate_limit import RateLimiter
from veo_mcp.web.tokens import Tokens, digest_of

__all__ = ["AccessDenied", "AccessTokenMethod", "AuthMethod", "Authenticator", "User", "bearer"]

RATE = 600
FREE = ("initialize", "ping", "tools/list", "prompts/", "server/discover", "logging/", "notifications/")
"""What every token may do: it shows no one's tasks and costs nothing."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
PROXIED = (
    "This server has no access tokens, so it answers programs of its own machine only, and this request came through a "
    "proxy. Set VEO_ACCESS_TOKENS, VEO_OAUTH_ISSUER or VEO_CALLER_KEYS."
)


class AccessDenied(Exception):
    """A request that is denied access.

    Attributes:
        status: the HTTP status.
        words: what happened and what to do, for the client.
        error: the code of RFC 6750, where something was presented.
        scopes: the scopes that the request needs, where that is known.
        retry_after: seconds after which to come again.
    """

    def __init__(
        self,
        status: int,
        words: str,
        *,
        error: str | None = None,
        scopes: tuple[str, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.error = error
        self.scopes = scopes
        self.retry_after = retry_after


class User(AuthenticatedUser):
    """An authenticated caller, as the SDK knows users: it binds a session to client, issuer and subject.

    Attributes:
        caller: whose tasks this is about.
        still_valid: whether their credential is still accepted; their streams end when it is not.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        client: str,
        scopes: tuple[str, ...],
        issuer: str | None = None,
        still_valid: Callable[[], bool] = lambda: True,
    ) -> None:
        claims = {"iss": issuer} if issuer else None
        # Without the token: nothing behind the authenticator needs it.
        super().__init__(
            AccessToken(token="", client_id=client, scopes=list(scopes), subject=caller.principal, claims=claims)
        )
        self.caller = caller
        self.still_valid = still_valid


class AuthMethod(Protocol):
    """One method of authentication.

    Attributes:
        scheme: of the challenge, with its first parameters.
        scoped: whether its tokens have scopes, and the challenge names them.
    """

    scheme: str
    scoped: bool

    async def authenticate(self, headers: Headers, client: str) -> User:
        """Who comes with these headers from this address. Raises AccessDenied."""
        ...


class AccessTokenMethod:
    """VEO_ACCESS_TOKENS: a token's name is the principal."""

    scheme = 'Bearer realm="veo-mcp"'
    scoped = False

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def authenticate(self, headers: Headers, client: str) -> User:
        """The user whose access token the headers bear. Raises AccessDenied."""
        del client
        digest = digest_of(bearer(headers))
        name = self._tokens.name_of_digest(digest)
        if name is None:
            raise AccessDenied(401, "This access token is not known here. Nothing was done.", error="invalid_token")
        return User(
            Caller(principal=name),
            client="access-token",
            scopes=SCOPES,
            still_valid=lambda: self._tokens.name_of_digest(digest) == name,
        )


def bearer(headers: Headers) -> str:
    """The one token in the Authorization header. Raises AccessDenied."""
    given = headers.getlist("authorization")
    if not given:
        raise AccessDenied(401, "An access token is needed: Authorization: Bearer <token>. Nothing was done.")
    scheme, _, token = given[0].partition(" ")
    token = token.strip()
    if len(given) > 1 or scheme.lower() != "bearer" or not token or len(token) > 16384:
        words = "The Authorization header is not one Bearer token. Nothing was done."
        raise AccessDenied(401, words, error="invalid_request")
    return token


class Authenticator:
    """Who may use one server, and how often.

    Args:
        method: how callers prove who they are; None: all callers are the one person.
        rate: messages a minute for each principal.
        metadata_url: where the metadata of RFC 9728 is, seen from a request; None where there is none.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        method: AuthMethod | None = None,
        *,
        rate: int = RATE,
        metadata_url: Callable[[Scope], str] | None = None,
        monotonic: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._method = method
        self._metadata_url = metadata_url
        self._rate = RateLimiter(rate, monotonic=monotonic)

    async def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is denied access; otherwise its user is in the scope afterwards."""
        headers = Headers(scope=scope)
        if self._method is None:
            proxied = any(name in headers for name in FORWARDED)
            return _answer(403, PROXIED) if proxied else None
        try:
            scope["user"] = await self._method.authenticate(headers, (scope.get("client") or ("", 0))[0])
        except AccessDenied as denied:
            return self._denial(scope, denied)
        if scope["method"] == "GET" and scope["path"] != "/metrics":
            return self._scope_refusal(scope, (READ,))
        return None

    def refusal_of(self, scope: Scope, message: JSONRPCMessage) -> Response | None:
        """The answer to a message that its sender may not send, or not so often."""
        user = scope.get("user")
        if self._method is None or not isinstance(user, User):
            return None
        wait = self._rate.wait(user.caller.principal)
        if wait:
            words = f"Too many calls. Nothing was done. Not charged. Call again in {math.ceil(wait)} s."
            return _answer(429, words, retry_after=wait, request=message)
        if not isinstance(message, JSONRPCRequest | JSONRPCNotification):
            return None
        return self._scope_refusal(scope, needed(message.method, message.params), message)

    def _scope_refusal(
        self, scope: Scope, any_of: tuple[str, ...], message: JSONRPCMessage | None = None
    ) -> Response | None:
        """The answer where the user has none of these scopes."""
        if set(any_of) & set(scope["user"].scopes):
            return None
        words = f"This token lacks the scope {' or '.join(any_of)}. Nothing was done. Not charged."
        return self._denial(scope, AccessDenied(403, words, error="insufficient_scope", scopes=any_of), message)

    def _denial(self, scope: Scope, denied: AccessDenied, request: JSONRPCMessage | None = None) -> Response:
        challenge = ""
        if self._method is not None and denied.status in (401, 403):
            challenge = self._method.scheme
            if denied.error:
                challenge += f', error="{denied.error}"'
            if self._method.scoped:
                challenge += f', scope="{" ".join(denied.scopes or SCOPES)}"'
            if self._metadata_url is not None:
                challenge += f', resource_metadata="{self._metadata_url(scope)}"'
        return _answer(
            denied.status, denied.words, retry_after=denied.retry_after, challenge=challenge, request=request
        )


def needed(method: str, params: dict[str, Any] | None) -> tuple[str, ...]:
    """The scopes of which a message needs one."""
    if method == "tools/call":
        return (CREATE,) if (params or {}).get("name") in SPENDING else (READ,)
    return SCOPES if method.startswith(FREE) else (READ,)


def _answer(
    status: int,
    words: str,
    *,
    retry_after: float | None = None,
    challenge: str = "",
    request: JSONRPCMessage | None = None,
) -> Response:
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    if challenge:
        headers["WWW-Authenticate"] = challenge
    # With the request's id, so that the caller sees it, and not only code that reads the status.
    request_id = request.id if isinstance(request, JSONRPCRequest) else None
    error = JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=INVALID_REQUEST, message=words))
    return JSONResponse(error.model_dump(by_alias=True, mode="json", exclude_unset=True), status, headers)
