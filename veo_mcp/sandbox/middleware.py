"""The sandbox's outermost layer: own Host names only, the ledger id on every answer, no tracebacks.

Wrapped around every route by the sandbox's app. A page elsewhere whose name is made to lead to 127.0.0.1 (DNS
rebinding) sends its own name as Host, and is refused here: it reads neither prompts nor videos.
"""

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veo_mcp.sandbox.errors import DocumentedError

__all__ = ["SandboxMiddleware"]

log = logging.getLogger(__name__)

NAMES = ("127.0.0.1", "localhost", "[::1]")


class SandboxMiddleware:
    """Answers under own names only.

    Args:
        app: what lies behind.
        ledger_id: put on every answer.
        base_url: where the sandbox says it is; its port is accepted beside the socket's own.
    """

    def __init__(self, app: ASGIApp, ledger_id: str, base_url: Callable[[], str]) -> None:
        self._app = app
        self._base_url = base_url
        self._header = (b"x-veo-sandbox", ledger_id.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], self._header]
            await send(message)

        try:
            if self._is_own(scope):
                await self._app(scope, receive, marked)
            else:
                words = "The sandbox answers only under 127.0.0.1, localhost or [::1], with its port, as Host."
                await DocumentedError("invalid_request", words).answer()(scope, receive, marked)
        except Exception as error:  # a fault of ours costs one answer, never the server
            log.error("A %s request could not be answered: %s", scope["method"], type(error).__name__)
            log.debug("Where it happened:", exc_info=error)
            if not started:
                fault = DocumentedError("internal_error", "An unexpected error occurred in the sandbox.")
                await fault.answer()(scope, receive, marked)

    def _is_own(self, scope: Scope) -> bool:
        named = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        server: tuple[str, int | None] | None = scope.get("server")
        ports = {server[1] if server else None, urlsplit(self._base_url()).port or 80}
        own = {f"{name}:{port}" for name in NAMES for port in ports if port}
        if 80 in ports:
            own.update(NAMES)
        return len(named) == 1 and named[0] in own
