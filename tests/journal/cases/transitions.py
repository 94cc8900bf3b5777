"""Every move of a status, allowed and not, and what a change carries with it."""

import pytest

from tests.journal.stores import ANN, Store, begin, request, running, task
from veo_mcp.errors import UpstreamIdTaken
from veo_mcp.journal.entry import CLEAR, Change, Status
from veo_mcp.journal.journal import Journal

ALLOWED = {
    ("submitting", "pending"),
    ("submitting", "processing"),
    ("submitting", "completed"),
    ("submitting", "failed"),
    ("submitting", "refused"),
    ("submitting", "unknown"),
    ("unknown", "pending"),
    ("unknown", "processing"),
    ("unknown", "completed"),
    ("unknown", "failed"),
    ("unknown", "refused"),
    ("pending", "processing"),
    ("pending", "completed"),
    ("pending", "failed"),
    ("processing", "completed"),
    ("processing", "failed"),
}
"""Written out here, and not taken from the code: that is what it is held against."""


async def brought_to(journal: Journal, status: Status, now: float) -> str:
    entry = await begin(journal, request(1, now))
    if status is not Status.SUBMITTING:
        assert await journal.record(entry.id, Change(status=status), now=now) is not None
    return entry.id


class Transitions:
    @pytest.mark.parametrize("after", list(Status))
    @pytest.mark.parametrize("before", list(Status))
    async def test_a_status_moves_only_as_the_table_allows(self, store: Store, before: Status, after: Status) -> None:
        async with store.open() as journal:
            entry_id = await brought_to(journal, before, store.now)
            updated = await journal.record(entry_id, Change(status=after), now=store.now + 1)
            found = await journal.find(entry_id)
            assert found is not None
            if (before.value, after.value) in ALLOWED:
                assert updated == found
                assert found.status is after
            else:
                assert updated is None
                assert found.status is before
                assert found.updated_at == store.now

    @pytest.mark.parametrize("end", [Status.COMPLETED, Status.FAILED, Status.REFUSED])
    async def test_nothing_changes_after_the_end(self, store: Store, end: Status) -> None:
        async with store.open() as journal:
            entry_id = await brought_to(journal, end, store.now)
            before = await journal.find(entry_id)
            late = Change(progress=5.0, error_message="late", upstream_id="late", charged="refunded")
            assert await journal.record(entry_id, late, now=store.now + 1) is None
            assert await journal.find(entry_id) == before

    async def test_what_is_known_already_is_no_news(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            assert await journal.record(entry.id, Change(status=Status.PENDING), now=store.now + 5) is None
            assert await journal.find(entry.id) == entry

    async def test_every_change_takes_a_higher_revision_and_the_creation_keeps_its_own(self, store: Store) -> None:
        async with store.open() as journal:
            first = await running(journal, 1, store.now)
            second = await running(journal, 2, store.now)
            updated = await journal.record(first.id, Change(progress=5.0), now=store.now)
            assert updated is not None
            assert first.revision < second.created_seq < second.revision < updated.revision
            assert updated.created_seq == first.created_seq < first.revision

    async def test_a_record_is_what_is_read_afterwards(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            change = Change(
                status=Status.PROCESSING,
                upstream_status="warming",
                progress=12.5,
                video_urls=("https://x/1.mp4", "https://x/2.mp4"),
                resolution="720p",
                error_code="odd",
                error_message="Odd.",
                evidence=40,
                retry_after=8.0,
                next_poll_at=store.now + 30,
            )
            updated = await journal.record(entry.id, change, now=store.now + 3)
        async with store.open() as another:
            assert updated is not None
            assert await another.find(entry.id) == updated
            assert updated.updated_at == store.now + 3
            for name in ("upstream_status", "progress", "video_urls", "resolution", "error_code", "evidence"):
                assert getattr(updated, name) == getattr(change, name)

    async def test_a_value_can_be_taken_away(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            said = Change(error_code="slow", error_message="Slow.", retry_after=5.0)
            await journal.record(entry.id, said, now=store.now)
            over = Change(error_code=CLEAR, error_message=CLEAR, retry_after=CLEAR)
            cleared = await journal.record(entry.id, over, now=store.now)
            assert cleared is not None
            assert (cleared.error_code, cleared.error_message, cleared.retry_after) == (None, None, None)

    @pytest.mark.parametrize("later", [Status.PENDING, Status.PROCESSING, Status.COMPLETED])
    async def test_a_task_that_goes_on_keeps_no_error_of_an_earlier_answer(self, store: Store, later: Status) -> None:
        async with store.open() as journal:
            entry_id = await brought_to(journal, Status.SUBMITTING, store.now)
            lost = Change(status=Status.UNKNOWN, error_code="bad_answer", error_message="Cut.")
            await journal.record(entry_id, lost, now=store.now)
            found = await journal.record(entry_id, Change(status=later, upstream_id="up"), now=store.now + 9)
            assert found is not None
            assert (found.error_code, found.error_message) == (None, None)

    async def test_an_api_id_stays_the_first_one(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            updated = await journal.record(entry.id, Change(upstream_id="other", progress=1.0), now=store.now)
            assert updated is not None
            assert updated.upstream_id == entry.upstream_id

    async def test_one_api_id_belongs_to_one_entry(self, store: Store) -> None:
        async with store.open() as journal:
            first = await running(journal, 1, store.now)
            second = await begin(journal, request(2, store.now))
            change = Change(status=Status.PENDING, upstream_id=first.upstream_id, charged="yes")
            with pytest.raises(UpstreamIdTaken) as taken:
                await journal.record(second.id, change, now=store.now)
            assert taken.value.owner_id == first.id
            assert await journal.find(second.id) == second
            # And the row is still good for what is known otherwise.
            assert await journal.record(second.id, Change(status=Status.UNKNOWN), now=store.now) is not None

    async def test_the_same_api_id_at_another_api_is_another_task(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
            other = await begin(journal, request(2, store.now, api="https://other.example"))
            change = Change(status=Status.PENDING, upstream_id="task-ann-1")
            assert await journal.record(other.id, change, now=store.now) is not None

    async def test_the_end_is_dated_by_our_clock_unless_it_came_unwatched(self, store: Store) -> None:
        async with store.open() as journal:
            watched = await running(journal, 1, store.now)
            done = Change(status=Status.COMPLETED, completed_at=store.now - 500)
            ended = await journal.record(watched.id, done, now=store.now + 60)
            assert ended is not None
            assert (ended.ended_at, ended.completed_at) == (store.now + 60, store.now - 500)
            lost = await begin(journal, request(2, store.now))
            await journal.record(lost.id, Change(status=Status.UNKNOWN), now=store.now)
            settled = await journal.record(lost.id, Change(status=Status.COMPLETED), now=store.now + 9000)
            assert settled is not None
            assert settled.ended_at is None
            elsewhere = task(3, store.now, status=Status.COMPLETED, completed_at=store.now)
            adopted = await journal.adopt(ANN, elsewhere)
            assert adopted is not None
            assert adopted.ended_at is None

    async def test_durations_are_those_of_watched_tasks_of_this_api_and_mode(self, store: Store) -> None:
        async with store.open() as journal:
            for number, mode, api, took in (
                (1, "fast", ANN.api, 60.0),
                (2, "fast", ANN.api, 90.0),
                (3, "quality", ANN.api, 200.0),
                (4, "fast", "https://other.example", 7.0),
                (5, None, ANN.api, 120.0),
                (6, "fast", ANN.api, -30.0),  # the clock was set back meanwhile: that is no duration
            ):
                entry = await running(journal, number, store.now, mode=mode, api=api)
                await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now + took)
            failed = await running(journal, 7, store.now)
            await journal.record(failed.id, Change(status=Status.FAILED), now=store.now + 5)
            await journal.adopt(ANN, task(8, store.now - 900, status=Status.COMPLETED, completed_at=store.now))
            assert await journal.durations(ANN.api, "fast") == [90.0, 60.0]
            assert await journal.durations(ANN.api, "quality") == [200.0]
            assert await journal.durations(ANN.api, None) == [120.0]
