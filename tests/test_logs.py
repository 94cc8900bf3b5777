"""The log: one line a matter, nothing of a request in it, and the same line not a thousand times."""

import json
import logging
import subprocess
import sys

import pytest

from veo_mcp.logs import Sparse, in_one_line

SCRIPT = """
import logging, sys
from veo_mcp import logs
logs.set_up(*sys.argv[1:])
library, ours = logging.getLogger("mcp.server.sse"), logging.getLogger("veo_mcp.x")
secret = "a prompt"
library.warning(f"Received invalid session ID: {secret}")
library.error("Tool %r failed: %r", secret, secret)
library.info(f"Terminating session: {secret}")
library.warning("Session 0123456789abcdef0123456789abcdef crashed")
try:
    raise ValueError(secret)
except ValueError:
    library.exception("Failed to parse message")
    ours.exception("The tool crashed.")
ours.info("plain")
"""


def written(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == ""
    return done.stderr


def test_nothing_of_a_request_and_no_traceback_is_logged() -> None:
    lines = written("INFO").splitlines()
    assert [line.split(" ", 3)[3] for line in lines] == [
        "mcp.server.sse Received invalid session ID",
        "mcp.server.sse Tool … failed: …",
        "mcp.server.sse Session … crashed",
        "mcp.server.sse Failed to parse message (ValueError at <string>:12)",
        "veo_mcp.x The tool crashed. (ValueError at <string>:12)",
        "veo_mcp.x plain",
    ]


def test_debug_shows_everything() -> None:
    said = written("DEBUG")
    assert "Traceback" in said
    assert "Terminating session: a prompt" in said


def test_json_is_one_object_a_line() -> None:
    records = [json.loads(line) for line in written("INFO", "json").splitlines()]
    assert records[-1]["message"] == "plain"
    assert records[-1]["level"] == "INFO"
    assert len(records) == 6


def test_a_line_that_repeats_is_counted() -> None:
    now = 0.0
    sparse = Sparse(lambda: now, loggers=("asyncio",), seconds=10)

    def passes(name: str = "asyncio", line: int = 1) -> logging.LogRecord | None:
        record = logging.LogRecord(name, logging.ERROR, "x.py", line, "message", None, None)
        return record if sparse.filter(record) else None

    assert passes() is not None
    assert [passes() for _ in range(500)] == [None] * 500
    assert passes(line=2) is not None, "another matter"
    assert passes("asynciox") is not None, "another logger"
    now = 10.0
    again = passes()
    assert again is not None
    assert vars(again)["more"] == 500


def test_a_deep_recursion_is_one_short_line() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    assert len(in_one_line(caught.value)) < 200
