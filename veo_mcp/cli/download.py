"""`veo-mcp download`: saves a finished video, with a progress bar.

Called by cli/main.py. The file appears under its final name only when it is whole. Never spends.
"""

from pathlib import Path

import anyio
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from veo_mcp.cli.terminal import PERSON, err, fresh, out, with_engine
from veo_mcp.journal.entry import FINAL
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine

__all__ = ["download"]


def download(settings: Settings, task_id: str, folder: Path) -> int:
    """Saves the videos of a completed task into `folder`."""

    async def act(engine: Engine) -> int:
        entry = await fresh(engine, task_id)
        if not entry.video_urls:
            later = "" if entry.status in FINAL else " yet; try again in a while"
            err.print(
                f"Task {entry.upstream_id or entry.id} is {entry.status.value} and has no video{later}.",
                highlight=False,
                soft_wrap=True,
            )
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
                await engine.accounts.client(await engine.accounts.account(PERSON)).download(
                    url,
                    target,
                    on_progress=lambda done, total, line=line, bar=bar: bar.update(line, completed=done, total=total),
                )
            out.print(str(target), highlight=False, soft_wrap=True)
        return 0

    return with_engine(settings, act)
