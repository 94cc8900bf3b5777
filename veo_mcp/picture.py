"""One picture from the disk, made fit to leave it: found below an allowed folder, read safely, decoded, re-encoded.

Used by tasks/pictures.py. What leaves is never the file's own bytes, but its pixels: upright, in sRGB, without
metadata, at most 10 MB. Whatever is not a picture, or lies outside the folders, becomes Unusable with a sentence; of
what lies outside not even the existence is revealed. Everything here blocks: call it in a thread. Touches no network.
"""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from veo_mcp.text import clean

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "MARK",
    "MOST_PIXELS",
    "MOST_READ",
    "MOST_SENT",
    "Picture",
    "Place",
    "Stamp",
    "Unusable",
    "find",
    "names_file",
    "read",
]

MARK = "picture:sha256:"
"""What stands in a plan and in the journal for a picture begins with this; its digest follows."""
MOST_READ = 50_000_000
"""Bytes of a file that is looked into; phones' photos have up to 25 MB."""
MOST_PIXELS = 50_000_000
"""As many as phones take; decoded, they are 150 MB."""
MOST_SENT = 10_000_000
LONGEST_SIDE = 4096
"""A video has 1920 pixels at most; what is larger is only slower to fetch."""
QUALITIES = (95, 90, 80, 70)


class Unusable(Exception):
    """One sentence, after the name of the file, on why it is not handed over."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file was found.

    Attributes:
        folder: the allowed folder, as it was set.
        root: the same with its symbolic links resolved.
        parts: the names from there down to the file; none of them was a symbolic link.
    """

    folder: Path
    root: Path
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A clean picture.

    Attributes:
        data: the encoded file.
        kind: image/jpeg or image/png.
        digest: of its pixels: the same picture with other metadata, or under another name, is the same.
    """

    data: bytes
    kind: str
    digest: str


Stamp = tuple[int, ...]
"""Which file it is, and in which state: any write changes it."""


def names_file(text: str) -> bool:
    """Whether an entry of image_urls means a file of this machine rather than a link."""
    return bool(
        re.match(r"file:|[a-z]:[\\/]|[/~\\]|\.{1,2}[/\\]", text, re.IGNORECASE)
        or ("://" not in text and re.search(r"\.(?:jpe?g|png|webp|gif|heic|heif|avif|svg)$", text, re.IGNORECASE))
    )


def find(text: str, folders: Sequence[Path]) -> Place:
    """The place of a path or file:// URL, below one of the folders. Raises Unusable.

    A relative path counts from the folders, not from the folder that a host happened to start the server in.
    """
    try:
        path = Path(_path(text)).expanduser()
        if path.is_absolute():
            return _beneath(path, folders)
        choices = [folder / path for folder in folders]
        there = next((choice for choice in choices if os.path.lexists(choice) and _is_beneath(choice, folders)), None)
        return _beneath(there or choices[0], folders)
    except (ValueError, RuntimeError):  # a NUL or half a character in it; a ~ that nobody knows
        raise Unusable("is not a valid path") from None


def read(
    place: Place,
    *,
    seen: MutableMapping[Stamp, Picture] | None = None,
    at: Callable[[str], None] = lambda point: None,
) -> Picture:
    """The picture there; one of the `seen` ones if its file is still the same, else it is put there. Raises Unusable.

    `at` is called when the file is open, and when it is read.
    """
    try:
        handle = _open(place)
    except FileNotFoundError:
        raise Unusable("does not exist") from None
    except PermissionError:
        raise Unusable("may not be read by this server") from None
    except OSError as error:
        raise Unusable(_trouble(error)) from None
    try:
        at("opened")
        stamp = _stamp(os.fstat(handle))
        if seen is not None and stamp in seen:
            return seen[stamp]
        data = _whole(handle, at)
    except OSError as error:
        raise Unusable(_trouble(error)) from None
    finally:
        os.close(handle)
    picture = _cleaned(data)
    if seen is not None:
        seen[stamp] = picture
    return picture


def _path(text: str) -> str:
    if text[:5].lower() != "file:":
        return text
    parts = urlsplit(text)
    if parts.netloc.lower() not in ("", "localhost") or parts.query or parts.fragment:
        raise Unusable("names a file of another machine, or is not a valid file:// URL")
    path = unquote(parts.path, errors="strict")
    return path[1:] if os.name == "nt" and re.match(r"/[A-Za-z]:", path) else path


def _beneath(path: Path, folders: Sequence[Path]) -> Place:
    # Before anything is asked of the system: looking at another machine's share on Windows gives it a password's hash.
    shares = str(path).startswith(("\\\\", "//")) and os.name == "nt"
    if not shares or any(path.is_relative_to(folder) for folder in folders):
        real = Path(os.path.realpath(path))
        for folder in folders:
            root = Path(os.path.realpath(folder))
            if real != root and real.is_relative_to(root):
                return Place(folder, root, real.relative_to(root).parts)
    raise Unusable("is not inside a folder of VEO_IMAGE_DIRS")


def _is_beneath(path: Path, folders: Sequence[Path]) -> bool:
    with suppress(Unusable):
        return bool(_beneath(path, folders))
    return False


def _open(place: Place) -> int:
    """The open file, if it is a plain one. Raises OSError, Unusable.

    Folder by folder, following no symbolic link: one that was put there since the path was resolved leads nowhere.
    """
    if os.open not in os.supports_dir_fd:
        return _open_by_name(place)
    # O_PATH: a folder that may be passed through need not be one that may be listed.
    step = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW
    folder = os.open(place.root, step)
    try:
        for name in place.parts[:-1]:
            inner = os.open(name, step, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Looked at before it is opened: opening some devices does something already.
        _plain(os.stat(place.parts[-1], dir_fd=folder, follow_symlinks=False))
        # O_NONBLOCK: should it have become a FIFO just now, opening it does not wait for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        return _checked(os.open(place.parts[-1], flags, dir_fd=folder))
    finally:
        os.close(folder)


def _open_by_name(place: Place) -> int:
    """The same where files cannot be opened relative to a folder: the path is resolved again once it is open."""
    path = place.root.joinpath(*place.parts)
    _plain(path.lstat())
    handle = _checked(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
    if os.path.realpath(path) != str(path):
        os.close(handle)
        raise Unusable("changed while it was being read; call again once it is complete")
    return handle


def _checked(handle: int) -> int:
    try:
        _plain(os.fstat(handle))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _plain(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise Unusable("is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise Unusable("is not a regular file")


def _whole(handle: int, at: Callable[[str], None]) -> bytes:
    """All bytes of the file, if it stayed the same meanwhile. Raises OSError, Unusable."""
    before = os.fstat(handle)
    if before.st_size > MOST_READ:
        raise Unusable(f"has {before.st_size / 1e6:.0f} MB, and at most {MOST_READ / 1e6:.0f} are read")
    data = bytearray()
    while len(data) <= before.st_size:
        piece = os.read(handle, min(1 << 20, before.st_size + 1 - len(data)))
        if not piece:
            break
        data += piece
        at("reading")
    after = os.fstat(handle)
    if _stamp(before) != _stamp(after) or len(data) != before.st_size:
        raise Unusable("changed while it was being read; call again once it is complete")
    return bytes(data)


def _stamp(found: os.stat_result) -> Stamp:
    # The time of the last change of any kind cannot be set back by the program that writes.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _trouble(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        # A symbolic link took the place of a folder or of the file since the path was resolved.
        return "changed while it was being read; call again once it is complete"
    return f"cannot be read: {clean(error.strerror or 'an unknown error', 100)}"


def _cleaned(data: bytes) -> Picture:
    from PIL import Image, UnidentifiedImageError

    _sniffed(data)
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                size = f"{image.width:,} × {image.height:,} pixels"
                raise Unusable(f"has {size}, and at most {MOST_PIXELS / 1e6:.0f} million are accepted")
            lossless = image.format == "PNG"
            # A JPEG is decoded at a half or a quarter of its size where that is enough.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            image.load()
            drawn = _upright(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable(f"has more than {MOST_PIXELS / 1e6:.0f} million pixels") from None
    except Unusable:
        raise
    except UnidentifiedImageError:
        raise Unusable("is damaged or not a picture") from None
    except Exception:  # decoders fail in many ways at what was made to mislead them: whichever, it is no picture
        raise Unusable("is damaged or not a picture") from None
    pixels = drawn.tobytes()
    digest = hashlib.sha256(f"{drawn.width}x{drawn.height}:".encode() + pixels).hexdigest()
    # From the pixels alone: nothing that was beside them in the file can come along.
    fresh = Image.frombytes("RGB", drawn.size, pixels)
    return _encoded(fresh, digest, lossless=lossless)


def _sniffed(data: bytes) -> None:
    """Raises Unusable unless the first bytes are those of a JPEG, PNG or WebP; the file's name says nothing."""
    begin = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:3] == b"\xff\xd8\xff" or data[:8] == b"\x89PNG\r\n\x1a\n" or (data[:4], data[8:12]) == (b"RIFF", b"WEBP"):
        return
    if not data:
        raise Unusable("is empty")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"):
        raise Unusable("is a HEIC photo, which the API does not accept; save it as JPEG or PNG")
    if begin[:4].lower() == b"<svg" or (begin[:5] == b"<?xml" and b"<svg" in data[:4096]):
        raise Unusable("is an SVG drawing, not pixels; save it as PNG")
    kinds = {b"GIF8": "a GIF", b"BM": "a BMP", b"II*\0": "a TIFF", b"MM\0*": "a TIFF", b"%PDF": "a PDF"}
    named = next((name for mark, name in kinds.items() if data.startswith(mark)), None)
    raise Unusable(f"is {named or 'not a picture, whatever its name says'}: only JPEG, PNG and WebP are accepted")


def _upright(image: "Image") -> "Image":
    """The picture as RGB: turned as its EXIF says, in sRGB, on white where it is transparent, not too large."""
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(image)
    if turned.mode == "I" or turned.mode.startswith("I;16"):
        # 16 bits a pixel; converted straight away, all but the darkest would be white.
        turned = turned.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    alpha = None
    if turned.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in turned.info:
        profile = turned.info.get("icc_profile")
        turned = turned.convert("RGBA")
        alpha = turned.getchannel("A")
        turned = turned.convert("RGB")
        turned.info["icc_profile"] = profile
    drawn = _in_srgb(turned)
    if alpha is not None:
        ground = Image.new("RGB", drawn.size, "white")
        ground.paste(drawn, mask=alpha)
        drawn = ground
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return drawn


def _in_srgb(image: "Image") -> "Image":
    """The picture's colours as they look without its profile, which does not go along."""
    from PIL import ImageCms

    profile: object = image.info.get("icc_profile")
    if isinstance(profile, bytes):
        # One that does not fit, or is damaged, is not needed.
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.ImageCmsProfile(cast("Any", ImageCms).createProfile("sRGB"))
            shown = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            if shown is not None:
                return shown
    return image.convert("RGB")


def _encoded(image: "Image", digest: str, *, lossless: bool) -> Picture:
    if lossless and (data := _saved(image, "PNG")) is not None:
        return Picture(data, "image/png", digest)
    while True:
        for quality in QUALITIES:
            if (data := _saved(image, "JPEG", quality)) is not None:
                return Picture(data, "image/jpeg", digest)
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))


def _saved(image: "Image", kind: str, quality: int = 0) -> bytes | None:
    """The encoded picture; None where it is too large."""
    out = BytesIO()
    options = {"quality": quality, "subsampling": 0 if quality >= 90 else 2} if quality else {}
    image.save(out, kind, **options)
    return out.getvalue() if out.tell() <= MOST_SENT else None
