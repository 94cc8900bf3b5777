"""What SQLite's errors mean for the person whose file it is: one sentence that names the file and says what to do.

Called by store.py for every error of its file. Never says whether anything was charged: that follows from when it came.
"""

import sqlite3
from pathlib import Path

from veo_mcp.errors import JournalUnusable
from veo_mcp.sqlite_file import Closed, NewerSchema

__all__ = ["TROUBLE", "unusable"]

TROUBLE = (Closed, NewerSchema, OSError, sqlite3.Error, UnicodeEncodeError, OverflowError)
"""What the work on a file may raise. The last two: a text or a number that is ours and cannot be kept."""

ADVICE = {
    sqlite3.SQLITE_READONLY: "Make it and its folder writable",
    sqlite3.SQLITE_PERM: "Make it and its folder writable",
    sqlite3.SQLITE_FULL: "Free some disk space",
    sqlite3.SQLITE_NOTADB: "Move it away (it holds the record of paid tasks, so keep it)",
    sqlite3.SQLITE_CORRUPT: "Move it away (it holds the record of paid tasks, so keep it)",
    sqlite3.SQLITE_BUSY: "Another program holds it; end that program",
    sqlite3.SQLITE_LOCKED: "Another program holds it; end that program",
    sqlite3.SQLITE_CANTOPEN: "Its folder is gone or closed to this program; bring it back",
    sqlite3.SQLITE_IOERR: "The disk or its folder does not answer; check both",
}


def unusable(path: Path, error: Exception) -> JournalUnusable:
    """The error to raise for this one."""
    if isinstance(error, Closed):
        return JournalUnusable(f"The journal {path} is closed.")
    if isinstance(error, NewerSchema):
        return JournalUnusable(
            f"The journal {path} was written by a newer veo-mcp. Start that one instead,"
            " or set VEO_JOURNAL to another file."
        )
    if isinstance(error, OSError):
        return JournalUnusable(
            f"The journal {path} cannot be opened: {error.strerror}. Fix its folder,"
            " or set VEO_JOURNAL to another file."
        )
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        advice = ADVICE.get(code & 0xFF, "Check the file and its folder")
        if code == sqlite3.SQLITE_READONLY_DBMOVED:
            advice = "It was moved or deleted while it was in use: bring it back, or start this server again"
        return JournalUnusable(
            f"The journal {path} cannot be used ({error}). {advice}, or set VEO_JOURNAL to another file."
        )
    return JournalUnusable(f"The journal {path} cannot keep a name or a number of this request.")
