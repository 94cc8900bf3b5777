"""Access over HTTP: names, tokens, rates, sessions; and a server that anybody could reach does not start."""

import logging
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.access import ANNA, BEN, JSON, bearer, guarded, token_line
from tests.support.child import INITIALIZE, settings
from tests.support.raw_api import raw_api, says, success
from tests.support.site import Site, site
from veo_mcp.api.account import Caller
from veo_mcp.errors import NotLoopback, WrongSetting
from veo_mcp.settings import load
from veo_mcp.web.access import Access, access_from, closed_to_others
from veo_mcp.web.rate_limit import RateLimiter
from veo_mcp.web.tokens import Tokens, add_token

pytestmark = pytest.mark.anyio

ENTRY_POINTS = [
    ("GET", "/mcp"),
    ("POST", "/mcp"),
    ("DELETE", "/mcp"),
    ("GET", "/sse"),
    ("POST", "/messages/?session_id=0"),
]


async def status_everywhere(env: Site, http: httpx2.AsyncClient, **headers: str) -> dict[str, int]:
    """The status at every entry point."""
    found: dict[str, int] = {}
    for method, path in ENTRY_POINTS:
        body: dict[str, Any] = {"json": INITIALIZE} if method == "POST" else {}
        found[f"{method} {path}"] = (await http.request(method, env.url + path, headers=headers, **body)).status_code
    return found


@pytest.mark.parametrize(
    "given",
    [
        {},
        bearer("veo_nobody-0123456789abcdef"),
        bearer(ANNA[:-1]),
        bearer(ANNA + "x"),
        bearer(ANNA.upper()),
        {"Authorization": ANNA},
        {"Authorization": f"Basic {ANNA}"},
        {"Authorization": f"Bearer {ANNA}, Bearer {BEN}"},
        bearer(sha256(ANNA.encode()).hexdigest()),
        {"X-Veo-Api-Key": ANNA},
        bearer("é" * 20),
    ],
    ids=lambda given: str(given)[:50],
)
async def test_only_a_known_token_is_let_in(tmp_path: Path, given: dict[str, str]) -> None:
    async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient() as http:
        encoded: dict[str, Any] = {name: value.encode("latin-1") for name, value in given.items()}
        assert set((await status_everywhere(env, http, **encoded)).values()) == {401}
        refusal = await http.post(env.url + "/mcp", headers={**JSON, **encoded}, json=INITIALIZE)
        assert refusal.headers["www-authenticate"].startswith('Bearer realm="veo-mcp"')
        # RFC 6750: a request without a token is not answered as if it had a wrong one.
        presented = "Authorization" in given
        assert ("error=" in refusal.headers["www-authenticate"]) is presented
        assert "Nothing was done." in refusal.json()["error"]["message"]
        assert ANNA not in refusal.text
        assert (await http.get(env.url + "/healthz")).status_code == 200
        assert (await http.post(env.url + "/callbacks/vid_x.0", json={})).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "veo.example.com.evil.example"}, 421),
        ({"Host": "xveo.example.com"}, 421),
        ({"Host": "veo.example.com:x"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://app.example.com"}, 403),
        ({"Origin": "https://app.example.com:8443"}, 403),
        ({"Origin": "https://app.example.com.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "X-Forwarded-Host": "veo.example.com"}, 421),
    ],
    ids=str,
)
async def test_names_hold_even_for_a_token_that_is_known(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient() as http:
        assert set((await status_everywhere(env, http, **headers, **bearer(ANNA))).values()) == {status}


@pytest.mark.parametrize("host", ["veo.example.com", "VEO.example.com:8443", "localhost"])
async def test_a_known_token_is_let_in_under_every_name_of_the_server(tmp_path: Path, host: str) -> None:
    async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient() as http:
        ours = {**JSON, "Host": host, "Origin": "https://app.example.com", **bearer(ANNA)}
        opened = await http.post(env.url + "/mcp", headers=ours, json=INITIALIZE)
        assert opened.status_code == 200
        assert opened.headers["access-control-allow-origin"] == "https://app.example.com"
        assert "Mcp-Session-Id" in opened.headers["access-control-expose-headers"]


async def test_a_preflight_is_answered_for_allowed_origins_alone(tmp_path: Path) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, mcp-param-x"}
    async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient() as http:
        for origin in ("https://app.example.com", "http://localhost:6274"):
            said = await http.options(env.url + "/mcp", headers={"Origin": origin, **asks})
            assert said.status_code == 200
            assert said.headers["access-control-allow-origin"] == origin
            assert "authorization" in said.headers["access-control-allow-headers"]
            assert "access-control-allow-credentials" not in said.headers
        for origin in ("https://evil.example", "null"):
            said = await http.options(env.url + "/mcp", headers={"Origin": origin, **asks})
            assert said.status_code == 403
            assert "access-control-allow-origin" not in said.headers
        # An allowed origin can read why it was refused: the challenge is exposed to it.
        refused = await http.post(env.url + "/mcp", headers={"Origin": "https://app.example.com"}, json={})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == "https://app.example.com"


async def test_a_token_counts_from_the_moment_it_is_added_until_its_line_is_gone(tmp_path: Path) -> None:
    async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient() as http:

        async def is_let_in(token: str) -> bool:
            headers = {**JSON, **bearer(token)}
            return (await http.post(env.url + "/mcp", headers=headers, json=INITIALIZE)).status_code == 200

        carla = add_token(tmp_path / "tokens", "carla")
        assert await is_let_in(carla)
        (tmp_path / "tokens").write_text(token_line("anna", ANNA))
        assert [await is_let_in(token) for token in (carla, BEN, ANNA)] == [False, False, True]
        (tmp_path / "tokens").write_text("nonsense")
        assert not await is_let_in(ANNA), "a broken file lets nobody in"
        (tmp_path / "tokens").unlink()
        assert not await is_let_in(ANNA)
        (tmp_path / "tokens").write_text(token_line("anna", ANNA))
        assert await is_let_in(ANNA)


def test_a_plain_token_works_with_a_warning_that_does_not_show_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tokens").write_text(f"anna:{ANNA}\n{token_line('ben', BEN)}")
    with caplog.at_level(logging.WARNING):
        tokens = Tokens(tmp_path / "tokens")
    assert (tokens.name_of(ANNA), tokens.name_of(BEN), tokens.name_of("")) == ("anna", "ben", None)
    assert "veo-mcp token add anna" in caplog.text
    assert ANNA not in caplog.text


@pytest.mark.parametrize(
    "text", ["anna", "anna:", ":sha256:00", "anna:sha256:00", "an na:" + ANNA, "key:x:" + "a" * 9, "anna:short"]
)
def test_a_line_that_is_no_token_is_named_by_its_number_and_not_shown(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokens").write_text("# one\n" + text)
    with pytest.raises(ValueError, match="has a line 2") as refusal:
        Tokens(tmp_path / "tokens")
    assert ANNA not in str(refusal.value)


def test_token_add_prints_the_token_alone_and_keeps_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(token_line("anna", ANNA).rstrip())  # as an editor may leave it
    command = [sys.executable, "-m", "veo_mcp", "token", "add", "ben", "--file", str(file)]
    done = subprocess.run(command, env=settings(tmp_path, None), capture_output=True, text=True, check=True, timeout=60)
    token = done.stdout.strip()
    assert done.stdout == token + "\n"
    assert token not in file.read_text() + done.stderr
    assert [Tokens(file).name_of(one) for one in (token, ANNA)] == ["ben", "anna"]
    with pytest.raises(ValueError, match="letters, digits"):
        add_token(file, "key:x")


async def test_what_a_client_proves_itself_with_goes_no_further(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither to the API nor into the journal or the log."""
    with caplog.at_level(logging.DEBUG):
        async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient(headers=bearer(ANNA)) as http:
            async with Client(streamable_http_client(env.url + "/mcp", http_client=http)) as client:
                await client.call_tool("create_video", {"prompt": "[sandbox:fail] a boat"})
                await client.call_tool("get_credits", {})
            page = await env.engine.journal.list(await env.engine.accounts.account(Caller(principal="anna")), limit=10)
            assert [entry.principal for entry in page.entries] == ["anna"]
            assert ANNA not in str(page)
        assert ANNA not in "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("veo_mcp"))
    (tmp_path / "raw").mkdir()
    async with raw_api(says(success())) as api:
        async with (
            site(tmp_path / "raw", access=guarded(tmp_path), api=api.base_url) as env,
            httpx2.AsyncClient(headers=bearer(ANNA)) as http,
            Client(streamable_http_client(env.url + "/mcp", http_client=http)) as client,
        ):
            await client.call_tool("create_video", {"prompt": "a boat"})
            await client.call_tool("get_credits", {})
        sent = b"".join(api.heads + api.bodies)
        assert b"sk-web" in sent
        assert ANNA.encode() not in sent


async def test_a_session_is_its_openers_alone(tmp_path: Path) -> None:
    async with site(tmp_path, access=guarded(tmp_path)) as env, httpx2.AsyncClient() as http:
        opened = await http.post(env.url + "/mcp", headers={**JSON, **bearer(ANNA)}, json=INITIALIZE)
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

        async def status(method: str, token: str, session: dict[str, str]) -> tuple[int, str]:
            body: dict[str, Any] = {"json": ping} if method == "POST" else {}
            said = await http.request(method, env.url + "/mcp", headers={**JSON, **session, **bearer(token)}, **body)
            return said.status_code, said.text

        none = {"mcp-session-id": "0" * 32}
        for method in ("POST", "GET", "DELETE"):
            foreign = await status(method, BEN, session)
            assert foreign == await status(method, BEN, none), "somebody else's is answered like none"
            assert foreign[0] == 404
        assert (await status("POST", ANNA, session))[0] == 200


async def test_too_many_calls_learn_when_to_try_again_and_delay_no_other_account(tmp_path: Path) -> None:
    now = [0.0]
    access = guarded(tmp_path, rate=3, monotonic=lambda: now[0])
    async with site(tmp_path, access=access) as env, httpx2.AsyncClient() as http:

        async def call(token: str) -> httpx2.Response:
            return await http.post(env.url + "/mcp", headers={**JSON, **bearer(token)}, json=INITIALIZE)

        assert [(await call(ANNA)).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = await call(ANNA)
        assert refused.headers["retry-after"] == "20"
        assert refused.json()["id"] == "init"
        assert "Not charged. Call again in 20 s." in refused.json()["error"]["message"]
        assert (await call(BEN)).status_code == 200
        now[0] = 20.0
        assert [(await call(ANNA)).status_code for _ in range(2)] == [200, 429]


def test_a_rate_forgets_whom_it_has_not_seen_for_longest() -> None:
    rate = RateLimiter(1, monotonic=lambda: 0.0)
    assert rate.wait("first") == 0.0
    assert rate.wait("first") == 60.0
    for number in range(10_000):
        rate.wait(str(number))
    assert rate.wait("first") == 0.0


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP"])
async def test_without_tokens_no_request_through_a_proxy_is_let_in(tmp_path: Path, header: str) -> None:
    async with site(tmp_path) as env, httpx2.AsyncClient() as http:
        found = await status_everywhere(env, http, **{header: "192.0.2.1"})
        assert set(found.values()) == {403}
        assert (await http.get(env.url + "/healthz", headers={header: "192.0.2.1"})).status_code == 200


def _file(folder: Path) -> str:
    (folder / "tokens").write_text(token_line("anna", ANNA))
    return str(folder / "tokens")


@pytest.mark.parametrize(
    "given",
    [
        {"VEO_HOST": "0.0.0.0"},  # noqa: S104
        {"VEO_HOST": "::"},
        {"VEO_HOST": "veo.example.com"},
        {"VEO_TRUSTED_PROXIES": "127.0.0.1"},
        {"VEO_ALLOWED_HOSTS": "veo.example.com"},
        {"VEO_ALLOWED_HOSTS": "localhost, veo.example.com:443"},
    ],
    ids=str,
)
def test_a_server_that_others_can_reach_starts_only_with_a_way_in(tmp_path: Path, given: dict[str, str]) -> None:
    environ = {"VEO_TRANSPORT": "http", **given}
    with pytest.raises(NotLoopback, match="VEO_ACCESS_TOKENS"):
        closed_to_others(load(environ))
    access_from(load({**environ, "VEO_ACCESS_TOKENS": _file(tmp_path)}))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"VEO_HOST": "::1"},
        {"VEO_HOST": "127.0.0.2"},
        {"VEO_ALLOWED_HOSTS": "localhost:9000, 127.0.0.1, [::1]:80"},
        {"VEO_ALLOWED_ORIGINS": "https://app.example.com"},
        {"VEO_PUBLIC_URL": "https://veo.example.com"},
    ],
    ids=str,
)
def test_a_server_of_this_machine_needs_no_tokens(given: dict[str, str]) -> None:
    access = access_from(load({"VEO_TRANSPORT": "http", **given}))
    assert not access.names.host("veo.example.com"), "a public URL alone is for callbacks"


def test_with_tokens_the_public_url_is_a_name_of_the_server(tmp_path: Path) -> None:
    environ = {"VEO_TRANSPORT": "http", "VEO_PUBLIC_URL": "https://Veo.example.com/path"}
    access = access_from(load({**environ, "VEO_ACCESS_TOKENS": _file(tmp_path)}))
    assert access.names.host("veo.example.com")
    assert access.names.host("VEO.example.com:443")
    assert not access.names.host("example.com")


@pytest.mark.parametrize(("make", "words"), [(None, "cannot be read"), ("anna:x", "has a line 1")])
def test_a_token_file_that_is_not_usable_at_the_start_is_said(tmp_path: Path, make: str | None, words: str) -> None:
    if make:
        (tmp_path / "tokens").write_text(make)
    environ = {"VEO_TRANSPORT": "http", "VEO_ACCESS_TOKENS": str(tmp_path / "tokens")}
    with pytest.raises(WrongSetting, match=words):
        access_from(load(environ))


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "proxy", "10.0.0.1/8"])
def test_proxies_are_named_by_address(text: str) -> None:
    assert load({"VEO_TRANSPORT": "http", "VEO_TRUSTED_PROXIES": text}).problems


async def test_only_a_named_proxy_is_believed(tmp_path: Path) -> None:
    """The client that a rate or a log knows, and the name a request came under, are the proxy's word."""
    access = guarded(tmp_path)
    trusting = Access(names=access.names, authenticator=access.authenticator, proxies=("127.0.0.1",))
    said = {"X-Forwarded-Host": "veo.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    async with site(tmp_path, access=trusting) as env, httpx2.AsyncClient() as http:
        passed_on = {**JSON, **bearer(ANNA), **said, "Host": "veo.internal"}
        assert (await http.post(env.url + "/mcp", headers=passed_on, json=INITIALIZE)).status_code == 200
        # What a client has written into the header itself comes before what the proxy adds.
        forged = {**passed_on, "X-Forwarded-Host": "veo.example.com, evil.example"}
        assert (await http.post(env.url + "/mcp", headers=forged, json=INITIALIZE)).status_code == 421


async def test_an_address_that_is_not_a_named_proxy_is_not_believed(tmp_path: Path) -> None:
    access = guarded(tmp_path)
    wary = Access(names=access.names, authenticator=access.authenticator, proxies=("192.0.2.1",))
    async with site(tmp_path, access=wary) as env, httpx2.AsyncClient() as http:
        forged = {**JSON, **bearer(ANNA), "Host": "evil.example", "X-Forwarded-Host": "veo.example.com"}
        assert (await http.post(env.url + "/mcp", headers=forged, json=INITIALIZE)).status_code == 421
