"""Resources: pages that stay true while tasks come, titles that are quoted, ids that complete, and honest errors."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, ResourceTemplateReference

from tests.support.entries import START, add
from tests.support.listening import ERAS, LEGACY, TRANSPORTS, Listener, client_of, open_env, own, quick, task
from tests.support.stack import text
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server

pytestmark = pytest.mark.anyio

TEMPLATE = ResourceTemplateReference(uri="veo://tasks/{task_id}")
FIXED = {"veo://tasks", "veo://models", "veo://guide"}
GARBAGE = ["garbage", "", "~", "abc~x", "1~", "~x", "nan~x", "inf~x", "1e999~x", "1~\ud800", "1~ü", "9" * 5000 + "~x"]


@ERAS
@TRANSPORTS
async def test_a_resource_that_is_not_there_has_the_not_found_code_of_the_era(
    tmp_path: Path, transport: str, era: str
) -> None:
    async with open_env(tmp_path) as env, client_of(env, transport, era, Listener()) as client:
        for uri in ("veo://tasks/vid_nope", "veo://nothing", "veo://tasks/vid_1/more"):
            with pytest.raises(MCPError) as refusal:
                await client.read_resource(uri)
            assert refusal.value.code == (-32002 if era == LEGACY else INVALID_PARAMS), uri
            assert refusal.value.error.data == {"uri": uri}


async def nothing() -> None:
    pass


async def pages(client: Client, after_each: Callable[[], Awaitable[None]] = nothing) -> tuple[list[str], int]:
    """The URIs of all pages, and how many pages there were."""
    uris, cursor, count = list[str](), None, 0
    while True:
        page = await client.list_resources(cursor=cursor)
        uris += [str(resource.uri) for resource in page.resources]
        count += 1
        cursor = page.next_cursor
        await after_each()
        if cursor is None:
            return uris, count


@ERAS
async def test_a_task_that_comes_between_two_pages_neither_repeats_nor_hides_another(tmp_path: Path, era: str) -> None:
    async with open_env(tmp_path) as env, client_of(env, "memory", era, Listener()) as client:
        await quick(env.journal)
        for number in range(45):
            # Three at a time in the same moment: then the id decides, and a page may end among them.
            await add(env.journal, task(number, created_at=START + number // 3))

        async def comes() -> None:
            await add(env.journal, task(99, created_at=START + 100))

        uris, count = await pages(client, comes)
        assert set(uris) >= FIXED
        tasks = [uri for uri in uris if uri not in FIXED and uri.startswith("veo://tasks/")]
        moments = [int(uri.rpartition("-")[2]) // 3 for uri in tasks]
        assert sorted(tasks) == sorted(f"veo://tasks/task-{number}" for number in range(45))
        assert moments == sorted(moments, reverse=True)
        assert count == 3
        assert "veo://tasks/task-99" in (await pages(client))[0]


@ERAS
@pytest.mark.parametrize("cursor", GARBAGE)
async def test_a_cursor_that_was_not_made_here_is_an_error_with_a_sentence(
    tmp_path: Path, era: str, cursor: str
) -> None:
    async with open_env(tmp_path) as env, client_of(env, "memory", era, Listener()) as client:
        await add(env.journal, task(1))
        with pytest.raises(MCPError, match="not made here") as refusal:
            await client.list_resources(cursor=cursor)
        assert refusal.value.code == INVALID_PARAMS
        listed = await client.call_tool("list_tasks", {"cursor": cursor})
        if not cursor:  # an optional argument of a tool that is empty was not given
            assert not listed.is_error, text(listed)
            return
        assert listed.is_error
        assert "not made here" in text(listed)
        assert "Not charged." in text(listed)


@ERAS
@TRANSPORTS
async def test_titles_are_prompts_made_safe_to_show(tmp_path: Path, transport: str, era: str) -> None:
    nasty = "a boat\u202e\u200b\n\x1b[31m at sea " + "very " * 60
    async with open_env(tmp_path) as env, client_of(env, transport, era, Listener()) as client:
        await add(env.journal, task(1, prompt=nasty))
        (shown,) = [each for each in (await client.list_resources()).resources if str(each.uri).endswith("task-1")]
        title = str(shown.title)
        assert title.startswith("a boat [31m at sea very")
        assert len(title) <= 80
        assert title.isprintable()
        (read,) = (await client.read_resource(own(1))).contents
        said = json.loads(str(getattr(read, "text", "")))["prompt"]
        assert len(said) <= 200
        assert said.isprintable()


@ERAS
@TRANSPORTS
async def test_ids_complete_by_their_beginning_a_hundred_at_most(tmp_path: Path, transport: str, era: str) -> None:
    async with open_env(tmp_path) as env, client_of(env, transport, era, Listener()) as client:
        await quick(env.journal)
        for number in range(130):
            await add(env.journal, task(number, created_at=START + number))
        every = (await client.complete(TEMPLATE, {"name": "task_id", "value": ""})).completion
        assert every.values == [f"task-{number}" for number in range(129, 29, -1)]
        assert every.has_more
        some = (await client.complete(TEMPLATE, {"name": "task_id", "value": "task-12"})).completion
        assert some.values == [f"task-{number}" for number in range(129, 119, -1)]
        other = ResourceTemplateReference(uri="veo://other/{task_id}")
        assert (await client.complete(other, {"name": "task_id", "value": ""})).completion.values == []
        assert (await client.complete(TEMPLATE, {"name": "other", "value": ""})).completion.values == []
        prompt = await client.complete(PromptReference(name="direct_video"), {"name": "idea", "value": ""})
        assert prompt.completion.values == []


@ERAS
async def test_without_a_backend_the_fixed_pages_stand_and_nothing_completes(era: str) -> None:
    backend = Backend()
    backend.failed("VEO_PORT must be a number.")
    async with Client(build_server(backend, sandbox=False), mode=era) as client:
        listed = await client.list_resources()
        assert {str(resource.uri) for resource in listed.resources} >= FIXED
        assert (await client.complete(TEMPLATE, {"name": "task_id", "value": ""})).completion.values == []
        with pytest.raises(MCPError, match="VEO_PORT"):
            await client.read_resource("veo://tasks")
