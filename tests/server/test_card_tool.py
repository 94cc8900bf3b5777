"""The card's own tool: a person settles an unknown outcome in the card, and no model and no plain host can."""

import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID

from tests.support.stack import Stack, open_stack, text
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("mode", ["auto", "legacy"])]

APPS = (advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]}),)
OTHER_PAGES = (advertise(EXTENSION_ID, {"mimeTypes": ["text/x-other"]}),)


async def lost(env: Stack, prompt: str = "[sandbox:garbage] a boat") -> str:
    """A request whose outcome nobody knows: its own id."""
    made = await env.call("create_video", prompt=prompt)
    assert made.structured_content is not None
    assert made.structured_content["status"] == "unknown"
    return str(made.structured_content["task_id"])


def at_the_api(folder: Path) -> str:
    """The id under which the sandbox made the video whose answer was lost."""
    (path,) = [file for file in folder.rglob("*.db") if "sandbox" in str(file)]
    found = re.findall(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", path.read_bytes())
    return found[0].decode()


@pytest.mark.parametrize("extensions", [(), OTHER_PAGES], ids=["no apps", "apps of another kind"])
async def test_a_client_that_cannot_show_the_card_neither_sees_nor_calls_its_tool(
    tmp_path: Path, mode: str, extensions: Any
) -> None:
    async with open_stack(tmp_path, mode=mode, extensions=extensions) as env:
        task = await lost(env)
        assert "resolve_task" not in [tool.name for tool in (await env.client.list_tools()).tools]
        refusal = await env.call("resolve_task", task_id=task, not_charged=True)
        assert refusal.is_error
        assert "There is no tool of this name. Not charged. The tools are create_video," in text(refusal)
        assert "resolve_task" not in text(refusal)
        still = (await env.call("get_task", task_id=task)).structured_content
        assert still is not None
        assert still["status"] == "unknown"


async def test_a_client_with_apps_sees_that_the_tool_is_for_the_card_alone(mode: str) -> None:
    async with Client(build_server(Backend(), sandbox=True), mode=mode, extensions=APPS) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools)[-1] == "resolve_task"
        assert len(tools) == 6
        assert tools["resolve_task"].meta == {"ui": {"resourceUri": "ui://veo/panel", "visibility": ["app"]}}


async def test_a_read_only_server_settles_nothing(mode: str) -> None:
    async with Client(build_server(Backend(), sandbox=True, read_only=True), mode=mode, extensions=APPS) as client:
        assert "resolve_task" not in [tool.name for tool in (await client.list_tools()).tools]
        assert (await client.call_tool("resolve_task", {"task_id": "vid_1", "not_charged": True})).is_error


async def test_not_charged_settles_it_and_the_same_request_may_be_sent_again(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode, extensions=APPS) as env:
        task = await lost(env)
        settled = await env.call("resolve_task", task_id=task, not_charged=True)
        assert not settled.is_error
        assert settled.structured_content is not None
        assert (settled.structured_content["status"], settled.structured_content["charged"]) == ("refused", "no")
        assert "A person settled request" in text(settled)
        assert "Not charged." in text(settled)
        again = await env.call("create_video", prompt="[sandbox:garbage] a boat")
        assert again.structured_content is not None
        assert again.structured_content["task_id"] != task


async def test_the_apis_id_settles_it_as_charged(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode, extensions=APPS) as env:
        task = await lost(env)
        settled = await env.call("resolve_task", task_id=task, upstream_task_id=at_the_api(tmp_path))
        assert settled.structured_content is not None, text(settled)
        assert settled.structured_content["charged"] == "yes"
        assert settled.structured_content["status"] in ("pending", "processing", "completed")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either upstream_task_id or not_charged"),
        ({"upstream_task_id": "x", "not_charged": True}, "either upstream_task_id or not_charged"),
        ({"upstream_task_id": "no-such-id"}, "knows no task no-such-id"),
    ],
)
async def test_what_settles_nothing_changes_nothing(
    tmp_path: Path, mode: str, arguments: dict[str, Any], words: str
) -> None:
    async with open_stack(tmp_path, mode=mode, extensions=APPS) as env:
        task = await lost(env)
        refusal = await env.call("resolve_task", task_id=task, **arguments)
        assert refusal.is_error
        assert words in text(refusal)
        assert "Nothing was changed." in text(refusal)
        still = (await env.call("get_task", task_id=task)).structured_content
        assert still is not None
        assert still["status"] == "unknown"


async def test_the_card_alone_gets_the_earlier_parts_of_a_film(tmp_path: Path, mode: str) -> None:
    for extensions in (APPS, ()):
        folder = tmp_path / str(len(extensions))
        folder.mkdir()
        async with open_stack(folder, mode=mode, extensions=extensions) as env:
            first = (await env.call("create_video", prompt="a boat")).structured_content
            assert first is not None
            await env.call("get_task", task_id=first["task_id"], wait_seconds=50)
            second = await env.call("extend_video", task_id=first["task_id"], prompt="it sails on")
            if not extensions:
                assert "veo-mcp/card" not in (second.meta or {})
                continue
            (earlier,) = (second.meta or {})["veo-mcp/card"]["earlier"]
            assert earlier["task_id"] == first["task_id"]
            assert earlier["video_urls"]
            assert "message" not in earlier
