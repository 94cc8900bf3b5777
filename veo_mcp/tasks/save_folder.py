"""The one folder that finished videos are saved in: what is whole there, how a file gets its name, what went wrong.

Used by the saver, by films.py and the command line. A file that is under way has a hidden name in the same folder, so
that its last step is one rename; that step never replaces a file that is there. Everything here blocks: call it in a
thread.
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

MOST_NAMES = 100
PROBE_BYTES = 65_536


def prepare(folder: Path) -> None:
    """Makes the folder, if the one that it lies in is there: a drive that is not mounted is not written beneath."""
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
    """Where the file is made that is to be named `target`."""
    return target.with_name(f".{target.name}{suffix}")


def whole(path: Path) -> Measured | None:
    """What the file says of itself; None where it is no whole video, or no plain file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        return measure(path)
    except (OSError, NotWhole):
        return None


def place(work: Path, target: Path) -> Path:
    """Gives a finished file its name, or the next one that is free; where it is then. Raises OSError, FileTrouble."""
    _flush(work)
    for number in range(1, MOST_NAMES):
        name = target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")
        if _named(work, name):
            with suppress(OSError):
                _flush(target.parent)
            return name
    raise FileTrouble(f"There are already {MOST_NAMES - 1} files named like {clean(target.name)}.")


def sweep(target: Path, suffix: str) -> None:
    """Takes away what an earlier process left behind on its way to `target`."""
    with suppress(OSError):
        for path in target.parent.iterdir():
            if path.name.startswith(f".{target.name}.") and path.name.endswith(suffix):
                path.unlink(missing_ok=True)


def _named(work: Path, name: Path) -> bool:
    try:
        # A second name, then the first one away: unlike a rename this never replaces a file.
        os.link(work, name)
    except FileExistsError:
        return False
    except OSError:
        # FAT and many network drives know no second name.
        if name.exists() or name.is_symlink():
            return False
        work.rename(name)
        return True
    work.unlink(missing_ok=True)
    return True


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
