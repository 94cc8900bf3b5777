"""Fetches a finished video into a file, in parts if need be, and never half a file under its final name.

Called by the client. A part is kept beside the file as `NAME.part`, with what is known of it in `NAME.part.json`; it is
gone on with only if the host says that the file is still the same one. Never sends the key: the URL is the API's word,
and may lead anywhere.
"""

import json
import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import anyio
import anyio.to_thread

from veo_mcp.api import causes, network
from veo_mcp.api.transport import Incoming, Transport
from veo_mcp.errors import ApiError, DownloadFailed
from veo_mcp.mp4 import is_cut
from veo_mcp.text import clean

__all__ = ["CONTENT_RANGE", "MAX_BYTES", "download", "fetchable", "opened", "refused", "unreachable"]

MAX_BYTES = 2_000 * 1_000_000
MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_VIDEO = re.compile(r"text/|application/(?:json|xml|xhtml|problem)", re.IGNORECASE)
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<(?:!doctype|html|head|body|\?xml|error)|\{)", re.IGNORECASE)
CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a part: of which file it is, by the host's own mark, and how long that file is."""

    url: str
    validator: str
    total: int | None


class _Stale(Exception):
    """The part does not belong to what the host has now."""


def fetchable(url: str, api: network.Address | None, *, sandbox: bool) -> str | None:
    """Why a video's URL must be neither fetched nor linked, or None if it may be.

    Args:
        api: the API's own address; videos may lie there over plain HTTP if it is a sandbox, or on this machine.
        sandbox: whether it is a sandbox.
    """
    try:
        target = network.address(url)
    except ValueError as problem:
        return str(problem)
    if target.scheme == "https":
        return None
    if api is not None and network.same_origin(target, api) and (sandbox or network.is_loopback(api.hostname)):
        return None
    return "it is not https"


async def download(
    transport: Transport,
    url: str,
    path: Path,
    *,
    sandbox: bool,
    max_bytes: int = MAX_BYTES,
    on_progress: Progress | None = None,
) -> None:
    """Saves the video at `url` as `path`. Raises DownloadFailed, OSError."""
    if (why := fetchable(url, transport.address, sandbox=sandbox)) is not None:
        raise causes.VIDEO_URL.error(why=why)
    one = _Download(transport, url, path, sandbox, max_bytes, on_progress or (lambda done, total: None))
    try:
        try:
            await one.run()
        except _Stale:
            await one.forget()
            await one.run()
    except _Stale:
        await one.forget()
        raise causes.VIDEO_CHANGING.error(host=_host(url)) from None
    except DownloadFailed:
        raise
    except ApiError as error:
        raise unreachable(error) from None


def unreachable(error: ApiError) -> ApiError:
    """What the transport says, whose words are about calls on the API, about a file."""
    happened = error.explanation.split(". ", 1)[0] + "."
    return causes.VIDEO_UNREACHABLE.error(error.message, why=happened)


@asynccontextmanager
async def opened(
    transport: Transport, url: str, headers: Mapping[str, str], *, sandbox: bool
) -> AsyncGenerator[tuple[Incoming, str]]:
    """The answer at `url`, wherever it redirects to, and the host that gave it. Raises ApiError."""
    first = url
    for _ in range(MOST_REDIRECTS + 1):
        target = network.address(url)
        async with transport.stream(target, url, headers) as answer:
            if answer.status not in _REDIRECTS:
                yield answer, target.host
                return
            url = _next(transport, url, answer.headers.get("location", ""), sandbox=sandbox)
    raise causes.VIDEO_REDIRECT.error(host=_host(first), to="further and further", why="it never ended")


def _next(transport: Transport, url: str, location: str, *, sandbox: bool) -> str:
    here, to = _host(url), "an address that is none"
    try:
        # Joined first: the new address may be written without a host.
        following = urljoin(url, location)
        to = network.address(following).host
    except ValueError as problem:
        raise causes.VIDEO_REDIRECT.error(host=here, to=to, why=str(problem)) from None
    why = fetchable(following, transport.address, sandbox=sandbox)
    if why is None and url.startswith("https:") and not following.startswith("https:"):
        why = "it is not https"
    if why is not None:
        raise causes.VIDEO_REDIRECT.error(host=here, to=to, why=why)
    return following


class _Download:
    """One video on its way into one file."""

    def __init__(
        self, transport: Transport, url: str, path: Path, sandbox: bool, max_bytes: int, on_progress: Progress
    ) -> None:
        self._transport = transport
        self._url = url
        self._path = path
        self._sandbox = sandbox
        self._max_bytes = max_bytes
        self._on_progress = on_progress
        self._part = path.with_name(path.name + ".part")
        self._note = path.with_name(path.name + ".part.json")

    async def run(self) -> None:
        """Fetches what is missing, and gives the file its name. Raises _Stale if the part does not belong to it."""
        offset, known = await self._kept()
        headers = {"Range": f"bytes={offset}-", "If-Range": known.validator} if known and offset else {}
        async with opened(self._transport, self._url, headers, sandbox=self._sandbox) as (answer, host):
            await self._take(answer, host, offset, known)
        await anyio.to_thread.run_sync(os.replace, self._part, self._path)
        await anyio.Path(self._note).unlink(missing_ok=True)

    async def forget(self) -> None:
        """Throws the part away."""
        await anyio.Path(self._part).unlink(missing_ok=True)
        await anyio.Path(self._note).unlink(missing_ok=True)

    async def _kept(self) -> tuple[int, _Known | None]:
        """How much is there already, and of what. A part that nothing is known of is worth nothing."""
        try:
            note = cast("dict[str, Any]", json.loads(await anyio.Path(self._note).read_text("utf-8")))
            known = _Known(str(note["url"]), str(note["validator"]), cast("int | None", note["total"]))
            offset = (await anyio.Path(self._part).stat()).st_size
        except (OSError, ValueError, KeyError, TypeError):
            known, offset = None, 0
        sendable = known is not None and known.validator.isascii() and known.validator.isprintable()
        if known is None or not sendable or known.url != self._url or not 0 < offset <= self._max_bytes:
            await self.forget()
            return 0, None
        return offset, known

    async def _take(self, answer: Incoming, host: str, offset: int, known: _Known | None) -> None:
        """Writes an answer's body into the part. Raises _Stale, DownloadFailed."""
        if answer.status == 416 or (answer.status == 206 and not _continues(answer.headers, offset, known)):
            raise _Stale
        if answer.status not in (200, 206):
            raise refused(answer.status, host)
        if (media := _media_type(answer.headers)) and _NOT_VIDEO.match(media):
            raise causes.VIDEO_NOT_A_VIDEO.error(host=host, what=media)
        if (coding := answer.headers.get("content-encoding", "identity").strip().lower()) not in ("", "identity"):
            raise causes.VIDEO_NOT_A_VIDEO.error(host=host, what=f"something compressed as {clean(coding, 20)}")
        if answer.status == 200:
            offset = 0
        total = _total(answer.headers, offset)
        if total is not None and total > self._max_bytes:
            await self._too_large()
        await self._remember(answer.headers, total)
        done = await self._write(answer, host, offset, total)
        if total is not None and done != total:
            raise causes.VIDEO_CUT.error(host=host, why=f"{done} of {total} bytes came")
        # Without a length only the file itself can tell whether all of it came.
        if done == 0 or (total is None and await anyio.to_thread.run_sync(is_cut, self._part)):
            await self.forget()
            raise causes.VIDEO_CUT.error(host=host, why=f"{done} bytes came, and they are not a whole video")

    async def _write(self, answer: Incoming, host: str, offset: int, total: int | None) -> int:
        done = offset
        async with await anyio.open_file(self._part, "ab" if offset else "wb") as file:
            try:
                async for chunk in answer.chunks:
                    if done == 0 and _PAGE.match(chunk):
                        raise causes.VIDEO_NOT_A_VIDEO.error(host=host, what="a web page or a message")
                    if done + len(chunk) > self._max_bytes:
                        await self._too_large()
                    await file.write(chunk)
                    done += len(chunk)
                    self._on_progress(done, total)
            except DownloadFailed:
                raise
            except ApiError as error:
                raise causes.VIDEO_CUT.error(error.message, host=host, why=f"{done} bytes are there") from None
        return done

    async def _remember(self, headers: Mapping[str, str], total: int | None) -> None:
        """Notes by which mark this file can be known again; without one a part cannot be gone on with."""
        etag, modified = headers.get("etag", "").strip(), headers.get("last-modified", "").strip()
        # A weak mark says "much the same", and promises nothing about bytes.
        validator = etag if etag.startswith('"') else modified
        if validator and len(validator) <= 300:
            note = {"url": self._url, "validator": validator, "total": total}
            await anyio.Path(self._note).write_text(json.dumps(note), "utf-8")
        else:
            await anyio.Path(self._note).unlink(missing_ok=True)

    async def _too_large(self) -> None:
        await self.forget()
        raise causes.VIDEO_TOO_LARGE.error(limit=f"{self._max_bytes / 1_000_000:,g}")


def _continues(headers: Mapping[str, str], offset: int, known: _Known | None) -> bool:
    """Whether a 206 is what was asked for: from `offset` on, of the same file."""
    found = CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if known is None or found is None or int(found[1]) != offset:
        return False
    etag = headers.get("etag", "").strip()
    if etag and known.validator.startswith('"') and etag != known.validator:
        return False
    return known.total is None or found[3] in ("*", str(known.total))


def _total(headers: Mapping[str, str], offset: int) -> int | None:
    found = CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if found and found[3] != "*" and offset:
        return int(found[3])
    length = headers.get("content-length", "").strip()
    return offset + int(length) if length.isascii() and length.isdecimal() and len(length) <= 15 else None


def refused(status: int, host: str) -> ApiError:
    """What a status that brings no file says."""
    match status:
        case 401 | 403 | 407:
            return causes.VIDEO_FORBIDDEN.error(host=host, status=status, http_status=status)
        case 404 | 410:
            return causes.VIDEO_GONE.error(host=host, status=status, http_status=status)
        case _:
            return causes.VIDEO_HOST.error(host=host, status=status, http_status=status)


def _media_type(headers: Mapping[str, str]) -> str:
    return clean(headers.get("content-type", "").partition(";")[0], 60).lower()


def _host(url: str) -> str:
    try:
        return network.address(url).host
    except ValueError:
        return "an address that is none"
