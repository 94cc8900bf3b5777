"""Makes the SDK's generated tool schemas small and strict.

Called by server/build.py once per tool. Every byte of a schema is paid for by every conversation, and an unknown
argument that the SDK would ignore silently spends credits at the defaults.
"""

from typing import Any, cast

from mcp.server.mcpserver.tools import Tool

__all__ = ["slim", "tighten"]


def tighten(tool: Tool) -> Tool:
    """Refuses unknown arguments and shrinks both schemas of the tool in place; returns the tool."""
    model = tool.fn_metadata.arg_model
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    tool.parameters = slim(model.model_json_schema(by_alias=True))
    if tool.fn_metadata.output_schema is not None:
        tool.fn_metadata.output_schema = slim(tool.fn_metadata.output_schema)
        if "tasks" in tool.fn_metadata.output_schema["properties"]:
            # A row is what get_task returns; spelling it out a fourth time costs 1 KB of every conversation.
            tool.fn_metadata.output_schema["properties"]["tasks"]["items"] = {"type": "object"}
    return tool


def slim(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema without pydantic's titles, with `T | None` folded to T and definitions put in place."""
    definitions = cast("dict[str, Any]", schema.get("$defs", {}))
    slimmed = cast("dict[str, Any]", _walk(schema, definitions))
    slimmed.pop("$defs", None)
    return slimmed


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
