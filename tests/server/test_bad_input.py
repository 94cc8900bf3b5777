"""Bad input gets a clear error, and no request that could be charged leaves."""

from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.support.entries import everything
from tests.support.results import structured
from tests.support.stack import open_stack, text
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.tasks.engine import Engine

pytestmark = pytest.mark.anyio

IMAGE = "https://example.com/a.jpg"
WRONG_ARGUMENTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "an empty prompt": ("create_video", {"prompt": "  "}, "prompt"),
    "no prompt": ("create_video", {}, "prompt is missing"),
    "seeds 9999": ("create_video", {"prompt": "x", "seeds": 9999}, "10000 to 99999"),
    "three images without REFERENCE": ("create_video", {"prompt": "x", "image_urls": [IMAGE] * 3}, "REFERENCE_2_VIDEO"),
    "four images": ("create_video", {"prompt": "x", "image_urls": [IMAGE] * 4}, "at most 3"),
    "REFERENCE in quality": (
        "create_video",
        {"prompt": "x", "mode": "quality", "generation_type": "REFERENCE_2_VIDEO", "image_urls": [IMAGE]},
        "fast only",
    ),
    "TEXT with images": (
        "create_video",
        {"prompt": "x", "generation_type": "TEXT_2_VIDEO", "image_urls": [IMAGE]},
        "no image_urls",
    ),
    "an image mode without images": (
        "create_video",
        {"prompt": "x", "generation_type": "FIRST_AND_LAST_FRAMES_2_VIDEO"},
        "needs image_urls",
    ),
    "an image that is not http": ("create_video", {"prompt": "x", "image_urls": ["ftp://a.example/x.png"]}, "http"),
    "a file URL": ("create_video", {"prompt": "x", "image_urls": ["file:///home/me/a.png"]}, "a public link opens"),
    "a path": ("create_video", {"prompt": "x", "image_urls": ["/home/me/a.png"]}, "a public link opens"),
    "a path from home": ("create_video", {"prompt": "x", "image_urls": ["~/a.png"]}, "a public link opens"),
    "a Windows path": ("create_video", {"prompt": "x", "image_urls": ["C:\\me\\a.png"]}, "a public link opens"),
    "a bare name": ("create_video", {"prompt": "x", "image_urls": ["photo.JPG"]}, "a public link opens"),
    "an image in the call": (
        "create_video",
        {"prompt": "x", "image_urls": ["data:image/png;base64,AAAA"]},
        "(data:) cannot be handed to the API",
    ),
    "an unknown argument": ("create_video", {"prompt": "x", "duration": 5}, "duration is not an argument"),
    "an unknown mode": ("create_video", {"prompt": "x", "mode": "best"}, "'fast' or 'quality'"),
    "extending what does not exist": ("extend_video", {"task_id": "nope", "prompt": "x"}, "No task"),
    "extending with an empty prompt": ("extend_video", {"task_id": "nope", "prompt": ""}, "prompt"),
    "a task that does not exist": ("get_task", {"task_id": "nope"}, "No task"),
    "waiting 51 seconds": ("get_task", {"task_id": "nope", "wait_seconds": 51}, "0 to 50"),
    "a status that does not exist": ("list_tasks", {"status": "done"}, "status must be"),
    "a limit of 51": ("list_tasks", {"limit": 51}, "1 to 50"),
    "a tool that does not exist": ("make_movie", {}, "no tool"),
}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_wrong_arguments_get_a_clear_message_and_cost_nothing(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode) as env:
        for name, (tool, arguments, words) in WRONG_ARGUMENTS.items():
            result = await env.call(tool, **arguments)
            assert result.is_error, name
            assert words in text(result), name
            assert "Not charged." in text(result), name
            assert "pydantic" not in text(result), name
        assert await env.charged() == 0
        assert await everything(env.engine) == ()


async def test_an_unfinished_or_failed_task_is_not_extended(tmp_path: Path) -> None:
    async with open_stack(tmp_path) as env:
        made = await env.call("create_video", prompt="[sandbox:fail] a storm")
        task_id = structured(made)["task_id"]
        refused = await env.call("extend_video", task_id=task_id, prompt="go on")
        assert refused.is_error
        assert "Only a completed task can be extended" in text(refused)
        failed = await env.call("get_task", task_id=task_id, wait_seconds=20)
        assert structured(failed)["charged"] == "refunded"
        assert "Refunded 40 sandbox credits." in text(failed)
        again = await env.call("extend_video", task_id=task_id, prompt="go on")
        assert "this one is failed" in text(again)
        assert await env.charged() == 0


@pytest.mark.parametrize(
    ("key", "words"),
    [("wrong", "key"), ("sk-sandbox-disabled", "key"), ("sk-sandbox-ip", "allowlist")],
)
async def test_a_key_that_is_not_accepted_is_named_and_nothing_is_written_down(
    tmp_path: Path, key: str, words: str
) -> None:
    async with open_stack(tmp_path, key=key) as env:
        result = await env.call("create_video", prompt="x")
        assert result.is_error
        assert words in text(result)
        assert "Not charged." in text(result)
        assert await everything(env.engine) == ()


async def test_a_balance_that_is_too_low_is_a_refusal_that_costs_nothing(tmp_path: Path) -> None:
    async with open_stack(tmp_path, key="sk-sandbox-poor") as env:
        result = await env.call("create_video", prompt="x")
        assert result.is_error
        assert "The balance does not cover it: it costs" in text(result)
        assert "Not charged." in text(result)


class Broken(Backend):
    """A backend with a mistake in it, as no release should have."""

    async def engine(self) -> Engine:
        raise RuntimeError("a mistake")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_crash_of_ours_says_in_the_fixed_words_what_it_may_have_cost(mode: str) -> None:
    async with Client(build_server(Broken(), sandbox=True, confirm_above=1000), mode=mode) as client:
        for tool, arguments, money in (
            # It came before anything was sent.
            ("create_video", {"prompt": "x"}, "Not charged."),
            ("create_video", {"prompt": "x", "mode": "quality"}, "Not charged."),
            ("list_tasks", {}, "Not charged."),
        ):
            result = await client.call_tool(tool, arguments)
            assert result.is_error
            assert money in text(result)
            assert "a mistake" not in text(result)
