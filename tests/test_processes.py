"""The server as hosts run it: a real child process over stdio, killed and started again."""

import os
import signal
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from tests.house import text

pytestmark = pytest.mark.anyio


def server(folder: Path, *, seconds: float) -> StdioServerParameters:
    env = {
        **os.environ,
        "VEO_JOURNAL": str(folder / "journal.db"),
        "VEO_SANDBOX_DIR": str(folder / "sandbox"),
        "VEO_SANDBOX_SECONDS": str(seconds),
    }
    # The server writes its id where the test can find it: only processes that we started are ended, by id.
    note = f"import os,sys; open({str(folder / 'pid')!r},'w').write(str(os.getpid())); import veo_mcp.cli as c; "
    return StdioServerParameters(
        command=sys.executable, args=["-c", note + "sys.argv=['veo-mcp','serve','--sandbox']; c.main()"], env=env
    )


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_model_makes_watches_extends_and_pays_for_a_video(tmp_path: Path, mode: str) -> None:
    beats: list[float] = []

    async def beat(progress: float, _total: float | None, _message: str | None) -> None:
        beats.append(progress)

    async with Client(server(tmp_path, seconds=1), mode=mode) as client:
        made = await client.call_tool("create_video", {"prompt": "a quiet sea at dawn", "seeds": 12345})
        task = made.structured_content or {}
        assert task["charged"] == "yes"
        assert "Charged 40 credits." in text(made)
        done = await client.call_tool(
            "get_task", {"task_id": task["task_id"], "wait_seconds": 50}, progress_callback=beat
        )
        finished = done.structured_content or {}
        assert finished["status"] == "completed"
        assert finished["video_urls"][0] in text(done)
        assert beats
        assert beats == sorted(set(beats))
        resource = await client.read_resource(finished["resource_uri"])
        assert finished["video_urls"][0] in str(resource.contents[0])
        more = await client.call_tool("extend_video", {"task_id": task["task_id"], "prompt": "rain begins"})
        assert (more.structured_content or {})["credits_estimated"] is True
        balance = await client.call_tool("get_credits", {})
        assert (balance.structured_content or {})["total_consumed"] == 80


async def test_a_task_survives_the_death_of_the_server(tmp_path: Path) -> None:
    async with Client(server(tmp_path, seconds=2)) as client:
        made = await client.call_tool("create_video", {"prompt": "a forest in fog"})
        task_id = (made.structured_content or {})["task_id"]
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    async with Client(server(tmp_path, seconds=2)) as client:
        done = await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 50})
        finished = done.structured_content or {}
        assert finished["status"] == "completed"
        assert finished["video_urls"]


async def test_a_wrong_setting_leaves_the_server_standing_with_a_sentence(tmp_path: Path) -> None:
    parameters = server(tmp_path, seconds=1)
    parameters.env = {**(parameters.env or {}), "VEO_MAX_CREDITS": "many"}
    async with Client(parameters) as client:
        assert len((await client.list_tools()).tools) == 5
        refused = await client.call_tool("create_video", {"prompt": "x"})
        assert refused.is_error
        assert "VEO_MAX_CREDITS" in text(refused)
        assert "Not charged." in text(refused)
