"""An openai-agents agent that makes a video with veo-mcp, watches it, extends it, prices it, and leaves the film.

Run it where `veo-mcp` is on the PATH. The model is scripted, so that it runs without a key.
"""

import asyncio
import json
import os
import subprocess
from subprocess import PIPE
from typing import Any

from agents import Agent, RunHooks, Runner, set_tracing_disabled
from agents.mcp import MCPServerStdio
from scripted_model import ScriptedModel


class ShowCalls(RunHooks[Any]):
    async def on_tool_end(self, _context: Any, _agent: Any, tool: Any, result: Any) -> None:
        print(f"{tool.name}: {result['text'] if isinstance(result, dict) else result}")


def save_film() -> None:
    """Saves what was made as one film; the links are good for a while only, and a sandbox's end with its server."""
    listed = subprocess.run(["veo-mcp", "tasks", "list", "--json", "--limit", "1"], stdout=PIPE, text=True, check=True)
    newest = json.loads(listed.stdout)[0]["task_id"]
    saving = ["veo-mcp", "download", newest, "--film", "--out", "videos"]
    print("film:", subprocess.run(saving, stdout=PIPE, text=True, check=True).stdout.strip())


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
    save_film()
