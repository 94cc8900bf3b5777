"""The Veo API as four calls and a download.

Called by the tasks layer and the command line. A create is sent once: it is repeated only when the refusal proves that
nothing was charged. Reads are repeated, politely. Raises the tree of errors.py.
"""

import json
import os
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast
from urllib.parse import quote

import anyio
from pydantic import BaseModel, SecretStr, ValidationError

from veo_mcp.api.models import ApiTask, Credits, GenerationRequest
from veo_mcp.api.transport import Answer, Transport
from veo_mcp.errors import (
    BadAnswer,
    InternalError,
    NotSent,
    RateLimitExceeded,
    Unanswered,
    UpstreamUnavailable,
    from_envelope,
)

__all__ = ["Reply", "VeoClient"]

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

CREATE_SECONDS = 45.0
READ_SECONDS = 20.0
READ_TOTAL_SECONDS = 120.0
READ_RETRY_AFTER = 60.0
TRIES = 3
LEAST_TRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """A value, and the ledger id of the sandbox that gave it, or None from the real API."""

    value: T
    sandbox: str | None


class VeoClient:
    """The API at `base_url` with one key; an async context manager.

    Args:
        base_url: such as https://api.aivideoapi.ai.
        key: the provider's key, `sk-…`.
        jitter: a number from 0 to 1, for the gaps between tries.
        sleep: waits some seconds; an argument so that tests need not.
        create_seconds: how long a create may take in all, retries included.
        crash_at: see Transport.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr,
        *,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        create_seconds: float = CREATE_SECONDS,
        crash_at: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._transport = Transport(base_url, key, crash_at=crash_at)
        self._create_seconds = create_seconds
        self._jitter = jitter
        self._sleep = sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def send_create(self, request: GenerationRequest) -> Reply[str]:
        """Creates or extends; the value is the API's task id. At most 45 s in all. Raises VeoError.

        Tried again only after NotSent and 429 rate_limit_exceeded, which both prove that nothing was charged.
        """
        deadline = anyio.current_time() + self._create_seconds
        for attempt in range(TRIES):
            left = deadline - anyio.current_time()
            try:
                return await self._create_once(request, left)
            except (NotSent, RateLimitExceeded) as refusal:
                wait = refusal.retry_after
                if wait is None:
                    wait = (1.0 + 3.0 * attempt) * (1.0 + self._jitter())
                # A wait that leaves no time for a whole try ends here as refused, with the API's own word on when.
                if attempt == TRIES - 1 or wait + LEAST_TRY_SECONDS > deadline - anyio.current_time():
                    raise
                await self._sleep(wait)
        raise AssertionError("unreachable")

    async def get_task(self, task_id: str) -> Reply[ApiTask]:
        """The task as the API sees it. Raises VeoError, TaskNotFound among them."""
        answer = await self._read("/v1/tasks/" + quote(task_id, safe=""))
        return Reply(_parsed(ApiTask, _json(answer), answer.status), answer.sandbox)

    async def get_credits(self) -> Reply[Credits]:
        """The account's credits. Raises VeoError."""
        answer = await self._read("/v1/credits")
        return Reply(_parsed(Credits, _data(answer), answer.status), answer.sandbox)

    async def download(
        self, url: str, path: Path, *, on_progress: Callable[[int, int | None], None] | None = None
    ) -> None:
        """Saves a finished video; resumes `path.part`, and renames only when it is whole. Raises VeoError, OSError."""
        part = path.with_name(path.name + ".part")
        target = anyio.Path(part)
        offset = (await target.stat()).st_size if await target.exists() else 0
        async with self._transport.stream(url, offset=offset) as response:
            if response.status_code == 416:
                await target.unlink()
                raise BadAnswer("the part that was there does not fit the video; it was removed, try again")
            if response.status_code not in (200, 206):
                raise BadAnswer(f"the video's host answered {response.status_code}", http_status=response.status_code)
            if response.status_code == 200:
                offset = 0
            total = _total(response.headers.get("content-range"), response.headers.get("content-length"), offset)
            async with await anyio.open_file(part, "ab" if offset else "wb") as file:
                async for chunk in response.aiter_raw(64 * 1024):
                    await file.write(chunk)
                    offset += len(chunk)
                    if on_progress is not None:
                        on_progress(offset, total)
        if total is not None and offset != total:
            raise BadAnswer("the download ended early; run it again to go on from there", code="connection_lost")
        os.replace(part, path)

    async def _create_once(self, request: GenerationRequest, seconds: float) -> Reply[str]:
        answer = await self._transport.request("POST", "/v1/videos/generations", json=request.body(), seconds=seconds)
        _raise_for(answer)
        data = _data(answer)
        task_id = cast("dict[str, Any]", data).get("taskId") if isinstance(data, dict) else None
        if not isinstance(task_id, str) or not task_id.strip():
            raise BadAnswer("the answer names no task", http_status=answer.status)
        return Reply(task_id, answer.sandbox)

    async def _read(self, path: str) -> Answer:
        with anyio.move_on_after(READ_TOTAL_SECONDS):
            for attempt in range(TRIES):
                try:
                    answer = await self._transport.request("GET", path, seconds=READ_SECONDS)
                    _raise_for(answer)
                    return answer
                except (NotSent, RateLimitExceeded, UpstreamUnavailable, Unanswered) as error:
                    wait = error.retry_after
                    if wait is None:
                        wait = min(8.0, 0.5 * 4**attempt) * (0.5 + 0.5 * self._jitter())
                    if attempt == TRIES - 1 or wait > READ_RETRY_AFTER:
                        raise
                    await self._sleep(wait)
        raise BadAnswer("no complete answer came in time", code="timeout")


def _raise_for(answer: Answer) -> None:
    if answer.status == 200:
        return
    code = kind = None
    message = f"HTTP {answer.status}"
    try:
        error = cast("dict[str, Any]", json.loads(answer.body))["error"]
        code, kind, message = str(error["code"]), str(error.get("type", "")), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # a gateway's page: the status alone speaks
    raise from_envelope(answer.status, code, kind, message, answer.retry_after)


def _json(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except ValueError:
        raise BadAnswer("the answer is not JSON", http_status=answer.status) from None


def _data(answer: Answer) -> object:
    """`data` of the envelope {"code": 200, "msg": …, "data": …}; a 200 whose code is another is an error too."""
    envelope = _json(answer)
    if not isinstance(envelope, dict):
        raise BadAnswer("the answer is not in the documented shape", http_status=answer.status)
    fields = cast("dict[str, Any]", envelope)
    if fields.get("code") != 200:
        raise InternalError(f"HTTP 200 with code {str(fields.get('code'))[:40]}", http_status=200)
    return fields.get("data")


def _parsed(model: type[M], data: object, status: int) -> M:
    try:
        return model.model_validate(data)
    except ValidationError:
        raise BadAnswer("the answer is not in the documented shape", http_status=status) from None


def _total(content_range: str | None, length: str | None, offset: int) -> int | None:
    whole = re.search(r"/(\d+)$", content_range or "")
    if whole:
        return int(whole[1])
    return offset + int(length) if length and length.isdigit() else None
