"""Every sentence about a task, a list or a balance that a model or a person reads, and the tool results they stand in.

Called by tools, resources, the Tasks extension and the command line. Each message says what happened, whether credits
were spent, and what to do next; it is the text of a result and, as `message`, the first key of its structured content,
because some hosts show their model only one of the two. Failures lie in tool_errors.py, the words on a film's parts in
film_words.py. Never decides anything and never performs I/O.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mcp_types import CallToolResult, TextContent

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.cause_words import cause
from veo_mcp.server.film_words import film_words
from veo_mcp.server.forms import FORMS, FULL, Form
from veo_mcp.server.views import (
    AffordableView,
    CreditsView,
    LimitView,
    TaskListView,
    asked,
    dump,
    excerpts,
    in_sandbox,
    iso,
    linkable,
    retry_after,
    shown,
    view,
    view_row,
)
from veo_mcp.tasks.context import NOTHING_KNOWN, TaskContext
from veo_mcp.text import clean

if TYPE_CHECKING:  # it brings the HTTP library along, which tools/list must not wait for
    from veo_mcp.tasks.budget import Standing

__all__ = [
    "ago",
    "balance_result",
    "charge_words",
    "list_result",
    "money",
    "size",
    "span",
    "task_message",
    "task_result",
]

ROOM, ROOM_UNKNOWN, ROOM_ROW, TEN = 1_300, 1_800, 600, 10
"""Bytes that text and structured content of an answer may take together: about one task, about one whose outcome is
unknown, and for each row of a list, which has room for ten at least."""
ROW_PROMPT, ROW_PROMPT_SHORT = 48, 32
"""Characters of a prompt in a row; fewer where the page gets too long."""
OWN_KEY = (
    " It is asked about while this server keeps your key: 24 h at most, not after a restart, not elsewhere. After that "
    "it waits for your return: call again."
)
WAITING = (
    "If the person is waiting, call get_task with wait_seconds=45; otherwise end your turn and tell them to ask later."
)


def task_result(
    entry: Entry, now: float, context: TaskContext = NOTHING_KNOWN, *, repeated: bool = False
) -> CallToolResult:
    """A tool's answer about one task, in the fullest form that there is room for."""
    room = ROOM_UNKNOWN if entry.status is Status.UNKNOWN else ROOM
    made = [_in_form(entry, now, context, FULL, repeated=repeated)]
    for form in FORMS:
        if size(made[-1]) <= room:
            break
        made.append(_in_form(entry, now, context, form, repeated=repeated))
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
        words += f"; more from {more_at} on." if more_at else "."
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


def task_message(
    entry: Entry,
    now: float,
    context: TaskContext = NOTHING_KNOWN,
    *,
    repeated: bool = False,
    form: Form = FULL,
    beside_fields: bool = False,
) -> str:
    """What happened, credits, next step; `beside_fields`: for structured content, whose fields hold links and ids."""
    brief = beside_fields and form.once
    words = _state(entry, now, context, form, repeated=repeated, brief=brief)
    if not repeated:
        return words
    before = "The same request was made before" if form.hints else "A repeat"
    words = f"{before}; nothing was sent again. {words}"
    if entry.status is Status.UNKNOWN or (brief and not form.hints):  # it, or the tool, says how to pay for another one
        return words
    another = "other seeds or " if entry.kind == "create" and form.hints else ""
    on_purpose = " on purpose" if form.hints else ""
    return f"{words} To pay again{on_purpose}: {another}repeat_of={'task_id' if brief else shown(entry)}."


def charge_words(charged: str, credits: int, *, estimated: bool = False, sandbox: bool = False) -> str:
    """The words on credits that models and checks rely on."""
    about, estimate = ("about ", " (estimate)") if estimated else ("", "")
    amount = f"{about}{credits} {'sandbox ' if sandbox else ''}credits{estimate}."
    match charged:
        case "yes":
            return f"Charged {amount}"
        case "refunded":
            return f"Refunded {amount}"
        case "no":
            return "Not charged."
        case _:
            return f"May have been charged {amount}"


def money(entry: Entry, charged: str | None = None) -> str:
    """The words on this entry's credits; `charged` where something else is known than it says."""
    return charge_words(charged or entry.charged, entry.credits, estimated=entry.estimated, sandbox=in_sandbox(entry))


def span(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"


def ago(entry: Entry, now: float) -> str:
    """When it was begun, as people say it, and the date."""
    return f"{span(max(0.0, now - entry.created_at))} ago ({minute(entry.created_at)})"


def minute(moment: float) -> str:
    """A date and a time of day."""
    return f"{iso(moment)[:16].replace('T', ' ')} UTC"


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
    lines = [_line(entry, now, excerpt) for entry, excerpt in zip(linked, short, strict=True)]
    listed = TaskListView(message=count + closing, tasks=rows, next_cursor=next_cursor)
    return CallToolResult(
        content=[TextContent(type="text", text="\n".join([*lines, closing]))], structured_content=dump(listed)
    )


def _in_form(entry: Entry, now: float, context: TaskContext, form: Form, *, repeated: bool) -> CallToolResult:
    text = task_message(entry, now, context, repeated=repeated, form=form)
    message = task_message(entry, now, context, repeated=repeated, form=form, beside_fields=True)
    data = view(entry, now, message, repeated=repeated, prompt=form.prompt, said=form.said)
    if form is FORMS[-1] and entry.film_saved_to:  # the film holds the part, and the size says more than "720p"
        data = data.model_copy(update={"saved_to": None, "resolution": None})
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=dump(data))


def _state(entry: Entry, now: float, context: TaskContext, form: Form, *, repeated: bool, brief: bool) -> str:
    match entry.status:
        case Status.COMPLETED:
            return _completed(entry, now, context, form, repeated=repeated, brief=brief)
        case Status.FAILED:
            return _failed(entry, now, context, form, brief=brief)
        case Status.REFUSED:
            return _refused(entry, now, form)
        case Status.UNKNOWN:
            return _unknown(entry, now, context, form, repeated=repeated, brief=brief)
        case Status.SUBMITTING:
            return f"Veo video {shown(entry)} is being sent right now. {money(entry)} Call get_task in a few seconds."
        case _:
            return _under_way(entry, now, context, brief=brief)


def _under_way(entry: Entry, now: float, context: TaskContext, *, brief: bool) -> str:
    which = "The Veo video" if brief else f"Veo video {shown(entry)}"
    words = f"{which} is {entry.status.value}, started {span(now - entry.created_at)} ago."
    if context.usual is not None:
        words += f" Such videos usually take about {span(context.usual)}."
    if context.trouble is None:
        return f"{words} {money(entry)} {WAITING}{OWN_KEY if context.own_key else ''}"
    trouble = context.trouble.rstrip(".")
    return (
        f"{words} {money(entry)} It cannot be asked about at the moment: {trouble}. Tell the person; the video itself "
        "goes on, and get_task shows it once that is over."
    )


def _completed(entry: Entry, now: float, context: TaskContext, form: Form, *, repeated: bool, brief: bool) -> str:
    links = " ".join(clean(url, 2000) for url in entry.video_urls if linkable(url))
    ready = f"The video is ready: {links}" if links else "The video is ready, but the API named no usable URL for it."
    about = f"{_what(entry, context)}, started {ago(entry, now)}."
    if brief:
        ready = "The video is ready, see video_urls." if links else ready
        about = f"Started {span(max(0.0, now - entry.created_at))} ago." if form.hints else ""
    drawn = "Drawn by the sandbox, not by AI. " if in_sandbox(entry) and form.hints and not brief else ""
    parts = [ready, about, f"{drawn}{money(entry)}"]
    if entry.saved_to and (form.hints or not entry.film_saved_to):  # the film holds it
        parts.append("It is saved at saved_to." if brief else f"Saved: {clean(entry.saved_to, 500)}")
    if entry.film_saved_to:
        parts.append(
            "The whole film: film_saved_to." if brief else f"The whole film: {clean(entry.film_saved_to, 500)}"
        )
    elif entry.extends:
        parts.append(film_words(entry, context.chain, form, brief=brief))
    if entry.file_error:
        parts.append(f"Its file: {clean(entry.file_error, form.said)}")
    if not repeated and not brief:
        parts.append(f"Continue it: extend_video, task_id={shown(entry)}.")
    elif not repeated and form.hints:
        parts.append("Continue it: extend_video.")
    return " ".join(part for part in parts if part)


def _what(entry: Entry, context: TaskContext) -> str:
    """Length, size, mode, shape and what else was asked for."""
    given = asked(entry)
    facts: list[str] = []
    if entry.duration_seconds:
        facts.append(f"{entry.duration_seconds:.1f} s")
    if entry.width and entry.height:
        facts.append(f"{entry.width}×{entry.height}")
    facts += [fact for fact in (entry.mode, entry.aspect_ratio) if fact]
    if given.get("seeds"):
        facts.append(f"seed {given['seeds']}")
    if given.get("watermark"):
        facts.append(f"watermark “{clean(str(given['watermark']), 40)}”")
    images = len(given.get("image_urls") or ())
    if images:
        facts.append(f"{images} image{'s' if images > 1 else ''}")
    if entry.extends and len(context.chain) < 2:
        facts.append(f"continues {clean(entry.extends, 40)}")
    return ", ".join(facts) or ("An extension" if entry.extends else "A video")


def _failed(entry: Entry, now: float, context: TaskContext, form: Form, *, brief: bool) -> str:
    said = clean(entry.error_message or "", form.said).rstrip(".")
    which = "" if brief else f"{shown(entry)}, "
    words = f"The video failed ({which}started {span(now - entry.created_at)} ago)."
    if brief and said:
        words += " The API's words: error."
    else:
        words += f" The API said: “{said}”." if said else " The API gave no reason."
    words += f" {cause(entry)} {money(entry)}"
    if context.failures > 1:
        return (
            f"{words} This same request has failed {context.failures} times in a row: stop, and tell the person. "
            "Send it again only if they ask."
        )
    return f"{words} Tell the person, and ask before paying for another try."


def _refused(entry: Entry, now: float, form: Form) -> str:
    said = clean(entry.error_message or "", form.said).rstrip(".")
    if entry.error_code == "settled_by_hand":
        return (
            f"A person settled request {shown(entry)}, made {ago(entry, now)}: the API never took it, and no video was "
            f"made. {money(entry)} Call {_tool(entry)} again if they still want it."
        )
    reason = f"The API said: “{said}”." if said else "No reason is kept."
    wait = retry_after(entry)
    later = f" Not before {wait} s have passed." if wait else ""
    return (
        f"Request {shown(entry)}, made {ago(entry, now)}, was refused; no video was made. {reason} "
        f"{money(entry)} Call {_tool(entry)} again once that is fixed.{later}"
    )


def _unknown(entry: Entry, now: float, context: TaskContext, form: Form, *, repeated: bool, brief: bool) -> str:
    why = clean(entry.error_message or "its answer was lost", min(100, form.said)).rstrip(".")
    which = "the request" if brief else f"request {shown(entry)}"
    words = f"Nobody knows whether the API took {which}, sent {ago(entry, now)}: {why}. {money(entry)}"
    if entry.evidence:
        words += f" Evidence, not proof: {entry.evidence} credits left the account just then, for nothing known here."
    words += (
        " It can still settle by itself: the API reports to this server."
        if context.callbacks
        else " It cannot settle by itself (no callbacks are set up)."
    )
    words += "" if repeated else " It is not sent again."
    return (
        f"{words} The person can settle it: in the card, or with veo-mcp tasks resolve "
        f"{shown(entry)} at a terminal. To pay for another on purpose, ask them first, then call {_tool(entry)} "
        f"with repeat_of={'task_id' if brief else shown(entry)}."
    )


def _line(entry: Entry, now: float, words: str) -> str:
    about = "about " if entry.estimated else ""
    sandbox = "sandbox " if in_sandbox(entry) else ""
    paid = {"yes": "", "refunded": " refunded", "no": " not charged", "unknown": " perhaps charged"}[entry.charged]
    facts = [fact for fact in (entry.mode, entry.aspect_ratio) if fact]
    facts.append(f"{about}{entry.credits} {sandbox}credits{paid}")
    if entry.extends:
        facts.append(f"continues {clean(entry.extends, 40)}")
    link = next((f" {clean(url, 500)}" for url in entry.video_urls if linkable(url)), "")
    return (
        f"{shown(entry)} {entry.status.value}, {span(max(0.0, now - entry.created_at))} ago, {', '.join(facts)}: "
        f"“{words}”{link}"
    )


def _tool(entry: Entry) -> str:
    return "extend_video" if entry.kind == "extend" else "create_video"
