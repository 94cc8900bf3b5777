"""A process that makes a video from two pictures of the disk, follows it, and takes the pictures away afterwards.

Run by the crash tests: `python -m tests.crash.uploading_child FOLDER URL BUCKET POINT SKIP`. POINT names where SIGKILL
falls, the SKIP first times excepted. The restart after it calls `main` in the test's own process.
"""

import sys
import time
from pathlib import Path

import anyio
from pydantic import SecretStr

from tests.support.bucket import Service
from tests.support.dying import dies_at
from tests.support.entries import PERSON, everything
from veo_mcp.api.models import CreateInput
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks.engine import Engine, open_engine

OPEN = (Status.SUBMITTING, Status.PENDING, Status.PROCESSING)


async def main(
    folder: Path, url: str, bucket: str, *, point: str = "", skip: int = 0, shift: float = 0.0, sends: bool = True
) -> None:
    """Sends (`sends`) or only follows; `shift` moves the clock."""
    crash_at = dies_at(point, skip)

    async def quickly(_seconds: float) -> None:
        await anyio.sleep(0.01)

    async with (
        SqliteJournal(folder / "journal.db") as journal,
        open_engine(
            journal,
            base_url=url,
            key=SecretStr("sk-crash"),
            image_dirs=[folder],
            uploads=Service(bucket).bucket(),
            clock=lambda: time.time() + shift,
            sleep=quickly,
            crash_at=crash_at,
        ) as engine,
    ):
        # What a dead process was sending is settled first.
        await engine.poller.round()
        if sends:
            await _create(engine, folder)
        while unfinished := [entry for entry in await everything(engine) if entry.status in OPEN]:
            for entry in unfinished:
                await journal.poll_no_later_than(entry.id, 0.0)
            await engine.poller.round()
        while await engine.pictures.round():
            pass


async def _create(engine: Engine, folder: Path) -> None:
    mine = await engine.accounts.account(PERSON)
    given = await engine.pictures.take(mine, ["one.png", "two.png"])
    request = CreateInput(prompt=f"[sandbox:fail] {folder.name}", image_urls=given.image_urls)
    plan = engine.submitter.plan_create(mine, request, pictures=given.pictures)
    await engine.submitter.spend(mine, plan)


if __name__ == "__main__":
    anyio.run(lambda: main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], point=sys.argv[4], skip=int(sys.argv[5])))
