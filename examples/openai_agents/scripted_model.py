"""A scripted stand-in for a real model, so that the example needs no key; make_video.py says how to use a real one.

It reads the text of the tool results, as a model does, and decides on the next call.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from agents import Model, ModelResponse, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText


class ScriptedModel(Model):
    async def get_response(self, *_: Any, **request: Any) -> ModelResponse:
        items = [] if isinstance(request["input"], str) else request["input"]
        answers = [result_text(item["output"]) for item in items if item.get("type") == "function_call_output"]
        step = next_step(answers)
        if isinstance(step, str):
            text = ResponseOutputText(type="output_text", text=step, annotations=[])
            said = ResponseOutputMessage(type="message", id="m", role="assistant", status="completed", content=[text])
        else:
            name, arguments = step[0], json.dumps(step[1])
            call_id = f"call-{len(answers)}"
            said = ResponseFunctionToolCall(type="function_call", call_id=call_id, name=name, arguments=arguments)
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **_request: Any) -> AsyncIterator[Any]:
        raise NotImplementedError


def result_text(output: Any) -> str:
    return output if isinstance(output, str) else " ".join(part["text"] for part in output)


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
