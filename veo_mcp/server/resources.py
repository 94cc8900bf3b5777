"""The resources: the tasks, the same JSON as the tools give; and two pages that need no API.

Registered by server/build.py. Replaces the SDK's `resources/list`, which knows no pages and forgets no resource, by one
that shows the recent tasks. Never spends and never waits for a task.
"""

import json
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    ListResourcesResult,
    PaginatedRequestParams,
    PromptReference,
    ReadResourceRequestParams,
    Resource,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from veo_mcp.api.models import PRICES, AspectRatio, GenerationType
from veo_mcp.errors import UnknownTask, VeoMcpError, WrongCursor
from veo_mcp.journal.entry import Entry
from veo_mcp.server import prompts
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import account_of
from veo_mcp.server.results import list_result, task_result
from veo_mcp.server.sdk_compat import handler_of, replace
from veo_mcp.text import clean

__all__ = ["NEWEST_URI", "register"]

NEWEST_URI = "veo://tasks"
TEMPLATE = NEWEST_URI + "/{task_id}"
PAGE = 20
COMPLETIONS = 100
"""The most values that the protocol allows in one answer."""
LEGACY_NOT_FOUND = -32002
"""The code of the handshake revisions; the modern one says INVALID_PARAMS, as the SDK does in both."""
JSON = "application/json"
# The request that is being read for: the SDK tells resources whose URI has no variable nothing about it.
_reading: ContextVar[ServerRequestContext[Any, Any]] = ContextVar("reading")
RULES = [
    "TEXT_2_VIDEO is the default without images.",
    "FIRST_AND_LAST_FRAMES_2_VIDEO takes one image (first frame) or two (first and last); the default with images.",
    "REFERENCE_2_VIDEO takes one to three images and works in mode fast only.",
    "seeds is a whole number from 10000 to 99999.",
    "Only a completed video can be extended. What that costs is not documented; the estimate is the fast price.",
    "A failed video is refunded.",
]


def register(server: MCPServer[None], backend: Backend, *, clock: Callable[[], float] = time.time) -> None:
    """Adds the resources, their list and their completion to the server."""
    _Resources(server, backend, clock)


class _Resources:
    def __init__(self, server: MCPServer[None], backend: Backend, clock: Callable[[], float]) -> None:
        self._server = server
        self._backend = backend
        self._clock = clock
        add = server.resource
        add(
            NEWEST_URI,
            name="tasks",
            title="Newest video tasks",
            description="The newest video tasks with status, price and URLs",
            mime_type=JSON,
        )(self.newest)
        add(
            TEMPLATE,
            name="task",
            title="A video task",
            description="One video task with status, price and URL; subscribe to be notified of changes",
            mime_type=JSON,
        )(self.one)
        add(
            "veo://models",
            name="models",
            title="Modes, prices and rules",
            description="What can be asked for and what it costs",
            mime_type=JSON,
        )(models)
        add(
            "veo://guide",
            name="guide",
            title="Writing for Veo 3.1",
            description="How to write a prompt: camera, light, sound, images, several shots",
            mime_type="text/markdown",
        )(prompts.guide)
        replace(server, "resources/list", PaginatedRequestParams, self.listed)
        self._sdk_read = handler_of(server, "resources/read")
        replace(server, "resources/read", ReadResourceRequestParams, self.read)
        # Not through the SDK's decorator, whose handler does not learn who asks.
        replace(server, "completion/complete", CompleteRequestParams, self.completed)

    async def newest(self) -> str:
        ctx = _reading.get()
        page, following = await self._page(ctx, None)
        try:
            engine = await self._backend.engine()
            account = await account_of(ctx, engine)
            spent = await engine.budget.spent(account)
        except VeoMcpError as error:
            raise resource_error(error) from None
        # A resource has no pages: what follows is the tool's to list.
        del following
        listed = list_result(page, None, self._clock(), status=None, paged=False, spent=spent, sandbox=account.sandbox)
        return _json(listed.structured_content or {})

    async def one(self, task_id: str, ctx: Context) -> str:
        try:
            engine = await self._backend.engine()
            account = await account_of(ctx.request_context, engine)
            entry = await engine.reader.get(account, task_id)
            context = await engine.contexts.of(account, entry)
        except VeoMcpError as error:
            raise resource_error(error) from None
        return _json(task_result(entry, self._clock(), context).structured_content or {})

    async def listed(
        self, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """The fixed resources, then the tasks, newest first, in pages."""
        cursor = params.cursor if params else None
        fixed = await self._server.list_resources() if cursor is None else []
        # Pages of hosts come after what people read: some hosts offer the list as things to attach.
        fixed.sort(key=lambda resource: str(resource.uri).startswith("ui:"))
        try:
            entries, following = await self._page(ctx, cursor)
        except WrongCursor as fault:
            raise MCPError(INVALID_PARAMS, fault.explanation) from None
        except ResourceError:
            # A backend that cannot be opened says so in the tools; the fixed pages are there all the same.
            entries, following = (), None
        return ListResourcesResult(resources=[*fixed, *map(_as_resource, entries)], next_cursor=following)

    async def completed(self, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> CompleteResult:
        """Arguments of prompts, and the ids of the caller's recent tasks."""
        ref, argument = params.ref, params.argument
        if isinstance(ref, PromptReference):
            return _completion(prompts.complete(ref.name, argument.name, argument.value))
        if (ref.uri, argument.name) != (TEMPLATE, "task_id"):
            return _completion([])
        try:
            entries, following = await self._page(ctx, None, COMPLETIONS)
        except ResourceError:
            return _completion([])  # the tools say what is wrong with the backend
        ids = [entry.upstream_id or entry.id for entry in entries]
        return _completion([name for name in ids if name.startswith(argument.value)], more=following is not None)

    async def read(self, ctx: ServerRequestContext[Any, Any], params: ReadResourceRequestParams) -> HandlerResult:
        """Reads as the SDK does, but says "not found" with the code of the caller's era."""
        token = _reading.set(ctx)
        try:
            return await self._sdk_read(ctx, params)
        except MCPError as error:
            if error.code == INVALID_PARAMS and ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
                raise MCPError(LEGACY_NOT_FOUND, error.message, error.data) from None
            raise
        finally:
            _reading.reset(token)

    async def _page(
        self, ctx: ServerRequestContext[Any, Any], cursor: str | None, limit: int = PAGE
    ) -> tuple[tuple[Entry, ...], str | None]:
        try:
            engine = await self._backend.engine()
            page = await engine.reader.list(await account_of(ctx, engine), limit=limit, cursor=cursor)
        except WrongCursor:
            raise
        except VeoMcpError as error:
            raise resource_error(error) from None
        return page.entries, page.next_cursor


def resource_error(error: VeoMcpError) -> ResourceError:
    """Any error of ours as the answer to a read of a resource; none of them spends."""
    if isinstance(error, UnknownTask):
        return ResourceNotFoundError("No task with this id exists.")
    return ResourceError(error.explanation)


def _completion(values: list[str], *, more: bool | None = None) -> CompleteResult:
    return CompleteResult(completion=Completion(values=values, has_more=more))


def models() -> str:
    """Modes with their prices, ratios, generation types and rules, as JSON."""
    return json.dumps(
        {
            "modes": {mode.value: {"credits": price, "usd": price * 0.005} for mode, price in PRICES.items()},
            "aspect_ratios": [ratio.value for ratio in AspectRatio],
            "generation_types": [kind.value for kind in GenerationType],
            "seconds": 8,
            "resolution": "720p",
            "rules": RULES,
        }
    )


def _as_resource(entry: Entry) -> Resource:
    shown = entry.upstream_id or entry.id
    return Resource(
        uri=f"{NEWEST_URI}/{shown}",
        name=shown,
        title=clean(entry.prompt, 80) or shown,
        description=f"{entry.status.value}, {entry.credits} credits",
        mime_type=JSON,
    )


def _json(data: dict[str, Any]) -> str:
    return json.dumps({name: value for name, value in data.items() if value is not None}, ensure_ascii=False)
