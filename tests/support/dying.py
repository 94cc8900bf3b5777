"""The death of a child process at a chosen point. Used by the programs of the crash tests."""

import os
import signal
from collections.abc import Callable

__all__ = ["dies_at"]


def dies_at(point: str, skip: int = 0) -> Callable[[str], None]:
    """For `crash_at`: SIGKILL to this process at `point`, the `skip` first times excepted."""
    left = skip

    def crash_at(reached: str) -> None:
        nonlocal left
        if reached == point:
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    return crash_at
