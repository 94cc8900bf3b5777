"""A LangGraph agent that asks a person before it spends: the graph stops before the tool, and goes on with the answer.

Run it where `veo-mcp` is on the PATH: `python make_video.py`, and answer yes or no; answers may also be given as
arguments, for a run that nobody watches. The model is scripted, so that it runs without a key. Leaves videos/*.mp4.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt
from scripted_model import ScriptedModel

PRICES = {"fast": 40, "quality": 300}
SPENDS = ("create_video", "extend_video")


def graph(model: BaseChatModel, tools: Sequence[BaseTool]) -> Any:
    """Model → person → tools → model, until the model calls nothing more."""
    bound = model.bind_tools(tools)

    async def think(state: MessagesState) -> Command[Literal["person", "__end__"]]:
        said = await bound.ainvoke(state["messages"])
        return Command(update={"messages": [said]}, goto="person" if said.tool_calls else "__end__")

    builder = StateGraph(MessagesState)
    builder.add_node("model", think)
    builder.add_node("person", person)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "model")
    builder.add_edge("tools", "model")
    # The saver keeps the graph while a person thinks; one on disk keeps it over a restart.
    return builder.compile(checkpointer=InMemorySaver())


def person(state: MessagesState) -> Command[Literal["tools", "model"]]:
    """Lets free calls pass, and stops before the others until a person has answered."""
    last = state["messages"][-1]
    calls = last.tool_calls if isinstance(last, AIMessage) else []
    costly = [call for call in calls if call["name"] in SPENDS]
    if not costly:
        return Command(goto="tools")
    # Runs twice: until here when the graph stops, and once more, with the answer, when it goes on.
    answer = interrupt([{"price": price(call["args"]), "prompt": call["args"].get("prompt")} for call in costly])
    if answer == "yes":
        return Command(goto="tools")
    refused = [ToolMessage("The person said no. Nothing was sent.", tool_call_id=call["id"]) for call in calls]
    return Command(update={"messages": refused}, goto="model")


def price(arguments: dict[str, Any]) -> int:
    """What a call costs at most; an extension about as much as a fast video."""
    return PRICES.get(arguments.get("mode", "fast"), max(PRICES.values()))


def answered(waiting: list[dict[str, Any]], given: Iterator[str]) -> str:
    """The person's answer, from the command line or the terminal; where nobody is there, it is no."""
    for one in waiting:
        print(f"Spend {one['price']} credits on “{one['prompt']}”? [yes/no] ", end="", flush=True)
    try:
        answer = next(given, None) or input()
    except EOFError:
        answer = "no"
    print(answer)
    return answer.strip().lower()


def show(step: dict[str, Any]) -> None:
    """Prints what a node has added to the conversation."""
    for update in step.values():
        for message in update.get("messages", []) if isinstance(update, dict) else []:
            message.pretty_print()


async def main() -> None:
    given = iter(sys.argv[1:])
    veo = MultiServerMCPClient(
        # The key and the VEO_* settings reach the server through its environment, never through arguments.
        {"veo": {"transport": "stdio", "command": "veo-mcp", "args": [], "env": dict(os.environ)}}
    )
    config: RunnableConfig = {"configurable": {"thread_id": "boat"}}
    turn: Any = {"messages": [("user", "Make me a video of a paper boat at dawn, as good as it gets.")]}
    async with veo.session("veo") as session:  # one server for the whole conversation
        agent = graph(ScriptedModel(), await load_mcp_tools(session))  # a real one: init_chat_model("anthropic:…")
        while turn is not None:
            async for step in agent.astream(turn, config, stream_mode="updates"):
                show(step)
            waiting = (await agent.aget_state(config)).interrupts
            turn = Command(resume=answered(waiting[0].value, given)) if waiting else None
        made = (await session.call_tool("list_tasks", {"status": "completed", "limit": 1})).structuredContent or {}
        for task in made.get("tasks", []):
            # While the server runs: a sandbox's links end with it.
            saving = await asyncio.create_subprocess_exec("veo-mcp", "download", task["task_id"], "--out", "videos")
            if await saving.wait():
                raise SystemExit("The video was made, and could not be saved.")


if __name__ == "__main__":
    asyncio.run(main())
