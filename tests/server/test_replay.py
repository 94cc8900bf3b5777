"""An accepted confirmation that is sent again, as the modern era allows for ten minutes, spends once."""

from pathlib import Path
from typing import Any

import pytest
from mcp_types import InputRequiredResult

from tests.support.stack import open_stack, text

pytestmark = pytest.mark.anyio


async def test_a_replayed_confirmation_spends_once(tmp_path: Path) -> None:
    async def never(_context: Any, _params: Any) -> Any:
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
        assert "Charged 300 sandbox credits." in text(results[0])  # pyright: ignore[reportArgumentType]
        ids = {(result.structured_content or {})["task_id"] for result in results}  # pyright: ignore
        assert len(ids) == 1
        assert await env.charged() == 300
