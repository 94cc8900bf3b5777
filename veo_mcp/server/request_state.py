"""Seals what a confirmation carries from one request to the next, with one key for every server on the journal.

Used by build.py as the SDK's codec. The key is made once and kept in the journal, so that a question asked by one
replica can be answered at another, and after a restart. It is read when a question is first asked or answered.
"""

import base64
import secrets
from dataclasses import replace
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.request_state import AESGCMRequestStateCodec, InvalidRequestState, RequestStateSecurity

from veo_mcp.errors import VeoMcpError
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import caller_of

__all__ = ["SealedState"]

NAME = "request_state_key"
CARRIED = ("requestState", "inputResponses")


class SealedState:
    """Seals the request state of one server; `backend` is where its journal is or will be."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._codec: AESGCMRequestStateCodec | None = None

    @property
    def security(self) -> RequestStateSecurity:
        """What the SDK is given: the seal, bound to the caller."""
        return RequestStateSecurity(codec=self, bind_principal=_principal)

    async def ready(self) -> None:
        """Reads the key, if it is not known yet. Raises Unavailable, JournalUnusable."""
        if self._codec is None:
            engine = await self._backend.engine()
            made = base64.b64encode(secrets.token_bytes(32)).decode()
            self._codec = AESGCMRequestStateCodec([await engine.journal.get_or_set(NAME, made)])

    def seal(self, payload: bytes) -> str:
        """The payload, encrypted, as a token. Raises InvalidRequestState before `ready`."""
        if self._codec is None:
            raise InvalidRequestState("the key is not known yet")
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """The payload of a token. Raises InvalidRequestState for one that is not ours, and before `ready`."""
        if self._codec is None:
            raise InvalidRequestState("the key is not known yet")
        return self._codec.unseal(token)

    async def middleware(self, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
        """Wraps the SDK's own: the key must be there before an answer is unsealed."""
        if (ctx.params or {}).get("requestState") is not None:
            try:
                await self.ready()
            except VeoMcpError:
                # As if it was asked for the first time: then the tool says what is wrong, in words.
                kept = (ctx.params or {}).items()
                ctx = replace(ctx, params={name: value for name, value in kept if name not in CARRIED})
        return await call_next(ctx)


def _principal(ctx: ServerRequestContext[Any, Any]) -> str | None:
    """The principal who was asked: another one's answer does not count."""
    return caller_of(ctx).principal or None
