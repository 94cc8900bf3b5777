"""Failures in our own words: what was wrong, that nothing was spent, what to do next.

Called by the server class and the tools. The SDK would show a model pydantic's raw validation dump, with the rejected
values and a link to a website about pydantic. Never raises.
"""

from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

from veo_mcp.server.text import quoted

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
    limits: dict[str, Any] = fault.get("ctx") or {}
    properties: Mapping[str, Any] = parameters.get("properties", {})
    match fault["type"]:
        case "missing":
            return f"{name} is missing."
        case "extra_forbidden" | "unexpected_keyword_argument":
            return f"{name} is not an argument of {tool}, which takes {', '.join(properties) or 'none'}."
        case "literal_error" | "enum":
            return f"{name} must be {limits.get('expected')}."
        case "greater_than_equal" | "less_than_equal":
            field: Mapping[str, Any] = properties.get(name, {})
            low, high = field.get("minimum"), field.get("maximum")
            return f"{name} must be a whole number from {low} to {high}."
        case "too_long":
            return f"{name} takes at most {limits.get('max_length')} entries."
        case "string_too_short":
            return f"{name} must not be empty."
        case "string_too_long":
            return f"{name} is longer than {limits.get('max_length')} characters."
        case kind:
            wanted = kind.removesuffix("_type").removesuffix("_parsing").replace("_", " ")
            words = {
                "int": "a whole number",
                "string": "text",
                "list": "a list",
                "tuple": "a list",
                "bool": "true or false",
            }
            return f"{name} must be {words.get(wanted, wanted)}."
