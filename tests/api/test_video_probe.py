"""How long a video is, is read from a few of its bytes, wherever its index lies and whatever its boxes claim."""

import random
import re
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.api.servers import Server, client, failure, serving
from tests.support.clips import clip
from veo_mcp.api.transport import Transport
from veo_mcp.api.video_probe import MOST_BYTES, probe_video
from veo_mcp.mp4 import Measured, NotWhole, scan

pytestmark = pytest.mark.anyio

RANGE = re.compile(r"range: bytes=(\d+)-(\d+)", re.IGNORECASE)


def ranged(data: bytes) -> Callable[[str], bytes]:
    """A host that hands out ranges of this file."""

    def say(head: str) -> bytes:
        asked = RANGE.search(head)
        assert asked is not None
        start, last = int(asked[1]), min(int(asked[2]), len(data) - 1)
        if start >= len(data):
            return b"HTTP/1.1 416 Nothing There\r\nContent-Length: 0\r\n\r\n"
        part = data[start : last + 1]
        headers = f"Content-Length: {len(part)}\r\nContent-Range: bytes {start}-{last}/{len(data)}"
        return f"HTTP/1.1 206 Partial Content\r\nContent-Type: video/mp4\r\n{headers}\r\n\r\n".encode() + part

    return say


def whole(data: bytes) -> bytes:
    """The answer of a host that knows no ranges."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def box(kind: bytes, content: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(content) if length is None else length) + kind + content


def split(data: bytes) -> dict[bytes, bytes]:
    """The boxes of a small file, heads included."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found[data[at + 4 : at + 8]] = data[at : at + length]
        at += length
    return found


def asked(server: Server) -> list[tuple[int, int]]:
    return [(int(found[1]), int(found[2])) for found in map(RANGE.search, server.requests) if found]


async def measured(server: Server) -> Measured | None:
    async with client(server.url()) as veo:
        return await veo.measure(f"{server.url()}/a.mp4")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One second, 64×48, its index at the end."""
    path: Path = clip(tmp_path_factory.mktemp("film") / "a.mp4", seconds=1)
    return path.read_bytes()


def lengthened(film: bytes, *, head: bool, by: int = 3_000_000) -> bytes:
    """The same film with `by` bytes more of picture, its index before or after it."""
    parts = split(film)
    picture = box(b"mdat", parts[b"mdat"][8:] + bytes(by))
    ends = (parts[b"moov"], picture) if head else (picture, parts[b"moov"])
    return parts[b"ftyp"] + b"".join(ends)


@pytest.mark.parametrize("head", [True, False])
async def test_the_index_is_found_at_either_end_without_the_film(film: bytes, head: bool) -> None:
    async with serving(ranged(lengthened(film, head=head))) as server:
        found = await measured(server)
    assert found is not None
    assert (round(found.seconds, 1), found.width, found.height) == (1.0, 64, 48)
    assert len(server.requests) == (1 if head else 2)
    assert sum(last - first + 1 for first, last in asked(server)) <= MOST_BYTES
    assert "authorization" not in " ".join(server.requests).lower()


async def test_a_picture_of_64_bit_size_is_passed_over(film: bytes) -> None:
    parts = split(film)
    content = bytes(2_000_000)
    wide = struct.pack(">I4sQ", 1, b"mdat", 16 + len(content)) + content
    async with serving(ranged(parts[b"ftyp"] + wide + parts[b"moov"])) as server:
        found = await measured(server)
    assert found is not None
    assert found.width == 64


@pytest.mark.parametrize(("more", "known"), [(0, True), (500_000, True), (3_000_000, False)])
async def test_a_host_without_ranges_is_read_as_far_as_a_mebibyte(film: bytes, more: int, known: bool) -> None:
    async with serving(whole(lengthened(film, head=False, by=more))) as server:
        found = await measured(server)
    assert (found is not None) is known


async def test_an_answer_for_another_range_counts_for_nothing(film: bytes) -> None:
    data = lengthened(film, head=False)
    first = ranged(data)("range: bytes=0-65535")
    async with serving(first) as server:
        assert await measured(server) is None
    assert len(server.requests) == 2


FTYP = box(b"ftyp", b"isom\0\0\0\0")
HOSTILE = {
    "nothing": b"",
    "no film": b"<html>not a film, but a page of some length</html>",
    "no index": FTYP + box(b"mdat", bytes(100)),
    "a picture to the end of the file": FTYP + box(b"mdat", bytes(100), 0),
    "a box smaller than its head": FTYP + box(b"free", bytes(20), 7),
    "a 64-bit box smaller than its head": FTYP + struct.pack(">I4sQ", 1, b"mdat", 15) + bytes(20),
    "a box past every end": FTYP + struct.pack(">I4sQ", 1, b"mdat", 2**64 - 1) + bytes(20),
    "an index of 60 MB, it says": FTYP + box(b"moov", bytes(100), 60_000_000),
    "an index of 4 GB, it says": FTYP + box(b"moov", bytes(100), 2**32 - 1),
    "an index of 900 KB that is cut": FTYP + box(b"moov", bytes(70_000), 900_000),
    "an empty index": FTYP + box(b"moov") + bytes(20),
    "ten thousand empty boxes": FTYP + box(b"free") * 10_000,
    "boxes that lead on and on": FTYP + b"".join(box(b"free", bytes(65_536)) for _ in range(40)),
}


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_hostile_file_is_not_known_and_costs_a_mebibyte_at_most(how: str, ranges: bool) -> None:
    data = HOSTILE[how]
    async with serving(ranged(data) if ranges else whole(data)) as server:
        assert await measured(server) is None
    assert len(server.requests) <= 5
    assert sum(min(last + 1, len(data)) - first for first, last in asked(server) if first < len(data)) <= MOST_BYTES
    assert all(last - first < MOST_BYTES for first, last in asked(server))


@pytest.mark.parametrize(("at", "value"), [(16, 0), (16, 2**32 - 1), (12, 0)])
async def test_a_length_that_no_video_has_is_not_reported(film: bytes, at: int, value: int) -> None:
    parts = split(film)
    index = bytearray(parts[b"moov"])
    movie, track = index.index(b"mvhd") + 4, index.index(b"tkhd") + 4
    index[movie + at : movie + at + 4] = struct.pack(">I", value)
    index[track + 20 : track + 24] = bytes(4)  # the track's own length
    async with serving(ranged(parts[b"ftyp"] + bytes(index) + parts[b"mdat"])) as server:
        assert await measured(server) is None


async def test_a_host_that_takes_too_long_is_left() -> None:
    async with serving(b"HTTP/1.1 206 Partial Content\r\nContent-Length: 65536\r\n\r\n") as server:
        transport = Transport(server.url(), SecretStr("sk-x"))
        error = await failure(probe_video(transport, f"{server.url()}/a.mp4", sandbox=False, seconds=0.0))
    await transport.aclose()
    assert "took too long" in error.explanation


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_a_refusal_is_a_failure_to_be_tried_again(status: int) -> None:
    async with (
        serving(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()) as server,
        client(server.url()) as veo,
    ):
        assert "127.0.0.1" in (await failure(veo.measure(f"{server.url()}/a.mp4"))).explanation


@pytest.mark.parametrize("to", ["http://example.com/a.mp4", "file:///etc/passwd", "http://169.254.169.254/"])
async def test_a_redirect_away_from_https_is_not_followed(to: str) -> None:
    async with (
        serving(f"HTTP/1.1 302 Go\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()) as server,
        client(server.url()) as veo,
    ):
        await failure(veo.measure(f"{server.url()}/a.mp4"))
    assert len(server.requests) == 1


def test_any_damage_to_an_index_ends_in_an_answer(film: bytes) -> None:
    parts = split(film)
    clean = parts[b"ftyp"] + parts[b"moov"]
    dice = random.Random(12)
    for _ in range(3_000):
        data = bytearray(clean)
        for _ in range(dice.randint(1, 8)):
            match dice.randrange(4):
                case 0:
                    data[dice.randrange(len(data))] = dice.randrange(256)
                case 1:
                    at = dice.randrange(len(data) - 4)
                    data[at : at + 4] = struct.pack(">I", dice.choice([0, 1, 7, 8, 2**31, 2**32 - 1]))
                case 2:
                    del data[dice.randrange(16, len(data)) :]
                    data += bytes(16)
                case _:
                    at = dice.randrange(len(data))
                    data[at:at] = dice.randbytes(dice.randint(1, 40))
        with suppress(NotWhole):
            scan(bytes(data), 0)
