"""Shared by every store: the columns of an Entry, named queries, and rows that this version cannot read.

Used by sqlite/ and postgres/, which differ in how they ask. A row that this version does not understand (a newer one
may share the store) is named once in the log and never ends a list. Does no I/O on a store.
"""

import json
import logging
import math
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from importlib import resources
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, get_args

import anyio
from anyio.abc import TaskGroup

from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Charged, Entry, Status
from veo_mcp.journal.sanitize import storable

__all__ = [
    "DAY",
    "FIELDS",
    "LONGEST_QUEUE",
    "MOST_AT_ONCE",
    "Background",
    "Understanding",
    "another_accounts_confirmation",
    "failures_up_to_a_success",
    "migrations",
    "named_queries",
    "scope_of_a_day",
    "to_row",
]

log = logging.getLogger(__name__)

DAY = 24 * 3600.0
LONGEST_QUEUE = 60.0
"""No turn to ask the API lies further ahead."""
MOST_AT_ONCE = 1000
"""How many lost sends one look settles; the next look comes in a second."""
FIELDS = tuple(field.name for field in fields(Entry))
"""The columns of an Entry, in the order in which {entry} selects them."""
KINDS = frozenset({"create", "extend"})
CHARGED = frozenset(get_args(Charged))
MOST_NAMED = 1000
"""How many unreadable rows are logged one by one; further ones are skipped silently."""
_ID = FIELDS.index("id")
_NOT_UNDERSTOOD = (ValueError, TypeError, RecursionError)
_MARK = "-- name: "


def named_queries(package: str) -> Mapping[str, str]:
    """The queries of a package's queries.sql by their names."""
    script = (resources.files(package) / "queries.sql").read_text("utf-8")
    queries: dict[str, str] = {}
    for part in script.split(_MARK)[1:]:
        name, _, lines = part.partition("\n")
        statement = "\n".join(line for line in lines.splitlines() if not line.startswith("--"))
        queries[name] = statement.strip().replace("{entry}", ", ".join(FIELDS))
    return MappingProxyType(queries)


def migrations(package: str) -> Sequence[str]:
    """The scripts of a package's folder schema, in their order."""
    folder = resources.files(package) / "schema"
    return [file.read_text("utf-8") for file in sorted(folder.iterdir(), key=lambda file: file.name)]


def scope_of_a_day(api: str, principal: str, now: float) -> dict[str, str | float]:
    """The values for a sum over 24 h: hours from `hour` on, minutes from `minute`, single entries from `since`."""
    since = now - DAY
    minute = math.floor(since) // 60 * 60 + 60
    hour = -(minute // -3600) * 3600
    return {"api": api, "principal": principal, "since": since, "minute": minute, "hour": hour}


def to_row(entry: Entry) -> dict[str, Any]:
    """The columns of an entry, as texts, numbers and booleans."""
    values = {name: getattr(entry, name) for name in FIELDS}
    values["video_urls"] = json.dumps(entry.video_urls)
    values["status"] = entry.status.value
    return values


def another_accounts_confirmation() -> JournalUnusable:
    """The refusal of an entry whose id, which a replayed confirmation carries, is another account's."""
    return JournalUnusable("This confirmation belongs to a request of another account. Call again without it.")


def failures_up_to_a_success(ends: Sequence[str]) -> int:
    """How many of these statuses, the latest first, are failures before another one comes."""
    return next((number for number, end in enumerate(ends) if end != Status.FAILED), len(ends))


class Background:
    """What runs for as long as a store is open.

    Args:
        run: goes on until it is cancelled.
    """

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._run = run
        self._group: TaskGroup | None = None

    async def start(self) -> None:
        """Begins; stop() follows in the same task."""
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._run)

    async def stop(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it, on leaving the store with this error or none."""
        if self._group is None:
            return
        self._group.cancel_scope.cancel()
        if isinstance(error, Exception):
            # It is the caller's, and goes on to them as it is: handed to the group, it would come out wrapped.
            kind = error = trace = None
        await self._group.__aexit__(kind, error, trace)


class Row(Protocol):
    """What a store's library calls a row."""

    def __getitem__(self, index: int, /) -> Any:
        """The value of a column."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Every value."""
        ...


class Understanding:
    """Turns rows into entries; remembers which it could not, so that each is logged once.

    Args:
        where: the store, as a person may see it.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._logged: set[str] = set()

    def one(self, row: Row | None) -> Entry | None:
        """The entry in a row, if there is one. Raises JournalUnusable for a row that is not understood."""
        return None if row is None else self.sure(row)

    def sure(self, row: Row) -> Entry:
        """The entry in a row. Raises JournalUnusable for a row that is not understood."""
        try:
            return _to_entry(row)
        except _NOT_UNDERSTOOD as reason:
            self._log(row[_ID], reason)
            raise JournalUnusable(
                f"This task stands in the journal {self._where} in a state that this version of veo-mcp does not know"
                " (a newer one wrote it). Use the newer version, or update this one."
            ) from None

    def all(self, rows: Iterable[Row]) -> Iterator[Entry]:
        """The entries in these rows, past those that are not understood."""
        for row in rows:
            entry = self.passing(row)
            if entry is not None:
                yield entry

    def passing(self, row: Row) -> Entry | None:
        """The entry in a row, or None when it is not understood."""
        try:
            return _to_entry(row)
        except _NOT_UNDERSTOOD as reason:
            self._log(row[_ID], reason)
            return None

    def _log(self, entry_id: str, reason: Exception) -> None:
        if entry_id not in self._logged and len(self._logged) < MOST_NAMED:
            self._logged.add(entry_id)
            log.warning(
                "The journal %s holds a task that this version does not understand (%s: %r). It is left as it is, and"
                " not listed; a newer veo-mcp shows it.",
                self._where,
                entry_id,
                reason,
            )


def _to_entry(row: Row) -> Entry:
    """The entry in a row. Raises one of _NOT_UNDERSTOOD."""
    values = dict(zip(FIELDS, row, strict=True))
    urls = json.loads(values["video_urls"])
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError("video_urls is no list of texts")
    if values["kind"] not in KINDS or values["charged"] not in CHARGED:
        raise ValueError(f"kind {values['kind']!r}, charged {values['charged']!r}")
    values["video_urls"] = tuple(urls)  # pyright: ignore[reportUnknownArgumentType]
    values["status"] = Status(values["status"])
    values["estimated"] = bool(values["estimated"])
    values["save_wanted"] = bool(values["save_wanted"])
    # Another version, or a disk, may have left an infinite number there, which nobody could show.
    return storable(Entry(**values))
