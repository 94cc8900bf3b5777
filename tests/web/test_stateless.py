"""A server that keeps no sessions (VEO_HTTP_STATELESS): any replica could answer any call of either era."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.listening import LEGACY, MODERN, subscribe
from tests.support.site import Site, site
from tests.support.stack import text
from veo_mcp.settings import load
from veo_mcp.web.access import Access, access_from

pytestmark = pytest.mark.anyio


async def yes(context: Any, params: Any) -> Any:
    raise AssertionError("nobody can be asked here")


async def test_the_handshake_era_gets_a_quote_where_no_person_can_be_asked(tmp_path: Path) -> None:
    async with (
        site(tmp_path, access=Access(stateless=True)) as env,
        Client(env.url + "/mcp", mode=LEGACY, elicitation_callback=yes) as client,
    ):
        asked = {"prompt": "a boat", "mode": "quality"}
        quote = await client.call_tool("create_video", asked)
        assert quote.is_error
        assert "Not charged." in text(quote)
        assert await charged(env) == 0
        agreed = await client.call_tool("create_video", {**asked, "confirm_credits": 300})
        assert "Charged 300 sandbox credits." in text(agreed)
        assert await charged(env) == 300


async def test_no_session_is_opened_and_a_call_needs_none(tmp_path: Path) -> None:
    call: dict[str, Any] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "list_tasks", "arguments": {}},
    }
    headers = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    async with site(tmp_path, access=Access(stateless=True)) as env, httpx2.AsyncClient(headers=headers) as http:
        answer = await http.post(env.url + "/mcp", json=call)
        assert answer.status_code == 200
        assert "mcp-session-id" not in answer.headers
        assert "No Veo video tasks here" in answer.text
        sse = await http.get(env.url + "/sse")
        assert (sse.status_code, "Use /mcp" in sse.text) == (404, True)


async def test_a_subscription_that_could_not_be_served_is_refused(tmp_path: Path) -> None:
    async with (
        site(tmp_path, access=Access(stateless=True)) as env,
        Client(env.url + "/mcp", mode=LEGACY) as client,
    ):
        with pytest.raises(MCPError, match="get_task"):
            await subscribe(client, "veo://tasks")


async def test_the_modern_era_is_asked_as_ever(tmp_path: Path) -> None:
    questions: list[str] = []

    async def agree(context: Any, params: Any) -> Any:
        from mcp_types import ElicitResult

        questions.append(params.message)
        return ElicitResult(action="accept", content={"spend": True})

    async with (
        site(tmp_path, access=Access(stateless=True)) as env,
        Client(env.url + "/mcp", mode=MODERN, elicitation_callback=agree) as client,
    ):
        made = await client.call_tool("create_video", {"prompt": "a boat", "mode": "quality"})
        assert "Charged 300 sandbox credits." in text(made)
    assert len(questions) == 1


def test_it_is_a_setting() -> None:
    assert access_from(load({"VEO_HTTP_STATELESS": "yes", "VEO_TRANSPORT": "http"}), monotonic=lambda: 0.0).stateless


async def charged(env: Site) -> int:
    from veo_mcp.api.account import Caller

    account = await env.engine.accounts.account(Caller(principal=""))
    return (await env.engine.accounts.client(account).get_credits()).value.total_consumed
