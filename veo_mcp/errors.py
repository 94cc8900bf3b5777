"""Everything that can go wrong between us and the Veo API, as a tree by what it means for the money.

    VeoError
    ├── NotSent                    nothing left this machine: not charged
    ├── Refused                    the API said no: not charged
    │   ├── InvalidRequest         400 invalid_request
    │   ├── InvalidApiKey          401 invalid_api_key
    │   ├── InsufficientCredits    402 insufficient_credits
    │   ├── IpNotAllowed           403 ip_not_allowed
    │   ├── ModelNotFound          404 model_not_found
    │   ├── TaskNotFound           404 task_not_found
    │   ├── RateLimitExceeded      429 rate_limit_exceeded
    │   ├── SpendLimitExceeded     429 spend_limit_exceeded
    │   └── UpstreamUnavailable    503 upstream_error: charged and refunded, by the API's word
    └── Unanswered                 nobody knows: may have been charged
        ├── InternalError          500 internal_error
        └── BadAnswer              a gateway's page, a wrong shape, a cut or missing answer

Raised by api/client.py, read by everyone above. `sentence` is for a model and is ours; `message` is the API's and is
foreign text. Never holds the key.
"""

from typing import Literal

__all__ = [
    "BadAnswer",
    "InsufficientCredits",
    "InternalError",
    "InvalidApiKey",
    "InvalidRequest",
    "IpNotAllowed",
    "ModelNotFound",
    "NotSent",
    "RateLimitExceeded",
    "Refused",
    "SpendLimitExceeded",
    "TaskNotFound",
    "Unanswered",
    "UpstreamUnavailable",
    "VeoError",
    "from_envelope",
]

Charged = Literal["no", "refunded", "unknown"]


class VeoError(Exception):
    """A call on the Veo API that brought no result.

    Attributes:
        http_status: the answer's status, or None without an answer.
        code: the API's code as it came, or a word of ours.
        type: the API's type as it came, or a word of ours.
        message: the API's words; foreign text.
        sentence: our words, for a model: what happened and what to do.
        charged: what this means for a create; reads never cost anything.
        retry_after: seconds after which the API wants to be asked again, or None.
    """

    explanation = "The Veo API could not be used."
    charged: Charged = "unknown"
    default_code = "error"
    default_type = "error"

    def __init__(
        self,
        message: str = "",
        *,
        http_status: int | None = None,
        code: str | None = None,
        type: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.code = code or self.default_code
        self.type = type or self.default_type
        self.retry_after = retry_after


class NotSent(VeoError):
    """No byte of the request left: the connection never came about."""

    explanation = (
        "The Veo API could not be reached, so nothing was sent. Check network and VEO_BASE_URL, then try again."
    )
    charged: Charged = "no"
    default_code = "not_sent"


class Refused(VeoError):
    """The API answered no, in its documented words or with another 4xx."""

    explanation = "The Veo API refused the request."
    charged: Charged = "no"
    default_code = "refused"


class InvalidRequest(Refused):
    """400: missing or invalid parameters."""

    explanation = "The Veo API refused the arguments; fix them before another try."


class InvalidApiKey(Refused):
    """401: the key is wrong, disabled or deleted, or the account is banned."""

    explanation = "The Veo API does not accept the key; the person must set a valid VEO_API_KEY."


class InsufficientCredits(Refused):
    """402: the balance is too low."""

    explanation = "The credits do not suffice; get_credits shows the balance, and the person must buy more."


class IpNotAllowed(Refused):
    """403: the request came from an address outside the key's allowlist."""

    explanation = "The key may not be used from this machine's address; the person must change the key's IP allowlist."


class ModelNotFound(Refused):
    """404: the model does not exist or is inactive."""

    explanation = "The Veo API does not offer this model at the moment; try again later."


class TaskNotFound(Refused):
    """404: the task id does not exist."""

    explanation = "The Veo API knows no task with this id; list_tasks shows the ids."


class RateLimitExceeded(Refused):
    """429: slow down."""

    explanation = "The Veo API asks for fewer requests; wait before another try."


class SpendLimitExceeded(Refused):
    """429: the key's hourly, daily or total spend limit."""

    explanation = "The key's spend limit at the provider is reached; the person must raise it or wait."


class UpstreamUnavailable(Refused):
    """503: provider unavailable, prohibited content, or unsupported parameters; the credits came back."""

    explanation = (
        "The video model is unavailable or does not take this content; rephrase the prompt or try again later."
    )
    charged: Charged = "refunded"


class Unanswered(VeoError):
    """Whether the API acted is not known; a create must never be sent again after this."""

    explanation = "The Veo API gave no usable answer."
    charged: Charged = "unknown"
    default_code = "unanswered"


class InternalError(Unanswered):
    """500: unexpected server error; a create may have been charged all the same."""

    explanation = "The Veo API had an internal error."


class BadAnswer(Unanswered):
    """The answer is cut, too large, not JSON, not in the documented shape, or never came."""

    default_code = "bad_answer"


_DOCUMENTED: dict[tuple[int, str], type[VeoError]] = {
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
_BY_STATUS: dict[int, type[VeoError]] = {
    400: InvalidRequest,
    401: InvalidApiKey,
    402: InsufficientCredits,
    403: IpNotAllowed,
    429: RateLimitExceeded,
}
REFUSALS = frozenset({400, 401, 402, 403, 404, 429})
"""The statuses that mean "not charged" even with an undocumented body; any other one proves nothing."""


def from_envelope(
    status: int, code: str | None, type_: str | None, message: str, retry_after: float | None
) -> VeoError:
    """The error for a failed answer; `code` is None when its body is not in the documented shape."""
    kind = _DOCUMENTED.get((status, code or ""))
    if kind is None:
        unproven = InternalError if status == 500 else BadAnswer
        kind = _BY_STATUS.get(status, Refused) if status in REFUSALS else unproven
    return kind(message, http_status=status, code=code, type=type_, retry_after=retry_after)
