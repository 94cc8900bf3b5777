"""A scripted stand-in for a real model, so that the example needs no key; make_video.py says how to use a real one.

It reads the tool results, as a model does, and decides on the next call.
"""

from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

UNFINISHED = ("submitting", "pending", "processing")


def respond(messages: list[ModelMessage], _info: AgentInfo) -> ModelResponse:
    answers = [part.content for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
    step = next_step(answers)
    return ModelResponse([TextPart(step) if isinstance(step, str) else ToolCallPart(*step)])


def next_step(answers: list[Any]) -> tuple[str, dict[str, Any]] | str:
    """The next tool and its arguments, or the final answer."""
    videos = [answer for answer in answers if answer.get("video_urls")]
    if not answers:
        return "get_credits", {}
    last = answers[-1]
    if len(answers) == 1:
        return "create_video", {"prompt": "A paper boat on a pond at dawn, soft light, birds singing"}
    if last.get("status") in UNFINISHED:
        # Hosts cut calls at about 60 s: wait for less, and wait again.
        return "get_task", {"task_id": last["task_id"], "wait_seconds": 45}
    if last in videos and len(videos) == 1:
        return "extend_video", {"task_id": last["task_id"], "prompt": "Rain begins to fall on the pond"}
    if last in videos:
        return "get_credits", {}
    if not videos:
        return f"It did not work: {last}"
    cost = answers[0]["balance"] - last["balance"]
    return "\n".join([f"It cost {cost} credits.", *(f"completed: {video['video_urls'][0]}" for video in videos)])


scripted_model = FunctionModel(respond)
