"""Pictures in a bucket are noted before they are put there, and come up for removal when no task needs them."""

import pytest

from tests.journal.stores import ANN, BOB, SANDBOX, Store, begin, request, running
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.journal import Journal, Upload

LINK_LASTS = 1000.0


def address(name: str) -> str:
    return f"s3://films/{name}.png"


async def over(journal: Journal, store: Store, *, limit: int = 9) -> list[str]:
    """The names of what is to be taken away now, in the order in which it comes."""
    found = await journal.uploads_over(now=store.now, expired=store.now - LINK_LASTS, limit=limit)
    return [upload.address.removeprefix("s3://films/").removesuffix(".png") for upload in found]


async def ended(journal: Journal, store: Store, number: int, *names: str) -> str:
    """An entry that has failed, and the pictures it had."""
    entry = await running(journal, number, store.now)
    await journal.note_uploads(entry.id, [address(name) for name in names], now=store.now)
    await journal.record(entry.id, Change(status=Status.FAILED), now=store.now)
    return entry.id


class Uploads:
    async def test_uploads_noted_before_the_request_is_sent_stay_until_it_has_ended(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now))
            await journal.note_uploads(entry.id, [address("a"), address("b")], now=store.now)
            noted_at = store.now
            assert await over(journal, store) == []
            for status in (Status.PENDING, Status.PROCESSING):
                await journal.record(entry.id, Change(status=status, upstream_id="task-1"), now=store.now)
                await store.move_clock(1)
                assert await over(journal, store) == []
            await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            found = await journal.uploads_over(now=store.now, expired=0, limit=9)
            assert sorted(found, key=lambda upload: upload.address) == [
                Upload(address(name), entry.id, noted_at, 0) for name in ("a", "b")
            ]

    @pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.REFUSED])
    async def test_uploads_are_over_at_once_however_their_entry_ended(self, store: Store, status: Status) -> None:
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now))
            await journal.note_uploads(entry.id, [address("a")], now=store.now)
            await journal.record(entry.id, Change(status=status), now=store.now)
            assert await over(journal, store) == ["a"]

    @pytest.mark.parametrize("status", [Status.SUBMITTING, Status.PENDING, Status.PROCESSING, Status.UNKNOWN])
    async def test_uploads_of_an_entry_that_has_not_ended_stay_as_long_as_their_link(
        self, store: Store, status: Status
    ) -> None:
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now))
            await journal.note_uploads(entry.id, [address("a")], now=store.now)
            if status is not Status.SUBMITTING:
                await journal.record(entry.id, Change(status=status), now=store.now)
            await store.move_clock(LINK_LASTS - 1)
            assert await over(journal, store) == []
            await store.move_clock(1)
            assert await over(journal, store) == ["a"]

    async def test_uploads_of_an_entry_of_a_newer_version_stay_as_long_as_their_link(self, store: Store) -> None:
        """Whether "paused" is an end, this version cannot know."""
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.note_uploads(entry.id, [address("a")], now=store.now)
            await store.write_behind_the_back(entry.id, status="paused")
            assert await over(journal, store) == []
            await store.move_clock(LINK_LASTS)
            assert await over(journal, store) == ["a"]

    async def test_uploads_of_an_entry_that_is_not_there_are_over_at_once(self, store: Store) -> None:
        async with store.open() as journal:
            await journal.note_uploads("vid_nowhere", [address("a")], now=store.now)
            assert await over(journal, store) == ["a"]

    async def test_uploads_of_other_accounts_and_apis_stay_when_one_entry_ends(self, store: Store) -> None:
        async with store.open() as journal:
            for name, account in (("ann", ANN), ("bob", BOB), ("sandbox", SANDBOX)):
                entry = await running(journal, 1, store.now, account=account)
                await journal.note_uploads(entry.id, [address(name)], now=store.now)
            await ended(journal, store, 2, "over")
            assert await over(journal, store) == ["over"]
            for kept in ("over", "ann"):
                await journal.forget_upload(address(kept))
            await store.move_clock(LINK_LASTS)
            assert sorted(await over(journal, store)) == ["bob", "sandbox"]

    async def test_uploads_that_are_postponed_come_later_and_say_how_often(self, store: Store) -> None:
        async with store.open() as journal:
            entry_id = await ended(journal, store, 1, "a", "b")
            noted_at = store.now
            for tries in (1, 2):
                await journal.postpone_upload(address("a"), due_at=store.now + 60)
                assert await over(journal, store) == ["b"]
                await store.move_clock(59)
                assert await over(journal, store) == ["b"]
                await store.move_clock(1)
                found = await journal.uploads_over(now=store.now, expired=0, limit=9)
                assert [upload.tries for upload in found] == [0, tries], "what has waited longest comes first"
                assert found[1] == Upload(address("a"), entry_id, noted_at, tries)

    async def test_uploads_that_are_postponed_wait_also_when_their_link_has_ended(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.note_uploads(entry.id, [address("a")], now=store.now)
            await store.move_clock(LINK_LASTS)
            await journal.postpone_upload(address("a"), due_at=store.now + 60)
            assert await over(journal, store) == []
            await store.move_clock(60)
            assert await over(journal, store) == ["a"]

    async def test_uploads_that_are_forgotten_never_come_again(self, store: Store) -> None:
        async with store.open() as journal:
            await ended(journal, store, 1, "a", "b")
            await journal.forget_upload(address("a"))
            assert await over(journal, store) == ["b"]
            # As by another server that was about to try the same one.
            await journal.postpone_upload(address("a"), due_at=store.now)
            await journal.forget_upload(address("a"))
            await store.move_clock(10 * LINK_LASTS)
            assert await over(journal, store) == ["b"]

    async def test_no_more_uploads_come_than_asked_for_and_each_comes_in_its_turn(self, store: Store) -> None:
        async with store.open() as journal:
            for number, name in enumerate("abcde"):
                await ended(journal, store, number, name)
                await store.move_clock(1)
            assert await over(journal, store, limit=2) == ["a", "b"]
            # What cannot be taken away does not keep the others waiting.
            for name in "ab":
                await journal.postpone_upload(address(name), due_at=store.now + 60)
            assert await over(journal, store, limit=2) == ["c", "d"]
            for name in "cd":
                await journal.forget_upload(address(name))
            assert await over(journal, store, limit=2) == ["e"]

    async def test_uploads_survive_reopening_and_every_server_sees_them(self, store: Store) -> None:
        async with store.open() as journal:
            entry_id = await ended(journal, store, 1, "a", "b", "c")
            await journal.postpone_upload(address("b"), due_at=store.now + 60)
            await journal.forget_upload(address("c"))
        noted_at = store.now
        async with store.open() as one, store.open() as two:
            assert await over(one, store) == await over(two, store) == ["a"]
            await one.forget_upload(address("a"))
            assert await over(two, store) == []
            await store.move_clock(60)
            found = await two.uploads_over(now=store.now, expired=0, limit=9)
            assert list(found) == [Upload(address("b"), entry_id, noted_at, 1)]

    async def test_uploads_that_are_noted_twice_stay_as_they_were(self, store: Store) -> None:
        async with store.open() as journal:
            entry_id = await ended(journal, store, 1, "a")
            noted_at = store.now
            await journal.postpone_upload(address("a"), due_at=store.now)
            await store.move_clock(5)
            await journal.note_uploads("vid_other", [address("a"), address("b")], now=store.now)
            assert list(await journal.uploads_over(now=store.now, expired=0, limit=9)) == [
                Upload(address("a"), entry_id, noted_at, 1),
                Upload(address("b"), "vid_other", store.now, 0),
            ]

    async def test_no_uploads_are_no_trouble(self, store: Store) -> None:
        async with store.open() as journal:
            await journal.note_uploads("vid_1", [], now=store.now)
            assert await over(journal, store) == []

    async def test_a_yes_to_uploads_is_kept_under_its_name_and_no_other(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            assert await one.value("pictures:a") is None
            assert await one.get_or_set("pictures:a", "yes") == "yes"
            assert await two.get_or_set("pictures:a", "no") == "yes"
            assert await two.value("pictures:a") == "yes"
            for other in ("pictures:b", "pictures:", "PICTURES:A", ""):
                assert await two.value(other) is None
        async with store.open() as again:
            assert await again.value("pictures:a") == "yes"
