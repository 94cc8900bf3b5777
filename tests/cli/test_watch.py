"""`veo-mcp tasks --watch` shows every change as it comes, asks the API itself, and ends by Ctrl-C alone."""

import signal
import sys
from pathlib import Path

import anyio
import pytest
from anyio.streams.text import TextReceiveStream
from pydantic import SecretStr

from tests.support.entries import START, add, unfinished
from tests.support.person import at_a_terminal, environment
from tests.support.sandbox_api import ApiClient, api
from veo_mcp.api.client import VeoClient
from veo_mcp.journal.sqlite.store import SqliteJournal

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are a thing of POSIX", allow_module_level=True)

pytestmark = pytest.mark.anyio
KEY = "sk-me"


async def begin(journal: SqliteJournal, client: ApiClient, number: int, prompt: str) -> str:
    """A task that will fail, known to the API and to the journal; nobody polls it."""
    made = await client.create(prompt=f"{prompt} [sandbox:fail]")
    task_id = made.json()["data"]["taskId"]
    url = str(client.http.base_url)
    async with VeoClient(url, SecretStr(KEY)) as veo:
        identity = await veo.identity()
    entry = unfinished(number, api=identity, upstream_id=task_id, prompt=prompt, created_at=START - number)
    assert await add(journal, entry) is not None
    return task_id


async def test_a_person_sees_each_task_once_and_its_end_with_no_server_running(tmp_path: Path) -> None:
    async with api(tmp_path / "api", KEY) as client, SqliteJournal(tmp_path / "journal.db") as journal:
        await begin(journal, client, 1, "a boat at dawn")
        env = environment(tmp_path, VEO_API_KEY=KEY, VEO_BASE_URL=str(client.http.base_url))

        def at_the_terminal() -> None:
            with at_a_terminal("tasks", "--watch", env=env, folder=tmp_path) as person:
                person.reads("Ctrl-C ends it")
                person.reads("failed")  # asked by the watching command itself
                anyio.from_thread.run(begin, journal, client, 2, "a second boat")
                person.reads("a second boat")
                person.types("\x03")
                assert person.waits() == 130
                assert "Traceback" not in person.seen
                assert "\x1b[?25h" in person.seen, "the cursor is back"
                lines = person.screen()
                for prompt in ("a boat at dawn", "a second boat"):
                    assert sum(prompt in line for line in lines) == 1, lines

        await anyio.to_thread.run_sync(at_the_terminal)


async def test_a_pipe_gets_a_line_for_each_change(tmp_path: Path) -> None:
    async with api(tmp_path / "api", KEY) as client, SqliteJournal(tmp_path / "journal.db") as journal:
        task_id = await begin(journal, client, 1, "a boat at dawn")
        env = environment(tmp_path, VEO_API_KEY=KEY, VEO_BASE_URL=str(client.http.base_url))
        command = [sys.executable, "-m", "veo_mcp", "tasks", "--watch"]
        async with await anyio.open_process(command, env=env, stderr=None) as watching:
            assert watching.stdout is not None
            said = ""
            with anyio.fail_after(60):
                async for more in TextReceiveStream(watching.stdout):
                    said += more
                    if "failed" in said:
                        break
            watching.send_signal(signal.SIGINT)
            assert await watching.wait() == 130
        lines = said.splitlines()
        assert all(task_id in line for line in lines), said  # whole: a program reads here
        assert len(lines) == len({line.split()[1] for line in lines}), "no state is told twice"


async def test_what_a_watch_cannot_do_is_said(tmp_path: Path) -> None:
    for arguments, words in ((("--json",), "leave out --json"), (("--since", "yesteryear"), "such as 24h")):
        command = [sys.executable, "-m", "veo_mcp", "tasks", "--watch", *arguments]
        done = await anyio.run_process(command, env=environment(tmp_path), check=False)
        assert done.returncode in (1, 2)
        assert words in done.stderr.decode()
