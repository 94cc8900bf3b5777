"""The card in the chat, as a host meets it: a page with a policy, named by the tools whose results it can show."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.support.stack import open_stack, text
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.settings import load

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("mode", ["auto", "legacy"])]

PANEL = "ui://veo/panel"


def server_without_engine(**options: Any) -> Any:
    backend = Backend()
    backend.failed("nothing behind it in this test")
    return build_server(backend, sandbox=False, **options)


async def page(client: Client) -> tuple[str, dict[str, Any]]:
    (content,) = (await client.read_resource(PANEL)).contents
    assert content.mime_type == "text/html;profile=mcp-app"
    return str(getattr(content, "text", "")), (content.meta or {})["ui"]


def config(html: str) -> dict[str, Any]:
    (data,) = re.findall(r'<script type="application/json" id="config">(.*?)</script>', html)
    return json.loads(data)


async def test_the_tools_that_give_a_task_name_the_page_and_the_page_is_listed(mode: str) -> None:
    async with Client(server_without_engine(), mode=mode) as client:
        named = {tool.name for tool in (await client.list_tools()).tools if (tool.meta or {}).get("ui")}
        assert named == {"create_video", "extend_video", "get_task"}
        listed = [str(resource.uri) for resource in (await client.list_resources()).resources]
        assert PANEL in listed
        assert client.server_capabilities.extensions is not None
        assert "io.modelcontextprotocol/ui" in client.server_capabilities.extensions


async def test_the_policy_and_the_page_name_the_same_hosts(mode: str) -> None:
    hosts = ("https://file.aivideoapi.ai", "https://*.example.org")
    async with Client(server_without_engine(video_hosts=hosts), mode=mode) as client:
        html, ui = await page(client)
        assert ui["csp"] == {"resourceDomains": list(hosts)}
        assert config(html) == {"origins": list(hosts), "prices": {"fast": 40, "quality": 300}}


async def test_a_sandbox_adds_its_own_origin(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode) as env:
        _, ui = await page(env.client)
        assert ui["csp"]["resourceDomains"] == [env.base_url]


async def test_where_nothing_may_be_spent_the_card_offers_no_extension(mode: str) -> None:
    async with Client(server_without_engine(read_only=True), mode=mode) as client:
        html, _ = await page(client)
        assert "prices" not in config(html)


async def test_the_page_brings_everything_along(mode: str) -> None:
    async with Client(server_without_engine(), mode=mode) as client:
        html, _ = await page(client)
        assert len(html) < 900_000, "clients refuse an answer of over a megabyte"
        assert not re.findall(r'(?:src|href)="(?!data:)', html)
        assert not re.findall(r"innerHTML|insertAdjacentHTML|document\.write", html), "text goes in as text"


async def test_a_host_without_apps_gets_the_same_words_as_ever(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode) as env:
        made = await env.call("create_video", prompt="[sandbox:slow] a boat")
        assert "Charged 40 sandbox credits." in text(made)
        assert "get_task" in text(made)


@pytest.mark.parametrize(
    "hosts",
    ["file.example.org", "https://a.example b.example", "https://a.example;script-src *", "ftp://a", "https://"],
)
async def test_a_video_host_that_is_no_origin_is_named_and_not_used(mode: str, hosts: str) -> None:
    del mode
    settings = load({"VEO_VIDEO_HOSTS": hosts})
    assert settings.video_hosts == ("https://file.aivideoapi.ai",)
    assert "VEO_VIDEO_HOSTS" in settings.problems[0]
