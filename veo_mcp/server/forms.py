"""How much an answer about one task tells where its room is short: what gives way, in which order.

Used by results.py, which takes the first form that fits. The video's own link, what it cost and what to do next never
give way.
"""

from dataclasses import dataclass

__all__ = ["FORMS", "FULL", "Form"]

MOST = 6
"""Earlier parts of a film that are told at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to tell it.

    Attributes:
        prompt: characters of the prompt.
        said: characters of foreign words, such as the API's on a failure.
        once: whether `message` leaves out what the fields beside it hold: link, id, length, size, mode, date.
        hints: whether it repeats what the tools' descriptions and the instructions say.
        links: earlier parts of a film that are told with their links, the latest ones.
        parts: earlier parts of a film that are told at all, the latest ones.
    """

    prompt: int = 200
    said: int = 200
    once: bool = False
    hints: bool = True
    links: int = MOST
    parts: int = MOST


FULL = Form()
FORMS = (
    Form(once=True),
    Form(once=True, prompt=120, said=120),
    Form(once=True, prompt=48, said=60),
    *(Form(once=True, prompt=48, said=60, hints=False, links=links) for links in range(MOST, -1, -1)),
    *(Form(once=True, prompt=48, said=60, hints=False, links=0, parts=parts) for parts in range(MOST - 1, 0, -1)),
    Form(once=True, prompt=32, said=40, hints=False, links=0, parts=1),
)
"""Ever shorter ones."""
