"""Every sentence about a task, a list or a balance that a model or a person reads, and the tool results they stand in.

Called by tools, resources, the Tasks extension and the command line. Each message says what happened, whether credits
were spent, and what to do next; it is the text of a result and, as `message`, the first key of its structured content,
because some hosts show their model only one of the two. Failures lie in tool_errors.py. Never decides anything and
never performs I/O.
"""

import re
from collections.abc import Sequence

from mcp_types import CallToolResult, TextContent
from pydantic import BaseModel

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.views import (
    AffordableView,
    CreditsView,
    LimitView,
    TaskListView,
    TaskView,
    asked,
    dump,
    excerpts,
    in_sandbox,
    iso,
    retry_after,
    shown,
    view,
    view_row,
)
from veo_mcp.tasks.budget import Standing
from veo_mcp.tasks.situation import NOTHING_KNOWN, WHOLE_FILM_SECONDS, Situation
from veo_mcp.text import clean

__all__ = [
    "ago",
    "balance_result",
    "charge_words",
    "linkable",
    "list_result",
    "money",
    "span",
    "task_message",
    "task_result",
]

MOST_PARTS = 6
"""Parts of a film that are listed in one answer."""
OWN_KEY = (
    " It is asked about while this server keeps your key: at most 24 h, not after a restart, not by another replica. "
    "After that it waits for your return: call again, and it is asked about at once."
)
WAITING = (
    "If the person is waiting, call get_task with wait_seconds=45; otherwise end your turn and tell them to ask later."
)


def task_result(
    entry: Entry, now: float, situation: Situation = NOTHING_KNOWN, *, repeated: bool = False
) -> CallToolResult:
    """A tool's answer about one task."""
    message = task_message(entry, now, situation, repeated=repeated)
    return _result(view(entry, now, message, repeated=repeated))


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
    short = excerpts([entry.prompt for entry in entries])
    rows = [view_row(entry, now, words) for entry, words in zip(entries, short, strict=True)]
    closing = f"Last 24 h: {spent} {'sandbox ' if sandbox else ''}credits spent or reserved."
    if not entries:
        kind = f"{status} " if status else ""
        closing = f"No {'older ' if paged else ''}{kind}Veo video tasks here. {closing}"
    closing += " Only videos made through this server are listed; get_task finds others by id."
    if next_cursor:
        closing += f" For older ones call again with cursor={next_cursor}"
    count = f"{len(rows)} Veo video task{'s' if len(rows) != 1 else ''}, newest first. " if rows else ""
    lines = [_line(entry, now, words) for entry, words in zip(entries, short, strict=True)]
    listed = TaskListView(message=count + closing, tasks=rows, next_cursor=next_cursor)
    return CallToolResult(
        content=[TextContent(type="text", text="\n".join([*lines, closing]))], structured_content=dump(listed)
    )


def balance_result(standing: Standing, fast: int, quality: int) -> CallToolResult:
    """A tool's answer about the credits; the numbers say how many videos balance and limit both allow."""
    credits, limit = standing.credits, None
    kind = "sandbox credits" if standing.sandbox else "credits"
    words = f"Balance: {credits.balance} {kind}; {standing.spent} spent or reserved in the last 24 h."
    if standing.limit is not None and standing.left is not None:
        more_at = iso(standing.more_at) if standing.more_at is not None and standing.left < standing.limit else None
        limit = LimitView(max_credits=standing.limit, left=standing.left, more_at=more_at)
        words += f" This server's limit is {standing.limit} in any 24 h, so {standing.left} more may be spent now"
        words += f"; more from {more_at} on." if more_at else "."
    words += f" That is enough for {fast} fast or {quality} quality Veo videos."
    if standing.sandbox:
        words += " These are not real: a real key in VEO_API_KEY (or veo-mcp login) leaves the sandbox."
    return _result(
        CreditsView(
            message=words,
            **credits.model_dump(),
            affordable=AffordableView(fast=fast, quality=quality),
            spent_24h=standing.spent,
            limit=limit,
            sandbox=standing.sandbox,
        )
    )


def task_message(entry: Entry, now: float, situation: Situation = NOTHING_KNOWN, *, repeated: bool = False) -> str:
    """What happened, credits, next step."""
    words = _state(entry, now, situation, repeated=repeated)
    if not repeated:
        return words
    before = f"The same request was made before; nothing was sent again. {words}"
    if entry.status is Status.UNKNOWN:  # that says already how to pay for another one
        return before
    another = "other seeds or " if entry.kind == "create" else ""
    return f"{before} To pay again on purpose: {another}repeat_of={shown(entry)}."


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
    return f"{span(max(0.0, now - entry.created_at))} ago ({iso(entry.created_at)[:16].replace('T', ' ')} UTC)"


def linkable(url: str) -> bool:
    """Whether this can stand in an answer as a link: https, or the sandbox's own on this machine."""
    return bool(re.match(r"https://[^\s/@]+/|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/", url))


def _state(entry: Entry, now: float, situation: Situation, *, repeated: bool) -> str:
    match entry.status:
        case Status.COMPLETED:
            return _completed(entry, now, situation, repeated=repeated)
        case Status.FAILED:
            return _failed(entry, now, situation)
        case Status.REFUSED:
            return _refused(entry, now)
        case Status.UNKNOWN:
            return _unknown(entry, now, situation)
        case Status.SUBMITTING:
            return f"Veo video {shown(entry)} is being sent right now. {money(entry)} Call get_task in a few seconds."
        case _:
            return _under_way(entry, now, situation)


def _under_way(entry: Entry, now: float, situation: Situation) -> str:
    words = f"Veo video {shown(entry)} is {entry.status.value}, started {span(now - entry.created_at)} ago."
    if situation.usual is not None:
        words += f" Such videos usually take about {span(situation.usual)}."
    if situation.trouble is None:
        return f"{words} {money(entry)} {WAITING}{OWN_KEY if situation.own_key else ''}"
    trouble = situation.trouble.rstrip(".")
    return (
        f"{words} {money(entry)} It cannot be asked about at the moment: {trouble}. Tell the person; the video itself "
        "goes on, and get_task shows it once that is over."
    )


def _completed(entry: Entry, now: float, situation: Situation, *, repeated: bool) -> str:
    links = " ".join(clean(url, 2000) for url in entry.video_urls if linkable(url))
    ready = f"The video is ready: {links}" if links else "The video is ready, but the API named no usable URL for it."
    drawn = "Drawn by the sandbox, not by AI. " if in_sandbox(entry) else ""
    parts = [ready, f"{_what(entry, situation)}, started {ago(entry, now)}.", f"{drawn}{money(entry)}"]
    if entry.saved_to:
        parts.append(f"Saved: {clean(entry.saved_to, 500)}")
    if entry.film_saved_to:
        parts.append(f"The whole film: {clean(entry.film_saved_to, 500)}")
    elif entry.extends:
        parts.append(_film(entry, situation.chain))
    if entry.file_error:
        parts.append(f"Its file: {clean(entry.file_error, 200)}")
    if not repeated:
        parts.append(f"Continue it: extend_video, task_id={shown(entry)}.")
    return " ".join(parts)


def _what(entry: Entry, situation: Situation) -> str:
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
    if entry.extends and len(situation.chain) < 2:
        facts.append(f"continues {clean(entry.extends, 40)}")
    return ", ".join(facts) or ("An extension" if entry.extends else "A video")


def _film(entry: Entry, chain: Sequence[Entry]) -> str:
    """Whether the file of an extension holds the whole film; if not, where the parts are, in order."""
    if len(chain) < 2:
        return "What it continues was made elsewhere, so whether its file holds the whole film is not known."
    whole = _holds_all(chain[-2], entry)
    if whole:
        before = ", ".join(shown(part) for part in chain[-1 - MOST_PARTS : -1])
        return f"Its file holds the whole film, with {before}."
    # A part that holds what went before it is where the film begins.
    begins = next((place for place in range(len(chain) - 2, 0, -1) if _holds_all(*chain[place - 1 : place + 1])), 0)
    parts = chain[begins:-1]
    earlier = (
        f"{len(parts) - MOST_PARTS} earlier ones (get_task on each leads back); " if len(parts) > MOST_PARTS else ""
    )
    listed = "; ".join(
        f"{number}. {shown(part)} {next(filter(linkable, part.video_urls), 'no link')}"
        for number, part in list(enumerate(parts, 1))[-MOST_PARTS:]
    )
    order = f"{earlier}{listed}; {len(parts) + 1}. this one."
    if whole is None:
        later = any(part.duration_seconds is None and part.file_due_at is not None for part in chain[-2:])
        known = "not known yet; look again in a few seconds" if later else "not known, because a length cannot be read"
        return f"Whether its file holds the whole film or only the new part is {known}. Parts in order: {order}"
    return f"Its file holds only the new part. The film in order: {order}"


def _holds_all(parent: Entry, child: Entry) -> bool | None:
    """Whether the child's file holds its parent's too; None where a length is not known."""
    if child.duration_seconds is None or parent.duration_seconds is None:
        return None
    return child.duration_seconds >= parent.duration_seconds + WHOLE_FILM_SECONDS


def _failed(entry: Entry, now: float, situation: Situation) -> str:
    said = clean(entry.error_message or "").rstrip(".")
    words = f"The video failed ({shown(entry)}, started {span(now - entry.created_at)} ago)."
    words += f" The API said: “{said}”." if said else " The API gave no reason."
    words += f" {_cause(entry)} {money(entry)}"
    if situation.failures > 1:
        return (
            f"{words} This same request has failed {situation.failures} times in a row: stop, and tell the person. "
            "Send it again only if they ask for it."
        )
    return f"{words} Tell the person, and ask before paying for another try."


def _cause(entry: Entry) -> str:
    """What lies behind a failure, in our words; the API's own word is often only that it failed."""
    words = f"{entry.error_code or ''} {entry.error_message or ''}".lower()
    images = len(asked(entry).get("image_urls") or ())
    if images and re.search(r"image|picture|photo|fetch|download|url", words):
        return "An image could not be used: each link must open the image itself, without a login."
    if re.search(r"prohibit|polic|safety|moderat|nsfw|violat|sensitive|inappropriate|not allowed|rejected", words):
        return "The content was not accepted: prompt or images would have to change."
    if re.search(r"unavailable|overload|capacity|busy|maintenance|try again|time.?out|timed out", words):
        return "The service was down or overloaded: the same request may work later."
    if images:
        links = "the image link opens" if images == 1 else f"all {images} image links open"
        return f"That names no cause; check that {links} without a login."
    return "That names no cause; the wording need not be it."


def _refused(entry: Entry, now: float) -> str:
    said = clean(entry.error_message or "").rstrip(".")
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


def _unknown(entry: Entry, now: float, situation: Situation) -> str:
    why = clean(entry.error_message or "its answer was lost", 100).rstrip(".")
    words = f"Nobody knows whether the API took request {shown(entry)}, sent {ago(entry, now)}: {why}. {money(entry)}"
    if entry.evidence:
        words += f" Evidence, not proof: {entry.evidence} credits left the account just then, for nothing known here."
    words += (
        " It can still settle by itself: the API reports to this server."
        if situation.callbacks
        else " It cannot settle by itself (no callbacks are set up)."
    )
    return (
        f"{words} It is not sent again. The person can settle it: in the card, or with veo-mcp tasks resolve "
        f"{shown(entry)} at a terminal. To pay for another on purpose, ask them first, then call {_tool(entry)} "
        f"with repeat_of={shown(entry)}."
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


def _result(model: TaskView | CreditsView) -> CallToolResult:
    shown_as: BaseModel = model
    return CallToolResult(
        content=[TextContent(type="text", text=model.message or "")], structured_content=dump(shown_as)
    )
