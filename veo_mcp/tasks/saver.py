"""Deals with finished files: measures each, saves those that were to be saved, and joins an extension to its film.

Run by app.py under the supervisor, beside everything else: a task is completed, and announced, before its file is
touched. A lease from the journal sees to it that of several servers one deals with a file. What fails is written down
in words for the person and tried again; nothing here spends, and nothing writes outside the one folder.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from veo_mcp.api.account import Account
from veo_mcp.errors import ApiError, FileTrouble, VeoMcpError
from veo_mcp.journal.entry import CLEAR, Entry, FileNews
from veo_mcp.journal.journal import Journal, Lease
from veo_mcp.mp4 import Measured, is_mp4
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.filenames import video_name
from veo_mcp.tasks.films import Films, NotYet

__all__ = ["Saver"]

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
KEEP_SECONDS = 15.0
"""A lease is made longer this often; three may be missed before another server takes the file."""
IDLE_SECONDS = 1.0
LANES = 2
"""Files that are dealt with at a time: one slow host does not keep the others waiting."""
FIRST_GAP, LONGEST_GAP = 10.0, 3600.0
TRYING_SECONDS = 7 * 86400.0
"""After this long a file that cannot be had is given up; the provider's links live for days, not weeks."""
MOST_MEASURING = 5


class Saver:
    """The loop over finished files.

    Args:
        folder: where videos are saved; None: they are only measured.
        zone: the calendar of the date in a file's name; None: that of this machine.
        crash_at: called at the points where a crash can fall; the crash tests end the process there.
    """

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        films: Films,
        *,
        folder: Path | None,
        worker_id: str,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        zone: tzinfo | None = None,
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._films = films
        self._folder = folder
        self._worker_id = worker_id
        self._clock = clock
        self._sleep = sleep
        self._zone = zone
        self._crash_at = crash_at

    async def run(self) -> None:
        """Deals with files indefinitely. Whatever it raises is the supervisor's to log, and to start this again."""
        if self._folder is not None:
            try:
                await run_sync(save_folder.prepare, self._folder)
            except OSError as error:
                log.warning("Videos cannot be saved: %s It is tried again.", save_folder.trouble(error, self._folder))
        async with anyio.create_task_group() as group:
            for _ in range(LANES):
                group.start_soon(self._lane)

    async def _lane(self) -> None:
        while True:
            try:
                dealt = await self.round()
            except ApiError:
                # No answer has shown yet which API this is; the poller reports that.
                dealt = 0
            if not dealt:
                await self._sleep(IDLE_SECONDS)

    async def round(self) -> int:
        """Deals with one file that is due for each API in use; how many there were. Raises ApiError, JournalError."""
        dealt = 0
        for scope in await self._accounts.scopes():
            leases = await self._journal.lease_files(
                api=scope.api,
                worker_id=self._worker_id,
                now=self._clock(),
                seconds=LEASE_SECONDS,
                limit=1,
                save=self._folder is not None,
            )
            for lease in leases:
                dealt += 1
                await self._deal(lease)
        return dealt

    async def _deal(self, lease: Lease) -> None:
        entry = lease.entry
        self._crash_at("file leased")
        async with self._kept(lease):
            try:
                news = await self._news(entry)
            except NotYet as wait:
                news = FileNews(file_due_at=self._clock() + FIRST_GAP, file_error=wait.explanation)
            except VeoMcpError as error:
                news = self._failed(entry, error.explanation)
            except OSError as error:
                news = self._failed(entry, save_folder.trouble(error, self._folder or Path()))
            self._crash_at("file dealt with")
            await self._journal.record_file(lease, news, now=self._clock())
            self._crash_at("film recorded" if news.film_saved_to else "saving recorded")

    @asynccontextmanager
    async def _kept(self, lease: Lease) -> AsyncGenerator[None]:
        """While this is open the lease lasts; a lease that is lost ends what is done under it."""
        async with anyio.create_task_group() as group:

            async def keep() -> None:
                while True:
                    # Not the sleep of the loop: tests make that one quick, and this one costs a write.
                    await anyio.sleep(KEEP_SECONDS)
                    if not await self._journal.keep_file(lease, now=self._clock(), seconds=LEASE_SECONDS):
                        group.cancel_scope.cancel()

            group.start_soon(keep)
            yield
            group.cancel_scope.cancel()

    async def _news(self, entry: Entry) -> FileNews:
        account = self._accounts.of_entry(entry)
        if account is None:
            raise FileTrouble("No key is at hand for the account that it belongs to.")
        if self._folder is None or not entry.save_wanted:
            return await self._measured(account, entry)
        if entry.saved_to is None:
            return await self._saved(account, entry, self._folder)
        return await self._joined(account, entry, self._folder)

    async def _measured(self, account: Account, entry: Entry) -> FileNews:
        if not entry.video_urls or entry.file_tries >= MOST_MEASURING:
            return FileNews(file_due_at=CLEAR, file_error=CLEAR)
        found = await self._accounts.client(account).measure(entry.video_urls[0])
        return _size(found, FileNews(file_due_at=CLEAR, file_error=CLEAR, file_tries=0))

    async def _saved(self, account: Account, entry: Entry, folder: Path) -> FileNews:
        first: Path | None = None
        for number in range(max(1, len(entry.video_urls))):
            more = str(number + 1) if number else ""
            target = folder / video_name(entry, entry.prompt, suffix=more, zone=self._zone)
            path = await self._one(account, entry, number, target)
            first = first or path
        found = await run_sync(save_folder.whole, first) if first else None
        joined = entry.extends is not None
        return _size(
            found,
            FileNews(
                saved_to=str(first),
                file_error=CLEAR,
                file_due_at=self._clock() if joined else CLEAR,
                file_tries=0,
            ),
        )

    async def _one(self, account: Account, entry: Entry, number: int, target: Path) -> Path:
        if await run_sync(save_folder.whole, target):
            # It was given its name, and the process died before it could say so.
            await anyio.Path(save_folder.hidden(target)).unlink(missing_ok=True)
            return target
        work = save_folder.hidden(target)
        if not await run_sync(save_folder.whole, work):
            begun = False

            def progress(_done: int, _total: int | None) -> None:
                nonlocal begun
                if not begun:
                    begun = True
                    self._crash_at("part begun")

            await self._films.fetch(account, entry, work, number=number, on_progress=progress)
        self._crash_at("part whole")
        if await run_sync(is_mp4, work) and not await run_sync(save_folder.whole, work):
            await anyio.Path(work).unlink(missing_ok=True)
            raise FileTrouble("What the link gave is a damaged video.")
        named = await run_sync(save_folder.place, work, target)
        self._crash_at("file named")
        return named

    async def _joined(self, account: Account, entry: Entry, folder: Path) -> FileNews:
        own = Path(entry.saved_to or "")
        if not await run_sync(save_folder.whole, own):
            raise FileTrouble("Its saved file was moved or changed, so it cannot be joined with what it continues.")
        made = await self._films.make(account, entry, own, folder)
        return FileNews(film_saved_to=str(made), file_error=CLEAR, file_due_at=CLEAR, file_tries=0)

    def _failed(self, entry: Entry, why: str) -> FileNews:
        tries = entry.file_tries + 1
        wanted = self._folder is not None and entry.save_wanted
        if not wanted:
            words = None
        elif entry.saved_to is None:
            words = f"not saved yet. {why}"
        else:
            words = f"not joined with what it continues yet. {why}"
        now = self._clock()
        if now - (entry.ended_at or entry.completed_at or entry.created_at) > TRYING_SECONDS:
            over = f"{words} It is not tried any more; veo-mcp download still can." if words else CLEAR
            return FileNews(file_error=over, file_due_at=CLEAR, file_tries=tries)
        gap = min(LONGEST_GAP, FIRST_GAP * 2 ** min(tries - 1, 10))
        log.info("The file of %s: %s", entry.id, why)
        return FileNews(file_error=words or CLEAR, file_due_at=now + gap, file_tries=tries)


def _size(found: Measured | None, news: FileNews) -> FileNews:
    if found is None or found.seconds <= 0:
        return news
    return replace(news, duration_seconds=found.seconds, width=found.width or None, height=found.height or None)
