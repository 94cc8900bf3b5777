"""Pages of the newest, cursors, and values that are odd, huge or from a version to come: no list breaks on them."""

import logging
import math
from contextlib import suppress
from typing import Any

import pytest

from tests.journal.stores import ANN, BOB, NO_LIMITS, Store, begin, leased, request, running, task
from veo_mcp.api.account import Account
from veo_mcp.errors import JournalUnusable, WrongCursor
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.journal import Journal

ODD_TEXTS = [
    "\ud800",
    "a\udfffb",
    "nul\0nul",
    "\U0001f600 שלום \u202e",
    "x" * 1_000_000,
    "'; DROP TABLE entries; --",
    "\ufffe\uffff",
    "",
]
ODD_NUMBERS = [math.inf, -math.inf, math.nan, 1e308, -1e308, 10**400, -(10**400), 253_402_300_800.0, -62_135_596_801.0]


async def pages(journal: Journal, limit: int, status: Status | None = None) -> list[list[Entry]]:
    found = list[list[Entry]]()
    cursor: str | None = None
    while not found or cursor is not None:
        page = await journal.list(ANN, status=status, limit=limit, cursor=cursor)
        found.append(list(page.entries))
        cursor = page.next_cursor
    return found


class Lists:
    @pytest.mark.parametrize("limit", [1, 3, 7, 50])
    async def test_pages_hold_every_entry_once_newest_first(self, store: Store, limit: int) -> None:
        async with store.open() as journal:
            for number in range(7):
                # Three of them in the same instant: their ids tell them apart.
                await running(journal, number, store.now + number // 3)
                await running(journal, number, store.now + number, account=BOB)
            found = [entry for page in await pages(journal, limit) for entry in page]
            assert len({entry.id for entry in found}) == len(found) == 7
            assert found == sorted(found, key=lambda entry: (entry.created_at, entry.id), reverse=True)

    async def test_pages_of_one_status_hold_no_other(self, store: Store) -> None:
        async with store.open() as journal:
            for number in range(9):
                entry = await running(journal, number, store.now + number)
                if number % 3 == 0:
                    await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            done = await pages(journal, 2, Status.COMPLETED)
            assert [len(page) for page in done] == [2, 1]
            assert (await journal.list(ANN, status=Status.REFUSED)).entries == ()

    async def test_a_cursor_holds_while_newer_ones_come_and_its_entry_moves_on(self, store: Store) -> None:
        async with store.open() as journal:
            for number in range(6):
                await running(journal, number, store.now + number)
            first = await journal.list(ANN, status=Status.PENDING, limit=3)
            await running(journal, 9, store.now + 9)
            await journal.record(first.entries[-1].id, Change(status=Status.COMPLETED), now=store.now)
            second = await journal.list(ANN, status=Status.PENDING, limit=3, cursor=first.next_cursor)
            assert [entry.id[-1] for entry in second.entries] == ["2", "1", "0"]
            assert second.next_cursor is None

    async def test_a_full_last_page_has_no_cursor(self, store: Store) -> None:
        async with store.open() as journal:
            for number in range(4):
                await running(journal, number, store.now + number)
            assert [len(page) for page in await pages(journal, 2)] == [2, 2]

    @pytest.mark.parametrize(
        "cursor",
        ["", "x", "vid_nowhere", "1e999~vid_ann_http_1", "nan~", "\ud800", "\0", "🌊" * 100_000, "%", "' OR 1"],
    )
    async def test_a_cursor_that_no_page_ended_with_is_wrong(self, store: Store, cursor: str) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
            with pytest.raises(WrongCursor):
                await journal.list(ANN, cursor=cursor)


class Values:
    @pytest.mark.parametrize("odd", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
    async def test_no_text_breaks_what_comes_later(self, store: Store, odd: str) -> None:
        async with store.open() as journal, journal.changes() as feed:
            entry = await begin(journal, request(1, store.now, prompt=odd, body=odd, mode=odd, model=odd))
            change = Change(
                status=Status.PROCESSING,
                upstream_id=f"up {odd[:2000]}",
                upstream_status=odd,
                video_urls=(odd, "https://x/"),
                resolution=odd,
                error_code=odd,
                error_message=odd,
                charged="yes",
            )
            updated = await journal.record(entry.id, change, now=store.now)
            assert updated is not None
            assert (await journal.list(ANN)).entries == (updated,)
            assert await journal.get(ANN, f"up {odd[:2000]}") == updated
            while await anext(feed) != updated:
                pass
            await store.move_clock(1)
            (lease,) = await leased(journal, store, "w")
            assert lease.entry == updated
            # The same again is no news, though it was not kept to the letter: nobody is notified a second time.
            assert await journal.record_leased(lease, change, now=store.now) is None
            await journal.release(lease, next_poll_at=store.now, asked=False)
            assert await journal.get(ANN, odd) is None
            assert await journal.find(odd) is None
            assert await journal.find_elsewhere(ANN, odd) is None

    @pytest.mark.parametrize(
        ("said", "kept"),
        [("a\ud800b", "a\ufffdb"), ("a\0b", "a\ufffdb"), ("\ud83d\ude00", "\U0001f600")],
        ids=["lone surrogate", "NUL", "surrogate pair"],
    )
    async def test_what_no_store_can_keep_reads_the_same_from_each(self, store: Store, said: str, kept: str) -> None:
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now, prompt=said))
            assert entry.prompt == kept
            assert await journal.find(entry.id) == entry

    async def test_ordinary_text_is_kept_to_the_letter(self, store: Store) -> None:
        text = "Ein Mädchen, 猫, 👩‍👩‍👧, \u202eright to left\u202c, tab\t, new\nline, quote ' \" \\"
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now, prompt=text))
            found = await journal.find(entry.id)
            assert found is not None
            assert found.prompt == text

    @pytest.mark.parametrize("odd", ODD_NUMBERS, ids=range(len(ODD_NUMBERS)))
    async def test_no_number_breaks_what_comes_later(self, store: Store, odd: Any) -> None:
        """Whatever the API says of dates and progress, an entry that was listed can be shown."""
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            said = Change(progress=odd, retry_after=odd, evidence=odd if isinstance(odd, int) else None)
            await journal.record(entry.id, said, now=store.now)
            done = Change(status=Status.COMPLETED, completed_at=odd)
            await journal.record(entry.id, done, now=store.now + 30)
            elsewhere = task(2, store.now, status=Status.COMPLETED, completed_at=odd, created_at=odd)
            assert await journal.adopt(ANN, elsewhere) is not None
            await running(journal, 3, store.now)
            found = [entry for page in await pages(journal, 1) for entry in page]
            assert len(found) == 3
            for each in found:
                assert 0 <= each.created_at < 253_402_300_800
                assert each.completed_at is None or 0 <= each.completed_at < 253_402_300_800
                assert each.retry_after is None or math.isfinite(each.retry_after)
                assert each.progress is None or math.isfinite(each.progress)
            assert (await journal.spent(ANN, now=store.now)).own >= 80
            assert await journal.durations(ANN.api, "fast") == [30.0]

    @pytest.mark.parametrize("odd", ODD_NUMBERS, ids=range(len(ODD_NUMBERS)))
    async def test_no_moment_that_is_asked_for_breaks_the_asking(self, store: Store, odd: Any) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await store.move_clock(1)
            (lease,) = await leased(journal, store, "w")
            await journal.release(lease, next_poll_at=odd, asked=True)
            await journal.poll_no_later_than(entry.id, odd)
            await journal.poll_no_later_than(entry.id, store.now)
            await journal.set_not_before(ANN.api, ANN.principal, odd)
            assert math.isfinite(await journal.not_before(ANN.api, ANN.principal))
            await store.move_clock(1)
            assert len(await leased(journal, store, "w")) == 1

    async def test_a_price_beyond_all_sense_does_not_break_the_sums(self, store: Store) -> None:
        async with store.open() as journal:
            for number in range(3):
                await begin(journal, request(number, store.now, credits=10**30))
            assert (await journal.spent(ANN, now=store.now)).total >= 10**9
            assert len((await journal.list(ANN)).entries) == 3

    @pytest.mark.parametrize("name", ["a\ud800", "a\0b"])
    async def test_a_name_that_cannot_be_kept_is_refused_or_kept_apart(self, store: Store, name: str) -> None:
        odd = Account(ANN.api, name, ANN.credential)
        async with store.open() as journal:
            for other in ("a\ufffd", "a", "a\ufffdb"):
                await running(journal, 1, store.now, account=Account(ANN.api, other, ANN.credential))
            kept = list[str]()
            with suppress(JournalUnusable):
                await begin(journal, request(2, store.now, account=odd, id="vid_2"))
                kept = ["vid_2"]
            listed = list[str]()
            with suppress(JournalUnusable):
                listed = [entry.id for entry in (await journal.list(odd)).entries]
            assert listed == kept


class OtherVersions:
    @pytest.mark.parametrize(
        "columns",
        [{"status": "paused"}, {"charged": "partly"}, {"kind": "upscale"}, {"video_urls": '{"a": 1}'},
         {"video_urls": "[" * 100_000}, {"video_urls": "not json"}],
        ids=["status", "charged", "kind", "shape", "depth", "json"],
    )  # fmt: skip
    async def test_a_row_that_is_not_understood_is_passed_over_and_named_once(
        self, store: Store, columns: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        async with store.open() as journal:
            odd = [await running(journal, number, store.now) for number in range(6)]
            good = await running(journal, 9, store.now - 5, next_poll_at=store.now + 1)
            for entry in odd:
                await store.write_behind_the_back(entry.id, **columns)
            with caplog.at_level(logging.WARNING, "veo_mcp"):
                for _ in range(2):
                    assert [entry.id for entry in (await journal.list(ANN, limit=2)).entries] == [good.id]
                    await store.move_clock(2)
                    # Six that are more overdue stand before it, and more than a worker takes at once.
                    (lease,) = await leased(journal, store, "w", limit=1)
                    assert lease.entry.id == good.id
                    await journal.release(lease, next_poll_at=store.now, asked=False)
                    await journal.expire_submissions(store.now + 9000)
                    await journal.durations(ANN.api, "fast")
            named = [record for record in caplog.records if odd[0].id in record.getMessage()]
            assert len(named) == 1
            assert "newer" in named[0].getMessage()
            for task_id in (odd[0].id, odd[0].upstream_id or ""):
                with pytest.raises(JournalUnusable, match="newer"):
                    await journal.get(ANN, task_id)
            assert await journal.get(BOB, odd[0].id) is None

    async def test_a_request_in_a_state_that_is_not_understood_is_not_paid_for_again(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now))
            await store.write_behind_the_back(entry.id, status="queued")
            again = request(1, store.now + 9000, id="vid_again")
            with pytest.raises(JournalUnusable, match="newer"):
                await journal.begin(again, now=store.now + 9000, limits=NO_LIMITS, repeat_seconds=0)
            assert (await journal.spent(ANN, now=store.now)).own == 40

    async def test_an_id_of_a_row_that_is_not_understood_is_not_adopted_again(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await store.write_behind_the_back(entry.id, status="queued")
            with pytest.raises(JournalUnusable, match="newer"):
                await journal.adopt(ANN, task(9, store.now, upstream_id=entry.upstream_id))
            assert await journal.adopt(BOB, task(9, store.now, account=BOB, upstream_id=entry.upstream_id)) is None

    async def test_every_older_version_moves_over_without_losing_a_row(self, store: Store) -> None:
        for version in store.older_versions:
            await store.make_older(version)
            mine = Account(ANN.api, "", ANN.credential)
            async with store.open() as journal:
                entries = {entry.id: entry for entry in (await journal.list(mine, limit=50)).entries}
                assert set(entries) == {"vid_done", "vid_running", "vid_refunded", "vid_lost", "vid_odd_date"}
                assert entries["vid_running"].upstream_id == "task-running"
                assert entries["vid_lost"].worker_id == "gone"
                assert entries["vid_odd_date"].completed_at is None
                revisions = [entry.revision for entry in entries.values()]
                assert len(set(revisions)) == len(revisions)
                assert all(0 <= entry.created_seq <= entry.revision for entry in entries.values())
                # It was watched for 90 s. 40 came back, and the sandbox's are not the real API's; what a newer version
                # noted may have been spent.
                assert await journal.durations(mine.api, "fast") == [90.0]
                assert (await journal.spent(mine, now=2000.0)).total == 200
                assert (await journal.list(Account("sandbox:1", "", ANN.credential))).entries[0].id == "vid_sandbox"
                assert await journal.get_or_set("callback_secret", "new") == "kept"
                new = await begin(journal, request(1, 2000.0, account=mine))
                assert new.revision > max(revisions)
                with pytest.raises(JournalUnusable, match="newer"):
                    await journal.find("vid_from_the_future")
                got = await journal.lease(
                    api=mine.api, principals=None, worker_id="w", now=store.now, seconds=60, limit=5
                )
                assert [lease.entry.id for lease in got] == ["vid_running"]
            async with store.open() as again:
                assert len((await again.list(mine, limit=50)).entries) == 6

    async def test_a_store_that_a_newer_version_moved_on_is_refused_in_words(self, store: Store) -> None:
        async with store.open():
            pass
        await store.make_newer()
        with pytest.raises(JournalUnusable, match="newer veo-mcp"):
            async with store.open():
                pass


class Trouble:
    async def test_a_journal_that_can_be_written_says_so_and_changes_nothing(self, store: Store) -> None:
        async with store.open() as journal:
            before = await running(journal, 1, store.now)
            await journal.check_writable()
            after = await running(journal, 2, store.now)
            assert after.created_seq == before.revision + 1

    async def test_a_closed_journal_says_so(self, store: Store) -> None:
        async with store.open() as journal:
            pass
        with pytest.raises(JournalUnusable, match="closed"):
            await journal.find("vid_1")
        with pytest.raises(JournalUnusable, match="closed"):
            await journal.check_writable()
