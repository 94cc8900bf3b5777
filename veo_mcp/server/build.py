"""Puts the MCP face together: tools, resources, prompts and instructions over one backend.

Called by app.py and by tests. `VeoServer` is the SDK's server with our own words for arguments that do not fit.
"""

import logging
import time
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from pydantic import ValidationError

from veo_mcp import __version__
from veo_mcp.api.models import PRICES, Mode
from veo_mcp.server import prompts, resources
from veo_mcp.server.backend import Backend
from veo_mcp.server.confirm import keep_state
from veo_mcp.server.notifications import Announcer
from veo_mcp.server.panel import advertise_to_legacy, panel
from veo_mcp.server.sdk_compat import input_schema
from veo_mcp.server.tasks_extension import SPENDING, JournalTasks, TasksExtension, TaskSource
from veo_mcp.server.text import charge_words
from veo_mcp.server.tool_errors import tool_error, validation_error
from veo_mcp.server.tools import Tools

__all__ = ["VeoServer", "build_server"]

log = logging.getLogger(__name__)

INSTRUCTIONS = (
    "Makes Veo 3.1 videos (8 s, with sound). create_video answers at once with a task_id and spends 40 (fast) or 300 "
    "(quality) credits; a video takes minutes, so go on talking and call get_task later. Confirm the price with the "
    "person before quality. extend_video continues a completed video. Always show the video URL."
)
READ_ONLY = (
    "Shows Veo 3.1 videos (8 s, with sound) that were made elsewhere; this server is read-only and starts none. "
    "get_task and list_tasks show how they are doing. Always show the video URL."
)
SANDBOX = " SANDBOX: clips are drawn without an AI model, credits are not real; say so."


class VeoServer(MCPServer[None]):
    """The SDK's server, except that what does not fit is said in our own words, in both eras.

    Attributes:
        confirm_above: a call that costs more credits than this is confirmed by the person first.
    """

    confirm_above: int = 100

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Calls a tool; arguments that do not fit and crashes become results in our own words."""
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            names = [tool.name for tool in await self.list_tools()]
            if name not in names:
                why = "This server is read-only" if name in SPENDING else "There is no tool of this name"
                return tool_error(f"{why}. Not charged. The tools are {', '.join(names)}.")
            if isinstance(error.__cause__, ValidationError):
                return validation_error(name, error.__cause__, input_schema(self, name))
            if isinstance(error.__cause__, ToolError):
                # The SDK's, before the tool itself began: our tools raise none.
                return tool_error("The question about the credits was not answered as asked. Not charged. Ask again.")
            log.exception("Tool %s crashed", name)
            price = PRICES[Mode.QUALITY if arguments.get("mode") == Mode.QUALITY else Mode.FAST]
            money = charge_words("unknown" if name in SPENDING else "no", price)
            return tool_error(
                f"veo-mcp hit an error of its own; its log has the details. {money} Look at list_tasks before anything "
                "is paid for again: it shows whether a video was started."
            )

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[None, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Gets a prompt; what the SDK would call an internal error, is a message that says what to change."""
        wanted = next((prompt for prompt in await self.list_prompts() if prompt.name == name), None)
        if wanted is None:
            raise MCPError(INVALID_PARAMS, "There is no prompt of this name. prompts/list has their names.")
        given, taken = arguments or {}, wanted.arguments or []
        missing = [argument.name for argument in taken if argument.required and not given.get(argument.name)]
        if missing:
            raise MCPError(INVALID_PARAMS, f"The prompt {name} needs {', '.join(missing)}.")
        known = [argument.name for argument in taken]
        if given.keys() - set(known):
            raise MCPError(INVALID_PARAMS, f"The prompt {name} takes {', '.join(known)}, and nothing else.")
        fault = prompts.fault(name, given)
        if fault is not None:
            raise MCPError(INVALID_PARAMS, fault)
        return await super().get_prompt(name, arguments, context)


def build_server(
    backend: Backend,
    *,
    sandbox: bool,
    announcer: Announcer | None = None,
    read_only: bool = False,
    confirm_above: int = 100,
    video_hosts: tuple[str, ...] = (),
    log_level: Any = "WARNING",
    tasks: TaskSource | None = None,
) -> VeoServer:
    """The MCP server over a backend that may still be opening; `tasks` stands in for the journal's videos."""
    tools = Tools(backend)
    announcer = announcer or Announcer()
    server = VeoServer(
        "veo-mcp",
        title="Veo 3.1 videos",
        version=__version__,
        instructions=(READ_ONLY if read_only else INSTRUCTIONS) + (SANDBOX if sandbox else ""),
        tools=tools.all(read_only=read_only),
        log_level=log_level,
        subscriptions=announcer.bus,
        extensions=[
            TasksExtension(tasks or JournalTasks(backend, clock=time.time)),
            panel(backend, video_hosts=video_hosts, read_only=read_only),
        ],
    )
    server.confirm_above = confirm_above
    # First of all, outside the SDK's own: inside its seal every confirmation of the same call looks alike.
    server.middleware.insert(0, keep_state)
    server.middleware.append(advertise_to_legacy)
    announcer.attach(server)
    resources.register(server, backend)
    if not read_only:  # each of them ends in a create
        prompts.register(server)
    return server
