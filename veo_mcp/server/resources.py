"""The resources: `veo://tasks` and `veo://tasks/{task_id}`, the same JSON as the tools give.

Registered by server/build.py. Reads the journal through the service; never spends and never waits.
"""

import json
import time
from collections.abc import Callable

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from veo_mcp.api.errors import VeoError
from veo_mcp.journal.errors import JournalUnusable
from veo_mcp.server.backend import Backend, Unavailable
from veo_mcp.server.views import TaskListView, dump, view
from veo_mcp.tasks.outcomes import UnknownTask

__all__ = ["NEWEST_URI", "register"]

NEWEST_URI = "veo://tasks"
NEWEST = 20


def register(server: MCPServer[None], backend: Backend, *, clock: Callable[[], float] = time.time) -> None:
    """Adds the resources to the server."""

    async def newest() -> str:
        try:
            engine = await backend.engine()
            page = await engine.service.list(limit=NEWEST)
        except (Unavailable, JournalUnusable) as problem:
            raise ResourceError(str(problem)) from None
        now = clock()
        rows = [view(entry, now) for entry in page.entries]
        return json.dumps(dump(TaskListView(tasks=rows, next_cursor=page.next_cursor)), ensure_ascii=False)

    async def one(task_id: str) -> str:
        try:
            engine = await backend.engine()
            entry = await engine.service.get(task_id)
        except UnknownTask:
            raise ResourceNotFoundError("No task with this id exists.") from None
        except VeoError as error:
            raise ResourceError(error.sentence) from None
        except (Unavailable, JournalUnusable) as problem:
            raise ResourceError(str(problem)) from None
        return json.dumps(dump(view(entry, clock())), ensure_ascii=False)

    server.resource(
        NEWEST_URI,
        name="tasks",
        title="Newest video tasks",
        description="The newest video tasks with status, price and URLs",
        mime_type="application/json",
    )(newest)
    server.resource(
        NEWEST_URI + "/{task_id}",
        name="task",
        title="A video task",
        description="One video task with status, price and URL; subscribe to be told of changes",
        mime_type="application/json",
    )(one)
