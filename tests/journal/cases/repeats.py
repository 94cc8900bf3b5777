"""A call that is repeated is not paid for twice; one that is meant to be paid again is."""

import pytest

from tests.journal.stores import ANN, BOB, NO_LIMITS, SANDBOX, Store, begin, request, running
from veo_mcp.api.account import Account
from veo_mcp.journal.entry import Change, Charged, Entry, Status
from veo_mcp.journal.journal import Journal, Limits

REPEAT = 600.0


async def again(
    journal: Journal, now: float, *, account: Account = ANN, repeat_seconds: float = REPEAT, **fields: object
) -> Entry | None:
    """The same request again: the entry that answers it, or None where it is sent. `find_repeat` says the same."""
    entry = request(1, now, account=account, **{"id": f"vid_again_{account.principal}_{account.api[:4]}", **fields})
    found = await journal.find_repeat(
        account, entry.fingerprint, repeat_of=entry.repeat_of, now=now, repeat_seconds=repeat_seconds
    )
    begun = await journal.begin(entry, now=now, limits=NO_LIMITS, repeat_seconds=repeat_seconds)
    assert found == (None if begun.fresh else begun.entry)
    return found


class Repeats:
    @pytest.mark.parametrize("status", [Status.SUBMITTING, Status.UNKNOWN])
    @pytest.mark.parametrize("age", [1.0, REPEAT + 1, 400 * 86400.0])
    async def test_an_unsettled_request_blocks_without_time_limit(
        self, store: Store, status: Status, age: float
    ) -> None:
        async with store.open() as journal:
            first = await begin(journal, request(1, store.now))
            if status is Status.UNKNOWN:
                await journal.record(first.id, Change(status=status, charged="unknown"), now=store.now)
            found = await again(journal, store.now + age, repeat_seconds=0)
            assert found is not None
            assert (found.id, found.status) == (first.id, status)

    @pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.COMPLETED, Status.FAILED])
    async def test_an_accepted_request_blocks_for_a_while(self, store: Store, status: Status) -> None:
        async with store.open() as journal:
            first = await begin(journal, request(1, store.now))
            await journal.record(first.id, Change(status=status, charged="yes"), now=store.now)
            found = await again(journal, store.now + REPEAT - 1)
            assert found is not None
            assert found.id == first.id
            assert await again(journal, store.now + REPEAT + 1) is None

    @pytest.mark.parametrize(
        ("status", "charged"),
        [(Status.REFUSED, "no"), (Status.REFUSED, "refunded"), (Status.FAILED, "refunded"), (Status.FAILED, "no")],
    )
    async def test_what_cost_nothing_does_not_block(self, store: Store, status: Status, charged: Charged) -> None:
        async with store.open() as journal:
            first = await begin(journal, request(1, store.now))
            change = Change(status=status, charged=charged)
            await journal.record(first.id, change, now=store.now)
            assert await again(journal, store.now + 1) is None

    async def test_without_a_time_an_accepted_request_does_not_block(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
            assert await again(journal, store.now + 1, repeat_seconds=0) is None

    async def test_another_request_is_another_one(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
            assert await again(journal, store.now + 1, fingerprint="other seeds") is None

    async def test_a_task_that_was_made_elsewhere_repeats_nothing(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now, fingerprint="")
            assert await again(journal, store.now + 1, fingerprint="") is None

    @pytest.mark.parametrize("other", [BOB, SANDBOX])
    async def test_what_another_account_asked_for_does_not_block(self, store: Store, other: Account) -> None:
        async with store.open() as journal:
            await begin(journal, request(1, store.now))
            await running(journal, 2, store.now, fingerprint="fingerprint-2")
            assert await again(journal, store.now + 1, account=other) is None
            assert await again(journal, store.now + 1, account=other, id="vid_o", fingerprint="fingerprint-2") is None

    async def test_one_more_on_purpose_is_paid_and_repeated_blindly_is_not(self, store: Store) -> None:
        async with store.open() as journal:
            first = await running(journal, 1, store.now)
            second = request(1, store.now + 5, id="vid_second", repeat_of=first.id)
            assert (await journal.begin(second, now=store.now + 5, limits=NO_LIMITS, repeat_seconds=REPEAT)).fresh
            # The host gave up on that one too, and sends it again.
            found = await again(journal, store.now + 10, repeat_of=first.id)
            assert found is not None
            assert found.id == "vid_second"
            # Another one of the second is one more; and the plain request is answered, not paid for.
            third = request(1, store.now + 15, id="vid_third", repeat_of="vid_second")
            assert (await journal.begin(third, now=store.now + 15, limits=NO_LIMITS, repeat_seconds=REPEAT)).fresh
            assert await again(journal, store.now + 20) is not None

    async def test_it_is_looked_for_before_the_limits(self, store: Store) -> None:
        async with store.open() as journal:
            first = await running(journal, 1, store.now)
            entry = request(1, store.now, id="vid_again")
            none_left = Limits(total=0, each=0)
            begun = await journal.begin(entry, now=store.now, limits=none_left, repeat_seconds=REPEAT)
            assert (begun.fresh, begun.entry.id) == (False, first.id)

    async def test_a_confirmation_that_is_replayed_gets_its_own_entry_whatever_became_of_it(self, store: Store) -> None:
        async with store.open() as journal:
            first = await begin(journal, request(1, store.now))
            await journal.record(first.id, Change(status=Status.FAILED, charged="refunded"), now=store.now)
            late = request(1, store.now + 9000, id=first.id, repeat_of="vid_x")
            begun = await journal.begin(late, now=store.now + 9000, limits=NO_LIMITS, repeat_seconds=0)
            assert (begun.fresh, begun.entry.id, begun.entry.status) == (False, first.id, Status.FAILED)

    async def test_a_clock_that_was_set_back_does_not_open_the_door(self, store: Store) -> None:
        async with store.open() as journal:
            first = await running(journal, 1, store.now)
            found = await again(journal, store.now - 3600)
            assert found is not None
            assert found.id == first.id
