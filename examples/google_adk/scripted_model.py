"""A scripted stand-in for a real model, so that the example needs no key; make_video.py says how to use a real one.

It reads the text of the tool results, as a model does, and decides on the next call.
"""

import re
from collections.abc import AsyncGenerator
from typing import Any

from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.genai import types


class ScriptedModel(BaseLlm):
    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        parts = [part for content in llm_request.contents for part in content.parts or ()]
        answers = [result_text(part.function_response.response) for part in parts if part.function_response]
        step = next_step(answers)
        if isinstance(step, str):
            said = types.Part(text=step)
        else:
            said = types.Part(function_call=types.FunctionCall(name=step[0], args=step[1]))
        used = types.GenerateContentResponseUsageMetadata(prompt_token_count=0, candidates_token_count=0)
        yield LlmResponse(content=types.Content(role="model", parts=[said]), usage_metadata=used)


def result_text(response: Any) -> str:
    return " ".join(block["text"] for block in response["content"])


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
