"""The tables of the Veo API as frozen types: what may be asked, what comes back, what it costs.

Used by every layer and by the sandbox, which checks requests with the same `rule_violation`. Never performs I/O.
Source: the provider's model page "Veo 3.1" and its pages "Credits Query" and "Authentication".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from veo_mcp.text import clean

__all__ = [
    "MODEL_CREATE",
    "MODEL_EXTEND",
    "PRICES",
    "ApiTask",
    "AspectRatio",
    "CreateInput",
    "Credits",
    "ExtendInput",
    "GenerationRequest",
    "GenerationType",
    "Mode",
    "rule_violation",
]

MODEL_CREATE = "veo-3"
MODEL_EXTEND = "veo-3-extend"
MOST_IMAGES = 3
LONGEST_ID, LONGEST_URL, LONGEST_LABEL, LONGEST_WORDS = 200, 2048, 60, 500
MOST_URLS = 20


class Mode(StrEnum):
    """How much care, and money, goes into a video."""

    FAST = "fast"
    QUALITY = "quality"


PRICES: Mapping[Mode, int] = MappingProxyType({Mode.FAST: 40, Mode.QUALITY: 300})
"""Credits for one video; 1 credit is $0.005. What an extension costs is not documented."""


class AspectRatio(StrEnum):
    """The shape of the picture."""

    WIDE = "16:9"
    TALL = "9:16"
    AUTO = "Auto"


class GenerationType(StrEnum):
    """What the images, if any, are for."""

    TEXT = "TEXT_2_VIDEO"
    FRAMES = "FIRST_AND_LAST_FRAMES_2_VIDEO"
    REFERENCE = "REFERENCE_2_VIDEO"


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CreateInput(_Sent):
    """`input` of a create; all but `prompt` are optional and left out of the request when None."""

    prompt: str
    mode: Mode | None = None
    aspect_ratio: AspectRatio | None = None
    generation_type: GenerationType | None = None
    image_urls: tuple[str, ...] | None = None
    seeds: int | None = None
    watermark: str | None = None


class ExtendInput(_Sent):
    """`input` of an extension; `extend_task_id` is the API's own id of a completed task."""

    prompt: str
    extend_task_id: str


class GenerationRequest(_Sent):
    """The body of `POST /v1/videos/generations`."""

    model: str
    input: CreateInput | ExtendInput
    callback_url: str | None = None

    def body(self) -> dict[str, Any]:
        """The JSON to send, without the fields that were not given."""
        return self.model_dump(mode="json", exclude_none=True)


def rule_violation(request: CreateInput) -> str | None:
    """The first of the API's rules that this create breaks, as one sentence, or None."""
    images = request.image_urls or ()
    kind = request.generation_type
    if not request.prompt.strip():
        return "prompt must say in words what the video shows; it is empty."
    if request.seeds is not None and not 10000 <= request.seeds <= 99999:
        return "seeds must be a whole number from 10000 to 99999."
    if len(images) > MOST_IMAGES:
        return "image_urls takes at most 3 images."
    for position, url in enumerate(images, 1):
        if not _is_web_url(url):
            return f"image_urls entry {position} must be an http or https URL."
    if kind is GenerationType.TEXT and images:
        return "TEXT_2_VIDEO takes no image_urls; leave generation_type out, or the images."
    if kind is not None and kind is not GenerationType.TEXT and not images:
        return f"{kind.value} needs image_urls."
    if kind is GenerationType.REFERENCE and request.mode is Mode.QUALITY:
        return "REFERENCE_2_VIDEO works in mode fast only."
    if kind is not GenerationType.REFERENCE and len(images) == MOST_IMAGES:
        # Undocumented: with images and no type the API detects first and last frames, and three fit only REFERENCE.
        return "Three images fit only REFERENCE_2_VIDEO; name it as generation_type, or give one or two frames."
    return None


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


class _Received(BaseModel):
    """Unknown fields are ignored, as the API may grow. Odd values that are not needed are dropped, to lose no task."""

    model_config = ConfigDict(frozen=True, extra="ignore")


_FAR = 253_402_300_000.0  # the last hour of the year 9999


def _number(value: object) -> object:
    # Documented as null or a number; anything else says nothing about progress and must not cost us the task.
    # So is what no float holds: JSON may say 1e999, and nobody can use infinity.
    return value if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 else None


def _moment(value: object) -> datetime | None:
    """Unix seconds, as a number or in digits, or an ISO date, as aware UTC; None for anything else.

    Not left to pydantic, which takes large numbers for milliseconds and dates before the year 1 for valid.
    """
    if isinstance(value, str) and 0 < len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            try:
                date = datetime.fromisoformat(value)
                value = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
            except (ValueError, OverflowError):
                return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FAR:
        return None
    return datetime.fromtimestamp(value, UTC)


def _created(value: object) -> object:
    # A task whose date is odd is still a task; 1970 says plainly that the date is not known.
    return _moment(value) or datetime.fromtimestamp(0, UTC)


def _label(value: object) -> object:
    return clean(value, LONGEST_LABEL) or None if isinstance(value, str) else None


def _status(value: object) -> object:
    # Without a status an answer says nothing: it stays of the wrong type, and is refused.
    return clean(value, LONGEST_LABEL) if isinstance(value, str) else value


def _id(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST_ID:
        return str(value)
    return value


def _urls(value: object) -> object:
    found = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(url for url in found[:MOST_URLS] if isinstance(url, str) and _can_be_kept(url))


def _can_be_kept(url: str) -> bool:
    return 0 < len(url) <= LONGEST_URL and clean(url, LONGEST_URL) == url and " " not in url


def _object(value: object) -> object:
    return cast("object", value) if isinstance(value, dict) else None


def _error_code(value: object) -> object:
    return clean(str(value), LONGEST_LABEL) or "unknown" if isinstance(value, str | int) else "unknown"


def _error_words(value: object) -> object:
    return clean(value, LONGEST_WORDS) if isinstance(value, str) else ""


class _Metadata(_Received):
    resolution: Annotated[str | None, BeforeValidator(_label)] = None


class _Output(_Received):
    urls: Annotated[tuple[str, ...], BeforeValidator(_urls)] = ()
    metadata: Annotated[_Metadata | None, BeforeValidator(_object)] = None


class _TaskError(_Received):
    code: Annotated[str, BeforeValidator(_error_code)] = "unknown"
    message: Annotated[str, BeforeValidator(_error_words)] = ""


class ApiTask(_Received):
    """The answer of `GET /v1/tasks/{id}`. Times arrive as Unix seconds and become aware UTC datetimes.

    All text in it is on one line, of bounded length, and without characters that hide; it is foreign all the same.
    A `created_at` that is missing or odd is 1970: not known.
    """

    id: Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=LONGEST_ID)]
    status: Annotated[str, BeforeValidator(_status), Field(min_length=1)]
    model: Annotated[str | None, BeforeValidator(_label)] = None
    created_at: Annotated[datetime, BeforeValidator(_created)] = datetime.fromtimestamp(0, UTC)
    completed_at: Annotated[datetime | None, BeforeValidator(_moment)] = None
    progress: Annotated[float | None, BeforeValidator(_number)] = None
    output: Annotated[_Output | None, BeforeValidator(_object)] = None
    error: Annotated[_TaskError | None, BeforeValidator(_object)] = None

    @property
    def video_urls(self) -> tuple[str, ...]:
        """The finished videos' URLs, which are permanent. Whether one may be linked, api/network.py says."""
        return self.output.urls if self.output else ()

    @property
    def resolution(self) -> str | None:
        """Such as "720p"."""
        return self.output.metadata.resolution if self.output and self.output.metadata else None


_Amount = Annotated[int, Field(gt=-(10**15), lt=10**15)]


class Credits(_Received):
    """The answer of `GET /v1/credits`."""

    balance: _Amount
    total_purchased: _Amount
    total_consumed: _Amount
