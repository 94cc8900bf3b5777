"""BeginResult, one send, a record: the only place where credits are spent.

Called by the MCP tools and the command line. A create is written down before a byte leaves, sent by the single
function `TaskService._send`, and its outcome recorded, all shielded from cancellation: hosts cancel a tool call when
they time out, and an unshielded create would lose the id of a video that is already paid for. Never resends.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import anyio

from veo_mcp.api.client import VeoClient
from veo_mcp.api.models import (
    MODEL_CREATE,
    MODEL_EXTEND,
    PRICES,
    CreateInput,
    Credits,
    ExtendInput,
    GenerationRequest,
    Mode,
    rule_violation,
)
from veo_mcp.errors import NotSent, Refused, TaskNotFound, Unanswered, VeoError
from veo_mcp.journal.entry import Change, Entry, Status
from veo_mcp.journal.errors import JournalUnusable, WrongCursor
from veo_mcp.journal.journal import Journal, Page
from veo_mcp.tasks.answers import adopted, change_from
from veo_mcp.tasks.errors import NotExtendable, RuleViolation, SubmitResult, UnknownTask, Unrecorded
from veo_mcp.tasks.pace import Pace, next_gap, usual

__all__ = ["TaskService"]

SEND_SECONDS = 45.0
"""A create takes at most this long, retries included; hosts cut calls at about 60 s."""
EVIDENCE_SECONDS = 3.0
GRACE_SECONDS = 15.0
"""After a send's deadline has passed by this much, its process must be dead or stuck: the outcome is unknown."""


class TaskService:
    """The verbs of the product: create, extend, look, list, credits.

    Args:
        api: the client of the Veo API (or of the sandbox).
        journal: where intents and outcomes are kept.
        base_url: the API's URL; its origin names the API unless an answer says it is a sandbox.
        clock: Unix seconds now.
        new_id: makes an own task id, unguessable.
        worker_id: names this process in leases and unfinished sends.
        public_url: the URL under which the API can reach this server, or None without callbacks.
        max_credits: credits that may be spent in any 24 h, or None.
        adopts: whether ids the journal does not know are looked up at the API; not where several share one key.
    """

    def __init__(
        self,
        api: VeoClient,
        journal: Journal,
        *,
        base_url: str,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        worker_id: str,
        public_url: str | None = None,
        max_credits: int | None = None,
        adopts: bool = True,
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._api = api
        self.journal = journal
        self._base_url = base_url
        self._clock = clock
        self._new_id = new_id
        self.worker_id = worker_id
        self._public_url = public_url
        self._max_credits = max_credits
        self._adopts = adopts
        self._crash_at = crash_at
        self._api_name: str | None = None
        self._consumed: int | None = None
        self._sending = 0
        self._idle = anyio.Event()

    async def api_name(self) -> str:
        """The API that entries belong to: a sandbox's ledger id, or the origin of the base URL.

        Asked of the API once, because a header of its answers, not a setting, tells a sandbox from the real thing.
        """
        if self._api_name is None:
            await self.credits()
        return self._api_name or self._base_url

    @property
    def known_api_name(self) -> str | None:
        """The API's name if an answer has already named it; never asks."""
        return self._api_name

    def note_sandbox(self, sandbox: str | None) -> str:
        """Remembers which API answered, and gives its name."""
        self._api_name = f"sandbox:{sandbox}" if sandbox else self._origin
        return self._api_name

    async def sandbox_origin(self) -> str | None:
        """The origin that a sandbox's videos come from; None when the API is not one. Raises VeoError."""
        return self._origin if (await self.api_name()).startswith("sandbox:") else None

    @property
    def _origin(self) -> str:
        parts = urlsplit(self._base_url)
        return f"{parts.scheme}://{parts.netloc}"

    async def credits(self) -> tuple[Credits, bool]:
        """The balance, and whether it is a sandbox's. Raises VeoError."""
        reply = await self._api.get_credits()
        self.note_sandbox(reply.sandbox)
        self._consumed = reply.value.total_consumed
        return reply.value, reply.sandbox is not None

    async def create(
        self,
        request: CreateInput,
        *,
        callback_url: str | None = None,
        principal: str = "",
        intent_id: str | None = None,
    ) -> SubmitResult:
        """Starts a video. An intent id that was used already gives that intent's entry and sends nothing.

        Raises RuleViolation before anything is sent, VeoError if the API cannot be identified.
        """
        fault = rule_violation(request)
        if fault is not None:
            raise RuleViolation(fault)
        mode = request.mode or Mode.FAST
        return await self._spend(
            GenerationRequest(model=MODEL_CREATE, input=request, callback_url=callback_url),
            kind="create",
            credits=PRICES[mode],
            mode=str(mode),
            aspect_ratio=str(request.aspect_ratio or "16:9"),
            extends=None,
            principal=principal,
            intent_id=intent_id,
        )

    async def extend(
        self,
        task_id: str,
        prompt: str,
        *,
        callback_url: str | None = None,
        principal: str = "",
        intent_id: str | None = None,
    ) -> SubmitResult:
        """Continues a completed video. Raises RuleViolation, UnknownTask or NotExtendable before anything is sent."""
        if not prompt.strip():
            raise RuleViolation("prompt must say in words what the continuation shows; it is empty.")
        parent = await self.get(task_id, principal=principal)
        if parent.api != await self.api_name():
            raise NotExtendable("That task was made by another API than the one configured now.")
        if parent.status is not Status.COMPLETED or parent.upstream_id is None:
            raise NotExtendable(f"Only a completed task can be extended; this one is {parent.status.value}.")
        return await self._spend(
            GenerationRequest(
                model=MODEL_EXTEND,
                input=ExtendInput(prompt=prompt, extend_task_id=parent.upstream_id),
                callback_url=callback_url,
            ),
            kind="extend",
            credits=PRICES[Mode.FAST],
            mode=None,
            aspect_ratio=parent.aspect_ratio,
            extends=parent.upstream_id,
            principal=principal,
            intent_id=intent_id,
        )

    async def get(self, task_id: str, *, principal: str = "") -> Entry:
        """The entry with this own or API id; an id only the API knows is adopted. Raises UnknownTask, VeoError."""
        entry = await self.journal.get(task_id, principal=principal)
        if entry is not None:
            return entry
        if not self._adopts or task_id.startswith("vid_"):
            raise UnknownTask(task_id)
        try:
            reply = await self._api.get_task(task_id)
        except TaskNotFound:
            raise UnknownTask(task_id) from None
        self.note_sandbox(reply.sandbox)
        return await self.journal.adopt(
            adopted(
                reply.value,
                entry_id=self._new_id(),
                api=self._api_name or self._base_url,
                principal=principal,
                now=self._clock(),
            )
        )

    async def list(
        self, *, status: Status | None = None, limit: int = 10, cursor: str | None = None, principal: str = ""
    ) -> Page:
        """A page of entries, newest first. Raises RuleViolation for a cursor that no page ended with."""
        try:
            return await self.journal.list(principal=principal, status=status, limit=limit, cursor=cursor)
        except WrongCursor:
            raise RuleViolation("This cursor was not made here; without one the newest come.") from None

    async def gap(self, entry: Entry, *, now: float, watched: bool = False) -> float:
        """Seconds until the API should be asked about this task again."""
        history = await self.journal.durations(entry.api, entry.mode)
        pace = Pace(watched=watched, callback=self.expects_callback(entry), history=history)
        return next_gap(now - entry.created_at, pace)

    async def usual(self, entry: Entry) -> float | None:
        """Seconds that clips of this API and mode usually take, once the journal has seen enough of them."""
        return usual(await self.journal.durations(entry.api, entry.mode))

    async def refresh(self, entry: Entry, upstream_id: str) -> Entry | None:
        """Reads the task back from the API and records what it says; the new entry, or None. Raises VeoError."""
        reply = await self._api.get_task(upstream_id)
        self.note_sandbox(reply.sandbox)
        return await self.journal.record(entry.id, change_from(reply.value), now=self._clock())

    def expects_callback(self, entry: Entry) -> bool:
        """Whether the API will report the end of this task here by itself."""
        return self._public_url is not None and bool(entry.fingerprint) and "callback_url" not in json.loads(entry.body)

    @asynccontextmanager
    async def _counted(self) -> AsyncGenerator[None]:
        self._sending += 1
        try:
            yield
        finally:
            self._sending -= 1
            if not self._sending:
                self._idle.set()
                self._idle = anyio.Event()

    async def wait_idle(self) -> None:
        """Returns once no create is under way."""
        while self._sending:
            await self._idle.wait()

    def callback_mac(self, entry_id: str, secret: str) -> str:
        """The path token that proves a callback URL was made here."""
        return hmac.new(secret.encode(), entry_id.encode(), hashlib.sha256).hexdigest()[:32]

    async def _spend(
        self,
        request: GenerationRequest,
        *,
        kind: str,
        credits: int,
        mode: str | None,
        aspect_ratio: str | None,
        extends: str | None,
        principal: str,
        intent_id: str | None,
    ) -> SubmitResult:
        api = await self.api_name()
        now = self._clock()
        entry_id = intent_id or self._new_id()
        body = json.dumps(request.body(), sort_keys=True, ensure_ascii=False)
        wanted = json.dumps([api, principal, request.model, request.body()["input"]], sort_keys=True)
        entry = Entry(
            id=entry_id,
            api=api,
            principal=principal,
            kind=kind,
            fingerprint=hashlib.sha256(wanted.encode()).hexdigest(),
            body=body,
            prompt=request.input.prompt,
            model=request.model,
            mode=mode,
            aspect_ratio=aspect_ratio,
            extends=extends,
            credits=credits,
            estimated=kind == "extend",
            upstream_id=None,
            status=Status.SUBMITTING,
            upstream_status=None,
            progress=None,
            video_urls=(),
            resolution=None,
            error_code=None,
            error_message=None,
            charged="unknown",
            retry_after=None,
            created_at=now,
            updated_at=now,
            completed_at=None,
            worker_id=self.worker_id,
            deadline=now + SEND_SECONDS + GRACE_SECONDS,
            next_poll_at=now,
            polls=0,
            revision=0,
        )
        if request.callback_url is None and self._public_url is not None:
            request = request.model_copy(update={"callback_url": await self._own_callback(entry_id)})
        # The scope is shielded, so leaving it early cannot happen; `sent` is always bound after it.
        sent: SubmitResult | None = None
        with anyio.CancelScope(shield=True):
            async with self._counted():
                self._crash_at("before intent")
                intent = await self.journal.begin(entry, max_credits=self._max_credits, now=now)
                self._crash_at("intent written")
                sent = (
                    await self._send(intent.entry, request)
                    if intent.fresh
                    else SubmitResult(intent.entry, repeated=True)
                )
        if sent is None:
            raise AssertionError("a shielded scope was left early")
        return sent

    async def _send(self, entry: Entry, request: GenerationRequest) -> SubmitResult:
        error: VeoError | None = None
        try:
            reply = await self._api.send_create(request)
        except (NotSent, Refused) as refusal:
            error = refusal
            change = Change(
                status=Status.REFUSED,
                charged=refusal.charged,
                error_code=refusal.code,
                error_message=refusal.message,
                retry_after=refusal.retry_after,
            )
        except Unanswered as silence:
            change = Change(
                status=Status.UNKNOWN,
                charged="unknown",
                error_code=silence.code,
                error_message=silence.message,
            )
        else:
            now = self._clock()
            self._consumed = None
            change = Change(status=Status.PENDING, upstream_id=reply.value, charged="yes", next_poll_at=now + 1.0)
        self._crash_at("answer read")
        try:
            settled = await self.journal.record(entry.id, change, now=self._clock())
            self._crash_at("announced")
            # None means that somebody else was faster, such as a callback that named this intent.
            current = settled or await self.journal.find(entry.id) or entry
        except JournalUnusable as failure:
            made = f"The API's task id is {change.upstream_id}: note it. " if change.upstream_id else ""
            raise Unrecorded(f"{made}{failure}", change.charged or "unknown", entry.credits) from None
        return SubmitResult(await self._add_evidence(current), error=error)

    async def _add_evidence(self, entry: Entry) -> Entry:
        """Adds to an outcome that nobody knows what the balance says about it, within the time a create may take.

        Only a rise is reported, and only of what nobody here moved since the balance was read: a refund hides a charge.
        """
        if entry.status is not Status.UNKNOWN:
            return entry
        before, self._consumed = self._consumed, None
        if before is None or self._clock() - entry.created_at > SEND_SECONDS - EVIDENCE_SECONDS:
            return entry
        with anyio.move_on_after(EVIDENCE_SECONDS), suppress(VeoError, JournalUnusable):
            rise = (await self._api.get_credits()).value.total_consumed - before
            if rise > 0:
                evidence = f"{entry.error_message or ''} Evidence, not proof: {rise} credits were consumed meanwhile."
                change = Change(status=Status.UNKNOWN, error_message=evidence.strip())
                return await self.journal.record(entry.id, change, now=self._clock()) or entry
        return entry

    async def _own_callback(self, entry_id: str) -> str:
        secret = await self.callback_secret()
        return f"{(self._public_url or '').rstrip('/')}/callbacks/{entry_id}.{self.callback_mac(entry_id, secret)}"

    async def callback_secret(self) -> str:
        """The secret behind callback URLs, made once and kept in the journal."""
        return await self.journal.get_or_set("callback_secret", self._new_id() + self._new_id())
