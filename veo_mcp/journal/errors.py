"""What the journal can refuse, each with a sentence for the person who runs the server.

Raised by the stores, read by the MCP face and the command line.
"""

__all__ = ["JournalUnusable", "SpendLimit", "WrongCursor"]


class JournalUnusable(Exception):
    """The store cannot be read or written; the message names it and says what to do. Nothing may be sent."""


class SpendLimit(Exception):
    """The credits allowed in any 24 h do not cover this intent.

    Attributes:
        spent: credits counted in the last 24 h.
        limit: what the operator allows.
    """

    def __init__(self, spent: int, limit: int) -> None:
        super().__init__(f"{spent} of {limit} credits are spent")
        self.spent = spent
        self.limit = limit


class WrongCursor(Exception):
    """A cursor that no page of this journal ended with."""
