"""A scripted stand-in for a real model, so that the example needs no key; make_video.py says how to use a real one.

It wants the dearest video first, takes no for an answer, and reads the text of the tool results, as a model does.
"""

import re
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

PROMPT = "A paper boat on a pond at dawn, soft light, birds singing"


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
    noes = sum("said no" in answer for answer in answers)
    if noes == 2:
        return "Then there will be no video. Nothing was spent."
    if len(answers) == noes:
        return "create_video", {"prompt": PROMPT, "mode": "fast" if noes else "quality"}
    last = answers[-1]
    if unfinished := re.match(r"Veo video (\S+) is (?:submitting|pending|processing)", last):
        # Hosts cut calls at about 60 s: wait for less, and wait again.
        return "get_task", {"task_id": unfinished[1], "wait_seconds": 45}
    if "Balance: " not in last and "ready: " in last:
        return "get_credits", {}
    return f"That is what I know: {last}"
