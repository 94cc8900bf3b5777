"""Everything that is asked about tasks: get, list, adopt, refresh, wait, and settle what nobody knew.

Called by the MCP server, the command line and the callbacks. Always on behalf of an account: another account's task is
answered exactly like one that does not exist. Asks the API, and never spends.
"""

from collections.abc import Awaitable, Callable

import anyio

from veo_mcp.api.account import Account
from veo_mcp.errors import RequestError, TaskNotFound, UnknownTask, UpstreamIdTaken
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.journal import Journal, Page
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.entries import adopted, change_from, storable
from veo_mcp.tasks.pace import pause_left

__all__ = ["Reader"]

ID_LENGTH = 200


class Reader:
    """The questions of one server.

    Args:
        clock: Unix seconds now.
        new_id: makes an own task id, unguessable.
    """

    def __init__(
        self, journal: Journal, accounts: Accounts, *, clock: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._clock = clock
        self._new_id = new_id

    async def get(self, account: Account, task_id: str) -> Entry:
        """The account's entry with this own or API id; an id that only the API knows is adopted.

        Raises UnknownTask, ApiError.
        """
        if not 0 < len(task_id) <= ID_LENGTH or storable(task_id) != task_id:
            raise UnknownTask(storable(task_id, ID_LENGTH))
        entry = await self._journal.get(account, task_id)
        if entry is not None:
            return entry
        elsewhere = await self._journal.find_elsewhere(account, task_id)
        if elsewhere is not None:
            raise UnknownTask(
                task_id,
                f"This task belongs to another API ({elsewhere.api}) than the one that this server uses now "
                f"({account.api}), so it is not asked about here; it was {elsewhere.status.value} when last seen.",
            )
        # Where several people share one key, the API would show everyone's tasks to everyone.
        # An address, such as the video's own, is no id: the API would only call the request invalid.
        if task_id.startswith("vid_") or "://" in task_id or not self._accounts.alone(account):
            raise UnknownTask(task_id)
        return await self._adopt(account, task_id)

    async def list(
        self, account: Account, *, status: Status | None = None, limit: int = 10, cursor: str | None = None
    ) -> Page:
        """A page of the account's entries, newest first. Raises WrongCursor."""
        return await self._journal.list(account, status=status, limit=limit, cursor=cursor)

    async def find(self, entry_id: str) -> Entry | None:
        """The entry with this own id, for a callback, which proves the id."""
        return await self._journal.find(entry_id)

    async def refresh(self, entry: Entry, upstream_id: str) -> Entry | None:
        """Reads a task back from the API and records what it says; the new entry, or None. Raises ApiError.

        None too where its API is not the one in use here, or the id is another entry's.
        """
        account = self._accounts.of_entry(entry)
        if account is None:
            return None
        reply = await self._accounts.client(account).get_task(upstream_id)
        if reply.api != entry.api:
            return None
        try:
            return await self._journal.record(entry.id, change_from(reply.value, upstream_id), now=self._clock())
        except UpstreamIdTaken:
            return None

    async def paused(self, entry: Entry) -> bool:
        """Whether the API has asked not to be asked for a while."""
        pauser = self._accounts.pauser(entry)
        return pause_left(await self._journal.not_before(entry.api, pauser), self._clock()) > 0

    async def wait(
        self,
        account: Account,
        entry: Entry,
        *,
        seconds: float,
        every: float,
        report: Callable[[Entry], Awaitable[None]],
    ) -> Entry:
        """Waits for the end of a task; calls `report` at once, at every change, and every so many seconds."""
        current = entry
        async with self._journal.changes(entry.id) as feed:
            with anyio.move_on_after(seconds):
                # Read again after subscribing: the end may have come between the first look and this line.
                current = await self._journal.get(account, entry.id) or current
                while not current.settled:
                    await report(current)
                    with anyio.move_on_after(every):
                        current = await anext(feed)
        return await self._journal.get(account, entry.id) or current

    async def settle(self, account: Account, task_id: str, *, upstream_id: str | None) -> Entry:
        """Settles an outcome that nobody knew: by the API's id of the task it became, or (None) as not charged.

        Raises UnknownTask, RequestError, ApiError.
        """
        entry = await self.get(account, task_id)
        if entry.status is not Status.UNKNOWN:
            raise RequestError(
                f"Only an unknown outcome can be settled by hand; this task is {entry.status.value}. "
                "Nothing was changed."
            )
        if upstream_id is None:
            change = Change(status=Status.REFUSED, charged="no", error_code="settled_by_hand")
        else:
            change = await self._proof(account, entry, upstream_id)
        try:
            return await self._journal.record(entry.id, change, now=self._clock()) or entry
        except UpstreamIdTaken:
            raise RequestError(f"The id {upstream_id} belongs to another task. Nothing was changed.") from None

    async def _proof(self, account: Account, entry: Entry, upstream_id: str) -> Change:
        owner = await self._journal.get(account, upstream_id)
        if owner is not None and owner.id != entry.id:
            raise RequestError(
                f"The id {upstream_id} belongs to another task already, {owner.id} (“{owner.prompt[:60]}”). "
                "Nothing was changed."
            )
        try:
            reply = await self._accounts.client(account).get_task(upstream_id)
        except TaskNotFound:
            raise RequestError(f"The Veo API knows no task {upstream_id}. Nothing was changed.") from None
        if reply.api != entry.api:
            raise RequestError(
                f"The task {upstream_id} belongs to {reply.api}, and {entry.id} to {entry.api}. Nothing was changed."
            )
        return change_from(reply.value, upstream_id)

    async def _adopt(self, account: Account, task_id: str) -> Entry:
        try:
            reply = await self._accounts.client(account).get_task(task_id)
        except TaskNotFound:
            raise UnknownTask(task_id) from None
        if reply.api != account.api:
            # It said only now which API it is; the next look is about the right account.
            raise UnknownTask(task_id)
        entry = adopted(reply.value, account, upstream_id=task_id, entry_id=self._new_id(), now=self._clock())
        found = await self._journal.adopt(account, entry)
        if found is None:
            raise UnknownTask(task_id)
        return found
