"""What the person who runs the server does at a terminal: check, list, show, settle, download, and the sandbox alone.

Called by the command line. Works on the same journal and settings as the server. Never spends.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import anyio
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from veo_mcp.api.errors import TaskNotFound, VeoError
from veo_mcp.hosting import SandboxMissing, open_from, require_sandbox
from veo_mcp.journal.entry import FINAL, Change, Entry, Status
from veo_mcp.journal.errors import JournalUnusable
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.views import dump, view
from veo_mcp.serving import PortTaken
from veo_mcp.settings import Settings
from veo_mcp.tasks.answers import change_from
from veo_mcp.tasks.engine import Engine
from veo_mcp.tasks.outcomes import UnknownTask
from veo_mcp.web import NotLoopback, only_loopback

__all__ = ["check", "download", "list_tasks", "resolve_task", "serve_sandbox", "show_task"]

# Without markup: prompts and messages hold square brackets, which rich would take for styles and swallow.
out = Console(markup=False)
err = Console(stderr=True, markup=False)


def check(settings: Settings) -> int:
    """Prints a line for each part; 0 if all is well, 1 if anything is not."""

    async def look() -> int:
        faults = list(settings.problems)
        if settings.transport != "stdio":
            try:
                only_loopback(settings.host)
            except NotLoopback as refusal:
                faults.append(str(refusal))
        try:
            async with open_from(settings) as engine:
                out.print(f"journal   {settings.journal}: usable", highlight=False, soft_wrap=True)
                if not settings.problems:  # a key that is known to be wrong is not sent anywhere
                    faults += await _ask_balance(engine)
        except* (JournalUnusable, SandboxMissing) as group:
            faults.append(str(group.exceptions[0]))
        for fault in faults:
            err.print(f"failed    {fault}", style="red", highlight=False, soft_wrap=True)
        tools = await build_server(Backend(), sandbox=settings.embedded, read_only=settings.read_only).list_tools()
        listed = json.dumps([tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools])
        out.print(f"tools     {len(tools)}, sha256 {sha256(listed.encode()).hexdigest()[:16]}", highlight=False)
        return 1 if faults else 0

    return anyio.run(look)


async def _ask_balance(engine: Engine) -> list[str]:
    """Prints the API and the balance; what went wrong."""
    try:
        credits, sandbox = await engine.service.credits()
    except VeoError as error:
        return [error.sentence]
    kind = "SANDBOX" if sandbox else "real"
    out.print(f"API       {await engine.service.api_name()} ({kind})", highlight=False)
    out.print(f"credits   {credits.balance}", highlight=False)
    return []


def list_tasks(settings: Settings, *, as_json: bool, limit: int) -> int:
    """Prints the newest tasks."""

    async def act(engine: Engine) -> int:
        page = await engine.service.list(limit=limit)
        now = time.time()
        rows = [dump(view(entry, now)) for entry in page.entries]
        if as_json:
            print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201 - this command's output
            return 0
        table = Table(box=None)
        # The id is there to be copied: it is never cut, whatever that leaves for the rest.
        table.add_column("task", no_wrap=True, min_width=max((len(row["task_id"]) for row in rows), default=4))
        for heading in ("status", "credits", "charged", "created", "prompt"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(
                row["task_id"], row["status"], str(row["credits"]), row["charged"], row["created_at"], row["prompt"]
            )
        out.print(table if rows else "No tasks yet.")
        return 0

    return _with_engine(settings, act)


def show_task(settings: Settings, task_id: str) -> int:
    """Prints one task as JSON."""

    async def act(engine: Engine) -> int:
        entry = await _fresh(engine, task_id)
        print(json.dumps(dump(view(entry, time.time())), indent=2, ensure_ascii=False))  # noqa: T201
        return 0

    return _with_engine(settings, act)


def resolve_task(settings: Settings, task_id: str, *, upstream: str | None, not_charged: bool) -> int:
    """Settles an unknown outcome by the API's id, which is looked up first, or as not charged."""
    if (upstream is None) is not not_charged:
        err.print("Say either --task-id UPSTREAM or --not-charged.")
        return 2

    async def act(engine: Engine) -> int:
        entry = await engine.service.get(task_id)
        if entry.status is not Status.UNKNOWN:
            err.print(f"Only an unknown outcome can be settled by hand; this task is {entry.status.value}.")
            return 1
        if upstream is not None:
            try:
                change = change_from((await engine.api.get_task(upstream)).value)
            except TaskNotFound:
                err.print(f"The Veo API knows no task {upstream}; nothing was changed.")
                return 1
        else:
            change = Change(status=Status.REFUSED, charged="no", error_code="settled_by_hand")
        settled = await engine.journal.settle(entry.id, change, now=time.time())
        out.print(f"Task {task_id} is now {settled.status.value if settled else entry.status.value}.")
        return 0

    return _with_engine(settings, act)


def download(settings: Settings, task_id: str, folder: Path) -> int:
    """Saves the videos of a completed task into `folder`."""

    async def act(engine: Engine) -> int:
        entry = await _fresh(engine, task_id)
        if not entry.video_urls:
            err.print(f"Task {task_id} is {entry.status.value} and has no video.")
            return 1
        if await anyio.Path(folder).exists() and not await anyio.Path(folder).is_dir():
            err.print(f"{folder} is a file; --out names a folder.")
            return 1
        await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
        for number, url in enumerate(entry.video_urls):
            target = folder / (f"{entry.upstream_id or entry.id}{f'-{number + 1}' if number else ''}.mp4")
            with Progress(
                TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=err
            ) as bar:
                line = bar.add_task(target.name, total=None)
                await engine.api.download(
                    url,
                    target,
                    on_progress=lambda done, total, line=line, bar=bar: bar.update(line, completed=done, total=total),
                )
            out.print(str(target), highlight=False, soft_wrap=True)
        return 0

    return _with_engine(settings, act)


def serve_sandbox(settings: Settings, port: int, allow_private: bool, workers: int) -> None:
    """Serves the sandbox API on a loopback port until interrupted."""
    try:
        require_sandbox()
    except SandboxMissing as missing:
        err.print(str(missing), soft_wrap=True)
        sys.exit(1)
    from veo_mcp.sandbox.app import SandboxConfig
    from veo_mcp.sandbox.embedded import run_server

    base_url = f"http://127.0.0.1:{port}"
    config = SandboxConfig(
        settings.sandbox_dir,
        lambda: base_url,
        seconds=settings.sandbox_seconds,
        allow_private=allow_private,
        workers=workers,
    )

    def ready() -> None:
        err.print(f"The Veo API sandbox is at {base_url} - no AI model, no real credits. Ctrl+C ends it.")
        err.print(f"  {base_url}/ has curl lines, the switches and the newest clips", highlight=False)
        err.print(
            f'  curl {base_url}/v1/credits -H "Authorization: Bearer sk-sandbox"', highlight=False, soft_wrap=True
        )

    try:
        anyio.run(run_server, config, "127.0.0.1", port, ready)
    except KeyboardInterrupt:
        sys.exit(130)
    except PortTaken as taken:
        err.print(str(taken), soft_wrap=True)
        sys.exit(1)


async def _fresh(engine: Engine, task_id: str) -> Entry:
    """The task as the API has it now, if it can be asked: no server need be running to finish a download."""
    entry = await engine.service.get(task_id)
    if entry.status in FINAL or entry.upstream_id is None:
        return entry
    with suppress(VeoError):
        if entry.api == await engine.service.api_name():
            return await engine.service.learn(entry, entry.upstream_id) or entry
    return entry


def _with_engine(settings: Settings, act: Callable[[Engine], Awaitable[int]]) -> int:
    async def run() -> int:
        try:
            async with open_from(settings) as engine:
                try:
                    return await act(engine)
                except UnknownTask:
                    err.print("No task with this id exists; `veo-mcp tasks` lists them.")
                except VeoError as error:
                    err.print(error.sentence)
        except* (JournalUnusable, SandboxMissing) as group:
            err.print(str(group.exceptions[0]), soft_wrap=True)
        return 1

    return anyio.run(run)
