"""The only file that imports the HTTP library: one request, one bounded answer.

Called by client.py and download.py. Decides what a failure proves: `NotSent` only when no byte of the request's body
can have left. Never retries, never follows a redirect, never keeps a cookie, never shows the key or a proxy's password.
"""

import logging
import os
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
from pydantic import SecretStr

from veo_mcp import __version__
from veo_mcp.api import causes, network
from veo_mcp.api.failures import connect_failure, lost, proxy_failure
from veo_mcp.api.responses import BODY_LIMIT, ApiResponse, retry_after, unpacked
from veo_mcp.errors import ApiError
from veo_mcp.text import clean, redact

__all__ = ["Incoming", "Transport"]

USER_AGENT = f"veo-mcp/{__version__}"
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
"""How long a download may bring nothing before it counts as broken."""
GRACE_SECONDS = 1.0
LONGEST_HEADER = 2048
CRASH_POINTS = {
    "connection.connect_tcp.complete": "connected",
    "http11.send_request_headers.complete": "headers sent",
    "http11.send_request_body.complete": "body sent",
}

# At DEBUG these print whole headers of answers, into which an API may well have written the key.
for _name in (httpx.__name__, httpx.__name__.replace("httpx", "httpcore")):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is still to come."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class _Exchange:
    """How far one request has come; what is known of it when it breaks."""

    def __init__(self, crash_at: Callable[[str], None] | None) -> None:
        self.body_begun = False
        self.tunnelled = False
        self.response: httpx.Response | None = None
        self.raw = bytearray()
        self._crash_at = crash_at
        self._connecting = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Hears from the HTTP library what it does. A proxy's CONNECT is a request too, without anything of ours."""
        if event == "http11.send_request_headers.started":
            self._connecting = getattr(info.get("request"), "method", b"") == b"CONNECT"
        elif event == "http11.send_request_body.started" and not self._connecting:
            self.body_begun = True
        elif event == "http11.receive_response_headers.complete" and self._connecting:
            self.tunnelled = True
        if self._crash_at is not None and not self._connecting and event in CRASH_POINTS:
            self._crash_at(CRASH_POINTS[event])


class Transport:
    """Sends requests to one API with one key.

    Args:
        base_url: the API's URL; what is wrong with it is reported by the first request.
        key: the provider's key; goes into the Authorization header and nowhere else.
        clock: Unix seconds now, to read a Retry-After that is a date.
        environ: where proxies and certificates are named.
        crash_at: called at the points of a POST where a crash can fall; the crash tests end the process there.
        observe: called for every request: which, how it ended (a status, or "none"), and how many seconds it took.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        clock: Callable[[], float] = time.time,
        environ: Mapping[str, str] = os.environ,
        crash_at: Callable[[str], None] = lambda point: None,
        observe: Callable[[str, str, float], None] = lambda operation, outcome, seconds: None,
    ) -> None:
        self._crash_at = crash_at
        self._observe = observe
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._clock = clock
        self._environ = environ
        self._pools: dict[tuple[str, bool, bool], httpx.AsyncHTTPTransport] = {}
        self.address: network.Address | None = None
        self._fault = ""
        try:
            self.address = network.address(self._base_url)
        except ValueError as problem:
            self._fault = str(problem)

    def __repr__(self) -> str:
        return f"Transport({self.address.origin if self.address else 'unusable URL'!r})"

    @property
    def origin(self) -> str:
        """The origin of the API's URL; without userinfo, path or a default port."""
        return self.address.origin if self.address else clean(re.sub(r"//[^/@]*@", "//", self._base_url), 100)

    @property
    def host(self) -> str:
        """The API's host, as it may be shown."""
        return self.address.host if self.address else "the address in VEO_BASE_URL"

    async def aclose(self) -> None:
        """Closes what is open."""
        for pool in self._pools.values():
            await pool.aclose()

    async def request(
        self, method: str, path: str, *, json: Mapping[str, Any] | None = None, seconds: float
    ) -> ApiResponse:
        """One request under one total deadline. Raises NotSent, BadAnswer.

        An answer that is not whole comes back with its flaw, because an id may stand in what there is of it.
        """
        target = self._sendable()
        key = self._key_header()
        proxy = network.proxy_for(target, self._environ)
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
        }
        pool = self._pool(target, proxy, downloads=False)
        exchange = _Exchange(self._crash_at if method == "POST" else None)
        # No time-out for a single read: under the total deadline it could only end what a slow API still answers.
        # Opening ends before the deadline: cancelled in its handshake, the library leaves a socket open.
        opening = min(CONNECT_SECONDS, seconds / 2)
        waits = {"connect": opening, "pool": opening, "read": None, "write": None}
        try:
            request = httpx.Request(
                method,
                self._base_url + path,
                json=json,
                headers=headers,
                extensions={"trace": exchange.note, "timeout": waits},
            )
        except (httpx.InvalidURL, ValueError):
            raise causes.URL_NOT_USABLE.error(why="the HTTP library cannot read it") from None
        began = time.monotonic()
        broke = await self._within(seconds, pool, request, exchange)
        outcome = str(exchange.response.status_code) if exchange.response is not None and broke is None else "none"
        self._observe(_operation(method, path), outcome, time.monotonic() - began)
        flaw = self._diagnosed(broke, exchange, target, proxy) if broke is not None else None
        if exchange.response is None:
            # Without an error and without a response there is none: one of the two always is.
            raise flaw or causes.TIMEOUT.error(host=self.host)
        return self._answer(exchange.response, bytes(exchange.raw), flaw)

    @asynccontextmanager
    async def stream(self, target: network.Address, url: str, headers: Mapping[str, str]) -> AsyncGenerator[Incoming]:
        """One GET without the key, for a download: video URLs may lie on another host. Raises ApiError."""
        proxy = network.proxy_for(target, self._environ)
        pool = self._pool(target, proxy, downloads=True)
        exchange = _Exchange(None)
        waits = dict.fromkeys(("connect", "pool"), CONNECT_SECONDS) | dict.fromkeys(("read", "write"), SILENCE_SECONDS)
        sent = {"Accept": "video/*, */*;q=0.1", "Accept-Encoding": "identity", "User-Agent": USER_AGENT, **headers}
        try:
            request = httpx.Request("GET", url, headers=sent, extensions={"trace": exchange.note, "timeout": waits})
            response = await pool.handle_async_request(request)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise self._diagnosed(error, exchange, target, proxy) from None

        async def chunks() -> AsyncIterator[bytes]:
            try:
                # Without a chunk size: to fill chunks the library holds bytes back, and loses them when it breaks.
                async for chunk in response.aiter_raw():
                    yield chunk
            except (httpx.HTTPError, OSError, ValueError) as error:
                raise lost(error, target.host, plain=False) from None

        try:
            yield Incoming(response.status_code, response.headers, chunks())
        finally:
            await response.aclose()

    async def _within(
        self, seconds: float, pool: httpx.AsyncHTTPTransport, request: httpx.Request, exchange: _Exchange
    ) -> Exception | None:
        """Fills the exchange; returns what broke it, TimeoutError if the time is over."""
        broke: Exception | None = TimeoutError()
        scope = anyio.CancelScope()

        async def expire() -> None:
            # Two steps: a process that was stopped, or a laptop that slept, wakes up with the deadline long past, and
            # the answer waiting in its socket. The second step, on a clock that runs again, is time to read it.
            grace = min(GRACE_SECONDS, seconds / 4)
            await anyio.sleep(max(0.0, seconds - grace))
            await anyio.sleep(grace)
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(expire)
            with scope:
                broke = await _exchanged(pool, request, exchange)
            group.cancel_scope.cancel()
        return broke

    def _diagnosed(
        self, error: Exception, exchange: _Exchange, target: network.Address, proxy: network.Proxy | None
    ) -> ApiError:
        """What a failure proves, and why it came."""
        host = target.host
        if isinstance(error, ApiError):
            return error
        if isinstance(error, httpx.PoolTimeout):
            return causes.BUSY.error()
        if isinstance(error, httpx.ProxyError) and proxy is not None:
            return proxy_failure(error, host, proxy)
        if exchange.body_begun:
            if isinstance(error, TimeoutError | httpx.TimeoutException):
                return causes.TIMEOUT.error(host=host)
            return lost(error, host, plain=target.scheme == "http")
        # The headers alone make no request: what it asks for stands in the body, of which no byte had left.
        return connect_failure(error, host, proxy=proxy, tunnelled=exchange.tunnelled)

    def _answer(self, response: httpx.Response, raw: bytes, flaw: ApiError | None) -> ApiResponse:
        secrets = (self._key.get_secret_value(),)

        def header(name: str) -> str:
            # Cut, because a header may have 100 KB; without the key, because an API may repeat it here too.
            return redact(response.headers.get(name, "")[:LONGEST_HEADER], secrets)

        body, damage = unpacked(raw, header("content-encoding"))
        ledger = header("x-veo-sandbox")
        return ApiResponse(
            response.status_code,
            body,
            ledger if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", ledger) else None,
            retry_after(header("retry-after"), self._clock()),
            clean(header("content-type"), 100).lower(),
            _host_of(header("location")),
            flaw or damage,
        )

    def _sendable(self) -> network.Address:
        if self.address is None:
            raise causes.URL_NOT_USABLE.error(why=self._fault)
        return self.address

    def _key_header(self) -> str:
        key = self._key.get_secret_value()
        if not key:
            raise causes.KEY_NOT_SENDABLE.error(why="it is empty")
        for mark in key:
            if not "!" <= mark <= "~":
                what = "a space or line end" if mark.isspace() else f"the character U+{ord(mark):04X}"
                raise causes.KEY_NOT_SENDABLE.error(why=f"it holds {what}, which no key has")
        return key

    def _pool(
        self, target: network.Address, proxy: network.Proxy | None, *, downloads: bool
    ) -> httpx.AsyncHTTPTransport:
        """The connections for this way out. Downloads have their own: sixteen of them must not hold up a create."""
        secure = target.scheme == "https" or (proxy is not None and proxy.scheme == "https")
        name = (proxy.url if proxy else "", secure, downloads)
        if name not in self._pools:
            # Reading the built-in list of authorities takes 20 ms; plain HTTP has no use for it.
            context = network.trusted(self._environ) or httpx.create_ssl_context(trust_env=False) if secure else None
            try:
                self._pools[name] = httpx.AsyncHTTPTransport(
                    verify=context if context is not None else False,  # False: only plain HTTP goes this way
                    trust_env=False,
                    # Connections are never kept: against a server that closed an idle one just as we sent, 99 of 200
                    # POSTs failed without a trace of whether they had been seen; on fresh connections none did.
                    limits=httpx.Limits(max_connections=16, max_keepalive_connections=0),
                    proxy=httpx.Proxy(proxy.url, ssl_context=context if proxy.scheme == "https" else None)
                    if proxy
                    else None,
                )
            except ImportError:
                raise causes.PROXY_NOT_USABLE.error(
                    variable=proxy.variable if proxy else "", why="a SOCKS proxy needs the package socksio"
                ) from None
            except (httpx.InvalidURL, ValueError):
                raise causes.PROXY_NOT_USABLE.error(
                    variable=proxy.variable if proxy else "", why="the HTTP library cannot read it"
                ) from None
        return self._pools[name]


async def _exchanged(pool: httpx.AsyncHTTPTransport, request: httpx.Request, exchange: _Exchange) -> Exception | None:
    try:
        response = await pool.handle_async_request(request)
        exchange.response = response
        try:
            async for chunk in response.aiter_raw():
                exchange.raw += chunk
                if len(exchange.raw) > BODY_LIMIT:
                    del exchange.raw[BODY_LIMIT:]
                    return causes.TOO_LARGE.error()
        finally:
            await response.aclose()
    except (httpx.HTTPError, httpx.StreamError, OSError, ValueError) as error:
        return error
    return None


def _host_of(location: str) -> str:
    """Where a redirect leads; the host alone, because a path may hold a token."""
    try:
        return clean(urlsplit(location).hostname or "", 100)
    except ValueError:
        return ""


def _operation(method: str, path: str) -> str:
    """What a request is called in the metrics."""
    if method == "POST":
        return "create"
    return "credits" if path.endswith("/credits") else "task"
