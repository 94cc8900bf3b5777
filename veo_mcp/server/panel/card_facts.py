"""The card's own data beside a result, under a key of its own in `_meta`, which models are not shown.

Called by tools.py for clients with MCP Apps: how long such videos usually take, and the film that an extension belongs
to. A host that drops it loses a bar and the earlier parts, and nothing else. Never decides anything.
"""

from collections.abc import Sequence
from typing import Any

from mcp_types import CallToolResult

from veo_mcp.journal.entry import Entry
from veo_mcp.server.views import dump, view
from veo_mcp.tasks.context import TaskContext

__all__ = ["CARD_KEY", "with_card_facts"]

CARD_KEY = "veo-mcp/card"
PARTS = 12
"""Earlier parts of a film that are sent along; the card asks at every look, and a part is 1 KB."""


def with_card_facts(result: CallToolResult, context: TaskContext, now: float) -> CallToolResult:
    """The result, with what only the card needs."""
    facts: dict[str, Any] = {}
    if context.usual is not None:
        facts["usual_seconds"] = round(context.usual)
    if len(context.chain) > 1:
        facts["earlier"] = _earlier(context.chain, now)
    return result.model_copy(update={"meta": {**(result.meta or {}), CARD_KEY: facts}}) if facts else result


def _earlier(chain: Sequence[Entry], now: float) -> list[dict[str, Any]]:
    return [dump(view(entry, now)) for entry in chain[:-1][-PARTS:]]
