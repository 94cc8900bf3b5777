"""`veo-mcp download --film` as a person types it: one film, or a sentence on which part is missing."""

from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from anyio import to_thread

from tests.support.clips import clip
from tests.support.entries import add, unfinished
from tests.support.processes import veo_mcp
from tests.support.saving import SavingStack
from tests.support.video_api import IDENTITY, video_api
from veo_mcp.journal.entry import Status
from veo_mcp.mp4 import measure

pytestmark = pytest.mark.anyio


async def download(stack: SavingStack, task_id: str) -> CompletedProcess[str]:
    arguments = ("download", task_id, "--film", "--out", str(stack.folder / "films"))
    command = partial(veo_mcp, stack.folder, *arguments, VEO_BASE_URL=stack.api.url, VEO_API_KEY="sk-x")
    return await to_thread.run_sync(command)


async def test_the_film_of_an_extension_is_one_file_and_a_second_try_makes_no_other(tmp_path: Path) -> None:
    async with video_api(tmp_path / "api") as api:
        stack = SavingStack(tmp_path, api)
        async with stack.server(saves=False) as engine:
            for number in range(3):
                clip(api.folder / f"{number}.mp4", tone=300 + number)
                await stack.task(engine, number, extends=f"task-{number - 1}" if number else None, save_wanted=False)
        made = await download(stack, "task-2")
        assert made.returncode == 0, made.stderr
        # The name is the last line, alone, so that a script can take it.
        film = Path(made.stdout.strip())
        found = measure(film)
        assert found is not None
        assert found.seconds == 3.0
        assert film.parent == tmp_path / "films"
        assert film.name.endswith("-boat-0-2-film.mp4")
        again = await download(stack, "task-2")
        assert again.stdout == made.stdout
        assert api.fetched == {"2.mp4": 1, "1.mp4": 2, "0.mp4": 2}, "the parts are not kept"
    assert sorted(path.name for path in film.parent.iterdir()) == [film.name, "task-2.mp4"]


@pytest.mark.parametrize("link", ["failed", "gone"])
async def test_a_chain_that_lacks_a_link_says_which_and_keeps_what_there_is(tmp_path: Path, link: str) -> None:
    async with video_api(tmp_path / "api") as api:
        stack = SavingStack(tmp_path, api)
        async with stack.server(saves=False) as engine:
            if link == "failed":
                await add(engine.journal, unfinished(0, api=IDENTITY, status=Status.FAILED))
            else:
                await stack.task(engine, 0, save_wanted=False)
                api.refuse["0.mp4"] = 404
            for number in (1, 2):
                await stack.task(engine, number, extends=f"task-{number - 1}", save_wanted=False)
        done = await download(stack, "task-2")
    assert done.returncode == 1
    assert done.stdout == ""
    said = " ".join(done.stderr.split())
    if link == "failed":
        assert "The part task-1 (“boat 1”) continues task-0, which is failed." in said
    else:
        assert "The part task-0 (“boat 0”) could not be fetched" in said
    own = tmp_path / "films" / "task-2.mp4"
    assert measure(own)
    assert f"The video alone is there: {own}" in said
    assert "Traceback" not in said
