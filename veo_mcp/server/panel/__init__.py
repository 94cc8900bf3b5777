"""The card in the chat (MCP Apps): one HTML page, built from panel/ at the top of the repository.

Registered by server/build.py. The page follows its task with `get_task` by itself. What it may play is said twice when
it is read: to the host, as a content security policy, and to the page. Hosts without Apps never see any of this.
"""

import json
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any, cast

import anyio
from mcp.server.apps import (
    APP_MIME_TYPE,
    EXTENSION_ID,
    Apps,
    ResourceCsp,
    ResourcePermissions,
    client_supports_apps,
)
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver.resources import Resource
from pydantic import PrivateAttr

from veo_mcp.api.models import PRICES
from veo_mcp.errors import VeoMcpError
from veo_mcp.server.backend import Backend

__all__ = ["CARD_TOOL_META", "PANEL_META", "PANEL_URI", "advertise_to_legacy", "client_supports_apps", "panel"]

PANEL_URI = "ui://veo/panel"
PANEL_META: dict[str, Any] = {"ui": {"resourceUri": PANEL_URI}}
"""What a tool carries whose result the card can show."""
CARD_TOOL_META: dict[str, Any] = {"ui": {"resourceUri": PANEL_URI, "visibility": ["app"]}}
"""What a tool carries that the card alone may call: hosts keep it from their model."""
PLACE = '<script type="application/json" id="config">{}</script>'
POLICY_PLACE = "media-src 'none'"
"""In the page's own policy, the place for whom it may play videos from."""
ASKING_SECONDS = 3.0
Origins = Callable[[], Awaitable[list[str]]]


def panel(backend: Backend, *, video_hosts: tuple[str, ...], read_only: bool) -> Apps:
    """The Apps extension with the card as its one page."""

    async def origins() -> list[str]:
        sandbox = await _sandbox_origin(backend)
        return [*video_hosts, *([sandbox] if sandbox else [])]

    apps = Apps()
    apps.add_resource(_Page.over(origins, read_only=read_only))
    return apps


async def advertise_to_legacy(ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:
    """Middleware: the SDK drops `capabilities.extensions` from the legacy handshake, where hosts look for Apps."""
    result = await call_next(ctx)
    if ctx.method == "initialize" and isinstance(result, dict):
        shape = cast("dict[str, Any]", result)
        return {**shape, "capabilities": {**shape["capabilities"], "extensions": {EXTENSION_ID: {}}}}
    return result


class _Page(Resource):
    """The page; whom it may load videos from is known only once the backend is open, so it is asked at each read."""

    _origins: Origins = PrivateAttr()
    _read_only: bool = PrivateAttr()

    @classmethod
    def over(cls, origins: Origins, *, read_only: bool) -> "_Page":
        page = cls(
            uri=PANEL_URI,
            name="panel",
            title="Video card",
            description="The card that shows a video task in the chat",
            mime_type=APP_MIME_TYPE,
        )
        page._origins, page._read_only = origins, read_only
        return page

    async def read(self) -> str:
        origins = await self._origins()
        # The SDK reads `meta` after the content, so what is set here is what the host gets with it.
        self.meta = {
            "ui": {
                "csp": ResourceCsp(resource_domains=origins).model_dump(by_alias=True, exclude_none=True),
                "permissions": ResourcePermissions(clipboard_write={}).model_dump(by_alias=True, exclude_none=True),
                "prefersBorder": False,
            }
        }
        config: dict[str, Any] = {"origins": origins}
        if not self._read_only:
            config["prices"] = {mode.value: price for mode, price in PRICES.items()}
        # A setting must not be able to close the element that it is written into.
        data = json.dumps(config).replace("<", "\\u003c")
        html = _html().replace(PLACE, PLACE.replace("{}", data), 1)
        # Origins are checked when the settings are read; an attribute that one could close would be no policy.
        return html.replace(POLICY_PLACE, f"media-src {' '.join(origins)}", 1) if origins else html


def _html() -> str:
    return (resources.files("veo_mcp.server.panel") / "panel.html").read_text("utf-8")


async def _sandbox_origin(backend: Backend) -> str | None:
    # Hosts fetch the page while they connect: an API that does not answer must not hold that up.
    with anyio.move_on_after(ASKING_SECONDS):
        try:
            engine = await backend.engine()
            return await engine.accounts.sandbox_origin()
        except VeoMcpError:
            pass
    return None
