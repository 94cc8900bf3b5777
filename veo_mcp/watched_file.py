"""A small file that a person edits while the server runs: read again when it has changed.

Used for access tokens and limits. Looks at the file's state with every use, which costs a microsecond; never follows it
in the background, so that nothing has to be started or ended.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

__all__ = ["WatchedFile", "numbered_lines"]

log = logging.getLogger(__name__)

T = TypeVar("T")
LARGEST = 4 * 1024 * 1024


class WatchedFile(Generic[T]):
    """What stands in a file now.

    Args:
        path: the file.
        parse: makes a value of its text. Raises ValueError with words that hold nothing of the text.
        otherwise: what counts while the file cannot be read; without it, what it said last.
    """

    def __init__(self, path: Path, parse: Callable[[str], T], *, otherwise: T | None = None) -> None:
        self._path = path
        self._parse = parse
        self._otherwise = otherwise
        self._state: tuple[int, ...] | None = None
        self._value: T | None = None

    def first(self) -> T:
        """What stands in it at the start. Raises ValueError with the reason when it is not usable."""
        try:
            state = self._stat()
            self._value, self._state = self._parse(self._read()), state
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror or type(error).__name__}") from None
        return self._value

    def now(self) -> T | None:
        """What stands in it now; a change that makes it unusable is logged once."""
        try:
            state = self._stat()
        except OSError as error:
            if self._state != ():
                log.error("%s cannot be read: %s.", self._path, error.strerror)
            self._state, self._value = (), self._fallback()
            return self._value
        if state == self._state:
            return self._value
        self._state = state
        try:
            self._value = self._parse(self._read())
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else str(error)
            log.error("%s was changed and is not usable: %s.", self._path, words)
            self._value = self._fallback()
        return self._value

    def _fallback(self) -> T | None:
        return self._value if self._otherwise is None else self._otherwise

    def _stat(self) -> tuple[int, ...]:
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size, found.st_ctime_ns

    def _read(self) -> str:
        with self._path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError("is larger than 4 MiB")
        return content.decode("utf-8", "strict")


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, with their numbers; empty ones and comments (#) are left out."""
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        line = raw.strip()
        if line and not line.startswith("#"):
            yield number, line
