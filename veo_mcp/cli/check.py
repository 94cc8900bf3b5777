"""`veo-mcp check`: configuration, key, balance, journal and tools, one line each.

Called by cli/main.py. Works on the same journal and settings as the server. Never spends.
"""

import json
from hashlib import sha256

import anyio

from veo_mcp.app import SandboxMissing, open_from
from veo_mcp.cli.terminal import err, out
from veo_mcp.errors import VeoError
from veo_mcp.journal.errors import JournalUnusable
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.settings import Settings
from veo_mcp.tasks.engine import Engine
from veo_mcp.web.routes import NotLoopback, only_loopback

__all__ = ["check"]


def check(settings: Settings) -> int:
    """Prints a line for each part; 0 if all is well, 1 if anything is not."""

    async def look() -> int:
        faults = list(settings.problems)
        if settings.transport != "stdio":
            try:
                only_loopback(settings.host)
            except NotLoopback as refusal:
                faults.append(str(refusal))
        try:
            async with open_from(settings) as engine:
                out.print(f"journal   {settings.journal}: usable", highlight=False, soft_wrap=True)
                if not settings.problems:  # a key that is known to be wrong is not sent anywhere
                    faults += await _ask_balance(engine)
        except* (JournalUnusable, SandboxMissing) as group:
            faults.append(str(group.exceptions[0]))
        for fault in faults:
            err.print(f"failed    {fault}", style="red", highlight=False, soft_wrap=True)
        tools = await build_server(Backend(), sandbox=settings.embedded, read_only=settings.read_only).list_tools()
        listed = json.dumps([tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools])
        out.print(f"tools     {len(tools)}, sha256 {sha256(listed.encode()).hexdigest()[:16]}", highlight=False)
        return 1 if faults else 0

    return anyio.run(look)


async def _ask_balance(engine: Engine) -> list[str]:
    """Prints the API and the balance; what went wrong."""
    try:
        credits, sandbox = await engine.service.credits()
    except VeoError as error:
        return [error.explanation]
    kind = "SANDBOX" if sandbox else "real"
    out.print(f"API       {await engine.service.api_name()} ({kind})", highlight=False)
    out.print(f"credits   {credits.balance}", highlight=False)
    return []
