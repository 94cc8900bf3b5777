"""A pydantic-ai agent that makes a video with veo-mcp, watches it, extends it, says what it cost, and leaves the film.

Run it where `veo-mcp` is on the PATH. With requirements-tasks.txt installed the same lines use the protocol's Tasks
extension: create_video returns the finished video, and the model never has to ask for it.
"""

import asyncio
import json
import os
import subprocess
from subprocess import PIPE
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from scripted_model import scripted_model


async def show_progress(_progress: float, _total: float | None, message: str | None) -> None:
    print(f"  {message}")


async def show_call(_context: Any, call_tool: Any, name: str, arguments: dict[str, Any]) -> Any:
    answer = await call_tool(name, arguments)
    print(f"{name}: {answer.get('status', answer)}")
    return answer


def save_film() -> None:
    """Saves what was made as one film; the links are good for a while only, and a sandbox's end with its server."""
    listed = subprocess.run(["veo-mcp", "tasks", "list", "--json", "--limit", "1"], stdout=PIPE, text=True, check=True)
    newest = json.loads(listed.stdout)[0]["task_id"]
    saving = ["veo-mcp", "download", newest, "--film", "--out", "videos"]
    print("film:", subprocess.run(saving, stdout=PIPE, text=True, check=True).stdout.strip())


async def main() -> None:
    # The key and the VEO_* settings reach the server through its environment, never through arguments.
    server = StdioTransport("veo-mcp", [], env=dict(os.environ))
    veo = MCPToolset(
        server,
        init_timeout=60,  # the default, 5 s, is short for the first start on a busy machine
        progress_handler=show_progress,
        process_tool_call=show_call,
        include_instructions=True,
    )
    agent = Agent(scripted_model, toolsets=[veo])  # a real one: Agent("anthropic:claude-sonnet-4-5", toolsets=[veo])
    async with agent:
        result = await agent.run("Make me a video of a paper boat at dawn, then let it rain. What did it cost?")
    print(result.output)


if __name__ == "__main__":
    asyncio.run(main())
    save_film()
