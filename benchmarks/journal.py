"""What every call on the journal takes with 100,000 tasks of 50 accounts, beside one with 100, as a ratio.

Run by hand: `python benchmarks/journal.py [--rows N] [--rounds N] [--days D] [--json] [--postgres URL]`; with a URL the
journals are two new schemas in that database, which are dropped afterwards. The goal is a median
ratio of at most 1.5 for each. The tasks lie within the last `--days` (by default all of them within 24 h, which is the
worst for the sums), and the account that asks has at least 20 of them, so that both journals give pages of one length.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

import anyio
from pydantic import SecretStr

from veo_mcp.api.account import Account
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.journal import Journal, Lease, Limits
from veo_mcp.journal.sqlite.rows import Rows
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.setting_values import PostgresAddress

API = "https://api.example"
ACCOUNTS = 50
SMALL = 100
NOW = 1_800_000_000.0
ASKED = Account(API, "person-0", SecretStr("unused"))
GENEROUS = Limits(total=10**9, each=10**9)
GOAL = 1.5


def task(number: int, rows: int, days: float) -> Entry:
    """One of the tasks that lie in the journal beforehand: most are done, some failed, a few wait for a look."""
    created = NOW - days * 86400 * (rows - number) / rows
    # One in five of a small journal is the asking account's, one in fifty of a large one.
    principal = f"person-{number % (ACCOUNTS if rows > 1000 else 5)}"
    done = Entry(
        id=f"vid_{number * 7919 % 1_000_003:032x}",
        api=API,
        principal=principal,
        kind="create",
        fingerprint=f"{number * 104729 % 15_485_863:064x}",
        body=json.dumps(
            {"prompt": "A lighthouse in a storm, seen from a small boat. " * 6, "seeds": 10000 + number % 9000}
        ),
        prompt="A lighthouse in a storm, seen from a small boat. " * 6,
        model="veo-3",
        mode="fast",
        credits=40,
        upstream_id=f"task-{number * 15_485_863 % 1_000_003:032x}",
        status=Status.COMPLETED,
        video_urls=(f"https://file.example/{number}.mp4",),
        charged="yes",
        created_at=created,
        updated_at=min(created + 90, NOW),
        completed_at=created + 90,
        ended_at=created + 90,
        next_poll_at=created + 90,
        polls=9,
    )
    match number % 20:
        case 3:
            return replace(done, status=Status.FAILED, charged="refunded", video_urls=(), error_message="No.")
        case 5:
            return replace(done, status=Status.UNKNOWN, charged="unknown", upstream_id=None, ended_at=None)
        case 7:
            return replace(done, status=Status.PENDING, ended_at=None, completed_at=None, next_poll_at=NOW + 3000)
        case _:
            return done


class Place(Protocol):
    """One of the two journals."""

    def open(self) -> AbstractAsyncContextManager[Journal]:
        """Opens the journal as a server does."""
        ...

    async def fill(self, rows: int, days: float) -> None:
        """Writes so many tasks."""
        ...

    async def look(self, journal: Any) -> None:
        """Runs the query that the feeds repeat."""
        ...


@dataclass
class File:
    """An SQLite file."""

    path: Path

    def open(self) -> AbstractAsyncContextManager[Journal]:
        """Opens the journal as a server does."""
        return SqliteJournal(self.path)

    async def fill(self, rows: int, days: float) -> None:
        """With room in memory and without waiting for the disk; the measurement reopens the file."""
        writer = Rows("benchmark")

        def write(db: sqlite3.Connection) -> None:
            for number in range(rows):
                writer.insert(db, task(number, rows, days))

        async with SqliteJournal(self.path) as journal:
            for pragma in ("synchronous = OFF", "cache_size = -500000"):
                await journal.file.read(lambda db, pragma=pragma: db.execute(f"PRAGMA {pragma}"))
            await journal.file.write(write)

    async def look(self, journal: Any) -> None:
        """Runs the query that the feeds repeat."""
        mine: SqliteJournal = journal
        rows = Rows("benchmark")
        await mine.file.read(lambda db: rows.all_since(db, 10**9))


@dataclass
class Schema:
    """A schema in a PostgreSQL database, whose clock stands still at NOW."""

    url: str
    name: str

    def open(self) -> AbstractAsyncContextManager[Journal]:
        """Opens the journal as a server does."""
        from veo_mcp.journal.postgres.store import PostgresJournal

        joint = "&" if "?" in self.url else "?"
        return PostgresJournal(PostgresAddress(SecretStr(f"{self.url}{joint}search_path={self.name}")))

    async def fill(self, rows: int, days: float) -> None:
        """Writes so many tasks."""
        from veo_mcp.journal.postgres import rows as postgres_rows
        from veo_mcp.journal.postgres.store import SCHEMA, PostgresJournal

        writer = postgres_rows.Rows("benchmark", len(SCHEMA))

        async with self.open() as opened:
            journal = cast("PostgresJournal", opened)  # as `open` makes it
            for start in range(0, rows, 500):

                async def write(db: Any, start: int = start) -> None:
                    for number in range(start, min(start + 500, rows)):
                        await writer.insert(db, task(number, rows, days))

                await journal.database.write(write)
            await journal.database.write(
                lambda db: db.execute(
                    "CREATE OR REPLACE FUNCTION veo_now() RETURNS double precision LANGUAGE sql"
                    f" AS 'SELECT {NOW}::double precision'"
                )
            )
            await journal.database.write(lambda db: db.execute("ANALYZE veo_entries"))

    async def look(self, journal: Any) -> None:
        """Runs the query that the feeds repeat."""
        from veo_mcp.journal.postgres.queries import ask
        from veo_mcp.journal.postgres.store import PostgresJournal

        mine: PostgresJournal = journal
        await mine.database.read(lambda db: ask(db, "changed", {"seen": 10**9}))


@asynccontextmanager
async def places(postgres: str | None, folder: Path) -> AsyncGenerator[tuple[Place, Place]]:
    """Two empty ones."""
    if postgres is None:
        yield File(folder / "small.db"), File(folder / "large.db")
        return
    import asyncpg

    names = (f"bench_{time.time_ns()}_small", f"bench_{time.time_ns()}_large")
    connection = await asyncpg.connect(postgres)
    for name in names:
        await connection.execute(f"CREATE SCHEMA {name}")
    try:
        yield Schema(postgres, names[0]), Schema(postgres, names[1])
    finally:
        for name in names:
            await connection.execute(f"DROP SCHEMA {name} CASCADE")
        await connection.close()


def expect(answered: bool) -> None:
    """A call that is quick because it found nothing is not what is measured."""
    if not answered:
        raise RuntimeError("The call did not answer as it should.")


@dataclass
class Bench:
    """One journal, and every call on it that tools, poller and listeners make."""

    place: Place
    journal: Journal
    sample: Entry
    number: int = 0
    leased: Lease | None = None

    def held(self) -> Lease:
        expect(self.leased is not None)
        return cast("Lease", self.leased)  # None has just been refused

    def fresh(self) -> Entry:
        self.number += 1
        return Entry(
            id=f"vid_new_{self.number}",
            api=API,
            principal=ASKED.principal,
            kind="create",
            fingerprint=f"new-{self.number}",
            model="veo-3",
            mode="fast",
            credits=40,
            status=Status.SUBMITTING,
            created_at=NOW,
            updated_at=NOW,
            deadline=NOW + 45,
            next_poll_at=NOW + 3000,
        )

    async def begin(self) -> None:
        await self.journal.begin(self.fresh(), now=NOW, limits=GENEROUS, repeat_seconds=600)

    async def begin_without_limits(self) -> None:
        await self.journal.begin(self.fresh(), now=NOW, limits=Limits(), repeat_seconds=600)

    async def find_repeat(self) -> None:
        await self.journal.find_repeat(
            ASKED, self.sample.fingerprint, repeat_of=None, now=NOW, repeat_seconds=10 * 86400
        )

    async def record(self) -> None:
        change = Change(status=Status.PENDING, upstream_id=f"new-{self.number}", charged="yes", next_poll_at=NOW - 1)
        await self.journal.record(f"vid_new_{self.number}", change, now=NOW)

    async def record_what_is_known(self) -> None:
        await self.journal.record(f"vid_new_{self.number}", Change(status=Status.PENDING), now=NOW)

    async def lease_something(self) -> None:
        (self.leased,) = await self.journal.lease(
            api=API, principals=None, worker_id="w", now=NOW, seconds=180, limit=5
        )

    async def record_leased(self) -> None:
        await self.journal.record_leased(
            self.held(), Change(status=Status.COMPLETED, video_urls=("https://x/",)), now=NOW
        )

    async def release(self) -> None:
        await self.journal.release(self.held(), next_poll_at=NOW + 3000, asked=True)

    async def lease_nothing(self) -> None:
        await self.journal.lease(api=API, principals=None, worker_id="w", now=NOW, seconds=180, limit=5)

    async def lease_nothing_of_one(self) -> None:
        await self.journal.lease(api=API, principals=["person-0"], worker_id="w", now=NOW, seconds=180, limit=5)

    async def get_by_own_id(self) -> None:
        expect(await self.journal.get(ASKED, self.sample.id) is not None)

    async def get_by_api_id(self) -> None:
        expect(await self.journal.get(ASKED, self.sample.upstream_id or "") is not None)

    async def get_unknown_id(self) -> None:
        expect(await self.journal.get(ASKED, "vid_nowhere") is None)

    async def find(self) -> None:
        expect(await self.journal.find(self.sample.id) is not None)

    async def find_elsewhere(self) -> None:
        await self.journal.find_elsewhere(replace(ASKED, api="sandbox:x"), self.sample.upstream_id or "")

    async def list(self) -> None:
        expect(len((await self.journal.list(ASKED)).entries) == 10)

    async def list_by_status(self) -> None:
        expect(len((await self.journal.list(ASKED, status=Status.COMPLETED)).entries) == 10)

    async def list_with_cursor(self) -> None:
        expect(len((await self.journal.list(ASKED, cursor=self.sample.id)).entries) == 10)

    async def spent(self) -> None:
        expect((await self.journal.spent(ASKED, now=NOW)).own > 0)

    async def poll_no_later_than(self) -> None:
        await self.journal.poll_no_later_than(f"vid_new_{self.number}", NOW + 2000)

    async def expire_submissions(self) -> None:
        await self.journal.expire_submissions(NOW)

    async def durations(self) -> None:
        expect(len(await self.journal.durations(API, "fast")) == 50)

    async def not_before(self) -> None:
        await self.journal.not_before(API, ASKED.principal)

    async def look_for_changes(self) -> None:
        await self.place.look(self.journal)

    async def open(self) -> None:
        async with self.place.open():
            pass

    async def writable(self) -> None:
        await self.journal.check_writable()

    def calls(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """In this order: what is recorded was begun just before, what is released was leased."""
        return [
            self.begin_without_limits,
            self.begin,
            self.record,
            self.record_what_is_known,
            self.lease_something,
            self.record_leased,
            self.release,
            self.lease_nothing,
            self.lease_nothing_of_one,
            self.get_by_own_id,
            self.get_by_api_id,
            self.get_unknown_id,
            self.find,
            self.find_elsewhere,
            self.find_repeat,
            self.list,
            self.list_by_status,
            self.list_with_cursor,
            self.spent,
            self.poll_no_later_than,
            self.expire_submissions,
            self.durations,
            self.not_before,
            self.look_for_changes,
            self.writable,
            self.open,
        ]


async def measure(
    rows: int, rounds: int, days: float, folder: Path, postgres: str | None
) -> dict[str, tuple[float, float]]:
    """Median milliseconds of each call with 100 tasks and with `rows`, in turns."""
    times: dict[str, tuple[list[float], list[float]]] = {}
    async with places(postgres, folder) as (few, many):
        await few.fill(SMALL, days)
        await many.fill(rows, days)
        async with few.open() as small, many.open() as large:
            benches = [
                Bench(few, small, task(SMALL - 10, SMALL, days)),
                Bench(many, large, task(rows // 2 // ACCOUNTS * ACCOUNTS, rows, days)),
            ]
            await in_turns(benches, rounds, times)
    return {name: (statistics.median(of_few), statistics.median(of_many)) for name, (of_few, of_many) in times.items()}


async def in_turns(benches: Sequence[Bench], rounds: int, times: dict[str, tuple[list[float], list[float]]]) -> None:
    """Every call of both, again and again."""
    for round_ in range(rounds + 5):
        for pair in zip(*(bench.calls() for bench in benches), strict=True):
            # The first of the two pays for a cold cache now and then: each is first every second time.
            for which in (0, 1) if round_ % 2 else (1, 0):
                began = time.perf_counter()
                await pair[which]()
                took = (time.perf_counter() - began) * 1000
                if round_ >= 5:  # the first rounds warm the caches
                    times.setdefault(pair[0].__name__, ([], []))[which].append(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--days", type=float, default=0.9)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--postgres", metavar="URL")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        medians = anyio.run(measure, arguments.rows, arguments.rounds, arguments.days, Path(folder), arguments.postgres)
    if arguments.json:
        table = [
            {"call": name, "ms_100": few, f"ms_{arguments.rows}": many, "ratio": many / few}
            for name, (few, many) in medians.items()
        ]
        print(json.dumps(table, indent=2))
        return
    print(f"{'median ms':24} {'100':>8} {arguments.rows:>8} {'ratio':>6}")
    for name, (few, many) in medians.items():
        print(f"{name:24} {few:8.3f} {many:8.3f} {many / few:6.2f}{'' if many <= GOAL * few else '  over'}")


if __name__ == "__main__":
    main()
