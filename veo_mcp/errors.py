"""Every error that this product raises on purpose, in one tree, by what it means for the money.

    VeoMcpError
    ├── ApiError                       a call on the Veo API brought no result
    │   ├── NotSent                    nothing left this machine: not charged
    │   ├── Refused                    the API said no: not charged
    │   │   ├── InvalidRequest         400 invalid_request
    │   │   ├── InvalidApiKey          401 invalid_api_key
    │   │   ├── InsufficientCredits    402 insufficient_credits
    │   │   ├── IpNotAllowed           403 ip_not_allowed
    │   │   ├── ModelNotFound          404 model_not_found
    │   │   ├── TaskNotFound           404 task_not_found
    │   │   ├── RateLimitExceeded      429 rate_limit_exceeded
    │   │   ├── SpendLimitExceeded     429 spend_limit_exceeded
    │   │   └── UpstreamUnavailable    503 upstream_error: charged and refunded, by the API's word
    │   ├── DownloadFailed             a finished video could not be fetched: costs nothing
    │   └── Unanswered                 not known: may have been charged
    │       ├── InternalError          500 internal_error
    │       └── BadAnswer              a gateway's page, a wrong shape, a cut or missing answer
    ├── RequestError                   what was asked for cannot be done; nothing was sent: not charged
    │   ├── RuleViolation              the arguments do not fit the API's rules
    │   ├── UnknownTask                no task with this id, for this account
    │   ├── NotExtendable              the task to extend is not completed, or belongs to another API
    │   ├── SpendLimit                 VEO_MAX_CREDITS or a person's own limit does not cover it
    │   └── WrongCursor                a cursor that no page ended with
    ├── JournalError                   the record of requests and outcomes
    │   ├── JournalUnusable            it cannot be read or written: nothing is sent
    │   ├── UpstreamIdTaken            another entry has this API id already
    │   └── Unrecorded                 a create was sent, and then the journal failed; says what is known
    ├── FileTrouble                    a finished video cannot be saved or joined here: costs nothing
    └── SetupError                     the server cannot do its work as it is set up
        ├── WrongSetting               a setting that money or safety hangs on is not usable
        ├── SandboxMissing             the sandbox's drawing libraries are not installed
        ├── SandboxUnavailable         its folder is not usable, its holder does not answer, or it moved
        ├── NotLoopback                asked to listen where others could reach it
        ├── PortTaken                  the port cannot be opened
        └── Unavailable                the work behind the server has not started, or has ended

Every error has `explanation`: what happened and what to do, for a person or a model, and `charged`: what it means for a
create. The message on credits is added where the error is shown (server/messages/errors.py). An ApiError's `message` is
untrusted text. Never holds the key. Imports nothing, so that every layer can use it.
"""

from typing import Literal

__all__ = [
    "ApiError",
    "BadAnswer",
    "Charged",
    "DownloadFailed",
    "FileTrouble",
    "InsufficientCredits",
    "InternalError",
    "InvalidApiKey",
    "InvalidRequest",
    "IpNotAllowed",
    "JournalError",
    "JournalUnusable",
    "ModelNotFound",
    "NotExtendable",
    "NotLoopback",
    "NotSent",
    "PortTaken",
    "RateLimitExceeded",
    "Refused",
    "RequestError",
    "RuleViolation",
    "SandboxMissing",
    "SandboxUnavailable",
    "SetupError",
    "SpendLimit",
    "SpendLimitExceeded",
    "TaskNotFound",
    "Unanswered",
    "Unavailable",
    "UnknownTask",
    "Unrecorded",
    "UpstreamIdTaken",
    "UpstreamUnavailable",
    "VeoMcpError",
    "WrongCursor",
    "WrongSetting",
]

Charged = Literal["yes", "no", "refunded", "unknown"]


class VeoMcpError(Exception):
    """The root.

    Attributes:
        explanation: our words: what happened and what to do.
        charged: what this means for a create; reads never cost anything.
    """

    explanation = "Something went wrong in veo-mcp."
    charged: Charged = "no"

    def __init__(self, explanation: str | None = None) -> None:
        if explanation is not None:
            self.explanation = explanation
        super().__init__(self.explanation)


class ApiError(VeoMcpError):
    """A call on the Veo API that brought no result.

    Attributes:
        http_status: the answer's status, or None without an answer.
        code: the API's code, or the code of a cause (api/causes.py); docs/errors.md lists both.
        type: the API's type, or a word of ours.
        message: the API's words, or else ours on what happened; foreign text, without the key.
        words: the API's words alone, or "".
        retry_after: seconds after which the API wants to be asked again, at most an hour, or None.
        task_id: an id that stood in an answer that is otherwise no good: a task may exist, and be paid for. Foreign
            text, of any length, and perhaps of no use as an id.
    """

    explanation = "The Veo API could not be used."
    charged: Charged = "unknown"
    default_code = "error"
    default_type = "error"

    def __init__(
        self,
        message: str = "",
        *,
        explanation: str | None = None,
        http_status: int | None = None,
        code: str | None = None,
        type: str | None = None,
        retry_after: float | None = None,
        task_id: str | None = None,
        words: str = "",
    ) -> None:
        super().__init__(explanation)
        self.message = message
        self.http_status = http_status
        self.code = code or self.default_code
        self.type = type or self.default_type
        self.retry_after = retry_after
        self.task_id = task_id
        self.words = words

    def __str__(self) -> str:
        return self.message or self.explanation


class NotSent(ApiError):
    """No byte of the request left: the connection never came about."""

    explanation = (
        "The Veo API could not be reached, so nothing was sent. Check network and VEO_BASE_URL, then try again."
    )
    charged: Charged = "no"
    default_code = "not_sent"


class Refused(ApiError):
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

    explanation = "The balance is too low; get_credits shows the balance, and the person must buy more."


class IpNotAllowed(Refused):
    """403: the request came from an address outside the key's allowlist."""

    explanation = "The key may not be used from this machine's address; the person must change the key's IP allowlist."


class ModelNotFound(Refused):
    """404: the model does not exist or is inactive."""

    explanation = "The Veo API does not offer this model at the moment; try again later."


class TaskNotFound(Refused):
    """404: the task id does not exist."""

    explanation = "The Veo API has no task with this id; list_tasks shows the ids."


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


class DownloadFailed(ApiError):
    """A finished video could not be fetched; that never costs credits, and harms neither the task nor its link."""

    explanation = "The video could not be downloaded; run the download again."
    charged: Charged = "no"
    default_code = "download_failed"


class Unanswered(ApiError):
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


class RequestError(VeoMcpError):
    """What was asked for cannot be done; nothing was sent."""


class RuleViolation(RequestError):
    """The arguments do not fit the API's rules; the explanation says which and what fits."""


class UnknownTask(RequestError):
    """No task with this id exists for this account.

    Attributes:
        task_id: what was asked for; untrusted text.
    """

    explanation = "No task with this id exists; list_tasks shows the ids."

    def __init__(self, task_id: str, explanation: str | None = None) -> None:
        super().__init__(explanation)
        self.task_id = task_id


class NotExtendable(RequestError):
    """The task to extend is not completed, or belongs to another API."""


class SpendLimit(RequestError):
    """The credits allowed in any 24 h do not cover this request.

    Attributes:
        spent: credits counted in the last 24 h.
        limit: what is allowed.
        price: what this request would cost.
        more_at: Unix seconds from which the limit covers this price again, if nothing else is spent; None: never.
    """

    def __init__(self, spent: int, limit: int, *, price: int, more_at: float | None = None) -> None:
        super().__init__(f"The limit of {limit} credits in 24 h would be passed: {spent} are spent, {price} are asked.")
        self.spent = spent
        self.limit = limit
        self.price = price
        self.more_at = more_at


class WrongCursor(RequestError):
    """A cursor that no page of this journal ended with."""

    explanation = "This cursor was not made here; without one the newest come."


class JournalError(VeoMcpError):
    """The record of requests and outcomes."""


class JournalUnusable(JournalError):
    """The store cannot be read or written; the explanation names it and says what to do. Nothing may be sent."""


class UpstreamIdTaken(JournalError):
    """Another entry of the same API has this task id already.

    Attributes:
        owner_id: that entry's own id.
    """

    def __init__(self, owner_id: str) -> None:
        super().__init__("Another task has this API id already.")
        self.owner_id = owner_id


class Unrecorded(JournalError):
    """A create was sent, and the journal then failed; the explanation says what is known of it.

    Attributes:
        credits: its price.
        estimated: whether the price is only an estimate.
        sandbox: whether the credits are a sandbox's.
    """

    def __init__(
        self, explanation: str, charged: Charged, credits: int, *, estimated: bool = False, sandbox: bool = False
    ) -> None:
        super().__init__(explanation)
        self.charged = charged
        self.credits = credits
        self.estimated = estimated
        self.sandbox = sandbox


class FileTrouble(VeoMcpError):
    """A finished video cannot be saved or joined on this machine; the explanation says why. It costs nothing."""


class SetupError(VeoMcpError):
    """The server cannot do its work as it is set up."""


class WrongSetting(SetupError):
    """A setting that money or safety hangs on is not usable."""


class SandboxMissing(SetupError):
    """The extra `sandbox` is not installed; the explanation names the command that installs it."""


class SandboxUnavailable(SetupError):
    """The folder's sandbox can be neither hosted nor used; the explanation says why and what to do."""


class NotLoopback(SetupError):
    """The server was asked to listen where others could reach it, and has no list of who may."""


class PortTaken(SetupError):
    """The port cannot be opened; the explanation says why."""


class Unavailable(SetupError):
    """The work behind the server has not started or has ended; the explanation says why."""
