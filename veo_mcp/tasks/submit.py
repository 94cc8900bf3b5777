"""Plan, write down, send once, record: the only place where credits are spent.

Called by the MCP tools and the crash tests. A request is written down before a byte leaves, sent by the single
function `Submitter._send`, and its outcome recorded, all shielded from cancellation: hosts cancel a tool call when they
time out, and an unshielded create would lose the id of a video that is already paid for. Never sends a request again,
and answers a repeated one with the first.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import anyio
from pydantic import ValidationError

from veo_mcp.api.account import Account
from veo_mcp.api.models import (
    MODEL_CREATE,
    MODEL_EXTEND,
    CreateInput,
    ExtendInput,
    GenerationRequest,
    rule_violation,
)
from veo_mcp.errors import (
    ApiError,
    BadAnswer,
    NotExtendable,
    NotSent,
    Refused,
    RequestError,
    RuleViolation,
    Unrecorded,
    UpstreamIdTaken,
    VeoMcpError,
)
from veo_mcp.journal.entry import CLEAR, Change, Entry, Status
from veo_mcp.journal.journal import Journal
from veo_mcp.picture import Picture
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.balances import Balances
from veo_mcp.tasks.budget import Budget
from veo_mcp.tasks.callbacks import CallbackUrls
from veo_mcp.tasks.entries import Plan, begun, fingerprint, plan_of, storable
from veo_mcp.tasks.pictures import Pictures, unlinked
from veo_mcp.tasks.reader import Reader
from veo_mcp.telemetry import span

__all__ = ["SubmitResult", "Submitter"]

log = logging.getLogger(__name__)

SEND_SECONDS = 45.0
"""A create takes at most this long, retries included; hosts cut calls at about 60 s."""
GRACE_SECONDS = 15.0
"""After a send's deadline has passed by this much, its process must be dead or stuck: the outcome is unknown."""

NO_PICTURES: Mapping[str, Picture] = MappingProxyType({})
LINK = "https://picture.invalid/"
NOT_UPLOADED = "A picture could not be uploaded, so nothing was sent; the log of veo-mcp has the details."


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What became of a request: its entry, or (`repeated`) the first one's; and the error if the API refused it."""

    entry: Entry
    repeated: bool = False
    error: ApiError | None = None


class Submitter:
    """Sends the requests of one server.

    Args:
        clock: Unix seconds now.
        new_id: makes an own task id, unguessable.
        worker_id: names this process in unfinished sends.
        repeat_seconds: how long an accepted request answers an identical one.
        saving: whether finished videos are saved here; never where the server knows several people.
        crash_at: called at the points where a crash can fall; the crash tests end the process there.
    """

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        reader: Reader,
        budget: Budget,
        balances: Balances,
        urls: CallbackUrls,
        pictures: Pictures,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        worker_id: str,
        repeat_seconds: float,
        saving: bool = False,
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._journal = journal
        self._accounts = accounts
        self._reader = reader
        self._budget = budget
        self._balances = balances
        self._urls = urls
        self._pictures = pictures
        self._clock = clock
        self._new_id = new_id
        self._worker_id = worker_id
        self._repeat_seconds = repeat_seconds
        self._saving = saving
        self._crash_at = crash_at
        self._under_way: dict[str, float] = {}
        self._idle = anyio.Event()
        self._kept: dict[str, Change] = {}

    def plan_create(
        self,
        account: Account,
        request: CreateInput,
        *,
        callback_url: str | None = None,
        pictures: Mapping[str, Picture] = NO_PICTURES,
    ) -> Plan:
        """What a create would send; `pictures` are those from the disk that stand in it. Raises RuleViolation."""
        images = request.image_urls or ()
        # To the rules, which the API's own are, a picture is the link that it will have become.
        linked = request.model_copy(update={"image_urls": tuple(LINK if one in pictures else one for one in images)})
        fault = next(filter(None, map(unlinked, images)), None) or rule_violation(linked)
        if fault is not None:
            raise RuleViolation(fault)
        plan = self._planned(
            account, GenerationRequest(model=MODEL_CREATE, input=request, callback_url=callback_url), None
        )
        return replace(plan, pictures=pictures)

    async def plan_extend(
        self, account: Account, task_id: str, prompt: str, *, callback_url: str | None = None
    ) -> Plan:
        """What an extension would send. Raises RuleViolation, UnknownTask, NotExtendable, ApiError."""
        if not prompt.strip():
            raise RuleViolation("prompt must say in words what the continuation shows; it is empty.")
        parent = await self._reader.get(account, task_id)
        if parent.status is not Status.COMPLETED or parent.upstream_id is None:
            wait = "" if parent.settled else " get_task with wait_seconds=45 waits for its end."
            raise NotExtendable(f"Only a completed task can be extended; this one is {parent.status.value}.{wait}")
        request = GenerationRequest(
            model=MODEL_EXTEND,
            input=ExtendInput(prompt=prompt, extend_task_id=parent.upstream_id),
            callback_url=callback_url,
        )
        return self._planned(account, request, parent.aspect_ratio)

    async def earlier(self, account: Account, plan: Plan, *, repeat_of: str | None = None) -> Entry | None:
        """The entry that answers this request already: nothing would be sent. Raises RequestError."""
        return await self._journal.find_repeat(
            account,
            plan.fingerprint,
            repeat_of=await self._repeated(account, plan, repeat_of),
            now=self._clock(),
            repeat_seconds=self._repeat_seconds,
        )

    async def spend(
        self, account: Account, plan: Plan, *, repeat_of: str | None = None, confirmation: str | None = None
    ) -> SubmitResult:
        """Sends a planned request, unless an earlier one answers it.

        `repeat_of` names the task that is made again on purpose. An entry id as `confirmation` sends at most once.
        Raises RequestError, JournalError, and ApiError as long as nothing was written down.
        """
        first = await self._repeated(account, plan, repeat_of)
        if not self._balances.tried(account):
            earlier = await self.earlier(account, plan, repeat_of=repeat_of)
            if earlier is not None:
                return SubmitResult(earlier, repeated=True)
            # A refused key is reported before anything is written down; and this is the balance before the send.
            await self._balances.balance(account)
        if self._accounts.client(account).known_identity != account.api:
            raise RequestError("Only now is it known which Veo API this is; nothing was sent. Call again.")
        # The scope is shielded, so leaving it early cannot happen; `sent` is always bound after it.
        sent: SubmitResult | None = None
        with anyio.CancelScope(shield=True):
            sent = await self._once(account, plan, first, confirmation or self._new_id())
        if sent is None:
            raise AssertionError("a shielded scope was left early")
        return sent

    async def wait_idle(self) -> None:
        """Returns once no create is under way."""
        while self._under_way:
            await self._idle.wait()

    def overdue(self, now: float) -> bool:
        """Whether a send of this process is past its deadline, as after a machine slept: its answer may be waiting."""
        return any(deadline <= now for deadline in self._under_way.values())

    async def record_kept(self) -> None:
        """Records what could not be recorded when it came. Called by the poller in every round."""
        for entry_id, change in list(self._kept.items()):
            try:
                await self._record(entry_id, change)
            except Exception as failure:
                log.debug("The outcome of %s is still not recorded: %s", entry_id, failure)
                return
            del self._kept[entry_id]
            log.warning("The outcome of %s is recorded now.", entry_id)

    def _planned(self, account: Account, request: GenerationRequest, aspect_ratio: str | None) -> Plan:
        for text in _texts(request):
            if storable(text, len(text)) != text:
                raise RuleViolation("The arguments contain an invalid Unicode character; remove it.")
        return plan_of(account, request, aspect_ratio=aspect_ratio)

    async def _repeated(self, account: Account, plan: Plan, repeat_of: str | None) -> str | None:
        """Our own id of the task that is repeated on purpose."""
        if not repeat_of:
            return None
        first = await self._reader.get(account, repeat_of)
        try:
            same = first.fingerprint and fingerprint(account, GenerationRequest.model_validate_json(first.body))
        except ValidationError:
            same = ""  # a body that this version does not understand is not this request
        if same != plan.fingerprint:
            raise RequestError(
                "repeat_of must name the task of the identical request; that task asked for something else. Leave "
                "repeat_of out: other arguments make another video anyway."
            )
        return first.id

    async def _once(self, account: Account, plan: Plan, first: str | None, entry_id: str) -> SubmitResult:
        now = self._clock()
        deadline = now + SEND_SECONDS + GRACE_SECONDS
        entry = begun(
            plan, account, entry_id=entry_id, repeat_of=first, worker_id=self._worker_id, now=now, deadline=deadline
        )
        entry = replace(entry, save_wanted=self._saving and account.principal == "")
        request = plan.request
        if request.callback_url is None:
            request = request.model_copy(update={"callback_url": await self._urls.url(entry_id)})
        self._under_way[entry_id] = deadline
        try:
            self._crash_at("before intent")
            begin = await self._journal.begin(
                entry, now=now, limits=self._budget.limits(account), repeat_seconds=self._repeat_seconds
            )
            self._crash_at("intent written")
            if not begin.fresh:
                return SubmitResult(begin.entry, repeated=True)
            return await self._send(account, begin.entry, request, plan.pictures)
        finally:
            del self._under_way[entry_id]
            if not self._under_way:
                self._idle.set()
                self._idle = anyio.Event()

    async def _send(
        self, account: Account, entry: Entry, request: GenerationRequest, pictures: Mapping[str, Picture]
    ) -> SubmitResult:
        error: ApiError | None = None
        with self._balances.sending(account):
            try:
                started = anyio.current_time()
                request = await self._pictures.hand_over(entry.id, request, pictures)
            except Exception as trouble:
                # Before a byte of the request itself: whatever broke, it costs nothing.
                return await self._not_uploaded(account, entry, trouble)
            try:
                with span("veo.create", credits=entry.credits):
                    client = self._accounts.client(account)
                    reply = await client.send_create(request, spent=anyio.current_time() - started)
                if storable(reply.value) != reply.value:
                    raise BadAnswer("the answer names the task by an id that is not valid text")
                change = Change(
                    status=Status.PENDING, upstream_id=reply.value, charged="yes", next_poll_at=self._clock() + 1.0
                )
            except (NotSent, Refused) as refusal:
                error = refusal
                change = _outcome(Status.REFUSED, refusal)
            except ApiError as silence:
                change = _outcome(Status.UNKNOWN, silence)
            except Exception:  # whatever broke, the request may have arrived
                log.exception("The answer to %s could not be read.", entry.id)
                change = _outcome(Status.UNKNOWN, BadAnswer("the answer could not be read"))
            self._crash_at("answer read")
            if change.status is Status.UNKNOWN:
                change = replace(change, evidence=await self._balances.about(account, entry))
        return await self._settled(account, entry, change, error)

    async def _settled(self, account: Account, entry: Entry, change: Change, error: ApiError | None) -> SubmitResult:
        """Records what became of a request. Raises Unrecorded."""
        try:
            # None means that something else was faster, such as a callback that named this entry.
            current = await self._record(entry.id, change) or await self._journal.find(entry.id) or entry
        except Exception as failure:  # it was sent: whatever broke, no answer may say "not charged" now
            self._kept[entry.id] = change
            words = failure.explanation if isinstance(failure, VeoMcpError) else VeoMcpError.explanation
            named = f"The API's task id is {change.upstream_id}. " if change.upstream_id else ""
            log.error("The outcome of %s is not recorded yet. %s%s", entry.id, named, words)
            raise Unrecorded(
                f"{named}{words} It is recorded under {entry.id} as soon as that works.",
                change.charged or "unknown",
                entry.credits,
                estimated=entry.estimated,
                sandbox=account.sandbox,
            ) from None
        self._crash_at("announced")
        return SubmitResult(current, error=error)

    async def _not_uploaded(self, account: Account, entry: Entry, trouble: Exception) -> SubmitResult:
        """Records that nothing was sent, because a picture of it could not be handed over."""
        if not isinstance(trouble, NotSent):
            log.error("The pictures of %s could not be uploaded.", entry.id, exc_info=trouble)
            trouble = NotSent("the pictures could not be uploaded", explanation=NOT_UPLOADED, code="upload_failed")
        return await self._settled(account, entry, _outcome(Status.REFUSED, trouble), trouble)

    async def _record(self, entry_id: str, change: Change) -> Entry | None:
        try:
            with span("veo.record", status=change.status.value if change.status else ""):
                return await self._journal.record(entry_id, change, now=self._clock())
        except UpstreamIdTaken as taken:
            doubt = Change(
                status=Status.UNKNOWN,
                charged="unknown",
                error_code="task_id_taken",
                error_message=f"the API answered with the id of another task, {taken.owner_id}",
            )
            return await self._journal.record(entry_id, doubt, now=self._clock())


def _outcome(status: Status, error: ApiError) -> Change:
    return Change(
        status=status,
        charged=error.charged,
        error_code=storable(error.code, 100),
        error_message=storable(error.message),
        retry_after=CLEAR if error.retry_after is None else error.retry_after,
    )


def _texts(request: GenerationRequest) -> list[str]:
    given = request.input
    texts = [given.prompt, request.callback_url or ""]
    if isinstance(given, CreateInput):
        texts += [given.watermark or "", *(given.image_urls or ())]
    return texts
