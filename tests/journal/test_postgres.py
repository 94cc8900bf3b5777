"""The PostgreSQL store keeps the contract; and what is its own: its plans, its clock, its versions, what it says."""

import logging
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from tests.journal.cases.budgets import Budgets
from tests.journal.cases.feeds import Feeds
from tests.journal.contract import Contract
from tests.journal.pg_store import PostgresStore, new_store
from tests.journal.stores import ANN, DAY, SANDBOX, begin, leased, request, running, task
from tests.support.postgres import GUARDED, Postgres, address
from tests.support.relay import transaction_pooler
from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.postgres import leases
from veo_mcp.journal.postgres.queries import QUERIES, Db, ask
from veo_mcp.journal.postgres.store import SCHEMA, PostgresJournal
from veo_mcp.setting_values import PostgresAddress

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(server: Postgres) -> AsyncGenerator[PostgresStore]:
    async with new_store(server) as store:
        yield store


@pytest.fixture
async def pooled(server: Postgres) -> AsyncGenerator[PostgresStore]:
    async with (
        transaction_pooler(server.port) as host,
        new_store(server, through=host, learns_by="look") as store,
    ):
        yield store


class TestContract(Contract):
    """The whole contract, over PostgreSQL."""


@pytest.mark.anyio
class TestBehindATransactionPooler(Feeds, Budgets):
    """Where nothing of a session lasts: no LISTEN, no prepared statement, no two statements outside a transaction."""

    @pytest.fixture
    def store(self, pooled: PostgresStore) -> PostgresStore:
        return pooled

    async def test_leases_and_answers(self, store: PostgresStore) -> None:
        async with store.open() as one, store.open() as two:
            entry = await running(one, 1, store.now)
            await store.move_clock(1)
            (lease,) = await leased(two, store, "w")
            done = await two.record_leased(lease, Change(status=Status.COMPLETED), now=store.now)
            assert done is not None
            assert await one.get(ANN, entry.upstream_id or "") == done
            assert await one.get_or_set("secret", "kept") == await two.get_or_set("secret", "other") == "kept"


@pytest.mark.parametrize("name", sorted(QUERIES))
async def test_every_query_has_an_index(store: PostgresStore, name: str) -> None:
    """Without one, a question takes a hundred times as long with 100,000 tasks."""
    if name in ("state", "next_revision"):
        return  # the counter is one row
    asked = QUERIES[name]
    nothing = ", ".join(["NULL"] * len(asked.names))

    async def plan(db: Db) -> list[str]:
        await db.execute("SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
        await db.execute(f"PREPARE asked AS {asked.sql}")
        lines = [row[0] for row in await db.fetch(f"EXPLAIN EXECUTE asked{f'({nothing})' if nothing else ''}")]
        await db.execute("DEALLOCATE asked")
        return lines

    async with store.open() as journal:
        lines = await journal.database.read(plan)
    assert lines
    assert not [line for line in lines if "Seq Scan on veo_" in line]


async def test_a_later_change_is_never_seen_before_an_earlier_one(store: PostgresStore) -> None:
    """With numbers out of a SEQUENCE, a reader that has seen the later one never sees the earlier."""
    async with store.open() as slow, store.open() as quick, quick.changes() as feed:
        first, second = await running(slow, 1, store.now), await running(quick, 2, store.now)
        numbered, go_on = anyio.Event(), anyio.Event()

        async def take_long() -> None:
            async def write(db: Db) -> None:
                number = await db.fetchval(QUERIES["next_revision"].sql, len(SCHEMA))
                numbered.set()
                await go_on.wait()
                await db.execute("UPDATE veo_entries SET progress = 1, revision = $1 WHERE id = $2", number, first.id)

            await slow.database.write(write)

        async with anyio.create_task_group() as group:
            group.start_soon(take_long)
            await numbered.wait()
            group.start_soon(lambda: quick.record(second.id, Change(progress=2.0), now=store.now))
            try:
                with anyio.move_on_after(1.0):  # longer than between two looks
                    while True:
                        assert (await anext(feed)).progress is None
            finally:
                go_on.set()  # what has begun is brought to its end, also when this test fails
        seen = dict[str, float | None]()
        with anyio.fail_after(2):
            while len(seen) < 2:
                entry = await anext(feed)
                seen[entry.id] = entry.progress
        assert seen == {first.id: 1.0, second.id: 2.0}


async def test_the_database_itself_says_when_something_changed(store: PostgresStore) -> None:
    async with store.open(look_seconds=3600) as reader, store.open() as writer, reader.changes() as feed:
        entry = await running(writer, 1, store.now)
        for progress in (1.0, 2.0, 3.0):
            updated = await writer.record(entry.id, Change(progress=progress), now=store.now)
            with anyio.fail_after(2):
                while await anext(feed) != updated:
                    pass


async def test_many_that_begin_and_wait_for_one_another_keep_nobody_else_waiting(store: PostgresStore) -> None:
    """With a connection for each of those who wait, nothing was left for questions and answers: a minute's silence."""
    holds, lets_go, begun = anyio.Event(), anyio.Event(), list[str]()
    async with store.open() as journal, store.open() as other, anyio.create_task_group() as group:

        async def hold() -> None:
            async def write(db: Db) -> None:
                await ask(db, "one_at_a_time", {"api": ANN.api})
                holds.set()
                await lets_go.wait()

            await other.database.write(write)

        async def make(number: int) -> None:
            begun.append((await begin(journal, request(number, store.now))).id)

        group.start_soon(hold)
        await holds.wait()
        for number in range(20):
            group.start_soon(make, number)
        await anyio.wait_all_tasks_blocked()
        try:
            with anyio.fail_after(2):
                assert (await journal.list(ANN)).entries == ()
        finally:
            lets_go.set()
    assert len(set(begun)) == 20


async def test_what_is_due_at_another_api_takes_no_lock(store: PostgresStore) -> None:
    """Every server looks every second: only what is its own may make it write."""
    async with store.open() as journal:
        due = await running(journal, 1, store.now)
        ended = await running(journal, 2, store.now)
        await journal.record(ended.id, Change(status=Status.COMPLETED), now=store.now)
        await store.move_clock(1)
        for behind in ({}, {"scheduled_at": store.now + 1000}, {"next_poll_at": store.now + 10 * DAY}):
            await store.write_behind_the_back(due.id, **{"next_poll_at": store.now + 60, "scheduled_at": 0, **behind})
            if not behind:
                await store.write_behind_the_back(due.id, next_poll_at=0)
            assert await journal.database.read(lambda db: leases.anything_due(db, ANN.api)), behind
            assert not await journal.database.read(lambda db: leases.anything_due(db, SANDBOX.api)), behind
        look = {"save": True, "longest": 7200}
        assert len(await journal.database.read(lambda db: ask(db, "file_due", {"api": ANN.api, **look}))) == 1
        assert not await journal.database.read(lambda db: ask(db, "file_due", {"api": SANDBOX.api, **look}))


async def test_leases_count_by_the_databases_clock_whatever_the_servers_clocks_say(store: PostgresStore) -> None:
    async with store.open() as one, store.open() as two:
        await running(one, 1, store.now)
        await store.move_clock(1)
        for wrong in (store.now + 86400, store.now - 86400):
            (held,) = await one.lease(api=ANN.api, principals=None, worker_id="a", now=wrong, seconds=60, limit=5)
            for other in (store.now, store.now + 86400, store.now - 86400):
                assert (
                    await two.lease(api=ANN.api, principals=None, worker_id="b", now=other, seconds=60, limit=5) == []
                )
            await one.release(held, next_poll_at=store.now, asked=False)
        # And by that clock they run out, and their holder's answer counts no more.
        (lost,) = await leased(one, store, "a")
        await store.move_clock(61)
        (held,) = await leased(two, store, "b")
        assert await one.record_leased(lost, Change(progress=1.0), now=store.now) is None
        assert await two.record_leased(held, Change(progress=2.0), now=store.now) is not None


async def test_what_a_server_with_a_wrong_clock_records_is_not_taken_for_overdue(store: PostgresStore) -> None:
    async with store.open() as ahead, store.open() as other:
        await running(ahead, 1, store.now)
        await store.move_clock(1)
        (held,) = await leased(ahead, store, "a")
        wrong = store.now + 3600
        await ahead.record_leased(held, Change(progress=1.0, next_poll_at=wrong + 10), now=wrong)
        assert await leased(other, store, "b") == []


# Versions


async def test_servers_that_start_at_once_make_the_tables_once(server: Postgres) -> None:
    store = PostgresStore(server, await server.new_schema())
    async with anyio.create_task_group() as group:

        async def open_it(number: int) -> None:
            async with store.open() as journal:
                await running(journal, number, store.now)

        for number in range(6):
            group.start_soon(open_it, number)
    async with store.open() as journal:
        assert len((await journal.list(ANN, limit=50)).entries) == 6


ADDS = "ALTER TABLE veo_entries ADD COLUMN novelty text NOT NULL DEFAULT 'none'"


async def test_an_older_server_goes_on_and_starts_again_beside_a_newer_one(store: PostgresStore) -> None:
    async with store.open() as older, older.changes() as feed:
        entry = await running(older, 1, store.now)
        async with store.open(schema=[*SCHEMA, ADDS]) as newer:
            assert await store.run("SELECT novelty FROM veo_entries") == "none"
            assert await newer.find(entry.id) == entry
            updated = await older.record(entry.id, Change(progress=1.0), now=store.now)
            assert await newer.find(entry.id) == updated
            done = await newer.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            with anyio.fail_after(2):
                while await anext(feed) != done:
                    pass
            async with store.open() as again:
                await running(again, 2, store.now)


async def test_a_server_that_is_too_old_writes_nothing_more(store: PostgresStore) -> None:
    async with store.open() as older:
        entry = await running(older, 1, store.now)
        async with store.open(schema=[*SCHEMA, f"-- works with: {len(SCHEMA) + 1}\n{ADDS}"]) as newer:
            for call in (
                begin(older, request(2, store.now)),
                older.record(entry.id, Change(progress=1.0), now=store.now),
                older.adopt(ANN, task(3, store.now)),
                older.check_writable(),
            ):
                with pytest.raises(JournalUnusable, match="newer veo-mcp"):
                    await call
            assert (await newer.list(ANN)).entries == (entry,)
        with pytest.raises(JournalUnusable, match="newer veo-mcp"):
            async with store.open():
                pass


async def test_a_script_that_breaks_off_changes_nothing(store: PostgresStore) -> None:
    with pytest.raises(JournalUnusable):
        async with store.open(schema=[*SCHEMA, ADDS, "ALTER TABLE no_such_table ADD COLUMN x text"]):
            pass
    assert await store.run("SELECT version FROM veo_counter") == len(SCHEMA)
    async with store.open() as journal:
        await running(journal, 1, store.now)
    assert await store.run("SELECT count(*) FROM information_schema.columns WHERE column_name = 'novelty'") == 0


async def test_a_migration_that_must_wait_blocks_no_server_for_long(store: PostgresStore) -> None:
    """A backup reads a table as long as it takes; behind an ALTER TABLE that waits for it, every call would wait."""
    async with store.open() as older, store.open() as backup:
        entry = await running(older, 1, store.now)
        reading, enough, upgraded = anyio.Event(), anyio.Event(), anyio.Event()

        async def back_up() -> None:
            async def read(db: Db) -> None:
                await db.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
                await db.fetchval("SELECT count(*) FROM veo_entries")
                reading.set()
                await enough.wait()

            await backup.database.read(read)

        async def upgrade() -> None:
            async with store.open(schema=[*SCHEMA, ADDS]):
                upgraded.set()

        async with anyio.create_task_group() as group:
            group.start_soon(back_up)
            await reading.wait()
            group.start_soon(upgrade)
            try:
                longest = 0.0
                for progress in range(20):
                    began = anyio.current_time()
                    await older.record(entry.id, Change(progress=float(progress)), now=store.now)
                    longest = max(longest, anyio.current_time() - began)
                    await anyio.sleep(0.25)
                assert not upgraded.is_set()
                assert longest < 2
            finally:
                enough.set()  # what has begun is brought to its end, also when this test fails
            with anyio.fail_after(20):
                await upgraded.wait()


# What it says


async def refused(place: PostgresAddress) -> str:
    with pytest.raises(JournalUnusable) as trouble:
        async with PostgresJournal(place):
            pass
    return trouble.value.explanation


CANARY = "hunter2canary"


async def test_a_wrong_password_is_said_and_never_shown(server: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    await server.run(
        f"DO $$ BEGIN CREATE ROLE {GUARDED} LOGIN PASSWORD 'right'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    place = address(server.address("public", user=GUARDED, password=CANARY))
    with caplog.at_level(logging.DEBUG):
        said = await refused(place)
    assert "does not accept this user or password" in said
    assert GUARDED in said
    for shown in (said, caplog.text, str(place), repr(place), repr(PostgresJournal(place).__dict__["_rows"])):
        assert CANARY not in shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("/postgres?", "/nowhere?"), "has no database of this name"),
        (("postgres@", "nobody_here@"), "does not accept this user"),
        (("search_path=", "search_path=gone"), "has no schema to work in"),
        (("search_path=", "nonsense=1&search_path="), "does not know an option"),
        (("/veo-pg", "/elsewhere"), "cannot be reached"),
    ],
)
async def test_an_address_that_leads_nowhere_is_named(
    store: PostgresStore, change: tuple[str, str], words: str
) -> None:
    said = await refused(address(store.url.replace(*change)))
    assert words in said
    assert "VEO_JOURNAL" in said or "search path" in said


async def test_a_user_without_rights_learns_which_are_missing(store: PostgresStore) -> None:
    await store.run("CREATE ROLE reader LOGIN")
    await store.run(f"GRANT USAGE ON SCHEMA {store.schema} TO reader")
    assert "does not allow this user" in await refused(address(store.url.replace("postgres@", "reader@")))
    await store.run(f"REVOKE ALL ON SCHEMA {store.schema} FROM reader")
    await store.run("DROP ROLE reader")


async def test_words_that_providers_put_into_their_addresses_are_passed_over(store: PostgresStore) -> None:
    store.url += "&channel_binding=prefer&connect_timeout=10&pgbouncer=true"
    async with store.open() as journal:
        await running(journal, 1, store.now)


async def test_without_its_library_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    program = "import sys; sys.modules['asyncpg'] = None; sys.argv = ['veo-mcp', 'check']; "
    program += "import veo_mcp.cli.main as c; c.main()"
    env = {**os.environ, "VEO_JOURNAL": f"postgresql://veo:{CANARY}@db.example/veo", "COLUMNS": "200"}
    done = await anyio.run_process([sys.executable, "-c", program], env=env, check=False, stderr=subprocess.STDOUT)
    said = done.stdout.decode()
    assert "pip install 'veo-mcp[postgres]'" in said
    assert "postgresql://veo@db.example/veo" in said
    assert CANARY not in said


async def test_check_names_the_database_and_not_the_password(store: PostgresStore, tmp_path: Path) -> None:
    url = store.url.replace("postgres@", f"postgres:{CANARY}@")
    env = {**os.environ, "VEO_JOURNAL": url, "VEO_SANDBOX_DIR": str(tmp_path), "COLUMNS": "300"}
    done = await anyio.run_process([sys.executable, "-m", "veo_mcp", "check"], env=env, check=False)
    said = done.stdout.decode() + done.stderr.decode()
    server = store.server
    where = f"postgresql://postgres@/postgres?host={server.folder}&port={server.port}&search_path={store.schema}"
    assert f"{where}: usable" in said
    assert CANARY not in said


async def test_an_error_of_the_caller_goes_through_unchanged(store: PostgresStore) -> None:
    with pytest.raises(KeyError):
        async with store.open():
            raise KeyError


async def test_a_server_that_ends_at_whatever_moment_leaves_no_connection(store: PostgresStore) -> None:
    for milliseconds in range(1, 100, 6):
        with anyio.move_on_after(milliseconds / 1000):
            async with store.open() as journal:
                await running(journal, milliseconds, store.now)
                await anyio.sleep_forever()
    left = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'veo-mcp'"
        " AND pid <> pg_backend_pid() AND query LIKE '%veo_%'"
    )
    with anyio.fail_after(5):
        while await store.run(left):  # noqa: ASYNC110 - PostgreSQL ends a connection in its own time
            await anyio.sleep(0.05)
