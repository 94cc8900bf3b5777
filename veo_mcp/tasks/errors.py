"""What can become of a call on the task service, as types: results, and refusals raised before anything was sent.

Used by tasks/service.py and by the MCP face. Free of the HTTP library, because the face imports it before its first
answer. Never performs I/O.
"""

from dataclasses import dataclass

from veo_mcp.errors import VeoError
from veo_mcp.journal.entry import Entry

__all__ = ["NotExtendable", "RuleViolation", "SubmitResult", "UnknownTask", "Unrecorded"]


class RuleViolation(Exception):
    """The arguments do not fit the API's rules; nothing was sent."""


class UnknownTask(Exception):
    """No task with this id is known here or to the API."""


class NotExtendable(Exception):
    """The task to extend is not completed, or belongs to another API; nothing was sent."""


class Unrecorded(Exception):
    """A create was sent, and the journal then failed; the message says what is known of it.

    Attributes:
        charged: yes, no, refunded or unknown, by what the API answered.
        credits: its price.
    """

    def __init__(self, message: str, charged: str, credits: int) -> None:
        super().__init__(message)
        self.charged = charged
        self.credits = credits


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What became of a create: its entry, and the error if the API refused it."""

    entry: Entry
    repeated: bool = False
    error: VeoError | None = None
