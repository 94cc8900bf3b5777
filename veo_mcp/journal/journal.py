"""What a journal does, whichever store is behind it.

Implemented by sqlite/store.py (and postgres/store.py); called by the tasks layer. A method returns only after its
change is durable, and a change is announced only after it can be read. `tests/journal/contract.py` says it in tests.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from veo_mcp.api.account import Account
from veo_mcp.journal.audit import CreditMovement
from veo_mcp.journal.entry import Change, Entry, FileNews, Status
from veo_mcp.journal.feed import Feed

__all__ = ["BeginResult", "Journal", "Lease", "Limits", "Page", "Spent", "Upload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be spent in any 24 h, in credits; None is no limit.

    Attributes:
        total: by all principals of this API together.
        each: by this principal.
    """

    total: int | None = None
    each: int | None = None


@dataclass(frozen=True, slots=True)
class BeginResult:
    """What `begin` did: the new entry, or (`fresh` False) the earlier one that answers the same request."""

    entry: Entry
    fresh: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and the cursor of the next page."""

    entries: tuple[Entry, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Credits of the last 24 h that were or may have been spent.

    Attributes:
        total: by all principals of the API.
        own: by the principal.
        oldest_at: when the oldest credits in `own` were spent, Unix seconds: 24 h later they count no more. None: none.
        oldest_credits: how many those are.
    """

    total: int
    own: int
    oldest_at: float | None = None
    oldest_credits: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """An entry that this worker alone may ask about, until it is released or the lease runs out.

    Attributes:
        entry: as it was when it was leased.
        fence: grows with every lease of the entry; a result counts only while the lease with its number is held.
    """

    entry: Entry
    fence: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was, or was about to be, put into a bucket for one entry.

    Attributes:
        address: where it is, such as s3://bucket/name.
        entry_id: our own id of the entry.
        uploaded_at: Unix seconds.
        tries: how often taking it away has failed.
    """

    address: str
    entry_id: str
    uploaded_at: float
    tries: int


class Journal(Protocol):
    """The store of requests and outcomes. Every method may raise JournalUnusable.

    Untrusted text is stored as sanitize.py makes it. A row that this version does not understand (a newer one
    wrote it) is left as it is: lists, leases and feeds skip it; asking for it by its id raises JournalUnusable.

    Attributes:
        learns_by: "listen" if the store is notified of what other processes changed, "look" if it polls for it.
    """

    @property
    def learns_by(self) -> Literal["listen", "look"]:
        """How this store learns what other processes changed."""
        ...

    async def begin(self, entry: Entry, *, now: float, limits: Limits, repeat_seconds: float) -> BeginResult:
        """Writes a request down before anything is sent, unless an earlier one of the same account answers it.

        That is an entry with the same id (a confirmation that is replayed), or one with the same fingerprint that is
        `submitting` or `unknown`, or one that was accepted less than `repeat_seconds` ago and was not refunded. Where
        the request repeats one on purpose (`entry.repeat_of`), the last two count only if they repeat the same one:
        that call may be repeated blindly too. Looked for before the limits. Raises SpendLimit.
        """
        ...

    async def find_repeat(
        self, account: Account, fingerprint: str, *, repeat_of: str | None, now: float, repeat_seconds: float
    ) -> Entry | None:
        """The entry that `begin` would give back for this fingerprint; changes nothing."""
        ...

    async def record(self, entry_id: str, change: Change, *, now: float) -> Entry | None:
        """Records news by the one monotone rule; the new entry, or None when nothing changed.

        Raises UpstreamIdTaken when the change names an API id that another entry of the same API has.
        """
        ...

    async def adopt(self, account: Account, entry: Entry) -> Entry | None:
        """Takes in a task that was made elsewhere; the account's entry that is there already, if its API id is known.

        None when the id belongs to another principal's entry: for this account there is no such task.
        """
        ...

    async def get(self, account: Account, task_id: str) -> Entry | None:
        """The account's entry with this own id or API id."""
        ...

    async def find_elsewhere(self, account: Account, task_id: str) -> Entry | None:
        """The same principal's entry with this id at another API, such as the sandbox: only to say where it is."""
        ...

    async def find(self, entry_id: str) -> Entry | None:
        """The entry with this own id, of any account; for callbacks, which prove the id, and for the poller."""
        ...

    async def list(
        self, account: Account, *, status: Status | None = None, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """A page of the account's entries, newest first. Raises WrongCursor."""
        ...

    async def spent(self, account: Account, *, now: float) -> Spent:
        """The credits of the last 24 h: of this API, and of this account alone."""
        ...

    async def check_limits(self, account: Account, credits: int, *, limits: Limits, now: float) -> None:
        """Raises SpendLimit, as `begin` would, if the limits do not cover these credits now; reserves nothing."""
        ...

    async def lease(
        self, *, api: str, principals: Sequence[str] | None, worker_id: str, now: float, seconds: float, limit: int
    ) -> Sequence[Lease]:
        """Unfinished entries of `api` that are due, leased to `worker_id`: no other worker gets them meanwhile.

        `principals` limits them, if callers bring their own keys; None: of all principals. `now` is used by stores that
        have no clock of their own; one that many machines share uses its own.
        """
        ...

    async def record_leased(self, lease: Lease, change: Change, *, now: float) -> Entry | None:
        """As `record`, but only while the lease is held; None also when it is not.

        A lease that has run out counts until someone else takes the entry: a clock that jumped costs no answer.
        """
        ...

    async def release(self, lease: Lease, *, next_poll_at: float, asked: bool) -> None:
        """Gives a lease back and says when the entry is due again; not `asked`: the look failed and counts as none."""
        ...

    async def release_all(self, worker_id: str) -> None:
        """Gives back every lease of a worker that ends, due at once."""
        ...

    async def poll_no_later_than(self, entry_id: str, at: float) -> None:
        """Makes an entry due at this moment, unless it is due sooner."""
        ...

    async def expire_submissions(self, now: float) -> Sequence[Entry]:
        """Turns sends whose deadline has passed into `unknown`: their process died."""
        ...

    async def durations(self, api: str, mode: str | None) -> Sequence[float]:
        """Seconds by our own clock, from begin to the end being seen, of the latest completed tasks of this API."""
        ...

    async def failures_in_a_row(self, account: Account, fingerprint: str) -> int:
        """How many of the account's latest identical requests failed, one after the other; at most 10 are counted."""
        ...

    async def quote(self, account: Account, fingerprint: str, credits: int, *, now: float) -> None:
        """Records that this price was quoted to the account for this request."""
        ...

    async def take_quote(self, account: Account, fingerprint: str, credits: int, *, after: float) -> bool:
        """Whether this price was quoted to the account for this request later than `after`; uses the quote up."""
        ...

    async def lease_files(
        self, *, api: str, worker_id: str, now: float, seconds: float, limit: int, save: bool
    ) -> Sequence[Lease]:
        """Completed entries of `api` whose file is due, leased as by `lease`.

        With `save` all of them; else without those that wait for a server that saves files.
        """
        ...

    async def keep_file(self, lease: Lease, *, now: float, seconds: float) -> bool:
        """Prolongs the lease of a file; False when it is not held any more: another worker has the file."""
        ...

    async def record_file(self, lease: Lease, news: FileNews, *, now: float) -> Entry | None:
        """Records what became of a leased file and gives the lease back; None when it was lost or nothing changed."""
        ...

    async def note_uploads(self, entry_id: str, addresses: Sequence[str], *, now: float) -> None:
        """Remembers pictures that are about to be put into a bucket for this entry."""
        ...

    async def uploads_over(self, *, now: float, expired: float, limit: int) -> Sequence[Upload]:
        """Pictures to delete now: their entry has ended, or they were put there before `expired`."""
        ...

    async def postpone_upload(self, address: str, *, due_at: float) -> None:
        """Notes that deleting a picture failed, and when to try again."""
        ...

    async def forget_upload(self, address: str) -> None:
        """Deletes the record of a picture: it is gone, or nothing more is done about it."""
        ...

    async def value(self, name: str) -> str | None:
        """The value that is kept under a name, or None."""
        ...

    async def get_or_set(self, name: str, value: str) -> str:
        """Keeps a value under a name, unless there is one already; the value that is there afterwards."""
        ...

    async def not_before(self, api: str, principal: str) -> float:
        """Unix seconds before which the account must not be asked for (a pause that the API asked for); 0 for none."""
        ...

    async def set_not_before(self, api: str, principal: str, at: float) -> None:
        """Keeps that moment for every process on this journal, whatever was kept; one that is past ends the pause."""
        ...

    async def take_turn(self, api: str, principal: str, *, now: float, seconds: float) -> float:
        """Takes the account's next turn to ask the API; how many seconds it is away.

        Turns lie `seconds` apart, whichever process takes them. `now` is used as by `lease`.
        """
        ...

    async def movements(self, *, since: float = 0.0, limit: int = 100) -> Sequence[CreditMovement]:
        """The credit movements since then, of all accounts, newest first."""
        ...

    async def check_writable(self) -> None:
        """Raises JournalUnusable if a change could not be written now; changes nothing."""
        ...

    def changes(self, entry_id: str | None = None) -> AbstractAsyncContextManager[Feed]:
        """Every changed entry (or this one) from entering on, by whichever process, after the change can be read."""
        ...
