"""One body over {memory, stdio, SSE, streamable HTTP} x {legacy, modern}: what a host does in a day."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference, ResourceUpdatedNotification

from tests.support.listening import subscribe
from tests.support.processes import server
from tests.support.results import structured
from tests.support.site import site
from tests.support.stack import open_stack, text

pytestmark = pytest.mark.anyio


class Listener:
    """Hears what the server tells on its own: legacy notifications, or the events of a modern listen stream."""

    def __init__(self) -> None:
        self.updated: list[str] = []
        self.news = anyio.Event()

    async def __call__(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.received(str(message.params.uri))

    def received(self, uri: str) -> None:
        self.updated.append(uri)
        self.news.set()

    async def listen(self, client: Client, uris: list[str], ready: anyio.Event) -> None:
        async with client.listen(resource_subscriptions=uris) as events:
            ready.set()
            async for event in events:
                uri = getattr(event, "uri", None)
                if uri is not None:
                    self.received(str(uri))


@asynccontextmanager
async def connected(transport: str, mode: str, folder: Path, listener: Listener) -> AsyncGenerator[Client]:
    match transport:
        case "memory":
            async with open_stack(folder, mode=mode, message_handler=listener) as env:
                yield env.client
        case "stdio":
            async with Client(server(folder, seconds=0), mode=mode, message_handler=listener) as client:
                yield client
        case _:
            async with site(folder, poll=True) as env:
                target = sse_client(env.url + "/sse") if transport == "sse" else env.url + "/mcp"
                async with Client(target, mode=mode, message_handler=listener) as client:
                    yield client


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("transport", ["memory", "stdio", "sse", "http"])
async def test_a_hosts_day_is_the_same_on_every_transport_and_in_both_eras(
    tmp_path: Path, transport: str, mode: str
) -> None:
    listener, numbers = Listener(), list[float]()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        assert message
        numbers.append(progress)

    async with connected(transport, mode, tmp_path, listener) as client, anyio.create_task_group() as group:
        assert len((await client.list_tools()).tools) == 5
        assert {str(page.uri) for page in (await client.list_resources()).resources} >= {"veo://tasks", "veo://guide"}
        if mode == "legacy":
            await subscribe(client, "veo://tasks")
        else:
            ready = anyio.Event()
            group.start_soon(listener.listen, client, ["veo://tasks"], ready)
            await ready.wait()
        made = await client.call_tool("create_video", {"prompt": "[sandbox:fail] a boat"})
        task_id = structured(made)["task_id"]
        assert "Charged 40 sandbox credits." in text(made)
        with anyio.fail_after(10):
            await listener.news.wait()
        assert set(listener.updated) == {"veo://tasks"}
        done = await client.call_tool(
            "get_task", {"task_id": task_id, "wait_seconds": 30}, progress_callback=on_progress
        )
        assert "Refunded 40 sandbox credits." in text(done)
        assert numbers == sorted(set(numbers))
        (read,) = (await client.read_resource(f"veo://tasks/{task_id}")).contents
        assert json.loads(str(getattr(read, "text", "")))["status"] == "failed"
        listed = (await client.list_resources()).resources
        assert any(str(page.uri).endswith(task_id) and page.title == "[sandbox:fail] a boat" for page in listed)
        with pytest.raises(MCPError, match="No task with this id"):
            await client.read_resource("veo://tasks/nope")
        prompt = await client.get_prompt("direct_video", {"idea": "a boat"})
        assert "ask me before" in str(prompt.messages).lower()
        style = await client.complete(PromptReference(name="direct_video"), {"name": "style", "value": "doc"})
        assert style.completion.values == ["documentary"]
        template = ResourceTemplateReference(uri="veo://tasks/{task_id}")
        ids = await client.complete(template, {"name": "task_id", "value": task_id[:4]})
        assert task_id in ids.completion.values
        group.cancel_scope.cancel()


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_list_of_resources_comes_in_pages_without_gaps_or_repeats(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode) as env:
        for number in range(45):
            await env.call("create_video", prompt=f"[sandbox:slow] boat {number}")
        titles: list[str] = []
        cursor = None
        pages = 0
        while True:
            page = await env.client.list_resources(cursor=cursor)
            titles += [str(entry.title) for entry in page.resources if "boat" in str(entry.title)]
            pages += 1
            cursor = page.next_cursor
            if cursor is None:
                break
        assert titles == [f"[sandbox:slow] boat {number}" for number in reversed(range(45))]
        assert pages == 3
        with pytest.raises(MCPError):
            await env.client.list_resources(cursor="garbage")
