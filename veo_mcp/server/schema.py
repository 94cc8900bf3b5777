"""Makes the SDK's generated tool schemas small and strict.

Called by server/build.py once per tool. Every byte of a schema is paid for by every conversation, and an unknown
argument that the SDK would ignore silently spends credits at the defaults.
"""

from typing import Any, cast

from mcp.server.mcpserver.tools import Tool

__all__ = ["slim", "tidy", "tighten"]

HOSTS_OWN = frozenset({"toolCallId", "sessionId", "action", "chatInput"})
"""What n8n adds to every call; nobody means them for us."""


def tighten(tool: Tool) -> Tool:
    """Refuses unknown arguments and shrinks both schemas of the tool in place; returns the tool."""
    model = tool.fn_metadata.arg_model
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    tool.parameters = slim(model.model_json_schema(by_alias=True))
    if tool.fn_metadata.output_schema is not None:
        tool.fn_metadata.output_schema = _without_words(slim(tool.fn_metadata.output_schema))
        if "tasks" in tool.fn_metadata.output_schema["properties"]:
            # A row is what get_task returns; spelling it out a fourth time costs 1 KB of every conversation.
            tool.fn_metadata.output_schema["properties"]["tasks"]["items"] = {"type": "object"}
    return tool


def tidy(arguments: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The arguments as they were meant: without what hosts add, without null and "" for what need not be given.

    A list that came as one link is a list of it; lists and numbers as text are taken by the SDK and pydantic.
    """
    properties = cast("dict[str, dict[str, Any]]", schema.get("properties", {}))
    required = schema.get("required", ())
    meant: dict[str, Any] = {}
    for name, value in arguments.items():
        if name in HOSTS_OWN and name not in properties:
            continue
        if name not in required and (value is None or value == "") and name in properties:
            continue
        if properties.get(name, {}).get("type") == "array" and isinstance(value, str) and not value.startswith("["):
            meant[name] = [value]
        else:
            meant[name] = value
    return meant


def slim(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema without pydantic's titles, with `T | None` folded to T and definitions put in place."""
    definitions = cast("dict[str, Any]", schema.get("$defs", {}))
    slimmed = cast("dict[str, Any]", _walk(schema, definitions))
    slimmed.pop("$defs", None)
    return slimmed


def _without_words(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an answer without descriptions: what a field means stands in its name and in the message."""
    return {
        key: {
            name: _without_words(cast("dict[str, Any]", field)) for name, field in cast("dict[str, Any]", value).items()
        }
        if key == "properties"
        else value
        for key, value in schema.items()
        if key != "description"
    }


def _walk(node: Any, definitions: dict[str, Any], *, names: bool = False) -> Any:
    if isinstance(node, list):
        return [_walk(item, definitions) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    branch = cast("dict[str, Any]", node)
    if not names and "$ref" in branch:
        target = definitions[str(branch["$ref"]).rsplit("/", 1)[-1]]
        rest = {key: value for key, value in branch.items() if key != "$ref"}
        return _walk({**target, **rest}, definitions)
    if not names and "anyOf" in branch:
        options = [option for option in branch["anyOf"] if option != {"type": "null"}]
        if len(options) == 1:
            rest = {key: value for key, value in branch.items() if key != "anyOf"}
            return _walk({**options[0], **rest}, definitions)
    out: dict[str, Any] = {}
    for key, value in branch.items():
        if not names and (key == "title" or (key == "default" and value is None)):
            continue
        out[key] = _walk(value, definitions, names=not names and key in ("properties", "$defs"))
    return out
