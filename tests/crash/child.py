"""A process that creates a video and follows it to its end, unless it dies on the way at the given point.

Run by the crash tests: `python -m tests.crash.child FOLDER URL PROMPT POINT SHIFT`. POINT names where SIGKILL falls, or
is empty; SHIFT moves the clock, so that deadlines of a dead predecessor have passed. PROMPT empty: only follow.
"""

import sys
import time
from pathlib import Path

import anyio
from pydantic import SecretStr

from tests.support.dying import dies_at
from tests.support.entries import create, everything
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks.engine import open_engine

OPEN = (Status.SUBMITTING, Status.PENDING, Status.PROCESSING)


async def main(folder: Path, url: str, prompt: str, point: str, shift: float) -> None:
    crash_at = dies_at(point)

    async def quickly(_seconds: float) -> None:
        await anyio.sleep(0.01)

    async with (
        SqliteJournal(folder / "journal.db", crash_at=crash_at) as journal,
        open_engine(
            journal,
            base_url=url,
            key=SecretStr("sk-crash"),
            clock=lambda: time.time() + shift,
            sleep=quickly,
            crash_at=crash_at,
        ) as engine,
    ):
        if prompt:
            await create(engine, prompt)
            crash_at("returned")
        while True:
            unfinished = [entry for entry in await everything(engine) if entry.status in OPEN]
            if not unfinished:
                return
            for entry in unfinished:
                await journal.poll_no_later_than(entry.id, 0.0)
            await engine.poller.round()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], float(sys.argv[5]))
