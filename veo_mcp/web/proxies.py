"""What a proxy says of the request it passes on, believed only from the proxies that the operator named.

Wraps the middleware, in access.py's order: what it finds here counts for names, challenges and rates. From
any other address the headers are left as they are, and nothing behind this reads them.
"""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

__all__ = ["behind_proxies"]


def behind_proxies(app: ASGIApp, trusted: Sequence[str]) -> ASGIApp:
    """The app as it is seen through these proxies, given as addresses and networks."""
    if not trusted:
        return app
    # The library knows X-Forwarded-For and -Proto. It changes the client, so the host comes first.
    forwarded: ASGIApp = ProxyHeadersMiddleware(app, list(trusted))  # pyright: ignore[reportAssignmentType, reportArgumentType]
    return _ForwardedHost(forwarded, trusted)


class _ForwardedHost:
    """Puts X-Forwarded-Host in the place of Host."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._trusted = [ip_network(one, strict=False) for one in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._trusts((scope.get("client") or ("", 0))[0]):
            named = [value for name, value in scope["headers"] if name == b"x-forwarded-host"]
            # A chain of proxies appends; the first is what the client asked for, and may be the client's own words.
            if named:
                host = named[-1].rpartition(b",")[2].strip()
                kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
                scope["headers"] = [(b"host", host), *kept]
        await self._app(scope, receive, send)

    def _trusts(self, client: str) -> bool:
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)
