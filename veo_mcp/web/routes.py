"""One ASGI app for streamable HTTP, SSE, callbacks and health, and the server under it.

Called by app.py.py for `--transport http` and `sse`. The backend's lifespan is not here: the SDK enters one per SSE
connection, and two pollers would be one too many. Binds to loopback only, with DNS-rebinding protection always on.
"""

from collections.abc import Callable

import anyio
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from veo_mcp.server.backend import Backend, Unavailable
from veo_mcp.server.build import VeoServer
from veo_mcp.tasks.callbacks import BODY_LIMIT
from veo_mcp.web.runner import serve_app

__all__ = ["NotLoopback", "build_web", "only_loopback", "serve_http"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SLOW_BODY_SECONDS = 10.0
OPEN_TO_ALL = ("/callbacks/", "/healthz")
"""Callbacks come under the public URL's name and prove themselves; health says nothing worth stealing."""


class NotLoopback(Exception):
    """The server was asked to listen where others could reach it, and has no list of who may."""


def only_loopback(host: str) -> None:
    """Raises NotLoopback for a host that others could reach."""
    if host not in LOOPBACK:
        raise NotLoopback(
            f"Listening at {host} would let others spend your credits. Only 127.0.0.1, localhost and ::1 are allowed "
            "(--host, VEO_HOST)."
        )


def build_web(
    server: VeoServer, backend: Backend, *, sse_only: bool = False, body_seconds: float = SLOW_BODY_SECONDS
) -> Starlette:
    """The app; its own lifespan runs the SDK's sessions only. A callback's body must be there in `body_seconds`."""
    # Given explicitly: the SDK drops its protection silently for hosts it does not know.
    names = [f"{name}:*" for name in ("127.0.0.1", "localhost", "[::1]")]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=names,
        allowed_origins=[f"http://{name}" for name in names],
    )
    sse = server.sse_app(transport_security=security)
    if sse_only:
        app = sse
    else:
        app = server.streamable_http_app(transport_security=security)
        there = {_path(route) for route in app.routes}
        app.router.routes.extend(route for route in sse.routes if _path(route) not in there)

    async def callback(request: Request) -> Response:
        body = bytearray()
        try:
            with anyio.fail_after(body_seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > BODY_LIMIT:
                        return PlainTextResponse("too large", 413)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("too slow", 408)
        try:
            await backend.engine()
        except Unavailable:
            return PlainTextResponse("not ready", 503)
        known = await backend.callbacks.take(request.path_params["token"], bytes(body))
        return Response(status_code=204) if known else PlainTextResponse("not found", 404)

    async def alive(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    app.router.routes.append(Route("/callbacks/{token}", callback, methods=["POST"]))
    app.router.routes.append(Route("/healthz", alive, methods=["GET"]))
    app.add_middleware(_Guard, security=security)
    return app


async def serve_http(
    server: VeoServer,
    backend: Backend,
    *,
    host: str,
    port: int,
    sse_only: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serves until cancelled. Raises NotLoopback."""
    only_loopback(host)
    await serve_app(build_web(server, backend, sse_only=sse_only), host, port, ready=ready)


class _Guard:
    """Turns foreign hosts and origins away from everything that is not open to all.

    The SDK does so too, but its SSE door then raises, and whoever knocks there fills the log with tracebacks.
    """

    def __init__(self, app: ASGIApp, security: TransportSecuritySettings) -> None:
        self._app = app
        self._security = TransportSecurityMiddleware(security)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(OPEN_TO_ALL):
            refusal = await self._security.validate_request(Request(scope), is_post=False)
            if refusal is not None:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _path(route: BaseRoute) -> str | None:
    return getattr(route, "path", None)
