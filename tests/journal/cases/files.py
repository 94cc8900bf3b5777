"""One worker at a time deals with a finished file, for as long as it says that it still does."""

from tests.journal.stores import ANN, Store, running
from veo_mcp.journal.entry import Change, FileNews, Status
from veo_mcp.journal.journal import Journal, Lease


async def finished(journal: Journal, store: Store, number: int) -> str:
    entry = await running(journal, number, store.now)
    await journal.record(entry.id, Change(status=Status.COMPLETED), now=store.now)
    return entry.id


async def taken(journal: Journal, store: Store, worker: str, *, save: bool = True) -> list[Lease]:
    return list(await journal.lease_files(api=ANN.api, worker_id=worker, now=store.now, seconds=60, limit=9, save=save))


class Files:
    async def test_a_file_whose_lease_is_kept_goes_to_no_other_worker(self, store: Store) -> None:
        async with store.open() as journal:
            await finished(journal, store, 1)
            (held,) = await taken(journal, store, "a")
            for _ in range(3):
                await store.move_clock(40)
                assert await journal.keep_file(held, now=store.now, seconds=60)
                assert await taken(journal, store, "b") == []
            await store.move_clock(61)
            (other,) = await taken(journal, store, "b")
            assert not await journal.keep_file(held, now=store.now, seconds=60)
            assert await journal.record_file(held, FileNews(saved_to="/a"), now=store.now) is None
            assert await journal.record_file(other, FileNews(saved_to="/b"), now=store.now)

    async def test_a_file_that_is_given_back_cannot_be_kept(self, store: Store) -> None:
        async with store.open() as journal:
            await finished(journal, store, 1)
            (held,) = await taken(journal, store, "a")
            await journal.release_all("a")
            assert not await journal.keep_file(held, now=store.now, seconds=60)

    async def test_what_is_to_be_saved_waits_for_a_server_that_saves(self, store: Store) -> None:
        async with store.open() as journal:
            plain = await finished(journal, store, 1)
            wanted = await finished(journal, store, 2)
            await store.write_behind_the_back(wanted, save_wanted=1)
            assert [lease.entry.id for lease in await taken(journal, store, "a", save=False)] == [plain]
            assert [lease.entry.id for lease in await taken(journal, store, "b", save=True)] == [wanted]
