"""The SQLite store keeps the contract; and what is its own: the file, its mode, its plans, what it says in trouble."""

import os
import re
import sqlite3
import stat
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest

from tests.journal.contract import Contract
from tests.journal.stores import ANN, BOB, DAY, NO_LIMITS, OLD_ROWS, begin, request, running, task
from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.journal import Limits
from veo_mcp.journal.sqlite.queries import QUERIES
from veo_mcp.journal.sqlite.rows import Rows
from veo_mcp.journal.sqlite.store import SqliteJournal

pytestmark = pytest.mark.anyio

SCHEMA = sorted((resources.files("veo_mcp.journal.sqlite") / "schema").iterdir(), key=lambda file: file.name)
OLD_COLUMNS = (
    "id, api, principal, kind, fingerprint, body, prompt, model, mode, aspect_ratio, extends, credits, estimated,"
    " upstream_id, status, upstream_status, progress, video_urls, resolution, error_code, error_message, charged,"
    " retry_after, created_at, updated_at, completed_at, sender, deadline, next_poll_at, polls, seq"
)


class SqliteStore:
    """The store under test in an SQLite file."""

    learns_by: Literal["listen", "look"] = "look"
    #: Up to the last one that let such rows in; version 4 and 5 were never released apart.
    older_versions: Sequence[int] = range(1, 4)

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1_800_000_000.0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[SqliteJournal]:
        async with SqliteJournal(self.path) as journal:
            # Nobody pulls the plug here; the crash tests wait for the disk.
            await journal.file.read(lambda db: db.execute("PRAGMA synchronous = OFF"))
            yield journal

    async def move_clock(self, seconds: float) -> None:
        self.now += seconds

    async def write_behind_the_back(self, entry_id: str, **columns: Any) -> None:
        with sqlite3.connect(self.path) as db:
            (revision,) = db.execute("UPDATE counter SET revision = revision + 1 RETURNING revision").fetchone()
            values = {**columns, "revision": revision}
            assignments = ", ".join(f"{name} = ?" for name in values)
            db.execute(f"UPDATE entries SET {assignments} WHERE id = ?", (*values.values(), entry_id))  # noqa: S608 - our own names
        db.close()

    async def make_older(self, version: int) -> None:
        self.path.unlink(missing_ok=True)
        with sqlite3.connect(self.path) as db:
            for file in SCHEMA[:version]:
                db.executescript(file.read_text("utf-8"))
            db.execute(f"PRAGMA user_version = {version:d}")
            for number, (entry_id, api, status, charged, upstream_id, completed_at, polls) in enumerate(OLD_ROWS, 1):
                db.execute(
                    f"INSERT INTO entries ({OLD_COLUMNS})"  # noqa: S608 - our own names
                    " VALUES (?, ?, '', 'create', ?, '{}', 'p', 'veo-3', 'fast', NULL, NULL, 40, 0, ?, ?, NULL, NULL,"
                    " '[]', NULL, NULL, NULL, ?, NULL, 1000, 1090, ?, 'gone', NULL, 1000, ?, ?)",
                    (entry_id, api, entry_id, upstream_id, status, charged, completed_at, polls, number),
                )
            db.execute("UPDATE counter SET seq = ?", (len(OLD_ROWS),))
            db.execute("INSERT INTO words VALUES ('callback_secret', 'kept')")
        db.close()

    async def make_newer(self) -> None:
        with sqlite3.connect(self.path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "journal.db")


class TestContract(Contract):
    """The whole contract, over SQLite."""


def old_process(path: Path) -> sqlite3.Connection:
    """A connection as a version before this one has it."""
    return sqlite3.connect(path, isolation_level=None)


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_no_query_reads_more_rows_than_it_asks_for(store: SqliteStore, name: str) -> None:
    """Without an index over it, a question takes a hundred times as long with 100,000 tasks."""
    async with store.open() as journal:
        values = dict.fromkeys(re.findall(r":([a-z_]+)", QUERIES[name]), 1)
        plan = await journal.file.read(
            lambda db: [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {QUERIES[name]}", values)]
        )
        # The counter is one row, and among sends that are under way it does not matter.
        scanned = [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step]
        assert scanned in ([], ["SCAN counter"], ["SCAN entries USING INDEX entries_submitting"])
        if name not in ("changed", "repeat_unsettled"):  # these sort what they found: a few
            assert not any("TEMP B-TREE" in step for step in plan)
        if name in ("spent", "spent_by_principal", "oldest_spent", "durations"):
            assert not any("entries USING INDEX" in step for step in plan)  # a covering one: no entry is fetched


async def steps_of_every_call(path: Path, now: float, tasks: int) -> dict[str, int]:
    """How many steps of its virtual machine SQLite takes for each call, with so many tasks of the last 300 days."""
    taken = dict[str, int]()
    async with SqliteStore(path).open() as journal:
        rows = Rows("test")

        def fill(db: sqlite3.Connection) -> None:
            for number in range(tasks):
                account = (ANN, BOB)[number % 2]
                begun = now - 300 * DAY * (tasks - number) / tasks
                rows.insert(db, task(number, begun, account=account, status=Status.COMPLETED, ended_at=begun + 90))

        await journal.file.write(fill)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        await journal.file.read(lambda db: db.set_progress_handler(count, 1))

        async def measured(name: str, call: Awaitable[Any]) -> Any:
            nonlocal steps
            steps = 0
            result = await call
            taken[name] = steps
            return result

        limits = Limits(total=10**9, each=10**9)
        await measured("begin", journal.begin(request(-1, now), now=now, limits=limits, repeat_seconds=600))
        entry_id = request(-1, now).id
        accepted = Change(status=Status.PENDING, upstream_id="up", charged="yes", next_poll_at=now)
        await measured("record", journal.record(entry_id, accepted, now=now))
        await measured("get by own id", journal.get(ANN, entry_id))
        await measured("get by API id", journal.get(ANN, "up"))
        await measured("list", journal.list(ANN))
        await measured("list by status", journal.list(ANN, status=Status.COMPLETED))
        await measured("list with cursor", journal.list(ANN, cursor=entry_id))
        await measured("spent", journal.spent(ANN, now=now))
        await measured("durations", journal.durations(ANN.api, "fast"))
        (lease,) = await measured(
            "lease", journal.lease(api=ANN.api, principals=None, worker_id="w", now=now, seconds=60, limit=5)
        )
        refunded = Change(status=Status.FAILED, charged="refunded")
        await measured("record a refund", journal.record_leased(lease, refunded, now=now))
        await measured("release", journal.release(lease, next_poll_at=now, asked=True))
        await measured("expire submissions", journal.expire_submissions(now))
        await journal.file.read(lambda db: db.set_progress_handler(None, 1))
    return taken


async def test_no_call_takes_more_steps_with_many_tasks(tmp_path: Path) -> None:
    """What benchmarks/journal.py measures in time, counted: also what triggers do, which no plan shows."""
    few = await steps_of_every_call(tmp_path / "few.db", 1_800_000_000.0, 150)
    many = await steps_of_every_call(tmp_path / "many.db", 1_800_000_000.0, 3000)
    assert {name: many[name] / few[name] for name in few if many[name] > 1.5 * few[name]} == {}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
async def test_only_its_owner_can_read_the_journal_and_the_folders_that_were_made(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        async with SqliteJournal(tmp_path / "state" / "veo" / "journal.db") as journal:
            await running(journal, 1, 0.0)
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*")}
    assert modes == {"veo": 0o700, "journal.db": 0o600, "journal.db-journal": 0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


async def test_a_journal_that_an_older_version_left_readable_is_closed_to_others(tmp_path: Path) -> None:
    path, folder = tmp_path / "theirs" / "journal.db", tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    path.touch(0o644)
    async with SqliteJournal(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # The folder is not ours, and stays as its owner made it.
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


async def test_a_migration_that_breaks_off_leaves_the_file_as_it_was(store: SqliteStore) -> None:
    await store.make_older(1)
    before = store.path.read_bytes()

    def break_off(point: str) -> None:
        raise OSError(5, f"broken off at {point}")

    with pytest.raises(JournalUnusable, match="mid-migration"):
        async with SqliteJournal(store.path, crash_at=break_off):
            pass
    assert store.path.read_bytes() == before
    async with store.open() as journal:
        assert await journal.find("vid_running") is not None


async def test_processes_that_open_an_older_journal_at_once_move_it_over_once(store: SqliteStore) -> None:
    await store.make_older(1)
    async with anyio.create_task_group() as group:

        async def open_it() -> None:
            async with store.open() as journal:
                assert await journal.find("vid_running") is not None

        for _ in range(5):
            group.start_soon(open_it)


async def test_a_process_whose_journal_a_newer_version_migrated_gets_an_error_that_says_so(store: SqliteStore) -> None:
    async with store.open() as journal:
        entry = await running(journal, 1, store.now)
        with sqlite3.connect(store.path) as db:
            db.execute("ALTER TABLE entries RENAME COLUMN revision TO version")
            db.execute("PRAGMA user_version = 99")
        db.close()
        for call in (journal.find(entry.id), journal.record(entry.id, Change(progress=1.0), now=store.now)):
            with pytest.raises(JournalUnusable, match="newer veo-mcp"):
                await call


async def nothing_is_half_written(store: SqliteStore, *, said: str, journal: SqliteJournal) -> None:
    """What needs to write is refused with words that name the file and the way out."""
    entry = request(2, store.now, prompt="x" * 20_000)
    for call in (
        journal.begin(entry, now=store.now, limits=NO_LIMITS, repeat_seconds=600),
        journal.check_writable(),
    ):
        with pytest.raises(JournalUnusable) as trouble:
            await call
        assert str(store.path) in trouble.value.explanation
        assert said in trouble.value.explanation
        assert "VEO_JOURNAL" in trouble.value.explanation


async def pragma(journal: SqliteJournal, setting: str) -> None:
    await journal.file.read(lambda db: db.execute(f"PRAGMA {setting}").fetchone())


async def test_a_read_only_journal_can_be_read_and_not_written(store: SqliteStore) -> None:
    async with store.open() as journal:
        entry = await running(journal, 1, store.now)
        # File modes do not bind the superuser; this makes SQLite answer as it does for a file it may not write.
        await pragma(journal, "query_only = ON")
        await nothing_is_half_written(store, said="Make it and its folder writable", journal=journal)
        assert (await journal.list(ANN)).entries == (entry,)
        await pragma(journal, "query_only = OFF")
        await journal.check_writable()


async def test_a_full_disk_leaves_no_half_an_entry(store: SqliteStore) -> None:
    async with store.open() as journal:
        entry = await running(journal, 1, store.now)
        (pages,) = await journal.file.read(lambda db: db.execute("PRAGMA page_count").fetchone())
        await pragma(journal, f"max_page_count = {pages}")
        with pytest.raises(JournalUnusable, match="Free some disk space"):
            await begin(journal, request(2, store.now, prompt="x" * 2_000_000))
        assert (await journal.list(ANN)).entries == (entry,)
        assert (await journal.spent(ANN, now=store.now)).own == 40
        await pragma(journal, "max_page_count = 1000000")
        await begin(journal, request(2, store.now, prompt="x" * 2_000_000))


async def test_a_locked_journal_is_said_to_be_held(store: SqliteStore) -> None:
    async with store.open() as journal:
        await running(journal, 1, store.now)
        await pragma(journal, "busy_timeout = 50")
        other = old_process(store.path)
        other.execute("BEGIN EXCLUSIVE")
        await nothing_is_half_written(store, said="Another program holds it", journal=journal)
        other.close()
        await journal.check_writable()


async def test_a_file_that_is_no_database_is_kept_and_named(store: SqliteStore) -> None:
    store.path.write_bytes(b"this is no database, whatever its name says" * 50)
    before = store.path.read_bytes()
    with pytest.raises(JournalUnusable, match="Move it away"):
        async with store.open():
            pass
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("what", ["folder", "file"])
async def test_a_journal_that_was_moved_away_in_use_takes_nothing_more(store: SqliteStore, what: str) -> None:
    """What is written into a file that nobody finds again is a forgotten payment."""
    store.path = store.path.parent / "state" / "journal.db"
    async with store.open() as journal:
        await running(journal, 1, store.now)
        moved = store.path.parent if what == "folder" else store.path
        moved.rename(moved.with_name("elsewhere"))
        with pytest.raises(JournalUnusable, match="VEO_JOURNAL"):
            await begin(journal, request(2, store.now))
        with pytest.raises(JournalUnusable, match="VEO_JOURNAL"):
            await journal.check_writable()
        moved.with_name("elsewhere").rename(moved)
        await begin(journal, request(2, store.now))


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(JournalUnusable, match="Fix its folder"):
        async with SqliteJournal(tmp_path / "file" / "journal.db"):
            pass


async def test_trouble_is_logged_once_and_the_feed_catches_up(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with store.open() as one, store.open() as two, one.changes() as feed:
        await two.file.read(lambda db: db.execute("ALTER TABLE entries RENAME TO gone"))
        await anyio.sleep(1.3)  # so that it has looked more than once, and found nothing that it could read
        await two.file.read(lambda db: db.execute("ALTER TABLE gone RENAME TO entries"))
        entry = await running(two, 1, store.now)
        with anyio.fail_after(2):
            while (await anext(feed)) != entry:
                pass
    assert len([record for record in caplog.records if "cannot be used" in record.getMessage()]) == 2


async def test_what_a_cancelled_call_wrote_is_announced_all_the_same(store: SqliteStore) -> None:
    scope = anyio.CancelScope()

    def give_up(point: str) -> None:
        if point == "end recorded":
            scope.cancel()

    async with SqliteJournal(store.path, crash_at=give_up) as journal:
        entry = await running(journal, 1, store.now)
        async with journal.changes() as feed:
            with scope:
                await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            assert scope.cancelled_caught
            with anyio.fail_after(2):
                while (await anext(feed)).status is not Status.COMPLETED:
                    pass


async def test_an_error_of_the_caller_goes_through_unchanged(store: SqliteStore) -> None:
    with pytest.raises(KeyError):
        async with store.open():
            raise KeyError
