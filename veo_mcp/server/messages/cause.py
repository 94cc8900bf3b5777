"""What lies behind a failed video, in our words: the API's own word is often only that it failed.

Called by task.py. Goes by what the API said and by what was asked for; promises nothing about money.
"""

import re

from veo_mcp.journal.entry import Entry
from veo_mcp.picture import MARK
from veo_mcp.server.views import asked

__all__ = ["failure_cause"]


def failure_cause(entry: Entry) -> str:
    """One sentence on why it failed, or on what to look at where nobody says."""
    words = f"{entry.error_code or ''} {entry.error_message or ''}".lower()
    images = [str(image) for image in asked(entry).get("image_urls") or ()]
    # A picture from the disk was handed over under a link of ours, which the person never saw.
    links = sum(1 for image in images if not image.startswith(MARK))
    if images and re.search(r"image|picture|photo|fetch|download|url", words):
        if links:
            return "An image could not be used: each link must open the image itself, without a login."
        return (
            "A picture could not be used: the API must be able to fetch it from the bucket of VEO_UPLOADS, or did not "
            "accept what it shows."
        )
    if re.search(r"prohibit|polic|safety|moderat|nsfw|violat|sensitive|inappropriate|not allowed|rejected", words):
        return "The content was not accepted: prompt or images would have to change."
    if re.search(r"unavailable|overload|capacity|busy|maintenance|try again|time.?out|timed out", words):
        return "The service was down or overloaded: the same request may work later."
    if links:
        opens = "the image link opens" if links == 1 else f"all {links} image links open"
        return f"That names no cause; check whether {opens} without a login."
    return "That names no cause; the prompt is not necessarily to blame."
