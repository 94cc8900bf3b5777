"""Fetches foreign URLs, and posts callbacks to them, through one guarded client.

Called by the worker. The guard sits on the connection itself: names are resolved once, every address must be public,
and the connection goes to the numeric address that was checked. A redirect passes the same check again.
"""

import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, cast
from urllib.parse import quote, urljoin, urlsplit

import anyio
import httpcore  # here and nowhere else; httpx2's httpcore2 has the same names, and the tests pass with it

from veo_mcp.sandbox.openapi import MOST_URL

__all__ = ["FetchRefused", "Fetcher", "check_url"]

PORTS = frozenset({80, 443})
IMAGE_LIMIT = 20 * 1024 * 1024
SECONDS = 20.0
REDIRECTS = 3
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
Resolve = Callable[[str, int], Awaitable[list[str]]]
HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?\.?", re.IGNORECASE)

# By the IANA registries of special-purpose addresses (2025-10), not by `is_global`, which knows those of its Python
# version only and lets site-local, 4in6-compatible and local NAT64 addresses pass.
# fmt: off
_SPECIAL_V4 = [ip_network(block) for block in (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    # Public by the registry, yet inside Azure it is the host that hands out a machine's settings.
    "168.63.129.16/32",
)]
_UNICAST_V6 = ip_network("2000::/3")
"""The only IPv6 block that is handed out for public use; everything else is special or unassigned."""
_SPECIAL_V6 = [ip_network(block) for block in (
    # 2001::/23 holds Teredo, benchmarking, ORCHID and AMT; 2002::/16 is 6to4, which carries any IPv4 address.
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20",
)]
# fmt: on
_NAT64 = ip_network("64:ff9b::/96")
"""How an IPv6-only network names IPv4 hosts: as public as the IPv4 address in the last 32 bits."""


class FetchRefused(Exception):
    """The URL may not be fetched, or brought nothing usable."""


def check_url(url: str, *, allow_private: bool, trusted_origin: str | None = None) -> str | None:
    """What is wrong with a URL by its words alone, to be read after its name; None when nothing is.

    `trusted_origin` is an origin that may be private.
    """
    try:
        parts = urlsplit(_plain(url))
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return str(error) if isinstance(error, _Unusable) else "is not a URL"
    if allow_private or _is_at(url, trusted_origin):
        return None
    if port is not None and port not in PORTS:
        return "names a port other than 80 and 443"
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(
        (".localhost", ".local", ".internal")
    ):
        return "names a private address"
    try:
        # inet_aton reads decimal, hex and octal spellings, as resolvers do.
        address = ip_address(host) if ":" in host else ip_address(socket.inet_aton(host))
    except (ValueError, OSError):
        return None
    return None if _public(str(address)) else "names a private address"


class _Unusable(ValueError):
    """What is wrong with a URL."""


def _plain(url: str) -> str:
    """The URL in ASCII, as it goes over the wire. Raises ValueError with what is wrong with it."""
    if len(url) > MOST_URL:
        raise _Unusable(f"is longer than {MOST_URL} characters")
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        raise _Unusable("has spaces or control characters in it")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise _Unusable("must be an http or https URL")
    if parts.username is not None or parts.password is not None:
        raise _Unusable("must not carry a user name or password")
    host, port = parts.hostname, parts.port
    if not host:
        raise _Unusable("names no host")
    try:
        host = f"[{IPv6Address(host)}]" if ":" in host else host.encode("idna").decode()
    except ValueError:
        raise _Unusable("names a host that cannot exist") from None
    if "%" in host or not (host.startswith("[") or HOST.fullmatch(host)):
        raise _Unusable("names a host that cannot exist")
    place = host if port is None else f"{host}:{port}"
    # Letters of other scripts in a path or query go as UTF-8, percent-encoded, as browsers send them.
    path, query = (quote(part, safe="%/:=&?~!$'()*+,;@[]-._") for part in (parts.path or "/", parts.query))
    return f"{parts.scheme}://{place}{path}{'?' + query if query else ''}"


def _is_at(url: str, origin: str | None) -> bool:
    return origin is not None and url.startswith(origin.rstrip("/") + "/")


def _public(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _SPECIAL_V4)
    if address.scope_id:
        return False
    if address in _NAT64:
        return _public(str(IPv4Address(int(address) & 0xFFFFFFFF)))
    return address in _UNICAST_V6 and not any(address in block for block in _SPECIAL_V6)


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
        except (OSError, ValueError):
            raise FetchRefused("its host is not known") from None
        # One private address among several is enough to refuse: the next lookup might prefer it.
        if not addresses or not (self._allow_private or all(_public(address) for address in addresses)):
            raise FetchRefused("it leads to a private address")
        failure: Exception = FetchRefused("its host is not known")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failure = error  # a name with IPv6 addresses, on a machine that has no IPv6
        raise failure

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """The guarded client; `allow_private` lets it reach loopback and private addresses.

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
                try:
                    url = urljoin(url, headers["location"])
                except ValueError:
                    raise FetchRefused("it redirects to what is not a URL") from None
                continue
            if status != 200:
                raise FetchRefused(f"its host answered {status}")
            if not (body.startswith(MAGIC) or (body[:4] == b"RIFF" and body[8:12] == b"WEBP")):
                raise FetchRefused("it is not a JPEG, PNG or WebP image")
            return body
        raise FetchRefused("it redirects too often")

    async def post(self, url: str, body: bytes) -> tuple[int, str | None]:
        """Posts JSON; the status and Retry-After. A redirect is an answer like any other. Raises FetchRefused."""
        fetcher = replace(self, allow_private=True) if _is_at(url, self.trusted_origin) else self
        extra = {"content-type": "application/json"}
        status, headers, _ = await fetcher._request("POST", url, extra, body, 64 * 1024)
        return status, headers.get("retry-after")

    async def _request(
        self, method: str, url: str, extra: Mapping[str, str], content: bytes, limit: int
    ) -> tuple[int, dict[str, str], bytes]:
        fault = check_url(url, allow_private=self.allow_private)
        if fault is not None:
            raise FetchRefused(f"it {fault}")
        url = _plain(url)
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
