"""The Veo API as an ASGI app: the documented calls with the documented answers, and the clips.

Built by the embedded sandbox, the command line and the tests. Every answer carries `X-Veo-Sandbox`, so that no
client can take it for the real API. Knows nothing of MCP or of the journal.
"""

import math
import re
import secrets
import sqlite3
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from veo_mcp import __version__
from veo_mcp.sandbox.errors import DocumentedError
from veo_mcp.sandbox.fetch import Fetcher
from veo_mcp.sandbox.files import Recent, private_folder
from veo_mcp.sandbox.key_rules import Rules, RulesFile
from veo_mcp.sandbox.ledger import Insufficient, Ledger, LimitReached, Task
from veo_mcp.sandbox.middleware import SandboxMiddleware
from veo_mcp.sandbox.openapi import describe
from veo_mcp.sandbox.page import HEADERS, Draft, document, is_same_origin, write_poster
from veo_mcp.sandbox.requests import ordered, read_body, read_raw
from veo_mcp.sandbox.worker import CALLBACK_GAPS, RETRY_GAPS, Worker, directive

__all__ = ["SandboxConfig", "build_app"]

GALLERY = 24
PAGE_KEY = "sk-sandbox"
"""Whom the clips that are made on the page are charged to."""
REMEMBERED = 1000
LONGEST_WAIT = 3600
PLACE = re.compile(r"\d{4}/\d\d/\d\d/[0-9a-f-]{1,40}\.mp4")
"""Where videos lie. Whatever else a path may hold (`..`, NUL, 60,000 characters) never reaches the file system."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How one sandbox runs.

    Attributes:
        folder: where the ledger and the videos lie.
        base_url: what video URLs begin with; asked late, because the port is known late.
        seconds: how long a generation takes at least.
        allow_private: whether images and callbacks may lie on loopback and private addresses.
        workers: how many clips are drawn at a time, in processes; 0 renders one at a time in a thread.
        callback_gaps: seconds before each try of a callback.
        retry_gaps: seconds before a clip that could not be drawn is tried again.
        trusted_origin: the one private origin that callbacks may reach: the server that embeds this sandbox.
    """

    folder: Path
    base_url: Callable[[], str]
    seconds: float = 6.0
    allow_private: bool = False
    trusted_origin: str | None = None
    workers: int = 0
    callback_gaps: tuple[float, ...] = CALLBACK_GAPS
    retry_gaps: tuple[float, ...] = RETRY_GAPS
    clock: Callable[[], float] = time.time


class _Cut(Response):
    """An answer that promises a body and never sends it; the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"72")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


@dataclass(frozen=True, slots=True)
class _Caller:
    account: str
    rules: Rules


def build_app(config: SandboxConfig) -> Starlette:
    """The sandbox over one folder; its lifespan runs the worker, and closes the ledger, `app.state.ledger`."""
    private_folder(config.folder)
    ledger = Ledger(config.folder / "ledger.db", lambda: secrets.token_hex(8))
    worker = Worker(
        ledger,
        config.folder,
        base_url=config.base_url,
        seconds=config.seconds,
        fetcher=Fetcher(allow_private=config.allow_private, trusted_origin=config.trusted_origin),
        clock=config.clock,
        workers=config.workers,
        callback_gaps=config.callback_gaps,
        retry_gaps=config.retry_gaps,
    )
    api = _Api(config, ledger, worker)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(worker.run)
            yield
            group.cancel_scope.cancel()
        ledger.close()

    app = Starlette(
        routes=[
            Route("/v1/videos/generations", api.guarded(api.create), methods=["POST"]),
            Route("/v1/tasks/{task_id}", api.guarded(api.task), methods=["GET"]),
            Route("/v1/credits", api.guarded(api.credits), methods=["GET"]),
            Route("/videos/{path:path}", api.video, methods=["GET"]),
            Route("/healthz", api.health, methods=["GET"]),
            Route("/openapi.json", api.described, methods=["GET"]),
            Route("/posters/{path:path}", api.poster, methods=["GET"]),
            Route("/", api.home, methods=["GET"]),
            Route("/clips", api.make, methods=["POST"]),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: _elsewhere},
    )
    app.state.ledger = ledger
    app.add_middleware(SandboxMiddleware, ledger_id=ledger.id, base_url=config.base_url)
    return app


async def _elsewhere(_request: Request, error: Exception) -> Response:
    """A path or a method that the API does not have, in the shape of its other errors."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    words = "The sandbox has nothing there." if status == 404 else "The sandbox does not take this method there."
    return DocumentedError("invalid_request", words, status=status).answer()


class _Api:
    def __init__(self, config: SandboxConfig, ledger: Ledger, worker: Worker) -> None:
        self._config = config
        self._ledger = ledger
        self._worker = worker
        self._rules_file = RulesFile(config.folder)
        self._limited = Recent[None](REMEMBERED)
        self._seen = Recent[float](REMEMBERED)
        self._posters = anyio.CapacityLimiter(1)

    def guarded(
        self, handler: Callable[[Request, _Caller], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request, await self._caller(request))
            except DocumentedError as fault:
                return fault.answer()
            except sqlite3.Error as error:
                # A transaction that fails is rolled back: locked or full, the ledger has booked nothing.
                words = f"The sandbox's ledger cannot be used at the moment ({error}); nothing was charged."
                return DocumentedError("upstream_error", words, retry_after=5).answer()

        return endpoint

    async def credits(self, _request: Request, caller: _Caller) -> Response:
        return _enveloped(await self._ledger.credits(caller.account))

    async def task(self, request: Request, caller: _Caller) -> Response:
        task = await self._ledger.get(request.path_params["task_id"], caller.account)
        if task is None:
            raise DocumentedError("task_not_found", "Task not found.")
        return JSONResponse(task.shown(self._config.base_url(), self._config.clock(), self._config.seconds))

    async def video(self, request: Request) -> Response:
        place: str = request.path_params["path"]
        path = self._config.folder / "videos" / place
        if not PLACE.fullmatch(place) or not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type="video/mp4", headers={"Access-Control-Allow-Origin": "*"})

    async def poster(self, request: Request) -> Response:
        place = request.path_params["path"].removesuffix(".jpg") + ".mp4"
        clip = self._config.folder / "videos" / place
        if not request.path_params["path"].endswith(".jpg") or not PLACE.fullmatch(place) or not clip.is_file():
            raise HTTPException(404)
        target = self._config.folder / "posters" / request.path_params["path"]
        if not target.is_file():
            await anyio.to_thread.run_sync(write_poster, clip, target, limiter=self._posters)
        return FileResponse(target, media_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})

    async def create(self, request: Request, caller: _Caller) -> Response:
        word, task_id = await self._take(await read_body(request), caller)
        return await self._answered(word, task_id, request)

    async def _take(self, body: dict[str, Any], caller: _Caller) -> tuple[str | None, str]:
        """Checks and charges a create: the directive in its prompt, and its task's id."""
        order = ordered(body, allow_private=self._config.allow_private, trusted_origin=self._config.trusted_origin)
        account = caller.account
        if order.extends is not None:
            await self._extendable(order.extends, account)
        word = directive(order.prompt)
        if word == "upstream_error":
            raise DocumentedError("upstream_error", "The provider is unavailable. Credits were refunded.")
        if word == "rate_limit":
            said = sha256(order.prompt.encode()).hexdigest()
            if said not in self._limited:
                self._limited.put(said, None)
                raise DocumentedError("rate_limit_exceeded", "Too many requests.", retry_after=2)
        task_id = str(uuid.uuid4())
        seed = order.seed or 10_000 + int(time.time_ns()) % 90_000
        now = self._config.clock()
        try:
            await self._ledger.charge(
                Task(
                    task_id,
                    account,
                    order.model,
                    order.body,
                    "pending",
                    order.price,
                    seed,
                    now,
                    None,
                    None,
                    None,
                    None,
                    None,
                    False,
                ),
                caller.rules,
            )
        except LimitReached as limit:
            raise DocumentedError("spend_limit_exceeded", f"The key's {limit} spend limit is reached.") from None
        except Insufficient:
            raise DocumentedError("insufficient_credits", "Insufficient credits.") from None
        self._worker.wake()
        return word, task_id

    async def _answered(self, word: str | None, task_id: str, request: Request) -> Response:
        match word:
            case "internal_error":
                raise DocumentedError("internal_error", "An unexpected error occurred.")
            case "garbage":
                return Response(b"\x00<!garbage", 200, media_type="application/json")
            case "timeout":
                # The answer never comes, yet nobody waits here once the client has gone.
                while (await request.receive())["type"] != "http.disconnect":
                    pass
            case "drop":
                return _Cut()
            case _:
                pass
        return _enveloped({"taskId": task_id})

    async def _extendable(self, task_id: str, account: str) -> None:
        parent = await self._ledger.get(task_id, account)
        if parent is None:
            raise DocumentedError("task_not_found", "The task to extend does not exist.")
        if parent.status != "completed":
            raise DocumentedError("invalid_request", f"The task to extend must be completed; it is {parent.status}.")

    async def _caller(self, request: Request) -> _Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return await self._known(key if scheme.lower() == "bearer" else "", request)

    async def _known(self, key: str, request: Request) -> _Caller:
        rules = self._rules_file.rules(key)
        if rules is None:
            raise DocumentedError("invalid_api_key", "The API key is invalid, disabled or deleted.")
        if not rules.allows(request.client.host if request.client else ""):
            raise DocumentedError("ip_not_allowed", "The request's IP is not in the key's allowlist.")
        account = await self._ledger.open_account(key, rules.credits)
        if rules.requests_per_second is not None:
            now = self._config.clock()
            wait = self._seen.get(account, 0.0) + 1 / rules.requests_per_second - now
            if wait > 0:
                seconds = math.ceil(min(wait, LONGEST_WAIT))
                raise DocumentedError("rate_limit_exceeded", "Too many requests.", retry_after=seconds)
            self._seen.put(account, now)
        return _Caller(account, rules)

    async def home(self, request: Request) -> Response:
        return await self._page(request)

    async def make(self, request: Request) -> Response:
        if not is_same_origin(request.headers, self._config.base_url()):
            return Response(f"Not charged. Clips are made from the page at {self._config.base_url()}/ only.\n", 403)
        draft = Draft()
        try:
            draft = Draft.parsed(await read_raw(request))
            await self._take(draft.body(), await self._known(PAGE_KEY, request))
        except DocumentedError as fault:
            return await self._page(request, draft, fault)
        return RedirectResponse("/", 303, HEADERS)

    async def _page(
        self, request: Request, draft: Draft | None = None, fault: DocumentedError | None = None
    ) -> Response:
        rules = self._rules_file.rules(PAGE_KEY) or Rules()
        account = await self._ledger.open_account(PAGE_KEY, rules.credits)
        balance = (await self._ledger.credits(account))["balance"]
        words = f"Not charged. {fault.message}" if fault else ""
        shown = document(self._config.base_url(), await self._ledger.newest(GALLERY), balance, draft=draft, fault=words)
        return HTMLResponse(shown, fault.status if fault else 200, HEADERS)

    async def health(self, _request: Request) -> Response:
        health = self._worker.health()
        return JSONResponse({"status": "ok" if health.ok else "degraded", **asdict(health)}, 200 if health.ok else 503)

    async def described(self, _request: Request) -> Response:
        return JSONResponse(describe(__version__))


def _enveloped(data: Any) -> Response:
    return JSONResponse({"code": 200, "msg": "success", "data": data})
