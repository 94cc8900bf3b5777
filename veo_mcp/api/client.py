"""The Veo API as four calls and a download.

Called by the tasks layer and the command line. A create is sent once: it is repeated only when the refusal proves that
nothing was charged. Reads are repeated, politely. Raises the tree of errors.py.
"""

import logging
import os
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar
from urllib.parse import quote

import anyio
from pydantic import SecretStr

from veo_mcp.api import causes
from veo_mcp.api.download import MAX_BYTES, download, fetchable
from veo_mcp.api.key_backoff import KeyBackoff
from veo_mcp.api.models import ApiTask, Credits, ExtendInput, GenerationRequest
from veo_mcp.api.responses import LONGEST_ID, ApiResponse, Reader
from veo_mcp.api.transport import Transport
from veo_mcp.api.video_probe import probe_video
from veo_mcp.errors import ApiError, NotSent, RateLimitExceeded, TaskNotFound, Unanswered, UpstreamUnavailable
from veo_mcp.mp4 import Measured
from veo_mcp.text import clean

__all__ = ["Reply", "VeoClient"]

log = logging.getLogger(__name__)

T = TypeVar("T")

CREATE_SECONDS = 45.0
READ_SECONDS = 20.0
READ_TOTAL_SECONDS = 120.0
READ_RETRY_AFTER = 60.0
LONGEST_LOGGED_ID = 4096
TRIES = 3
LEAST_TRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A value, and the identity of the API that gave it; see `VeoClient.identity`."""

    value: T
    api: str


class VeoClient:
    """The API at `base_url` with one key; an async context manager.

    Args:
        base_url: such as https://api.aivideoapi.ai.
        key: the provider's key, `sk-…`.
        monotonic: seconds that never go back.
        jitter: a number from 0 to 1, for the gaps between tries.
        sleep: waits some seconds; an argument so that tests need not.
        create_seconds: how long a create may take in all, retries included.
        crash_at, observe: see Transport.
        environ: where proxies and certificates are named.

    Attributes:
        key_backoff: whether the key works, and when to ask again; updated by every call, read by the poller.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        monotonic: Callable[[], float] = anyio.current_time,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        create_seconds: float = CREATE_SECONDS,
        crash_at: Callable[[str], None] = lambda point: None,
        observe: Callable[[str, str, float], None] = lambda operation, outcome, seconds: None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._transport = Transport(base_url, key, crash_at=crash_at, observe=observe, environ=environ)
        path = self._transport.address.path if self._transport.address else ""
        self._reader = Reader(self._transport.host, path, (key.get_secret_value(),))
        self.key_backoff = KeyBackoff(monotonic)
        self._identity: str | None = None
        self._create_seconds = create_seconds
        self._jitter = jitter
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    @property
    def origin(self) -> str:
        """The origin of the API's URL, which is its identity unless it says that it is a sandbox."""
        return self._transport.origin

    @property
    def known_identity(self) -> str | None:
        """The identity, if any answer has shown it already; never asks."""
        return self._identity

    async def identity(self, *, tries: int = TRIES) -> str:
        """Which API this is: `sandbox:<ledger id>`, or the origin. Asks until one answer shows it. Raises ApiError.

        A header of its answers, refusals too, and not a setting, tells a sandbox from the real thing.
        """
        if self._identity is None:
            try:
                await self._read("/v1/credits", self._credits, tries)
            except ApiError:
                if self._identity is None:
                    raise
        return self._identity or self.origin

    async def send_create(self, request: GenerationRequest, *, spent: float = 0.0) -> Reply[str]:
        """Creates or extends; the value is the API's task id. At most 45 s in all, less what is `spent` of them.

        Raises ApiError.

        Tried again only after NotSent and 429 rate_limit_exceeded, which both prove that nothing was charged.
        """
        deadline = anyio.current_time() + self._create_seconds - spent
        for attempt in range(TRIES):
            left = deadline - anyio.current_time()
            try:
                return await self._create_once(request, left)
            except (NotSent, RateLimitExceeded) as refusal:
                wait = refusal.retry_after
                if wait is None:
                    wait = (1.0 + 3.0 * attempt) * (1.0 + self._jitter())
                # A wait that leaves no time for a whole try ends here as refused, with the API's own word on when.
                late = wait + LEAST_TRY_SECONDS > deadline - anyio.current_time()
                if late or attempt == TRIES - 1 or refusal.code in causes.LASTING:
                    raise
                await self._sleep(wait)
        raise AssertionError("unreachable")

    async def get_task(self, task_id: str, *, tries: int = TRIES) -> Reply[ApiTask]:
        """The task as the API sees it. Raises ApiError, TaskNotFound among them."""
        if not 0 < len(task_id) <= LONGEST_ID:
            # A longer one makes a URL that no server takes, and was never given out by the API.
            raise TaskNotFound(f"an id of {len(task_id):,} characters", http_status=None, code="task_not_found")
        # Dots alone would be taken for steps in the path.
        name = quote(task_id.encode(errors="replace"), safe="").replace(".", "%2E" if not task_id.strip(".") else ".")
        return await self._read("/v1/tasks/" + name, self._task, tries)

    async def get_credits(self) -> Reply[Credits]:
        """The account's credits. Raises ApiError."""
        return await self._read("/v1/credits", self._credits)

    async def download(
        self,
        url: str,
        path: Path,
        *,
        on_progress: Callable[[int, int | None], None] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Saves a finished video; goes on with `path.part`, and renames it only when it is whole.

        Raises DownloadFailed, OSError.
        """
        await download(
            self._transport, url, path, sandbox=self._is_sandbox, max_bytes=max_bytes, on_progress=on_progress
        )

    async def measure(self, url: str) -> Measured | None:
        """How long a finished video is, from its first bytes; None where it does not say. Raises DownloadFailed."""
        return await probe_video(self._transport, url, sandbox=self._is_sandbox)

    def linkable(self, url: str) -> bool:
        """Whether a video's URL may be linked or fetched: https, or the sandbox's own."""
        return fetchable(url, self._transport.address, sandbox=self._is_sandbox) is None

    @property
    def _is_sandbox(self) -> bool:
        return (self._identity or "").startswith("sandbox:")

    def _task(self, answer: ApiResponse) -> ApiTask:
        return self._reader.model(ApiTask, self._reader.value(answer), answer.status)

    def _credits(self, answer: ApiResponse) -> Credits:
        return self._reader.model(Credits, self._reader.data(answer), answer.status)

    def _named(self, answer: ApiResponse) -> str:
        """Remembers who answered, and says it. Every answer comes through here, so nobody has to remember to."""
        said = f"sandbox:{answer.sandbox}" if answer.sandbox else self.origin
        # A gateway in front of a sandbox, or a sign-in page, answers without the header: that says nothing about who
        # is behind.
        spoken = answer.flaw is None and not answer.is_page
        if answer.sandbox or (spoken and (answer.status == 200 or (self._identity is None and answer.status < 500))):
            if self._identity not in (None, said):
                log.warning("the API at %s is another one now: %s, and was %s", self.origin, said, self._identity)
            self._identity = said
        return said

    async def _create_once(self, request: GenerationRequest, seconds: float) -> Reply[str]:
        answer = await self._transport.request("POST", "/v1/videos/generations", json=request.body(), seconds=seconds)
        api = self._named(answer)
        parent = request.input.extend_task_id if isinstance(request.input, ExtendInput) else None
        try:
            task_id = self._reader.created(answer, but=parent)
        except ApiError as error:
            self.key_backoff.answered(error, read=False)
            if isinstance(error, Unanswered):
                # The id is reversible, unlike what people are shown: it may be the only trace of a paid task. The API's
                # words are for who asked: it may repeat the prompt in them.
                named = "no task" if error.task_id is None else ascii(error.task_id[:LONGEST_LOGGED_ID])
                log.warning(
                    "a create was answered, HTTP %d, and may have been charged: %s; it names %s",
                    answer.status,
                    type(error).__name__ if error.words else clean(error.message, 1000),
                    named,
                )
            raise
        self.key_backoff.answered(None, read=False)
        return Reply(task_id, api)

    async def _read(self, path: str, parse: Callable[[ApiResponse], T], tries: int = TRIES) -> Reply[T]:
        with anyio.move_on_after(READ_TOTAL_SECONDS):
            for attempt in range(tries):
                try:
                    return await self._read_once(path, parse)
                except (NotSent, RateLimitExceeded, UpstreamUnavailable, Unanswered) as error:
                    wait = error.retry_after
                    if wait is None:
                        wait = min(8.0, 0.5 * 4**attempt) * (0.5 + 0.5 * self._jitter())
                    if attempt == tries - 1 or wait > READ_RETRY_AFTER or error.code in causes.LASTING:
                        raise
                    await self._sleep(wait)
        raise causes.TIMEOUT.error(host=self._transport.host)

    async def _read_once(self, path: str, parse: Callable[[ApiResponse], T]) -> Reply[T]:
        answer = await self._transport.request("GET", path, seconds=READ_SECONDS)
        api = self._named(answer)
        try:
            value = parse(answer)
        except ApiError as error:
            self.key_backoff.answered(error, read=True)
            raise
        self.key_backoff.answered(None, read=True)
        return Reply(value, api)
