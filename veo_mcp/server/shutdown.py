"""How the server ends: no new calls, answers to what it has begun, and streams closed so that clients go elsewhere.

Made by app.py, which calls `begin` on a signal or when the client leaves, and `finish` before it closes the transport.
The middleware here is the outermost one: it knows every call under way on every transport. Never ends a call that may
be spending before its time is up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, CallToolResult, SubscriptionsListenResult, TextContent
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel

from veo_mcp.server.tasks_extension import SPENDING

__all__ = ["LINGER_SECONDS", "LOOKING_SECONDS", "Shutdown"]

SPENDING_SECONDS = 50.0
"""A create may take 45 s, and what came of it takes a moment to be recorded."""
LOOKING_SECONDS = 2.0
"""What only looks is soon done, or waits for a video, which it can do again elsewhere."""
SETTLE_SECONDS = 0.1
"""From a call's result to the moment in which the transport has written it."""
ANSWERED_STILL = frozenset({"tools/list", "ping"})
"""Clients look a tool up again when its answer is there, and would throw that away if this was refused."""
LINGER_SECONDS = 1.0
"""The same if a call was answered, and for the look at the tools with which the client takes the answer."""
NOT_BEGUN = "veo-mcp is ending, so this call was not begun. Not charged. Make it again when the server runs again."
CUT_SHORT = (
    "veo-mcp is ending, so this call, which only looks, was cut short. Not charged. Ask again when the server runs "
    "again: it keeps every task."
)


@dataclass(eq=False)
class _Call:
    method: str
    spends: bool
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Shutdown:
    """Whether the server is ending, and what it has yet to answer.

    Args:
        looking_seconds: how long a call that only looks is waited for.
        spending_seconds: how long one that may be spending is.
    """

    def __init__(self, *, looking_seconds: float = LOOKING_SECONDS, spending_seconds: float = SPENDING_SECONDS) -> None:
        self._looking_seconds = looking_seconds
        self._spending_seconds = spending_seconds
        self._begun = anyio.Event()
        self._calls: set[_Call] = set()
        self._fewer = anyio.Event()

    @property
    def begun(self) -> bool:
        """Whether new calls are refused."""
        return self._begun.is_set()

    async def wait(self) -> None:
        """Returns once the server is ending."""
        await self._begun.wait()

    def begin(self) -> None:
        """Refuses new calls from now on, and ends the streams that only listen."""
        self._begun.set()
        for call in self._calls:
            if call.method == "subscriptions/listen":
                call.scope.cancel()

    async def finish(self) -> None:
        """Returns once every call is answered or its time is up."""
        settle_seconds = LINGER_SECONDS if self._calls else SETTLE_SECONDS
        with anyio.move_on_after(self._looking_seconds):
            await self._none_left(spending=False)
        for call in self._calls:
            if not call.spends:
                call.scope.cancel()
        with anyio.move_on_after(self._spending_seconds - self._looking_seconds):
            await self._none_left(spending=True)
        await anyio.sleep(settle_seconds)

    async def _none_left(self, *, spending: bool) -> None:
        while any(spending or not call.spends for call in self._calls):
            self._fewer = anyio.Event()
            await self._fewer.wait()

    async def middleware(self, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
        """Wraps every request; a notification passes."""
        if ctx.request_id is None:
            return await call_next(ctx)
        if self.begun and ctx.method not in ANSWERED_STILL:
            return _answer(ctx, NOT_BEGUN)
        call = _Call(ctx.method, _spends(ctx.params) if ctx.method == "tools/call" else False)
        self._calls.add(call)
        try:
            with call.scope:
                return await call_next(ctx)
        finally:
            self._calls.discard(call)
            self._fewer.set()
        return _answer(ctx, CUT_SHORT)


def _spends(params: Mapping[str, Any] | None) -> bool:
    return (params or {}).get("name") in SPENDING


def _answer(ctx: ServerRequestContext[Any, Any], words: str) -> dict[str, Any]:
    """What the client gets instead: a tool's result, the regular end of a stream, or an error."""
    if ctx.method == "tools/call":
        return _wire(ctx, CallToolResult(content=[TextContent(type="text", text=words)], is_error=True))
    if ctx.method == "subscriptions/listen":
        return _wire(ctx, SubscriptionsListenResult(_meta=cast("Any", {SUBSCRIPTION_ID_META_KEY: ctx.request_id})))
    raise MCPError(INTERNAL_ERROR, words)


def _wire(ctx: ServerRequestContext[Any, Any], result: BaseModel) -> dict[str, Any]:
    # A middleware that answers by itself owes the whole envelope; `resultType` is the modern era's alone.
    dumped = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return {"resultType": "complete", **dumped}
    return {name: value for name, value in dumped.items() if name != "resultType"}
