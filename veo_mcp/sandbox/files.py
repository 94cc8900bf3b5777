"""Files and folders that only their owner can read, whatever the umask, and maps that cannot grow without end.

Used by the sandbox's ledger, accounts and embedding. Prompts and keys lie in these files, and other people share the
machine.
"""

import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

__all__ = ["FOLDER", "Recent", "private_folder", "tighten", "write_private"]

V = TypeVar("V")

FILE, FOLDER = 0o600, 0o700


def private_folder(path: Path) -> None:
    """Makes a folder and its missing parents, each 0700. One that is there already is left as its owner made it."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        # mkdir(parents=True) would give the parents the umask's mode.
        each.mkdir(FOLDER, exist_ok=True)
    if not path.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(path))


def tighten(path: Path, mode: int = FILE) -> None:
    """Takes other people's access to a file of ours away; leaves alone what is not ours, or not there."""
    with suppress(OSError):
        if path.stat().st_mode & 0o077:
            path.chmod(mode)


def write_private(path: Path, text: str) -> None:
    """Replaces a file's content at once: a reader sees the old text or the new one, never half of it."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


class Recent(Generic[V]):
    """A map that keeps its `most` most recently set keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[str, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: str) -> bool:
        return key in self._items

    def get(self, key: str, default: V) -> V:
        """The value of a key, or `default`."""
        return self._items.get(key, default)

    def put(self, key: str, value: V) -> None:
        """Sets a key, and lets go of the one set longest ago where there are too many."""
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._most:
            self._items.popitem(last=False)
