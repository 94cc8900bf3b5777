"""What a create asks for: read, checked against the documented rules, and cut down to what is worth keeping.

Called by the sandbox's app. Raises the documented errors; never charges, never touches the ledger.
"""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from starlette.requests import ClientDisconnect, Request

from veo_mcp.api.models import MODEL_CREATE, MODEL_EXTEND, PRICES, CreateInput, ExtendInput, Mode, rule_violation
from veo_mcp.sandbox.errors import DocumentedError
from veo_mcp.sandbox.fetch import check_url
from veo_mcp.sandbox.openapi import MOST_ID, MOST_PROMPT, MOST_WATERMARK
from veo_mcp.validation import requirement

__all__ = ["Order", "ordered", "read_body", "read_raw"]

M = TypeVar("M", CreateInput, ExtendInput)

BODY_LIMIT = 256 * 1024
LENGTHS = {"prompt": MOST_PROMPT, "watermark": MOST_WATERMARK, "extend_task_id": MOST_ID}
# NaN, which is no JSON, stays NaN to be refused, instead of becoming null on the way.
_OBJECT = TypeAdapter(dict[str, Any], config=ConfigDict(ser_json_inf_nan="constants"))


@dataclass(frozen=True, slots=True)
class Order:
    """One create that keeps the rules; `body` holds the documented fields that were given, and nothing else."""

    model: str
    prompt: str
    price: int
    seed: int | None
    extends: str | None
    body: dict[str, Any]


async def read_raw(request: Request) -> bytes:
    """The request's body, up to the limit."""
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > BODY_LIMIT:
                raise DocumentedError("invalid_request", "The request body is too large.")
    except ClientDisconnect:
        raise DocumentedError("invalid_request", "The request body is incomplete.") from None
    return bytes(raw)


async def read_body(request: Request) -> dict[str, Any]:
    """The request's JSON object."""
    raw = await read_raw(request)
    try:
        # pydantic's parser also refuses what json.loads lets in or dies of: deep nesting and lone surrogates.
        return _OBJECT.validate_json(raw)
    except ValidationError:
        raise DocumentedError("invalid_request", "The request body must be a JSON object.") from None


def ordered(body: dict[str, Any], *, allow_private: bool, trusted_origin: str | None) -> Order:
    """The create in a body. Raises DocumentedError in the documented words."""
    model = body.get("model")
    if model is None:
        raise DocumentedError("invalid_request", "'model' is required.")
    if not isinstance(model, str) or model not in (MODEL_CREATE, MODEL_EXTEND):
        raise DocumentedError("model_not_found", "The model does not exist or is inactive.")
    kept: dict[str, Any] = {"model": model}
    callback = body.get("callback_url")
    if callback is not None:
        if not isinstance(callback, str):
            raise DocumentedError("invalid_request", "'callback_url' must be a string.")
        fault = check_url(callback, allow_private=allow_private, trusted_origin=trusted_origin)
        if fault is not None:
            raise DocumentedError("invalid_request", f"'callback_url' {fault}.")
        kept["callback_url"] = callback
    asked = _input(body)
    if model == MODEL_EXTEND:
        extension = _parsed(ExtendInput, asked)
        if not extension.prompt.strip():
            raise DocumentedError("invalid_request", "'input.prompt' must not be empty.")
        kept["input"] = extension.model_dump(mode="json")
        # Undocumented price: the sandbox takes what a fast clip costs.
        return Order(model, extension.prompt, PRICES[Mode.FAST], None, extension.extend_task_id, kept)
    create = _parsed(CreateInput, asked)
    broken = rule_violation(create)
    if broken is not None:
        raise DocumentedError("invalid_request", broken)
    for position, url in enumerate(create.image_urls or (), 1):
        fault = check_url(url, allow_private=allow_private)
        if fault is not None:
            raise DocumentedError("invalid_request", f"'input.image_urls' entry {position} {fault}.")
    kept["input"] = create.model_dump(mode="json", exclude_none=True)
    return Order(model, create.prompt, PRICES[create.mode or Mode.FAST], create.seeds, None, kept)


def _input(body: dict[str, Any]) -> dict[str, Any]:
    if "input" not in body:
        raise DocumentedError("invalid_request", "'input' is required.")
    if not isinstance(body["input"], dict):
        raise DocumentedError("invalid_request", "'input' must be an object.")
    asked = cast("dict[str, Any]", body["input"])
    if asked.get("prompt") is None:
        raise DocumentedError("invalid_request", "'input.prompt' is required.")
    for name, most in LENGTHS.items():
        value = asked.get(name)
        if isinstance(value, str) and len(value) > most:
            raise DocumentedError("invalid_request", f"'input.{name}' is longer than {most} characters.")
    return asked


def _parsed(model: type[M], asked: dict[str, Any]) -> M:
    try:
        # Strict, as JSON: "1_0000" is text and no number, while an enum's word and a list are what they stand for.
        return model.model_validate_json(_OBJECT.dump_json(asked), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        name = "input." + ".".join(str(part)[:40] for part in fault["loc"])
        words = {"missing": "is required", "extra_forbidden": "is not a parameter of this model"}
        raise DocumentedError(
            "invalid_request", f"'{name}' {words.get(fault['type']) or requirement(fault)}."
        ) from None
