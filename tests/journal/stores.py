"""What the contract needs to know of a store under test, and entries and accounts to try it with.

A test module gives a `store` fixture that fulfils Store; contract.py and its cases use nothing else.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

from pydantic import SecretStr

from veo_mcp.api.account import Account
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.journal import Journal, Lease, Limits

__all__ = [
    "ANN",
    "ANNOUNCED_WITHIN",
    "BOB",
    "DAY",
    "NO_LIMITS",
    "OLD_ROWS",
    "SANDBOX",
    "Store",
    "begin",
    "leased",
    "request",
    "running",
    "task",
]

DAY = 24 * 3600.0
ANNOUNCED_WITHIN = 2.0
"""Seconds in which a change of another process is announced, whether the store listens or polls."""
NO_LIMITS = Limits()
REAL = "https://api.example"
ANN = Account(REAL, "ann", SecretStr("sk-ann"))
BOB = Account(REAL, "bob", SecretStr("sk-bob"))
SANDBOX = Account("sandbox:1", "ann", SecretStr("sk-sandbox"))

OLD_ROWS: list[tuple[str, str, str, str, str | None, float | None, int]] = [
    # id, api, status, charged, API id, completed_at, polls
    ("vid_done", ANN.api, "completed", "yes", "task-done", 1500.0, 4),
    ("vid_running", ANN.api, "processing", "yes", "task-running", None, 2),
    ("vid_refunded", ANN.api, "failed", "refunded", "task-refunded", 1090.0, 3),
    ("vid_lost", ANN.api, "unknown", "unknown", None, None, 0),
    ("vid_odd_date", ANN.api, "completed", "yes", "task-odd", 1e300, 0),
    ("vid_from_the_future", ANN.api, "paused", "yes", None, None, 0),
    ("vid_sandbox", "sandbox:1", "completed", "yes", "task-sandbox", 1090.0, 0),
]
"""What an older version had in its store, each for 40 credits, begun at 1000 and changed last at 1090, sent by "gone".
The named value `callback_secret` is "kept"."""


class Store(Protocol):
    """One store, empty at first, that several processes may have open."""

    learns_by: Literal["listen", "look"]
    #: The moment on the clock by which leases count: the caller's, or the store's own.
    now: float
    #: The versions of the schema before this one, oldest first.
    older_versions: Sequence[int]

    def open(self) -> AbstractAsyncContextManager[Journal]:
        """Opens it again, as another process would."""
        ...

    async def move_clock(self, seconds: float) -> None:
        """Moves the clock by which leases count, and `now` with it; also back."""
        ...

    async def write_behind_the_back(self, entry_id: str, **columns: Any) -> None:
        """Sets columns of a row, as one more change, as a newer version could."""
        ...

    async def make_older(self, version: int) -> None:
        """Makes the store as that version left it, with OLD_ROWS."""
        ...

    async def make_newer(self) -> None:
        """Makes the store look as if a newer version had migrated it."""
        ...


def request(number: int, now: float, *, account: Account = ANN, **fields: Any) -> Entry:
    """A request before it is sent."""
    values: dict[str, Any] = {
        "id": f"vid_{account.principal}_{account.api[:4]}_{number}",
        "api": account.api,
        "principal": account.principal,
        "kind": "create",
        "fingerprint": f"fingerprint-{number}",
        "body": '{"prompt": "x"}',
        "prompt": "x",
        "model": "veo-3",
        "mode": "fast",
        "aspect_ratio": "16:9",
        "credits": 40,
        "status": Status.SUBMITTING,
        "created_at": now,
        "updated_at": now,
        "worker_id": "worker",
        "deadline": now + 45,
        "next_poll_at": now,
    }
    return Entry(**(values | fields))


def task(number: int, now: float, *, account: Account = ANN, **fields: Any) -> Entry:
    """A task that was made elsewhere and is under way."""
    values: dict[str, Any] = {
        "fingerprint": "",
        "upstream_id": f"task-{account.principal}-{number}",
        "status": Status.PENDING,
        "charged": "yes",
        "worker_id": None,
        "deadline": None,
    }
    return request(number, now, account=account, **(values | fields))


async def begin(journal: Journal, entry: Entry, *, now: float | None = None, repeat_seconds: float = 0.0) -> Entry:
    """The entry, written down before it is sent."""
    begun = await journal.begin(
        entry, now=entry.created_at if now is None else now, limits=NO_LIMITS, repeat_seconds=repeat_seconds
    )
    assert begun.fresh
    return begun.entry


async def running(journal: Journal, number: int, now: float, *, account: Account = ANN, **fields: Any) -> Entry:
    """A task that was begun here and accepted by the API."""
    entry = await begin(journal, request(number, now, account=account, **fields))
    accepted = await journal.record(
        entry.id,
        Change(status=Status.PENDING, upstream_id=f"task-{account.principal}-{account.api}-{number}", charged="yes"),
        now=now,
    )
    assert accepted is not None
    return accepted


async def leased(
    journal: Journal,
    store: Store,
    worker: str,
    *,
    api: str = REAL,
    principals: Sequence[str] | None = None,
    limit: int = 5,
) -> Sequence[Lease]:
    """What this worker gets to ask about now, for a minute."""
    return await journal.lease(
        api=api, principals=principals, worker_id=worker, now=store.now, seconds=60.0, limit=limit
    )
