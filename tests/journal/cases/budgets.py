"""What counts as spent, by whom and since when; limits that parallel calls cannot pass together."""

from contextlib import AsyncExitStack

import anyio
import pytest

from tests.journal.stores import ANN, BOB, DAY, NO_LIMITS, SANDBOX, Store, begin, request, running, task
from veo_mcp.api.account import Account
from veo_mcp.errors import SpendLimit
from veo_mcp.journal.entry import Change, Charged, Status
from veo_mcp.journal.journal import Journal, Limits


async def begins(store: Store, limits: Limits, accounts: list[Account], number: int) -> tuple[int, int]:
    """How many of so many parallel requests were let through and refused, over five openings of the store."""
    let_through = refused = 0
    async with AsyncExitStack() as stack:
        journals = [await stack.enter_async_context(store.open()) for _ in range(5)]

        async def one(at: int) -> None:
            nonlocal let_through, refused
            entry = request(at, store.now, account=accounts[at % len(accounts)])
            try:
                begun = await journals[at % 5].begin(entry, now=store.now, limits=limits, repeat_seconds=600)
            except SpendLimit:
                refused += 1
            else:
                assert begun.fresh
                let_through += 1

        async with anyio.create_task_group() as calls:
            for at in range(number):
                calls.start_soon(one, at)
    return let_through, refused


async def total_and_own(journal: Journal, account: Account, now: float) -> tuple[int, int]:
    spent = await journal.spent(account, now=now)
    return spent.total, spent.own


class Budgets:
    async def test_100_parallel_requests_never_pass_the_total_together(self, store: Store) -> None:
        assert await begins(store, Limits(total=1000), [ANN, BOB], 100) == (25, 75)
        async with store.open() as journal:
            assert (await journal.spent(ANN, now=store.now)).total == 1000

    async def test_100_parallel_requests_never_pass_what_each_may(self, store: Store) -> None:
        assert await begins(store, Limits(each=400), [ANN, BOB], 100) == (20, 80)
        async with store.open() as journal:
            assert await total_and_own(journal, ANN, store.now) == (800, 400)
            assert await total_and_own(journal, BOB, store.now) == (800, 400)

    async def test_one_request_sent_100_times_at_once_is_one(self, store: Store) -> None:
        fresh = list[bool]()
        async with store.open() as one, store.open() as two, anyio.create_task_group() as group:

            async def call(at: int) -> None:
                entry = request(1, store.now, id=f"vid_{at}")
                journal = (one, two)[at % 2]
                fresh.append((await journal.begin(entry, now=store.now, limits=NO_LIMITS, repeat_seconds=0)).fresh)

            for at in range(100):
                group.start_soon(call, at)
        assert sorted(fresh) == [False] * 99 + [True]

    async def test_a_sandbox_spends_nothing_of_the_real_api(self, store: Store) -> None:
        async with store.open() as journal:
            for number in range(20):
                await begin(journal, request(number, store.now, account=SANDBOX))
            entry = request(99, store.now)
            begun = await journal.begin(entry, now=store.now, limits=Limits(total=40, each=40), repeat_seconds=0)
            assert begun.fresh
            assert await total_and_own(journal, ANN, store.now) == (40, 40)
            assert await total_and_own(journal, SANDBOX, store.now) == (800, 800)

    async def test_another_person_spends_of_the_total_and_nothing_of_mine(self, store: Store) -> None:
        async with store.open() as journal:
            for number in range(3):
                await begin(journal, request(number, store.now, account=BOB))
            limits = Limits(total=160, each=40)
            assert (await journal.begin(request(9, store.now), now=store.now, limits=limits, repeat_seconds=0)).fresh
            assert await total_and_own(journal, ANN, store.now) == (160, 40)
            one_more = request(10, store.now)
            with pytest.raises(SpendLimit) as total:
                await journal.begin(one_more, now=store.now, limits=Limits(total=160), repeat_seconds=0)
            assert (total.value.spent, total.value.limit, total.value.price) == (160, 160, 40)
            with pytest.raises(SpendLimit) as each:
                await journal.begin(one_more, now=store.now, limits=Limits(each=40), repeat_seconds=0)
            assert (each.value.spent, each.value.limit) == (40, 40)

    @pytest.mark.parametrize(("charged", "counts"), [("yes", 40), ("unknown", 40), ("no", 0), ("refunded", 0)])
    async def test_what_was_or_may_have_been_spent_counts(self, store: Store, charged: Charged, counts: int) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.record(entry.id, Change(charged=charged), now=store.now)
            assert await total_and_own(journal, ANN, store.now) == (counts, counts)

    async def test_a_refund_makes_room_and_a_proof_takes_it(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.record(entry.id, Change(charged="refunded"), now=store.now)
            assert await total_and_own(journal, ANN, store.now) == (0, 0)
            await journal.record(entry.id, Change(charged="yes"), now=store.now)
            assert await total_and_own(journal, ANN, store.now) == (40, 40)
            await journal.record(entry.id, Change(status=Status.FAILED, charged="refunded"), now=store.now)
            spent = await journal.spent(ANN, now=store.now)
            assert (spent.total, spent.own, spent.oldest_at, spent.oldest_credits) == (0, 0, None, 0)

    async def test_adopted_tasks_count_from_when_they_were_made(self, store: Store) -> None:
        async with store.open() as journal:
            await journal.adopt(ANN, task(1, store.now - DAY - 1))
            await journal.adopt(ANN, task(2, store.now - DAY + 1))
            assert await total_and_own(journal, ANN, store.now) == (40, 40)

    async def test_24_hours_are_counted_to_the_second(self, store: Store) -> None:
        """However the store adds up: each edge is one entry at a time that falls out."""
        async with store.open() as journal:
            ages = [0.0, 0.5, 59.0, 61.0, 1799.5, 3599.0, 3600.0, 7300.25, DAY - 3601, DAY - 61, DAY - 30, DAY - 0.5]
            for number, age in enumerate(ages):
                for account in (ANN, BOB, SANDBOX):
                    await begin(journal, request(number, store.now - age, account=account, credits=2**number))
            for ahead in (
                0.0,
                0.4,
                0.6,
                29.0,
                31.0,
                62.0,
                3590.0,
                3602.0,
                40000.0,
                DAY - 7300,
                DAY - 3600,
                DAY - 1,
                DAY,
            ):
                now = store.now + ahead
                own = sum(2**number for number, age in enumerate(ages) if store.now - age > now - DAY)
                assert await total_and_own(journal, ANN, now) == (2 * own, own), ahead
                assert await total_and_own(journal, SANDBOX, now) == (own, own), ahead

    async def test_it_is_said_when_the_oldest_credits_count_no_more(self, store: Store) -> None:
        async with store.open() as journal:
            assert (await journal.spent(ANN, now=store.now)).oldest_at is None
            await begin(journal, request(1, store.now - DAY - 5))
            await begin(journal, request(2, store.now - 7000, account=BOB))
            await begin(journal, request(6, store.now - 7000, account=SANDBOX))
            for number, age in ((3, 5000), (4, 5000), (5, 10)):
                await begin(journal, request(number, store.now - age))
            spent = await journal.spent(ANN, now=store.now)
            assert (spent.oldest_at, spent.oldest_credits) == (store.now - 5000, 80)

    async def test_a_refusal_says_when_the_limit_covers_it_again(self, store: Store) -> None:
        async with store.open() as journal:
            for number, age in ((1, 5000), (2, 3000), (3, 1000)):
                await begin(journal, request(number, store.now - age))
            await begin(journal, request(4, store.now - 6000, account=BOB, credits=7))
            await begin(journal, request(5, store.now - 7000, account=SANDBOX))

            async def refused(price: int, limits: Limits) -> float | None:
                entry = request(9, store.now, credits=price)
                with pytest.raises(SpendLimit) as refusal:
                    await journal.begin(entry, now=store.now, limits=limits, repeat_seconds=0)
                with pytest.raises(SpendLimit) as check:
                    await journal.check_limits(ANN, price, limits=limits, now=store.now)
                assert vars(check.value) == vars(refusal.value), "asked before, it is the same refusal"
                return refusal.value.more_at

            assert await refused(40, Limits(each=120)) == store.now - 5000 + DAY
            assert await refused(80, Limits(total=127)) == store.now - 3000 + DAY
            assert await refused(128, Limits(total=127)) is None
            # The others' credits make room under the limit for all, and none under one's own.
            assert await refused(5, Limits(total=127)) == store.now - 6000 + DAY
            assert await refused(45, Limits(each=120)) == store.now - 3000 + DAY
            # Of two limits, the one that holds it up longer.
            assert await refused(40, Limits(total=127, each=60)) == store.now - 1000 + DAY
            at = await refused(40, Limits(each=120))
            assert at is not None
            await journal.check_limits(ANN, 40, limits=Limits(each=120), now=at)
            begun = await journal.begin(request(9, at), now=at, limits=Limits(each=120), repeat_seconds=0)
            assert begun.fresh

    async def test_a_clock_that_was_ahead_hides_nothing_that_was_spent(self, store: Store) -> None:
        async with store.open() as journal:
            await begin(journal, request(1, store.now + 10 * DAY))
            assert await total_and_own(journal, ANN, store.now) == (40, 40)
