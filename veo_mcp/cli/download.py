"""`veo-mcp download`: saves a finished video, with a progress bar; `--film` joins it with what it continues.

Called by cli/main.py. A file appears under its final name only when it is whole. Never spends.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from veo_mcp.cli.terminal import PERSON, err, fresh, out, with_engine
from veo_mcp.errors import FileTrouble
from veo_mcp.journal.entry import FINAL, Entry
from veo_mcp.settings import Settings
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.engine import Engine
from veo_mcp.text import file_name

__all__ = ["download"]


def download(settings: Settings, task_id: str, folder: Path, *, film: bool = False) -> int:
    """Saves the videos of a completed task into `folder`, or (`film`) the one film that ends with it."""

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
        try:
            await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
            saved = [await _film(engine, entry, folder)] if film else await _videos(engine, entry, folder)
        except OSError as error:
            err.print(save_folder.trouble(error, folder), soft_wrap=True)
            return 1
        for path in saved:
            out.print(str(path), highlight=False, soft_wrap=True)
        return 0

    return with_engine(settings, act)


async def _videos(engine: Engine, entry: Entry, folder: Path) -> list[Path]:
    saved: list[Path] = []
    for number in range(len(entry.video_urls)):
        more = f"-{number + 1}" if number else ""
        saved.append(await _fetched(engine, entry, folder / f"{_stem(entry)}{more}.mp4", number))
    return saved


async def _film(engine: Engine, entry: Entry, folder: Path) -> Path:
    """The film; the video itself where it continues nothing, or holds all of it."""
    own = folder / f"{_stem(entry)}.mp4"
    if not save_folder.whole(own):
        await _fetched(engine, entry, own, 0)
    account = await engine.accounts.account(PERSON)
    try:
        with _bar("the parts") as moved:
            return await engine.films.make(account, entry, own, folder, on_progress=moved)
    except FileTrouble as trouble:
        raise FileTrouble(f"{trouble.explanation} The video alone is there: {own}") from None


async def _fetched(engine: Engine, entry: Entry, target: Path, number: int) -> Path:
    account = await engine.accounts.account(PERSON)
    with _bar(target.name) as moved:
        await engine.films.fetch(account, entry, target, number=number, on_progress=moved)
    return target


@contextmanager
def _bar(name: str) -> Generator[Callable[[int, int | None], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=err) as bar:
        line = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(line, completed=done, total=total)


def _stem(entry: Entry) -> str:
    # The API's id is foreign text.
    return file_name(entry.upstream_id or entry.id)
