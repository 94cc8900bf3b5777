"""The errors that the API documents: from an HTTP status and code to the class in errors.py, and what a status proves.

Called by responses.py for every failed answer. Only a documented refusal proves that nothing was charged. Pure.
"""

from veo_mcp.errors import (
    ApiError,
    BadAnswer,
    InsufficientCredits,
    InternalError,
    InvalidApiKey,
    InvalidRequest,
    IpNotAllowed,
    ModelNotFound,
    RateLimitExceeded,
    Refused,
    SpendLimitExceeded,
    TaskNotFound,
    UpstreamUnavailable,
)

__all__ = ["DOCUMENTED", "REFUSALS", "from_envelope", "proven_by"]

DOCUMENTED: dict[tuple[int, str], type[ApiError]] = {
    (400, "invalid_request"): InvalidRequest,
    (401, "invalid_api_key"): InvalidApiKey,
    (402, "insufficient_credits"): InsufficientCredits,
    (403, "ip_not_allowed"): IpNotAllowed,
    (404, "model_not_found"): ModelNotFound,
    (404, "task_not_found"): TaskNotFound,
    (429, "rate_limit_exceeded"): RateLimitExceeded,
    (429, "spend_limit_exceeded"): SpendLimitExceeded,
    (500, "internal_error"): InternalError,
    (503, "upstream_error"): UpstreamUnavailable,
}
"""The API's documented refusals, by status and code."""
_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: InvalidApiKey,
    402: InsufficientCredits,
    403: IpNotAllowed,
    429: RateLimitExceeded,
}
REFUSALS = frozenset({400, 401, 402, 403, 404, 429})
"""The statuses that mean "not charged" even with an undocumented body; any other one proves nothing."""


def proven_by(status: int, code: str | None = None) -> type[ApiError]:
    """What a failed answer proves; `code` is None when its body is not in the documented shape."""
    documented = DOCUMENTED.get((status, code or ""))
    if documented is not None:
        return documented
    unproven = InternalError if status == 500 else BadAnswer
    return _BY_STATUS.get(status, Refused) if status in REFUSALS else unproven


def from_envelope(
    status: int, code: str | None, type_: str | None, message: str, retry_after: float | None
) -> ApiError:
    """The error for a failed answer in the documented shape, `{"error": {"code", "message", "type"}}`."""
    kind = proven_by(status, code)
    said = message or f"HTTP {status}"
    return kind(said, http_status=status, code=code, type=type_, retry_after=retry_after, words=message)
