"""The public keys of an OAuth issuer, fetched without blocking and kept a while.

Called by web/oauth.py. Goes out over transport.py, without any key of ours. Raises ApiError when the issuer cannot be
asked, and keeps what it knew before then.
"""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio
from pydantic import SecretStr

from veo_mcp.api import network
from veo_mcp.api.transport import Transport
from veo_mcp.errors import ApiError, UpstreamUnavailable

__all__ = ["Issuer"]

FETCH_SECONDS = 10.0
KEPT_SECONDS = 600.0
AGAIN_SECONDS = 30.0
"""Tokens that name a key nobody knows must not make us ask the issuer more often than this."""
LARGEST = 512 * 1024


class Issuer:
    """One issuer.

    Args:
        url: exactly as it stands in `iss`.
        monotonic: seconds that never go back.
        environ: where proxies and certificates are named.
    """

    def __init__(
        self,
        url: str,
        *,
        monotonic: Callable[[], float] = anyio.current_time,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.url = url
        self._monotonic = monotonic
        self._transport = Transport(url, SecretStr(""), environ=environ)
        self._lock = anyio.Lock()
        self._keys: list[dict[str, Any]] = []
        self._fetched_at: float | None = None
        self._asked_at: float | None = None

    async def keys(self, kid: str | None) -> list[dict[str, Any]]:
        """Its keys as JWKs, fetched again when `kid` is not among them. Raises ApiError while none are known."""
        if self._fresh(kid):
            return self._keys
        async with self._lock:
            if not self._fresh(kid) and (self._asked_at is None or self._age(self._asked_at) >= AGAIN_SECONDS):
                self._asked_at = self._monotonic()
                try:
                    self._keys = await self._fetch()
                    self._fetched_at = self._monotonic()
                except ApiError:
                    if not self._keys:
                        raise
        if self._fetched_at is None:
            raise UpstreamUnavailable("The issuer of access tokens cannot be asked for its keys just now.")
        return self._keys

    def _fresh(self, kid: str | None) -> bool:
        if self._fetched_at is None or self._age(self._fetched_at) > KEPT_SECONDS:
            return False
        return kid is None or any(key.get("kid") == kid for key in self._keys)

    def _age(self, then: float) -> float:
        return self._monotonic() - then

    async def _fetch(self) -> list[dict[str, Any]]:
        base = network.address(self.url)
        path = base.path.rstrip("/")
        # RFC 8414 puts its path before the issuer's, OpenID Connect after it.
        places = [
            f"{base.origin}/.well-known/oauth-authorization-server{path}",
            f"{base.origin}{path}/.well-known/openid-configuration",
        ]
        for place in places:
            found = await self._json(place)
            if found is not None and found.get("issuer") == self.url:
                keys = await self._json(self._key_url(found.get("jwks_uri")))
                if keys is not None and isinstance(keys.get("keys"), list):
                    return [cast("dict[str, Any]", key) for key in keys["keys"] if isinstance(key, dict)]
        raise UpstreamUnavailable("The issuer of access tokens does not say where its keys are.")

    def _key_url(self, url: object) -> str:
        try:
            address = network.address(url if isinstance(url, str) else "")
        except ValueError:
            address = None
        if address is None or not (address.scheme == "https" or network.is_loopback(address.hostname)):
            raise UpstreamUnavailable("The issuer of access tokens names no https URL for its keys.")
        return str(url)

    async def _json(self, url: str) -> dict[str, Any] | None:
        body = bytearray()
        with anyio.move_on_after(FETCH_SECONDS) as scope:
            async with self._transport.stream(network.address(url), url, {"Accept": "application/json"}) as answer:
                if answer.status != 200:
                    return None
                async for chunk in answer.chunks:
                    body += chunk
                    if len(body) > LARGEST:
                        return None
        if scope.cancelled_caught:
            raise UpstreamUnavailable("The issuer of access tokens did not answer in time.")
        try:
            found: object = json.loads(body)
        except (ValueError, RecursionError):
            return None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None
