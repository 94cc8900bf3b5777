"""What an HTTP answer says: unpacked within bounds, read as JSON without surprises, turned into a value or an error.

Called by transport.py (unpacking, Retry-After) and client.py (the rest). An answer is foreign from its first byte to
its last: nothing in it may raise anything but an ApiError, and an id that stands in it is never lost. Pure.
"""

import json
import math
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from veo_mcp.api import causes
from veo_mcp.api.documented_errors import REFUSALS, from_envelope, proven_by
from veo_mcp.errors import ApiError
from veo_mcp.text import clean, redact, shown_id

__all__ = ["ApiResponse", "Reader", "mentioned_id", "retry_after", "unpacked", "usable_id"]

M = TypeVar("M", bound=BaseModel)

BODY_LIMIT = 1024 * 1024
LONGEST_ID = 200
LONGEST_WAIT = 3600.0
"""Seconds of a Retry-After that are believed: 86,400,000 once stopped the polling for 997 days."""
MESSAGE_LIMIT = 500

_ID_KEYS = ("taskId", "taskid", "task_id", "id")
_ID_IN_TEXT = re.compile(
    r'"(task_?id|id)"\s*:\s*(?:"((?:[^"\\]|\\.)*)"|(-?[0-9][0-9.eE+-]*)(?=[\s,}\]]))', re.IGNORECASE
)
_CUT_ID = re.compile(r'"task_?id"\s*:\s*"?([^"\s][^"]*)\Z', re.IGNORECASE)
_PAGE = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)
_CLOUDFLARE = re.compile(rb"error code: (1\d{3})\b|<title>[^<]*(?:cloudflare|just a moment)", re.IGNORECASE)
_PLAIN_TO_TLS = re.compile(rb"plain http request was sent to https port|http request to an https server", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An HTTP answer, its body unpacked and at most 1 MiB.

    Attributes:
        sandbox: the ledger's id of the sandbox that answered, or None.
        retry_after: seconds, or None.
        media_type: such as `application/json`, in lower case.
        location: the host that a redirect leads to, as it may be shown, or "".
        flaw: why the body is not whole, or cannot be read, if so; `body` is then what was read of it.
    """

    status: int
    body: bytes
    sandbox: str | None = None
    retry_after: float | None = None
    media_type: str = ""
    location: str = ""
    flaw: ApiError | None = None

    @property
    def is_page(self) -> bool:
        """Whether it is a web page."""
        return "html" in self.media_type or _PAGE.match(self.body) is not None


def retry_after(value: str | None, now: float, longest: float = LONGEST_WAIT) -> float | None:
    """The seconds that a Retry-After header asks for, as a number or as a date, at most `longest`; nonsense is None.

    Args:
        now: Unix seconds.
    """
    text = (value or "").strip()
    # isdecimal alone takes "²" (a byte B2), which float() then refuses; a date has at most 29 characters.
    if text.isascii() and text.isdecimal():
        return min(float(text[-6:]) if not text[:-6].strip("0") else longest, longest)
    if not text or len(text) > 40 or not text.isascii() or not text[0].isalpha():
        return None
    try:
        date = parsedate_to_datetime(text)
        at = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, at - now), longest)


def unpacked(raw: bytes, coding: str) -> tuple[bytes, ApiError | None]:
    """The body without its Content-Encoding, at most 1 MiB, and what was wrong with it.

    Done here and not by the HTTP library, which inflates a bomb whole (httpx 0.28: 254 KiB grew to 273 MB). Identity is
    asked for; gateways compress all the same, and a paid task's id may stand inside.
    """
    match coding.strip().lower():
        case "" | "identity":
            return raw, None
        case "gzip" | "x-gzip":
            return _inflated(raw, 16 + zlib.MAX_WBITS)
        case "deflate":
            # Named for zlib's format; some servers send the bare stream.
            body, flaw = _inflated(raw, zlib.MAX_WBITS)
            return (body, flaw) if flaw is None or body else _inflated(raw, -zlib.MAX_WBITS)
        case other:
            return b"", causes.COMPRESSED.error(coding=clean(other, 40))


def _inflated(raw: bytes, window: int) -> tuple[bytes, ApiError | None]:
    engine = zlib.decompressobj(window)
    body = b""
    try:
        body = engine.decompress(raw, BODY_LIMIT)
        # The last bytes may still be inside; one more than the limit tells "full" from "too large".
        if len(body) == BODY_LIMIT and engine.decompress(engine.unconsumed_tail, 1):
            return body, causes.TOO_LARGE.error()
    except zlib.error:
        return body or _inflated_so_far(raw, window), causes.DAMAGED.error()
    return body, None if engine.eof else causes.DAMAGED.error()


def _inflated_so_far(raw: bytes, window: int) -> bytes:
    """What a damaged stream yields before its fault; fed in small pieces: an error takes a whole piece along."""
    engine, body = zlib.decompressobj(window), bytearray()
    try:
        for start in range(0, min(len(raw), 64 * 1024), 16):
            body += engine.decompress(raw[start : start + 16], BODY_LIMIT)
            if len(body) >= BODY_LIMIT:
                break
    except zlib.error:
        pass
    return bytes(body[:BODY_LIMIT])


def usable_id(value: object) -> str | None:
    """`value` as a task's id, or None: text that is not blank, or a whole number, of at most 200 characters."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**LONGEST_ID:
        return str(value)
    # A NUL ends a text in C and is refused by PostgreSQL; U+FFFD stands where a lone surrogate stood.
    if isinstance(value, str) and value.strip() and len(value) <= LONGEST_ID and not {"\0", "\ufffd"} & set(value):
        return value
    return None


def mentioned_id(body: bytes, *, loosely: bool = True) -> str | None:
    """An id of a task that stands anywhere in an answer, in any shape, cut JSON included; None if there is none.

    The first `taskId` counts, before the same in other case, before any `task_id`, before any `id`. It may be of any
    length, and of no use.

    Args:
        loosely: whether a bare `id` counts; in a refusal it is most likely the request's.
    """
    keys = _ID_KEYS if loosely else _ID_KEYS[:-1]
    found: dict[str, str] = {}
    try:
        pairs: Iterable[tuple[str, object]] = _walk(_loads(body))
    except (ValueError, RecursionError):
        pairs = _pairs_in_text(_text(body))
    for key, value in pairs:
        name = key if key in keys else key.lower()
        if name in keys and name not in found:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                continue
            shown = str(value)
            if shown.strip():
                found[name] = shown
    return next((found[name] for name in keys if name in found), None)


def _walk(value: object) -> Iterator[tuple[str, object]]:
    """Every key and value, at any depth, without recursion: depth is the answer's choice."""
    waiting = deque([value])
    while waiting:
        item = waiting.popleft()
        if isinstance(item, dict):
            fields = cast("dict[str, object]", item)
            yield from fields.items()
            waiting.extend(fields.values())
        elif isinstance(item, list):
            waiting.extend(cast("list[object]", item))


def _pairs_in_text(text: str) -> Iterator[tuple[str, object]]:
    for key, string, number in _ID_IN_TEXT.findall(text):
        yield key, _unescaped(string) if string else number


def _unescaped(string: str) -> str:
    try:
        return _whole_characters(json.loads(f'"{string}"', strict=False))
    except ValueError:
        return string


def _text(body: bytes) -> str:
    return body.decode(json.detect_encoding(body) if body else "utf-8", "replace")


def _whole_characters(text: str) -> str:
    """Lone surrogates, which nothing can encode, as U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | str:
    # Python refuses to read an int of more than 4,300 digits; as text it is kept, should it stand where an id stands.
    return int(digits) if len(digits) <= 2 * LONGEST_ID else digits


def _loads(body: bytes, hook: Any = None) -> object:
    # NaN and Infinity are no JSON, and 1e999 is more than a float holds: all three say nothing, and become null.
    return json.loads(
        _text(body),
        parse_constant=lambda _: None,
        parse_float=_finite,
        parse_int=_integer,
        object_pairs_hook=hook,
        strict=False,
    )


class Reader:
    """Reads the answers of one API.

    Args:
        host: as it may be shown.
        path: the path of its base URL, "" as a rule; named where it may be the cause.
        secrets: what must not come out of here, though an API repeats it: the key.
    """

    def __init__(self, host: str, path: str = "", secrets: Sequence[str] = ()) -> None:
        self._host = host
        self._path = path
        self._secrets = secrets

    def redacted(self, text: str) -> str:
        """`text` without secrets, and without what cannot be encoded."""
        return redact(_whole_characters(text), self._secrets)

    def value(self, answer: ApiResponse) -> object:
        """The JSON of a good answer. Raises ApiError."""
        # The status line of a refusal came whole, and says enough; what else is cut proves nothing.
        if answer.flaw is not None and answer.status not in REFUSALS:
            answer.flaw.http_status = answer.status
            raise answer.flaw
        if answer.status not in (200, 201, 202):
            raise self.refusal(answer)
        parsed = self._parsed(answer)
        if parsed is None:
            raise (causes.LOGIN_PAGE if answer.is_page else causes.NOT_JSON).error(http_status=answer.status)
        return parsed

    def data(self, answer: ApiResponse) -> object:
        """`data` of the envelope {"code": 200, "msg": …, "data": …}; a 200 whose code is another is an error too."""
        envelope = self.value(answer)
        if not isinstance(envelope, dict):
            raise causes.WRONG_SHAPE.error(http_status=answer.status)
        fields = cast("dict[str, Any]", envelope)
        if fields.get("code") != 200:
            found = clean(str(fields.get("code"))[:100], 40) if "code" in fields else "none"
            words = self._word(fields.get("msg")) or ""
            message = f"HTTP 200 with code {found}" + (f": {words}" if words else "")
            raise causes.CODE_NOT_200.error(message, words=words, http_status=answer.status, found=found)
        return fields.get("data")

    def model(self, kind: type[M], data: object, status: int) -> M:
        """`data` as that model. Raises BadAnswer."""
        try:
            return kind.model_validate(data)
        except (ValidationError, RecursionError, OverflowError):
            raise causes.WRONG_SHAPE.error(http_status=status) from None

    def created(self, answer: ApiResponse, *, but: str | None = None) -> str:
        """The id of the task that a create made.

        Raises ApiError; an id that stands in the answer is its `task_id`. A refusal that names a task proves nothing.

        Args:
            but: the id of the task to extend, which an error may repeat.
        """
        try:
            data = self.data(answer)
            value = cast("dict[str, Any]", data).get("taskId") if isinstance(data, dict) else None
            if (task_id := usable_id(value)) is not None:
                return task_id
            if value is None or value == "":
                raise causes.NO_TASK_ID.error(http_status=answer.status)
            raise causes.ODD_TASK_ID.error(http_status=answer.status, found=self._shown(value))
        except ApiError as error:
            raise self._keeping_id(error, answer, but) from None

    def refusal(self, answer: ApiResponse) -> ApiError:
        """The error that a failed answer stands for."""
        parsed = self._parsed(answer)
        envelope = cast("dict[str, Any]", parsed).get("error") if isinstance(parsed, dict) else None
        if isinstance(envelope, dict):
            fields = cast("dict[str, Any]", envelope)
            code, type_, words = (self._word(fields.get(name)) for name in ("code", "type", "message"))
            if code or words:
                if cause := self._wrong_path(answer.status, code):
                    return cause
                return from_envelope(answer.status, code, type_, words or "", answer.retry_after)
        return self._page(answer)

    def _page(self, answer: ApiResponse) -> ApiError:
        """The error for an answer that is not the API's: the status, and what is known of such pages, speak."""
        status, kind = answer.status, proven_by(answer.status)
        filled: dict[str, Any] = {"http_status": status, "retry_after": answer.retry_after, "host": self._host}
        if (blocked := _CLOUDFLARE.search(answer.body, 0, 64 * 1024)) and status in (401, 403, 429, 503):
            why = f"error {blocked[1].decode()}" if blocked[1] else f"HTTP {status}"
            # A 403 of theirs is not the key's IP allowlist.
            return causes.CLOUDFLARE.error(kind=_not_the_key(status, kind), why=why, **filled)
        if cause := self._wrong_path(status, None):
            return cause
        if _PLAIN_TO_TLS.search(answer.body, 0, 64 * 1024):
            return causes.HTTP_TO_TLS_PORT.error(kind=kind, **filled)
        if 300 <= status < 400:
            return causes.REDIRECT.error(to=answer.location or "another address", **filled)
        match status:
            case 403:
                return causes.FORBIDDEN_PAGE.error(**filled)
            case 404:
                return causes.NO_SUCH_PAGE.error(status=status, **filled)
            case 407:
                return causes.PROXY_AUTH_PAGE.error(**filled)
            case 451:
                return causes.BLOCKED_BY_LAW.error(**filled)
            case 400 | 401 | 402 | 429 | 500:
                return kind(f"HTTP {status}", http_status=status, retry_after=answer.retry_after)
            case _:
                cause = causes.GATEWAY if 500 < status < 600 else causes.UNEXPECTED_STATUS
                return cause.error(status=status, **filled)

    def _wrong_path(self, status: int, code: str | None) -> ApiError | None:
        if not self._path or status not in (404, 405) or code in ("model_not_found", "task_not_found"):
            return None
        return causes.BASE_URL_PATH.error(
            kind=proven_by(status), http_status=status, host=self._host, path=clean(self._path, 80)
        )

    def _keeping_id(self, error: ApiError, answer: ApiResponse, but: str | None) -> ApiError:
        refused = error.charged in ("no", "refunded")
        mentioned = mentioned_id(answer.body, loosely=not refused)
        if mentioned == but and but is not None:
            return error
        if mentioned is None:
            # Half an id is no use for asking, but the provider may find the task by it.
            if (cut := _CUT_ID.search(_text(answer.body)[-2 * LONGEST_ID :])) is not None:
                error.message += f"; the answer breaks off in the task's id, “{clean(self.redacted(cut[1]), 100)}…”"
            return error
        mentioned = self.redacted(mentioned)
        if refused:
            # A task was named: an API that says "refused" may still have made it, and a paid task must not be lost.
            error = causes.ID_IN_ERROR.error(
                f"{error.message} (names the task {shown_id(mentioned)})",
                words=error.words,
                http_status=answer.status,
                status=answer.status,
                found=shown_id(mentioned),
            )
        error.task_id = mentioned
        return error

    def _parsed(self, answer: ApiResponse) -> object | None:
        try:
            return _loads(answer.body, self._tidy)
        except (ValueError, RecursionError):
            return None

    def _tidy(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: self._tidied(value) for key, value in pairs}

    def _tidied(self, value: object) -> object:
        if isinstance(value, str):
            return self.redacted(value)
        if isinstance(value, list):
            return [self.redacted(item) if isinstance(item, str) else item for item in cast("list[object]", value)]
        return value

    def _word(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        return clean(str(value), MESSAGE_LIMIT) or None

    def _shown(self, value: object) -> str:
        if isinstance(value, str):
            return f"{len(value)} characters, {shown_id(value)}"
        return clean(str(value), 40) if isinstance(value, int | float) else f"a {type(value).__name__}"


def _not_the_key(status: int, kind: type[ApiError]) -> type[ApiError]:
    return causes.FORBIDDEN_PAGE.kind if status in (401, 403) else kind
