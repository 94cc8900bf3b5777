"""Failures in our own words: what was wrong, that nothing was spent, what to do next.

Called by the server class and the tools. The SDK would show a model pydantic's raw validation dump, with the rejected
values and a link to a website about pydantic. Never raises.
"""

from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

from veo_mcp.server.text import quoted
from veo_mcp.validation import requirement

__all__ = ["tool_error", "validation_error"]


def tool_error(text: str) -> CallToolResult:
    """A failed tool result with this text."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def validation_error(tool: str, error: ValidationError, parameters: Mapping[str, Any]) -> CallToolResult:
    """The answer to arguments that do not fit the tool's schema."""
    faults = " ".join(_fault(tool, dict(fault), parameters) for fault in error.errors()[:5])
    return tool_error(f"{faults} Not charged. Fix the arguments and call {tool} again.")


def _fault(tool: str, fault: dict[str, Any], parameters: Mapping[str, Any]) -> str:
    location: tuple[Any, ...] = fault["loc"]
    name = quoted(str(location[0]), 40) if location else "arguments"
    properties: Mapping[str, Any] = parameters.get("properties", {})
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name} is not an argument of {tool}, which takes {', '.join(properties) or 'none'}."
    return f"{name} {requirement(fault, properties.get(name))}."
