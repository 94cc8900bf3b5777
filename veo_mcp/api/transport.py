"""The only file that imports the HTTP library: one request, one bounded answer.

Called by api/client.py. Decides what a failure proves: `NotSent` only when no byte of the request can have left. Never
retries, never follows redirects, never shows the key.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import anyio
import httpx
from pydantic import SecretStr

from veo_mcp.errors import BadAnswer, NotSent

__all__ = ["Answer", "Transport"]

BODY_LIMIT = 1024 * 1024
CRASH_POINTS = {
    "connection.connect_tcp.complete": "connected",
    "http11.send_request_headers.complete": "headers sent",
    "http11.send_request_body.complete": "body sent",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer of at most 1 MiB."""

    status: int
    body: bytes
    sandbox: str | None
    retry_after: float | None


class Transport:
    """Sends requests to one API with one key.

    Args:
        base_url: the API's URL, without a path.
        key: the provider's key; goes into the Authorization header and nowhere else.
        clock: Unix seconds now, to read a Retry-After that is a date.
        crash_at: called at the points of a POST where a crash can fall; the crash tests end the process there.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        clock: Callable[[], float] = time.time,
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._crash_at = crash_at
        self._base_url = base_url.rstrip("/")
        self._key = key
        self._clock = clock
        self._http = httpx.AsyncClient(
            # Connections are never kept: against a server that closed an idle one just as we sent, 99 of 200
            # POSTs failed without a trace of whether they had been seen; on fresh connections none did.
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=0),
            timeout=httpx.Timeout(30.0, connect=10.0),
            follow_redirects=False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"Transport({self._base_url!r})"

    async def aclose(self) -> None:
        """Closes what is open."""
        await self._http.aclose()

    async def request(self, method: str, path: str, *, json: Mapping[str, Any] | None = None, seconds: float) -> Answer:
        """One request under one total deadline. Raises NotSent, BadAnswer."""
        headers = {
            "Authorization": f"Bearer {self._key.get_secret_value()}",
            "Accept": "application/json",
            # httpx 0.28 inflates a compressed bomb (254 KiB grew to 273 MB) before any cap can act.
            "Accept-Encoding": "identity",
        }
        started: list[str] = []

        async def note(event: str, _info: Mapping[str, Any]) -> None:
            started.append(event)
            point = CRASH_POINTS.get(event)
            if point is not None and method == "POST":
                self._crash_at(point)

        try:
            # The library's timeouts are per read: against a server that trickles, 0.5 s took 8.4 s.
            with anyio.fail_after(seconds):
                async with self._http.stream(
                    method, self._base_url + path, json=json, headers=headers, extensions={"trace": note}
                ) as response:
                    return await self._read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol):
            raise NotSent("the connection could not be opened") from None
        except TimeoutError:
            if not any("send_request_headers" in event for event in started):
                raise NotSent("the connection could not be opened in time") from None
            raise BadAnswer("no complete answer came in time", code="timeout") from None
        except httpx.HTTPError as error:
            raise BadAnswer(f"the connection broke: {type(error).__name__}", code="connection_lost") from None

    @asynccontextmanager
    async def stream(self, url: str, *, offset: int) -> AsyncGenerator[httpx.Response]:
        """A download from `offset` on, without the key: video URLs may lie on another host."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        try:
            async with self._http.stream("GET", url, headers=headers, follow_redirects=True) as response:
                yield response
        except httpx.HTTPError as error:
            raise BadAnswer(f"the download broke: {type(error).__name__}", code="connection_lost") from None

    async def _read(self, response: httpx.Response) -> Answer:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BadAnswer("the answer is compressed, which was not asked for", http_status=response.status_code)
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise BadAnswer("the answer is larger than 1 MiB", http_status=response.status_code)
        return Answer(
            response.status_code,
            bytes(body),
            response.headers.get("x-veo-sandbox"),
            self._retry_after(response.headers.get("retry-after")),
        )

    def _retry_after(self, value: str | None) -> float | None:
        if value is None:
            return None
        if value.strip().isdigit():
            return float(value)
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - self._clock())
        except ValueError:
            return None
