"""Reads and replaces a host's file: encoding, mode, owner and symlink stay, and the first and the last copy are kept.

Called by command.py. A crash leaves the old file or the new one. What is read-only or cannot be read is left alone.
"""

import codecs
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from veo_mcp.cli.install.host import CannotInstall

__all__ = ["TextFile", "first_backup", "read", "remove", "write"]

FIRST, LAST = ".before-veo", ".before-veo-last"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file as it was read.

    Attributes:
        path: where it really lies, symlinks followed.
        raw: its bytes; None if it is not there.
        mark: the byte order mark it begins with.
        encoding: of the rest.
        text: the rest.
    """

    path: Path
    raw: bytes | None
    mark: bytes
    encoding: str
    text: str


def read(path: Path) -> TextFile:
    """The file, or an empty one where there is none. Raises CannotInstall."""
    try:
        real = path.resolve()
        raw = real.read_bytes()
    except FileNotFoundError:
        return TextFile(path.resolve(), None, b"", "utf-8", "")
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a symlink leads to itself"
        raise CannotInstall(f"{path} cannot be read ({reason}). Nothing was changed.") from None
    mark, encoding = next(((mark, name) for mark, name in _MARKS if raw.startswith(mark)), (b"", "utf-8"))
    try:
        return TextFile(real, raw, mark, encoding, raw[len(mark) :].decode(encoding))
    except UnicodeDecodeError:
        raise CannotInstall(f"{path} is not text in UTF-8 or UTF-16. Nothing was changed.") from None


def first_backup(path: Path) -> Path:
    """Where the file is kept as it was before we ever changed it."""
    return path.with_name(path.name + FIRST)


def write(file: TextFile, text: str) -> Path | None:
    """Replaces the file; the copy of what it was, or None if it was not there. Raises CannotInstall."""
    path = file.path
    with _explained(path):
        if file.raw is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text.encode("utf-8"), None)
            return None
        before = path.stat()
        if not before.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
            raise CannotInstall(f"{path} is read-only. Nothing was changed.")
        first = first_backup(path)
        copy = path.with_name(path.name + LAST) if first.exists() else first
        shutil.copy2(path, copy)
        if path.read_bytes() != file.raw:
            raise CannotInstall(f"{path} was changed by another program just now. Nothing was changed; try again.")
        _replace(path, file.mark + text.encode(file.encoding), before)
        return copy


def remove(file: TextFile) -> None:
    """Deletes a file that holds nothing but what we had put there. Raises CannotInstall."""
    with _explained(file.path):
        file.path.unlink()


@contextlib.contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise CannotInstall(f"{path} cannot be written ({error.strerror}). Nothing was changed.") from None


def _replace(path: Path, content: bytes, like: os.stat_result | None) -> None:
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A new file stays its owner's alone, as mkstemp makes it: an entry may come to hold a key.
        if like is not None:
            os.chmod(scratch, stat.S_IMODE(like.st_mode))
            if hasattr(os, "chown") and (like.st_uid, like.st_gid) != (os.getuid(), os.getgid()):
                os.chown(scratch, like.st_uid, like.st_gid)
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise
