"""What an MP4 file says of itself: how long it plays, how large its picture is, and whether all of it is there.

Called by downloads, the saver, film.py and, for a file that lies elsewhere, by api/video_probe.py. Reads boxes only and
decodes nothing, so it needs no video library. What is no MP4 is answered with None, what is a damaged or cut one with
NotWhole; a file's own numbers never decide how much is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["Measured", "NotWhole", "Wanted", "is_cut", "is_mp4", "measure", "scan"]

LARGEST_INDEX = 64 * 1_000_000
"""Bytes of an index (`moov`) that are read; that of a clip of 8 s has about 10,000."""
MOST_BOXES = 10_000


class NotWhole(Exception):
    """The file begins as an MP4, and is cut off or damaged."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found; `seconds` is 0.0 where the file does not say.

    Attributes:
        rate: pictures a second; 0.0 where the file does not say.
        sound: whether there is a track of sound.
        video: how the picture is encoded, bytes for bytes: two files with the same can be joined without encoding.
        level: how much an H.264 decoder must be able to do, by its own scale; 0 for other pictures.
    """

    seconds: float
    width: int
    height: int
    rate: float
    sound: bool
    video: bytes
    level: int


def is_mp4(path: Path) -> bool:
    """Whether the file begins as an MP4. Raises OSError."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp"


def is_cut(path: Path) -> bool:
    """Whether the file begins as an MP4 and its boxes do not end exactly where it ends. Raises OSError."""
    if not is_mp4(path):
        return False
    with path.open("rb") as file:
        try:
            for _ in _top(file, path.stat().st_size):
                pass
        except NotWhole:
            return True
    return False


def measure(path: Path) -> Measured | None:
    """Length and size of the video; None for what is no MP4. Raises NotWhole, OSError."""
    if not is_mp4(path):
        return None
    with path.open("rb") as file:
        index = b""
        for kind, start, end in _top(file, path.stat().st_size):
            if kind == b"moov" and end - start <= LARGEST_INDEX:
                file.seek(start)
                index = file.read(end - start)
        if not index:
            raise NotWhole("it has no index")
        return _read(index)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which bytes of the file to look at next."""

    start: int
    length: int


def scan(chunk: bytes, start: int) -> Measured | Wanted | None:
    """As `measure`, from the bytes from `start` on, where a box begins; or what is wanted next. Raises NotWhole."""
    at = 0
    if start == 0 and chunk[4:8] != b"ftyp":
        return None
    while at + 16 <= len(chunk):
        length, head = int.from_bytes(chunk[at : at + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(chunk[at + 8 : at + 16], "big"), 16
        if length < head:
            raise NotWhole("it has no index")
        if chunk[at + 4 : at + 8] == b"moov":
            if length > LARGEST_INDEX:
                raise NotWhole("its index is too large")
            content = chunk[at + head : at + length]
            return _read(content) if len(content) == length - head else Wanted(start + at, length)
        at += length
    return Wanted(start + at, 0)


def _read(index: bytes) -> Measured:
    try:
        return _measured(index)
    except (IndexError, KeyError, ZeroDivisionError):
        raise NotWhole("its index is damaged") from None


def _top(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes of the file: kind, first and last byte of the content. Raises NotWhole where they do not fill it."""
    at = 0
    for _ in range(MOST_BOXES):
        if at == size:
            return
        file.seek(at)
        head = file.read(16)
        length, start = int.from_bytes(head[:4], "big"), at + 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), at + 16
        if length == 0:
            length = size - at
        if len(head) < 8 or length < start - at or at + length > size:
            raise NotWhole("it ends in the middle")
        yield head[4:8], start, at + length
        at += length
    raise NotWhole("it has too many parts")


def _inside(box: bytes) -> dict[bytes, list[bytes]]:
    """The boxes within a box, by their kind."""
    found: dict[bytes, list[bytes]] = {}
    at = 0
    while at + 8 <= len(box):
        length = int.from_bytes(box[at : at + 4], "big")
        if length < 8:
            break
        found.setdefault(box[at + 4 : at + 8], []).append(box[at + 8 : at + length])
        at += length
    return found


def _measured(index: bytes) -> Measured:
    boxes = _inside(index)
    movie = boxes[b"mvhd"][0]
    scale_at, wide = (20, 8) if movie[0] == 1 else (12, 4)
    scale = int.from_bytes(movie[scale_at : scale_at + 4], "big")
    length = int.from_bytes(movie[scale_at + 4 : scale_at + 4 + wide], "big")
    tracks = [_inside(track) for track in boxes[b"trak"]]
    kinds = [_inside(parts[b"mdia"][0])[b"hdlr"][0][8:12] for parts in tracks]
    for parts, kind in zip(tracks, kinds, strict=True):
        if kind != b"vide":
            continue
        media = _inside(parts[b"mdia"][0])
        head = parts[b"tkhd"][0]
        at, wide = (28, 8) if head[0] == 1 else (20, 4)
        # The track's own length where there is one: the sound is often a few milliseconds longer than the picture.
        own = int.from_bytes(head[at : at + wide], "big")
        width, height = (int.from_bytes(head[place : place + 2], "big") for place in (len(head) - 8, len(head) - 4))
        tables = _inside(_inside(media[b"minf"][0])[b"stbl"][0])
        described, level = _encoding(tables[b"stsd"][0])
        rate = _rate(media[b"mdhd"][0], tables[b"stts"][0])
        return Measured((own or length) / scale, width, height, rate, b"soun" in kinds, described, level)
    raise KeyError("no video track")


def _rate(media: bytes, times: bytes) -> float:
    """Pictures a second, on average."""
    scale = int.from_bytes(media[20:24] if media[0] == 1 else media[12:16], "big")
    numbers = [int.from_bytes(times[at : at + 4], "big") for at in range(8, len(times) - 3, 4)]
    pictures = sum(numbers[::2])
    ticks = sum(count * length for count, length in zip(numbers[::2], numbers[1::2], strict=False))
    return pictures * scale / ticks if ticks else 0.0


def _encoding(described: bytes) -> tuple[bytes, int]:
    """The description of the picture without its level, and without the part that only gives this one file's bit rate.

    Two files of one encoder may differ in the level, by the most bits a second that each was allowed.
    """
    entry = described[8:]
    kind, size, parts, level = entry[4:8], entry[32:36], _inside(entry[86:]), 0
    parts.pop(b"btrt", None)
    for setup in parts.get(b"avcC", ()):
        # It stands in the head, and again in the one sequence parameter set.
        if len(setup) > 11 and setup[5] & 31 == 1 and setup[3] == setup[11]:
            level = setup[3]
            parts[b"avcC"] = [setup[:3] + b"\0" + setup[4:11] + b"\0" + setup[12:]]
    return kind + size + b"".join(name + part for name in sorted(parts) for part in parts[name]), level
