"""Over the real thing: a storyboard of one create and three extensions ends in one film on the person's disk."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from tests.support.child import call, stdio_child
from tests.support.clips import RATE, frame_times, longest_gap, samples
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.mp4 import measure

pytestmark = pytest.mark.anyio


def steepest(wave: Any) -> float:
    """The largest step from one sample to the next."""
    return float(np.abs(np.diff(wave)).max())


@pytest.fixture
def folder() -> Generator[Path]:
    """As short as a person's own: with paths of 150 characters an answer has no room for the parts of a film."""
    with tempfile.TemporaryDirectory(prefix="veo-") as short:
        yield Path(short) / "videos"


async def test_a_storyboard_ends_in_one_film_of_32_seconds(tmp_path: Path, folder: Path) -> None:
    async with stdio_child(tmp_path, VEO_SAVE_DIR=str(folder)) as child:
        await child.open()
        numbers = iter(range(1, 1000))

        async def tool(name: str, **arguments: Any) -> dict[str, Any]:
            number = next(numbers)
            await child.send(call(number, name, **arguments))
            result = (await child.answer(number))["result"]
            return {**result["structuredContent"], "text": result["content"][0]["text"]}

        async def finished(task: dict[str, Any]) -> dict[str, Any]:
            while task["status"] not in ("completed", "failed"):
                task = await tool("get_task", task_id=task["task_id"], wait_seconds=50)
            assert task["status"] == "completed"
            return task

        task = await finished(await tool("create_video", prompt="A lighthouse at dusk, calm music"))
        ids = [task["task_id"]]
        for shot in ("Night falls", "A ship passes", "Morning comes"):
            task = await finished(await tool("extend_video", task_id=task["task_id"], prompt=shot))
            ids.append(task["task_id"])
        # Completed does not wait for its file: it is reported as soon as it is there.
        async with SqliteJournal(tmp_path / "journal.db") as journal, journal.changes() as feed:
            while "film_saved_to" not in (task := await tool("get_task", task_id=task["task_id"])):
                with anyio.fail_after(60):
                    await anext(feed)
        parts = [samples(Path((await tool("get_task", task_id=one))["saved_to"]))[: 8 * RATE] for one in ids]
    film = Path(task["film_saved_to"])
    assert str(film) in task["text"]
    assert str(film) in task["message"] or "film_saved_to" in task["message"]
    assert "a-lighthouse-at-dusk-calm-music" in film.name
    assert film.name.endswith("-film.mp4")
    found = measure(film)
    assert found is not None
    assert (found.seconds, found.width, found.height) == (32.0, 1280, 720)
    assert len(frame_times(film)) == 768
    assert np.allclose(np.diff(frame_times(film)), 1 / 24, atol=1e-4)
    wave, reach = samples(film), int(0.3 * RATE)
    for number, join in enumerate((8, 16, 24)):
        around = wave[join * RATE - reach : join * RATE + reach]
        assert longest_gap(around, silence=1e-3) < 0.030
        # The music, which is another one in every run, has steps of its own: the join adds none, and at the join itself
        # there is none.
        own = max(steepest(parts[number][-reach:]), steepest(parts[number + 1][:reach]))
        assert steepest(around) < max(0.1, 1.1 * own)
        assert steepest(around[reach - RATE // 200 : reach + RATE // 200]) < 0.1
    assert len(os.listdir(folder)) == 7
