"""One film from a video and what it continues: finds the parts, fetches those that are not here, has them joined.

Used by the saver and by `veo-mcp download --film`. Whether a file holds the whole film or only its own seconds is read
by its length, not by its maker. Never spends; the joining itself is veo_mcp/film.py, in a process of its own.
"""

import math
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from veo_mcp import film
from veo_mcp.api.account import Account
from veo_mcp.errors import ApiError, DownloadFailed, FileTrouble, UnknownTask
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.mp4 import Measured
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.context import WHOLE_FILM_SECONDS
from veo_mcp.tasks.filenames import video_name
from veo_mcp.tasks.reader import Reader
from veo_mcp.text import clean, shown_id

__all__ = ["Films", "NotYet"]

JOIN_SECONDS = 1800.0
JOINING = ".joining.mp4"

Progress = Callable[[int, int | None], None]


class NotYet(FileTrouble):
    """A part is about to be saved by this server; the film waits for it."""


@dataclass(slots=True)
class _Part:
    entry: Entry
    file: Path
    measured: Measured | None


class Films:
    """The films of one server.

    Args:
        max_bytes: the largest file that is fetched.
        zone: the calendar of the date in a film's name; None: that of this machine.
        crash_at: called at the points where a crash can fall; the crash tests end the process there.
    """

    def __init__(
        self,
        reader: Reader,
        accounts: Accounts,
        *,
        max_bytes: int,
        zone: tzinfo | None = None,
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._reader = reader
        self._accounts = accounts
        self._max_bytes = max_bytes
        self._zone = zone
        self._crash_at = crash_at

    async def fetch(
        self, account: Account, entry: Entry, path: Path, *, number: int = 0, on_progress: Progress
    ) -> None:
        """Saves the entry's video as `path`; an expired link is fetched again. Raises DownloadFailed, OSError."""
        client = self._accounts.client(account)
        urls = entry.video_urls
        try:
            if number >= len(urls):
                raise DownloadFailed("no link", explanation="The API named no video for it.", code="video_missing")
            await client.download(urls[number], path, on_progress=on_progress, max_bytes=self._max_bytes)
        except DownloadFailed as error:
            if error.http_status not in (401, 403, 404, 410) or entry.upstream_id is None:
                raise
            try:
                reply = await client.get_task(entry.upstream_id)
            except ApiError:
                raise error from None
            fresh = reply.value.video_urls
            if reply.api != entry.api or number >= len(fresh) or fresh[number] == urls[number]:
                raise
            await client.download(fresh[number], path, on_progress=on_progress, max_bytes=self._max_bytes)

    async def make(
        self,
        account: Account,
        entry: Entry,
        own: Path,
        folder: Path,
        *,
        on_progress: Progress = lambda done, total: None,
    ) -> Path:
        """The film that ends with `entry`, whose file is `own`; `own` itself if it holds all of it.

        Raises FileTrouble, NotYet among them, with the part that is missing; OSError.
        """
        parts = await self._parts(account, entry, own, folder, on_progress)
        if len(parts) == 1:
            return own
        self._crash_at("parts gathered")
        # The prompt of the beginning says what the film shows.
        target = folder / video_name(entry, parts[0].entry.prompt, suffix="film", zone=self._zone)
        expected = sum(part.measured.seconds for part in parts if part.measured)
        if await run_sync(self._fits, target, expected):
            named = target
        else:
            named = await self._placed([part.file for part in parts], target, expected)
        for part in parts:
            if part.file.name.startswith("."):
                await anyio.Path(part.file).unlink(missing_ok=True)
        return named

    async def _placed(self, parts: list[Path], target: Path, expected: float) -> Path:
        """Joins the parts; what the film is called then."""
        await run_sync(save_folder.sweep, target, JOINING)
        work = save_folder.hidden(target, f".{secrets.token_hex(4)}{JOINING}")
        try:
            await _joined(parts, work)
            if not await run_sync(self._fits, work, expected):
                raise FileTrouble("What came of joining the parts is not the whole film.")
            self._crash_at("film joined")
            named = await run_sync(save_folder.place, work, target)
        finally:
            await anyio.Path(work).unlink(missing_ok=True)
        self._crash_at("film named")
        return named

    @staticmethod
    def _fits(path: Path, seconds: float) -> bool:
        found = save_folder.whole(path)
        return found is not None and math.isclose(found.seconds, seconds, abs_tol=0.5)

    async def _parts(
        self, account: Account, entry: Entry, own: Path, folder: Path, on_progress: Progress
    ) -> list[_Part]:
        """The files that the film is made of, in order."""
        parts = [_Part(entry, own, await run_sync(save_folder.whole, own))]
        while (first := parts[0]).entry.extends is not None:
            parent = await self._parent(account, first.entry, "It" if first.entry is entry else _named(first.entry))
            if any(part.entry.id == parent.id for part in parts):
                raise FileTrouble("What it continues leads back to itself.")
            if _holds_all(first.measured, parent.duration_seconds):
                break
            work = folder / video_name(entry, "", suffix=f"part{len(parts)}", zone=self._zone)
            file = await self._file(account, parent, work, on_progress)
            measured = await run_sync(save_folder.whole, file)
            if measured is None or first.measured is None:
                bad = parent if measured is None else first.entry
                raise FileTrouble(f"{_named(bad)} is no MP4 video that can be joined.")
            if _holds_all(first.measured, measured.seconds):
                break
            parts.insert(0, _Part(parent, file, measured))
        return parts

    async def _parent(self, account: Account, entry: Entry, name: str) -> Entry:
        missing = f"{name} continues {shown_id(entry.extends or '')}, which"
        try:
            parent = await self._reader.get(account, entry.extends or "")
        except UnknownTask:
            raise FileTrouble(f"{missing} is not known here or to the API.") from None
        except ApiError as error:
            raise FileTrouble(f"{missing} could not be looked up: {clean(error.explanation, 150)}") from None
        if parent.status is not Status.COMPLETED:
            raise FileTrouble(f"{missing} is {parent.status.value}.")
        return parent

    async def _file(self, account: Account, part: Entry, work: Path, on_progress: Progress) -> Path:
        """The part's own file: the saved one, or one that is fetched for the film."""
        if part.saved_to is not None and await run_sync(save_folder.whole, Path(part.saved_to)):
            return Path(part.saved_to)
        if part.save_wanted and part.saved_to is None and part.file_due_at is not None:
            raise NotYet(f"{_named(part)}, which it continues, is not saved yet{_because(part)}.")
        work = save_folder.hidden(work)
        if not await run_sync(save_folder.whole, work):
            try:
                await self.fetch(account, part, work, on_progress=on_progress)
            except ApiError as error:
                raise FileTrouble(f"{_named(part)} could not be fetched: {clean(error.explanation, 150)}") from None
        return work


def _holds_all(own: Measured | None, before: float | None) -> bool:
    return own is not None and before is not None and own.seconds >= before + WHOLE_FILM_SECONDS


def _named(part: Entry) -> str:
    return f"The part {shown_id(part.upstream_id or part.id)} (“{clean(part.prompt, 40)}”)"


def _because(part: Entry) -> str:
    return f" ({clean(part.file_error, 100)})" if part.file_error else ""


async def _joined(parts: list[Path], out: Path) -> None:
    """Runs film.py. Raises FileTrouble with its words."""
    if not film.able():
        raise FileTrouble(film.NO_TOOL)
    # -P: the folder that a host starts servers in must not decide what is imported.
    command = [sys.executable, "-P", "-m", "veo_mcp.film", str(out), *map(str, parts)]
    try:
        with anyio.fail_after(JOIN_SECONDS):
            done = await anyio.run_process(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
            )
    except TimeoutError:
        raise FileTrouble(f"Joining the parts took longer than {JOIN_SECONDS / 60:.0f} minutes.") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        known = done.returncode == 1 and lines
        raise FileTrouble(clean(lines[-1], 200) if known else f"Joining the parts broke off ({done.returncode}).")
