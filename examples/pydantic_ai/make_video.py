"""A pydantic-ai agent that makes a video with veo-mcp, watches it, extends it, and says what it cost.

Run it where `veo-mcp` is on the PATH. With requirements-tasks.txt installed the same lines use the protocol's Tasks
extension: create_video returns the finished video, and the model never has to ask for it.
"""

import asyncio
import os
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
