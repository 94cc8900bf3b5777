"""A person at a terminal of 80 columns: types, presses keys, and sees a screen. POSIX only.

Used by the tests of the terminal. The program runs on a real pseudo-terminal; pyte is the screen.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyte

from tests.support.places import places

__all__ = ["COLUMNS", "Person", "at_a_terminal", "environment"]

COLUMNS, LINES = 80, 60
LONGEST_SECONDS = 60.0
OURS = re.compile(r"VEO_|AIVIDEOAPI_|COLUMNS|LINES|NO_COLOR")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """A home of the person's own, with nothing of the machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    return {
        **kept,
        "HOME": str(home),
        **places(home),
        "VEO_JOURNAL": str(home / "journal.db"),
        "VEO_SANDBOX_DIR": str(home / "sandbox"),
        "VEO_SANDBOX_SECONDS": "0",
        "TERM": "xterm-256color",
        "PYTHONIOENCODING": "",
        "LANG": "C.UTF-8",
        **settings,
    }


class Person:
    """Who looks at the screen.

    Attributes:
        seen: everything that the program ever wrote there.
        status: what it exited with, once it has.
    """

    def __init__(self, terminal: int, child: "subprocess.Popen[bytes]") -> None:
        self._terminal = terminal
        self._child = child
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self.seen = ""
        self.status: int | None = None

    def reads(self, words: str) -> None:
        """Waits until these words are there."""
        end = time.monotonic() + LONGEST_SECONDS
        while words not in self.seen:
            if time.monotonic() > end or not self._look(end):
                raise AssertionError(f"“{words}” never came; there was:\n{self.seen}")

    def types(self, text: str) -> None:
        """Types; a line end is the enter key, \\x03 is Ctrl-C."""
        os.write(self._terminal, text.encode())

    def waits(self) -> int:
        """Until the program has ended; its exit status."""
        end = time.monotonic() + LONGEST_SECONDS
        while self._look(end):
            pass
        self.status = self._child.wait(max(0.1, end - time.monotonic()))
        return self.status

    def screen(self) -> list[str]:
        """The lines that stand there now."""
        return [line.rstrip() for line in self._screen.display if line.strip()]

    def _look(self, end: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, end - time.monotonic()))
        try:
            data = os.read(self._terminal, 65536) if ready else b""
        except OSError:  # the other end is gone
            data = b""
        self._stream.feed(data)
        self.seen += data.decode("utf-8", "replace")
        return bool(data)


@contextmanager
def at_a_terminal(*arguments: str, env: dict[str, str], folder: Path) -> Generator[Person]:
    """`veo-mcp` with these arguments, started by hand."""
    terminal, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    child = subprocess.Popen(
        [sys.executable, "-m", "veo_mcp", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=env,
        cwd=folder,
        preexec_fn=own_terminal,  # noqa: PLW1509 - a terminal of its own; the test has no other thread here
    )
    os.close(slave)
    try:
        yield Person(terminal, child)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        os.close(terminal)
