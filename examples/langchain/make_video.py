"""A LangChain agent that makes a video with veo-mcp, watches it, extends it, and says what it cost.

Run it where `veo-mcp` is on the PATH. The model is scripted, so that it runs without a key. LangChain starts the server
again for every tool call; the task lives in veo-mcp's journal and waits there.
"""

import asyncio
import os
from typing import Any

from langchain.agents import create_agent
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from scripted_model import ScriptedModel


async def show_progress(_progress: float, _total: float | None, message: str | None, _context: Any) -> None:
    print(f"  {message}")


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
