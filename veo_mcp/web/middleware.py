"""The outermost HTTP middleware: Host and Origin, limits, well-formed messages, and a clean end.

Wraps the whole app that routes.py builds. Nothing that an unknown client sends gets further than this without having
been looked at, costs more than its share, or leaves more than a line in the log.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCError, JSONRPCRequest
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veo_mcp import telemetry
from veo_mcp.server.json_rpc import LIMIT, BadFrame, parse
from veo_mcp.web.allowed_hosts import AllowedHosts
from veo_mcp.web.auth import Authenticator, User
from veo_mcp.web.bodies import Bodies, BodyRefused, HungUp, replayed

__all__ = ["RequestMiddleware"]

log = logging.getLogger(__name__)

BODY_SECONDS = 20.0
LOOK_SECONDS = 1.0
"""Between two looks at whether those who listen may still."""
OPEN_TO_ALL = ("/callbacks/", "/healthz", "/readyz")
"""Callbacks come under the public URL's name and prove themselves; health says nothing worth stealing."""
ENTRY_POINTS = ("/mcp", "/messages/", "/sse", "/metrics", "/.well-known/", *OPEN_TO_ALL)
WELL_KNOWN = "/.well-known/"
WRONG_HOST = (
    "This server answers under its own names only: 127.0.0.1 and localhost, and those in VEO_ALLOWED_HOSTS and "
    "VEO_PUBLIC_URL where it asks for a token."
)
WRONG_ORIGIN = "Web pages of other sites may not use this server (VEO_ALLOWED_ORIGINS)."
EXPOSED = ("Mcp-Session-Id", "MCP-Protocol-Version", "WWW-Authenticate", "Retry-After")
OWN_FAULT = (
    "veo-mcp hit an error of its own; its log says where. Look at list_tasks before anything is paid for again: it "
    "shows whether a video was started."
)


class RequestMiddleware:
    """The outermost ASGI middleware.

    Args:
        app: the application it wraps.
        names: the hosts and origins that may use it.
        authenticator: knows who a request comes from, and whether it is allowed.
        frames: the paths to which JSON-RPC is posted.
        body_seconds: how long a body may take to come.
        sleep: waits some seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        frames: tuple[str, ...],
        names: AllowedHosts | None = None,
        authenticator: Authenticator | None = None,
        body_seconds: float = BODY_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._app = app
        self._sleep = sleep
        self._frames = frames
        self._names = names or AllowedHosts()
        self._authenticator = authenticator or Authenticator()
        self._body_seconds = body_seconds
        self._bodies = Bodies()
        self._open: set[anyio.CancelScope] = set()
        self._streams: dict[anyio.Event, User] = {}
        # Outside the authenticator: a browser sends no token with its question whether it may send one. Every header
        # may be asked for, because modern clients send headers of their tools; what they may say is looked at behind
        # this.
        self._shared = CORSMiddleware(
            self._authenticated,
            allow_origin_regex=".*",  # the names have been looked at before
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("*",),
            expose_headers=EXPOSED,
            max_age=600,
        )

    def end_streams(self) -> None:
        """Ends what is still open, which is what only listens; clients connect again, elsewhere."""
        for scope in self._open:
            scope.cancel()

    async def end_revoked_streams(self) -> None:
        """Ends the streams of users whose credential is no longer accepted, as soon as that is so, until cancelled."""
        while True:
            await self._sleep(LOOK_SECONDS)
            for gone, user in list(self._streams.items()):
                if not user.still_valid():
                    gone.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["veo.request_id"] = request = secrets.token_hex(8)
        telemetry.request_id.set(request)
        answer = _Answer(send)
        try:
            with anyio.CancelScope() as stream:
                # What was posted gets its answer; only what was opened to listen is ended.
                if scope["method"] == "GET":
                    self._open.add(stream)
                try:
                    await self._dispatch(scope, receive, answer)
                finally:
                    self._open.discard(stream)
        except HungUp:
            return
        except BodyRefused as refusal:
            await answer.give(_error(refusal.status, f"{refusal.words} Nothing was done. Not charged."), scope, receive)
        except Exception:  # the boundary of a request: it alone fails, and its answer does not say why
            log.exception("A request to %s failed.", _known(scope["path"]))
            await answer.give(_error(500, OWN_FAULT), scope, receive)
        await answer.complete()

    async def _dispatch(self, scope: Scope, receive: Receive, send: "_Answer") -> None:
        if not scope["path"].startswith(OPEN_TO_ALL):
            refusal = self._wrong_host_or_origin(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            await self._shared(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _authenticated(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What comes under our names, from pages that may."""
        path, method = scope["path"], scope["method"]
        if not path.startswith(WELL_KNOWN):
            refusal = await self._authenticator.refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        if path == "/sse" and method == "HEAD":
            # The route takes it for a GET, and would open a stream that nobody reads.
            await Response(status_code=405, headers={"Allow": "GET"})(scope, receive, send)
            return
        if method != "POST" or not path.startswith(self._frames):
            await self._stream(scope, receive, send)
            return
        async with self._bodies.read(receive, scope["headers"], limit=LIMIT, seconds=self._body_seconds) as body:
            message = parse(body)
            if isinstance(message, BadFrame):
                log.debug("A message was answered with an error: %s", message.why)
                await _json_rpc(400, message.answer)(scope, receive, send)
                return
            refusal = self._authenticator.refusal_of(scope, message)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            listens = isinstance(message, JSONRPCRequest) and message.method == "subscriptions/listen"
            await (self._stream if listens else self._app)(scope, replayed(body, receive), send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Goes on with a request whose answer may stay open, for as long as its sender's credential is accepted."""
        user = scope.get("user")
        if not isinstance(user, User):
            await self._app(scope, receive, send)
            return
        # As if they had hung up: what is behind this then closes what it has open, which cancelling would not.
        gone = anyio.Event()
        self._streams[gone] = user
        try:
            await self._app(scope, _until(gone, receive), send)
        finally:
            del self._streams[gone]

    def _wrong_host_or_origin(self, scope: Scope) -> Response | None:
        """The answer to a foreign Host or Origin; otherwise both are put in small letters, as the SDK expects them."""
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if len(hosts) != 1 or not self._names.host(hosts[0].decode("latin-1")):
            return PlainTextResponse(WRONG_HOST, 421)
        if len(origins) > 1 or (origins and not self._names.origin(origins[0].decode("latin-1"))):
            return PlainTextResponse(WRONG_ORIGIN, 403)
        scope["headers"] = [
            (name, value.lower() if name in (b"host", b"origin") else value) for name, value in scope["headers"]
        ]
        return None


class _Answer:
    """A `send` that knows how far the answer is, so that one which was cut short ends in order."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._started = False
        self._complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
        elif message["type"] == "http.response.body":
            self._complete = not message.get("more_body", False)
        await self._send(message)

    async def give(self, response: Response, scope: Scope, receive: Receive) -> None:
        """Sends an answer, unless another one has begun."""
        if not self._started:
            await response(scope, receive, self)

    async def complete(self) -> None:
        """Ends the answer if it has not ended, or says that the server is ending if it has not begun."""
        if self._complete:
            return
        if not self._started:
            start: Any = {"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]}
            await self(start)
        with suppress(Exception):  # an answer of a declared length cannot be ended early; the connection then is
            await self({"type": "http.response.body", "body": b"", "more_body": False})


def _until(gone: anyio.Event, receive: Receive) -> Receive:
    """A `receive` that says that the client hung up as soon as they are gone."""

    async def received() -> Message:
        found: Message = {"type": "http.disconnect"}
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                await gone.wait()
                group.cancel_scope.cancel()

            group.start_soon(wait)
            found = await receive()
            group.cancel_scope.cancel()
        return found

    return received


def _error(status: int, words: str) -> Response:
    return _json_rpc(status, JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=INTERNAL_ERROR, message=words)))


def _json_rpc(status: int, answer: JSONRPCError) -> Response:
    return JSONResponse(answer.model_dump(by_alias=True, mode="json", exclude_unset=True), status)


def _known(path: str) -> str:
    """The entry point that a path belongs to; the path itself may be a secret or foreign text."""
    return next((known for known in ENTRY_POINTS if path.startswith(known)), "an unknown path")
