"""Prints docs/tools.md, made from the tools as the server lists them.

Run as `python scripts/tool_page.py > docs/tools.md`; a test compares the two. Only what the fields of a result mean
is written here: hosts do not see it, because every byte of a schema costs each conversation.
"""

import sys
from typing import Any

import anyio
from mcp import Client

from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server

__all__ = ["page"]

HEAD = """<!-- Made by scripts/tool_page.py from the tools' schemas. Do not edit. -->

# Tools

The five tools as a host sees them, in full. Unknown arguments are refused; `null` and `""` for an optional argument mean that
it was not given; numbers and lists that come as text are taken. Every rule that can be checked here is checked before anything is
sent. With `VEO_READ_ONLY` the two tools that spend are not listed.

A failure is a result with `isError` that says what happened, what it cost and what to do next; [errors.md](errors.md) lists them,
and [messages.md](messages.md) shows every answer in full. An outcome that nobody knows is no error: it is a task with status
`unknown`.
"""
MEANINGS = {
    "message": "the answer in words, the same as the text beside it",
    "task_id": "its id: the API's own once that is known; either id is accepted everywhere",
    "status": "how it stands",
    "upstream_status": "the API's own word where it is not a documented one; the task then counts as processing",
    "model": "the API's name of the model",
    "prompt": "as it was sent, cut at 200 characters",
    "mode": "as it was sent",
    "aspect_ratio": "as it was sent",
    "seeds": "where one was given",
    "watermark": "where one was given",
    "images": "how many images were given",
    "created_at": "ISO 8601, UTC",
    "completed_at": "ISO 8601, UTC",
    "elapsed_seconds": "from the beginning until now or its end",
    "progress": "as the API gave it, never a guess",
    "video_urls": "links to the finished file",
    "resolution": "as the API gave it",
    "duration_seconds": "read from the finished file itself",
    "width": "read from the finished file itself",
    "height": "read from the finished file itself",
    "saved_to": "the file on this machine, with `VEO_SAVE_DIR`",
    "film_saved_to": "the file of the whole film that an extension ends, with `VEO_SAVE_DIR`",
    "credits": "what it costs by the price table",
    "credits_estimated": "true for an extension, whose price is not documented",
    "charged": "whether it was charged; `unknown`: nobody knows",
    "extends": "the task that it continues",
    "error": "the API's code and message of a failure",
    "retry_after_seconds": "when the API wants to be asked again",
    "repeated": "true when an identical call was answered with this task and nothing was sent",
    "resource_uri": "the same task as a resource",
    "sandbox": "true for the sandbox, which costs nothing",
    "tasks": "the tasks of this page, newest first, with the fields of a task",
    "next_cursor": "for the next page; absent on the last",
    "balance": "credits that are left at the provider",
    "total_purchased": "as the API gave it",
    "total_consumed": "as the API gave it",
    "affordable": "how many videos of each mode both the balance and the limit allow",
    "spent_24h": "credits spent through this server in the last 24 h",
    "limit": "of `VEO_MAX_CREDITS`, where one is set: how much, what is left, when more may be spent",
}
"""What the fields of results mean. A field that is missing here ends the script."""


def page() -> str:
    """The whole page."""
    tools = anyio.run(_tools)
    parts = [HEAD]
    for tool in tools:
        hints = tool["annotations"]
        kind = "reads only" if hints["readOnlyHint"] else "spends credits"
        parts.append(f"\n## `{tool['name']}`\n\n{tool['description']}\n\nHints for hosts: {kind}.")
        parts.append(_arguments(tool["inputSchema"]))
    parts.append("\n## Results\n\nStructured content; a field without a value is absent.\n")
    shown: list[str] = []
    for names, schema in _results(tools):
        parts.append(f"### {names}\n\n| field | type | always | meaning |\n|---|---|---|---|")
        needed = schema.get("required", [])
        rows = [
            f"| `{name}` | {_type(field)} | {'yes' if name in needed else ''} | {MEANINGS[name]} |"
            for name, field in schema["properties"].items()
        ]
        parts.append("\n".join(rows) + "\n")
        shown += schema["properties"]
    if idle := MEANINGS.keys() - set(shown):
        raise SystemExit(f"no tool has these fields any more: {', '.join(sorted(idle))}")
    return "\n".join(parts)


async def _tools() -> list[dict[str, Any]]:
    async with Client(build_server(Backend(), sandbox=True)) as client:
        return [
            tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in (await client.list_tools()).tools
        ]


def _arguments(schema: dict[str, Any]) -> str:
    if not schema["properties"]:
        return "\nNo arguments.\n"
    rows = ["\n| argument | type | default | meaning |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = (
            "required" if name in schema.get("required", []) else f"`{field['default']}`" if "default" in field else ""
        )
        rows.append(f"| `{name}` | {_type(field)} | {default} | {field.get('description', '')} |")
    return "\n".join(rows) + "\n"


def _results(tools: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Each kind of result once, with the tools that give it."""
    kinds: list[tuple[list[str], dict[str, Any]]] = []
    for tool in tools:
        schema = tool["outputSchema"]
        same = next((names for names, other in kinds if other == schema), None)
        if same is None:
            kinds.append(([f"`{tool['name']}`"], schema))
        else:
            same.append(f"`{tool['name']}`")
    return [(", ".join(names), schema) for names, schema in kinds]


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind: str = field["type"]
    if kind == "array":
        most = f", at most {field['maxItems']}" if "maxItems" in field else ""
        return f"list of {field['items']['type']}{most}"
    if kind == "object":
        return "object of " + ", ".join(f"`{name}`" for name in field["properties"])
    if "minimum" in field and "maximum" in field:
        return f"{kind}, {field['minimum']}-{field['maximum']}"
    return kind


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
