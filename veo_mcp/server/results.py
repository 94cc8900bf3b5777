"""The tool results: a message beside its structured content, in the fullest form that there is room for.

Called by tools, resources and the Tasks extension. The message is the text of a result and, as `message`, the first key
of its structured content, because some hosts show their model only one of the two. Tasks and failures are worded in
messages/; a list and a balance here, beside their numbers. Never decides anything and never performs I/O.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mcp_types import CallToolResult, TextContent

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.messages.detail import DETAILS, FULL, Detail
from veo_mcp.server.messages.task import minute, row_line, task_message
from veo_mcp.server.views import (
    AffordableView,
    CreditsView,
    LimitView,
    TaskListView,
    dump,
    excerpts,
    iso,
    view,
    view_row,
)
from veo_mcp.tasks.context import NOTHING_KNOWN, TaskContext

if TYPE_CHECKING:  # it brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.budget import Standing

__all__ = ["balance_result", "list_result", "size", "task_result"]

ROOM, ROOM_MORE, ROOM_ROW, TEN = 1_300, 1_800, 600, 10
"""Bytes that text and structured content of an answer may take together: about one task; about an unknown outcome, or
a film of three parts or more, which has their links; and for each row of a list, which has room for ten at least."""
ROW_PROMPT, ROW_PROMPT_SHORT = 48, 32
"""Characters of a prompt in a row; fewer where the page gets too long."""


def task_result(
    entry: Entry, now: float, context: TaskContext = NOTHING_KNOWN, *, repeated: bool = False
) -> CallToolResult:
    """A tool's answer about one task, in the fullest form that there is room for."""
    room = ROOM_MORE if entry.status is Status.UNKNOWN or len(context.chain) > 2 else ROOM
    made = [_in_detail(entry, now, context, FULL, repeated=repeated)]
    for detail in DETAILS:
        if size(made[-1]) <= room:
            break
        made.append(_in_detail(entry, now, context, detail, repeated=repeated))
    return made[-1]


def size(result: CallToolResult) -> int:
    """Bytes of an answer's text and structured content together."""
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    data = json.dumps(result.structured_content, separators=(",", ":"), ensure_ascii=False)
    return len("\n".join(texts).encode()) + len(data.encode())


def list_result(
    entries: Sequence[Entry],
    next_cursor: str | None,
    now: float,
    *,
    status: str | None,
    paged: bool,
    spent: int,
    sandbox: bool,
) -> CallToolResult:
    """A tool's answer with a page of tasks; `spent` is what the last 24 h cost the account."""
    closing = f"Last 24 h: {spent} {'sandbox ' if sandbox else ''}credits spent or reserved."
    if not entries:
        kind = f"{status} " if status else ""
        closing = f"No {'older ' if paged else ''}{kind}Veo video tasks here. {closing}"
    closing += " Only videos made through this server are listed; get_task finds others by id."
    if next_cursor:
        closing += f" For older ones call again with cursor={next_cursor}"
    room = ROOM_ROW * max(TEN, len(entries))
    made = _listed(entries, next_cursor, now, closing, ROW_PROMPT, len(entries))
    for links in range(len(entries), -1, -1):
        if size(made) <= room:
            break
        made = _listed(entries, next_cursor, now, closing, ROW_PROMPT_SHORT, links)
    return made


def balance_result(standing: "Standing", fast: int, quality: int) -> CallToolResult:
    """A tool's answer about the credits; the numbers say how many videos balance and limit both allow."""
    credits, limit = standing.credits, None
    kind = "sandbox credits" if standing.sandbox else "credits"
    words = (
        f"Balance: {credits.balance} {kind} ({credits.total_purchased} bought, {credits.total_consumed} used in all); "
        f"{standing.spent} spent or reserved in the last 24 h."
    )
    if standing.limit is not None and standing.left is not None:
        more_at = iso(standing.more_at) if standing.more_at is not None and standing.left < standing.limit else None
        limit = LimitView(max_credits=standing.limit, left=standing.left, more_at=more_at)
        words += f" This server's limit is {standing.limit} in any 24 h, so {standing.left} more may be spent now"
        words += f"; the oldest of these credits count until {more_at}." if more_at else "."
    words += f" That is enough for {fast} fast or {quality} quality Veo videos."
    if standing.sandbox:
        words += " These are not real: a real key in VEO_API_KEY (or veo-mcp login) leaves the sandbox."
    seen = CreditsView(
        message=words,
        **credits.model_dump(),
        affordable=AffordableView(fast=fast, quality=quality),
        spent_24h=standing.spent,
        limit=limit,
        sandbox=standing.sandbox,
    )
    return CallToolResult(content=[TextContent(type="text", text=words)], structured_content=dump(seen))


def _listed(
    entries: Sequence[Entry], next_cursor: str | None, now: float, closing: str, words: int, links: int
) -> CallToolResult:
    """The page with this many characters of each prompt, and the links of this many videos, the newest ones."""
    short = excerpts([entry.prompt for entry in entries], words)
    linked = [entry if place < links else replace(entry, video_urls=()) for place, entry in enumerate(entries)]
    if any(entry.video_urls for entry in entries[links:]):
        closing = f"For the links of the oldest ask get_task. {closing}"
    plural = "s" if len(entries) != 1 else ""
    # Rows of data have dates and no ages, and a model has no clock.
    count = f"{len(entries)} Veo video task{plural}, newest first, at {minute(now)}. " if entries else ""
    rows = [view_row(entry, now, excerpt) for entry, excerpt in zip(linked, short, strict=True)]
    lines = [row_line(entry, now, excerpt) for entry, excerpt in zip(linked, short, strict=True)]
    listed = TaskListView(message=count + closing, tasks=rows, next_cursor=next_cursor)
    return CallToolResult(
        content=[TextContent(type="text", text="\n".join([*lines, closing]))], structured_content=dump(listed)
    )


def _in_detail(entry: Entry, now: float, context: TaskContext, detail: Detail, *, repeated: bool) -> CallToolResult:
    text = task_message(entry, now, context, repeated=repeated, detail=detail)
    message = task_message(entry, now, context, repeated=repeated, detail=detail, beside_fields=True)
    data = view(entry, now, message, repeated=repeated, prompt=detail.prompt, said=detail.said)
    if detail is DETAILS[-1] and entry.film_saved_to:  # the film holds the part, and the size says more than "720p"
        data = data.model_copy(update={"saved_to": None, "resolution": None})
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=dump(data))
