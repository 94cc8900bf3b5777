"""One ASGI app for streamable HTTP, SSE, callbacks and health, and the server under it.

Called by app.py for `--transport http` and `sse`. The backend's lifespan is not here: the SDK enters one per SSE
connection, and two pollers would be one too many. access.py decides who is let through; DNS-rebinding protection is
always on.
"""

from collections.abc import Awaitable, Callable
from functools import partial

import anyio
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from veo_mcp.server.backend import Backend
from veo_mcp.server.build import VeoServer
from veo_mcp.server.sdk_compat import end_session
from veo_mcp.server.shutdown import Shutdown
from veo_mcp.web.access import WELL_KNOWN, Access
from veo_mcp.web.allowed_hosts import LOOPBACK
from veo_mcp.web.callbacks import callback_route
from veo_mcp.web.connections import HEADER_SECONDS, connection_limit
from veo_mcp.web.health import Health
from veo_mcp.web.metrics import Metrics
from veo_mcp.web.middleware import BODY_SECONDS, RequestMiddleware
from veo_mcp.web.proxies import behind_proxies
from veo_mcp.web.runner import serve_app
from veo_mcp.web.sessions import Sessions

__all__ = ["build_web", "serve_http"]

NO_SESSIONS = "This server keeps no sessions (VEO_HTTP_STATELESS), and SSE is one. Use /mcp. Nothing was done."


def build_web(
    server: VeoServer,
    backend: Backend,
    shutdown: Shutdown,
    *,
    access: Access | None = None,
    metrics: Metrics | None = None,
    sse_only: bool = False,
    body_seconds: float = BODY_SECONDS,
) -> RequestMiddleware:
    """The app; its own lifespan runs the SDK's sessions only. A body must be there in `body_seconds`."""
    access, metrics = access or Access(), metrics or Metrics(backend)
    server.middleware.append(metrics.middleware)
    hosts = [*LOOPBACK, *access.names.hosts]
    # Given explicitly: the SDK drops its protection silently for hosts it does not know. The middleware has looked
    # before it, and more closely; the SDK's comparison is the second lock.
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[*hosts, *(f"{name}:*" for name in hosts)],
        allowed_origins=[
            *access.names.origins,
            *(f"{scheme}://{name}{port}" for scheme in ("http", "https") for name in LOOPBACK for port in ("", ":*")),
        ],
    )
    sse = server.sse_app(transport_security=security)
    if sse_only:
        app = sse
    else:
        # Unlimited there: it would refuse new clients for the sake of old ones that nobody uses.
        app = server.streamable_http_app(
            transport_security=security, max_sessions=None, stateless_http=access.stateless
        )
        there = {_path(route) for route in app.routes}
        others = [Route("/sse", _no_sessions)] if access.stateless else sse.routes
        app.router.routes.extend(route for route in others if _path(route) not in there)
    health = Health(backend, shutdown)
    app.router.routes.append(callback_route(backend, metrics, body_seconds=body_seconds))
    app.router.routes.append(Route("/metrics", metrics.scrape, methods=["GET"]))
    if access.metadata is not None:
        for path in (WELL_KNOWN, f"{WELL_KNOWN}/mcp", f"{WELL_KNOWN}/sse"):
            app.router.routes.append(Route(path, _document(access.metadata), methods=["GET"]))
    app.router.routes.append(Route("/healthz", health.alive, methods=["GET"]))
    app.router.routes.append(Route("/readyz", health.ready, methods=["GET"]))
    behind = Sessions(app, partial(end_session, server), limit=access.sessions)
    return RequestMiddleware(
        behind,
        frames=("/messages/",) if sse_only else ("/mcp", "/messages/"),
        names=access.names,
        authenticator=access.authenticator,
        body_seconds=body_seconds,
    )


async def serve_http(
    server: VeoServer,
    backend: Backend,
    *,
    host: str,
    port: int,
    shutdown: Shutdown | None = None,
    access: Access | None = None,
    metrics: Metrics | None = None,
    sse_only: bool = False,
    ready: Callable[[], None] = lambda: None,
    body_seconds: float = BODY_SECONDS,
    header_seconds: float = HEADER_SECONDS,
) -> None:
    """Serves until cancelled or until `shutdown` begins; requests begun by then are answered. Raises PortTaken."""
    shutdown, access = shutdown or Shutdown(), access or Access()
    middleware = build_web(
        server, backend, shutdown, access=access, metrics=metrics, sse_only=sse_only, body_seconds=body_seconds
    )
    over = anyio.Event()

    async def end() -> None:
        await shutdown.wait()
        await shutdown.finish()
        middleware.end_streams()
        over.set()

    async with anyio.create_task_group() as group:
        group.start_soon(end)
        group.start_soon(middleware.end_revoked_streams)
        await serve_app(
            behind_proxies(middleware, access.proxies),
            host,
            port,
            ready=ready,
            until=over,
            connections=connection_limit(),
            header_seconds=header_seconds,
        )
        group.cancel_scope.cancel()


def _document(build: Callable[[Scope], dict[str, object]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(build(request.scope), headers={"Cache-Control": "public, max-age=600"})

    return answer


async def _no_sessions(_request: Request) -> Response:
    return PlainTextResponse(NO_SESSIONS, 404)


def _path(route: BaseRoute) -> str | None:
    return getattr(route, "path", None)
