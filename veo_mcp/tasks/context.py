"""The context of one task that its own row does not hold: the usual duration, what it continues, what failed before.

Asked by the MCP server before it words an answer. Reads the journal only; never asks the API and never spends.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from veo_mcp.api.account import Account
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.journal.journal import Journal

if TYPE_CHECKING:  # they bring the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.callbacks import CallbackUrls
    from veo_mcp.tasks.poller import Poller

__all__ = ["NOTHING_KNOWN", "WHOLE_FILM_SECONDS", "TaskContext", "TaskContexts"]

WHOLE_FILM_SECONDS = 2.0
"""An extension's file that is longer than its parent's by this much holds the whole film, not only its own part."""
LONGEST_CHAIN = 50
"""Parts of one film that are looked up; of a longer chain, only the last ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """What one answer needs to know around its task.

    Attributes:
        usual: seconds that such videos usually take, once enough are known.
        trouble: why the API cannot be asked about the task at the moment, or None.
        callbacks: whether the API reports the end, or a lost answer's task id, by itself.
        chain: the entries of the film that an extension belongs to, first part first, itself last; () for no extension.
        own_key: whether it is asked about only while the caller's own key is kept here.
        failures: how many of the latest identical requests failed in a row, this one included.
    """

    usual: float | None = None
    trouble: str | None = None
    callbacks: bool = False
    own_key: bool = False
    chain: tuple[Entry, ...] = ()
    failures: int = 0


NOTHING_KNOWN = TaskContext()


class TaskContexts:
    """Finds the context of tasks, for one server."""

    def __init__(self, journal: Journal, poller: "Poller", urls: "CallbackUrls") -> None:
        self._journal = journal
        self._poller = poller
        self._urls = urls

    async def of(self, account: Account, entry: Entry) -> TaskContext:
        """What is known around this entry of the account. Raises JournalUnusable."""
        failed = entry.status is Status.FAILED and bool(entry.fingerprint)
        return TaskContext(
            usual=None if entry.settled else await self._poller.usual(entry),
            trouble=None if entry.settled else self._poller.trouble(account),
            callbacks=self._urls.expects(entry),
            own_key=not entry.settled and self._poller.with_callers_keys,
            chain=await self._chain(account, entry),
            failures=await self._journal.failures_in_a_row(account, entry.fingerprint) if failed else 0,
        )

    async def _chain(self, account: Account, entry: Entry) -> tuple[Entry, ...]:
        if entry.extends is None:
            return ()
        chain = [entry]
        while chain[0].extends is not None and len(chain) < LONGEST_CHAIN:
            parent = await self._journal.get(account, chain[0].extends)
            if parent is None or parent in chain:
                break
            chain.insert(0, parent)
        return tuple(chain)
