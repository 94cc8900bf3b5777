"""A PostgreSQL that goes away, falls silent, or dies before it answers: no change is lost, doubled or unannounced."""

from collections.abc import AsyncGenerator, Generator
from typing import Literal

import anyio
import anyio.to_thread
import pytest

from tests.journal.pg_store import PostgresStore, new_store
from tests.journal.stores import ANN, NO_LIMITS, begin, request, running
from tests.support.postgres import Postgres, postgres
from tests.support.relay import Relay, relay
from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.postgres.queries import Db

pytestmark = pytest.mark.anyio


@pytest.fixture
async def network(server: Postgres) -> AsyncGenerator[Relay]:
    async with relay(server.port) as between:
        yield between


@pytest.fixture
async def store(server: Postgres, network: Relay) -> AsyncGenerator[PostgresStore]:
    """Reached through the relay."""
    async with new_store(server, through=network.host) as store:
        yield store


@pytest.fixture
def own_server() -> Generator[Postgres]:
    """One that a test may stop."""
    with postgres() as running:
        yield running


@pytest.mark.parametrize("cut", ["commit", "answer"])
async def test_a_request_whose_commit_was_cut_off_is_begun_once_and_sent_by_its_caller(
    store: PostgresStore, network: Relay, cut: Literal["commit", "answer"]
) -> None:
    """Taken for a repeat of itself, it would never be sent, and end as unknown with its credits counted."""
    async with store.open() as journal:
        network.cut = cut
        begun = await journal.begin(request(1, store.now), now=store.now, limits=NO_LIMITS, repeat_seconds=600)
        assert network.commits_cut == 1
        assert begun.fresh
        assert (await journal.list(ANN)).entries == (begun.entry,)
        assert (await journal.spent(ANN, now=store.now)).own == 40


@pytest.mark.parametrize("cut", ["commit", "answer"])
async def test_a_change_whose_commit_was_cut_off_is_recorded_and_announced_once(
    store: PostgresStore, network: Relay, cut: Literal["commit", "answer"]
) -> None:
    async with store.open() as journal:
        entry = await running(journal, 1, store.now)
        async with journal.changes(entry.id) as feed:
            network.cut = cut
            done = await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            assert network.commits_cut == 1
            assert done is not None
            assert done == await journal.find(entry.id)
            with anyio.fail_after(2):
                while await anext(feed) != done:
                    pass
            with anyio.move_on_after(1.0) as waited:
                await anext(feed)
            assert waited.cancelled_caught


async def test_a_change_is_announced_within_two_seconds_of_a_connection_dying_in_silence(
    store: PostgresStore, network: Relay
) -> None:
    """No exception says so, and what PostgreSQL sends is lost."""
    async with (
        store.open() as reader,
        PostgresStore(store.server, store.schema).open() as writer,
        reader.changes() as feed,
    ):
        entry = await running(writer, 1, store.now)
        while await anext(feed) != entry:
            pass
        await anyio.sleep(0.1)  # so that no look is on its way: it would find out at once
        network.fall_silent()
        for progress in (1.0, 2.0):
            moved = await writer.record(entry.id, Change(progress=progress), now=store.now)
            with anyio.fail_after(2):
                while await anext(feed) != moved:
                    pass
        assert await reader.find(entry.id) == moved


async def test_connections_that_the_database_ends_cost_no_call_and_no_news(store: PostgresStore) -> None:
    async with store.open() as reader, store.open() as writer, reader.changes() as feed:
        entry = await running(writer, 1, store.now)
        for progress in (1.0, 2.0, 3.0):
            await store.run(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'veo-mcp' AND pid <> pg_backend_pid()"
            )
            moved = await writer.record(entry.id, Change(progress=progress), now=store.now)
            assert moved is not None
            with anyio.fail_after(2):
                while await anext(feed) != moved:
                    pass


@pytest.mark.parametrize("how", ["fast", "immediate", "kill"])
async def test_a_restart_of_postgresql_loses_nothing_and_readers_catch_up(own_server: Postgres, how: str) -> None:
    async with new_store(own_server) as store, store.open() as one, store.open() as two, one.changes() as feed:
        entry = await running(two, 1, store.now)
        if how == "kill":
            own_server.kill()
        else:
            own_server.stop(how)
        moved = list[object]()

        async def call() -> None:
            moved.append(await two.record(entry.id, Change(status=Status.COMPLETED), now=store.now))

        async with anyio.create_task_group() as group:
            group.start_soon(call)  # made while there is no database, it waits
            await anyio.to_thread.run_sync(own_server.start)
            with anyio.fail_after(3):
                while (await anext(feed)).status is not Status.COMPLETED:
                    pass
        assert moved == [await one.find(entry.id)]


async def test_a_database_that_stays_away_is_said_in_time_and_nothing_is_begun(own_server: Postgres) -> None:
    async with new_store(own_server) as store, store.open() as journal:
        entry = await running(journal, 1, store.now)
        own_server.stop()
        for call in (begin(journal, request(2, store.now)), journal.check_writable()):
            with anyio.fail_after(9), pytest.raises(JournalUnusable, match=r"cannot be reached.*VEO_JOURNAL"):
                await call
        own_server.start()
        assert (await journal.list(ANN)).entries == (entry,)


async def test_a_whole_queue_learns_at_once_that_the_database_stays_away(own_server: Postgres) -> None:
    """Each after a patience of its own, the last of thirty would learn it after more than a minute."""
    said = list[str]()
    async with new_store(own_server) as store, store.open() as journal:
        await begin(journal, request(0, store.now))
        own_server.stop()

        async def make(number: int) -> None:
            with pytest.raises(JournalUnusable) as refusal:
                await begin(journal, request(number, store.now))
            said.append(refusal.value.explanation)

        with anyio.fail_after(9):
            async with anyio.create_task_group() as group:
                for number in range(1, 31):
                    group.start_soon(make, number)
        own_server.start()
        assert len(said) == 30
        assert all("cannot be reached" in words for words in said)
        assert await begin(journal, request(31, store.now)), "what is begun afterwards tries for itself"


async def test_a_server_that_freezes_in_a_transaction_holds_the_others_up_for_seconds_only(
    store: PostgresStore,
) -> None:
    numbered, thaws, tried = anyio.Event(), anyio.Event(), list[bool]()
    async with store.open() as frozen, store.open() as other, anyio.create_task_group() as group:
        entry = await running(other, 1, store.now)

        async def freeze() -> None:
            async def write(db: Db) -> None:
                tried.append(True)
                if len(tried) == 1:
                    await db.execute("UPDATE veo_counter SET revision = revision + 1")
                    numbered.set()
                    await thaws.wait()

            await frozen.database.write(write)

        group.start_soon(freeze)
        await numbered.wait()
        try:
            with anyio.fail_after(8):
                assert await other.record(entry.id, Change(progress=1.0), now=store.now) is not None
        finally:
            thaws.set()  # what has begun is brought to its end, also when this test fails
    # It finds out that its work was taken back, and does it again.
    assert len(tried) == 2
