"""A credit movement as the audit trail holds it, without a prompt and without a key. Pure.

Kept by the stores' own triggers; handed to what writes the trail elsewhere, such as the log, once it is committed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from veo_mcp.journal.entry import Charged, Entry, Kind

__all__ = ["CreditMovement", "from_row", "movement", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditMovement:
    """One line of the audit trail."""

    #: Unix seconds, by the clock of the process that recorded it.
    moved_at: float
    #: Our own id of the task.
    entry_id: str
    api: str
    #: Who; "" where one person uses the server.
    principal: str
    kind: Kind
    mode: str | None
    credits: int
    estimated: bool
    #: What was known of the charge before; None: nothing had been asked for.
    was: Charged | None
    charged: Charged

    @property
    def line(self) -> Mapping[str, object]:
        """The line as JSON may show it, for people and programs that read the trail."""
        return {
            "time": datetime.fromtimestamp(self.moved_at, UTC).isoformat(timespec="milliseconds"),
            "principal": self.principal,
            "what": self.words,
            "credits": self.credits,
            **({"estimated": True} if self.estimated else {}),
            "was": self.was,
            "charged": self.charged,
            "entry": self.entry_id,
            "kind": self.kind,
            "mode": self.mode,
            "api": self.api,
        }

    @property
    def words(self) -> str:
        """What happened to the credits, in one word."""
        if self.charged == "unknown":
            return "reserved" if self.was is None else "uncertain"
        return {"yes": "charged", "no": "released", "refunded": "refunded"}[self.charged]


def movement(old: Entry | None, new: Entry) -> CreditMovement | None:
    """The movement between two states of an entry, by the rule of the stores' triggers; None where nothing moved."""
    if old is not None and (old.charged, old.credits) == (new.charged, new.credits):
        return None
    return CreditMovement(
        moved_at=new.updated_at,
        entry_id=new.id,
        api=new.api,
        principal=new.principal,
        kind=new.kind,
        mode=new.mode,
        credits=new.credits,
        estimated=new.estimated,
        was=None if old is None else old.charged,
        charged=new.charged,
    )


def report(moved: Callable[[CreditMovement], None], old: Entry | None, new: Entry) -> None:
    """Calls `moved` with the movement between two states of an entry, where there is one."""
    move = movement(old, new)
    if move is not None:
        moved(move)


def from_row(row: tuple[object, ...]) -> CreditMovement:
    """The movement in a row of a store, whose columns come in the order of the fields."""
    moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged = row
    return CreditMovement(
        moved_at=cast("float", moved_at),
        entry_id=cast("str", entry_id),
        api=cast("str", api),
        principal=cast("str", principal),
        kind=cast("Kind", kind),
        mode=cast("str | None", mode),
        credits=cast("int", credits),
        estimated=bool(estimated),
        was=cast("Charged", was) or None,
        charged=cast("Charged", charged),
    )
