"""A process that saves every finished video and joins every film, unless it dies on the way at the given point.

Run by the crash tests: `python -m tests.crash.saving_child FOLDER URL POINT SKIP SHIFT`. POINT names where SIGKILL
falls, the SKIP first times excepted; SHIFT moves the clock, so that the leases of a dead predecessor have run out.
"""

import sys
import time
from pathlib import Path

import anyio
from pydantic import SecretStr

from tests.support.dying import dies_at
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.engine import open_engine


async def main(folder: Path, url: str, point: str, skip: int, shift: float) -> None:
    crash_at = dies_at(point, skip)

    save_folder.prepare(folder / "videos")
    async with (
        SqliteJournal(folder / "journal.db", crash_at=crash_at) as journal,
        open_engine(
            journal,
            base_url=url,
            key=SecretStr("sk-crash"),
            save_dir=folder / "videos",
            clock=lambda: time.time() + shift,
            crash_at=crash_at,
        ) as engine,
    ):
        while await engine.saver.round():
            pass


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
