"""An accepted confirmation that is sent again, as the modern era allows for ten minutes, spends once."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import CallToolResult, InputRequiredResult

from tests.support.results import structured
from tests.support.stack import open_stack, text
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server

pytestmark = pytest.mark.anyio


async def test_a_replayed_confirmation_spends_once(tmp_path: Path) -> None:
    async def never(context: Any, params: Any) -> Any:
        raise AssertionError("this test answers by itself")

    arguments = {"prompt": "a boat", "mode": "quality"}
    async with open_stack(tmp_path, elicitation=never) as env:
        session = env.client.session
        asked = await session.call_tool("create_video", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        assert asked.input_requests is not None
        (question,) = asked.input_requests
        answers: Any = {question: {"action": "accept", "content": {"spend": True}}}
        results = [
            await session.call_tool(
                "create_video",
                arguments,
                input_responses=answers,
                request_state=asked.request_state,
                allow_input_required=True,
            )
            for _ in range(3)
        ]
        answered = [result for result in results if isinstance(result, CallToolResult)]
        assert len(answered) == 3
        assert "Charged 300 sandbox credits." in text(answered[0])
        ids = {structured(result)["task_id"] for result in answered}
        assert len(ids) == 1
        assert await env.charged() == 300


async def test_a_question_asked_by_one_replica_is_answered_at_another(tmp_path: Path) -> None:
    async def never(context: Any, params: Any) -> Any:
        raise AssertionError("this test answers by itself")

    arguments = {"prompt": "a boat", "mode": "quality"}
    async with open_stack(tmp_path, elicitation=never) as env:
        # Another process on the same journal, with a key for its seal that it reads there.
        backend = Backend()
        backend.opened(env.engine)
        async with Client(build_server(backend, sandbox=True), mode="auto", elicitation_callback=never) as other:
            asked = await env.client.session.call_tool("create_video", arguments, allow_input_required=True)
            assert isinstance(asked, InputRequiredResult)
            assert asked.input_requests is not None
            (question,) = asked.input_requests
            answers: Any = {question: {"action": "accept", "content": {"spend": True}}}
            result = await other.session.call_tool(
                "create_video",
                arguments,
                input_responses=answers,
                request_state=asked.request_state,
                allow_input_required=True,
            )
        assert "Charged 300 sandbox credits." in text(result)  # pyright: ignore[reportArgumentType]
        assert await env.charged() == 300


async def test_an_answer_that_comes_while_the_journal_is_gone_gets_the_reason(tmp_path: Path) -> None:
    arguments = {"prompt": "a boat", "mode": "quality"}
    backend = Backend()
    backend.failed("The journal cannot be opened.")
    async with Client(build_server(backend, sandbox=True), mode="auto") as client:
        result = await client.session.call_tool(
            "create_video", arguments, request_state="v1.something", allow_input_required=True
        )
    assert "The journal cannot be opened." in text(result)  # pyright: ignore[reportArgumentType]
