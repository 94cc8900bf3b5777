"""A Google ADK agent that makes a video with veo-mcp, watches it, extends it, says what it cost, and leaves the film.

Run it where `veo-mcp` is on the PATH. The model is scripted, so that it runs without a key.
"""

import asyncio
import json
import os
import subprocess
from subprocess import PIPE

from google.adk.agents import LlmAgent
from google.adk.runners import InMemoryRunner
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from mcp import StdioServerParameters
from scripted_model import ScriptedModel


async def show_progress(_progress: float, _total: float | None, message: str | None) -> None:
    print(f"  {message}")


def save_film() -> None:
    """Saves what was made as one film; the links are good for a while only, and a sandbox's end with its server."""
    listed = subprocess.run(["veo-mcp", "tasks", "list", "--json", "--limit", "1"], stdout=PIPE, text=True, check=True)
    newest = json.loads(listed.stdout)[0]["task_id"]
    saving = ["veo-mcp", "download", newest, "--film", "--out", "videos"]
    print("film:", subprocess.run(saving, stdout=PIPE, text=True, check=True).stdout.strip())


async def main() -> None:
    veo = McpToolset(
        connection_params=StdioConnectionParams(
            # The key and the VEO_* settings reach the server through its environment, never through arguments.
            server_params=StdioServerParameters(command="veo-mcp", env=dict(os.environ)),
            # Also how long a tool may take. The default is 5 s; get_task waits up to 50 s.
            timeout=60,
        ),
        progress_callback=show_progress,
    )
    agent = LlmAgent(
        name="director",
        instruction="You make videos. Say the price first.",
        model=ScriptedModel(model="scripted"),  # a real one: model="gemini-3.5-flash"
        tools=[veo],
    )
    async with InMemoryRunner(agent) as runner:
        request = "Make me a video of a paper boat at dawn, then let it rain. What did it cost?"
        await runner.run_debug(request, verbose=True)  # shows each tool call and its answer


if __name__ == "__main__":
    asyncio.run(main())
    save_film()
