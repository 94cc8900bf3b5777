"""The five tools, and the card's own: what a model may do, what it costs, and what it reads afterwards.

Called by hosts through server/build.py. Checks what can be checked, hands the work to the tasks layer, and turns every
outcome, failures included, into a result with our message. Never sends anything itself.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from mcp.server.elicitation import AcceptedElicitation, ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Resolve
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ToolAnnotations
from pydantic import Field

from veo_mcp.api.account import Account
from veo_mcp.api.models import PRICES, Mode
from veo_mcp.errors import RequestError, VeoMcpError
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import account_of
from veo_mcp.server.confirm import (
    Planned,
    Share,
    Spend,
    Unaskable,
    Unasked,
    Unshared,
    allowed,
    ask_before_create,
    ask_before_extend,
    ask_before_pictures,
    confirmation,
    planned_create,
    planned_extend,
    shared,
)
from veo_mcp.server.messages.errors import crashed, failure, not_confirmed, quoted_price, refusal, sharing_not_confirmed
from veo_mcp.server.messages.task import money
from veo_mcp.server.panel import CARD_TOOL_META, PANEL_META, client_supports_apps
from veo_mcp.server.panel.card_facts import with_card_facts
from veo_mcp.server.progress import ProgressCounter, progress_message
from veo_mcp.server.results import balance_result, list_result, task_result
from veo_mcp.server.schema import tighten
from veo_mcp.server.views import CreditsView, TaskListView, TaskView

if TYPE_CHECKING:  # the engine brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.engine import Engine

__all__ = ["Tools"]

log = logging.getLogger(__name__)

PROGRESS_SECONDS = 4.0
"""Hosts give up on silent calls; a progress message at least every 5 s keeps them waiting."""

TaskId = Annotated[str, Field(description="Id from create_video, extend_video or list_tasks", min_length=1)]
CallbackUrl = Annotated[str | None, Field(description="URL to POST the finished task to")]
ConfirmCredits = Annotated[int | None, Field(description="The price, after a quote that the person agreed to")]
RepeatOf = Annotated[str | None, Field(description="task_id of an identical request, to pay for another on purpose")]
Answer = Annotated[CallToolResult, TaskView]
MayShare = Callable[["Engine", Account], Awaitable[bool]]
"""Whether the pictures of a call may be handed over."""


class Tools:
    """The tools over one backend.

    Args:
        backend: where the engine is or will be.
        clock: Unix seconds now.
        takes_files: whether pictures of this machine may be named.
    """

    def __init__(self, backend: Backend, *, clock: Callable[[], float] = time.time, takes_files: bool = False) -> None:
        self._backend = backend
        self._clock = clock
        self._takes_files = takes_files

    def all(self, *, read_only: bool) -> list[Tool]:
        """The tools as the SDK wants them; the two that spend are left out when `read_only`."""
        spending = ToolAnnotations(
            # Adding a video destroys nothing, but spending cannot be undone, and hosts use this hint to ask.
            read_only_hint=False,
            destructive_hint=True,
            idempotent_hint=False,
            open_world_hint=True,
        )
        reading = ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True
        )
        create = f"{CREATE_WORDS} {FILES_TOO if self._takes_files else LINKS_ONLY}"
        kinds: list[tuple[str, Callable[..., Any], str, ToolAnnotations, dict[str, Any] | None]] = [
            ("Create a Veo 3.1 video", self.create_video, create, spending, {**PANEL_META, **FINDABLE}),
            ("Extend a Veo video", self.extend_video, EXTEND_WORDS, spending, PANEL_META),
            ("Look at a Veo video", self.get_task, GET_WORDS, reading, PANEL_META),
            ("List Veo videos", self.list_tasks, LIST_WORDS, reading, None),
            ("Show Veo credits", self.get_credits, CREDITS_WORDS, reading, None),
        ]
        return [
            tighten(Tool.from_function(fn, title=title, description=words, annotations=hints, meta=shown_in))
            for title, fn, words, hints, shown_in in kinds
            if not (read_only and hints is spending)
        ]

    def of_the_card(self) -> list[Tool]:
        """The tools that the card alone may call; a client without it neither sees nor calls them."""
        resolving = ToolAnnotations(
            read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
        )
        return [
            tighten(
                Tool.from_function(
                    self.resolve_task,
                    title="Settle an unknown outcome",
                    description=RESOLVE_WORDS,
                    annotations=resolving,
                    meta=CARD_TOOL_META,
                )
            )
        ]

    async def create_video(
        self,
        prompt: Annotated[str, Field(description="Scene, action, camera, light and sound, in words")],
        mode: Annotated[
            Literal["fast", "quality"], Field(description="fast: 40 credits; quality: 300 credits")
        ] = "fast",
        aspect_ratio: Annotated[
            Literal["16:9", "9:16", "Auto"], Field(description="Auto follows the first image")
        ] = "16:9",
        generation_type: Annotated[
            Literal["TEXT_2_VIDEO", "FIRST_AND_LAST_FRAMES_2_VIDEO", "REFERENCE_2_VIDEO"] | None,
            Field(description="Detected from image_urls: frames unless REFERENCE_2_VIDEO (fast only) is named"),
        ] = None,
        image_urls: Annotated[
            list[str] | None,
            Field(description="1 first frame, 2 first and last, or 1-3 references; http(s)", max_length=3),
        ] = None,
        seeds: Annotated[int | None, Field(description="Same seed, same video", ge=10000, le=99999)] = None,
        watermark: Annotated[str | None, Field(description="Text burnt in")] = None,
        callback_url: CallbackUrl = None,
        repeat_of: RepeatOf = None,
        confirm_credits: ConfirmCredits = None,
        *,
        ctx: Context,
        spend: Annotated[ElicitationResult[Spend], Resolve(ask_before_create)],
        share: Annotated[ElicitationResult[Share], Resolve(ask_before_pictures)],
    ) -> Answer:
        may_share = self._may_share(share, image_urls)
        planned = planned_create(
            prompt, mode, aspect_ratio, generation_type, image_urls, seeds, watermark, callback_url
        )
        return await self._spend(ctx, spend, planned, repeat_of, confirm_credits, may_share)

    async def extend_video(
        self,
        task_id: TaskId,
        prompt: Annotated[str, Field(description="What happens next, in words")],
        callback_url: CallbackUrl = None,
        repeat_of: RepeatOf = None,
        confirm_credits: ConfirmCredits = None,
        *,
        ctx: Context,
        spend: Annotated[ElicitationResult[Spend], Resolve(ask_before_extend)],
    ) -> Answer:
        return await self._spend(ctx, spend, planned_extend(task_id, prompt, callback_url), repeat_of, confirm_credits)

    async def get_task(
        self,
        task_id: TaskId,
        ctx: Context,
        wait_seconds: Annotated[int, Field(description="Wait up to this long for the end", ge=0, le=50)] = 0,
    ) -> Answer:
        async def look() -> CallToolResult:
            engine = await self._backend.engine()
            account = await account_of(ctx.request_context, engine)
            entry = await engine.reader.get(account, task_id)
            if wait_seconds and not entry.settled:
                async with engine.poller.watching(entry):
                    report = self._progress_reporter(ctx, await engine.poller.usual(entry))
                    entry = await engine.reader.wait(
                        account, entry, seconds=wait_seconds, every=PROGRESS_SECONDS, report=report
                    )
            return await self._shown(ctx, engine, account, entry)

        return await _mapped(look)

    async def resolve_task(
        self,
        task_id: TaskId,
        ctx: Context,
        upstream_task_id: Annotated[str | None, Field(description="The API's id of the task it became")] = None,
        not_charged: Annotated[bool, Field(description="The API never took it")] = False,
    ) -> Answer:
        async def settle() -> CallToolResult:
            if (upstream_task_id is None) is not not_charged:
                raise RequestError("Say either upstream_task_id or not_charged. Nothing was changed.")
            engine = await self._backend.engine()
            account = await account_of(ctx.request_context, engine)
            entry = await engine.reader.settle(account, task_id, upstream_id=upstream_task_id)
            return await self._shown(ctx, engine, account, entry)

        return await _mapped(settle)

    async def list_tasks(
        self,
        status: Annotated[
            Literal["submitting", "pending", "processing", "completed", "failed", "refused", "unknown"] | None,
            Field(description="Only these"),
        ] = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None,
        *,
        ctx: Context,
    ) -> Annotated[CallToolResult, TaskListView]:
        async def look() -> CallToolResult:
            engine = await self._backend.engine()
            account = await account_of(ctx.request_context, engine)
            wanted = Status(status) if status else None
            page = await engine.reader.list(account, status=wanted, limit=limit, cursor=cursor)
            now = self._clock()
            spent = await engine.budget.spent(account)
            return list_result(
                page.entries,
                page.next_cursor,
                now,
                status=status,
                paged=cursor is not None,
                spent=spent,
                sandbox=account.sandbox,
            )

        return await _mapped(look)

    async def get_credits(self, *, ctx: Context) -> Annotated[CallToolResult, CreditsView]:
        async def look() -> CallToolResult:
            engine = await self._backend.engine()
            standing = await engine.budget.standing(await account_of(ctx.request_context, engine))
            can = standing.credits.balance if standing.left is None else min(standing.credits.balance, standing.left)
            fast, quality = (max(0, can) // PRICES[mode] for mode in (Mode.FAST, Mode.QUALITY))
            return balance_result(standing, fast, quality)

        return await _mapped(look)

    async def _shown(
        self, ctx: Context, engine: "Engine", account: Account, entry: Entry, *, repeated: bool = False
    ) -> CallToolResult:
        """The answer about one task, with the card's own data beside it where the host shows cards."""
        context = await engine.contexts.of(account, entry)
        result = task_result(entry, self._clock(), context, repeated=repeated)
        return with_card_facts(result, context, self._clock()) if client_supports_apps(ctx) else result

    def _progress_reporter(self, ctx: Context, usual: float | None) -> Callable[[Entry], Awaitable[None]]:
        """Sends the host of a waiting call its progress notifications, so that it does not give up."""
        started, counter = self._clock(), ProgressCounter()

        async def report(entry: Entry) -> None:
            now = self._clock()
            await ctx.report_progress(
                counter.following(entry.progress, now - started), message=progress_message(entry, now, usual)
            )

        return report

    async def _spend(
        self,
        ctx: Context,
        spend: ElicitationResult[Spend],
        planned: Planned,
        repeat_of: str | None,
        confirm_credits: int | None,
        may_share: MayShare | None = None,
    ) -> CallToolResult:
        try:
            engine = await self._backend.engine()
            account = await account_of(ctx.request_context, engine)
            plan = await planned(engine, account)
            if may_share is not None and not await may_share(engine, account):
                return sharing_not_confirmed()
            if not allowed(spend):
                cheaper = not plan.is_extension and plan.credits > PRICES[Mode.FAST]
                return not_confirmed(plan.credits, estimated=plan.is_extension, cheaper=cheaper)
            answer = spend.data if isinstance(spend, AcceptedElicitation) else None
            if isinstance(answer, Unasked):
                entry, repeated, error = await engine.submitter.earlier(account, plan, repeat_of=repeat_of), True, None
                if entry is None:
                    await engine.budget.check(account, plan.credits)
                    raise RequestError("The first of these requests was refused meanwhile. Call again.")
            elif isinstance(answer, Unaskable) and not await engine.quotes.take(
                account, plan, repeat_of, confirm_credits
            ):
                balance = await engine.quotes.give(account, plan, repeat_of)
                return quoted_price(
                    plan.credits,
                    balance,
                    estimated=plan.is_extension,
                    sandbox=account.sandbox,
                    confirmed=confirm_credits,
                )
            else:
                sent = await engine.submitter.spend(account, plan, repeat_of=repeat_of, confirmation=confirmation())
                entry, repeated, error = sent.entry, sent.repeated, sent.error
        except VeoMcpError as known:
            return failure(known)
        except Exception:  # nothing escapes the submitter once a byte may have left
            log.exception("A request crashed before it was sent.")
            return crashed("Not charged.")
        try:
            if error is not None:
                return refusal(error, entry, balance=await engine.budget.balance_within(account, error))
            return await self._shown(ctx, engine, account, entry, repeated=repeated)
        except Exception:
            log.exception("Task %s could not be shown.", entry.id)
            return crashed(money(entry))

    @staticmethod
    def _may_share(answer: ElicitationResult[Share], image_urls: list[str] | None) -> MayShare:
        """Remembers a yes about the folders of these pictures; a no is for this call alone."""

        async def may(engine: "Engine", account: Account) -> bool:
            asked = not (isinstance(answer, AcceptedElicitation) and isinstance(answer.data, Unshared))
            if asked and shared(answer):
                await engine.pictures.allow(await engine.pictures.unasked(account, image_urls))
            return shared(answer)

        return may


async def _mapped(act: Callable[[], Awaitable[CallToolResult]]) -> CallToolResult:
    try:
        return await act()
    except VeoMcpError as error:
        return failure(error)


FINDABLE = {"anthropic/searchHint": "generate, make a video or clip with Veo"}
"""For hosts that show their model names only, and let it search for the rest."""
CREATE_WORDS = (
    "Start an 8-second Veo 3.1 video with sound from a text prompt, optionally with images. Spends credits: fast 40, "
    "quality 300 (finer; ask the person first). Answers at once with a task_id. Cannot be cancelled. The same call "
    "again within minutes returns the first video instead of paying twice."
)
LINKS_ONLY = "Images are public links; local files cannot be sent."
FILES_TOO = "Images are public links, or paths of JPEG, PNG or WebP files on this machine in the folders set up for it."
EXTEND_WORDS = (
    "Continue a completed Veo video, fast or quality, from its last frame. Spends credits: about 40 (the price is an "
    "estimate). Answers at once with the new task_id; when it is done, get_task says whether its file holds the whole "
    "film or only the new part."
)
GET_WORDS = (
    "See one Veo video: status, length, size, what it cost and, when completed, its URL. Free. wait_seconds=45 waits "
    "for the end. For several videos use list_tasks."
)
RESOLVE_WORDS = (
    "Settle a request whose outcome is unknown, as the person said in the card: by the API's id, or as not charged. "
    "Free."
)
LIST_WORDS = (
    "List the Veo videos made here, newest first: status, age, price, prompt, URL, and the credits spent in the last "
    "24 h. Free."
)
CREDITS_WORDS = "See the credit balance, the spending limit, and how many Veo videos they allow. Free."
