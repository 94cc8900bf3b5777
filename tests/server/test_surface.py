"""What a model sees of the server is small, complete, the same in both eras, and a committed snapshot."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.support.stack import text
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server

pytestmark = pytest.mark.anyio

SNAPSHOT = Path(__file__).parent.parent / "snapshots" / "tools.json"


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


async def listed(mode: str, **options: Any) -> list[dict[str, Any]]:
    async with Client(build_server(Backend(), sandbox=True, **options), mode=mode) as client:
        tools = (await client.list_tools()).tools
        return [tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools]


async def test_the_tools_are_the_committed_snapshot_in_both_eras() -> None:
    tools = await listed("auto")
    assert tools == await listed("legacy")
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(tools, indent=1, ensure_ascii=False) + "\n")
    assert tools == json.loads(SNAPSHOT.read_text()), "run UPDATE_SNAPSHOTS=1 pytest and look at the diff"


async def test_the_tools_stay_within_their_budget_of_bytes() -> None:
    tools = await listed("auto")
    seen = [{key: tool[key] for key in ("name", "description", "inputSchema")} for tool in tools]
    assert len(compact(seen)) <= 4_200
    assert len(compact({"tools": tools})) <= 10_000


async def test_every_tool_has_a_title_all_four_hints_and_strict_arguments() -> None:
    for tool in await listed("auto"):
        assert tool["title"]
        assert set(tool["annotations"]) >= {"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"}
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["outputSchema"]["type"] == "object"


async def test_the_description_names_credits_exactly_where_they_are_spent() -> None:
    for tool in await listed("auto"):
        spends = not tool["annotations"]["readOnlyHint"]
        assert ("Spends credits" in tool["description"]) is spends
        assert ("Free." in tool["description"]) is not spends


async def test_read_only_hides_the_tools_that_spend() -> None:
    names = [tool["name"] for tool in await listed("auto", read_only=True)]
    assert names == ["get_task", "list_tasks", "get_credits"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_read_only_server_says_so_instead_of_offering_what_spends(mode: str) -> None:
    async with Client(build_server(Backend(), sandbox=False, read_only=True), mode=mode) as client:
        assert (await client.list_prompts()).prompts == []
        assert "read-only" in (client.instructions or "")
        assert "create_video" not in (client.instructions or "")
        refusal = await client.call_tool("create_video", {"prompt": "x"})
        assert refusal.is_error
        assert "read-only. Not charged. The tools are get_task," in text(refusal)


async def test_the_instructions_are_short_and_say_sandbox_only_there() -> None:
    inside = build_server(Backend(), sandbox=True).instructions or ""
    outside = build_server(Backend(), sandbox=False).instructions or ""
    assert len(inside) <= 900
    assert "SANDBOX" in inside
    assert "SANDBOX" not in outside
