"""Reads how long a finished video is, and how large its picture, from the few thousand bytes of it that say so.

Called by the client for a video that is not saved here. Never fetches the film itself, and never sends the key.
"""

from veo_mcp.api import causes
from veo_mcp.api.download import fetchable, opened, refused, unreachable
from veo_mcp.api.transport import Incoming, Transport
from veo_mcp.errors import ApiError, DownloadFailed
from veo_mcp.mp4 import Measured, NotWhole, Wanted, scan

__all__ = ["glance"]

FIRST = 64 * 1024
MOST_LOOKS = 5


async def glance(transport: Transport, url: str, *, sandbox: bool) -> Measured | None:
    """Length and size; None where the file does not say, or not without being fetched whole. Raises DownloadFailed."""
    if (why := fetchable(url, transport.address, sandbox=sandbox)) is not None:
        raise causes.VIDEO_URL.error(why=why)
    wanted = Wanted(0, FIRST)
    try:
        for _ in range(MOST_LOOKS):
            found = scan(await _bytes(transport, url, wanted, sandbox=sandbox), wanted.start)
            if not isinstance(found, Wanted):
                return found
            if found.start == wanted.start and found.length <= wanted.length:
                break
            wanted = Wanted(found.start, found.length or FIRST)
    except NotWhole:
        return None
    except DownloadFailed:
        raise
    except ApiError as error:
        raise unreachable(error) from None
    return None


async def _bytes(transport: Transport, url: str, wanted: Wanted, *, sandbox: bool) -> bytes:
    last = wanted.start + wanted.length - 1
    headers = {"Range": f"bytes={wanted.start}-{last}"}
    async with opened(transport, url, headers, sandbox=sandbox) as (answer, host):
        if answer.status == 416 or (answer.status == 200 and wanted.start > 0):
            return b""
        if answer.status not in (200, 206):
            raise refused(answer.status, host)
        return await _read(answer, wanted.length)


async def _read(answer: Incoming, most: int) -> bytes:
    raw = bytearray()
    async for chunk in answer.chunks:
        raw += chunk
        if len(raw) >= most:
            break
    return bytes(raw[:most])
