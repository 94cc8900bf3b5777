"""The main job end to end, without a key: a real MCP client that starts `veo-mcp serve` as a child over stdio.

Called by `veo-mcp demo`. Speaks only the protocol, as any host would; the one thing it adds is saving the files.
"""

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.shared.dispatcher import ProgressFnT
from mcp_types import CallToolResult, TextContent
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from veo_mcp.api.client import VeoClient

__all__ = ["DemoFailed", "run"]

PROMPT = "A lighthouse by the sea at sunset, golden light on the waves, gulls, calm music"
"""A scene that the sandbox draws whole, without a caption in its place."""
NEXT = "The camera slowly zooms out, night falls and the lighthouse begins to shine"
WAIT_SECONDS = 45
ROOM = 22
MORE = "The same scene goes on as the camera slowly pulls back"
"""What fits any first prompt; NEXT fits ours alone."""


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
    try:
        await anyio.Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # Before anything is made: a video that cannot be saved is of no use.
        _complain(f"{out} cannot be used as a folder for the videos ({error.strerror}). --out names another one.")
        return 1
    began = time.monotonic()
    refusal: DemoFailed | OSError | None = None
    begun: list[str] = []
    try:
        async with Client(server) as client:
            try:
                await _main_job(client, console, prompt, out, begun)
            except (DemoFailed, OSError) as error:
                refusal = error
    except BaseException as error:
        # Ctrl-C reaches the child too, so that the connection may end before the cancellation comes.
        if isinstance(error, anyio.get_cancelled_exc_class()) and begun:
            _complain(_to_go_on(begun[-1], out))
        raise
    if isinstance(refusal, OSError):
        more = f" {_to_go_on(begun[-1], out)}" if begun else ""
        _complain(f"{refusal.filename or out}: {refusal.strerror}.{more}")
        return 1
    if refusal is not None:
        _complain(str(refusal))
        return 1
    console.print(f"Done in {time.monotonic() - began:.0f} s. These are SANDBOX clips: no AI model, no real credits.")
    return 0


async def _main_job(client: Client, console: Console, wanted: str | None, out: Path, begun: list[str]) -> None:
    prompt, following = (PROMPT, NEXT) if wanted is None else (wanted, MORE)
    tools = await client.list_tools()
    console.print(
        f"A server was started, as a host would start it; it has {len(tools.tools)} tools: "
        + ", ".join(tool.name for tool in tools.tools),
        highlight=False,
    )
    console.print(
        f"Balance: {(await _structured(client, 'get_credits'))['balance']:,} sandbox credits", highlight=False
    )
    console.print(f"\nMaking “{prompt}”", highlight=False)
    created = await _call(client, "create_video", {"prompt": prompt})
    begun.append(_id(created))
    first = await _finished(client, console, created, "create")
    path = await _saved(first, out)
    console.print(f"Saved {path}", highlight=False, soft_wrap=True)
    console.print(f"\nExtending it: “{following}”", highlight=False)
    extended = await _call(client, "extend_video", {"task_id": first["task_id"], "prompt": following})
    begun.append(_id(extended))
    second = await _finished(client, console, extended, "extend")
    more = await _saved(second, out)
    console.print(f"Saved {more}\n", highlight=False, soft_wrap=True)
    console.print(
        f"Balance: {(await _structured(client, 'get_credits'))['balance']:,} sandbox credits", highlight=False
    )
    console.print(f"Your files:\n  {path}\n  {more}", highlight=False, soft_wrap=True)


def _id(started: CallToolResult) -> str:
    task: dict[str, Any] = started.structured_content or {}
    return str(task["task_id"])


async def _finished(client: Client, console: Console, started: CallToolResult, label: str) -> dict[str, Any]:
    task: dict[str, Any] = started.structured_content or {}
    # The tool's own message is for a model: it says what to call next.
    about = "about " if task.get("credits_estimated") else ""
    console.print(f"Started {task['task_id']} for {about}{task['credits']} sandbox credits.", highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[words]}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        # Without a number from the API it only moves: nobody knows how far along the video is.
        line = bar.add_task(label, total=None, words="")

        async def show_progress(progress: float, total: float | None, message: str | None) -> None:
            bar.update(line, words=_short(message or ""))
            if total:
                bar.update(line, completed=progress, total=total)

        while task.get("status") in ("submitting", "pending", "processing"):
            arguments = {"task_id": task["task_id"], "wait_seconds": WAIT_SECONDS}
            looked = await _call(client, "get_task", arguments, show_progress)
            task = looked.structured_content or {}
        bar.update(line, completed=1.0, total=1.0, words=str(task.get("status")))
    if not task.get("video_urls"):
        raise DemoFailed(f"The task ended as {task.get('status')} without a video.")
    return task


async def _call(
    client: Client, tool: str, arguments: dict[str, Any], show_progress: ProgressFnT | None = None
) -> CallToolResult:
    result = await client.call_tool(tool, arguments, progress_callback=show_progress)
    if result.is_error:
        raise DemoFailed(_text(result))
    return result


async def _saved(task: dict[str, Any], out: Path) -> Path:
    url = task["video_urls"][0]
    path = Path(await anyio.Path(out).resolve()) / f"{task['task_id']}.mp4"
    async with VeoClient(url, SecretStr("sk-sandbox")) as api:
        await api.download(url, path)
    return path


async def _structured(client: Client, tool: str) -> dict[str, Any]:
    return (await _call(client, tool, {})).structured_content or {}


def _short(words: str) -> str:
    """Beside a bar in 80 columns there is room for this much."""
    return words if len(words) <= ROOM else words[: ROOM - 1] + "…"


def _to_go_on(task_id: str, out: Path) -> str:
    folder = "" if out == Path() else f" --out {shlex.quote(str(out))}"
    return (
        f"Task {task_id} goes on at the sandbox. To save its video later: veo-mcp download {task_id} --sandbox{folder}"
    )


def _complain(words: str) -> None:
    Console(stderr=True, markup=False).print(words, style="red", highlight=False, soft_wrap=True)


def _text(result: CallToolResult) -> str:
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))
