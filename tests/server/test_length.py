"""A finished video's answer says how long it is, and an extension's whether its file holds the whole film."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.results import structured
from tests.support.stack import Stack, open_stack, text

pytestmark = pytest.mark.anyio


async def finished(stack: Stack, task_id: str, *, measured: bool) -> tuple[str, dict[str, Any]]:
    """What get_task says at the end; if `measured`, once the file was looked at."""
    with anyio.fail_after(120):
        while True:
            result = await stack.call("get_task", task_id=task_id, wait_seconds=20)
            data = structured(result)
            if data["status"] == "completed" and (not measured or "duration_seconds" in data):
                return text(result), data
            await anyio.sleep(0.2)


async def test_length_and_size_come_from_the_file_itself_through_the_real_sandbox(tmp_path: Path) -> None:
    async with open_stack(tmp_path) as stack:
        made = structured(await stack.call("create_video", prompt="a boat on a lake at dawn"))
        said, first = await finished(stack, made["task_id"], measured=True)
        assert f"{first['duration_seconds']:.1f} s, {first['width']}×{first['height']}, fast, 16:9" in said
        assert 7.5 <= first["duration_seconds"] <= 8.5
        assert first["message"] == said
        more = await stack.call("extend_video", task_id=made["task_id"], prompt="it sails away")
        begun = structured(more)
        said, second = await finished(stack, begun["task_id"], measured=True)
    whole = second["duration_seconds"] >= first["duration_seconds"] + 2
    assert ("holds the whole film" in said) is whole
    assert ("holds only the new part" in said) is not whole
    if not whole:
        for channel in (said, second["message"]):
            assert f"1. {first['video_urls'][0]}; 2. this one." in channel
