"""Turns charged tasks into clips, one after the other, and sends their callbacks.

Started by the sandbox's app. Takes up again what a restart left. Every task and every delivery fails for itself: it is
logged in one line, tried again a few times, and shown by `health`; only the sandbox's end ends the worker. Never
charges; a failure is refunded by the ledger.
"""

import json
import logging
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar

import anyio
import anyio.to_process
import anyio.to_thread

from veo_mcp.sandbox.fetch import Fetcher, FetchRefused
from veo_mcp.sandbox.files import FOLDER, private_folder, tighten
from veo_mcp.sandbox.ledger import Ledger, Task
from veo_mcp.sandbox.rendering import clip_size, normalise_image, render

__all__ = ["CALLBACK_GAPS", "RETRY_GAPS", "Health", "Worker", "directive"]

log = logging.getLogger(__name__)

T = TypeVar("T")

SLOW_SECONDS = 60.0
CALLBACK_GAPS = (0.0, 1.0, 5.0, 30.0, 120.0)
RETRY_GAPS = (1.0, 5.0)
LEDGER_GAPS = (0.2, 1.0, 5.0, 15.0, 30.0)
LONGEST_PAUSE = 60
DELIVERIES = 20
"""How many callbacks are under way at a time."""


def directive(prompt: str) -> str | None:
    """WORD of the first `[sandbox:WORD]` in a prompt."""
    _, mark, rest = prompt.partition("[sandbox:")
    word, end, _ = rest.partition("]")
    return word.strip().lower() if mark and end else None


class _Refused(Exception):
    """The task cannot become a clip, and will not the next time either; the message says why."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the work goes.

    Attributes:
        ok: whether the ledger takes what is written to it.
        open_tasks: tasks that have not ended, or whose callback is still owed.
        failures: what went wrong since the start and was not a request's own fault.
        last_failure: one line on the latest of them.
        last_failure_at: when that was, in Unix seconds.
    """

    ok: bool
    open_tasks: int
    failures: int
    last_failure: str | None
    last_failure_at: float | None


class Worker:
    """The queue of one sandbox.

    Args:
        ledger: the ledger.
        folder: where videos lie, as `videos/…mp4`.
        base_url: what video URLs begin with; known once the port is.
        seconds: how long a generation takes at least.
        fetcher: fetches images and posts callbacks.
        clock: Unix seconds.
        workers: how many clips are drawn at a time, in processes; 0 renders one at a time in a thread.
        callback_gaps: seconds before each try of a callback.
        retry_gaps: seconds before a clip that could not be drawn is tried again.
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
        retry_gaps: Sequence[float] = RETRY_GAPS,
    ) -> None:
        self._callback_gaps = callback_gaps
        self._retry_gaps = retry_gaps
        self._workers = workers
        self._ledger = ledger
        self._folder = folder
        self._base_url = base_url
        self._seconds = seconds
        self._fetcher = fetcher
        self._clock = clock
        self._news = anyio.Event()
        self._under_way: set[str] = set()
        self._stuck = 0
        self._failures = 0
        self._last: tuple[str, float] | None = None

    def wake(self) -> None:
        """There is a new task."""
        self._news.set()

    def health(self) -> Health:
        """How the work goes."""
        line, when = self._last or (None, None)
        return Health(self._stuck == 0, len(self._under_way), self._failures, line, when)

    async def run(self) -> None:
        """Works until cancelled."""
        if self._workers:
            _forget_secrets()
        tighten(self._folder / "videos", FOLDER)
        turns, posts = anyio.CapacityLimiter(max(1, self._workers)), anyio.CapacityLimiter(DELIVERIES)
        async with anyio.create_task_group() as group:
            while True:
                self._news = anyio.Event()
                for task_id in await self._insist("the queue could not be read", self._ledger.owed):
                    if task_id not in self._under_way:
                        self._under_way.add(task_id)
                        group.start_soon(self._work, task_id, turns, posts)
                await self._news.wait()

    async def _work(self, task_id: str, turns: anyio.CapacityLimiter, posts: anyio.CapacityLimiter) -> None:
        """Brings one task to its end, its callback included."""
        about = f"task {task_id}"
        try:
            task = await self._insist(f"{about} could not be read", lambda: self._ledger.get(task_id))
            if task is not None and not task.ended:
                await self._make(task, turns)
                task = await self._insist(f"{about} could not be read", lambda: self._ledger.get(task_id))
            if task is not None:
                try:
                    await self._call_back(task, posts)
                except Exception as error:  # whatever a row or a receiver brings, it is this callback's trouble alone
                    self._note(f"the callback of {about} could not be made", error)
            await self._insist(
                f"{about} could not be marked as reported to its callback",
                lambda: self._ledger.callback_delivered(task_id),
            )
        except Exception as error:  # the last resort: whatever it is, the other tasks go on
            self._note(f"{about} was left until the next start", error)
        finally:
            self._under_way.discard(task_id)

    async def _make(self, task: Task, turns: anyio.CapacityLimiter) -> None:
        failure, path, seconds = "Video generation failed", None, self._seconds
        try:
            word = directive(task.asked["prompt"])
            seconds = SLOW_SECONDS if word == "slow" else seconds
            if word != "fail":
                path = await self._drawn(task, turns)
        except _Refused as refusal:
            log.info("Task %s failed: %s", task.id, refusal)
            failure = f"Video generation failed: {refusal}"
        except Exception as error:  # a clip that cannot be drawn is a failed task, not the end of the sandbox
            self._note(f"task {task.id} could not be drawn", error)
        least = seconds if path is not None else min(seconds, 2.0)
        # Clamped: a clock that was set back must not hold the task up.
        await anyio.sleep(min(least, max(0.0, task.created_at + least - self._clock())))
        if path is not None:
            place = path
            await self._insist(
                f"task {task.id} could not be completed",
                lambda: self._ledger.complete(task.id, place, self._clock()),
            )
        else:
            await self._insist(
                f"task {task.id} could not be refunded",
                lambda: self._ledger.fail(task.id, "upstream_error", failure, self._clock()),
            )

    async def _drawn(self, task: Task, turns: anyio.CapacityLimiter) -> str:
        """The video's place. A full disk or too little memory may pass, so it is tried again a few times."""
        async with turns:
            await self._insist(f"task {task.id} could not be started", lambda: self._ledger.processing(task.id, None))
            for gap in (*self._retry_gaps, None):
                try:
                    return await self._render(task)
                except (_Refused, FetchRefused, ValueError) as error:
                    raise _Refused(str(error)) from None
                except Exception as error:
                    if gap is None:
                        raise
                    self._note(f"task {task.id} could not be drawn yet", error)
                    await anyio.sleep(gap)
        raise AssertionError("unreachable")

    async def _render(self, task: Task) -> str:
        # Imported late: drawing and encoding libraries cost 0.24 s and are an extra.
        from veo_mcp.sandbox.render import ClipSpec

        asked = task.asked
        day = datetime.fromtimestamp(task.created_at, UTC)
        place = f"{day:%Y/%m/%d}/{task.id}.mp4"
        target = self._folder / "videos" / place
        if await anyio.Path(target).exists():
            return place
        await _in_thread(private_folder, target.parent)
        parent = await self._parent(asked["extend_task_id"]) if "extend_task_id" in asked else None
        before = self._folder / "videos" / parent.path if parent is not None and parent.path else None
        with TemporaryDirectory() as scratch:
            images, sizes = await self._images(asked.get("image_urls") or (), Path(scratch))
            wide, tall = await _in_thread(clip_size, asked.get("aspect_ratio") or "16:9", sizes, before)
            spec = ClipSpec(
                prompt=asked["prompt"],
                mode=asked.get("mode") or "fast",
                width=wide,
                height=tall,
                seed=task.seed,
                images=tuple(images),
                image_use=_use(task, images),
                parent=before,
                watermark=asked.get("watermark"),
                task_id=task.id,
            )
            await self._heavy(render, spec, target)
        return place

    async def _parent(self, task_id: str) -> Task:
        parent = await self._insist(f"task {task_id} could not be read", lambda: self._ledger.get(task_id))
        if parent is None:
            raise _Refused("the task to extend is gone")
        return parent

    async def _images(self, urls: Sequence[str], scratch: Path) -> tuple[list[Path], list[tuple[int, int]]]:
        images: list[Path] = []
        sizes: list[tuple[int, int]] = []
        for number, url in enumerate(urls, 1):
            image = scratch / str(number)
            try:
                image.write_bytes(await self._fetcher.image(url))
                sizes.append(await self._heavy(normalise_image, image))
            except (FetchRefused, ValueError) as error:
                raise _Refused(f"image {number} could not be used: {error}") from None
            images.append(image)
        return images, sizes

    async def _heavy(self, work: Callable[..., T], *arguments: object) -> T:
        # Abandoned when the sandbox closes: files appear only when whole, and the next start makes them again.
        if self._workers:
            return await anyio.to_process.run_sync(work, *arguments, cancellable=True)
        return await anyio.to_thread.run_sync(work, *arguments, abandon_on_cancel=True)

    async def _call_back(self, task: Task, posts: anyio.CapacityLimiter) -> None:
        url = task.body.get("callback_url")
        word = directive(str(task.asked.get("prompt", "")))
        if url and word != "no_callback":
            body = json.dumps(task.shown(self._base_url(), self._clock(), self._seconds)).encode()
            for _repeat in range(2 if word == "double_callback" else 1):
                await self._deliver(task.id, url, body, posts)

    async def _deliver(self, task_id: str, url: str, body: bytes, posts: anyio.CapacityLimiter) -> None:
        pause = 0.0
        for gap in self._callback_gaps:
            await anyio.sleep(gap + pause)
            pause = 0.0
            # The URL may hold a secret, and so may an error's words: neither is logged.
            try:
                async with posts:
                    status, retry_after = await self._fetcher.post(url, body)
            except FetchRefused as error:
                log.info("The callback of task %s was not delivered: %s", task_id, error)
                continue
            except Exception as error:
                self._note(f"the callback of task {task_id} met a {type(error).__name__}")
                continue
            if status // 100 == 2 or status == 410:
                return
            pause = _pause(retry_after)
        log.warning("The callback of task %s was given up after %d tries.", task_id, len(self._callback_gaps))

    async def _insist(self, failed: str, step: Callable[[], Awaitable[T]]) -> T:
        """Repeats a step on our own files until it works: they are locked or full for a time, and a refund is owed."""
        tries = 0
        try:
            for gap in chain(LEDGER_GAPS, repeat(LEDGER_GAPS[-1])):
                try:
                    done = await step()
                except (sqlite3.Error, OSError) as error:
                    self._stuck += not tries
                    tries += 1
                    self._note(failed, error, debug_only=tries > 1)
                    await anyio.sleep(gap)
                else:
                    if tries:
                        log.warning("Sandbox: %s at first; it worked after %d tries.", failed, tries + 1)
                    return done
        finally:
            self._stuck -= bool(tries)
        raise AssertionError("unreachable")

    def _note(self, what: str, error: Exception | None = None, *, debug_only: bool = False) -> None:
        """One line in the log, and in what `health` shows."""
        words = " ".join(str(error).split())[:200] if error is not None else ""
        line = f"{what}: {type(error).__name__}: {words}" if error is not None else what
        self._failures += 1
        self._last = (line, self._clock())
        log.log(logging.DEBUG if debug_only else logging.WARNING, "Sandbox: %s", line)
        if error is not None:
            log.debug("Where it happened:", exc_info=error)


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    return await anyio.to_thread.run_sync(work, *arguments)


def _forget_secrets() -> None:
    """Takes our settings, keys among them, out of this process's environment, which worker processes inherit.

    They draw clips and need none of it, and anyio offers no way to hand them another environment.
    """
    for name in [name for name in os.environ if name.startswith(("VEO_", "AIVIDEOAPI_"))]:
        del os.environ[name]


def _pause(retry_after: str | None) -> float:
    """Seconds that a receiver asks for, at most LONGEST_PAUSE; what is no plain number says nothing."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit() or len(retry_after) > 9:
        return 0.0
    return float(min(LONGEST_PAUSE, int(retry_after)))


def _use(task: Task, images: list[Path]) -> Literal["none", "frames", "reference"]:
    if not images:
        return "none"
    return "reference" if task.asked.get("generation_type") == "REFERENCE_2_VIDEO" else "frames"
