"""At the terminal: ids one can copy, sentences instead of tracebacks, settings named as they were given."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from anyio import to_thread
from mcp import Client

from tests.support.processes import server, veo_mcp
from tests.support.results import structured
from veo_mcp.settings import load

pytestmark = pytest.mark.anyio


def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in (["serve", "--sandbox", "--transport", "http"], ["sandbox"]):
            done = veo_mcp(tmp_path, *command, "--port", port)
            assert done.returncode == 1
            assert f"Port {port} of 127.0.0.1 cannot be used" in done.stderr
            assert "Traceback" not in done.stderr


def test_check_fails_for_a_host_that_serve_would_refuse_and_sends_no_key_that_is_known_to_be_wrong(
    tmp_path: Path,
) -> None:
    host = veo_mcp(tmp_path, "check", VEO_TRANSPORT="http", VEO_HOST="0.0.0.0")  # noqa: S104
    assert host.returncode == 1
    assert "would let others spend your credits" in host.stderr
    key = veo_mcp(tmp_path, "check", VEO_API_KEY="no-key", VEO_BASE_URL="http://127.0.0.1:9")
    assert key.returncode == 1
    assert "VEO_API_KEY does not start with sk-" in key.stderr
    assert "could not be reached" not in key.stderr


def test_a_wrong_setting_is_named_as_it_was_given_and_says_what_is_wanted(tmp_path: Path) -> None:
    for settings, words in (
        ({"VEO_MAX_CREDITS": "abc"}, "VEO_MAX_CREDITS is not usable: it must be a whole number."),
        ({"VEO_BASE_URL": "nonsense"}, "VEO_BASE_URL is not usable: it must be a URL that begins with http"),
        ({"VEO_CONFIRM_ABOVE": "-1"}, "VEO_CONFIRM_ABOVE is not usable: it must be at least 0."),
        ({"VEO_TRANSPORT": "pigeon"}, "VEO_TRANSPORT is not usable: it must be stdio, http or sse."),
    ):
        assert words in veo_mcp(tmp_path, "check", **settings).stderr
    assert load({}, max_credits=-3).problems == ("--max-credits is not usable: it must be at least 0.",)


async def test_at_the_terminal_ids_are_whole_and_a_download_asks_the_api_itself(tmp_path: Path) -> None:
    async with Client(server(tmp_path, seconds=0)) as client:
        made = await client.call_tool("create_video", {"prompt": "a boat"})
        task_id = structured(made)["task_id"]
        await client.call_tool("get_task", {"task_id": task_id, "wait_seconds": 50})
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db, db:
        # As if no server had been there when the video was done.
        db.execute("UPDATE entries SET status = 'pending', video_urls = '[]', completed_at = NULL")
    listed = await to_thread.run_sync(lambda: veo_mcp(tmp_path, "tasks", COLUMNS="60"))
    assert task_id in listed.stdout  # in a pipe
    assert "40 sandbox" in listed.stdout
    assert "no key is set or saved; the API was not asked" in listed.stderr
    spent = veo_mcp(tmp_path, "tasks", "spend")
    assert "SANDBOX credits: no money" in spent.stdout
    assert task_id in veo_mcp(tmp_path, "tasks", "show", task_id[:8]).stdout
    assert veo_mcp(tmp_path, "tasks", "--csv", "--since", "1h").stdout.count(task_id) == 1
    assert task_id not in veo_mcp(tmp_path, "tasks", "--status", "failed").stdout
    nonsense = veo_mcp(tmp_path, "tasks", "--since", "yesteryear")
    assert (nonsense.returncode, "such as 24h" in nonsense.stderr) == (1, True)
    assert veo_mcp(tmp_path, "tasks", "--limit", "-1").returncode == 2
    blocked = tmp_path / "a-file"
    blocked.write_text("x")
    refused = veo_mcp(tmp_path, "download", task_id, "--out", str(blocked))
    assert refused.returncode == 1
    assert "is a file" in refused.stderr
    saved = veo_mcp(tmp_path, "download", task_id[:8], "--out", str(tmp_path / "videos"))
    assert saved.returncode == 0, saved.stderr
    assert (tmp_path / "videos" / f"{task_id}.mp4").stat().st_size > 100_000
