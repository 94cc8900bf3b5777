"""A key and a prompt that stand nowhere but where they must: through every error path, in spans, log lines and metrics.

The API here answers each request with the key and the prompt that came with it, as a careless one might.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.support.access import ANNA, bearer, guarded, token_line
from tests.support.child import http_child
from tests.support.ports import free_port
from tests.support.site import site
from veo_mcp.web.runner import serve_app

pytestmark = pytest.mark.anyio

KEY = "sk-canary-5ecret-0123456789"
PROMPT = "a canary that sings at dusk"
STATUSES = (400, 401, 402, 403, 404, 422, 429, 500, 503)
#: What each prompt begins with, and how the API answers it.
WORDS: Mapping[str, int | str] = {
    **{f"{status}": status for status in STATUSES},
    "no json": "<html>",
    "odd": '{"code": 200, "data": {"taskId": ["%s"]}}',
    "fails": "",
}


class CarelessApi:
    """Repeats what it was sent."""

    def __init__(self) -> None:
        self.keys = set[str]()
        self.prompts = dict[str, str]()

    async def create(self, request: Request) -> Response:
        prompt = (await request.json())["input"]["prompt"]
        heard = f"{request.headers['authorization']}: {prompt}"
        self.keys.add(request.headers["authorization"])
        how = next((answer for word, answer in WORDS.items() if prompt.startswith(word)), "")
        if isinstance(how, int):
            error = {"code": heard, "message": heard, "type": heard}
            return JSONResponse({"error": error}, how, {"X-Request-Id": "1"})
        if how:
            return PlainTextResponse(how.replace("%s", prompt) + heard)
        self.prompts[task_id := f"task-{len(self.prompts)}"] = heard
        return JSONResponse({"code": 200, "msg": heard, "data": {"taskId": task_id}})

    async def look(self, request: Request) -> Response:
        heard = self.prompts[request.path_params["task_id"]]
        error = {"code": "failed", "message": heard}
        return JSONResponse({"id": heard[:3], "status": "failed", "created_at": 1774790227, "error": error})

    async def credits(self, _request: Request) -> Response:
        data = {"balance": 9800, "total_purchased": 10000, "total_consumed": 200}
        return JSONResponse({"code": 200, "msg": "success", "data": data})

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str]:
        port, up = free_port(), anyio.Event()
        routes = [
            Route("/v1/videos/generations", self.create, methods=["POST"]),
            Route("/v1/tasks/{task_id}", self.look),
            Route("/v1/credits", self.credits),
        ]
        async with anyio.create_task_group() as group:
            group.start_soon(lambda: serve_app(Starlette(routes=routes), "127.0.0.1", port, ready=up.set))
            await up.wait()
            yield f"http://127.0.0.1:{port}"
            group.cancel_scope.cancel()


async def everything_goes_wrong(client: Client) -> None:
    """Every answer of the API, and every mistake of a client, with the prompt in it."""
    for word in WORDS:
        await client.call_tool("create_video", {"prompt": f"{word} {PROMPT}"})
    wrong: list[dict[str, Any]] = [
        {"prompt": [PROMPT]},
        {"prompt": PROMPT, "mode": PROMPT},
        {"prompt": PROMPT, "image_urls": [PROMPT, f"https://{PROMPT}"]},
        {"prompt": PROMPT, "nonsense": PROMPT},
        {"prompt": PROMPT, "repeat_of": PROMPT},
        {"prompt": f"{PROMPT} " * 2000},
    ]
    for arguments in wrong:
        await client.call_tool("create_video", arguments)
    await client.call_tool("get_task", {"task_id": PROMPT})
    await client.call_tool("extend_video", {"task_id": PROMPT, "prompt": PROMPT})
    await client.call_tool("list_tasks", {"cursor": PROMPT})
    for ask in (
        lambda: client.read_resource(f"veo://tasks/{PROMPT.replace(' ', '-')}"),
        lambda: client.get_prompt("veo-video", {"idea": PROMPT, "nonsense": PROMPT}),
        lambda: client.list_resources(cursor=PROMPT),
    ):
        with suppress(Exception):
            await ask()


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
async def test_neither_key_nor_prompt_is_in_the_log_the_audit_trail_or_the_metrics(tmp_path: Path, level: str) -> None:
    (tmp_path / "tokens").write_text(token_line("anna", ANNA))
    api = CarelessApi()
    async with api.serving() as url:
        given = {"VEO_ACCESS_TOKENS": str(tmp_path / "tokens"), "VEO_LOG_LEVEL": level, "VEO_API_KEY": KEY}
        async with (
            http_child(tmp_path, **given, VEO_BASE_URL=url) as child,
            httpx2.AsyncClient(headers=bearer(ANNA), timeout=60) as http,
        ):
            async with Client(streamable_http_client(child.url + "/mcp", http_client=http)) as client:
                await everything_goes_wrong(client)
                mine = await client.call_tool("list_tasks", {})
            scrape = (await http.get(child.url + "/metrics")).text
            said = child.err
    kept = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))  # noqa: ASYNC240 - it has ended
    assert api.keys == {f"Bearer {KEY}"}
    assert PROMPT in str(mine.structured_content), "her own answers show it"
    assert KEY not in str(mine)
    for secret in (KEY, ANNA):
        assert secret not in said + scrape
        assert secret.encode() not in kept
    assert PROMPT not in scrape
    assert PROMPT not in said
    moved = [json.loads(line)["audit"] for line in said.splitlines() if line.startswith('{"audit"')]
    assert {line["what"] for line in moved} >= {"reserved", "charged", "released"}, "it goes on whatever the level"
    assert {line["principal"] for line in moved} == {"anna"}


@pytest.fixture(scope="module")
def spans() -> InMemorySpanExporter:
    """Every span of this process from now on; a process has one provider, so it stays."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


async def test_neither_key_nor_prompt_is_in_a_span(tmp_path: Path, spans: InMemorySpanExporter) -> None:
    api = CarelessApi()
    async with (
        api.serving() as url,
        site(tmp_path, access=guarded(tmp_path), api=url) as env,
        httpx2.AsyncClient(headers=bearer(ANNA), timeout=60) as http,
        Client(streamable_http_client(env.url + "/mcp", http_client=http)) as client,
    ):
        await everything_goes_wrong(client)
        await env.engine.poller.round()
    assert api.keys == {"Bearer sk-web"}
    told = [span.to_json() for span in spans.get_finished_spans()]
    assert {"tools/call create_video", "veo.create", "veo.record"} <= {span.name for span in spans.get_finished_spans()}
    for secret in (PROMPT, "sk-web", ANNA):
        assert not [span for span in told if secret in span], secret
