"""What a tool's result carries as data, typed for the tests that read it.

A result without data fails the test at once, so an expectation about a key never passes because nothing was there.
"""

from typing import Any

from mcp_types import CallToolResult

__all__ = ["structured"]


def structured(result: CallToolResult) -> dict[str, Any]:
    assert result.structured_content is not None, result.content
    return result.structured_content
