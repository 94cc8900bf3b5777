"""Reads how long a finished video is, and how large its picture, from the few thousand bytes of it that say so.

Called by the client for a video that is not saved here. Never fetches the film itself (1 MiB at most, a minute at most,
whatever the file says of itself), and never sends the key.
"""

import anyio

from veo_mcp.api import causes
from veo_mcp.api.download import CONTENT_RANGE, fetchable, opened, refused, unreachable
from veo_mcp.api.transport import Incoming, Transport
from veo_mcp.errors import ApiError, DownloadFailed
from veo_mcp.mp4 import Measured, NotWhole, Wanted, scan

__all__ = ["MOST_BYTES", "probe_video"]

FIRST = 64 * 1024
MOST_BYTES = 1024 * 1024
"""Of one file in all; the index of a clip of 8 s has about 10,000."""
MOST_LOOKS = 5
MOST_SECONDS = 60.0
"""In all: a host that trickles one byte at a time must not keep the other files waiting."""
LONGEST = 6 * 3600.0
"""A longer video than any that is made here; a file that says so says nothing (all bits set means "unknown")."""


async def probe_video(
    transport: Transport, url: str, *, sandbox: bool, seconds: float = MOST_SECONDS
) -> Measured | None:
    """Length and size; None where the file does not say, or not without being fetched whole. Raises DownloadFailed."""
    if (why := fetchable(url, transport.address, sandbox=sandbox)) is not None:
        raise causes.VIDEO_URL.error(why=why)
    try:
        with anyio.fail_after(seconds):
            found = await _found(transport, url, sandbox=sandbox)
    except NotWhole:
        return None
    except TimeoutError:
        raise causes.VIDEO_UNREACHABLE.error(why="Its host took too long.") from None
    except DownloadFailed:
        raise
    except ApiError as error:
        raise unreachable(error) from None
    return found if found is not None and 0 < found.seconds <= LONGEST else None


async def _found(transport: Transport, url: str, *, sandbox: bool) -> Measured | None:
    wanted, left = Wanted(0, FIRST), MOST_BYTES
    for _ in range(MOST_LOOKS):
        chunk, read = await _bytes(transport, url, wanted, left, sandbox=sandbox)
        found = scan(chunk, wanted.start)
        if not isinstance(found, Wanted):
            return found
        left -= read
        # No further on than before, or more than may be read: what the file says of itself is not believed.
        if (found.start == wanted.start and found.length <= wanted.length) or max(found.length, FIRST) > left:
            return None
        wanted = Wanted(found.start, found.length or FIRST)
    return None


async def _bytes(transport: Transport, url: str, wanted: Wanted, left: int, *, sandbox: bool) -> tuple[bytes, int]:
    """The bytes that are wanted, none where they cannot be had; and how many were read for them."""
    headers = {"Range": f"bytes={wanted.start}-{wanted.start + wanted.length - 1}"}
    async with opened(transport, url, headers, sandbox=sandbox) as (answer, host):
        if answer.status == 416:
            return b"", 0
        if answer.status == 206:
            said = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", "").strip())
            if said is None or int(said[1]) != wanted.start:
                return b"", 0
            raw = await _read(answer, wanted.length)
            return raw, len(raw)
        if answer.status != 200:
            raise refused(answer.status, host)
        # A host without ranges sends the file from its beginning: what lies near enough is read up to.
        end = wanted.start + wanted.length
        if end > left:
            return b"", 0
        raw = await _read(answer, end)
        return raw[wanted.start :], len(raw)


async def _read(answer: Incoming, most: int) -> bytes:
    raw = bytearray()
    async for chunk in answer.chunks:
        raw += chunk
        if len(raw) >= most:
            break
    return bytes(raw[:most])
