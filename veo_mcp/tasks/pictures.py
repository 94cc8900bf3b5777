"""Pictures from the person's disk: found and cleaned when a request is planned, uploaded as the last step before it is
sent, taken away when its task ends.

Called by create_video through server/confirm.py, by submit.py, and run by app.py under the supervisor. In a plan and
in the journal a picture stands as `picture:sha256:…`, so that a repeated call with the same picture is recognised.
Nothing is uploaded for a request that is refused before it is sent, nor under a name that is not written down.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import anyio
from anyio.to_thread import run_sync

from veo_mcp.api.account import Account
from veo_mcp.api.models import GenerationRequest
from veo_mcp.bucket import LINK_SECONDS, BucketTrouble
from veo_mcp.errors import NotSent, RuleViolation
from veo_mcp.journal.journal import Journal, Upload
from veo_mcp.picture import MARK, Picture, Place, Stamp, Unusable, find, names_file, read
from veo_mcp.text import clean

__all__ = ["Given", "Pictures", "Uploads", "unlinked"]

log = logging.getLogger(__name__)

UPLOAD_SECONDS = 20.0
"""Of the 45 s that a create may take; what is left is for the create itself."""
LOOK_SECONDS = 5.0
MOST_AT_ONCE = 20
MOST_SEEN = 3
"""As many as a call may have, of at most 10 MB each."""
FIRST_GAP, LONGEST_GAP = 60.0, 3600.0
TRYING_SECONDS = 7 * 86400.0
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png"}


class Uploads(Protocol):
    """Where pictures are handed over; bucket.py. Both block, and raise BucketTrouble."""

    @property
    def address(self) -> str:
        """Below which all of them lie."""
        ...

    def put(self, address: str, data: bytes, kind: str) -> str:
        """Puts a picture there; a link that opens it for 24 h."""
        ...

    def delete(self, address: str) -> None:
        """Takes it away; one that is not there is no trouble."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """The images of one request: links as they came, and for each picture from the disk what stands for it.

    Attributes:
        pictures: what each of these stands for.
    """

    image_urls: tuple[str, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict[str, Picture])


class Pictures:
    """The pictures of one server.

    Args:
        folders: below which files may be named (VEO_IMAGE_DIRS).
        uploads: where they are handed over (VEO_UPLOADS); None: nowhere.
        trouble: why neither can be used although both are set, or None.
        new_name: makes an unguessable name.
        crash_at: called at the points where a crash can fall; the crash tests end the process there.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        folders: Sequence[Path] = (),
        uploads: Uploads | None = None,
        trouble: str | None = None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        new_name: Callable[[], str],
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._journal = journal
        self._folders = folders
        self._uploads = uploads
        self._trouble = trouble
        self._clock = clock
        self._sleep = sleep
        self._new_name = new_name
        self._crash_at = crash_at
        # One at a time: a large one takes 300 MB while it is decoded.
        self._decoding = anyio.CapacityLimiter(1)
        # A call is planned up to three times, before each question and when it is sent.
        self._seen: dict[Stamp, Picture] = {}

    async def take(self, account: Account, image_urls: Sequence[str] | None) -> Given:
        """The images of a request, each picture from the disk read and cleaned. Raises RuleViolation."""
        taken: list[str] = []
        pictures: dict[str, Picture] = {}
        for position, text in enumerate(image_urls or (), 1):
            if not names_file(text):
                taken.append(text)
                continue
            place = await self._place(account, position, text)
            try:
                picture = await run_sync(self._read, place, limiter=self._decoding)
            except Unusable as fault:
                raise _refused(position, text, fault) from None
            taken.append(f"{MARK}{picture.digest}")
            pictures[taken[-1]] = picture
        return Given(tuple(taken), pictures)

    async def unasked(self, account: Account, image_urls: Sequence[str] | None) -> Sequence[Path]:
        """The folders of these images that the person was not asked about yet. Raises RuleViolation."""
        found: list[Path] = []
        for position, text in enumerate(image_urls or (), 1):
            if names_file(text):
                place = await self._place(account, position, text)
                if place.folder not in found and await self._journal.value(_permission(place.folder)) is None:
                    found.append(place.folder)
        return found

    async def allow(self, folders: Sequence[Path]) -> None:
        """Remembers that the person said yes to these."""
        for folder in folders:
            await self._journal.get_or_set(_permission(folder), "yes")

    async def hand_over(
        self, entry_id: str, request: GenerationRequest, pictures: Mapping[str, Picture]
    ) -> GenerationRequest:
        """Uploads the pictures that stand in a request; the request with their links. Raises NotSent, JournalError."""
        given = request.input
        images: tuple[str, ...] | None = getattr(given, "image_urls", None)
        if not pictures or not images:
            return request
        if self._uploads is None:
            raise AssertionError("a picture was taken without a place to hand it over")
        addresses = {
            name: f"{self._uploads.address}/{self._new_name()}{ENDINGS[picture.kind]}"
            for name, picture in pictures.items()
        }
        # Before the first byte: whatever happens, somebody takes them away.
        await self._journal.note_uploads(entry_id, list(addresses.values()), now=self._clock())
        self._crash_at("uploads noted")
        links: dict[str, str] = {}
        try:
            with anyio.fail_after(UPLOAD_SECONDS):
                for name, picture in pictures.items():
                    put = partial(self._uploads.put, addresses[name], picture.data, picture.kind)
                    links[name] = await run_sync(put, abandon_on_cancel=True)
                    self._crash_at("picture uploaded")
        except BucketTrouble as trouble:
            raise _not_sent(str(trouble)) from None
        except TimeoutError:
            raise _not_sent(f"It took longer than {UPLOAD_SECONDS:.0f} s.") from None
        linked = given.model_copy(update={"image_urls": tuple(links.get(image, image) for image in images)})
        return request.model_copy(update={"input": linked})

    async def run(self) -> None:
        """Takes pictures away indefinitely. Whatever it raises is the supervisor's to log, and to start this again."""
        while True:
            if not await self.round():
                await self._sleep(LOOK_SECONDS)

    async def round(self) -> int:
        """Takes away what no task needs any more; how many were tried. Raises JournalError."""
        if self._uploads is None:
            return 0
        now = self._clock()
        # A task whose outcome nobody knows may still be under way for as long as the link lasts.
        over = await self._journal.uploads_over(now=now, expired=now - LINK_SECONDS, limit=MOST_AT_ONCE)
        for upload in over:
            await self._remove(self._uploads, upload)
        return len(over)

    async def _remove(self, uploads: Uploads, upload: Upload) -> None:
        try:
            await run_sync(uploads.delete, upload.address)
        except BucketTrouble as trouble:
            now = self._clock()
            if not trouble.denied and now - upload.uploaded_at < TRYING_SECONDS:
                gap = min(LONGEST_GAP, FIRST_GAP * 2 ** min(upload.tries, 10))
                await self._journal.postpone_upload(upload.address, due_at=now + gap)
                return
            log.warning(
                "%s is left in its bucket: %s Its link expires after 24 h; a lifecycle rule can delete it.",
                upload.address,
                trouble,
            )
        self._crash_at("picture deleted")
        await self._journal.forget_upload(upload.address)

    def _read(self, place: Place) -> Picture:
        """In a thread, one at a time."""
        picture = read(place, seen=self._seen, at=self._crash_at)
        while len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return picture

    async def _place(self, account: Account, position: int, text: str) -> Place:
        why = self._closed(account)
        if why is not None:
            raise RuleViolation(why)
        try:
            return await run_sync(find, text, self._folders)
        except Unusable as fault:
            raise _refused(position, text, fault) from None

    def _closed(self, account: Account) -> str | None:
        """Why no file of this machine can be named, and what to do instead; None where it can."""
        link = "Put it where a public link opens the image directly, without a login, and give that https link"
        links = "image_urls takes links; a file on this machine cannot be sent"
        if account.principal:
            return f"{links} by a server that several people use. {link}."
        if self._trouble is not None:
            return f"{links}: {self._trouble} Or: {link[0].lower()}{link[1:]}."
        if not self._folders or self._uploads is None:
            return (
                f"{links}, because the API downloads the images itself. {link}. Or the operator of this server sets "
                "VEO_IMAGE_DIRS and VEO_UPLOADS, which hand it over."
            )
        return None


def unlinked(image: str) -> str | None:
    """Why an image in the call itself cannot be sent, and what to do instead; None for anything that may be a link."""
    if image[:5].lower() == "data:":
        return (
            "image_urls takes links; an image in the call itself (data:) cannot be handed to the API, which "
            "downloads the images itself. Give a public https link that opens the image directly."
        )
    return None


def _permission(folder: Path) -> str:
    return "pictures:" + hashlib.sha256(str(folder).encode(errors="surrogatepass")).hexdigest()


def _refused(position: int, text: str, fault: Unusable) -> RuleViolation:
    return RuleViolation(f"image_urls entry {position}, “{clean(text, 120)}”, {fault}. Nothing was uploaded.")


def _not_sent(why: str) -> NotSent:
    return NotSent(
        why,
        explanation=f"A picture could not be uploaded, so nothing was sent. {clean(why, 300)} Tell the person.",
        code="upload_failed",
    )
