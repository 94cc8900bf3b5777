"""An agent loop over veo-mcp: create a video, watch it until it is there, say its URL.

The model is scripted (pydantic-ai's FunctionModel), so that the example runs without any key; put a real model in its
place and the rest stays. Run it with `python make_video.py` where veo-mcp[sandbox] is installed.
"""

import asyncio
import json
import os
import sys

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

UNFINISHED = ("submitting", "pending", "processing")


def scripted(messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    """What a sensible model does: create, look until the end, report."""
    returns = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
    if not returns:
        return ModelResponse([ToolCallPart("create_video", {"prompt": "A paper boat on a pond at dawn, soft light"})])
    task = returns[-1].content
    task = json.loads(task) if isinstance(task, str) else task
    if task["status"] in UNFINISHED:
        return ModelResponse([ToolCallPart("get_task", {"task_id": task["task_id"], "wait_seconds": 45})])
    return ModelResponse([TextPart(f"{task['status']}: {', '.join(task.get('video_urls', []))}")])


async def main() -> None:
    # The key and the VEO_* settings reach the server through its environment, never through arguments.
    server = StdioTransport(sys.executable, ["-m", "veo_mcp"], env=dict(os.environ))
    agent = Agent(FunctionModel(scripted), toolsets=[MCPToolset(server)])
    async with agent:
        result = await agent.run("Make me a video of a paper boat.")
    print(result.output)


if __name__ == "__main__":
    asyncio.run(main())
