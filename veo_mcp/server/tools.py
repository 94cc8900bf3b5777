"""The five tools: what a model may do, what it costs, and what it reads afterwards.

Called by hosts through server/build.py. Checks what can be checked, hands the work to tasks/service.py, and turns every
outcome, failures included, into a result in our own words. Never sends anything itself.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import anyio
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Resolve
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

from veo_mcp.api.models import PRICES, AspectRatio, CreateInput, GenerationType, Mode
from veo_mcp.errors import VeoError
from veo_mcp.journal.entry import FINAL, Entry, Status
from veo_mcp.journal.errors import JournalUnusable, SpendLimit
from veo_mcp.server.backend import Backend, Unavailable
from veo_mcp.server.confirm import Spend, allowed, ask_before_create, ask_before_extend, intent_id
from veo_mcp.server.panel import PANEL_META
from veo_mcp.server.progress import ProgressCounter, progress_message
from veo_mcp.server.results import (
    AffordableView,
    CreditsView,
    TaskListView,
    TaskView,
    dump,
    task_message,
    view,
)
from veo_mcp.server.schema import tighten
from veo_mcp.server.text import charge_words, quoted
from veo_mcp.server.tool_errors import tool_error
from veo_mcp.tasks.errors import NotExtendable, RuleViolation, SubmitResult, UnknownTask, Unrecorded

__all__ = ["Tools", "settled", "shown_task"]

PROGRESS_SECONDS = 4.0
"""Hosts give up on silent calls; a beat at least every 5 s keeps them waiting."""

TaskId = Annotated[str, Field(description="Id from create_video, extend_video or list_tasks", min_length=1)]
CallbackUrl = Annotated[str | None, Field(description="URL to POST the finished task to")]
Answer = Annotated[CallToolResult, TaskView]


class Tools:
    """The tools over one backend.

    Args:
        backend: where the engine is or will be.
        clock: Unix seconds now.
    """

    def __init__(self, backend: Backend, *, clock: Callable[[], float] = time.time) -> None:
        self._backend = backend
        self._clock = clock

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
        kinds: list[tuple[str, Callable[..., Any], str, ToolAnnotations, dict[str, Any] | None]] = [
            ("Create a Veo 3.1 video", self.create_video, CREATE_WORDS, spending, PANEL_META),
            ("Extend a video", self.extend_video, EXTEND_WORDS, spending, PANEL_META),
            ("Look at a video task", self.get_task, GET_WORDS, reading, PANEL_META),
            ("List video tasks", self.list_tasks, LIST_WORDS, reading, None),
            ("Show credits", self.get_credits, CREDITS_WORDS, reading, None),
        ]
        return [
            tighten(Tool.from_function(fn, title=title, description=words, annotations=hints, meta=shown_in))
            for title, fn, words, hints, shown_in in kinds
            if not (read_only and hints is spending)
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
        *,
        spend: Annotated[ElicitationResult[Spend], Resolve(ask_before_create)],
    ) -> Answer:
        request = CreateInput(
            prompt=prompt,
            mode=Mode(mode),
            aspect_ratio=AspectRatio(aspect_ratio),
            generation_type=GenerationType(generation_type) if generation_type else None,
            image_urls=tuple(image_urls) if image_urls else None,
            seeds=seeds,
            watermark=watermark,
        )

        async def send() -> CallToolResult:
            engine = await self._backend.engine()
            return self._sent(await engine.service.create(request, callback_url=callback_url, intent_id=intent_id()))

        return await self.map_errors(send) if allowed(spend) else tool_error(DECLINED)

    async def extend_video(
        self,
        task_id: TaskId,
        prompt: Annotated[str, Field(description="What happens next, in words")],
        callback_url: CallbackUrl = None,
        *,
        spend: Annotated[ElicitationResult[Spend], Resolve(ask_before_extend)],
    ) -> Answer:
        async def send() -> CallToolResult:
            engine = await self._backend.engine()
            sent = await engine.service.extend(task_id, prompt, callback_url=callback_url, intent_id=intent_id())
            return self._sent(sent)

        return await self.map_errors(send) if allowed(spend) else tool_error(DECLINED)

    async def get_task(
        self,
        task_id: TaskId,
        ctx: Context,
        wait_seconds: Annotated[int, Field(description="Wait up to this long for the end", ge=0, le=50)] = 0,
    ) -> Answer:
        async def look() -> CallToolResult:
            engine = await self._backend.engine()
            entry = await engine.service.get(task_id)
            here = engine.service.known_api_name
            if wait_seconds and not settled(entry) and here in (None, entry.api):
                async with engine.poller.watching(entry):
                    entry = await self._wait(entry, wait_seconds, ctx)
            return shown_task(entry, self._clock(), api=here)

        return await self.map_errors(look)

    async def list_tasks(
        self,
        status: Annotated[
            Literal["submitting", "pending", "processing", "completed", "failed", "refused", "unknown"] | None,
            Field(description="Only these"),
        ] = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        cursor: Annotated[str | None, Field(description="next_cursor of the page before")] = None,
    ) -> Annotated[CallToolResult, TaskListView]:
        async def look() -> CallToolResult:
            engine = await self._backend.engine()
            page = await engine.service.list(status=Status(status) if status else None, limit=limit, cursor=cursor)
            now = self._clock()
            rows = [view(entry, now) for entry in page.entries]
            listed = TaskListView(tasks=rows, next_cursor=page.next_cursor)
            lines = [_line(row) for row in rows]
            if page.next_cursor:
                lines.append(f"For older ones call again with cursor={page.next_cursor}")
            return _result(listed, "\n".join(lines) or _nothing(status, cursor))

        return await self.map_errors(look)

    async def get_credits(self) -> Annotated[CallToolResult, CreditsView]:
        async def look() -> CallToolResult:
            engine = await self._backend.engine()
            credits, sandbox = await engine.service.credits()
            fast, quality = (max(0, credits.balance) // PRICES[mode] for mode in (Mode.FAST, Mode.QUALITY))
            shown = CreditsView(
                **credits.model_dump(), affordable=AffordableView(fast=fast, quality=quality), sandbox=sandbox
            )
            mark = " These are SANDBOX credits, not real ones." if sandbox else ""
            return _result(
                shown, f"{credits.balance} credits: enough for {fast} fast or {quality} quality videos.{mark}"
            )

        return await self.map_errors(look)

    async def _wait(self, entry: Entry, seconds: int, ctx: Context) -> Entry:
        """Waits for the end of a task: a progress beat at once, at every change, and every few seconds."""
        engine = await self._backend.engine()
        usual = await engine.service.usual(entry)
        started = self._clock()
        beats = ProgressCounter()
        current = entry
        async with engine.journal.changes(entry.id) as feed:
            with anyio.move_on_after(seconds):
                # Read again after subscribing: the end may have come between the first look and this line.
                current = await engine.journal.get(entry.id) or current
                while not settled(current):
                    now = self._clock()
                    await ctx.report_progress(
                        beats.following(current.progress, now - started), message=progress_message(current, now, usual)
                    )
                    with anyio.move_on_after(PROGRESS_SECONDS):
                        current = await anext(feed)
        return await engine.journal.get(entry.id) or current

    def _sent(self, sent: SubmitResult) -> CallToolResult:
        now = self._clock()
        if sent.error is not None:
            money = charge_words(sent.error.charged, sent.entry.credits)
            return tool_error(
                f"{sent.error.explanation} The API's words: “{quoted(sent.error.message)}”. {money}{_later(sent.error)}"
            )
        return _result(view(sent.entry, now), task_message(sent.entry, now, repeated=sent.repeated))

    async def map_errors(self, act: Callable[[], Awaitable[CallToolResult]]) -> CallToolResult:
        try:
            return await act()
        except RuleViolation as fault:
            return tool_error(f"{fault} Not charged. Fix the arguments and call again.")
        except UnknownTask as fault:
            return tool_error(
                f"No task with the id “{quoted(str(fault), 60)}” exists. Not charged. list_tasks shows the ids."
            )
        except NotExtendable as fault:
            return tool_error(f"{fault} Not charged. get_task says when a task is completed.")
        except SpendLimit as limit:
            return tool_error(
                f"The limit of {limit.limit} credits in 24 h would be passed: {limit.spent} are spent. Not charged. "
                "Take a cheaper mode, wait until what was spent is a day old, or ask the person who runs this server "
                "to raise VEO_MAX_CREDITS."
            )
        except VeoError as error:
            return tool_error(f"{error.explanation} Not charged.{_later(error)}")
        except Unrecorded as lost:
            return tool_error(
                f"The request was sent, but not recorded. {lost} {charge_words(lost.charged, lost.credits)}"
            )
        except (Unavailable, JournalUnusable) as problem:
            return tool_error(f"{problem} Not charged. Nothing can be made until that is fixed.")


def shown_task(entry: Entry, now: float, *, api: str | None = None) -> CallToolResult:
    """The answer of get_task about this entry."""
    return _result(view(entry, now), task_message(entry, now, api=api))


def settled(entry: Entry) -> bool:
    """Whether nothing more will come of it by itself soon; an unknown outcome is settled by a callback or a person."""
    return entry.status in FINAL or entry.status is Status.UNKNOWN


def _later(error: VeoError) -> str:
    return f" Try again in {max(1, round(error.retry_after))} s." if error.retry_after is not None else ""


def _nothing(status: str | None, cursor: str | None) -> str:
    older = "older " if cursor else ""
    return f"No {older}video task is {status}." if status else f"No {older}video tasks."


def _line(row: TaskView) -> str:
    mark = " SANDBOX" if row.sandbox else ""
    return " ".join((f"{row.task_id} {row.status}{mark}: {quoted(row.prompt, 60)}", *(row.video_urls or ())))


def _result(model: BaseModel, text: str) -> CallToolResult:
    data: dict[str, Any] = dump(model)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=data)


DECLINED = "The person did not agree to spend the credits. Not charged. Ask what they want instead; fast costs 40."
CREATE_WORDS = (
    "Start an 8-second Veo 3.1 video with sound from a prompt, optionally with images. Spends credits: fast 40, "
    "quality 300. Returns at once with a task_id; the video takes minutes, so go on talking and call get_task later. "
    "To continue a finished video use extend_video. Never repeat a call whose outcome is unknown."
)
EXTEND_WORDS = (
    "Continue a completed video from its last frame. Spends credits: about 40, the price is an estimate. "
    "Returns at once with the new task_id. For a new video use create_video."
)
GET_WORDS = (
    "See how a video is doing: its status, what it cost and, when completed, its URL. Free. wait_seconds waits and "
    "reports progress. For several tasks use list_tasks."
)
LIST_WORDS = "List this server's video tasks, newest first, with their URLs. Free. For one task use get_task."
CREDITS_WORDS = "See the credit balance and how many videos it pays for. Free. Look before creating a quality video."
