"""What PostgreSQL's errors mean: whether a try may be repeated, and one sentence for the person whose database it is.

Called by database.py and follower.py for every error of theirs. PostgreSQL's own words are never passed on: they may
hold values of a row. Never says whether anything was charged: that follows from when it came.
"""

import ssl

from asyncpg import ClientConfigurationError, DataError, InterfaceError, InternalClientError, PostgresError

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.postgres.rows import NewerSchemaError

__all__ = ["TROUBLE", "lost", "passing", "unusable"]

TROUBLE = (
    *(PostgresError, InterfaceError, InternalClientError, OSError),
    *(NewerSchemaError, UnicodeEncodeError, OverflowError),
)
"""What the work on a database may raise; a TimeoutError and what TLS says are OSErrors. asyncpg takes a connection that
is just being closed for an error of its own, an InternalClientError."""

_LOST = ("08", "57P")
"""Connection failures, and a server that shuts down, crashed or starts up."""
_PASSING = (
    *_LOST,
    "40",  # a deadlock or a conflict: the other one has gone first
    "23505",  # the same key at the same moment: looked at again, it is found
    "25006",  # read-only: this machine is no longer, or not yet, the primary
    "25P03",  # held up so long inside a transaction that the server took it back
    "53300",  # too many connections
    "55P03",  # another session has held a lock for long
    "57014",  # a statement took longer than it may
)
_SENTENCES = (
    ("28", "does not accept this user or password. Correct VEO_JOURNAL, PGPASSWORD or the password file"),
    ("3D000", "has no database of this name. Create it, or correct VEO_JOURNAL"),
    ("3F000", "has no schema to work in. Create the first one of the search path, or correct VEO_JOURNAL"),
    ("42501", "does not allow this user what is needed. Let it create tables in the schema, and read and write them"),
    ("42P01", "has lost tables of this journal. Restore them from a backup: they hold the record of paid tasks"),
    ("42703", "has lost columns of this journal. Restore them from a backup: they hold the record of paid tasks"),
    ("53100", "has no disk space left. Free some"),
    ("53300", "has no connection to spare. Raise its max_connections, or start fewer servers"),
    ("25006", "takes no changes: it is a standby. Point VEO_JOURNAL at the primary"),
    ("42704", "does not know an option of this address. Correct what stands after ? in VEO_JOURNAL"),
    ("22023", "does not accept an option of this address. Correct what stands after ? in VEO_JOURNAL"),
    ("55P03", "is held by something else for long, such as a backup. Try again when that is done"),
    ("57P", "is shutting down or starting up. Try again in a moment"),
)


def lost(error: BaseException) -> bool:
    """Whether the connection is gone, so that nobody knows what became of a commit on its way."""
    if isinstance(error, PostgresError):
        return _sqlstate(error).startswith(_LOST)
    return isinstance(error, (OSError, InterfaceError, InternalClientError))


def passing(error: BaseException) -> bool:
    """Whether the same work may well succeed in a moment."""
    if isinstance(error, PostgresError):
        return _sqlstate(error).startswith(_PASSING)
    if isinstance(error, (DataError, ClientConfigurationError, ssl.SSLCertVerificationError)):
        return False
    return isinstance(error, (OSError, InterfaceError, InternalClientError))


def unusable(where: str, error: BaseException) -> JournalUnusable:
    """The error to raise for this one; `where` names the database without its password."""
    if isinstance(error, JournalUnusable):
        return error
    if isinstance(error, NewerSchemaError):
        return JournalUnusable(
            f"The journal {where} was moved on by a newer veo-mcp. Start that one instead,"
            " or set VEO_JOURNAL to another database."
        )
    if isinstance(error, PostgresError) and not _sqlstate(error).startswith("08"):
        state = _sqlstate(error)
        if state.startswith(("22", "54000")) and state != "22023":
            return JournalUnusable(f"The journal {where} cannot keep a name or a number of this request.")
        for start, words in _SENTENCES:
            if state.startswith(start):
                return JournalUnusable(f"The journal's database {where} {words}.")
        return JournalUnusable(
            f"The journal's database {where} cannot be used (SQLSTATE {state or 'unknown'}). Its own log says why."
        )
    if isinstance(error, (DataError, UnicodeEncodeError, OverflowError)):
        return JournalUnusable(f"The journal {where} cannot keep a name or a number of this request.")
    if isinstance(error, ClientConfigurationError):
        return JournalUnusable(f"The journal's address {where} is not one of PostgreSQL. Correct VEO_JOURNAL.")
    if isinstance(error, ssl.SSLError):
        return JournalUnusable(
            f"No secure connection to the journal's database {where} comes about. Check its certificate,"
            " and sslmode and sslrootcert in VEO_JOURNAL."
        )
    return JournalUnusable(
        f"The journal's database {where} cannot be reached. Check that PostgreSQL runs there, and VEO_JOURNAL."
    )


def _sqlstate(error: PostgresError) -> str:
    return str(getattr(error, "sqlstate", None) or "")
