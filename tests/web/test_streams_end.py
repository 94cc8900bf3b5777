"""What is open to listen ends when whoever listens would be let in no more: the line of their token is gone."""

import time
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.server.test_slow_listeners import listening
from tests.support.access import ANNA, BEN, JSON, bearer, guarded, token_line
from tests.support.site import site
from tests.web.test_oauth import AUDIENCE, issuing
from veo_mcp.api.jwks import Issuer
from veo_mcp.web.access import Access
from veo_mcp.web.auth import Authenticator
from veo_mcp.web.oauth import JwtVerifier, OAuthMethod

pytestmark = pytest.mark.anyio


async def test_a_modern_listener_is_cut_off_when_its_line_is_removed_and_the_others_are_not(tmp_path: Path) -> None:
    over = {"anna": anyio.Event(), "ben": anyio.Event()}
    agreed = {"anna": anyio.Event(), "ben": anyio.Event()}
    headers = {**JSON, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
    async with (
        site(tmp_path, access=guarded(tmp_path)) as env,
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        anyio.create_task_group() as group,
    ):

        async def listen(name: str, token: str) -> None:
            body = listening(["veo://tasks"])
            async with http.stream("POST", env.url + "/mcp", json=body, headers=bearer(token)) as stream:
                async for said in stream.aiter_lines():
                    if "acknowledged" in said:
                        agreed[name].set()
            over[name].set()

        group.start_soon(listen, "anna", ANNA)
        group.start_soon(listen, "ben", BEN)
        with anyio.fail_after(30):
            for event in agreed.values():
                await event.wait()
        (tmp_path / "tokens").write_text(token_line("ben", BEN))
        with anyio.fail_after(30):
            await over["anna"].wait()
        assert not over["ben"].is_set()
        group.cancel_scope.cancel()


async def test_a_stream_of_the_handshake_era_ends_too(tmp_path: Path) -> None:
    headers = {**bearer(ANNA), "Accept": "text/event-stream"}
    async with (
        site(tmp_path, access=guarded(tmp_path)) as env,
        httpx2.AsyncClient(timeout=20) as http,
        http.stream("GET", env.url + "/sse", headers=headers) as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "event: endpoint"
        (tmp_path / "tokens").write_text(token_line("ben", BEN))
        with anyio.fail_after(10):
            async for _line in lines:
                pass


async def test_a_stream_ends_when_its_jwt_has_expired(tmp_path: Path) -> None:
    later = 0.0
    async with issuing() as issuer:
        verifier = JwtVerifier(Issuer(issuer.url, monotonic=anyio.current_time), AUDIENCE)
        access = Access(authenticator=Authenticator(OAuthMethod(verifier, clock=lambda: time.time() + later)))
        headers = {**bearer(issuer.token()), "Accept": "text/event-stream"}
        async with (
            site(tmp_path, access=access) as env,
            httpx2.AsyncClient(timeout=20) as http,
            http.stream("GET", env.url + "/sse", headers=headers) as stream,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: endpoint"
            later = 3600.0
            with anyio.fail_after(10):
                async for _line in lines:
                    pass
