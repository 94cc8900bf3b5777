"""Each thing that stands between this machine and an answer is reported by its own name, with what to change."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from anyio.abc import SocketStream

from tests.api.servers import CREATE, client, failure, serving
from tests.support.raw_api import answer, error, hangs, raw_api
from veo_mcp.api import causes
from veo_mcp.api.documented_errors import DOCUMENTED
from veo_mcp.errors import ApiError, BadAnswer, InternalError, InvalidApiKey, RateLimitExceeded, Refused

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
PAGE = b"<!DOCTYPE html><html><body>Something</body></html>"

PAGES: dict[str, tuple[bytes, str, type[ApiError], str]] = {
    "a redirect": (
        answer(302, b"", "Location: https://sso.example/login?token=x"),
        "redirect",
        BadAnswer,
        "sso.example",
    ),
    "a redirect to nowhere": (answer(301, b"", "Location: http://[::1"), "redirect", BadAnswer, "another address"),
    "a permanent redirect": (answer(308, b"", "Location: /elsewhere"), "redirect", BadAnswer, "VEO_BASE_URL"),
    "a sign-in page": (answer(200, PAGE, "Content-Type: text/html"), "login_page", BadAnswer, "sign in"),
    "Cloudflare 1010": (answer(403, b"error code: 1010"), "cloudflare", Refused, "error 1010"),
    "Cloudflare's page": (
        answer(403, b"<html><title>Attention Required! | Cloudflare</title>"),
        "cloudflare",
        Refused,
        "the key is not the cause",
    ),
    "Cloudflare's challenge": (answer(503, b"<title>Just a moment...</title>"), "cloudflare", BadAnswer, "VPN"),
    "Cloudflare's rate limit": (answer(429, b"error code: 1015"), "cloudflare", RateLimitExceeded, "1015"),
    "a firewall's page": (answer(403, PAGE), "forbidden_page", Refused, "firewall"),
    "404 of a gateway": (answer(404, PAGE), "no_such_page", Refused, "another service"),
    "407": (answer(407, b""), "proxy_auth_page", BadAnswer, "HTTPS_PROXY"),
    "451": (answer(451, PAGE), "blocked_by_law", BadAnswer, "country"),
    "502": (answer(502, PAGE), "gateway", BadAnswer, "answered 502"),
    "503 of a gateway": (answer(503, PAGE), "gateway", BadAnswer, "answered 503"),
    "504": (answer(504, b""), "gateway", BadAnswer, "answered 504"),
    "Cloudflare 522": (answer(522, PAGE), "gateway", BadAnswer, "answered 522"),
    "500": (answer(500, PAGE), "error", InternalError, "internal error"),
    "401": (answer(401, PAGE), "refused", InvalidApiKey, "VEO_API_KEY"),
    "a teapot": (answer(418, b"{}"), "unexpected_status", BadAnswer, "418"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", "unexpected_status", BadAnswer, "204"),
}


@pytest.mark.parametrize("name", PAGES)
async def test_what_is_not_the_apis_answer_is_named(name: str) -> None:
    data, code, kind, words = PAGES[name]
    async with serving(data) as server, client(server.url()) as api:
        problem = await failure(api.send_create(CREATE))
    assert type(problem) is kind
    assert problem.code in (code, kind.default_code)
    assert words in problem.explanation
    assert problem.words == ""
    assert "token" not in problem.explanation
    assert "127.0.0.1" in problem.explanation or code in ("login_page", "error", "refused")


@pytest.mark.parametrize("status", [404, 405])
async def test_a_base_url_with_a_path_is_suspected_first(status: int) -> None:
    for data in (answer(status, PAGE), error(status, "not_found")):
        async with serving(data) as server, client(server.url() + "/v1") as api:
            problem = await failure(api.send_create(CREATE))
            assert problem.code == "base_url_path"
            assert "/v1" in problem.explanation
            assert problem.charged == ("no" if status == 404 else "unknown")
    async with serving(error(404, "model_not_found")) as server, client(server.url() + "/v1") as api:
        assert (await failure(api.send_create(CREATE))).code == "model_not_found"


async def test_an_answer_that_never_comes_is_a_time_out_and_what_came_of_it_counts() -> None:
    async with raw_api(hangs) as server, client(server.base_url, seconds=0.4) as api:
        problem = await failure(api.send_create(CREATE))
        assert (problem.code, problem.charged) == ("timeout", "unknown")

    async def half(stream: SocketStream) -> None:
        whole = answer(200, {"code": 200, "data": {"taskId": "late-1"}, "more": "x" * 50})
        await stream.send(whole[:-20])
        await hangs(stream)

    async with raw_api(half) as server, client(server.base_url, seconds=0.4) as api:
        problem = await failure(api.send_create(CREATE))
        assert (problem.code, problem.charged, problem.task_id) == ("timeout", "unknown", "late-1")


async def test_the_apis_own_refusals_keep_their_words() -> None:
    for (status, code), kind in DOCUMENTED.items():
        async with serving(error(status, code)) as server, client(server.url(), seconds=1) as api:
            problem = await failure(api.send_create(CREATE))
            assert (type(problem), problem.code, problem.words) == (kind, code, "words of the API")


def test_each_cause_has_a_code_of_its_own_says_what_to_change_and_leaves_credits_to_others() -> None:
    codes = [cause.code for cause in causes.ALL] + [code for _, code in DOCUMENTED]
    assert len(set(codes)) == len(codes)
    assert {cause.code for cause in causes.ALL} >= causes.LASTING
    for cause in causes.ALL:
        filled: dict[str, Any] = dict.fromkeys(re.findall(r"\{(\w+)\}", cause.happened + cause.change), "X")
        problem = cause.error(**filled)
        assert problem.code == cause.code
        assert problem.explanation.count(". ") >= 1
        assert "{" not in problem.explanation
        assert "charged" not in problem.explanation
        assert problem.words == ""


def test_every_cause_is_raised_somewhere() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "veo_mcp" / "api").glob("*.py"))
    named = {name for name, value in vars(causes).items() if isinstance(value, causes.Cause)}
    assert {name for name in named if f"causes.{name}" not in source} == set()


def test_the_table_in_the_docs_is_what_the_code_says() -> None:
    script = ROOT / "scripts" / "error_table.py"
    made = subprocess.run([sys.executable, script], capture_output=True, encoding="utf-8", check=True).stdout
    assert made == (ROOT / "docs" / "errors.md").read_text("utf-8"), (
        "run: python scripts/error_table.py > docs/errors.md"
    )
