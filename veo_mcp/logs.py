"""How the log reads on stderr: one line a matter, no traceback and no text of a request unless DEBUG was asked for.

Set up by app.py. What a client, the API or a stranger sends can make libraries log it, and thousands of
times a second: so foreign words are left out of libraries' lines, and lines that repeat are counted, not written.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from veo_mcp import telemetry

__all__ = ["Sparse", "audit", "in_one_line", "innermost", "set_up"]

PACKAGE = Path(__file__).parent
PLACES = 3
QUIET = ("httpx", "httpcore", "uvicorn", "uvicorn.error", "mcp", "sse_starlette")
"""Libraries whose INFO lines hold paths or session ids, which are secrets."""
REPEATING = ("asyncio", "uvicorn.error", "mcp", "veo_mcp.server.stdio", "veo_mcp.web", "veo_mcp.tasks.callbacks")
SPARSE_SECONDS = 10.0
_PLACEHOLDER = re.compile(r"%(\(\w+\))?[-#0 +]*\d*(\.\d+)?[a-zA-Z]")
_ID = re.compile(r"\b[0-9a-fA-F]{8,}(-[0-9a-fA-F]{4,})*\b")


def set_up(level: str, form: str = "text") -> None:
    """Sends the log of all libraries to stderr, from `level` on; each line as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(full=level == "DEBUG", as_json=form == "json"))
    handler.addFilter(Sparse(time.monotonic, loggers=REPEATING))
    logging.basicConfig(handlers=[handler], level=level)
    if level != "DEBUG":
        for name in QUIET:
            logging.getLogger(name).setLevel("WARNING")


def audit(line: Mapping[str, object]) -> None:
    """Writes one line of the audit trail to stderr as JSON, whatever the level and the form of the log."""
    fields: dict[str, object] = {"audit": line}
    if (request := telemetry.request_id.get()) is not None:
        fields["request_id"] = request
    sys.stderr.write(json.dumps(fields) + "\n")
    sys.stderr.flush()


def innermost(error: BaseException) -> BaseException:
    """What went wrong first: task groups wrap what goes wrong inside them."""
    wrapped: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return innermost(wrapped[0]) if wrapped else error


def in_one_line(error: BaseException) -> str:
    """The kind of an error and where in this package it came up; never its text, which may come from outside."""
    error = innermost(error)
    # The stack alone, without the lines of code: a RecursionError has a thousand frames.
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    lines = [line for _, line in traceback.walk_tb(error.__traceback__)]
    places = [
        f"{Path(frame.f_code.co_filename).relative_to(PACKAGE)}:{line}"
        for frame, line in zip(frames, lines, strict=True)
        if Path(frame.f_code.co_filename).is_relative_to(PACKAGE)
    ]
    if not places and frames:
        places = [f"{Path(frames[-1].f_code.co_filename).name}:{lines[-1]}"]
    return f"{type(error).__name__} at {' > '.join(places[-PLACES:])}" if places else type(error).__name__


class Sparse(logging.Filter):
    """Lets a line of the named loggers pass once in ten seconds, and says how many like it came in between."""

    def __init__(
        self, clock: Callable[[], float], *, loggers: tuple[str, ...], seconds: float = SPARSE_SECONDS
    ) -> None:
        super().__init__()
        self._clock = clock
        self._loggers = loggers
        self._seconds = seconds
        self._seen: dict[tuple[str, str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        if not any(record.name == name or record.name.startswith(f"{name}.") for name in self._loggers):
            return True
        # By the place in the code: texts may differ each time.
        key = (record.name, record.pathname, record.lineno)
        now = self._clock()
        last, more = self._seen.get(key, (float("-inf"), 0))
        if now - last < self._seconds:
            self._seen[key] = (last, more + 1)
            return False
        self._seen[key] = (now, 0)
        record.more = more
        return True


class _Formatter(logging.Formatter):
    """Writes one line a record; in full, tracebacks and libraries' words too."""

    def __init__(self, *, full: bool, as_json: bool) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._full = full
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        record = logging.makeLogRecord(record.__dict__)
        if not self._full:
            text = record.getMessage() if record.name.startswith("veo_mcp") else _own_words(record)
            error = record.exc_info[1] if record.exc_info else None
            record.msg = f"{text} ({in_one_line(error)})" if error is not None else text
            record.args = record.exc_info = record.exc_text = record.stack_info = None
        more = getattr(record, "more", 0)
        if more:
            record.msg, record.args = f"{record.getMessage()} ({more} more like it since the last)", None
        if not self._as_json:
            return super().format(record)
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request := telemetry.request_id.get()) is not None:
            fields["request_id"] = request
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields)


def _own_words(record: logging.LogRecord) -> str:
    """What a library says itself: without what was filled in, which may be a stranger's."""
    template = str(record.msg).partition("\n")[0]
    words = _PLACEHOLDER.sub("…", template) if record.args else template.partition(": ")[0]
    return _ID.sub("…", words)
