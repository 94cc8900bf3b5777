"""What the conformance suite expects on a server: plain tools, resources and prompts with fixed names and texts.

Registered by overlay.py on the real server, through the same public calls that the server uses for its own. The names
and texts are the suite's. Nothing here is part of the product.
"""

import base64
import json
from typing import Annotated, Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    ClientCapabilities,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    ListToolsResult,
    MissingRequiredClientCapabilityErrorData,
    PaginatedRequestParams,
    SamplingCapability,
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

from veo_mcp.server.build import VeoServer
from veo_mcp.server.sdk_compat import handler_of, replace

__all__ = ["register"]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="
IMAGE = ImageContent(type="image", data=PNG, mime_type="image/png")
SCHEMA_2020_12: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
TITLED = [{"const": f"value{number}", "title": f"Choice {number}"} for number in (1, 2, 3)]
OPTIONS = ["option1", "option2", "option3"]
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


def register(server: VeoServer) -> None:
    """Adds the fixtures to the server."""
    _contents(server)
    _behaviours(server)
    _questions_of_the_legacy_era(server)
    _schemas(server)
    _resources(server)
    _prompts(server)
    # The product logs to stderr only and serves no logging/setLevel. The SDK has no public call for this one.
    replace(server, "logging/setLevel", SetLevelRequestParams, _set_level)


async def _set_level(_ctx: ServerRequestContext[Any, Any], _params: SetLevelRequestParams) -> EmptyResult:
    return EmptyResult()


def _contents(server: VeoServer) -> None:
    @server.tool(description="Answers with text", structured_output=False)
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @server.tool(description="Answers with an image", structured_output=False)
    def test_image_content() -> list[ImageContent]:
        return [IMAGE]

    @server.tool(description="Answers with a sound", structured_output=False)
    def test_audio_content() -> list[AudioContent]:
        return [AudioContent(type="audio", data=WAV, mime_type="audio/wav")]

    @server.tool(description="Answers with a resource", structured_output=False)
    def test_embedded_resource() -> list[EmbeddedResource]:
        return [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @server.tool(description="Answers with text, an image and a resource", structured_output=False)
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        data = json.dumps({"test": "data", "value": 123})
        return [
            TextContent(type="text", text="Multiple content types test:"),
            IMAGE,
            _embedded("test://mixed-content-resource", "application/json", data),
        ]


def _behaviours(server: VeoServer) -> None:
    @server.tool(description="Crashes")
    def test_error_handling() -> str:
        raise RuntimeError("This tool intentionally returns an error for testing")

    @server.tool(description="Reports progress", structured_output=False)
    async def test_tool_with_progress(ctx: Context) -> str:
        for step in (0, 50, 100):
            await ctx.report_progress(step, 100)
            await anyio.sleep(0.05)
        return "Done, with progress."

    @server.tool(description="Logs", structured_output=False)
    async def test_tool_with_logging(ctx: Context) -> str:
        for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(words)  # pyright: ignore[reportDeprecated]  # the handshake era logs so
            await anyio.sleep(0.05)
        return "Done, with a log."

    @server.tool(description="Logs", structured_output=False)
    async def test_logging_tool(ctx: Context) -> str:
        await ctx.info("Only who asked for a level may see this")  # pyright: ignore[reportDeprecated]  # the era's logging
        return "Done, with a log."

    @server.tool(description="Closes its stream before it answers", structured_output=False)
    async def test_reconnection(ctx: Context) -> str:
        await ctx.close_sse_stream()
        await anyio.sleep(0.2)
        return "Told after the stream was closed."

    @server.tool(description="Needs a client that can sample", structured_output=False)
    def test_missing_capability(ctx: Context) -> str:
        capabilities = ctx.client_capabilities
        if capabilities is None or capabilities.sampling is None:
            needed = ClientCapabilities(sampling=SamplingCapability())
            data = MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
            raise MCPError(
                MISSING_REQUIRED_CLIENT_CAPABILITY,
                "The client cannot sample.",
                data.model_dump(by_alias=True, mode="json", exclude_none=True),
            )
        return "The client can sample."

    @server.tool(description="Says that the tools changed", structured_output=False)
    async def test_trigger_tool_change(ctx: Context) -> str:
        await ctx.notify_tools_changed()
        return "Told."

    @server.tool(description="Says that the prompts changed", structured_output=False)
    async def test_trigger_prompt_change(ctx: Context) -> str:
        await ctx.notify_prompts_changed()
        return "Told."


def _questions_of_the_legacy_era(server: VeoServer) -> None:
    async def ask(ctx: Context, message: str, properties: dict[str, Any]) -> str:
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        reply = await ctx.session.elicit(message, schema, related_request_id=ctx.request_id)
        return f"Elicitation completed: action={reply.action}, content={json.dumps(reply.content)}"

    @server.tool(description="Asks the client's model", structured_output=False)
    async def test_sampling(prompt: str, ctx: Context) -> str:
        asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        # Sampling is of the handshake era, whose revision of the suite asks for it.
        reply = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
            [asked], max_tokens=100, related_request_id=ctx.request_id
        )
        return f"LLM response: {reply.content.text if isinstance(reply.content, TextContent) else ''}"

    @server.tool(description="Asks the person", structured_output=False)
    async def test_elicitation(message: str, ctx: Context) -> str:
        return await ask(ctx, message, {"username": {"type": "string"}, "email": {"type": "string"}})

    @server.tool(description="Asks the person, with defaults", structured_output=False)
    async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
        return await ask(ctx, "Who?", DEFAULTS)

    @server.tool(description="Asks the person to choose", structured_output=False)
    async def test_elicitation_sep1330_enums(ctx: Context) -> str:
        return await ask(ctx, "Which?", ENUMS)


def _schemas(server: VeoServer) -> None:
    @server.tool(description="Has a schema with keywords of JSON Schema 2020-12", structured_output=False)
    def json_schema_2020_12_tool(name: str = "") -> str:
        return name

    # The SDK derives schemas from signatures, which cannot express all of this.
    list_tools = handler_of(server, "tools/list")

    async def with_schema(
        ctx: ServerRequestContext[Any, Any], params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        listed = await list_tools(ctx, params)
        assert isinstance(listed, ListToolsResult)
        for tool in listed.tools:
            if tool.name == "json_schema_2020_12_tool":
                tool.input_schema = SCHEMA_2020_12
        return listed

    replace(server, "tools/list", PaginatedRequestParams, with_schema)

    @server.tool(description="Has an argument that travels in a header too", structured_output=False)
    def test_x_mcp_header(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        return region


def _resources(server: VeoServer) -> None:
    @server.resource("test://static-text", name="static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", name="static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://template/{id}/data", name="template", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's own name
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", name="watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "Watched."


def _prompts(server: VeoServer) -> None:
    @server.prompt(description="A prompt without arguments")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="A prompt with two arguments")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="A prompt with a resource in it")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # the suite's own name
        embedded = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(embedded), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="A prompt with an image in it")
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(IMAGE), UserMessage("Please analyze the image above.")]


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))
