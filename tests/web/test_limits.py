"""What each principal may spend, and how many sessions there may be: over HTTP, with real tokens and a real sandbox."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.access import ANNA, BEN, JSON, bearer, guarded
from tests.support.child import INITIALIZE
from tests.support.results import structured
from tests.support.site import Site, site
from tests.support.stack import text
from veo_mcp.app import each_limit
from veo_mcp.errors import WrongSetting
from veo_mcp.settings import load
from veo_mcp.tasks.budget import limits_in
from veo_mcp.web.access import Access

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client(env: Site, token: str) -> AsyncGenerator[Client]:
    async with (
        httpx2.AsyncClient(headers=bearer(token), timeout=20) as http,
        Client(streamable_http_client(env.url + "/mcp", http_client=http)) as made,
    ):
        yield made


async def spend(who: Client, prompt: str) -> str:
    return text(await who.call_tool("create_video", {"prompt": prompt}))


async def test_each_principal_has_a_limit_and_a_line_in_the_file_says_otherwise_at_once(tmp_path: Path) -> None:
    file = tmp_path / "limits"
    file.write_text("# the generous one\nben: 80\n")
    each = each_limit(load({"VEO_MAX_CREDITS_EACH": "40", "VEO_LIMITS": str(file)}))
    async with (
        site(tmp_path, access=guarded(tmp_path), each=each, max_credits=1000) as env,
        client(env, ANNA) as anna,
        client(env, BEN) as ben,
    ):
        assert "Charged 40 sandbox credits." in await spend(anna, "one")
        assert "Not charged." in await spend(anna, "two")
        assert "Charged 40 sandbox credits." in await spend(ben, "one")
        assert "Charged 40 sandbox credits." in await spend(ben, "two")
        assert "Not charged." in await spend(ben, "three")
        said = structured(await anna.call_tool("get_credits", {}))
        assert said["spent_24h"] == 40, "what others spend is not anna's to know"
        assert said["limit"]["max_credits"] == 40
        assert said["limit"]["left"] == 0
        file.write_text("anna: 80\nben: 80\n")
        assert "Charged 40 sandbox credits." in await spend(anna, "two")
        file.write_text("nonsense")
        assert "Not charged." in await spend(anna, "three"), "a broken file leaves the limits as they were"


async def test_the_total_holds_over_all_principals(tmp_path: Path) -> None:
    async with (
        site(tmp_path, access=guarded(tmp_path), max_credits=40) as env,
        client(env, ANNA) as anna,
        client(env, BEN) as ben,
    ):
        assert "Charged 40 sandbox credits." in await spend(anna, "one")
        assert "Not charged." in await spend(ben, "one")


@pytest.mark.parametrize("text", ["anna", "anna: -1", "anna: ten", ": 5", "anna: 1\nanna: 2"])
def test_a_limit_that_could_be_misread_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "limits").write_text(text)
    with pytest.raises(WrongSetting, match="VEO_LIMITS"):
        each_limit(load({"VEO_LIMITS": str(tmp_path / "limits")}))


def test_a_subject_may_hold_a_colon() -> None:
    assert limits_in("auth0|1:x: 5\n\n# note\n") == {"auth0|1:x": 5}


async def test_where_all_sessions_are_in_use_a_new_one_is_asked_to_try_again_later(tmp_path: Path) -> None:
    async with site(tmp_path, access=Access(sessions=1)) as env, httpx2.AsyncClient(timeout=20) as http:
        async with anyio.create_task_group() as group:
            up = anyio.Event()

            async def listen() -> None:
                async with http.stream("GET", env.url + "/sse") as stream:
                    async for _ in stream.aiter_bytes():
                        up.set()

            group.start_soon(listen)
            await up.wait()
            refused = await http.post(env.url + "/mcp", headers=JSON, json=INITIALIZE)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
            assert (await http.get(env.url + "/sse")).status_code == 429
            async with Client(env.url + "/mcp") as modern:
                assert (await modern.list_tools()).tools, "modern clients have no sessions"
            group.cancel_scope.cancel()
        with anyio.fail_after(10):
            while (  # noqa: ASYNC110 - what frees the place is the stream's end, which the server sees later
                await http.post(env.url + "/mcp", headers=JSON, json=INITIALIZE)
            ).status_code == 429:
                await anyio.sleep(0.05)
