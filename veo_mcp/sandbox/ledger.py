"""The sandbox's ledger: accounts, a double-entry ledger, and the tasks; in SQLite, so that they survive a restart.

Called by the sandbox's app and worker. A charge and its task are one transaction, a refund and its failure another; the
rows of every transaction sum to zero. Keys are kept as hashes only.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from veo_mcp.sandbox.files import Recent, tighten
from veo_mcp.sandbox.key_rules import Rules
from veo_mcp.sqlite_file import SqliteFile

__all__ = ["Insufficient", "Ledger", "LimitReached", "Task"]

HOUR = 3600.0
REMEMBERED = 1000
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE accounts (id TEXT PRIMARY KEY) STRICT;
CREATE TABLE moves (
    txn INTEGER NOT NULL, account TEXT NOT NULL, amount INTEGER NOT NULL, kind TEXT NOT NULL, task TEXT
) STRICT;
CREATE INDEX moves_account ON moves (account);
CREATE UNIQUE INDEX moves_once ON moves (task, kind, account) WHERE task IS NOT NULL;
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, model TEXT NOT NULL,
    body TEXT NOT NULL, status TEXT NOT NULL, price INTEGER NOT NULL, seed INTEGER NOT NULL, created_at REAL NOT NULL,
    completed_at REAL, progress REAL, path TEXT, error_code TEXT, error_message TEXT, told INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tasks_open ON tasks (status, number);
"""
OWED = "CREATE INDEX tasks_owed ON tasks (number) WHERE told = 0;"
DELIVERED = """
ALTER TABLE tasks RENAME COLUMN told TO callback_delivered;
DROP INDEX IF EXISTS tasks_owed;
CREATE INDEX tasks_owed ON tasks (number) WHERE callback_delivered = 0;
"""
MIGRATIONS = (SCHEMA, OWED, DELIVERED)
"""A file has as many of these behind it as its user_version says; a change of the schema is one more at the end."""
COLUMNS = (
    "id, account, model, body, status, price, seed, created_at, completed_at, progress, path, error_code, "
    "error_message, callback_delivered"
)


class Insufficient(Exception):
    """The balance does not cover the price."""


class LimitReached(Exception):
    """A spend limit of the key does not cover the price; the message names which: hourly, daily or total."""


@dataclass(frozen=True, slots=True)
class Task:
    """A row of the tasks; `body` is the request as it came, `path` the video's place under /videos/."""

    id: str
    account: str
    model: str
    body: dict[str, Any]
    status: str
    price: int
    seed: int
    created_at: float
    completed_at: float | None
    progress: float | None
    path: str | None
    error_code: str | None
    error_message: str | None
    callback_delivered: bool

    @property
    def asked(self) -> dict[str, Any]:
        """`input` of the request."""
        asked: object = self.body.get("input")
        return cast("dict[str, Any]", asked) if isinstance(asked, dict) else {}

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do but to deliver its callback."""
        return self.status in ("completed", "failed")

    def shown(self, base_url: str, now: float, seconds: float) -> dict[str, Any]:
        """The task as `GET /v1/tasks/{id}` and callbacks show it; `seconds` is how long a generation takes."""
        shape: dict[str, Any] = {
            "id": self.id,
            "status": self.status,
            "model": self.model,
            "created_at": int(self.created_at),
        }
        if self.status == "pending":
            shape["progress"] = None
        if self.status == "processing":
            shape["progress"] = max(0, min(99, int(100 * (now - self.created_at) / seconds))) if seconds else 50
        if self.status == "completed":
            shape["completed_at"] = int(self.completed_at or self.created_at)
            shape["output"] = {
                "urls": [f"{base_url}/videos/{self.path}"],
                "metadata": {"resolution": "720p"},
            }
        if self.status == "failed":
            shape["error"] = {"code": self.error_code, "message": self.error_message}
        return shape


def account_id(key: str) -> str:
    """The account of a key, without the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class Ledger:
    """The ledger in one file.

    Args:
        path: the SQLite file.
        new_id: makes the ledger's own id when the file is new.
    """

    def __init__(self, path: Path, new_id: Callable[[], str]) -> None:
        self._open = Recent[None](REMEMBERED)
        self._file = SqliteFile(path, MIGRATIONS)
        # SQLite's journal beside it holds former pages of it, and keeps the mode it was made with.
        for each in (path, path.with_name(path.name + "-journal")):
            tighten(each)

        def own_id(db: sqlite3.Connection) -> str:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('id', ?)", (new_id(),))
            return str(db.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()[0])

        self.id: str = self._file.open_now(own_id)

    def close(self) -> None:
        """Closes the file."""
        self._file.close_now()

    async def open_account(self, key: str, opening: int) -> str:
        """The account of this key; a new one gets its opening credits."""
        account = account_id(key)
        if account in self._open:
            return account

        def write(db: sqlite3.Connection) -> None:
            if db.execute("SELECT 1 FROM accounts WHERE id = ?", (account,)).fetchone() is None:
                db.execute("INSERT INTO accounts VALUES (?)", (account,))
                _book(db, "purchase", "bank", account, opening, None)

        await self._file.write(write)
        self._open.put(account, None)
        return account

    async def credits(self, account: str) -> dict[str, int]:
        """Balance, purchased and consumed, as the API names them."""

        def read(db: sqlite3.Connection) -> dict[str, int]:
            rows = dict(
                db.execute("SELECT kind, SUM(amount) FROM moves WHERE account = ? GROUP BY kind", (account,)).fetchall()
            )
            return {
                "balance": sum(rows.values()),
                "total_purchased": rows.get("purchase", 0),
                "total_consumed": -rows.get("charge", 0) - rows.get("refund", 0),
            }

        return await self._file.read(read)

    async def charge(self, task: Task, rules: Rules) -> None:
        """Charges for a task and writes it down, together. Raises LimitReached, Insufficient."""
        limits = {
            "hourly": (rules.hourly, HOUR),
            "daily": (rules.daily, 24 * HOUR),
            "total": (rules.total, task.created_at),
        }

        def write(db: sqlite3.Connection) -> None:
            for name, (most, seconds) in limits.items():
                if most is not None and _spent(db, task.account, task.created_at - seconds) + task.price > most:
                    raise LimitReached(name)
            balance = db.execute(
                "SELECT COALESCE(SUM(amount), 0) FROM moves WHERE account = ?", (task.account,)
            ).fetchone()[0]
            if balance < task.price:
                raise Insufficient
            db.execute(
                "INSERT INTO tasks (id, account, model, body, status, price, seed, created_at)"
                " VALUES (?, ?, ?, ?, 'pending', ?, ?, ?)",
                (task.id, task.account, task.model, json.dumps(task.body), task.price, task.seed, task.created_at),
            )
            _book(db, "charge", task.account, "revenue", task.price, task.id)

        await self._file.write(write)

    async def get(self, task_id: str, account: str | None = None) -> Task | None:
        """A task; with an account, only its own."""

        def read(db: sqlite3.Connection) -> Task | None:
            row = db.execute(f"SELECT {COLUMNS} FROM tasks WHERE id = ?", (task_id,)).fetchone()  # noqa: S608
            task = _task(row) if row else None
            return task if task is not None and account in (None, task.account) else None

        return await self._file.read(read)

    async def owed(self) -> list[str]:
        """The ids of tasks that have not ended, or whose callback has not been dealt with, oldest first."""
        return await self._file.read(
            lambda db: [
                row[0] for row in db.execute("SELECT id FROM tasks WHERE callback_delivered = 0 ORDER BY number")
            ]
        )

    async def newest(self, limit: int) -> list[Task]:
        """The newest tasks of all accounts, for the gallery."""
        return await self._tasks(f"TRUE ORDER BY number DESC LIMIT {limit:d}")

    async def processing(self, task_id: str, progress: float | None) -> None:
        """Marks a task as being processed."""

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE tasks SET status = 'processing', progress = ? WHERE id = ?"
                " AND status IN ('pending', 'processing')",
                (progress, task_id),
            )

        await self._file.write(write)

    async def complete(self, task_id: str, path: str, now: float) -> None:
        """Marks a task as completed."""

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "UPDATE tasks SET status = 'completed', completed_at = ?, path = ?, progress = NULL"
                " WHERE id = ? AND status IN ('pending', 'processing')",
                (now, path, task_id),
            )

        await self._file.write(write)

    async def fail(self, task_id: str, code: str, message: str, now: float) -> None:
        """Marks a task as failed and gives its credits back, together, once."""

        def write(db: sqlite3.Connection) -> None:
            done = db.execute(
                "UPDATE tasks SET status = 'failed', completed_at = ?, error_code = ?, error_message = ?,"
                " progress = NULL WHERE id = ? AND status IN ('pending', 'processing') RETURNING account, price",
                (now, code, message, task_id),
            ).fetchone()
            if done is not None:
                _book(db, "refund", "revenue", done[0], done[1], task_id)

        await self._file.write(write)

    async def callback_delivered(self, task_id: str) -> None:
        """Notes that the callback of this task was delivered, or that none is due."""
        await self._file.write(
            lambda db: db.execute("UPDATE tasks SET callback_delivered = 1 WHERE id = ?", (task_id,))
        )

    async def _tasks(self, where: str) -> list[Task]:
        def read(db: sqlite3.Connection) -> list[Task]:
            return [_task(row) for row in db.execute(f"SELECT {COLUMNS} FROM tasks WHERE {where}")]  # noqa: S608

        return await self._file.read(read)


def _spent(db: sqlite3.Connection, account: str, since: float) -> int:
    """Credits charged and not refunded for tasks created after `since`."""
    row = db.execute(
        "SELECT COALESCE(SUM(price), 0) FROM tasks WHERE account = ? AND created_at > ? AND status != 'failed'",
        (account, since),
    ).fetchone()
    return int(row[0])


def _book(db: sqlite3.Connection, kind: str, source: str, target: str, amount: int, task: str | None) -> None:
    txn = db.execute("SELECT COALESCE(MAX(txn), 0) + 1 FROM moves").fetchone()[0]
    db.execute("INSERT INTO moves VALUES (?, ?, ?, ?, ?)", (txn, source, -amount, kind, task))
    db.execute("INSERT INTO moves VALUES (?, ?, ?, ?, ?)", (txn, target, amount, kind, task))


def _task(row: tuple[Any, ...]) -> Task:
    values = list(row)
    try:
        body = json.loads(values[3])
    except (ValueError, RecursionError):
        body = None
    # A damaged row is a task without a request: it fails and is refunded, and the others go on.
    values[3] = body if isinstance(body, dict) else {}
    values[13] = bool(values[13])
    return Task(*values)
