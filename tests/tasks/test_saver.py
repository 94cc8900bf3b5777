"""Finished videos save themselves: once, whole, in their folder, and whatever goes wrong is said and tried again."""

import errno
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr

from tests.support.clips import clip
from tests.support.entries import START, add, unfinished
from tests.support.video_api import IDENTITY, VideoApi, video_api
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.mp4 import measure
from veo_mcp.server.results import task_message
from veo_mcp.tasks import shelf
from veo_mcp.tasks.engine import Engine, open_engine

pytestmark = pytest.mark.anyio


@dataclass
class House:
    """One journal, one API, and as many servers as are opened."""

    folder: Path
    api: VideoApi
    now: float = START
    made: list[str] = field(default_factory=list[str])

    @property
    def saved(self) -> Path:
        return self.folder / "videos"

    def clock(self) -> float:
        return self.now

    @asynccontextmanager
    async def server(self, *, saves: bool = True, **options: Any) -> AsyncGenerator[Engine]:
        async with (
            SqliteJournal(self.folder / "journal.db") as journal,
            open_engine(
                journal,
                base_url=self.api.url,
                key=SecretStr("sk-x"),
                save_dir=self.saved if saves else None,
                clock=self.clock,
                **options,
            ) as engine,
        ):
            if saves:
                shelf.prepare(self.saved)
            yield engine

    async def task(self, engine: Engine, number: int, **fields: Any) -> Entry:
        """A completed task whose video is `<number>.mp4`."""
        self.api.links[f"task-{number}"] = f"{number}.mp4"
        if not (self.api.folder / f"{number}.mp4").exists():
            clip(self.api.folder / f"{number}.mp4")
        fields = {"prompt": f"boat {number}", "save_wanted": True, "file_due_at": self.now, **fields}
        entry = unfinished(
            number,
            api=IDENTITY,
            status=Status.COMPLETED,
            video_urls=(self.api.link(f"{number}.mp4"),),
            completed_at=self.now,
            ended_at=self.now,
            **fields,
        )
        await add(engine.journal, entry)
        return entry

    async def entry(self, engine: Engine, number: int) -> Entry:
        found = await engine.journal.find(f"vid_{number}")
        assert found is not None
        return found

    def files(self) -> list[str]:
        return sorted(path.name for path in self.saved.iterdir())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with video_api(tmp_path / "api") as api:
        yield House(tmp_path, api)


async def until_idle(engine: Engine) -> None:
    while await engine.saver.round():
        pass


async def test_a_finished_video_is_saved_under_a_name_one_can_read(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        await until_idle(engine)
        entry = await house.entry(engine, 1)
    (name,) = house.files()
    assert name == "2027-01-15-boat-1-1.mp4"
    assert entry.saved_to == str(house.saved / name)
    assert (entry.duration_seconds, entry.width, entry.height) == (1.0, 64, 48)
    assert entry.file_error is None
    assert entry.file_due_at is None
    assert (house.saved / name).read_bytes() == (house.api.folder / "1.mp4").read_bytes()
    assert f"Saved: {entry.saved_to}" in task_message(entry, START)


async def test_a_video_begun_while_nothing_was_saved_is_only_measured(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1, save_wanted=False)
        await until_idle(engine)
        entry = await house.entry(engine, 1)
    assert house.files() == []
    assert entry.saved_to is None
    assert entry.duration_seconds == 1.0
    assert entry.file_due_at is None


async def test_a_server_without_a_folder_leaves_what_is_to_be_saved_to_one_that_has_it(house: House) -> None:
    async with house.server(saves=False) as engine:
        await house.task(engine, 1)
        await house.task(engine, 2, save_wanted=False)
        await until_idle(engine)
        assert (await house.entry(engine, 1)).file_due_at is not None
        assert (await house.entry(engine, 2)).duration_seconds == 1.0
    async with house.server() as engine:
        await until_idle(engine)
        assert (await house.entry(engine, 1)).saved_to


async def test_two_servers_on_one_journal_save_each_clip_once(house: House) -> None:
    async with house.server() as one, house.server() as two:
        for number in range(12):
            await house.task(one, number)
        async with anyio.create_task_group() as group:
            for engine in (one, two, one, two):
                group.start_soon(until_idle, engine)
        entries = [await house.entry(one, number) for number in range(12)]
    assert house.api.fetched == {f"{number}.mp4": 1 for number in range(12)}
    assert house.files() == sorted(Path(entry.saved_to or "").name for entry in entries)


async def test_another_server_goes_on_where_one_was_killed(house: House) -> None:
    async with house.server() as one, house.server() as two:
        await house.task(one, 1)
        # Killed in the middle: the lease is never given back, and half a file lies there.
        await one.journal.lease_files(api=IDENTITY, worker_id="dead", now=house.now, seconds=60, limit=1, save=True)
        assert await two.saver.round() == 0
        house.now += 61
        assert await two.saver.round() == 1
        assert (await house.entry(two, 1)).saved_to


async def test_half_a_file_is_gone_on_with(house: House) -> None:
    broken = True

    def crash_at(point: str) -> None:
        if point == "part begun" and broken:
            raise OSError(errno.ENOSPC, "No space left on device")

    clip(house.api.folder / "1.mp4", seconds=8, size=(640, 480), options={"crf": "1"})
    assert (house.api.folder / "1.mp4").stat().st_size > 200_000
    async with house.server(crash_at=crash_at) as engine:
        await house.task(engine, 1)
        await engine.saver.round()
        entry = await house.entry(engine, 1)
        assert entry.saved_to is None
        assert entry.file_error == f"not saved yet. The disk of {house.saved} is full."
        assert "Its file: not saved yet. The disk of" in task_message(entry, START)
        assert all(name.startswith(".") for name in house.files())
        assert await engine.saver.round() == 0
        broken = False
        house.now += 11
        await until_idle(engine)
        entry = await house.entry(engine, 1)
    assert entry.file_error is None
    assert entry.file_tries == 0
    assert house.api.resumed == {"1.mp4": 1}
    assert (house.saved / house.files()[0]).read_bytes() == (house.api.folder / "1.mp4").read_bytes()
    assert len(house.files()) == 1


async def test_a_vanished_folder_is_said_and_not_made_anew(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        house.saved.rmdir()
        await engine.saver.round()
        assert (await house.entry(engine, 1)).file_error == f"not saved yet. The folder {house.saved} is not there."
        assert not house.saved.exists()
        house.saved.mkdir()
        house.now += 11
        await engine.saver.round()
        assert (await house.entry(engine, 1)).file_error is None


def test_a_folder_is_made_only_in_one_that_is_there(tmp_path: Path) -> None:
    shelf.prepare(tmp_path / "videos")
    shelf.prepare(tmp_path / "videos")
    assert (tmp_path / "videos").is_dir()
    with pytest.raises(FileNotFoundError):
        shelf.prepare(tmp_path / "drive" / "videos")
    assert not (tmp_path / "drive").exists()


async def test_a_folder_that_is_a_file_is_said(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        house.saved.rmdir()
        house.saved.write_text("mine")
        await engine.saver.round()
        assert "is not there" in ((await house.entry(engine, 1)).file_error or "")
    assert house.saved.read_text() == "mine"


async def test_a_dead_link_is_asked_for_anew(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        shutil.copy(house.api.folder / "1.mp4", house.api.folder / "fresh.mp4")
        house.api.refuse["1.mp4"] = 403
        house.api.links["task-1"] = "fresh.mp4"
        await engine.saver.round()
        assert (await house.entry(engine, 1)).saved_to
    assert house.api.fetched == {"fresh.mp4": 1}


async def test_a_link_that_stays_dead_is_tried_ever_more_rarely_and_given_up_after_a_week(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        house.api.refuse["1.mp4"] = 404
        due: list[float] = []
        for _ in range(12):
            await engine.saver.round()
            entry = await house.entry(engine, 1)
            assert "has no such file (404)" in (entry.file_error or "")
            assert entry.file_due_at is not None
            due.append(entry.file_due_at - house.now)
            house.now = entry.file_due_at
        assert due[:4] == [10.0, 20.0, 40.0, 80.0]
        assert max(due) == 3600.0
        house.now = START + 8 * 86400
        await engine.saver.round()
        entry = await house.entry(engine, 1)
    assert entry.file_due_at is None
    assert "not tried any more" in (entry.file_error or "")
    assert house.files() == []


async def test_a_damaged_video_gets_no_name(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        whole = (house.api.folder / "1.mp4").read_bytes()
        (house.api.folder / "1.mp4").write_bytes(whole[: len(whole) // 2])
        await engine.saver.round()
        assert "damaged video" in ((await house.entry(engine, 1)).file_error or "")
        assert not [name for name in house.files() if not name.startswith(".")]


async def test_a_file_that_is_there_is_never_replaced(house: House) -> None:
    async with house.server() as engine:
        await house.task(engine, 1)
        mine = house.saved / "2027-01-15-boat-1-1.mp4"
        mine.write_text("not a video")
        await until_idle(engine)
        entry = await house.entry(engine, 1)
    assert mine.read_text() == "not a video"
    assert entry.saved_to == str(house.saved / "2027-01-15-boat-1-1-2.mp4")


async def test_a_link_under_the_name_is_not_followed(house: House) -> None:
    outside = house.folder / "outside.mp4"
    async with house.server() as engine:
        await house.task(engine, 1)
        (house.saved / "2027-01-15-boat-1-1.mp4").symlink_to(outside)
        await until_idle(engine)
        entry = await house.entry(engine, 1)
    assert not outside.exists()
    assert (entry.saved_to or "").endswith("-2.mp4")


@pytest.mark.parametrize("prompt", ["../../../escape", "/etc/x", "..\\..\\x", "a\0b", ".", "$HOME", "x" * 4000])
async def test_no_prompt_leads_out_of_the_folder(house: House, prompt: str) -> None:
    async with house.server() as engine:
        before = sorted(path for path in house.folder.rglob("*") if house.saved not in path.parents)
        await house.task(engine, 1, prompt=prompt)
        await until_idle(engine)
        saved = Path((await house.entry(engine, 1)).saved_to or "")
    assert saved.parent == house.saved
    after = sorted(path for path in house.folder.rglob("*") if house.saved not in path.parents)
    assert {path.name for path in after} - {path.name for path in before} <= {"1.mp4", "journal.db-journal"}


async def test_a_video_larger_than_allowed_is_not_kept(house: House) -> None:
    async with house.server(max_video_bytes=1000) as engine:
        await house.task(engine, 1)
        await engine.saver.round()
        assert "larger than the 0.001 MB" in ((await house.entry(engine, 1)).file_error or "")
    assert house.files() == []


async def test_an_endless_download_does_not_keep_the_others_waiting(house: House) -> None:
    house.api.pause["1.mp4"] = anyio.Event()

    async def quick(_seconds: float) -> None:
        await anyio.sleep(0.01)

    async with house.server(sleep=quick) as engine, anyio.create_task_group() as group:
        await house.task(engine, 1)
        await house.task(engine, 2)
        async with engine.journal.changes("vid_2") as feed:
            group.start_soon(engine.saver.run)
            with anyio.fail_after(30):
                while not (await anext(feed)).saved_to:
                    pass
        assert (await house.entry(engine, 1)).saved_to is None
        group.cancel_scope.cancel()


async def test_only_what_the_person_alone_began_is_saved(house: House) -> None:
    from tests.support.entries import account
    from veo_mcp.api.models import CreateInput

    wanted: dict[str, bool] = {}
    async with house.server() as engine:
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
