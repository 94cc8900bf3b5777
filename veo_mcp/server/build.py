"""Puts the MCP server together: tools, resources, prompts and instructions over one backend.

Called by app.py and by tests. `VeoServer` is the SDK's server with our own words for arguments that do not fit.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from mcp_types import Tool as ListedTool
from pydantic import ValidationError

from veo_mcp import __version__
from veo_mcp.api.models import PRICES, Mode
from veo_mcp.server import prompts, resources
from veo_mcp.server.backend import Backend
from veo_mcp.server.caller import CREATE, may_create
from veo_mcp.server.confirm import keep_state
from veo_mcp.server.messages.errors import crashed, tool_error, validation_error
from veo_mcp.server.messages.task import charge_words
from veo_mcp.server.notifications import Announcer
from veo_mcp.server.panel import CARD_TOOL_META, advertise_to_legacy, client_supports_apps, panel
from veo_mcp.server.request_state import SealedState
from veo_mcp.server.schema import tidy
from veo_mcp.server.sdk_compat import input_schema, replace
from veo_mcp.server.tasks_extension import SPENDING, JournalTasks, TasksExtension, TaskSource
from veo_mcp.server.tools import Tools

__all__ = ["VeoServer", "build_server", "instructions"]

log = logging.getLogger(__name__)

INSTRUCTIONS = (
    "Veo 3.1 videos: create_video starts one (8 s, with sound; fast 40 credits, quality 300), extend_video continues a "
    "completed one (about 40), get_task shows one, list_tasks all of them, get_credits the balance. If the person is "
    "waiting, call get_task with wait_seconds=45; otherwise end your turn and tell them to ask later. Tell the price "
    "and ask before quality or several videos. An unknown outcome is not sent again unasked: tell the person, who "
    "can settle it. A failed video is refunded; ask before another try. Nothing can be cancelled. Always show the "
    "video's URL."
)
READ_ONLY = (
    "Shows Veo 3.1 videos that were made elsewhere: get_task shows one, list_tasks all of them, get_credits the "
    "balance. This server is read-only and starts none. Always show the video's URL."
)
LIMIT = " At most {} credits may be spent in any 24 h."
SANDBOX = (
    " SANDBOX: clips are drawn without an AI model and credits are not real; say so. A key in VEO_API_KEY leaves it."
)


class VeoServer(MCPServer[None]):
    """The SDK's server, but with our messages for arguments that do not fit, in both eras.

    Attributes:
        confirm_above: a call that costs more credits than this is confirmed by the person first.
        backend: where the engine is or will be.
        sandbox: whether the credits are known to be a sandbox's.
        takes_files: whether pictures of this machine may be named.
        of_the_card: the names of the tools that the card alone may call.
        request_state: seals what a question carries along.
    """

    confirm_above: int = 100
    backend: Backend
    request_state: SealedState
    sandbox: bool = False
    takes_files: bool = False
    of_the_card: frozenset[str] = frozenset()

    async def list_tools(self) -> list[ListedTool]:
        """The tools that every client sees."""
        return [tool for tool in await super().list_tools() if tool.meta != CARD_TOOL_META]

    async def listed(
        self, ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """Answers `tools/list`: the card's own tools are there for clients that can show the card."""
        del params
        return ListToolsResult(
            tools=await super().list_tools() if client_supports_apps(ctx) else await self.list_tools()
        )

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Calls a tool; arguments that do not fit and crashes become results with our messages."""
        if name in SPENDING and context is not None and not may_create(context.request_context):
            return tool_error(f"This token may look but not spend: it lacks the scope {CREATE}. Not charged.")
        try:
            if name in self.of_the_card and not (context is not None and client_supports_apps(context)):
                raise ToolError(f"Unknown tool: {name}")
            return await super().call_tool(name, tidy(arguments, input_schema(self, name)), context)
        except ToolError as error:
            names = [tool.name for tool in await self.list_tools()]
            if name not in names and error.__cause__ is None:
                why = "This server is read-only" if name in SPENDING else "There is no tool of this name"
                if re.search(r"cancel|abort|stop|delete|remove", name, re.IGNORECASE):
                    why = "A started video cannot be cancelled or deleted here, and what it cost stays charged"
                    return tool_error(f"{why}. This call did nothing. Not charged. The tools are {', '.join(names)}.")
                return tool_error(f"{why}. Not charged. The tools are {', '.join(names)}.")
            if isinstance(error.__cause__, ValidationError):
                return validation_error(name, error.__cause__, input_schema(self, name))
            if isinstance(error.__cause__, ToolError):
                # The SDK's, before the tool itself began: our tools raise none.
                return tool_error("The question about the credits was not answered as asked. Not charged. Ask again.")
            log.error("Tool %s crashed", name, exc_info=error.__cause__ or error)
            # Not while it was sent: our tools turn that into a result of their own.
            price = PRICES[Mode.QUALITY if arguments.get("mode") == Mode.QUALITY else Mode.FAST]
            estimated = name == "extend_video"
            spends = "unknown" if name in SPENDING else "no"
            return crashed(charge_words(spends, price, estimated=estimated, sandbox=self.sandbox))

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
        fault = prompts.fault(name, given, takes_files=self.takes_files)
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
    max_credits: int | None = None,
    video_hosts: tuple[str, ...] = (),
    log_level: Any = "WARNING",
    takes_files: bool = False,
    tasks: TaskSource | None = None,
    clock: Callable[[], float] = time.time,
) -> VeoServer:
    """The MCP server over a backend that may still be opening.

    `takes_files`: whether pictures of this machine may be named; `tasks` stands in for the journal's videos.
    """
    tools = Tools(backend, clock=clock, takes_files=takes_files)
    # A read-only server's card looks and does nothing else.
    of_the_card: list[Tool] = [] if read_only else tools.of_the_card()
    announcer, request_state = announcer or Announcer(), SealedState(backend)
    server = VeoServer(
        "veo-mcp",
        title="Veo 3.1 videos",
        version=__version__,
        instructions=instructions(read_only=read_only, max_credits=max_credits, sandbox=sandbox),
        tools=[*tools.all(read_only=read_only), *of_the_card],
        log_level=log_level,
        subscriptions=announcer.bus,
        request_state_security=request_state.security,
        extensions=[
            TasksExtension(tasks or JournalTasks(backend, clock=clock)),
            panel(backend, video_hosts=video_hosts, read_only=read_only),
        ],
    )
    server.confirm_above, server.backend, server.sandbox, server.request_state = (
        confirm_above,
        backend,
        sandbox,
        request_state,
    )
    server.takes_files = takes_files
    server.of_the_card = frozenset(tool.name for tool in of_the_card)
    replace(server, "tools/list", PaginatedRequestParams, server.listed)
    # First of all, outside the SDK's own: inside its seal every confirmation of the same call looks alike.
    server.middleware[:0] = [keep_state, request_state.middleware]
    server.middleware.append(advertise_to_legacy)
    announcer.attach(server, backend)
    resources.register(server, backend, clock=clock)
    if not read_only:  # each of them ends in a create
        prompts.register(server, takes_files=takes_files)
    return server


def instructions(*, read_only: bool, max_credits: int | None, sandbox: bool) -> str:
    """What hosts show their model of the whole server, where they do."""
    limit = LIMIT.format(max_credits) if max_credits is not None and not read_only else ""
    return (READ_ONLY if read_only else INSTRUCTIONS) + limit + (SANDBOX if sandbox else "")
