"""The sandbox described as OpenAPI 3.1, from the same tables that the requests are checked with.

Served at `/openapi.json` by the sandbox's app; a test holds it against the provider's documentation.
"""

from typing import Any

from veo_mcp.api.models import MODEL_CREATE, MODEL_EXTEND, AspectRatio, GenerationType, Mode

__all__ = ["ERRORS", "MOST_ID", "MOST_PROMPT", "MOST_URL", "MOST_WATERMARK", "describe"]

MOST_PROMPT, MOST_WATERMARK, MOST_ID, MOST_URL = 10_000, 200, 200, 8192
"""Undocumented: the longest texts that are taken, in characters; what is stored must not grow without end."""

ERRORS: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "invalid_request_error"),
    "invalid_api_key": (401, "authentication_error"),
    "insufficient_credits": (402, "billing_error"),
    "ip_not_allowed": (403, "permission_error"),
    "model_not_found": (404, "invalid_request_error"),
    "task_not_found": (404, "invalid_request_error"),
    "rate_limit_exceeded": (429, "rate_limit_error"),
    "spend_limit_exceeded": (429, "billing_error"),
    "internal_error": (500, "api_error"),
    "upstream_error": (503, "upstream_error"),
}
"""Code to HTTP status and type, as documented."""

# A wrong Host is an invalid request, a fault of ours an internal error, a ledger that is locked an upstream error.
_EVERYWHERE = (
    "invalid_request",
    "invalid_api_key",
    "ip_not_allowed",
    "rate_limit_exceeded",
    "internal_error",
    "upstream_error",
)


def describe(version: str) -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Veo API sandbox",
            "version": version,
            "description": "The Veo 3.1 API on this machine: clips without an AI model, credits that are not real.",
        },
        "security": [{"key": []}],
        "paths": {
            "/v1/videos/generations": {
                "post": {
                    "operationId": "createVideo",
                    "summary": "Create a video, or extend a completed one",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": {"oneOf": [_create(), _extend()]}}},
                    },
                    "responses": _responses(_enveloped({"taskId": {"type": "string"}}), *ERRORS),
                }
            },
            "/v1/tasks/{taskId}": {
                "get": {
                    "operationId": "getTask",
                    "summary": "Look at a task",
                    "parameters": [{"name": "taskId", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": _responses(_task(), "task_not_found"),
                }
            },
            "/v1/credits": {
                "get": {
                    "operationId": "getCredits",
                    "summary": "The account's credits",
                    "responses": _responses(
                        _enveloped(
                            {name: {"type": "integer"} for name in ("balance", "total_purchased", "total_consumed")}
                        )
                    ),
                }
            },
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    }


def _create() -> dict[str, Any]:
    return _body(
        MODEL_CREATE,
        {
            "prompt": _prompt(),
            "mode": {"enum": [mode.value for mode in Mode], "default": Mode.FAST.value},
            "aspect_ratio": {"enum": [ratio.value for ratio in AspectRatio], "default": AspectRatio.WIDE.value},
            "generation_type": {"enum": [kind.value for kind in GenerationType]},
            "image_urls": {"type": "array", "maxItems": 3, "items": _url()},
            "seeds": {"type": "integer", "minimum": 10000, "maximum": 99999},
            "watermark": {"type": "string", "maxLength": MOST_WATERMARK},
        },
        ["prompt"],
    )


def _extend() -> dict[str, Any]:
    fields = {"prompt": _prompt(), "extend_task_id": {"type": "string", "maxLength": MOST_ID}}
    return _body(MODEL_EXTEND, fields, list(fields))


def _prompt() -> dict[str, Any]:
    return {"type": "string", "pattern": r"\S", "maxLength": MOST_PROMPT}


def _url() -> dict[str, Any]:
    return {"type": "string", "pattern": "^https?://", "maxLength": MOST_URL}


def _body(model: str, fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["model", "input"],
        "properties": {
            "model": {"const": model},
            "callback_url": _url(),
            "input": {"type": "object", "required": required, "properties": fields, "additionalProperties": False},
        },
    }


def _task() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "status", "model", "created_at"],
        "properties": {
            "id": {"type": "string"},
            "status": {"enum": ["pending", "processing", "completed", "failed"]},
            "model": {"enum": [MODEL_CREATE, MODEL_EXTEND]},
            "created_at": {"type": "integer", "description": "Unix seconds"},
            "completed_at": {"type": "integer", "description": "Unix seconds"},
            "progress": {"type": ["number", "null"]},
            "output": {
                "type": "object",
                "required": ["urls", "metadata"],
                "properties": {
                    "urls": {"type": "array", "items": {"type": "string"}},
                    "metadata": {"type": "object", "properties": {"resolution": {"type": "string"}}},
                },
            },
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    }


def _enveloped(fields: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "object", "required": list(fields), "properties": fields}
    return {
        "type": "object",
        "required": ["code", "msg", "data"],
        "properties": {"code": {"const": 200}, "msg": {"const": "success"}, "data": data},
    }


def _responses(success: dict[str, Any], *codes: str) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": _answer("Done", success)}
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*_EVERYWHERE, *codes)):
        by_status.setdefault(ERRORS[code][0], []).append(code)
    for status, names in sorted(by_status.items()):
        error = {
            "type": "object",
            "required": ["code", "message", "type"],
            "properties": {
                "code": {"enum": names},
                "message": {"type": "string"},
                "type": {"enum": sorted({ERRORS[name][1] for name in names})},
            },
        }
        body = {"type": "object", "required": ["error"], "properties": {"error": error}}
        answers[str(status)] = _answer(" or ".join(names), body)
    return answers


def _answer(words: str, schema: dict[str, Any]) -> dict[str, Any]:
    header = {"X-Veo-Sandbox": {"required": True, "schema": {"type": "string"}, "description": "The ledger's id"}}
    return {"description": words, "headers": header, "content": {"application/json": {"schema": schema}}}
