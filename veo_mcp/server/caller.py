"""Who calls: the one place where a request becomes a Caller, and with the engine an Account.

Used by everything in server/ that reads, spends, lists or announces. web/auth.py leaves the user in a request's scope,
as the SDK's authentication does; without one, as over stdio, one person uses the server.
"""

from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from starlette.requests import HTTPConnection

from veo_mcp.api.account import Account, Caller

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine

__all__ = ["CREATE", "READ", "SCOPES", "account_of", "caller_of", "may_create"]

READ = "veo:read"
CREATE = "veo:create"
SCOPES = (READ, CREATE)
"""What a token may do here: look, and spend."""


def caller_of(ctx: ServerRequestContext[Any, Any]) -> Caller:
    """Who sent this request. Read from the request itself: a session's context is that of the client that opened it."""
    caller = getattr(_user(ctx), "caller", None)
    return caller if isinstance(caller, Caller) else Caller(principal="")


def may_create(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Whether the sender of this request may spend. The web checked it already; this is the second check."""
    user = _user(ctx)
    return user is None or CREATE in user.scopes


def _user(ctx: ServerRequestContext[Any, Any]) -> Any:
    request = ctx.request
    return request.scope.get("user") if isinstance(request, HTTPConnection) else None


async def account_of(ctx: ServerRequestContext[Any, Any], engine: "Engine") -> Account:
    """Whose account this request is about."""
    return await engine.accounts.account(caller_of(ctx))
