"""The names of saved videos: a date, the first words of the prompt, and the beginning of our own id.

Called by the saver and the command line. A prompt is foreign text: whatever it holds, the name is one name in one
folder, on every system, and two tasks never share it. Pure.
"""

import hashlib
import re
import unicodedata
from datetime import datetime, tzinfo

from veo_mcp.journal.entry import Entry

__all__ = ["video_name"]

MOST_LETTERS = 40
MOST_BYTES = 120
"""File systems take 255 bytes; a letter has up to four, and endings for what is under way are added."""
ID_LETTERS = 8


def video_name(entry: Entry, prompt: str, *, suffix: str = "", zone: tzinfo | None = None) -> str:
    """Such as `2026-11-26-a-lighthouse-on-a-cliff-Xk3f9a_2.mp4`.

    Args:
        entry: gives the date and the id.
        prompt: gives the words; for a film the prompt of its first part.
        suffix: a word before the ending, such as "film".
        zone: the calendar of the date; None: that of this machine.
    """
    try:
        day = datetime.fromtimestamp(entry.created_at, zone).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        day = "undated"
    parts = [day, _words(prompt), _short(entry.id), suffix]
    return "-".join(part for part in parts if part) + ".mp4"


def _words(prompt: str) -> str:
    """The first words, in letters and digits of any script; nothing that a path, a shell or a screen could mistake."""
    # A directive to the sandbox is not what the video shows.
    text = re.sub(r"\[sandbox:\w+\]", " ", prompt[:2000])
    kept = "".join(mark if _plain(mark) else " " for mark in unicodedata.normalize("NFC", text))
    line = ""
    for word in kept.split():
        longer = f"{line}-{word}" if line else word[:MOST_LETTERS]
        if len(longer) > MOST_LETTERS or len(longer.encode()) > MOST_BYTES:
            break
        line = longer
    if not line and kept.split():
        # One long word in a script of many bytes.
        line = kept.split()[0].encode()[:MOST_BYTES].decode(errors="ignore")
    return line.lower()


def _plain(mark: str) -> bool:
    return unicodedata.category(mark) in ("Ll", "Lu", "Lo", "Lt", "Lm", "Nd", "Mn", "Mc") and mark.isprintable()


def _short(entry_id: str) -> str:
    """The first characters of our own id, which `veo-mcp tasks show` takes; a hash where they would not do."""
    short = entry_id.removeprefix("vid_")[:ID_LETTERS]
    if re.fullmatch(r"[A-Za-z0-9_-]+", short):
        return short
    return hashlib.sha256(entry_id.encode(errors="surrogatepass")).hexdigest()[:ID_LETTERS]
