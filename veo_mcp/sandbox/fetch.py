"""Fetches what strangers' URLs name, and posts callbacks to them, through one guarded door.

Called by the worker. The guard sits on the connection itself: names are resolved once, every address must be public,
and the connection goes to the numeric address that was checked. A redirect passes the same door again.
"""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import anyio
import httpcore

__all__ = ["FetchRefused", "Fetcher", "check_url"]

PORTS = frozenset({80, 443})
IMAGE_LIMIT = 20 * 1024 * 1024
SECONDS = 20.0
REDIRECTS = 3
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
Resolve = Callable[[str, int], Awaitable[list[str]]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class FetchRefused(Exception):
    """The URL may not be fetched, or brought nothing usable."""


def check_url(url: str, *, allow_private: bool, trusted_origin: str | None = None) -> str | None:
    """What is wrong with a URL by its words alone, or None; `trusted_origin` is an origin that may be private."""
    if trusted_origin is not None and url.startswith(trusted_origin.rstrip("/") + "/"):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https"):
        return "must be an http or https URL"
    if not host:
        return "names no host"
    if parts.username is not None or parts.password is not None:
        return "must not carry a user name or password"
    if allow_private:
        return None
    if port is not None and port not in PORTS:
        return "names a port other than 80 and 443"
    if host.rstrip(".").lower() == "localhost" or host.lower().endswith((".localhost", ".local", ".internal")):
        return "names a private address"
    try:
        # inet_aton reads decimal, hex and octal spellings, as resolvers do.
        address = ipaddress.ip_address(host) if ":" in host else ipaddress.ip_address(socket.inet_aton(host))
    except (ValueError, OSError):
        return None
    return None if _public(str(address)) else "names a private address"


def _public(text: str) -> bool:
    if "%" in text:
        return False
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address.sixtofour or address.teredo or address in _NAT64
    ):
        return False
    return address.is_global and not address.is_multicast


async def _looked_up(host: str, port: int) -> list[str]:
    return [str(row[4][0]) for row in await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, *, allow_private: bool, resolve: Resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if not self._allow_private and port not in PORTS:
            raise FetchRefused("its port is not 80 or 443")
        try:
            addresses = await self._resolve(host, port)
        except OSError:
            raise FetchRefused("its host is not known") from None
        # One private address among several is enough to refuse: the next lookup might prefer it.
        if not addresses or not (self._allow_private or all(_public(address) for address in addresses)):
            raise FetchRefused("it leads to a private address")
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """The guarded door; `allow_private` opens it to loopback and private addresses.

    `trusted_origin` is the one private origin that callbacks may reach: the server that embeds the sandbox.
    `resolve` gives the addresses of a host; `seconds` bounds a whole transfer.
    """

    allow_private: bool = False
    trusted_origin: str | None = None
    resolve: Resolve = _looked_up
    seconds: float = SECONDS

    async def image(self, url: str) -> bytes:
        """The bytes of a JPEG, PNG or WebP. Raises FetchRefused."""
        for _hop in range(REDIRECTS + 1):
            status, headers, body = await self._request("GET", url, {"accept": "image/*"}, b"", IMAGE_LIMIT)
            if status in (301, 302, 303, 307, 308) and "location" in headers:
                url = urljoin(url, headers["location"])
                continue
            if status != 200:
                raise FetchRefused(f"its host answered {status}")
            if not (body.startswith(MAGIC) or (body[:4] == b"RIFF" and body[8:12] == b"WEBP")):
                raise FetchRefused("it is not a JPEG, PNG or WebP image")
            return body
        raise FetchRefused("it redirects too often")

    async def post(self, url: str, body: bytes) -> tuple[int, str | None]:
        """Posts JSON; the status and Retry-After. A redirect is an answer like any other. Raises FetchRefused."""
        friendly = self.trusted_origin is not None and url.startswith(self.trusted_origin.rstrip("/") + "/")
        door = replace(self, allow_private=True) if friendly else self
        extra = {"content-type": "application/json"}
        status, headers, _ = await door._request("POST", url, extra, body, 64 * 1024)
        return status, headers.get("retry-after")

    async def _request(
        self, method: str, url: str, extra: Mapping[str, str], content: bytes, limit: int
    ) -> tuple[int, dict[str, str], bytes]:
        fault = check_url(url, allow_private=self.allow_private)
        if fault is not None:
            raise FetchRefused(f"it {fault}")
        headers = {
            "host": urlsplit(url).netloc,
            "accept-encoding": "identity",
            "user-agent": "veo-mcp-sandbox",
            **extra,
        }
        if content:
            headers["content-length"] = str(len(content))
        body = bytearray()
        try:
            with anyio.fail_after(self.seconds):
                async with (
                    httpcore.AsyncConnectionPool(
                        network_backend=GuardedBackend(allow_private=self.allow_private, resolve=self.resolve),
                        max_keepalive_connections=0,
                    ) as pool,
                    pool.stream(method, url, headers=list(headers.items()), content=content) as response,
                ):
                    answer = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
                    async for chunk in response.aiter_stream():
                        body += chunk
                        if len(body) > limit:
                            raise FetchRefused("it is too large")
                    return response.status, answer, bytes(body)
        except TimeoutError:
            raise FetchRefused("its host is too slow") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise FetchRefused(f"its host could not be asked ({type(error).__name__})") from None
