"""Who calls: the one place where a request becomes a Caller, and with the engine an Account.

Used by everything in server/ that reads, spends, lists or announces. Whoever checked a request in web/ leaves the user
in its scope, as the SDK's authentication does; without one, as over stdio, one person uses the server.
"""

from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from starlette.requests import HTTPConnection

from veo_mcp.api.account import Account, Caller

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine

__all__ = ["account_of", "caller_of"]


def caller_of(ctx: ServerRequestContext[Any, Any]) -> Caller:
    """Who sent this request. Read from the request itself: a session's context is that of whoever opened it."""
    request = ctx.request
    user = request.scope.get("user") if isinstance(request, HTTPConnection) else None
    token = getattr(user, "access_token", None)
    if token is None:
        return Caller(principal="")
    return Caller(principal=token.subject or token.client_id)


async def account_of(ctx: ServerRequestContext[Any, Any], engine: "Engine") -> Account:
    """Whose account this request is about."""
    return await engine.accounts.account(caller_of(ctx))
