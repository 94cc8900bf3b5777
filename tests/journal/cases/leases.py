"""One worker at a time asks about a task, whatever clocks do; a late answer of a lost lease does not count."""

import anyio
import pytest

from tests.journal.stores import ANN, BOB, SANDBOX, Store, begin, leased, request, running, task
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.journal import Journal, Lease


async def only(store: Store, journal: Journal, worker: str) -> Lease:
    (lease,) = await leased(journal, store, worker)
    return lease


class Leases:
    @pytest.mark.parametrize("principals", [None, ["ann"]])
    async def test_two_workers_share_what_is_due_and_get_nothing_twice(
        self, store: Store, principals: list[str] | None
    ) -> None:
        got = list[str]()
        async with store.open() as one, store.open() as two:
            for number in range(40):
                await running(one, number, store.now)
            await store.move_clock(1)

            async def work(journal: Journal, worker: str) -> None:
                while len(got) < 100 and (
                    leases := await leased(journal, store, worker, limit=3, principals=principals)
                ):
                    got.extend(lease.entry.id for lease in leases)

            async with anyio.create_task_group() as group:
                group.start_soon(work, one, "a")
                group.start_soon(work, two, "b")
        assert len(got) == len(set(got)) == 40

    async def test_what_is_not_due_is_left(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.record(entry.id, Change(progress=1.0, next_poll_at=store.now + 30), now=store.now)
            await store.move_clock(29)
            assert await leased(journal, store, "w") == []
            await store.move_clock(2)
            assert len(await leased(journal, store, "w")) == 1

    async def test_the_most_overdue_come_first(self, store: Store) -> None:
        async with store.open() as journal:
            for number, due in ((1, 3.0), (2, 1.0), (3, 2.0)):
                account = (ANN, BOB)[number % 2]
                await journal.adopt(account, task(number, store.now, account=account, next_poll_at=store.now + due))
            await store.move_clock(10)
            for principals in (None, ["ann", "bob"]):
                got = await leased(journal, store, "w", limit=2, principals=principals)
                assert [lease.entry.id[-1] for lease in got] == ["2", "3"]
                for lease in got:
                    await journal.release(lease, next_poll_at=lease.entry.next_poll_at, asked=False)

    async def test_only_what_the_api_knows_and_has_not_ended_is_asked_about(self, store: Store) -> None:
        async with store.open() as journal:
            await begin(journal, request(1, store.now))
            lost = await begin(journal, request(2, store.now))
            await journal.record(lost.id, Change(status=Status.UNKNOWN), now=store.now)
            nameless = await begin(journal, request(3, store.now))
            await journal.record(nameless.id, Change(status=Status.PENDING), now=store.now)
            for number, end in ((4, Status.COMPLETED), (5, Status.FAILED)):
                entry = await running(journal, number, store.now)
                await journal.record(entry.id, Change(status=end), now=store.now)
            await store.move_clock(1)
            assert await leased(journal, store, "w") == []

    async def test_a_look_counts_unless_it_failed(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            for asked, polls in ((True, 1), (False, 1), (True, 2)):
                await store.move_clock(1)
                await journal.release(await only(store, journal, "w"), next_poll_at=store.now, asked=asked)
                found = await journal.find(entry.id)
                assert found is not None
                assert found.polls == polls

    async def test_a_released_lease_is_due_when_it_was_said(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            await running(one, 1, store.now)
            await store.move_clock(1)
            await one.release(await only(store, one, "a"), next_poll_at=store.now + 10, asked=True)
            await store.move_clock(9)
            assert await leased(two, store, "b") == []
            await store.move_clock(2)
            assert len(await leased(two, store, "b")) == 1

    async def test_a_lease_runs_out_when_its_worker_died(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            await running(one, 1, store.now)
            await store.move_clock(1)
            first = await only(store, one, "a")
            await store.move_clock(59)
            assert await leased(two, store, "b") == []
            await store.move_clock(2)
            second = await only(store, two, "b")
            assert second.fence > first.fence

    async def test_a_late_answer_of_a_lost_lease_is_not_recorded(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            entry = await running(one, 1, store.now)
            await store.move_clock(1)
            lost = await only(store, one, "a")
            await store.move_clock(61)
            held = await only(store, two, "b")
            late = Change(status=Status.FAILED, error_message="late")
            assert await one.record_leased(lost, late, now=store.now) is None
            await one.release(lost, next_poll_at=store.now, asked=True)
            assert await leased(one, store, "c") == []  # the late release gave nothing back
            now_known = Change(status=Status.COMPLETED)
            settled = await two.record_leased(held, now_known, now=store.now)
            assert settled is not None
            assert (await one.find(entry.id)) == settled

    async def test_an_answer_after_the_release_is_not_recorded(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await store.move_clock(1)
            lease = await only(store, journal, "w")
            await journal.release(lease, next_poll_at=store.now + 10, asked=True)
            assert await journal.record_leased(lease, Change(progress=1.0), now=store.now) is None
            assert (await journal.find(entry.id)) is not None

    async def test_an_answer_counts_after_a_clock_jump_if_no_other_worker_took_over(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
            await store.move_clock(1)
            lease = await only(store, journal, "w")
            await store.move_clock(3600)
            assert await journal.record_leased(lease, Change(progress=1.0), now=store.now) is not None

    async def test_a_worker_that_ends_gives_everything_back_at_once(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            for number in range(4):
                await running(one, number, store.now)
            await store.move_clock(1)
            mine = await leased(one, store, "a", limit=3)
            (theirs,) = await leased(two, store, "b")
            await one.release_all("a")
            again = await leased(two, store, "b")
            assert {lease.entry.id for lease in again} == {lease.entry.id for lease in mine}
            assert theirs.entry.id not in {lease.entry.id for lease in again}
            assert await one.record_leased(mine[0], Change(progress=1.0), now=store.now) is None

    @pytest.mark.parametrize("jump", [-86400.0, -3600.0, -60.0, 60.0, 3600.0, 86400.0])
    async def test_a_clock_that_jumps_does_not_stop_the_asking(self, store: Store, jump: float) -> None:
        """Back and forth, over a task that waits, one that was never asked about, and one that is leased."""
        async with store.open() as one, store.open() as two:
            await running(one, 1, store.now)
            await store.move_clock(1)
            await one.release(await only(store, one, "a"), next_poll_at=store.now + 10, asked=True)
            await one.adopt(ANN, task(2, store.now, next_poll_at=store.now + 10))
            await one.adopt(ANN, task(3, store.now))
            held = await only(store, one, "a")
            assert held.entry.id.endswith("3")

            async def asked(journal: Journal, worker: str) -> set[str]:
                """What the worker gets within 70 s."""
                got = set[str]()
                for _ in range(7):
                    await store.move_clock(10)
                    got |= {lease.entry.id for lease in await leased(journal, store, worker)}
                return got

            await store.move_clock(jump)
            assert await leased(two, store, "b", api=SANDBOX.api) == []
            assert len(await asked(two, "b")) == 3
            await store.move_clock(-jump)
            assert len(await asked(one, "a")) == 3

    async def test_a_clock_that_was_ahead_for_the_time_of_one_look_does_not_stop_the_asking(self, store: Store) -> None:
        async with store.open() as journal:
            await running(journal, 1, store.now)
            await store.move_clock(1)
            lease = await only(store, journal, "w")
            await store.move_clock(86400)
            await journal.release(lease, next_poll_at=store.now + 10, asked=True)
            await store.move_clock(-86400 + 20)
            assert await leased(journal, store, "w", principals=["bob"]) == []
            assert await leased(journal, store, "w", api=SANDBOX.api) == []
            assert len(await leased(journal, store, "w", principals=["ann"])) == 1
            assert await leased(journal, store, "other") == []

    async def test_a_wait_that_a_clock_ahead_noted_ends_when_it_is_set_right(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await store.move_clock(3600)
            await journal.record(entry.id, Change(progress=1.0, next_poll_at=store.now + 10), now=store.now)
            await store.move_clock(-3600 + 20)
            assert len(await leased(journal, store, "w")) == 1

    async def test_clocks_a_little_apart_take_nothing_from_each_other(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            await running(one, 1, store.now)
            await store.move_clock(3)
            await only(store, one, "a")
            await store.move_clock(-2)
            assert await leased(two, store, "b") == []

    async def test_a_waiting_caller_makes_it_due_sooner_and_never_later(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.record(entry.id, Change(progress=1.0, next_poll_at=store.now + 300), now=store.now)
            await journal.poll_no_later_than(entry.id, store.now + 10)
            await journal.poll_no_later_than(entry.id, store.now + 100)
            await journal.poll_no_later_than("vid_nowhere", store.now)
            await store.move_clock(11)
            assert len(await leased(journal, store, "w")) == 1

    async def test_a_send_whose_process_died_becomes_unknown_after_its_deadline(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            entry = await begin(one, request(1, store.now))
            assert await two.expire_submissions(store.now + 44) == []
            (lost,) = await two.expire_submissions(store.now + 46)
            assert (lost.id, lost.status, lost.charged) == (entry.id, Status.UNKNOWN, "unknown")
            assert lost.error_code == "sender_lost"
            assert await one.expire_submissions(store.now + 47) == []
            # It lives after all: what it learned counts, and nothing is said to be lost any more.
            answer = Change(status=Status.PENDING, upstream_id="up", charged="yes")
            found = await one.record(entry.id, answer, now=store.now + 48)
            assert found is not None
            assert (found.status, found.error_code) == (Status.PENDING, None)

    async def test_a_deadline_of_a_clock_that_was_ahead_does_not_keep_it_submitting(self, store: Store) -> None:
        async with store.open() as journal:
            await begin(journal, request(1, store.now + 86400))
            (lost,) = await journal.expire_submissions(store.now)
            assert lost.status is Status.UNKNOWN

    async def test_a_pause_holds_for_every_process_until_it_is_ended(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            assert await two.not_before(ANN.api, ANN.principal) == 0
            await one.set_not_before(ANN.api, ANN.principal, store.now + 60)
            assert await two.not_before(ANN.api, ANN.principal) == store.now + 60
            await two.set_not_before(ANN.api, ANN.principal, store.now + 90)
            assert await one.not_before(ANN.api, ANN.principal) == store.now + 90
            await one.set_not_before(ANN.api, ANN.principal, 0)
            assert await two.not_before(ANN.api, ANN.principal) == 0
        async with store.open() as later:
            assert await later.not_before(ANN.api, ANN.principal) == 0

    async def test_a_named_value_is_the_first_that_was_set(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            got = list[str]()

            async def ask(journal: Journal, value: str) -> None:
                got.append(await journal.get_or_set("secret", value))

            async with anyio.create_task_group() as group:
                for number in range(10):
                    group.start_soon(ask, (one, two)[number % 2], f"value-{number}")
            assert len(set(got)) == 1
            assert await one.get_or_set("secret", "late") == got[0]
