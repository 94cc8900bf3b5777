"""VEO_OAUTH_ISSUER: a resource server of OAuth 2.1 that takes an issuer's JWTs, and says where to get them.

Used by auth.py and access.py. Checks signature, issuer, audience and times with PyJWT; asks the issuer for its public
keys and for nothing else. Issues no tokens, registers no clients.
"""

import time
from collections.abc import Callable
from typing import Any, cast

import jwt
from mcp.server.auth.provider import AccessToken
from mcp.shared.auth import ProtectedResourceMetadata
from pydantic import AnyHttpUrl
from starlette.datastructures import Headers

from veo_mcp.api.account import Caller
from veo_mcp.api.jwks import Issuer
from veo_mcp.errors import ApiError
from veo_mcp.server.caller import SCOPES
from veo_mcp.web.auth import AccessDenied, User, bearer

__all__ = ["JwtVerifier", "OAuthMethod", "metadata"]

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a private key only: with a shared secret, or none at all, anyone could sign."""
LEEWAY_SECONDS = 30
LONGEST_SUBJECT = 255
REQUIRED = ("iss", "aud", "exp", "sub")


class JwtVerifier:
    """The SDK's TokenVerifier over one issuer and one audience."""

    def __init__(self, issuer: Issuer, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience

    async def verify_token(self, token: str) -> AccessToken | None:
        """What the token says, or None for one that does not count here. Raises ApiError."""
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = header.get("alg"), header.get("kid")
            if algorithm not in ALGORITHMS or "crit" in header:
                return None
            for key in await self._issuer.keys(kid if isinstance(kid, str) else None):
                if key.get("use", "sig") == "sig" and key.get("kid") == kid and key.get("kty") != "oct":
                    claims = self._claims(token, key, str(algorithm))
                    if claims is not None:
                        return _access(claims, self._audience)
        except jwt.PyJWTError:
            return None
        return None

    def _claims(self, token: str, key: dict[str, Any], algorithm: str) -> dict[str, Any] | None:
        try:
            return jwt.decode(
                token,
                jwt.PyJWK.from_dict(key, algorithm=key.get("alg", algorithm)),
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer.url,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
        except jwt.PyJWTError:
            return None


class OAuthMethod:
    """A token's subject is the principal."""

    scheme = 'Bearer realm="veo-mcp"'
    scoped = True

    def __init__(self, verifier: JwtVerifier, *, clock: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._clock = clock

    async def authenticate(self, headers: Headers, client: str) -> User:
        """The user whom the JWT in the headers names. Raises AccessDenied."""
        del client
        token = bearer(headers)
        try:
            found = await self._verifier.verify_token(token)
        except ApiError as away:
            raise AccessDenied(503, f"{away.explanation} Nothing was done.", retry_after=30.0) from None
        if found is None or not found.subject:
            words = "This access token is not valid here: wrong, expired, or meant for another server."
            raise AccessDenied(401, f"{words} Nothing was done.", error="invalid_token")
        scopes = tuple(scope for scope in found.scopes if scope in SCOPES)
        if not scopes:
            words = f"This token has neither scope of this server ({', '.join(SCOPES)}). Nothing was done."
            raise AccessDenied(403, words, error="insufficient_scope", scopes=SCOPES)
        issuer = str((found.claims or {}).get("iss"))
        ends_at = (found.expires_at or 0) + LEEWAY_SECONDS
        return User(
            Caller(principal=found.subject),
            client=found.client_id,
            scopes=scopes,
            issuer=issuer,
            still_valid=lambda: self._clock() < ends_at,
        )


def metadata(resource: str, issuer: str) -> dict[str, object]:
    """The document of RFC 9728."""
    said = ProtectedResourceMetadata(
        resource=AnyHttpUrl(resource),
        authorization_servers=[AnyHttpUrl(issuer)],
        scopes_supported=list(SCOPES),
        resource_name="veo-mcp",
    )
    found = said.model_dump(mode="json", exclude_none=True)
    # To the letter: clients compare both as text.
    return {**found, "resource": resource, "authorization_servers": [issuer]}


def _access(claims: dict[str, Any], audience: str) -> AccessToken | None:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        return None
    client = claims.get("client_id") or claims.get("azp") or ""
    said = claims.get("scope") or claims.get("scp") or ""
    scopes = said.split() if isinstance(said, str) else [str(one) for one in cast("list[object]", said)]
    return AccessToken(
        token="",
        client_id=str(client),
        scopes=scopes,
        expires_at=int(claims["exp"]),
        resource=audience,
        subject=subject,
        claims={"iss": claims["iss"]},
    )
