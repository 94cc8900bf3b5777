"""Makes texts and times fit to be stored: whatever the API said, an entry that was written can be listed.

Called by the stores before they write or search for untrusted text. Pure. These are the API's and people's:
a lone surrogate is not valid UTF-8, PostgreSQL refuses NUL, a time after the year 9999 cannot be formatted.
"""

import math
from dataclasses import fields, replace
from typing import Any, TypeVar

from veo_mcp.journal.entry import CLEAR, Change, Entry

__all__ = ["LATEST", "moment", "storable", "text"]

LATEST = 253_402_300_799.0
"""The last second of the year 9999."""
MOST_CREDITS = 10**9
"""Far above any price, and no sum of them is too large for 64 bits."""
LARGEST = 2**63 - 1

_SCOPES = frozenset({"id", "api", "principal", "fingerprint"})
"""Never altered: two that differ must not become the same."""
_NEEDED_MOMENTS = frozenset({"created_at", "updated_at", "next_poll_at"})
_MOMENTS = frozenset({"completed_at", "ended_at", "deadline", "retry_after"})
_FIELDS = {kind: tuple(field.name for field in fields(kind) if field.name not in _SCOPES) for kind in (Entry, Change)}

T = TypeVar("T", Entry, Change)


def text(value: str) -> str:
    """The text, with U+FFFD where a character cannot be kept."""
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def moment(value: float) -> float:
    """The moment, within the years that a calendar has; one that is no number is long past."""
    return float(min(max(value, 0.0), LATEST)) if value == value else 0.0  # min and max first: a float has an end


def storable(what: T) -> T:
    """The entry, or the news of one, as it will be read back: so that the same news a second time is none."""
    news: dict[str, Any] = {}
    for name in _FIELDS[type(what)]:
        value = getattr(what, name)
        kept = _kept(name, value)
        if kept is not value:
            news[name] = kept
    return replace(what, **news) if news else what


def _kept(name: str, value: Any) -> Any:
    if value is None or value is CLEAR:
        return value
    if name in _NEEDED_MOMENTS:
        return value if 0.0 <= value <= LATEST else moment(value)
    if name in _MOMENTS:
        return value if 0.0 <= value <= LATEST else None
    if name == "credits":
        return min(max(value, 0), MOST_CREDITS)
    if name == "video_urls":
        kept = tuple(text(url) for url in value)
        return value if kept == value else kept
    if type(value) is str:
        return text(value)
    if type(value) is int:
        return min(max(value, -LARGEST), LARGEST)
    if type(value) is float:
        return value if math.isfinite(value) else None
    return value
