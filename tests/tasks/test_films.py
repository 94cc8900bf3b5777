"""A video and what it continues become one film, from whatever files are at hand; what is missing is named."""

from pathlib import Path

import pytest

from tests.support.clips import clip, frame_times
from tests.support.entries import add, unfinished
from tests.support.saving import SavingStack, until_idle
from tests.support.video_api import IDENTITY
from veo_mcp.journal.entry import FileNews, Status
from veo_mcp.mp4 import measure
from veo_mcp.server.messages.task import task_message

pytestmark = pytest.mark.anyio


def length(path: str | Path | None) -> float:
    found = measure(Path(path or ""))
    assert found is not None
    return found.seconds


async def test_a_create_and_three_extensions_become_one_film(stack: SavingStack) -> None:
    async with stack.server() as engine:
        for number in range(4):
            clip(stack.api.folder / f"{number}.mp4", seconds=2, tone=300 + number)
            await stack.task(engine, number, extends=f"task-{number - 1}" if number else None)
        await until_idle(engine)
        entries = [await stack.entry(engine, number) for number in range(4)]
    assert [length(entry.saved_to) for entry in entries] == [2.0] * 4
    assert entries[0].film_saved_to is None
    assert [length(entry.film_saved_to) for entry in entries[1:]] == [4.0, 6.0, 8.0]
    assert Path(entries[3].film_saved_to or "").name == "2027-01-15-boat-0-3-film.mp4"
    assert len(frame_times(Path(entries[3].film_saved_to or ""))) == 8 * 24
    assert stack.api.fetched == {f"{number}.mp4": 1 for number in range(4)}
    assert len(stack.files()) == 7
    assert f"The whole film: {entries[3].film_saved_to}" in task_message(entries[3], stack.now)


async def test_a_file_that_holds_the_whole_film_is_used_as_it_is(stack: SavingStack) -> None:
    async with stack.server() as engine:
        clip(stack.api.folder / "1.mp4", seconds=2)
        clip(stack.api.folder / "2.mp4", seconds=4)
        clip(stack.api.folder / "3.mp4", seconds=2)
        await stack.task(engine, 1)
        await stack.task(engine, 2, extends="task-1")
        await stack.task(engine, 3, extends="task-2")
        await until_idle(engine)
        second, third = await stack.entry(engine, 2), await stack.entry(engine, 3)
    assert second.film_saved_to == second.saved_to
    # Its parent's file holds all that came before.
    assert length(third.film_saved_to) == 6.0
    assert len(stack.files()) == 4


async def test_parts_that_were_not_saved_are_fetched_for_the_film_and_not_kept(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1, save_wanted=False, file_due_at=None)
        await stack.task(engine, 2, extends="task-1")
        await until_idle(engine)
        second = await stack.entry(engine, 2)
    assert length(second.film_saved_to) == 2.0
    assert stack.files() == ["2027-01-15-boat-1-2-film.mp4", "2027-01-15-boat-2-2.mp4"]


async def test_a_film_waits_for_a_part_that_is_about_to_be_saved(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 2, extends="task-1")
        await stack.task(engine, 1, file_due_at=stack.now + 5)
        await until_idle(engine)
        assert "is not saved yet" in ((await stack.entry(engine, 2)).file_error or "")
        stack.now += 20
        await until_idle(engine)
        stack.now += 20
        await until_idle(engine)
        assert length((await stack.entry(engine, 2)).film_saved_to) == 2.0
    assert stack.api.fetched == {"1.mp4": 1, "2.mp4": 1}


async def test_a_part_that_cannot_be_had_is_named(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1, save_wanted=False, file_due_at=None)
        await stack.task(engine, 2, extends="task-1")
        stack.api.refuse["1.mp4"] = 404
        await until_idle(engine)
        error = (await stack.entry(engine, 2)).file_error or ""
        assert error.startswith(
            "not joined with what it continues yet. The part task-1 (“boat 1”) could not be fetched"
        )
        assert (await stack.entry(engine, 2)).saved_to
        del stack.api.refuse["1.mp4"]
        stack.now += 11
        await until_idle(engine)
        assert length((await stack.entry(engine, 2)).film_saved_to) == 2.0


@pytest.mark.parametrize("status", [Status.FAILED, Status.PROCESSING])
async def test_a_part_that_never_came_to_be_is_named(stack: SavingStack, status: Status) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 2, extends="task-1")
        await add(engine.journal, unfinished(1, api=IDENTITY, status=status))
        await until_idle(engine)
        assert f"It continues task-1, which is {status.value}." in ((await stack.entry(engine, 2)).file_error or "")


async def test_a_link_in_the_middle_of_a_chain_is_named_with_what_continues_it(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await add(engine.journal, unfinished(1, api=IDENTITY, status=Status.FAILED))
        await stack.task(engine, 2, extends="task-1")
        await stack.task(engine, 3, extends="task-2")
        await until_idle(engine)
        error = (await stack.entry(engine, 3)).file_error or ""
    assert error.endswith("The part task-2 (“boat 2”) continues task-1, which is failed.")


async def test_an_unknown_parent_is_named(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 2, extends="task-gone")
        await until_idle(engine)
        assert "task-gone, which is not known" in ((await stack.entry(engine, 2)).file_error or "")


async def test_a_parent_that_was_made_elsewhere_is_asked_for(stack: SavingStack) -> None:
    async with stack.server() as engine:
        clip(stack.api.folder / "other.mp4")
        stack.api.links["task-other"] = "other.mp4"
        await stack.task(engine, 2, extends="task-other")
        await until_idle(engine)
        assert length((await stack.entry(engine, 2)).film_saved_to) == 2.0


async def test_a_chain_that_leads_back_to_itself_ends(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1, extends="task-2")
        await stack.task(engine, 2, extends="task-1")
        for _ in range(4):
            await until_idle(engine)
            stack.now += 20
        assert "leads back to itself" in ((await stack.entry(engine, 2)).file_error or "")


async def test_a_part_whose_saved_file_was_moved_away_is_fetched_again(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        await until_idle(engine)
        (stack.saved / stack.files()[0]).rename(stack.folder / "elsewhere.mp4")
        await stack.task(engine, 2, extends="task-1")
        await until_idle(engine)
        assert length((await stack.entry(engine, 2)).film_saved_to) == 2.0
    assert stack.api.fetched["1.mp4"] == 2


async def test_what_an_earlier_try_left_behind_is_swept_away(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        await stack.task(engine, 2, extends="task-1")
        (stack.saved / ".2027-01-15-boat-1-2-film.mp4.0badcafe.joining.mp4").write_bytes(b"half")
        await until_idle(engine)
    assert not [name for name in stack.files() if name.startswith(".")]


async def test_the_length_of_what_is_saved_elsewhere_is_known_without_fetching_it(stack: SavingStack) -> None:
    async with stack.server() as engine:
        clip(stack.api.folder / "1.mp4", seconds=2)
        await stack.task(engine, 1)
        (lease,) = await engine.journal.lease_files(
            api="sandbox:film", worker_id="w", now=stack.now, seconds=9, limit=1, save=True
        )
        await engine.journal.record_file(lease, FileNews(duration_seconds=2.0), now=stack.now)
        stack.api.refuse["1.mp4"] = 404
        clip(stack.api.folder / "2.mp4", seconds=4)
        await stack.task(engine, 2, extends="task-1")
        await until_idle(engine)
        second = await stack.entry(engine, 2)
    assert second.film_saved_to == second.saved_to
