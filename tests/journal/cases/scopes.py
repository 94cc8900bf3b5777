"""Another person's task, and another API's, does not exist: at every question that takes an account."""

import anyio
import pytest

from tests.journal.stores import ANN, BOB, DAY, NO_LIMITS, SANDBOX, Store, leased, request, running, task
from veo_mcp.api.account import Account
from veo_mcp.errors import JournalUnusable, WrongCursor
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.journal import Journal

OTHERS = pytest.mark.parametrize("other", [BOB, SANDBOX], ids=["another person", "another API"])


class Scopes:
    @OTHERS
    async def test_neither_id_finds_what_belongs_to_another_account(self, store: Store, other: Account) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            for task_id in (entry.id, entry.upstream_id or ""):
                assert await journal.get(ANN, task_id) == entry
                assert await journal.get(other, task_id) is None

    @OTHERS
    async def test_lists_hold_what_belongs_to_the_account(self, store: Store, other: Account) -> None:
        async with store.open() as journal:
            mine = {(await running(journal, number, store.now + number)).id for number in range(3)}
            theirs = {(await running(journal, number, store.now + number, account=other)).id for number in range(3)}
            for status in (None, Status.PENDING):
                assert {entry.id for entry in (await journal.list(ANN, status=status)).entries} == mine
                assert {entry.id for entry in (await journal.list(other, status=status)).entries} == theirs

    @OTHERS
    async def test_a_cursor_of_another_account_is_wrong(self, store: Store, other: Account) -> None:
        async with store.open() as journal:
            for number in range(3):
                await running(journal, number, store.now + number)
                await running(journal, number, store.now + number, account=other)
            page = await journal.list(other, limit=1)
            with pytest.raises(WrongCursor):
                await journal.list(ANN, cursor=page.next_cursor)

    async def test_a_rotated_key_is_the_same_account(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            rotated = Account(ANN.api, ANN.principal, BOB.credential)
            assert await journal.get(rotated, entry.id) == entry

    async def test_a_task_of_the_same_person_is_found_at_the_other_api_to_say_where(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now, account=SANDBOX)
            for task_id in (entry.id, entry.upstream_id or ""):
                assert await journal.find_elsewhere(ANN, task_id) == entry
                assert await journal.find_elsewhere(SANDBOX, task_id) is None
                assert await journal.find_elsewhere(BOB, task_id) is None

    async def test_an_own_id_is_found_by_those_who_prove_it(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            assert await journal.find(entry.id) == entry
            assert await journal.find(entry.upstream_id or "") is None

    async def test_a_replayed_confirmation_of_another_account_is_refused_in_words(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            stolen = request(1, store.now, account=BOB, id=entry.id)
            with pytest.raises(JournalUnusable, match="another account"):
                await journal.begin(stolen, now=store.now, limits=NO_LIMITS, repeat_seconds=600)
            assert await journal.find(entry.id) == entry

    async def test_an_id_that_is_known_is_not_adopted_again(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            again = task(9, store.now, upstream_id=entry.upstream_id)
            assert await journal.adopt(ANN, again) == entry
            assert await journal.find(again.id) is None

    async def test_another_persons_id_is_not_adopted(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            theirs = task(9, store.now, account=BOB, upstream_id=entry.upstream_id)
            assert await journal.adopt(BOB, theirs) is None
            assert await journal.find(theirs.id) is None
            assert (await journal.list(BOB)).entries == ()

    async def test_an_id_that_many_adopt_at_once_becomes_one_entry_of_one_person(self, store: Store) -> None:
        found: dict[str, set[str | None]] = {"ann": set(), "bob": set()}
        async with store.open() as one, store.open() as two, anyio.create_task_group() as group:

            async def adopt(journal: Journal, account: Account, number: int) -> None:
                entry = await journal.adopt(account, task(number, store.now, account=account, upstream_id="up"))
                found[account.principal].add(None if entry is None else entry.id)

            for number in range(20):
                group.start_soon(adopt, (one, two)[number % 2], (ANN, BOB)[number // 2 % 2], number)
        # Whoever came first has it, as one entry; for the other person there is no such task.
        assert {None} in found.values()
        assert len(found["ann"] | found["bob"]) == 2

    async def test_the_same_id_at_another_api_is_adopted_there(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            there = task(9, store.now, account=SANDBOX, upstream_id=entry.upstream_id)
            adopted = await journal.adopt(SANDBOX, there)
            assert adopted is not None
            assert (adopted.id, adopted.api) == (there.id, SANDBOX.api)

    async def test_nothing_is_adopted_in_another_accounts_name(self, store: Store) -> None:
        async with store.open() as journal:
            with pytest.raises(ValueError, match="belongs to the account"):
                await journal.adopt(BOB, task(1, store.now))

    async def test_leases_are_of_one_api_and_of_the_persons_whose_keys_are_here(self, store: Store) -> None:
        async with store.open() as journal:
            for account in (ANN, BOB, SANDBOX):
                await running(journal, 1, store.now, account=account)
            await store.move_clock(1)

            async def principals(names: list[str] | None, api: str = ANN.api) -> set[str]:
                got = await leased(journal, store, "w", api=api, principals=names)
                for lease in got:
                    assert lease.entry.api == api
                    await journal.release(lease, next_poll_at=store.now, asked=False)
                return {lease.entry.principal for lease in got}

            assert await principals([]) == set()
            assert await principals(["carol"]) == set()
            assert await principals(["bob"]) == {"bob"}
            assert await principals(["ann", "bob"]) == {"ann", "bob"}
            assert await principals(None) == {"ann", "bob"}
            assert await principals(None, SANDBOX.api) == {"ann"}

    @pytest.mark.parametrize("wait", [0.0, 10 * DAY], ids=["leased by it", "given back by it"])
    async def test_what_a_clock_ahead_left_behind_is_leased_by_its_own_account_alone(
        self, store: Store, wait: float
    ) -> None:
        async with store.open() as journal:
            for account in (ANN, BOB, SANDBOX):
                await running(journal, 1, store.now, account=account)
            if not wait:
                await store.move_clock(1000)
            for api in (ANN.api, SANDBOX.api):
                for lease in await leased(journal, store, "ahead", api=api):
                    await journal.release(lease, next_poll_at=store.now + wait, asked=False)
            if not wait:
                await store.move_clock(-1000)
            assert [lease.entry.principal for lease in await leased(journal, store, "w", principals=["bob"])] == ["bob"]
            assert [lease.entry.principal for lease in await leased(journal, store, "w")] == ["ann"]
            assert [lease.entry.api for lease in await leased(journal, store, "w", api=SANDBOX.api)] == [SANDBOX.api]

    async def test_a_pause_is_of_one_account(self, store: Store) -> None:
        async with store.open() as journal:
            await journal.set_not_before(ANN.api, ANN.principal, store.now + 60)
            assert await journal.not_before(ANN.api, ANN.principal) == store.now + 60
            assert await journal.not_before(BOB.api, BOB.principal) == 0
            assert await journal.not_before(SANDBOX.api, SANDBOX.principal) == 0

    @OTHERS
    async def test_a_quote_is_of_one_account(self, store: Store, other: Account) -> None:
        async with store.open() as journal:
            await journal.quote(other, "same", 40, now=store.now)
            assert not await journal.take_quote(ANN, "same", 40, after=store.now - 1)
            await journal.quote(ANN, "same", 40, now=store.now)
            assert await journal.take_quote(ANN, "same", 40, after=store.now - 1)
            # And taking mine left theirs.
            assert await journal.take_quote(other, "same", 40, after=store.now - 1)

    @OTHERS
    async def test_failures_in_a_row_are_of_one_account(self, store: Store, other: Account) -> None:
        async with store.open() as journal:
            for account in (ANN, other):
                entry = await running(journal, 1, store.now, account=account)
                await journal.record(entry.id, Change(status=Status.FAILED), now=store.now)
            assert await journal.failures_in_a_row(ANN, "fingerprint-1") == 1

    async def test_files_are_of_one_api(self, store: Store) -> None:
        async with store.open() as journal:
            for account in (ANN, SANDBOX):
                entry = await running(journal, 1, store.now, account=account)
                await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
            for api in (ANN.api, SANDBOX.api):
                due = await journal.lease_files(api=api, worker_id="w", now=store.now, seconds=60, limit=9, save=True)
                assert [lease.entry.api for lease in due] == [api]

    async def test_a_feed_of_one_entry_holds_nothing_of_the_others(self, store: Store) -> None:
        async with store.open() as journal:
            first = await running(journal, 1, store.now)
            second = await running(journal, 2, store.now, account=BOB)
            async with journal.changes(second.id) as feed:
                await journal.record(first.id, Change(progress=1.0), now=store.now)
                await journal.record(second.id, Change(progress=2.0), now=store.now)
                assert (await anext(feed)).id == second.id
