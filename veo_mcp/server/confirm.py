"""Asks the person before a call costs more credits than the operator lets pass unasked.

Used by the two tools that spend, through the SDK's `Resolve`, which works in both protocol eras. A host that cannot be
asked is not asked: its own approval is the guard then. Resolvers run again every round, so nothing here has an effect.
"""

import base64
import hashlib
from contextvars import ContextVar
from typing import Annotated, Any, Protocol, cast

from mcp.server.context import ServerRequestContext
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from veo_mcp.api.models import PRICES, Mode

__all__ = ["Asking", "Spend", "allowed", "ask_before_create", "ask_before_extend", "intent_id", "keep_state"]

# The sealed state of the request that is being handled, as it came: the SDK hands tools only what is inside the seal,
# which is the same for every confirmation of the same call.
_sealed: ContextVar[str | None] = ContextVar("sealed", default=None)


class Asking(Protocol):
    """A server that knows above how many credits to ask."""

    confirm_above: int


def _yes_or_no(value: Any, handler: ValidatorFunctionWrapHandler) -> bool:
    try:
        return bool(handler(value))
    except ValidationError:
        return False


class Spend(BaseModel):
    """The one question."""

    # An answer that is accepted but says nothing, or something else, is a no.
    spend: Annotated[bool, WrapValidator(_yes_or_no)] = Field(False, description="Spend these credits?")


async def ask_before_create(ctx: Context[Any, Any], mode: str) -> Elicit[Spend] | Spend:
    """Asks about a create in this mode, when that is wanted and possible."""
    return _ask(ctx, PRICES[Mode(mode)], f"A {mode} video costs {PRICES[Mode(mode)]} credits. Spend them?")


async def ask_before_extend(ctx: Context[Any, Any]) -> Elicit[Spend] | Spend:
    """Asks about an extension, when that is wanted and possible."""
    price = PRICES[Mode.FAST]
    return _ask(ctx, price, f"Extending the video costs about {price} credits (an estimate). Spend them?")


def allowed(answer: ElicitationResult[Spend]) -> bool:
    """Whether the person said yes; a declined or closed question is a no."""
    return isinstance(answer, AcceptedElicitation) and answer.data.spend


def intent_id() -> str | None:
    """An id that belongs to this confirmation: a host can replay an accepted one for 600 s, and it must spend once."""
    sealed = _sealed.get()
    if sealed is None:
        return None
    return "vid_" + base64.urlsafe_b64encode(hashlib.sha256(sealed.encode()).digest()[:16]).decode().rstrip("=")


async def keep_state(ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
    """Middleware, outside the SDK's seal: keeps the sealed state at hand while its request is handled."""
    state = (ctx.params or {}).get("requestState")
    token = _sealed.set(state if isinstance(state, str) else None)
    try:
        return await call_next(ctx)
    finally:
        _sealed.reset(token)


def _ask(ctx: Context[Any, Any], price: int, question: str) -> Elicit[Spend] | Spend:
    asking = cast("Asking", ctx.mcp_server)
    if price <= asking.confirm_above or not _can_be_asked(ctx):
        return Spend(spend=True)
    return Elicit(question, Spend)


def _can_be_asked(ctx: Context[Any, Any]) -> bool:
    capabilities = ctx.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or ctx.session.can_send_request
