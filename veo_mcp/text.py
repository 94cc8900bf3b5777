"""Foreign text made safe: what an API, a callback, a file or a person said, on its way to a model, a terminal, a file
name, the card or a log.

Called by every layer; one function, `clean`, decides which characters pass. Pure, and imports nothing of ours.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["clean", "file_name", "masked", "quoted", "redact", "shown_id"]

# Cc control, Cf format (bidi marks, zero-width characters, soft hyphens, tags), Cs surrogates, Co private use,
# Cn unassigned.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Letters and marks by category that nevertheless draw nothing: fillers of Hangul, the blank of Braille, variation
# selectors. With them a sentence can be hidden, or two names look alike. FE0E and FE0F stay: emoji are chosen by them.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_LONGEST_PLAIN_ID = 200
# Windows gives these names to devices, whatever the ending.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_QUOTES = str.maketrans(dict.fromkeys('“”„‟«»"', "'"))
_LONG = 12


def clean(text: str, limit: int = 200) -> str:
    """`text` on one line, without characters that hide or reorder others, at most `limit` characters long."""
    # Cut first: of 3.9 MB, 200 characters are wanted, and looking at each of the others cost every caller 0.3 s.
    head = text[: 4 * limit + 64]
    visible = "".join(" " if mark.isspace() else mark for mark in head if mark.isspace() or not _hidden(mark))
    line = " ".join(visible.split())
    if len(line) <= limit and len(head) == len(text):
        return line
    return line[: limit - 1].rstrip() + "…"


quoted = clean
"""The former name of `clean`, for callers that have not moved yet."""


def shown_id(id_: str) -> str:
    """An id for people and models: as it is if plain; else cleaned and in quotes, not to pass for our text."""
    if len(id_) <= _LONGEST_PLAIN_ID and _PLAIN_ID.fullmatch(id_):
        return id_
    return f"“{clean(id_, 80).translate(_QUOTES)}”"


def file_name(name: str, suffix: str = "", limit: int = 100) -> str:
    """A name for a file in one folder, on every system: never a path, a device, hidden, or longer than `limit`.

    A name that had to be changed gets a short hash of what it was, so that two odd ids never share a file.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name[: 4 * limit]).lstrip(".-").rstrip(". -")
    stem = stem[: limit - len(suffix)].rstrip(". -")
    if stem == name and stem and not _RESERVED.fullmatch(stem):
        return stem + suffix
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    # The hash comes first: a device is recognized by how a name begins.
    stem = f"{mark}-{stem}" if stem else mark
    return stem[: limit - len(suffix)].rstrip(". -") + suffix


def masked(secret: str) -> str:
    """What may be shown of a key: `sk-…` and the last four characters; nothing of a short one."""
    return f"sk-…{secret[-4:]}" if len(secret) >= 16 else "sk-…"


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret in it masked, also as it looks in a URL, in other case, or without its prefix."""
    for secret in secrets:
        if not secret:
            continue
        bare = secret.removeprefix("sk-")
        forms = [secret, quote(secret, safe="")]
        if len(bare) >= _LONG:
            forms += [bare, quote(bare, safe="")]
        # The longest form first, or the rest of it would stay. A short secret, such as a sandbox's "sk-1", counts only
        # as a whole word: it may well be a part of "task-10".
        pattern = "|".join(re.escape(form) for form in sorted(set(forms), key=len, reverse=True))
        if len(secret) < _LONG:
            pattern = rf"(?<![\w-])(?:{pattern})(?![\w-])"
        shown = masked(secret)
        text = re.sub(pattern, lambda _, shown=shown: shown, text, flags=re.IGNORECASE)
    return text


def _hidden(mark: str) -> bool:
    return (
        mark in _BLANK
        or "\ufe00" <= mark <= "\ufe0d"
        or "\U000e0100" <= mark <= "\U000e01ef"
        or unicodedata.category(mark) in _HIDDEN
    )
