"""Turns charged tasks into clips, one after the other, and sends their callbacks.

Started by the sandbox's app. Takes open generations up again after a restart. Renders in a worker thread, so that the
API's answers do not slow. Never charges; a failure is refunded by the ledger.
"""

import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import anyio
import anyio.to_process
import anyio.to_thread

from veo_mcp.sandbox.fetch import Fetcher, FetchRefused
from veo_mcp.sandbox.ledger import Ledger, Task

__all__ = ["CALLBACK_GAPS", "Worker", "directive"]

log = logging.getLogger(__name__)

SLOW_SECONDS = 60.0
CALLBACK_GAPS = (0.0, 1.0, 5.0, 30.0, 120.0)


def directive(prompt: str) -> str | None:
    """WORD of the first `[sandbox:WORD]` in a prompt."""
    _, mark, rest = prompt.partition("[sandbox:")
    word, end, _ = rest.partition("]")
    return word.strip().lower() if mark and end else None


class Worker:
    """The queue of one sandbox.

    Args:
        ledger: the ledger.
        folder: where videos lie, as `videos/…mp4`.
        base_url: what video URLs begin with; known once the port is.
        seconds: how long a generation takes at least.
        fetcher: the door to images and callbacks.
    """

    def __init__(
        self,
        ledger: Ledger,
        folder: Path,
        *,
        base_url: Callable[[], str],
        seconds: float,
        fetcher: Fetcher,
        clock: Callable[[], float] = time.time,
        workers: int = 0,
        callback_gaps: Sequence[float] = CALLBACK_GAPS,
    ) -> None:
        self._callback_gaps = callback_gaps
        self._workers = workers
        self._ledger = ledger
        self._folder = folder
        self._base_url = base_url
        self._seconds = seconds
        self._fetcher = fetcher
        self._clock = clock
        self._news = anyio.Event()

    def wake(self) -> None:
        """There is a new task."""
        self._news.set()

    async def run(self) -> None:
        """Works indefinitely."""
        async with anyio.create_task_group() as group:
            for task in await self._ledger.callbacks_due():
                group.start_soon(self._send_callback, task)
            started: set[str] = set()
            turns = anyio.CapacityLimiter(max(1, self._workers))
            while True:
                self._news = anyio.Event()
                for task in await self._ledger.unfinished():
                    if task.id not in started:
                        started.add(task.id)
                        group.start_soon(self._generate, task, turns)
                await self._news.wait()

    async def _generate(self, task: Task, turn: anyio.CapacityLimiter) -> None:
        word = directive(task.body["input"]["prompt"])
        seconds = SLOW_SECONDS if word == "slow" else self._seconds
        try:
            async with turn:
                await self._ledger.processing(task.id, None)
                if word == "fail":
                    raise FetchRefused("the prompt asked for a failure")
                path = await self._render(task)
            await anyio.sleep(max(0.0, task.created_at + seconds - self._clock()))
            await self._ledger.complete(task.id, path, self._clock())
        except FetchRefused as error:
            await anyio.sleep(max(0.0, task.created_at + min(seconds, 2.0) - self._clock()))
            log.info("Task %s failed: %s", task.id, error)
            await self._ledger.fail(task.id, "upstream_error", "Video generation failed", self._clock())
        except Exception:  # a clip that cannot be drawn is a failed task, not the end of the sandbox
            log.exception("Task %s could not be rendered", task.id)
            await self._ledger.fail(task.id, "upstream_error", "Video generation failed", self._clock())
        ended = await self._ledger.get(task.id)
        if ended is not None:
            await self._send_callback(ended)

    async def _render(self, task: Task) -> str:
        # Imported late: drawing and encoding libraries cost 0.24 s and are an extra.
        from veo_mcp.sandbox.render import ClipSpec, render_clip

        asked: dict[str, Any] = task.body["input"]
        day = datetime.fromtimestamp(task.created_at, UTC)
        place = f"{day:%Y/%m/%d}/{task.id}.mp4"
        target = self._folder / "videos" / place
        if target.exists():
            return place
        target.parent.mkdir(parents=True, exist_ok=True)
        parent = await self._ledger.get(asked["extend_task_id"]) if "extend_task_id" in asked else None
        with TemporaryDirectory() as scratch:
            images: list[Path] = []
            for number, url in enumerate(asked.get("image_urls") or ()):
                image = Path(scratch) / str(number)
                image.write_bytes(await self._fetcher.image(url))
                images.append(image)
            wide, tall = await anyio.to_thread.run_sync(_size, asked, images, self._parent_path(parent))
            spec = ClipSpec(
                prompt=asked["prompt"],
                mode=asked.get("mode") or "fast",
                width=wide,
                height=tall,
                seed=task.seed,
                images=tuple(images),
                image_use=_use(asked, images),
                parent=self._parent_path(parent),
                parent_prompt=parent.body["input"]["prompt"] if parent else None,
                parent_seed=parent.seed if parent else None,
                watermark=asked.get("watermark"),
                task_id=task.id,
            )
            # Abandoned when the sandbox closes: the file appears only when whole, and the next start renders it again.
            if self._workers:
                await anyio.to_process.run_sync(render_clip, spec, target, cancellable=True)
            else:
                await anyio.to_thread.run_sync(render_clip, spec, target, abandon_on_cancel=True)
        return place

    def _parent_path(self, parent: Task | None) -> Path | None:
        return self._folder / "videos" / parent.path if parent is not None and parent.path else None

    async def _send_callback(self, task: Task) -> None:
        url = task.body.get("callback_url")
        word = directive(task.body["input"]["prompt"])
        if url and word != "no_callback":
            body = json.dumps(task.shown(self._base_url(), self._clock(), self._seconds)).encode()
            for _repeat in range(2 if word == "double_callback" else 1):
                await self._deliver(url, body)
        await self._ledger.callback_delivered(task.id)

    async def _deliver(self, url: str, body: bytes) -> None:
        for gap in self._callback_gaps:
            await anyio.sleep(gap)
            try:
                status, retry_after = await self._fetcher.post(url, body)
            except FetchRefused as error:
                log.info("A callback was not delivered: %s", error)
                continue
            if status // 100 == 2 or status == 410:
                return
            if retry_after and retry_after.isdigit():
                await anyio.sleep(min(60.0, float(retry_after)))


def _use(asked: dict[str, Any], images: list[Path]) -> Literal["none", "frames", "reference"]:
    if not images:
        return "none"
    return "reference" if asked.get("generation_type") == "REFERENCE_2_VIDEO" else "frames"


def _size(asked: dict[str, Any], images: list[Path], parent: Path | None) -> tuple[int, int]:
    wide, tall = (1280, 720), (720, 1280)
    if parent is not None:
        import av

        with av.open(str(parent)) as video:
            return tall if video.streams.video[0].height > video.streams.video[0].width else wide
    ratio = asked.get("aspect_ratio") or "16:9"
    if ratio == "Auto" and images:
        from PIL import Image

        with Image.open(images[0], formats=("JPEG", "PNG", "WEBP")) as picture:
            return tall if picture.height > picture.width else wide
    return tall if ratio == "9:16" else wide
