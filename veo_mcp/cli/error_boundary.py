"""The way out of every command: what a person or their machine can cause ends in one line and a documented exit status.

Called by cli/main.py around every command. A traceback is shown only to who asks for one, with VEO_LOG_LEVEL=DEBUG.
"""

import contextlib
import errno
import io
import os
import sys
import traceback
from collections.abc import Callable

from veo_mcp import logs
from veo_mcp.errors import VeoMcpError

__all__ = ["EXIT_CODES", "PIPE_CLOSED", "guarded", "silence"]

EXIT_CODES = (
    "Exit status: 0 done, 1 not done (a message says why), 2 wrong usage, 130 Ctrl-C, 141 the reader went away."
)
INTERRUPTED, PIPE_CLOSED = 130, 141


def guarded(act: Callable[[], None]) -> None:
    """Runs a command. Raises SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal in cp1252 or ASCII cannot show every prompt; a question mark is better than no answer.
            stream.reconfigure(errors="replace")
    status: object = 0
    try:
        act()
    except SystemExit as ending:
        # Click turns a closed pipe into status 1 itself.
        status = PIPE_CLOSED if _is_closed(ending.__context__) else ending.code
        if status == PIPE_CLOSED:
            silence()
    except BaseException as error:
        status = _report(logs.innermost(error))
    try:
        # Here, not when Python ends, where nobody could catch what a full disk or a closed pipe says.
        sys.stdout.flush()
    except BaseException as error:
        status = _report(error)
    if isinstance(status, str):
        with contextlib.suppress(OSError, ValueError):
            print(status, file=sys.stderr)  # noqa: T201 - as SystemExit itself would
        status = 1
    raise SystemExit(status)


def _report(error: BaseException) -> int:
    """Says what happened; the exit status."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if _is_closed(error):
        silence()
        return PIPE_CLOSED
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        silence()
    with contextlib.suppress(OSError, ValueError):
        print(_words(error), file=sys.stderr, flush=True)  # noqa: T201 - the console may be what broke
    return 1


def _words(error: BaseException) -> str:
    if isinstance(error, VeoMcpError):
        return error.explanation
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"{place}{error.strerror}. It was not done; what was written down before stays."
    from veo_mcp.settings import load  # only here, where speed no longer matters

    if load().log_level == "DEBUG":
        return "".join(traceback.format_exception(error))
    return (
        f"veo-mcp met an error of its own: {logs.in_one_line(error)}. Run it again with VEO_LOG_LEVEL=DEBUG for all of "
        "it, and please report that."
    )


def _is_closed(error: BaseException | None) -> bool:
    if not isinstance(error, OSError):
        return False
    if error.errno in (errno.EPIPE, errno.ESHUTDOWN):
        return True
    # Windows says "invalid argument" of a pipe that nobody reads.
    return os.name == "nt" and error.errno == errno.EINVAL and error.filename is None


def silence() -> None:
    """What is still unwritten has nowhere to go; Python would complain of it again as it exits."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
