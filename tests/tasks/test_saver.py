"""Finished videos save themselves: once, whole, in their folder, and whatever goes wrong is said and tried again."""

import errno
import shutil
from datetime import timedelta, timezone
from pathlib import Path

import anyio
import pytest

from tests.support.clips import clip
from tests.support.entries import START
from tests.support.saving import SavingStack, until_idle
from tests.support.video_api import IDENTITY
from veo_mcp.mp4 import measure
from veo_mcp.server.messages.task import task_message
from veo_mcp.tasks import save_folder

pytestmark = pytest.mark.anyio


async def test_a_finished_video_is_saved_under_a_name_one_can_read(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        await until_idle(engine)
        entry = await stack.entry(engine, 1)
    (name,) = stack.files()
    assert name == "2027-01-15-boat-1-1.mp4"
    assert entry.saved_to == str(stack.saved / name)
    assert (entry.duration_seconds, entry.width, entry.height) == (1.0, 64, 48)
    assert entry.file_error is None
    assert entry.file_due_at is None
    assert (stack.saved / name).read_bytes() == (stack.api.folder / "1.mp4").read_bytes()
    assert f"Saved: {entry.saved_to}" in task_message(entry, START)


@pytest.mark.parametrize(("hours", "day"), [(12, "2027-01-15"), (-10, "2027-01-14")])
async def test_the_date_in_a_name_is_that_of_the_persons_calendar(stack: SavingStack, hours: int, day: str) -> None:
    stack.zone = timezone(timedelta(hours=hours))
    async with stack.server() as engine:
        await stack.task(engine, 1)
        await stack.task(engine, 2, extends="task-1")
        await until_idle(engine)
    assert stack.files() == [f"{day}-boat-1-1.mp4", f"{day}-boat-1-2-film.mp4", f"{day}-boat-2-2.mp4"]


async def test_a_video_begun_while_nothing_was_saved_is_only_measured(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1, save_wanted=False)
        await until_idle(engine)
        entry = await stack.entry(engine, 1)
    assert stack.files() == []
    assert entry.saved_to is None
    assert entry.duration_seconds == 1.0
    assert entry.file_due_at is None


async def test_a_server_without_a_folder_leaves_what_is_to_be_saved_to_one_that_has_it(stack: SavingStack) -> None:
    async with stack.server(saves=False) as engine:
        await stack.task(engine, 1)
        await stack.task(engine, 2, save_wanted=False)
        await until_idle(engine)
        assert (await stack.entry(engine, 1)).file_due_at is not None
        assert (await stack.entry(engine, 2)).duration_seconds == 1.0
    async with stack.server() as engine:
        await until_idle(engine)
        assert (await stack.entry(engine, 1)).saved_to


async def test_two_servers_on_one_journal_save_each_clip_once(stack: SavingStack) -> None:
    async with stack.server() as one, stack.server() as two:
        for number in range(12):
            await stack.task(one, number)
        async with anyio.create_task_group() as group:
            for engine in (one, two, one, two):
                group.start_soon(until_idle, engine)
        entries = [await stack.entry(one, number) for number in range(12)]
    assert stack.api.fetched == {f"{number}.mp4": 1 for number in range(12)}
    assert stack.files() == sorted(Path(entry.saved_to or "").name for entry in entries)


async def test_another_server_goes_on_where_one_was_killed(stack: SavingStack) -> None:
    async with stack.server() as one, stack.server() as two:
        await stack.task(one, 1)
        # Killed in the middle: the lease is never given back, and half a file lies there.
        await one.journal.lease_files(api=IDENTITY, worker_id="dead", now=stack.now, seconds=60, limit=1, save=True)
        assert await two.saver.round() == 0
        stack.now += 61
        assert await two.saver.round() == 1
        assert (await stack.entry(two, 1)).saved_to


async def test_half_a_file_is_gone_on_with(stack: SavingStack) -> None:
    broken = True

    def crash_at(point: str) -> None:
        if point == "part begun" and broken:
            raise OSError(errno.ENOSPC, "No space left on device")

    clip(stack.api.folder / "1.mp4", seconds=8, size=(640, 480), options={"crf": "1"})
    assert (stack.api.folder / "1.mp4").stat().st_size > 200_000
    async with stack.server(crash_at=crash_at) as engine:
        await stack.task(engine, 1)
        await engine.saver.round()
        entry = await stack.entry(engine, 1)
        assert entry.saved_to is None
        assert entry.file_error == f"not saved yet. The disk of {stack.saved} is full."
        assert "Its file: not saved yet. The disk of" in task_message(entry, START)
        assert all(name.startswith(".") for name in stack.files())
        assert await engine.saver.round() == 0
        broken = False
        stack.now += 11
        await until_idle(engine)
        entry = await stack.entry(engine, 1)
    assert entry.file_error is None
    assert entry.file_tries == 0
    assert stack.api.resumed == {"1.mp4": 1}
    assert (stack.saved / stack.files()[0]).read_bytes() == (stack.api.folder / "1.mp4").read_bytes()
    assert len(stack.files()) == 1


async def test_a_vanished_folder_is_reported_and_not_made_again(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        stack.saved.rmdir()
        await engine.saver.round()
        assert (await stack.entry(engine, 1)).file_error == f"not saved yet. The folder {stack.saved} does not exist."
        assert not stack.saved.exists()
        stack.saved.mkdir()
        stack.now += 11
        await engine.saver.round()
        assert (await stack.entry(engine, 1)).file_error is None


def test_a_folder_is_made_only_in_one_that_is_there(tmp_path: Path) -> None:
    save_folder.prepare(tmp_path / "videos")
    save_folder.prepare(tmp_path / "videos")
    assert (tmp_path / "videos").is_dir()
    with pytest.raises(FileNotFoundError):
        save_folder.prepare(tmp_path / "drive" / "videos")
    assert not (tmp_path / "drive").exists()


async def test_a_folder_that_is_a_file_is_said(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        stack.saved.rmdir()
        stack.saved.write_text("mine")
        await engine.saver.round()
        assert "does not exist" in ((await stack.entry(engine, 1)).file_error or "")
    assert stack.saved.read_text() == "mine"


async def test_a_dead_link_is_fetched_again(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        shutil.copy(stack.api.folder / "1.mp4", stack.api.folder / "fresh.mp4")
        stack.api.refuse["1.mp4"] = 403
        stack.api.links["task-1"] = "fresh.mp4"
        await engine.saver.round()
        assert (await stack.entry(engine, 1)).saved_to
    assert stack.api.fetched == {"fresh.mp4": 1}


async def test_a_link_that_stays_dead_is_tried_ever_more_rarely_and_given_up_after_a_week(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        stack.api.refuse["1.mp4"] = 404
        due: list[float] = []
        for _ in range(12):
            await engine.saver.round()
            entry = await stack.entry(engine, 1)
            assert "has no such file (404)" in (entry.file_error or "")
            assert entry.file_due_at is not None
            due.append(entry.file_due_at - stack.now)
            stack.now = entry.file_due_at
        assert due[:4] == [10.0, 20.0, 40.0, 80.0]
        assert max(due) == 3600.0
        stack.now = START + 8 * 86400
        await engine.saver.round()
        entry = await stack.entry(engine, 1)
    assert entry.file_due_at is None
    assert "not tried any more" in (entry.file_error or "")
    assert stack.files() == []


async def test_a_damaged_video_gets_no_name(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        whole = (stack.api.folder / "1.mp4").read_bytes()
        (stack.api.folder / "1.mp4").write_bytes(whole[: len(whole) // 2])
        await engine.saver.round()
        assert "damaged video" in ((await stack.entry(engine, 1)).file_error or "")
        assert not [name for name in stack.files() if not name.startswith(".")]


async def test_a_file_that_is_there_is_never_replaced(stack: SavingStack) -> None:
    async with stack.server() as engine:
        await stack.task(engine, 1)
        mine = stack.saved / "2027-01-15-boat-1-1.mp4"
        mine.write_text("not a video")
        await until_idle(engine)
        entry = await stack.entry(engine, 1)
    assert mine.read_text() == "not a video"
    assert entry.saved_to == str(stack.saved / "2027-01-15-boat-1-1-2.mp4")


async def test_a_link_under_the_name_is_not_followed(stack: SavingStack) -> None:
    outside = stack.folder / "outside.mp4"
    async with stack.server() as engine:
        await stack.task(engine, 1)
        (stack.saved / "2027-01-15-boat-1-1.mp4").symlink_to(outside)
        await until_idle(engine)
        entry = await stack.entry(engine, 1)
    assert not outside.exists()
    assert (entry.saved_to or "").endswith("-2.mp4")


@pytest.mark.parametrize("prompt", ["../../../escape", "/etc/x", "..\\..\\x", "a\0b", ".", "$HOME", "x" * 4000])
async def test_no_prompt_leads_out_of_the_folder(stack: SavingStack, prompt: str) -> None:
    async with stack.server() as engine:
        before = sorted(path for path in stack.folder.rglob("*") if stack.saved not in path.parents)
        await stack.task(engine, 1, prompt=prompt)
        await until_idle(engine)
        saved = Path((await stack.entry(engine, 1)).saved_to or "")
    assert saved.parent == stack.saved
    after = sorted(path for path in stack.folder.rglob("*") if stack.saved not in path.parents)
    assert {path.name for path in after} - {path.name for path in before} <= {"1.mp4", "journal.db-journal"}


async def test_a_video_larger_than_allowed_is_not_kept(stack: SavingStack) -> None:
    async with stack.server(max_video_bytes=1000) as engine:
        await stack.task(engine, 1)
        await engine.saver.round()
        assert "larger than the limit of 0.001 MB" in ((await stack.entry(engine, 1)).file_error or "")
    assert stack.files() == []


async def test_an_endless_download_does_not_keep_the_others_waiting(stack: SavingStack) -> None:
    stack.api.pause["1.mp4"] = anyio.Event()

    async def quick(_seconds: float) -> None:
        await anyio.sleep(0.01)

    async with stack.server(sleep=quick) as engine, anyio.create_task_group() as group:
        await stack.task(engine, 1)
        await stack.task(engine, 2)
        async with engine.journal.changes("vid_2") as feed:
            group.start_soon(engine.saver.run)
            with anyio.fail_after(30):
                while not (await anext(feed)).saved_to:
                    pass
        assert (await stack.entry(engine, 1)).saved_to is None
        group.cancel_scope.cancel()


async def test_only_what_the_person_alone_began_is_saved(stack: SavingStack) -> None:
    from tests.support.entries import account
    from veo_mcp.api.models import CreateInput

    wanted: dict[str, bool] = {}
    async with stack.server() as engine:
        await engine.accounts.scopes()
        for principal in ("", "ann"):
            mine = account(IDENTITY, principal)
            plan = engine.submitter.plan_create(mine, CreateInput(prompt=f"a boat for {principal}"))
            # This API makes nothing; what counts is the entry that is written before anything is sent.
            await engine.submitter.spend(mine, plan)
            (entry,) = (await engine.journal.list(mine)).entries
            wanted[principal] = entry.save_wanted
    assert wanted == {"": True, "ann": False}


def test_what_is_measured_is_what_the_file_says(tmp_path: Path) -> None:
    found = measure(clip(tmp_path / "a.mp4", seconds=2, size=(48, 64), tone=None))
    assert found is not None
    assert (found.seconds, found.width, found.height, found.sound) == (2.0, 48, 64, False)
