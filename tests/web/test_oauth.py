"""OAuth: only this issuer's tokens, for this audience, now, with a scope that covers the call; and where to get one."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode, base64url_encode
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.child import INITIALIZE, call
from tests.support.ports import free_port
from tests.support.results import structured
from tests.support.site import Site, site
from veo_mcp.settings import load
from veo_mcp.web.access import access_from
from veo_mcp.web.runner import serve_app

pytestmark = pytest.mark.anyio

JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
AUDIENCE = "https://veo.example.com/mcp"
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
BOTH = "veo:read veo:create"


def jwk(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": kid, "use": "sig", "alg": algorithm}


class Issuing:
    """An issuer on loopback, and the tokens that it and others make."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.fetched = 0
        self.published = [jwk(KEY, "rsa", "RS256"), jwk(CURVE, "ec", "ES256")]

    def token(self, *, key: Any = KEY, kid: str | None = "rsa", alg: str = "RS256", **more: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "anna", "exp": now + 60, "iat": now, "scope": BOTH}
        claims = {name: value for name, value in {**claims, **more}.items() if value is not None}
        return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid} if kid else None)

    async def about(self, _request: Request) -> JSONResponse:
        return JSONResponse({"issuer": self.url, "jwks_uri": self.url + "/keys"})

    async def keys(self, _request: Request) -> JSONResponse:
        self.fetched += 1
        return JSONResponse({"keys": self.published})


@asynccontextmanager
async def issuing() -> AsyncGenerator[Issuing]:
    issuer = Issuing(f"http://127.0.0.1:{(port := free_port())}")
    app = Starlette(routes=[Route("/.well-known/openid-configuration", issuer.about), Route("/keys", issuer.keys)])
    up = anyio.Event()
    async with anyio.create_task_group() as group:

        async def serve() -> None:
            await serve_app(app, "127.0.0.1", port, ready=up.set)

        group.start_soon(serve)
        await up.wait()
        yield issuer
        group.cancel_scope.cancel()


@asynccontextmanager
async def resource(folder: Path, issuer: str, **more: str) -> AsyncGenerator[Site]:
    environ = {"VEO_TRANSPORT": "http", "VEO_OAUTH_ISSUER": issuer, "VEO_OAUTH_AUDIENCE": AUDIENCE, **more}
    async with site(folder, access=access_from(load(environ))) as env:
        yield env


async def opened(env: Site, token: str, body: Any = INITIALIZE) -> httpx2.Response:
    async with httpx2.AsyncClient() as http:
        headers = {**JSON, "Authorization": f"Bearer {token}"}
        return await http.post(env.url + "/mcp", headers=headers, json=body)


def unsigned(issuer: Issuing) -> str:
    _, body, _ = issuer.token().split(".")
    return ".".join((base64url_encode(b'{"alg":"none","kid":"rsa"}').decode(), body, ""))


def by_public_key(issuer: Issuing) -> str:
    """Signed with the public key as if it were a shared secret."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, body, _ = issuer.token().split(".")
    begun = base64url_encode(b'{"alg":"HS256","kid":"rsa"}').decode() + "." + body
    mac = hmac.new(public, begun.encode(), hashlib.sha256).digest()
    return begun + "." + base64url_encode(mac).decode()


def touched(issuer: Issuing) -> str:
    head, body, signature = issuer.token().split(".")
    claims = json.loads(base64url_decode(body))
    forged = base64url_encode(json.dumps({**claims, "sub": "ben"}).encode()).decode()
    return f"{head}.{forged}.{signature}"


REFUSED: dict[str, Callable[[Issuing], str]] = {
    "alg none": unsigned,
    "public key as secret": by_public_key,
    "touched": touched,
    "another's key": lambda issuer: issuer.token(key=OTHER),
    "unknown kid": lambda issuer: issuer.token(kid="nobody"),
    "no kid": lambda issuer: issuer.token(kid=None),
    "curve's name, RSA's key": lambda issuer: issuer.token(kid="ec"),
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 60),
    "not yet": lambda issuer: issuer.token(nbf=int(time.time()) + 600),
    "no end": lambda issuer: issuer.token(exp=None),
    "another audience": lambda issuer: issuer.token(aud="https://other.example.com/mcp"),
    "audience that begins so": lambda issuer: issuer.token(aud=AUDIENCE + "/x"),
    "no audience": lambda issuer: issuer.token(aud=None),
    "another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "issuer with a slash": lambda issuer: issuer.token(iss=issuer.url + "/"),
    "no subject": lambda issuer: issuer.token(sub=None),
    "empty subject": lambda issuer: issuer.token(sub=""),
    "no JWT": lambda issuer: "veo_x",
    "nothing in it": lambda issuer: "..",
}


async def test_only_this_issuers_tokens_for_this_server_count(tmp_path: Path) -> None:
    async with issuing() as issuer, resource(tmp_path, issuer.url) as env:
        for name, make in REFUSED.items():
            refusal = await opened(env, make(issuer))
            assert refusal.status_code == 401, name
            assert 'error="invalid_token"' in refusal.headers["www-authenticate"], name
        for good in (
            issuer.token(),
            issuer.token(key=CURVE, kid="ec", alg="ES256"),
            issuer.token(aud=["https://other.example.com", AUDIENCE]),
            issuer.token(scope=None, scp=["veo:read"]),
        ):
            assert (await opened(env, good)).status_code == 200
        assert issuer.fetched <= 2, "tokens of unknown keys do not make us ask the issuer again and again"


async def test_a_token_does_what_its_scopes_say_and_the_challenge_names_what_is_missing(tmp_path: Path) -> None:
    create = call(1, "create_video", prompt="[sandbox:fail] a boat")
    look = call(2, "list_tasks")
    async with issuing() as issuer, resource(tmp_path, issuer.url) as env:
        for scope, body, missing in (
            ("veo:read", create, "veo:create"),
            ("veo:read", call(3, "extend_video", task_id="x", prompt="y"), "veo:create"),
            ("veo:create", look, "veo:read"),
            ("veo:create", {"jsonrpc": "2.0", "id": 4, "method": "resources/list"}, "veo:read"),
            ("openid email", INITIALIZE, "veo:read veo:create"),
            ("veo:readx veo:creat", INITIALIZE, "veo:read veo:create"),
        ):
            refusal = await opened(env, issuer.token(scope=scope), body)
            assert refusal.status_code == 403, (scope, body)
            challenge = refusal.headers["www-authenticate"]
            assert 'error="insufficient_scope"' in challenge
            assert f'scope="{missing}"' in challenge
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {issuer.token()}"}) as http,
            Client(streamable_http_client(env.url + "/mcp", http_client=http)) as client,
        ):
            assert not (await client.call_tool("create_video", {"prompt": "[sandbox:fail] a boat"})).is_error
            assert len(structured(await client.call_tool("list_tasks", {}))["tasks"]) == 1


async def test_a_request_without_a_token_learns_where_to_get_one(tmp_path: Path) -> None:
    public = {"VEO_PUBLIC_URL": "https://veo.example.com/below"}
    async with issuing() as issuer, resource(tmp_path, issuer.url, **public) as env, httpx2.AsyncClient() as http:
        refusal = await http.post(env.url + "/mcp", headers=JSON, json=INITIALIZE)
        assert refusal.status_code == 401
        challenge = refusal.headers["www-authenticate"]
        assert 'scope="veo:read veo:create"' in challenge
        where = "https://veo.example.com/below/.well-known/oauth-protected-resource"
        assert f'resource_metadata="{where}"' in challenge
        assert "error=" not in challenge
        for path in ("", "/mcp", "/sse"):
            metadata = (await http.get(f"{env.url}/.well-known/oauth-protected-resource{path}")).json()
            assert metadata["resource"] == AUDIENCE
            assert metadata["authorization_servers"] == [issuer.url]
            assert metadata["scopes_supported"] == ["veo:read", "veo:create"]


async def test_an_issuer_that_is_away_is_reported_and_no_token_is_accepted(tmp_path: Path) -> None:
    async with issuing() as issuer, resource(tmp_path, f"http://127.0.0.1:{free_port()}") as env:
        refusal = await opened(env, issuer.token())
        assert refusal.status_code == 503
        assert refusal.headers["retry-after"] == "30"
        assert "keys" not in refusal.headers.get("www-authenticate", "")


def test_an_issuer_and_its_audience_come_together_and_alone() -> None:
    assert load({"VEO_TRANSPORT": "http", "VEO_OAUTH_ISSUER": "https://id.example.com"}).problems
    assert load({"VEO_TRANSPORT": "http", "VEO_OAUTH_ISSUER": "http://id.example.com"}).problems
    both = {"VEO_OAUTH_ISSUER": "https://id.example.com", "VEO_OAUTH_AUDIENCE": "veo", "VEO_ACCESS_TOKENS": "/t"}
    assert "not both" in load({"VEO_TRANSPORT": "http", **both}).problems[0]
