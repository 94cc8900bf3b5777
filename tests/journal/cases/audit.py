"""The audit trail, and turns to ask the API: what all processes on a journal share."""

import pytest

from tests.journal.stores import ANN, BOB, DAY, NO_LIMITS, Store, begin, request, running, task
from veo_mcp.journal.entry import Change, Status

__all__ = ["Audit", "Turns"]


class Audit:
    async def test_every_credit_that_moves_is_kept_newest_first(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await running(journal, 1, store.now)
            await journal.record(entry.id, Change(status=Status.PROCESSING, progress=5.0), now=store.now + 1)
            await journal.record(entry.id, Change(status=Status.FAILED, charged="refunded"), now=store.now + 2)
            moved = await journal.movements()
        assert [(move.was, move.charged) for move in moved] == [
            ("yes", "refunded"),
            ("unknown", "yes"),
            (None, "unknown"),
        ]
        assert [move.words for move in moved] == ["refunded", "charged", "reserved"]
        assert [move.moved_at for move in moved] == [store.now + 2, store.now, store.now]
        assert {(move.entry_id, move.api, move.principal, move.credits, move.kind) for move in moved} == {
            (entry.id, ANN.api, "ann", 40, "create")
        }

    async def test_it_is_of_all_accounts_since_a_moment_and_so_many(self, store: Store) -> None:
        async with store.open() as journal:
            await begin(journal, request(1, store.now - DAY))
            await begin(journal, request(2, store.now))
            await begin(journal, request(3, store.now, account=BOB))
            assert [move.principal for move in await journal.movements()] == ["bob", "ann", "ann"]
            assert [move.principal for move in await journal.movements(since=store.now)] == ["bob", "ann"]
            assert [move.principal for move in await journal.movements(limit=1)] == ["bob"]

    async def test_a_repeat_a_refusal_and_an_adopted_task_are_distinguished(self, store: Store) -> None:
        async with store.open() as journal:
            entry = await begin(journal, request(1, store.now))
            again = request(2, store.now, fingerprint=entry.fingerprint)
            assert not (await journal.begin(again, now=store.now, limits=NO_LIMITS, repeat_seconds=600)).fresh
            await journal.record(entry.id, Change(status=Status.REFUSED, charged="no"), now=store.now)
            await journal.adopt(BOB, task(3, store.now, account=BOB))
            assert [(move.principal, move.words) for move in await journal.movements()] == [
                ("bob", "charged"),
                ("ann", "released"),
                ("ann", "reserved"),
            ]

    async def test_what_a_lost_process_sent_is_uncertain_and_no_prompt_is_kept(self, store: Store) -> None:
        async with store.open() as journal:
            await begin(journal, request(1, store.now, prompt="canary", body='{"prompt": "canary"}'))
            await journal.expire_submissions(store.now + 600)
            moved = await journal.movements()
        assert [move.words for move in moved] == ["reserved"], "nobody knows before, and nobody knows now"
        assert "canary" not in repr(moved)

    async def test_what_was_there_before_is_in_it_after_an_upgrade(self, store: Store) -> None:
        await store.make_older(min(store.older_versions))
        async with store.open() as journal:
            moved = {move.entry_id: move for move in await journal.movements()}
        assert (moved["vid_refunded"].charged, moved["vid_refunded"].was) == ("refunded", None)
        assert (moved["vid_sandbox"].api, moved["vid_sandbox"].credits) == ("sandbox:1", 40)


class Turns:
    async def test_turns_lie_apart_whichever_process_takes_them(self, store: Store) -> None:
        async with store.open() as one, store.open() as two:
            waits = [
                await journal.take_turn(ANN.api, ANN.principal, now=store.now, seconds=0.2)
                for journal in (one, two, one, two)
            ]
            assert waits == pytest.approx([0.0, 0.2, 0.4, 0.6], abs=1e-5)
            assert await two.take_turn(BOB.api, BOB.principal, now=store.now, seconds=0.2) == pytest.approx(0.0)

    async def test_turns_that_were_not_taken_do_not_pile_up(self, store: Store) -> None:
        async with store.open() as journal:
            await journal.take_turn(ANN.api, ANN.principal, now=store.now, seconds=0.2)
            await store.move_clock(10)
            for wait in (0.0, 0.2):
                taken = await journal.take_turn(ANN.api, ANN.principal, now=store.now, seconds=0.2)
                assert taken == pytest.approx(wait, abs=1e-5)

    async def test_a_clock_that_was_set_back_keeps_no_caller_waiting(self, store: Store) -> None:
        async with store.open() as journal:
            await journal.take_turn(ANN.api, ANN.principal, now=store.now, seconds=0.2)
            await store.move_clock(-DAY)
            taken = await journal.take_turn(ANN.api, ANN.principal, now=store.now, seconds=0.2)
            assert taken == pytest.approx(0.0, abs=1e-5)
