"""Parses a client's bytes into a JSON-RPC message, or into an error in which this server says why it is not one.

Used by stdio and by the HTTP middleware, before the SDK sees anything: it would answer with a validation library's
dump, or not at all. Never repeats what the client sent, except the request's id.
"""

import json
from dataclasses import dataclass
from typing import Any, cast

from mcp_types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

__all__ = ["LIMIT", "BadFrame", "parse"]

LIMIT = 4 * 1024 * 1024
"""The largest message; the longest honest one is far below 100 KiB."""
ID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class BadFrame:
    """What is no message.

    Attributes:
        why: our words.
        answer: the JSON-RPC error for the client.
    """

    why: str
    answer: JSONRPCError

    @classmethod
    def because(cls, why: str, *, code: int = PARSE_ERROR, request_id: str | int | None = None) -> "BadFrame":
        """The answer for a message that cannot be read for this reason."""
        message = f"{why} Nothing was done. Not charged."
        return cls(why, JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message)))


def parse(data: bytes | bytearray) -> JSONRPCMessage | BadFrame:
    """The message that these bytes are, or why they are none."""
    if len(data) > LIMIT:
        return BadFrame.because(f"The message is longer than {LIMIT} bytes.")
    try:
        message = jsonrpc_message_adapter.validate_json(data, by_name=False)
        # A request whose id is neither text nor a number passes for a notification, and would wait indefinitely.
        if not isinstance(message, JSONRPCNotification) or b'"id"' not in data or "id" not in json.loads(data):
            return message
    except ValidationError:
        pass
    try:
        shape: Any = json.loads(data)
    except UnicodeDecodeError:
        return BadFrame.because("The message is not UTF-8.")
    except (ValueError, RecursionError):
        return BadFrame.because("The message is not JSON.")
    if isinstance(shape, list):
        return BadFrame.because("Batches are not taken; send one message at a time.", code=INVALID_REQUEST)
    named = cast("dict[str, Any]", shape).get("id") if isinstance(shape, dict) else None
    request_id = named if _is_id(named) else None
    if _broken_text(cast("object", shape)):
        return BadFrame.because("The message has half of a character (a lone surrogate).", request_id=request_id)
    return BadFrame.because("The message is not JSON-RPC 2.0.", code=INVALID_REQUEST, request_id=request_id)


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= ID_LENGTH and not _broken_text(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _broken_text(shape: object) -> bool:
    try:
        json.dumps(shape, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except RecursionError:
        return False
    return False
