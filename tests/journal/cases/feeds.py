"""Every change is announced: the latest state of each entry, in order, whoever changed it, within two seconds."""

from collections.abc import Callable

import anyio
import pytest

from tests.journal.stores import ANN, ANNOUNCED_WITHIN, Store, running, task
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.feed import Feed
from veo_mcp.journal.journal import Journal


async def read_until(feed: Feed, enough: Callable[[dict[str, Entry]], bool]) -> list[Entry]:
    """What the feed gives until the latest states suffice, in the time in which it has to tell."""
    read, latest = list[Entry](), dict[str, Entry]()
    with anyio.fail_after(ANNOUNCED_WITHIN + 1):
        while not enough(latest):
            entry = await anext(feed)
            read.append(entry)
            latest[entry.id] = entry
    return read


class Feeds:
    async def test_it_says_how_it_learns_of_other_processes(self, store: Store) -> None:
        async with store.open() as journal:
            assert journal.learns_by == store.learns_by
            assert store.learns_by in ("listen", "look")

    async def test_a_change_of_another_process_is_announced_within_two_seconds(self, store: Store) -> None:
        async with store.open() as one, store.open() as two, one.changes() as feed:
            entry = await running(two, 1, store.now)
            await anyio.sleep(0.7)  # so that no look or wakening of the first change is still on its way
            written_at = anyio.current_time()
            await two.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            await read_until(feed, lambda latest: any(e.status is Status.COMPLETED for e in latest.values()))
            assert anyio.current_time() - written_at <= ANNOUNCED_WITHIN

    async def test_every_write_is_announced(self, store: Store) -> None:
        async with store.open() as journal, journal.changes() as feed:
            entry = await running(journal, 1, store.now)
            seen = await read_until(feed, lambda latest: entry.id in latest and latest[entry.id] == entry)
            assert seen[-1] == entry
            adopted = await journal.adopt(ANN, task(2, store.now))
            assert [await anext(feed)] == [adopted]
            await store.move_clock(1)
            (first, *_) = await journal.lease(
                api=ANN.api, principals=None, worker_id="w", now=store.now, seconds=60, limit=1
            )
            updated = await journal.record_leased(first, Change(progress=5.0), now=store.now)
            assert [await anext(feed)] == [updated]

    async def test_a_burst_loses_no_latest_state(self, store: Store) -> None:
        """Nobody reads meanwhile, two processes write, and every entry changes four times."""
        number = 150
        async with store.open() as reader, store.open() as writer, reader.changes() as feed:

            async def write(journal: Journal, numbers: range) -> None:
                for at in numbers:
                    await journal.adopt(ANN, task(at, store.now))
                for progress in (10.0, 20.0):
                    for at in numbers:
                        await journal.record(f"vid_ann_http_{at}", Change(progress=progress), now=store.now)

            async with anyio.create_task_group() as group:
                group.start_soon(write, reader, range(number // 2))
                group.start_soon(write, writer, range(number // 2, number))
            last = task(number, store.now)
            await writer.adopt(ANN, last)
            read = await read_until(feed, lambda latest: last.id in latest)
            latest = {entry.id: entry.progress for entry in read}
            assert len(latest) == number + 1
            assert {progress for entry_id, progress in latest.items() if entry_id != last.id} == {20.0}

    async def test_new_entries_come_in_the_order_in_which_they_were_created(self, store: Store) -> None:
        """So one number is enough to tell a new entry from a changed one, however the changes fell together."""
        async with store.open() as writer:
            await writer.adopt(ANN, task(1, store.now))
            async with store.open() as reader, reader.changes() as feed:
                for number in (2, 3):
                    await writer.adopt(ANN, task(number, store.now))
                for number in (1, 2):
                    await writer.record(f"vid_ann_http_{number}", Change(progress=5.0), now=store.now)
                read = await read_until(
                    feed,
                    lambda latest: len(latest) == 3 and [e.progress for e in latest.values()].count(5.0) == 2,
                )
            newest, new = feed.since, list[str]()
            for entry in read:
                if entry.created_seq > newest:
                    new.append(entry.id)
                    newest = entry.created_seq
            assert new == ["vid_ann_http_2", "vid_ann_http_3"]

    async def test_what_was_there_before_the_feed_opened_is_not_announced(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
        async with store.open() as journal, journal.changes() as feed:
            entry = await running(journal, 2, store.now)
            read = await read_until(feed, lambda latest: latest.get(entry.id) == entry)
            assert {e.id for e in read} == {entry.id}

    async def test_what_is_announced_can_be_read(self, store: Store) -> None:
        async with store.open() as one, store.open() as two, two.changes() as feed:
            entry = await running(one, 1, store.now)
            read = await read_until(feed, lambda latest: entry.id in latest)
            found = await two.find(entry.id)
            assert found is not None
            assert found.revision >= read[-1].revision

    async def test_a_reader_that_is_cancelled_loses_nothing(self, store: Store) -> None:
        async with store.open() as journal, journal.changes() as feed:
            with anyio.move_on_after(0.02):
                await anext(feed)
            entry = await running(journal, 1, store.now)
            assert (await read_until(feed, lambda latest: latest.get(entry.id) == entry))[-1] == entry

    @pytest.mark.parametrize("column", ["status", "kind"])
    async def test_a_change_that_this_version_does_not_understand_blocks_no_feed(
        self, store: Store, column: str
    ) -> None:
        async with store.open() as one, store.open() as two, one.changes() as feed:
            odd = await running(two, 1, store.now)
            await store.write_behind_the_back(odd.id, **{column: "paused"})
            await two.adopt(ANN, task(2, store.now))
            good = await two.record("vid_ann_http_2", Change(progress=5.0), now=store.now)
            assert good is not None
            await read_until(feed, lambda latest: good.id in latest)
