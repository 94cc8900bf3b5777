"""A LangChain agent that makes a video with veo-mcp, watches it, extends it, says what it cost, and leaves the film.

Run it where `veo-mcp` is on the PATH. The model is scripted, so that it runs without a key. LangChain starts the server
again for every tool call; the task lives in veo-mcp's journal and waits there.
"""

import asyncio
import json
import os
import subprocess
from subprocess import PIPE
from typing import Any

from langchain.agents import create_agent
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from scripted_model import ScriptedModel


async def show_progress(_progress: float, _total: float | None, message: str | None, _context: Any) -> None:
    print(f"  {message}")


def save_film() -> None:
    """Saves what was made as one film; the links are good for a while only, and a sandbox's end with its server."""
    listed = subprocess.run(["veo-mcp", "tasks", "list", "--json", "--limit", "1"], stdout=PIPE, text=True, check=True)
    newest = json.loads(listed.stdout)[0]["task_id"]
    saving = ["veo-mcp", "download", newest, "--film", "--out", "videos"]
    print("film:", subprocess.run(saving, stdout=PIPE, text=True, check=True).stdout.strip())


async def main() -> None:
    veo = MultiServerMCPClient(
        # The key and the VEO_* settings reach the server through its environment, never through arguments.
        {"veo": {"transport": "stdio", "command": "veo-mcp", "args": [], "env": dict(os.environ)}},
        callbacks=Callbacks(on_progress=show_progress),
    )
    tools = await veo.get_tools()
    agent = create_agent(ScriptedModel(), tools)  # a real one: create_agent("anthropic:claude-sonnet-4-5", tools)
    request = "Make me a video of a paper boat at dawn, then let it rain. What did it cost?"
    async for step in agent.astream({"messages": [("user", request)]}, stream_mode="values"):
        step["messages"][-1].pretty_print()


if __name__ == "__main__":
    asyncio.run(main())
    save_film()
