"""The main job end to end, without a key: a real MCP client that starts `veo-mcp serve` as a child over stdio.

Called by `veo-mcp demo`. Speaks only the protocol, as any host would; the one thing it adds is saving the files.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from veo_mcp.api.client import VeoClient

__all__ = ["DemoFailed", "run"]

PROMPT = (
    "A lighthouse on a cliff above the sea at sunset, golden light on the waves, slow drone shot, "
    "gulls crying, calm music"
)
NEXT = "The camera slowly zooms out, night falls and the lighthouse begins to shine"
WAIT_SECONDS = 45
USUAL_SECONDS = 10.0
"""How much of the bar a sandbox generation usually takes; the bar stops short of its end until the video is there."""


class DemoFailed(Exception):
    """A tool refused; the message is the tool's."""


async def run(prompt: str | None, out: Path) -> int:
    """Runs the demo; 0 when both files are on disk."""
    console = Console(markup=False)
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "veo_mcp", "serve", "--sandbox"],
        # The SDK hands a child only a short list of variables; VEO_* decide where its journal and sandbox lie.
        env={name: value for name, value in os.environ.items() if name not in ("VEO_API_KEY", "AIVIDEOAPI_API_KEY")},
    )
    await anyio.Path(out).mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    refusal: DemoFailed | None = None
    async with Client(server) as client:
        try:
            await _main_job(client, console, prompt or PROMPT, out)
        except DemoFailed as error:
            refusal = error
    if refusal is not None:
        Console(stderr=True, markup=False).print(str(refusal), style="red", highlight=False)
        return 1
    console.print(f"Done in {time.monotonic() - began:.0f} s. These are SANDBOX clips: no AI model, no real credits.")
    return 0


async def _main_job(client: Client, console: Console, prompt: str, out: Path) -> None:
    tools = await client.list_tools()
    console.print("Tools: " + ", ".join(tool.name for tool in tools.tools), highlight=False)
    console.print(_text(await _call(client, "get_credits", {})), highlight=False)
    console.print(f"\nCreating: “{prompt}”", highlight=False)
    created = await _call(client, "create_video", {"prompt": prompt})
    first = await _finished(client, console, created, "create")
    path = await _saved(first, out)
    console.print(f"Saved {path}", highlight=False, soft_wrap=True)
    console.print(f"\nExtending: “{NEXT}”", highlight=False)
    extended = await _call(client, "extend_video", {"task_id": first["task_id"], "prompt": NEXT})
    second = await _finished(client, console, extended, "extend")
    more = await _saved(second, out)
    console.print(f"Saved {more}\n", highlight=False, soft_wrap=True)
    console.print(_text(await _call(client, "get_credits", {})), highlight=False)
    console.print(f"Your files:\n  {path}\n  {more}", highlight=False, soft_wrap=True)


async def _finished(client: Client, console: Console, started: CallToolResult, label: str) -> dict[str, Any]:
    task: dict[str, Any] = started.structured_content or {}
    # The tool's own sentences are for a model, which is told what to call next.
    about = "about " if task.get("credits_estimated") else ""
    console.print(f"Started {task['task_id']} for {about}{task['credits']} sandbox credits.", highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    began = time.monotonic()
    with Progress(*columns, console=console) as bar:
        line = bar.add_task(label, total=1.0, words="")

        async def beat(progress: float, total: float | None, message: str | None) -> None:
            # Without a total the number has no scale; the time passed has one.
            passed = (time.monotonic() - began) / USUAL_SECONDS
            share = progress / total if total else 1.0 - 1.0 / (1.0 + passed * 2.0)
            bar.update(line, completed=min(share, 0.98), words=message or "")

        while task.get("status") in ("submitting", "pending", "processing"):
            arguments = {"task_id": task["task_id"], "wait_seconds": WAIT_SECONDS}
            looked = await _call(client, "get_task", arguments, beat)
            task = looked.structured_content or {}
        bar.update(line, completed=1.0, words=str(task.get("status")))
    if not task.get("video_urls"):
        raise DemoFailed(f"The task ended as {task.get('status')} without a video.")
    return task


async def _call(client: Client, tool: str, arguments: dict[str, Any], beat: Any = None) -> CallToolResult:
    result = await client.call_tool(tool, arguments, progress_callback=beat)
    if result.is_error:
        raise DemoFailed(_text(result))
    return result


async def _saved(task: dict[str, Any], out: Path) -> Path:
    url = task["video_urls"][0]
    path = Path(await anyio.Path(out).resolve()) / f"{task['task_id']}.mp4"
    async with VeoClient(url, SecretStr("sk-sandbox")) as api:
        await api.download(url, path)
    return path


def _text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))
