"""Every sentence about one task: what happened to it, whether credits were spent, and what to do next.

Called by results.py, the Tasks extension and the command line. Failures of a call are worded in errors.py, the parts of
a film in film.py, what lies behind a failed video in cause.py. Never decides anything and never performs I/O.
"""

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.messages.cause import failure_cause
from veo_mcp.server.messages.detail import FULL, Detail
from veo_mcp.server.messages.film import film_message
from veo_mcp.server.views import asked, in_sandbox, iso, linkable, retry_after, shown
from veo_mcp.tasks.context import NOTHING_KNOWN, TaskContext
from veo_mcp.text import clean

__all__ = ["ago", "charge_words", "minute", "money", "row_line", "span", "task_message"]

OWN_KEY = (
    " It is asked about while this server keeps your key: 24 h at most, not after a restart, not elsewhere. After that "
    "it waits for your return: call again."
)
WAITING = (
    "If the person is waiting, call get_task with wait_seconds=45; otherwise end your turn and tell them to ask later."
)


def task_message(
    entry: Entry,
    now: float,
    context: TaskContext = NOTHING_KNOWN,
    *,
    repeated: bool = False,
    detail: Detail = FULL,
    beside_fields: bool = False,
) -> str:
    """What happened, credits, next step; `beside_fields`: for structured content, whose fields hold links and ids."""
    brief = beside_fields and detail.once
    words = _state(entry, now, context, detail, repeated=repeated, brief=brief)
    if not repeated:
        return words
    charged = "" if entry.status is Status.UNKNOWN else " or charged"
    before = f"The same request was made before; nothing was sent{charged} again."
    words = f"{before if detail.hints else 'A repeat; nothing was sent again.'} {words}"
    # An unknown outcome, or the tool, says how to pay for another one.
    if entry.status is Status.UNKNOWN or (brief and not detail.hints):
        return words
    another = "other seeds or " if entry.kind == "create" and detail.hints else ""
    on_purpose = " on purpose" if detail.hints else ""
    return f"{words} To pay again{on_purpose}: {another}repeat_of={'this task_id' if brief else shown(entry)}."


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


def _state(entry: Entry, now: float, context: TaskContext, detail: Detail, *, repeated: bool, brief: bool) -> str:
    match entry.status:
        case Status.COMPLETED:
            return _completed(entry, now, context, detail, repeated=repeated, brief=brief)
        case Status.FAILED:
            return _failed(entry, now, context, detail, brief=brief)
        case Status.REFUSED:
            return _refused(entry, now, detail)
        case Status.UNKNOWN:
            return _unknown(entry, now, context, detail, repeated=repeated, brief=brief)
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


def _completed(entry: Entry, now: float, context: TaskContext, detail: Detail, *, repeated: bool, brief: bool) -> str:
    links = " ".join(clean(url, 2000) for url in entry.video_urls if linkable(url))
    ready = f"The video is ready: {links}" if links else "The video is ready, but the API gave no usable URL for it."
    about = f"{_what(entry, context)}, started {ago(entry, now)}."
    if brief:
        ready = "The video is ready, see video_urls." if links else ready
        about = f"Started {span(max(0.0, now - entry.created_at))} ago." if detail.hints else ""
    parts = [ready, about]
    if entry.duration_seconds is None and entry.file_due_at is not None and not entry.extends and detail.hints:
        parts.append("Its length and size are not known yet; look again soon.")
    if in_sandbox(entry) and not brief:
        parts.append("Drawn by the sandbox, not by AI." if detail.hints else "No AI video.")
    parts.append(money(entry))
    if entry.saved_to and (detail.hints or not entry.film_saved_to):  # the film holds it
        parts.append("It is saved at saved_to." if brief else f"Saved: {clean(entry.saved_to, 500)}")
    if entry.film_saved_to:
        parts.append(
            "The whole film: film_saved_to." if brief else f"The whole film: {clean(entry.film_saved_to, 500)}"
        )
    elif entry.extends:
        parts.append(film_message(entry, context.chain, detail, brief=brief))
    if entry.file_error:
        parts.append(f"Its file: {clean(entry.file_error, detail.said)}")
    if not repeated and not brief:
        parts.append(f"Continue it: extend_video, task_id={shown(entry)}.")
    elif not repeated and detail.hints:
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


def _failed(entry: Entry, now: float, context: TaskContext, detail: Detail, *, brief: bool) -> str:
    said = clean(entry.error_message or "", detail.said).rstrip(".")
    which = "" if brief else f"{shown(entry)}, "
    words = f"The video failed ({which}started {span(now - entry.created_at)} ago)."
    if brief and said:
        words += " The API's words: error."
    else:
        words += f" The API said: “{said}”." if said else " The API gave no reason."
    words += f" {failure_cause(entry)} {money(entry)}"
    if context.failures > 1:
        return (
            f"{words} This same request has failed {context.failures} times in a row: stop, and tell the person. "
            "Send it again only if they ask."
        )
    return f"{words} Tell the person, and ask before paying for another try."


def _refused(entry: Entry, now: float, detail: Detail) -> str:
    said = clean(entry.error_message or "", detail.said).rstrip(".")
    if entry.error_code == "settled_by_hand":
        return (
            f"A person settled request {shown(entry)}, made {ago(entry, now)}: the API never accepted it, and no video "
            f"was made. {money(entry)} Call {_tool(entry)} again if they still want it."
        )
    reason = f"The API said: “{said}”." if said else "No reason is kept."
    wait = retry_after(entry)
    later = f" Not before {wait} s have passed." if wait else ""
    return (
        f"Request {shown(entry)}, made {ago(entry, now)}, was refused; no video was made. {reason} "
        f"{money(entry)} Call {_tool(entry)} again once that is fixed.{later}"
    )


def _unknown(entry: Entry, now: float, context: TaskContext, detail: Detail, *, repeated: bool, brief: bool) -> str:
    why = clean(entry.error_message or "its answer was lost", min(100, detail.said)).rstrip(".")
    which = "the request" if brief else f"request {shown(entry)}"
    words = f"It is unknown whether the API accepted {which}, sent {ago(entry, now)}: {why}. {money(entry)}"
    if entry.evidence:
        words += f" Evidence, not proof: {entry.evidence} credits left the account just then, for nothing known here."
    words += f" It {'may still' if context.callbacks else 'does not'} settle automatically."
    words += "" if repeated else " It is not sent again."
    look, risk = ("ask the provider, then ", " (this one may be paid, too)") if detail.hints else ("", "")
    return (
        f"{words} The person can {look}settle it in the card, or with veo-mcp tasks resolve {shown(entry)} at a "
        f"terminal. To pay for another{risk}, ask them first, then call {_tool(entry)} with "
        f"repeat_of={'this task_id' if brief else shown(entry)}."
    )


def _tool(entry: Entry) -> str:
    return "extend_video" if entry.kind == "extend" else "create_video"


def row_line(entry: Entry, now: float, excerpt: str) -> str:
    """One task of a list, on one line."""
    about = "about " if entry.estimated else ""
    sandbox = "sandbox " if in_sandbox(entry) else ""
    paid = {"yes": "", "refunded": " refunded", "no": " not charged", "unknown": " perhaps charged"}[entry.charged]
    facts = [fact for fact in (entry.mode, entry.aspect_ratio) if fact]
    seeds = asked(entry).get("seeds")
    facts += [f"seed {seeds}"] if seeds else []
    facts.append(f"{about}{entry.credits} {sandbox}credits{paid}")
    if entry.extends:
        facts.append(f"continues {clean(entry.extends, 40)}")
    link = next((f" {clean(url, 500)}" for url in entry.video_urls if linkable(url)), "")
    return (
        f"{shown(entry)} {entry.status.value}, {span(max(0.0, now - entry.created_at))} ago, {', '.join(facts)}: "
        f"“{excerpt}”{link}"
    )
