"""The Veo API as an ASGI app: the documented calls with the documented answers, and the clips.

Built by the embedded sandbox, the command line and the tests. Every answer carries `X-Veo-Sandbox`, so that no
client can take it for the real API. Knows nothing of MCP or of the journal.
"""

import json
import math
import secrets
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veo_mcp import __version__
from veo_mcp.api.models import MODEL_CREATE, MODEL_EXTEND, PRICES, CreateInput, ExtendInput, Mode, rule_violation
from veo_mcp.sandbox.accounts import Accounts, Rules
from veo_mcp.sandbox.fetch import Fetcher, check_url
from veo_mcp.sandbox.ledger import Insufficient, Ledger, LimitReached, Task
from veo_mcp.sandbox.openapi import ERRORS, describe
from veo_mcp.sandbox.page import HEADERS, Draft, document, is_same_origin, write_poster
from veo_mcp.sandbox.worker import CALLBACK_GAPS, Worker, directive
from veo_mcp.validation import requirement

__all__ = ["SandboxConfig", "build_app"]

M = TypeVar("M", CreateInput, ExtendInput)

BODY_LIMIT = 256 * 1024
GALLERY = 24
PAGE_KEY = "sk-sandbox"
"""Whom the clips that are made on the page are charged to."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How one sandbox runs.

    Attributes:
        folder: where the ledger and the videos lie.
        base_url: what video URLs begin with; asked late, because the port is known late.
        seconds: how long a generation takes at least.
        allow_private: whether images and callbacks may lie on loopback and private addresses.
        workers: how many clips are rendered at a time, in processes; 0 renders one at a time in a thread.
        callback_gaps: seconds before each try of a callback.
        trusted_origin: the one private origin that callbacks may reach: the server that embeds this sandbox.
    """

    folder: Path
    base_url: Callable[[], str]
    seconds: float = 6.0
    allow_private: bool = False
    trusted_origin: str | None = None
    workers: int = 0
    callback_gaps: tuple[float, ...] = CALLBACK_GAPS
    clock: Callable[[], float] = time.time


class _Fault(Exception):
    """A documented error: its status and type follow from its code."""

    def __init__(self, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = ERRORS[code][0], code, message, retry_after


class _Cut(Response):
    """An answer that promises a body and never sends it, whereupon the server closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"72")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


@dataclass(frozen=True, slots=True)
class _Caller:
    account: str
    rules: Rules


def build_app(config: SandboxConfig) -> Starlette:
    """The sandbox over one folder; its lifespan runs the worker."""
    config.folder.mkdir(parents=True, exist_ok=True)
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
            Route("/openapi.json", api.described, methods=["GET"]),
            Route("/posters/{path:path}", api.poster, methods=["GET"]),
            Route("/", api.home, methods=["GET"]),
            Route("/clips", api.make, methods=["POST"]),
        ],
        lifespan=lifespan,
    )
    app.add_middleware(_Mark, ledger_id=ledger.id)
    return app


class _Mark:
    """Puts the ledger's id on every answer."""

    def __init__(self, app: ASGIApp, ledger_id: str) -> None:
        self._app = app
        self._header = (b"x-veo-sandbox", ledger_id.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], self._header]
            await send(message)

        await self._app(scope, receive, marked)


class _Api:
    def __init__(self, config: SandboxConfig, ledger: Ledger, worker: Worker) -> None:
        self._config = config
        self._ledger = ledger
        self._worker = worker
        self._accounts = Accounts(config.folder)
        self._limited: set[str] = set()
        self._posters = anyio.CapacityLimiter(1)
        self._seen: dict[str, float] = {}

    def guarded(
        self, handler: Callable[[Request, _Caller], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await handler(request, await self._caller(request))
            except _Fault as fault:
                body = {"error": {"code": fault.code, "message": fault.message, "type": ERRORS[fault.code][1]}}
                headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
                return JSONResponse(body, fault.status, headers)

        return endpoint

    async def credits(self, _request: Request, caller: _Caller) -> Response:
        return _enveloped(await self._ledger.credits(caller.account))

    async def task(self, request: Request, caller: _Caller) -> Response:
        task = await self._ledger.get(request.path_params["task_id"], caller.account)
        if task is None:
            raise _Fault("task_not_found", "Task not found.")
        return JSONResponse(task.shown(self._config.base_url(), self._config.clock(), self._config.seconds))

    async def video(self, request: Request) -> Response:
        path = self._inside("videos", request.path_params["path"], ".mp4")
        if path is None or not path.is_file():
            return Response("Not found", 404)
        return FileResponse(path, media_type="video/mp4", headers={"Access-Control-Allow-Origin": "*"})

    async def poster(self, request: Request) -> Response:
        target = self._inside("posters", request.path_params["path"], ".jpg")
        clip = self._inside("videos", request.path_params["path"].removesuffix(".jpg") + ".mp4", ".mp4")
        if target is None or clip is None or not clip.is_file():
            return Response("Not found", 404)
        if not target.is_file():
            await anyio.to_thread.run_sync(write_poster, clip, target, limiter=self._posters)
        return FileResponse(target, media_type="image/jpeg", headers={"Cache-Control": "max-age=86400"})

    def _inside(self, name: str, path: str, suffix: str) -> Path | None:
        """A file of one of the folder's parts; None for whatever would lie outside of it."""
        root = (self._config.folder / name).resolve()
        found = (root / path).resolve()
        return found if found.is_relative_to(root) and found.suffix == suffix else None

    async def create(self, request: Request, caller: _Caller) -> Response:
        word, task_id = await self._take(await _body(request), caller)
        return await self._answered(word, task_id)

    async def _take(self, body: dict[str, Any], caller: _Caller) -> tuple[str | None, str]:
        """Check and charge a create: the directive in its prompt, and its task's id."""
        account = caller.account
        price, prompt = await self._checked(body, account)
        word = directive(prompt)
        if word == "upstream_error":
            raise _Fault("upstream_error", "The provider is unavailable. Credits were refunded.")
        if word == "rate_limit" and prompt not in self._limited:
            self._limited.add(prompt)
            raise _Fault("rate_limit_exceeded", "Too many requests.", retry_after=2)
        task_id = str(uuid.uuid4())
        asked: dict[str, Any] = body["input"]
        seed = asked.get("seeds") or 10_000 + int(time.time_ns()) % 90_000
        now = self._config.clock()
        model = body["model"]
        try:
            await self._ledger.charge(
                Task(task_id, account, model, body, "pending", price, seed, now, None, None, None, None, None, False),
                caller.rules,
            )
        except LimitReached as limit:
            raise _Fault("spend_limit_exceeded", f"The key's {limit} spend limit is reached.") from None
        except Insufficient:
            raise _Fault("insufficient_credits", "Insufficient credits.") from None
        self._worker.wake()
        return word, task_id

    async def _answered(self, word: str | None, task_id: str) -> Response:
        match word:
            case "internal_error":
                raise _Fault("internal_error", "An unexpected error occurred.")
            case "garbage":
                return Response(b"\x00<!garbage", 200, media_type="application/json")
            case "timeout":
                await anyio.sleep_forever()
            case "drop":
                return _Cut()
            case _:
                pass
        return _enveloped({"taskId": task_id})

    async def _checked(self, body: dict[str, Any], account: str) -> tuple[int, str]:
        model = body.get("model")
        if model is None:
            raise _Fault("invalid_request", "'model' is required.")
        if not isinstance(model, str) or model not in (MODEL_CREATE, MODEL_EXTEND):
            raise _Fault("model_not_found", "The model does not exist or is inactive.")
        callback = body.get("callback_url")
        if callback is not None:
            fault = (
                check_url(
                    callback, allow_private=self._config.allow_private, trusted_origin=self._config.trusted_origin
                )
                if isinstance(callback, str)
                else "must be a string"
            )
            if fault is not None:
                raise _Fault("invalid_request", f"'callback_url' {fault}.")
        if "input" not in body:
            raise _Fault("invalid_request", "'input' is required.")
        if not isinstance(body["input"], dict):
            raise _Fault("invalid_request", "'input' must be an object.")
        asked = cast("dict[str, Any]", body["input"])
        if asked.get("prompt") is None:
            raise _Fault("invalid_request", "'input.prompt' is required.")
        if model == MODEL_EXTEND:
            extension = _parsed(ExtendInput, asked)
            if not extension.prompt.strip():
                raise _Fault("invalid_request", "'input.prompt' must not be empty.")
            await self._extendable(extension.extend_task_id, account)
            # Undocumented price: the sandbox takes what a fast clip costs.
            return PRICES[Mode.FAST], extension.prompt
        create = _parsed(CreateInput, asked)
        broken = rule_violation(create)
        if broken is not None:
            raise _Fault("invalid_request", broken)
        for position, url in enumerate(create.image_urls or (), 1):
            fault = check_url(url, allow_private=self._config.allow_private)
            if fault is not None:
                raise _Fault("invalid_request", f"'input.image_urls' entry {position} {fault}.")
        return PRICES[create.mode or Mode.FAST], create.prompt

    async def _extendable(self, task_id: str, account: str) -> None:
        parent = await self._ledger.get(task_id, account)
        if parent is None:
            raise _Fault("task_not_found", "The task to extend does not exist.")
        if parent.status != "completed":
            raise _Fault("invalid_request", f"The task to extend must be completed; it is {parent.status}.")

    async def _caller(self, request: Request) -> _Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return await self._known(key if scheme.lower() == "bearer" else "", request)

    async def _known(self, key: str, request: Request) -> _Caller:
        rules = self._accounts.rules(key)
        if rules is None:
            raise _Fault("invalid_api_key", "The API key is invalid, disabled or deleted.")
        if not rules.allows(request.client.host if request.client else ""):
            raise _Fault("ip_not_allowed", "The request's IP is not in the key's allowlist.")
        account = await self._ledger.open_account(key, rules.credits)
        if rules.requests_per_second is not None:
            now = self._config.clock()
            wait = self._seen.get(account, 0.0) + 1 / rules.requests_per_second - now
            if wait > 0:
                raise _Fault("rate_limit_exceeded", "Too many requests.", retry_after=math.ceil(wait))
            self._seen[account] = now
        return _Caller(account, rules)

    async def home(self, request: Request) -> Response:
        return await self._page(request)

    async def make(self, request: Request) -> Response:
        if not is_same_origin(request.headers, self._config.base_url()):
            return Response(f"Not charged. Clips are made from the page at {self._config.base_url()}/ only.\n", 403)
        draft = Draft()
        try:
            draft = Draft.parsed(await _raw(request))
            await self._take(draft.body(), await self._known(PAGE_KEY, request))
        except _Fault as fault:
            return await self._page(request, draft, fault)
        return RedirectResponse("/", 303, HEADERS)

    async def _page(self, request: Request, draft: Draft | None = None, fault: _Fault | None = None) -> Response:
        rules = self._accounts.rules(PAGE_KEY) or Rules()
        account = await self._ledger.open_account(PAGE_KEY, rules.credits)
        balance = (await self._ledger.credits(account))["balance"]
        words = f"Not charged. {fault.message}" if fault else ""
        shown = document(self._config.base_url(), await self._ledger.newest(GALLERY), balance, draft=draft, fault=words)
        return HTMLResponse(shown, fault.status if fault else 200, HEADERS)

    async def described(self, _request: Request) -> Response:
        return JSONResponse(describe(__version__))


def _enveloped(data: Any) -> Response:
    return JSONResponse({"code": 200, "msg": "success", "data": data})


def _parsed(model: type[M], asked: dict[str, Any]) -> M:
    try:
        return model.model_validate(asked)
    except ValidationError as error:
        fault = error.errors()[0]
        name = "input." + ".".join(str(part) for part in fault["loc"])
        words = {"missing": "is required", "extra_forbidden": "is not a parameter of this model"}
        raise _Fault("invalid_request", f"'{name}' {words.get(fault['type']) or requirement(fault)}.") from None


async def _raw(request: Request) -> bytes:
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > BODY_LIMIT:
                raise _Fault("invalid_request", "The request body is too large.")
    except ClientDisconnect:
        raise _Fault("invalid_request", "The request body is incomplete.") from None
    return bytes(raw)


async def _body(request: Request) -> dict[str, Any]:
    raw = await _raw(request)
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _Fault("invalid_request", "The request body must be a JSON object.")
    return cast("dict[str, Any]", body)
