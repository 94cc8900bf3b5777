"""Tools and a prompt that ask before they answer, over several rounds of the same request (the modern era, SEP-2322).

Registered by overlay.py on the real server. The questions are the suite's; the sealing of their state, its refusal when
tampered with, and everything on the wire is the server's. Nothing here is part of the product.
"""

from typing import Any

from mcp.server.mcpserver import Context
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

from veo_mcp.server.build import VeoServer

__all__ = ["elicit", "register"]

Answer = str | InputRequiredResult


def register(server: VeoServer) -> None:
    """Adds the fixtures to the server."""
    _one_round(server)
    _with_state(server)

    @server.tool(description="Asks in the stream of its request, after progress", structured_output=False)
    async def test_streaming_elicitation(ctx: Context) -> Answer:
        await ctx.report_progress(1, 2)
        name = _answered(ctx, "user_name", "name")
        return f"Hello, {name}!" if name else _ask(user_name=elicit("What is your name?", "name"))

    @server.prompt(description="Asks before it composes")
    def test_input_required_result_prompt(ctx: Context) -> Answer:
        context = _answered(ctx, "user_context", "context")
        return f"In this context: {context}" if context else _ask(user_context=elicit("Which context?", "context"))


def _one_round(server: VeoServer) -> None:
    @server.tool(description="Asks the person for a name", structured_output=False)
    def test_input_required_result_elicitation(ctx: Context) -> Answer:
        name = _answered(ctx, "user_name", "name")
        return f"Hello, {name}!" if name else _ask(user_name=elicit("What is your name?", "name"))

    @server.tool(description="Asks the client's model", structured_output=False)
    def test_input_required_result_sampling(ctx: Context) -> Answer:
        reply = _reply(ctx, "capital_question")
        if isinstance(reply, CreateMessageResult) and isinstance(reply.content, TextContent):
            return reply.content.text
        return _ask(capital_question=_sample("What is the capital of France?"))

    @server.tool(description="Asks for the client's roots", structured_output=False)
    def test_input_required_result_list_roots(ctx: Context) -> Answer:
        reply = _reply(ctx, "client_roots")
        if isinstance(reply, ListRootsResult):
            return " ".join(str(root.uri) for root in reply.roots)
        return _ask(client_roots=ListRootsRequest())

    @server.tool(description="Asks only what the client can answer", structured_output=False)
    def test_input_required_result_capabilities(ctx: Context) -> Answer:
        can = ctx.client_capabilities
        questions: dict[str, Any] = {}
        if can is not None and can.elicitation is not None:
            questions["user_name"] = elicit("What is your name?", "name")
        if can is not None and can.sampling is not None:
            questions["greeting"] = _sample("Greet me.")
        return _ask(**questions) if questions else "The client can be asked nothing."


def _with_state(server: VeoServer) -> None:
    def confirm(ctx: Context) -> Answer:
        if ctx.request_state == "asked" and isinstance(_reply(ctx, "confirm"), ElicitResult):
            return "state-ok"
        return _ask("asked", confirm=elicit("Please confirm", "ok", "boolean"))

    for name in ("test_input_required_result_request_state", "test_input_required_result_tampered_state"):
        server.add_tool(confirm, name=name, description="Asks, and keeps a state", structured_output=False)

    @server.tool(description="Asks three things at once", structured_output=False)
    def test_input_required_result_multiple_inputs(ctx: Context) -> Answer:
        replies = [_reply(ctx, key) for key in ("user_name", "greeting", "client_roots")]
        if ctx.request_state == "asked" and None not in replies:
            return "All three are answered."
        return _ask(
            "asked",
            user_name=elicit("What is your name?", "name"),
            greeting=_sample("Generate a greeting"),
            client_roots=ListRootsRequest(),
        )

    @server.tool(description="Asks twice, one after the other", structured_output=False)
    def test_input_required_result_multi_round(ctx: Context) -> Answer:
        state = ctx.request_state or ""
        if state.startswith("second") and (color := _answered(ctx, "step2", "color")):
            return f"{state.removeprefix('second ')} likes {color}."
        if state == "first" and (name := _answered(ctx, "step1", "name")):
            return _ask(f"second {name}", step2=elicit("Step 2: What is your favorite color?", "color"))
        return _ask("first", step1=elicit("Step 1: What is your name?", "name"))


def elicit(message: str, field: str, kind: str = "string") -> ElicitRequest:
    """A question to the person, with one field."""
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(text: str) -> CreateMessageRequest:
    asked = SamplingMessage(role="user", content=TextContent(type="text", text=text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[asked], max_tokens=100))


def _ask(state: str | None = None, /, **questions: Any) -> InputRequiredResult:
    return InputRequiredResult(input_requests=questions, request_state=state)


def _reply(ctx: Context, key: str) -> Any:
    return (ctx.input_responses or {}).get(key)


def _answered(ctx: Context, key: str, field: str) -> str | None:
    reply = _reply(ctx, key)
    if not isinstance(reply, ElicitResult) or reply.action != "accept":
        return None
    return str((reply.content or {}).get(field, "")) or None
