"""A scripted stand-in for a real model, so that the example needs no key; make_video.py says how to use a real one.

It reads the text of the tool results, as a model does, and decides on the next call.
"""

import re
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class ScriptedModel(BaseChatModel):
    _llm_type = "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> "ScriptedModel":
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        answers = [message.text for message in messages if isinstance(message, ToolMessage)]
        step = next_step(answers)
        if isinstance(step, str):
            said = AIMessage(step)
        else:
            call = {"id": f"call-{len(answers)}", "name": step[0], "args": step[1]}
            said = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=said)])


def next_step(answers: list[str]) -> tuple[str, dict[str, Any]] | str:
    """The next tool and its arguments, or the final answer."""
    videos = re.findall(r"ready: (\S+)", " ".join(answers))
    if not answers:
        return "get_credits", {}
    last = answers[-1]
    if len(answers) == 1:
        return "create_video", {"prompt": "A paper boat on a pond at dawn, soft light, birds singing"}
    if unfinished := re.match(r"Veo video (\S+) is (?:submitting|pending|processing)", last):
        # Hosts cut calls at about 60 s: wait for less, and wait again.
        return "get_task", {"task_id": unfinished[1], "wait_seconds": 45}
    if (finished := re.search(r"extend_video, task_id=(\S+?)\.", last)) and len(videos) == 1:
        return "extend_video", {"task_id": finished[1], "prompt": "Rain begins to fall on the pond"}
    if finished:
        return "get_credits", {}
    if not videos:
        return f"It did not work: {last}"
    before, after = (int(re.findall(r"Balance: (\d+)", answer)[0]) for answer in (answers[0], last))
    return "\n".join([f"It cost {before - after} credits.", *(f"completed: {url}" for url in videos)])
