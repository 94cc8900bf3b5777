"""A process that changes a journal by commands on stdin, and says "done" after each line.

Run by the tests of notifications: `python -m tests.support.second_process FILE`. It does not wait for the disk, so
a burst is quick.
"""

import sys
from pathlib import Path

import anyio
import anyio.to_thread

from tests.support.entries import START, account
from tests.support.listening import NOWHERE, quick, task
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.sqlite.store import SqliteJournal


async def obey(journal: SqliteJournal, verb: str, *words: str) -> None:
    match verb:
        case "new":
            await journal.adopt(account(NOWHERE), task(int(words[0])))
        case "record":
            await journal.record(f"vid_{words[0]}", Change(status=Status(words[1])), now=START + 1)
        case "burst":
            for change in (Change(status=Status.PROCESSING), Change(progress=50.0), Change(status=Status.COMPLETED)):
                for number in range(int(words[0])):
                    await journal.record(f"vid_{number}", change, now=START + 2)
        case _:
            pass


async def main(path: Path) -> None:
    async with SqliteJournal(path) as journal:
        await quick(journal)
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            await obey(journal, *line.split())
            print("done", flush=True)  # noqa: T201 - the test waits for it


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
