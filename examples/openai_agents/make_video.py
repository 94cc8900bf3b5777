"""An openai-agents agent that makes a video with veo-mcp, watches it, extends it, and says what it cost.

Run it where `veo-mcp` is on the PATH. The model is scripted, so that it runs without a key.
"""

import asyncio
import os
from typing import Any

from agents import Agent, RunHooks, Runner, set_tracing_disabled
from agents.mcp import MCPServerStdio
from scripted_model import ScriptedModel


class ShowCalls(RunHooks[Any]):
    async def on_tool_end(self, _context: Any, _agent: Any, tool: Any, result: Any) -> None:
        print(f"{tool.name}: {result['text'] if isinstance(result, dict) else result}")


async def main() -> None:
    set_tracing_disabled(True)  # traces go to OpenAI and want a key
    server = MCPServerStdio(
        # The key and the VEO_* settings reach the server through its environment, never through arguments.
        {"command": "veo-mcp", "env": dict(os.environ)},
        # The default is 5 s, less than it takes to wait for a video: get_task waits up to 50 s.
        client_session_timeout_seconds=60,
    )
    async with server as veo:
        agent = Agent(
            name="director",
            instructions="You make videos. Say the price first.",
            model=ScriptedModel(),  # a real one: leave this line out and set OPENAI_API_KEY
            mcp_servers=[veo],
        )
        request = "Make me a video of a paper boat at dawn, then let it rain. What did it cost?"
        result = await Runner.run(agent, request, hooks=ShowCalls(), max_turns=30)
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
