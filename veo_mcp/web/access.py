"""How one HTTP server may be reached, from its settings: names, proxies, authentication, and whether it may start.

Called by app.py and `veo-mcp check`. The one rule: what others can reach asks who they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.types import Scope

from veo_mcp.api.jwks import Issuer
from veo_mcp.errors import NotLoopback, WrongSetting
from veo_mcp.server.backend import Backend
from veo_mcp.settings import Settings
from veo_mcp.web.allowed_hosts import LOOPBACK, AllowedHosts
from veo_mcp.web.auth import AccessTokenMethod, Authenticator, AuthMethod
from veo_mcp.web.caller_keys import CallerKeyMethod
from veo_mcp.web.sessions import MAX_SESSIONS
from veo_mcp.web.tokens import Tokens

__all__ = ["WELL_KNOWN", "Access", "access_from", "closed_to_others"]

WELL_KNOWN = "/.well-known/oauth-protected-resource"
WAYS = "VEO_ACCESS_TOKENS, VEO_OAUTH_ISSUER with VEO_OAUTH_AUDIENCE, or VEO_CALLER_KEYS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How one server may be reached.

    Attributes:
        names: the hosts and origins that requests may come under.
        authenticator: who has access.
        proxies: addresses and networks whose X-Forwarded-* count.
        metadata: the document of RFC 9728, for a request; None where there is none.
        sessions: how many sessions of the handshake era are kept.
        stateless: whether none is: any replica then answers any call.
    """

    names: AllowedHosts = field(default_factory=AllowedHosts)
    authenticator: Authenticator = field(default_factory=Authenticator)
    proxies: tuple[str, ...] = ()
    metadata: Callable[[Scope], dict[str, object]] | None = None
    sessions: int = MAX_SESSIONS
    stateless: bool = False


def closed_to_others(settings: Settings) -> None:
    """Raises NotLoopback for a server that others could reach and that would not ask who they are."""
    if settings.asks:
        return
    opened = [
        (not _loopback(settings.host), f"Listening at {settings.host} (--host, VEO_HOST)"),
        (bool(settings.trusted_proxies), "A proxy in front of the server (VEO_TRUSTED_PROXIES)"),
        (not all(_loopback(host) for host in settings.allowed_hosts), "A name of its own (VEO_ALLOWED_HOSTS)"),
    ]
    why = next((words for is_open, words in opened if is_open), None)
    if why is not None:
        raise NotLoopback(
            f"{why} would let others spend your credits. Set one of {WAYS}, so that it asks who they are, or listen at "
            "127.0.0.1 alone."
        )


def access_from(
    settings: Settings, backend: Backend | None = None, *, monotonic: Callable[[], float] = anyio.current_time
) -> Access:
    """The access that these settings describe; `backend` proves callers' keys. Raises NotLoopback and WrongSetting."""
    closed_to_others(settings)
    method, document = _auth_method(settings, backend or Backend(), monotonic), _metadata(settings)
    hosts = set(settings.allowed_hosts)
    if method is not None:
        # Without a way to prove who they are, the public URL is for callbacks alone: they come under its name and prove
        # themselves.
        hosts |= {urlsplit(settings.public_url).netloc.lower()} if settings.public_url else set()
        hosts |= set() if _any_address(settings.host) else {_bracketed(settings.host)}
    return Access(
        names=AllowedHosts(frozenset(hosts), frozenset(settings.allowed_origins)),
        authenticator=Authenticator(
            method,
            rate=settings.rate_limit,
            metadata_url=(lambda scope: _base(settings, scope) + WELL_KNOWN) if document else None,
            monotonic=monotonic,
        ),
        metadata=document,
        proxies=settings.trusted_proxies,
        sessions=settings.max_sessions,
        stateless=settings.http_stateless,
    )


def _auth_method(settings: Settings, backend: Backend, monotonic: Callable[[], float]) -> AuthMethod | None:
    if settings.access_tokens is not None:
        try:
            return AccessTokenMethod(Tokens(settings.access_tokens))
        except ValueError as fault:
            raise WrongSetting(
                f"VEO_ACCESS_TOKENS: {settings.access_tokens} {fault}. `veo-mcp token add NAME` adds a line."
            ) from None
    if settings.oauth_issuer is not None and settings.oauth_audience is not None:
        from veo_mcp.web.oauth import JwtVerifier, OAuthMethod

        return OAuthMethod(JwtVerifier(Issuer(settings.oauth_issuer, monotonic=monotonic), settings.oauth_audience))
    if settings.callers_pay:
        return CallerKeyMethod(backend, monotonic=monotonic)
    return None


def _metadata(settings: Settings) -> Callable[[Scope], dict[str, object]] | None:
    issuer, audience = settings.oauth_issuer, settings.oauth_audience
    if issuer is None or audience is None:
        return None
    from veo_mcp.web.oauth import metadata

    def document(scope: Scope) -> dict[str, object]:
        # Clients ask their authorization server for a token for this; where the audience is a URL, it is its name.
        named = audience if audience.startswith(("http://", "https://")) else _base(settings, scope) + "/mcp"
        return metadata(named, issuer)

    return document


def _base(settings: Settings, scope: Scope) -> str:
    """The URL that this server is known under, seen from a request whose Host has been looked at."""
    if settings.public_url:
        return settings.public_url
    return f"{scope['scheme']}://{Headers(scope=scope)['host']}"


def _loopback(host: str) -> bool:
    """Whether a host, with its port or without, is this machine itself."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("::1") else host
    if _bracketed(name) in LOOPBACK:
        return True
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _any_address(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
