"""From a validation error of pydantic to plain words: what a value must be. The one place for that.

Called where values come in: tool arguments, settings, the sandbox's requests. Never shows the rejected value, and never
pydantic's own text, which links to a website about pydantic.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["requirement"]

_KINDS = {
    "int": "a whole number",
    "int_from_float": "a whole number",
    "float": "a number",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "bool": "true or false",
    "dict": "an object",
    "model": "an object",
    "path": "a path",
}


def requirement(fault: Mapping[str, Any], schema: Mapping[str, Any] | None = None) -> str:
    """What the value must be, to be read after its name: "must be a whole number from 0 to 50".

    Args:
        fault: one of `ValidationError.errors()`.
        schema: the field's JSON schema, to name both ends of a range where the fault names one.
    """
    limits: Mapping[str, Any] = fault.get("ctx") or {}
    match fault["type"]:
        case "missing":
            return "is missing"
        case "literal_error" | "enum":
            return f"must be {limits.get('expected')}"
        case "greater_than_equal" | "less_than_equal" if schema and {"minimum", "maximum"} <= schema.keys():
            return f"must be a whole number from {schema['minimum']} to {schema['maximum']}"
        case "greater_than_equal":
            return f"must be at least {limits.get('ge')}"
        case "greater_than":
            return f"must be more than {limits.get('gt')}"
        case "less_than_equal":
            return f"must be at most {limits.get('le')}"
        case "too_long":
            return f"takes at most {limits.get('max_length')} entries"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"is longer than {limits.get('max_length')} characters"
        case "string_pattern_mismatch" | "value_error" | "assertion_error":
            return str(limits.get("error") or "is not in the form it must have")
        case kind:
            wanted = kind.removesuffix("_type").removesuffix("_parsing")
            return f"must be {_KINDS.get(wanted, wanted.replace('_', ' '))}"
