"""`/metrics` for Prometheus: calls by the names of OpenTelemetry's conventions for MCP, and our own.

Made by app.py for HTTP alone; fed by a middleware of the server, by the API's transport and by the callbacks' route.
Labels come from fixed lists: never a prompt, a key, an id, a principal or any other text of a client's.
"""

import time
from collections.abc import Callable
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from veo_mcp import __version__, telemetry
from veo_mcp.api.account import Caller
from veo_mcp.errors import VeoMcpError
from veo_mcp.journal.entry import Status
from veo_mcp.server.backend import Backend
from veo_mcp.tasks.engine import Engine

__all__ = ["Metrics"]

METHODS = frozenset(
    {
        *("initialize", "ping", "server/discover", "tools/list", "tools/call", "prompts/list", "prompts/get"),
        *("resources/list", "resources/read", "resources/templates/list", "resources/subscribe"),
        *("resources/unsubscribe", "subscriptions/listen", "completion/complete", "logging/setLevel"),
        *("tasks/get", "tasks/update", "tasks/cancel", "notifications/initialized", "notifications/cancelled"),
    }
)
TOOLS = frozenset({"create_video", "extend_video", "get_task", "list_tasks", "get_credits"})
VERSIONS = frozenset({*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS})
SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
"""The buckets that the conventions advise."""
OTHER = "_OTHER"


class Metrics:
    """The metrics of one server; a registry of its own, so that two servers in one process do not mix.

    Args:
        backend: where the engine is or will be.
        clock: Unix seconds now.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._monotonic = monotonic
        self._registry = registry = CollectorRegistry()
        self._operations = Histogram(
            "mcp_server_operation_duration_seconds",
            "How long messages took, by method and tool.",
            ("mcp_method_name", "gen_ai_tool_name", "error_type", "network_transport", "mcp_protocol_version"),
            buckets=SECONDS,
            registry=registry,
        )
        self._upstream = Histogram(
            "veo_upstream_request_duration_seconds",
            "How long the Veo API took, by operation and outcome (a status, or none).",
            ("operation", "outcome"),
            buckets=SECONDS,
            registry=registry,
        )
        self._callbacks = Counter("veo_callbacks", "Callbacks that came, by result.", ("result",), registry=registry)
        self._changes = Counter("veo_task_changes", "Changes of tasks, by new status.", ("status",), registry=registry)
        self._credits = Gauge("veo_credits_spent_24h", "Credits of the last 24 h, as limits count.", registry=registry)
        self._lag = Gauge("veo_poll_lag_seconds", "Since the poller's last round began.", registry=registry)
        self._up = Gauge("veo_ready", "Whether the journal and the engine are open.", registry=registry)
        info = Gauge("veo_build_info", "Always 1.", ("version",), registry=registry)
        info.labels(__version__).set(1)
        for status in Status:
            self._changes.labels(status.value)

    async def middleware(self, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
        """Times every message that is handled, and gives its log lines the id of its request."""
        request = ctx.request
        if isinstance(request, HTTPConnection):
            telemetry.request_id.set(request.scope.get("veo.request_id"))
        began, error = self._monotonic(), ""
        try:
            result = await call_next(ctx)
            match result:
                case CallToolResult(is_error=True) | {"isError": True}:
                    error = "tool_error"
                case _:
                    pass
            return result
        except MCPError as refused:
            error = str(refused.error.code)
            raise
        except BaseException as failure:
            error = type(failure).__qualname__
            raise
        finally:
            name = (ctx.params or {}).get("name") if ctx.method == "tools/call" else ""
            tool = (name if name in TOOLS else OTHER) if name else ""
            method = ctx.method if ctx.method in METHODS else OTHER
            version = ctx.protocol_version if ctx.protocol_version in VERSIONS else OTHER
            self._operations.labels(method, tool, error, "tcp", version).observe(self._monotonic() - began)

    def upstream(self, operation: str, outcome: str, seconds: float) -> None:
        """Counts one request to the API."""
        self._upstream.labels(operation, outcome).observe(seconds)

    def callback(self, status: int) -> None:
        """Counts one callback by what it was answered."""
        known = {204: "taken", 404: "forged", 413: "too_large", 408: "too_slow", 503: "not_ready"}
        self._callbacks.labels(known.get(status, "broken")).inc()

    async def follow(self, engine: Engine) -> None:
        """Counts the changes of tasks, indefinitely."""
        async with engine.journal.changes() as feed:
            async for entry in feed:
                self._changes.labels(entry.status.value).inc()

    async def scrape(self, _request: Request) -> Response:
        """`/metrics`."""
        engine = self._backend.engine_now
        self._up.set(engine is not None)
        if engine is not None:
            now = self._clock()
            if engine.poller.last_round_at:
                self._lag.set(max(0.0, now - engine.poller.last_round_at))
            try:
                account = await engine.accounts.account(Caller(principal=""))
                self._credits.set((await engine.journal.spent(account, now=now)).total)
            except VeoMcpError:
                self._up.set(0)  # the journal's trouble; /readyz has the words
        return Response(generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
