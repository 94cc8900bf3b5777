"""One journal, one API with videos, and servers that save them. Used by the tests of the saver and of films."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.support.clips import clip
from tests.support.entries import START, add, unfinished
from tests.support.video_api import IDENTITY, VideoApi
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.engine import Engine, open_engine

__all__ = ["SavingStack", "until_idle"]


@dataclass
class SavingStack:
    """One journal, one API, and as many servers as are opened."""

    folder: Path
    api: VideoApi
    now: float = START
    #: Whose calendar the names of files are dated by.
    zone: tzinfo = UTC
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
                zone=self.zone,
                **options,
            ) as engine,
        ):
            if saves:
                save_folder.prepare(self.saved)
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


async def until_idle(engine: Engine) -> None:
    """Saves and joins until nothing is due."""
    while await engine.saver.round():
        pass
