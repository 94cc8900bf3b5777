"""The resources: the tasks, the same JSON as the tools give; and two pages that need no API.

Registered by server/build.py. Replaces the SDK's `resources/list`, which knows no pages and forgets no resource, by one
that shows the recent tasks. Never spends and never waits for a task.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from mcp.server.context import HandlerResult, ServerRequestContext
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    Completion,
    CompletionArgument,
    CompletionContext,
    ListResourcesResult,
    PaginatedRequestParams,
    PromptReference,
    ReadResourceRequestParams,
    Resource,
    ResourceTemplateReference,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from veo_mcp.api.models import PRICES, AspectRatio, GenerationType
from veo_mcp.errors import VeoError
from veo_mcp.journal.entry import Entry
from veo_mcp.journal.errors import JournalUnusable
from veo_mcp.server import prompts
from veo_mcp.server.backend import Backend, Unavailable
from veo_mcp.server.results import TaskListView, dump, view
from veo_mcp.server.sdk_compat import handler_of, replace
from veo_mcp.server.text import quoted
from veo_mcp.tasks.errors import RuleViolation, UnknownTask

__all__ = ["NEWEST_URI", "register"]

NEWEST_URI = "veo://tasks"
TEMPLATE = NEWEST_URI + "/{task_id}"
PAGE = 20
COMPLETIONS = 100
"""The most values that the protocol allows in one answer."""
LEGACY_NOT_FOUND = -32002
"""The code of the handshake revisions; the modern one says INVALID_PARAMS, as the SDK does in both."""
JSON = "application/json"
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
        server.completion()(self.completed)

    async def newest(self) -> str:
        page, _ = await self._page(None)
        now = self._clock()
        return _json(TaskListView(tasks=[view(entry, now) for entry in page]))

    async def one(self, task_id: str) -> str:
        try:
            engine = await self._backend.engine()
            entry = await engine.service.get(task_id)
        except UnknownTask:
            raise ResourceNotFoundError("No task with this id exists.") from None
        except VeoError as error:
            raise ResourceError(error.explanation) from None
        except (Unavailable, JournalUnusable) as problem:
            raise ResourceError(str(problem)) from None
        return _json(view(entry, self._clock()))

    async def listed(
        self, _ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """The fixed resources, then the tasks, newest first, in pages."""
        cursor = params.cursor if params else None
        fixed = await self._server.list_resources() if cursor is None else []
        # Pages of hosts come after what people read: some hosts offer the list as things to attach.
        fixed.sort(key=lambda resource: str(resource.uri).startswith("ui:"))
        try:
            entries, following = await self._page(cursor)
        except ResourceError:
            # A backend that cannot be opened says so in the tools; the fixed pages are there all the same.
            entries, following = (), None
        except RuleViolation as fault:
            raise MCPError(INVALID_PARAMS, str(fault)) from None
        return ListResourcesResult(resources=[*fixed, *map(_as_resource, entries)], next_cursor=following)

    async def completed(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion | None:
        """Arguments of prompts, and the ids of recent tasks."""
        del context
        if isinstance(ref, PromptReference):
            return Completion(values=prompts.complete(ref.name, argument.name, argument.value))
        if (ref.uri, argument.name) != (TEMPLATE, "task_id"):
            return None
        try:
            entries, following = await self._page(None, COMPLETIONS)
        except ResourceError:
            return None  # the tools say what is wrong with the backend
        ids = [entry.upstream_id or entry.id for entry in entries]
        return Completion(
            values=[name for name in ids if name.startswith(argument.value)], has_more=following is not None
        )

    async def read(self, ctx: ServerRequestContext[Any, Any], params: ReadResourceRequestParams) -> HandlerResult:
        """Reads as the SDK does, but says "not found" with the code of the caller's era."""
        try:
            return await self._sdk_read(ctx, params)
        except MCPError as error:
            if error.code == INVALID_PARAMS and ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS:
                raise MCPError(LEGACY_NOT_FOUND, error.message, error.data) from None
            raise

    async def _page(self, cursor: str | None, limit: int = PAGE) -> tuple[tuple[Entry, ...], str | None]:
        try:
            engine = await self._backend.engine()
            page = await engine.service.list(limit=limit, cursor=cursor)
        except (Unavailable, JournalUnusable) as problem:
            raise ResourceError(str(problem)) from None
        return page.entries, page.next_cursor


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
        title=quoted(entry.prompt, 80) or shown,
        description=f"{entry.status.value}, {entry.credits} credits",
        mime_type=JSON,
    )


def _json(model: Any) -> str:
    return json.dumps(dump(model), ensure_ascii=False)
