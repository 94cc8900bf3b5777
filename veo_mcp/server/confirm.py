"""Asks the person before a call costs more credits than the operator lets pass unasked, and before a picture leaves a
folder for the first time.

Used by the two tools that spend, through the SDK's `Resolve`, which works in both protocol eras. A host that cannot be
asked is not asked: its own approval is the guard then. A request that an earlier one answers already, or that cannot be
sent, is not asked about. Resolvers run again every round, so nothing here has an effect.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

from mcp.server.context import ServerRequestContext
from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from veo_mcp.api.account import Account
from veo_mcp.api.models import PRICES, AspectRatio, CreateInput, GenerationType, Mode
from veo_mcp.errors import VeoMcpError
from veo_mcp.picture import names_file
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import account_of
from veo_mcp.server.request_state import SealedState
from veo_mcp.text import clean

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine
    from veo_mcp.tasks.entries import Plan

__all__ = [
    "Asking",
    "Planned",
    "Share",
    "Spend",
    "Unaskable",
    "Unasked",
    "Unshared",
    "allowed",
    "ask_before_create",
    "ask_before_extend",
    "ask_before_pictures",
    "confirmation",
    "keep_state",
    "planned_create",
    "planned_extend",
    "shared",
]

Planned = Callable[["Engine", Account], Awaitable["Plan"]]
"""Makes the plan of a call. Raises RequestError."""

# The sealed state of the request that is being handled, as it came: the SDK hands tools only what is inside the seal,
# which is the same for every confirmation of the same call.
_sealed: ContextVar[str | None] = ContextVar("sealed", default=None)


class Asking(Protocol):
    """A server that knows above how many credits to ask, where the engine is, and how to seal what it asked."""

    confirm_above: int
    backend: Backend
    request_state: SealedState


def _yes_or_no(value: Any, handler: ValidatorFunctionWrapHandler) -> bool:
    try:
        return bool(handler(value))
    except ValidationError:
        return False


class Spend(BaseModel):
    """The one question."""

    # An answer that is accepted but says nothing, or something else, is a no.
    spend: Annotated[bool, WrapValidator(_yes_or_no)] = Field(False, description="Spend these credits?")


class Unasked(Spend):
    """Nobody was asked, because nothing is to be sent: an earlier request answers this one, or it cannot be sent."""


class Share(BaseModel):
    """The one question about a folder's pictures."""

    share: Annotated[bool, WrapValidator(_yes_or_no)] = Field(False, description="Hand over pictures from there?")


class Unshared(Share):
    """Nobody was asked: no folder is new, nothing is to be sent, or the host cannot ask."""


class Unaskable(Spend):
    """The host cannot ask the person: the call is a quote, unless it repeats the price of one."""


def planned_create(
    prompt: str,
    mode: str,
    aspect_ratio: str,
    generation_type: str | None,
    image_urls: list[str] | None,
    seeds: int | None,
    watermark: str | None,
    callback_url: str | None,
) -> Planned:
    """The arguments of create_video as something that can be planned."""

    async def plan(engine: "Engine", account: Account) -> "Plan":
        given = await engine.pictures.take(account, image_urls)
        request = CreateInput(
            prompt=prompt,
            mode=Mode(mode),
            aspect_ratio=AspectRatio(aspect_ratio),
            generation_type=GenerationType(generation_type) if generation_type else None,
            image_urls=given.image_urls or None,
            seeds=seeds,
            watermark=watermark,
        )
        return engine.submitter.plan_create(account, request, callback_url=callback_url, pictures=given.pictures)

    return plan


def planned_extend(task_id: str, prompt: str, callback_url: str | None) -> Planned:
    """The arguments of extend_video as something that can be planned."""

    async def plan(engine: "Engine", account: Account) -> "Plan":
        return await engine.submitter.plan_extend(account, task_id, prompt, callback_url=callback_url)

    return plan


async def ask_before_create(
    ctx: Context[Any, Any],
    prompt: str,
    mode: str,
    aspect_ratio: str,
    generation_type: str | None,
    image_urls: list[str] | None,
    seeds: int | None,
    watermark: str | None,
    callback_url: str | None,
    repeat_of: str | None,
) -> Elicit[Spend] | Spend:
    """Asks about a create in this mode, when that is wanted and possible."""
    price = PRICES[Mode(mode)]
    plan = planned_create(prompt, mode, aspect_ratio, generation_type, image_urls, seeds, watermark, callback_url)
    return await _ask(ctx, price, f"A {mode} video costs {price} credits. Spend them?", plan, repeat_of)


async def ask_before_extend(
    ctx: Context[Any, Any], task_id: str, prompt: str, callback_url: str | None, repeat_of: str | None
) -> Elicit[Spend] | Spend:
    """Asks about an extension, when that is wanted and possible."""
    price = PRICES[Mode.FAST]
    question = f"Extending the video costs about {price} credits (an estimate). Spend them?"
    return await _ask(ctx, price, question, planned_extend(task_id, prompt, callback_url), repeat_of)


async def ask_before_pictures(
    ctx: Context[Any, Any],
    prompt: str,
    mode: str,
    aspect_ratio: str,
    generation_type: str | None,
    image_urls: list[str] | None,
    seeds: int | None,
    watermark: str | None,
    callback_url: str | None,
    repeat_of: str | None,
) -> Elicit[Share] | Share:
    """Asks before pictures of a folder are handed over for the first time, where the host can ask."""
    asking = cast("Asking", ctx.mcp_server)
    if not any(names_file(text) for text in image_urls or ()) or not _can_be_asked(ctx):
        return Unshared(share=True)
    try:
        engine = await asking.backend.engine()
        folders = await engine.pictures.unasked(await account_of(ctx.request_context, engine), image_urls)
    except VeoMcpError:
        return Unshared(share=True)  # the tool says what is wrong
    plan = planned_create(prompt, mode, aspect_ratio, generation_type, image_urls, seeds, watermark, callback_url)
    if not folders or await _nothing_to_send(ctx, asking, plan, repeat_of):
        return Unshared(share=True)
    named = " and ".join(clean(str(folder), 200) for folder in folders)
    return Elicit(
        f"Hand pictures from {named} to the video service? They are uploaded under a link that lasts 24 h. This is "
        "asked once for each folder.",
        Share,
    )


def allowed(answer: ElicitationResult[Spend]) -> bool:
    """Whether the person said yes; a declined or closed question is a no."""
    return isinstance(answer, AcceptedElicitation) and answer.data.spend


def shared(answer: ElicitationResult[Share]) -> bool:
    """The same about pictures."""
    return isinstance(answer, AcceptedElicitation) and answer.data.share


def confirmation() -> str | None:
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


async def _ask(
    ctx: Context[Any, Any], price: int, question: str, planned: Planned, repeat_of: str | None
) -> Elicit[Spend] | Spend:
    asking = cast("Asking", ctx.mcp_server)
    if price <= asking.confirm_above:
        return Spend(spend=True)
    if await _nothing_to_send(ctx, asking, planned, repeat_of):
        return Unasked(spend=True)
    return Elicit(question, Spend) if _can_be_asked(ctx) else Unaskable(spend=True)


async def _nothing_to_send(ctx: Context[Any, Any], asking: Asking, planned: Planned, repeat_of: str | None) -> bool:
    try:
        await asking.request_state.ready()
        engine = await asking.backend.engine()
        account = await account_of(ctx.request_context, engine)
        plan = await planned(engine, account)
        if await engine.submitter.earlier(account, plan, repeat_of=repeat_of) is not None:
            return True
        await engine.budget.check(account, plan.credits)
        return False
    except VeoMcpError:
        return True  # the tool says what is wrong


def _can_be_asked(ctx: Context[Any, Any]) -> bool:
    capabilities = ctx.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS or ctx.session.can_send_request
