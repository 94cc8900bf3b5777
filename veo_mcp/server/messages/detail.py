"""How much an answer about one task includes when its room is short, and what is left out first.

Used by results.py, which takes the first level that fits, and by the wording beside this file. The video's own link,
its cost and the next step are never left out.
"""

from dataclasses import dataclass

__all__ = ["DETAILS", "FULL", "Detail"]

MAX_PARTS = 6
"""Earlier parts of a film that are mentioned at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One level of detail.

    Attributes:
        prompt: characters of the prompt.
        said: characters of quoted text, such as the API's on a failure.
        once: whether `message` leaves out what the fields beside it hold: link, id, length, size, mode, date.
        hints: whether it repeats what the tools' descriptions and the instructions say.
        links: earlier parts of a film that are mentioned with their links, the latest ones.
        parts: earlier parts of a film that are mentioned at all, the latest ones.
    """

    prompt: int = 200
    said: int = 200
    once: bool = False
    hints: bool = True
    links: int = MAX_PARTS
    parts: int = MAX_PARTS


FULL = Detail()
DETAILS = (
    Detail(once=True),
    Detail(once=True, prompt=120, said=120),
    Detail(once=True, prompt=48, said=60),
    *(Detail(once=True, prompt=48, said=60, hints=False, links=links) for links in range(MAX_PARTS, -1, -1)),
    *(
        Detail(once=True, prompt=48, said=60, hints=False, links=0, parts=parts)
        for parts in range(MAX_PARTS - 1, 0, -1)
    ),
    Detail(once=True, prompt=32, said=40, hints=False, links=0, parts=1),
)
"""Ever shorter levels, after FULL."""
