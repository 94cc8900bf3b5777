"""The folder that finished videos are saved in: finds complete files, names them safely, words what went wrong.

Used by the saver, by films.py and the command line. A file is written under a hidden name in the same folder, and
gets its own by a hard link, which never replaces a file; where the file system has none, by a look and a rename,
between which another program could take the name. Everything here blocks: call it in a thread.
"""

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from veo_mcp.errors import FileTrouble
from veo_mcp.mp4 import Measured, NotWhole, measure
from veo_mcp.text import clean

__all__ = ["hidden", "place", "prepare", "probe", "sweep", "trouble", "whole"]

MAX_NAMES = 99
PROBE_BYTES = 65_536


def prepare(folder: Path) -> None:
    """Makes the folder but not its parents, so that nothing is written below a mount point without its drive."""
    with suppress(FileExistsError):
        folder.mkdir(0o700)


def probe(folder: Path) -> str | None:
    """Why nothing can be saved in the folder at the moment, or None."""
    try:
        name = folder / f".veo-mcp-{secrets.token_hex(4)}"
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # On a full disk an empty file can still be made.
            os.write(handle, bytes(PROBE_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
            name.unlink()
    except OSError as error:
        return trouble(error, folder)
    return None


def trouble(error: OSError, folder: Path) -> str:
    """What a failed write means for the person, in one sentence."""
    where = clean(str(folder), 300)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk of {where} is full."
        case errno.ENOENT | errno.ENOTDIR:
            return f"The folder {where} does not exist."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"The folder {where} cannot be written to."
        case _:
            return f"The folder {where} cannot be used: {clean(error.strerror or 'an unknown error', 100)}."


def hidden(target: Path, suffix: str = "") -> Path:
    """The hidden path under which `target` is written first."""
    return target.with_name(f".{target.name}{suffix}")


def whole(path: Path) -> Measured | None:
    """The video's length and size; None if it is incomplete or not a regular file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        return measure(path)
    except (OSError, NotWhole):
        return None


def place(work: Path, target: Path) -> Path:
    """Moves a finished file to `target`, or to the next free numbered name. Returns its path.

    Raises OSError, and FileTrouble if every name is taken.
    """
    _flush(work)
    for number in range(1, MAX_NAMES + 1):
        name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        if _link(work, name):
            with suppress(OSError):
                _flush(target.parent)
            return name
    raise FileTrouble(f"There are already {MAX_NAMES} files named like {clean(target.name)}.")


def sweep(target: Path, suffix: str) -> None:
    """Deletes temporary files of `target` that an earlier process left."""
    with suppress(OSError):
        for path in target.parent.iterdir():
            if path.name.startswith(f".{target.name}.") and path.name.endswith(suffix):
                path.unlink(missing_ok=True)


def _link(work: Path, name: Path) -> bool:
    try:
        # A hard link, then the old name is removed: unlike a rename this never replaces a file.
        os.link(work, name)
    except FileExistsError:
        return False
    except OSError:
        # FAT and many network drives have no hard links.
        if name.exists() or name.is_symlink():
            return False
        work.rename(name)
        return True
    work.unlink(missing_ok=True)
    return True


def _flush(path: Path) -> None:
    # Windows flushes only what is open for writing, and a folder can be opened for reading alone.
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
