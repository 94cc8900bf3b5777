"""The message about an extension's film: whether its file holds the whole film, and if not, where the parts are.

Called by task.py. Never asks for anything: it words what the journal and the files themselves said.
"""

from collections.abc import Sequence

from veo_mcp.journal.entry import Entry
from veo_mcp.server.messages.detail import FULL, Detail
from veo_mcp.server.views import linkable, shown
from veo_mcp.tasks.context import WHOLE_FILM_SECONDS

__all__ = ["film_message"]


def film_message(entry: Entry, chain: Sequence[Entry], detail: Detail = FULL, *, brief: bool = False) -> str:
    """Whether the file of an extension holds the whole film; if not, where the parts are, in order.

    `brief` is for structured content, whose field `extends` names the part before.
    """
    if len(chain) < 2:
        return "It continues a video made elsewhere; whether its file holds that too is not known."
    whole = _holds_all(chain[-2], entry)
    if whole:
        before = chain[max(0, len(chain) - 1 - detail.parts) : -1]
        return f"Its file holds the whole film, with {', '.join(shown(part) for part in before)}."
    # A part that holds what went before it is where the film begins.
    begins = next((place for place in range(len(chain) - 2, 0, -1) if _holds_all(*chain[place - 1 : place + 1])), 0)
    order = _in_order([*chain[begins:-1], entry], detail, brief=brief)
    if whole is None:
        later = any(part.duration_seconds is None and part.file_due_at is not None for part in chain[-2:])
        known = "not known yet; look again soon" if later else "not known: a length cannot be read"
        return f"Whether its file holds the whole film is {known}. {order}"
    return f"Its file holds only the new part. {order}"


def _in_order(film: Sequence[Entry], detail: Detail, *, brief: bool) -> str:
    """The parts of the film by number, this one last; as many of them, and of their links, as there is room for."""
    parts = film[:-1]
    mentioned = parts[max(0, len(parts) - detail.parts) :]
    more = " Other links: list_tasks." if min(detail.links, detail.parts) < len(parts) else ""
    if detail.parts == 1 and more:
        return f"It is part {len(parts) + 1}{'' if brief else f', after {shown(parts[-1])}'}.{more}"
    listed = [f"{len(parts) - len(mentioned)} earlier"] if len(mentioned) < len(parts) else []
    for number, part in enumerate(mentioned, len(parts) - len(mentioned) + 1):
        name = "see extends" if brief and number == len(parts) else shown(part)
        link = next(filter(linkable, part.video_urls), "no link")
        if number <= len(parts) - detail.links:
            listed.append(f"{number}. {name}")
        else:  # an address that spells the id says both
            listed.append(f"{number}. {link}" if shown(part) in link else f"{number}. {name} {link}")
    return f"The film{_length(film)}: {'; '.join(listed)}; {len(parts) + 1}. this one.{more}"


def _length(film: Sequence[Entry]) -> str:
    """How long all parts are together; of two, anyone can tell, and there is less room."""
    seconds = [part.duration_seconds for part in film if part.duration_seconds is not None]
    return f" ({sum(seconds):.1f} s in all)" if len(seconds) == len(film) > 2 else ""


def _holds_all(parent: Entry, child: Entry) -> bool | None:
    """Whether the child's file holds its parent's too; None if a length is not known."""
    if child.duration_seconds is None or parent.duration_seconds is None:
        return None
    return child.duration_seconds >= parent.duration_seconds + WHOLE_FILM_SECONDS
