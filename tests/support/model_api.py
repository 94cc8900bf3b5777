"""A scripted model on loopback that speaks four APIs, for hosts that need a model behind them.

Used by the host tests. It implements Anthropic messages, OpenAI chat completions and responses, and Gemini
generateContent: asked for the next turn, it calls the next tool of its script, and says "done" after the last. Every
request body is kept, so that a test can check what the model was shown. No model, no network.
"""

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.ports import free_port
from veo_mcp.web.runner import serve_app

__all__ = ["Call", "ModelApi", "model_api"]

Arguments = dict[str, Any]
STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call of the script; `arguments` may be made from the last result that the model was shown."""

    tool: str
    arguments: Arguments | Callable[[str], Arguments]


@dataclass
class ModelApi:
    """The model of one run.

    Attributes:
        url: its base URL.
        script: what it calls, in turn.
        name_of: how this host names one of our tools to its model.
        results_of: extracts the tool results from a request body.
        bodies: every request that asked for a turn, in order.
    """

    url: str
    script: Sequence[Call]
    name_of: Callable[[str], str]
    results_of: Callable[[dict[str, Any]], list[str]]
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    turn: int = 0

    @property
    def shown(self) -> list[str]:
        """The tool results in the longest request; the last one may be a side request of the host."""
        return max((self.results_of(body) for body in self.bodies), key=len, default=list[str]())

    def next_call(self, body: dict[str, Any]) -> tuple[str, Arguments] | None:
        """The tool that the model calls now, or None for "done".

        A request without tools is a side request of the host, such as for a title; one that names none of ours comes
        from a host that began its turn before our server had started.
        """
        self.bodies.append(body)
        offered = len(json.dumps(body.get("tools") or [])) > 200 and self.script[0].tool in json.dumps(body)
        if self.turn >= len(self.script) or not offered:
            return None
        call = self.script[self.turn]
        self.turn += 1
        given = call.arguments
        arguments = given((self.results_of(body) or [""])[-1]) if callable(given) else given
        return self.name_of(call.tool), arguments


@asynccontextmanager
async def model_api(
    script: Sequence[Call], name_of: Callable[[str], str], results_of: Callable[[dict[str, Any]], list[str]]
) -> AsyncGenerator[ModelApi]:
    port = free_port()
    model = ModelApi(f"http://127.0.0.1:{port}", script, name_of, results_of)

    async def messages(request: Request) -> Response:
        body = await request.json()
        if "count_tokens" in request.url.path:
            return JSONResponse({"input_tokens": 10})
        return _anthropic(model.next_call(body), model.turn, body)

    async def chat(request: Request) -> Response:
        body = await request.json()
        return _chat(model.next_call(body), model.turn, stream=bool(body.get("stream")))

    async def responses(request: Request) -> Response:
        return _responses(model.next_call(await request.json()), model.turn)

    async def gemini(request: Request) -> Response:
        if "enerateContent" not in request.url.path:
            return JSONResponse({"totalTokens": 1})
        answer = _gemini(model.next_call(await request.json()), model.turn)
        return _events([(None, answer)]) if "stream" in request.url.path else JSONResponse(answer)

    async def listing(_request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "fake-model", "object": "model"}], "models": []})

    app = Starlette(
        routes=[
            Route("/v1/messages", messages, methods=["POST"]),
            Route("/v1/messages/count_tokens", messages, methods=["POST"]),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/chat/completions", chat, methods=["POST"]),
            Route("/v1/responses", responses, methods=["POST"]),
            Route("/v1beta/{rest:path}", gemini, methods=["POST"]),
            Route("/{rest:path}", listing, methods=["GET", "HEAD", "POST"]),
        ]
    )
    ready = anyio.Event()
    async with anyio.create_task_group() as group:

        async def serve() -> None:
            await serve_app(app, "127.0.0.1", port, ready=ready.set)

        group.start_soon(serve)
        await ready.wait()
        yield model
        group.cancel_scope.cancel()


def _events(events: Iterable[tuple[str | None, dict[str, Any]]], end: str = "") -> Response:
    lines = [f"event: {kind}\n" * (kind is not None) + f"data: {json.dumps(data)}\n\n" for kind, data in events]
    return Response("".join(lines) + end, media_type=STREAM)


def _anthropic(call: tuple[str, Arguments] | None, number: int, body: dict[str, Any]) -> Response:
    block: dict[str, Any] = {"type": "text", "text": "done"}
    if call is not None:
        block = {"type": "tool_use", "id": f"toolu_{number:04d}", "name": call[0], "input": call[1]}
    stop = "end_turn" if call is None else "tool_use"
    message = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "content": [block],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    if not body.get("stream"):
        return JSONResponse(message)
    empty: dict[str, Any] = {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": "done"}
    if call is not None:
        empty = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(call[1])}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return _events((event["type"], event) for event in events)


def _chat(call: tuple[str, Arguments] | None, number: int, *, stream: bool) -> Response:
    message: dict[str, Any] = {"role": "assistant", "content": "done" if call is None else None}
    if call is not None:
        function = {"name": call[0], "arguments": json.dumps(call[1])}
        message["tool_calls"] = [{"index": 0, "id": f"call_{number}", "type": "function", "function": function}]
    reason = "stop" if call is None else "tool_calls"
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    base = {"id": "c", "created": 1, "model": "fake-model"}
    if not stream:
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return JSONResponse({**base, "object": "chat.completion", "choices": [choice], "usage": usage})
    chunk = {**base, "object": "chat.completion.chunk"}
    first = {**chunk, "choices": [{"index": 0, "delta": message, "finish_reason": None}]}
    last: dict[str, Any] = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage}
    return _events([(None, first), (None, last)], "data: [DONE]\n\n")


def _responses(call: tuple[str, Arguments] | None, number: int) -> Response:
    item: dict[str, Any] = {
        "type": "message",
        "id": f"m{number}",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "done", "annotations": []}],
    }
    if call is not None:
        name, _, namespace = call[0].partition("@")
        item = {
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": f"call_{number}",
            "name": name,
            "arguments": json.dumps(call[1]),
            "status": "completed",
            **({"namespace": namespace} if namespace else {}),
        }
    begun: dict[str, Any] = {"id": f"resp_{number}", "object": "response", "status": "in_progress", "output": []}
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 2,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    return _events(
        (str(event["type"]), event)
        for event in (
            {"type": "response.created", "response": begun},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {
                "type": "response.completed",
                "response": {**begun, "status": "completed", "output": [item], "usage": usage},
            },
        )
    )


def _gemini(call: tuple[str, Arguments] | None, number: int) -> dict[str, Any]:
    part: dict[str, Any] = {"text": "done"}
    if call is not None:
        part = {"functionCall": {"id": f"f{number}", "name": call[0], "args": call[1]}}
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
        "modelVersion": "fake-model",
    }
