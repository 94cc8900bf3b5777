"""Thousands of answers that no API should give, made from good ones by a seed, at every call.

Whatever comes: a value or an ApiError, never another exception; "not charged" never after a 200 or an answer that names
a task; and an id that stands in an answer is returned or kept on the error. VEO_MUTATIONS=10000 runs as many.
"""

import gzip
import json
import logging
import os
import random
import zlib
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from tests.api.servers import CREATE, client, serving
from tests.support.raw_api import TASK_ID
from veo_mcp.api.client import VeoClient
from veo_mcp.errors import ApiError

pytestmark = pytest.mark.anyio

MUTATIONS = int(os.environ.get("VEO_MUTATIONS", "300"))
PER_SERVER = 100
CALLS = ("create", "task", "credits", "download")

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 1.5, 10**30, 10**400, -(10**19), 1e308, "", " ", "x" * 300, "x" * 70_000),
    *("\ud800", "a\0b", "\u202eevil", "two\nlines", [], {}, [[]], {"id": {}}, ["x"], "../../etc/passwd", "NaN", "²"),
    *("0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "https://[", "javascript:x", {"taskId": "inner-1"}),
]
HEADERS = [
    *("Retry-After: \xb2", "Retry-After: 86400000", "Retry-After: " + "9" * 309, "Retry-After: -1", "Retry-After: "),
    *("Retry-After: Mon, 01 Jan 0001 00:00:00 GMT", "Location: http://[", "Location: \x01", "Location: /x"),
    *("Content-Encoding: br", "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: \xff"),
    *(
        "Content-Type: text/html",
        "Content-Type: \xff; charset=\xff",
        "Set-Cookie: a=b; expires=x",
        "X-Veo-Sandbox: \xff",
    ),
    *("Transfer-Encoding: chunked", "Content-Length: 5", "Content-Length: x", "Content-Range: bytes 5-9/3"),
    *("ETag: W/x", "Connection: upgrade", "X: " + "y" * 70_000, "X" * 200, ": empty", "X:\x00", "Date: \xff"),
]
STATUSES = [
    *([200] * 12),
    *(
        201,
        202,
        204,
        206,
        301,
        302,
        400,
        401,
        402,
        403,
        404,
        407,
        408,
        416,
        418,
        429,
        451,
        500,
        502,
        503,
        504,
        522,
        999,
    ),
]

GOOD: dict[str, Any] = {
    "create": {"code": 200, "msg": "success", "data": {"taskId": TASK_ID}},
    "task": {
        "id": TASK_ID,
        "status": "completed",
        "model": "veo-3",
        "created_at": 1774790227,
        "completed_at": 1774796529,
        "progress": 50,
        "output": {"urls": ["https://a.example/v.mp4"], "metadata": {"resolution": "720p"}},
        "error": {"code": "upstream_error", "message": "failed"},
    },
    "credits": {"code": 200, "msg": "success", "data": {"balance": 1, "total_purchased": 2, "total_consumed": 1}},
    "download": {"error": {"code": "invalid_request", "message": "m", "type": "t"}},
}
VIDEO = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x10mdat12345678"


def changed(value: Any, dice: random.Random) -> Any:
    """The value with one part replaced, dropped, doubled or renamed, somewhere."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        fields = dict(cast("dict[str, Any]", value))
        key = dice.choice(list(fields))
        match dice.randrange(6):
            case 0:
                fields[key] = dice.choice(ODD)
            case 1:
                del fields[key]
            case 2:
                fields[dice.choice(["task_id", "id", "taskID", "x", ""])] = fields.pop(key)
            case 3:
                fields["error"] = dice.choice([GOOD["download"]["error"], *ODD])
            case _:
                fields[key] = changed(fields[key], dice)
        return fields
    return dice.choice(ODD) if dice.random() < 0.5 else [value]


def body_of(call: str, dice: random.Random) -> bytes:
    if call == "download" and dice.random() < 0.6:
        body = VIDEO
    else:
        value = GOOD[call]
        for _ in range(dice.randrange(4)):
            value = changed(value, dice)
        body = json.dumps(value).encode()
    match dice.randrange(14):
        case 0:
            return body[: dice.randrange(len(body) + 1)]
        case 1:
            at = dice.randrange(len(body) + 1)
            return body[:at] + dice.randbytes(dice.randrange(1, 9)) + body[at:]
        case 2:
            return body.replace(b"1", b"NaN", 1)
        case 3:
            return b"[" * 50_000 + body
        case 4:
            return body + b'{"a":' * 50_000
        case 5:
            return b"\xef\xbb\xbf" + body
        case 6:
            return body.decode("utf-8", "replace").encode("utf-16")
        case 7:
            return b"<!DOCTYPE html>" + body
        case _:
            return body


def answer_of(call: str, dice: random.Random) -> tuple[bytes, bytes | None]:
    """An answer's bytes, and its body if a client that is not broken can read it as JSON."""
    body = body_of(call, dice)
    sent, headers = body, [f"Content-Length: {len(body)}"]
    match dice.randrange(8):
        case 0:
            sent, headers = gzip.compress(body), ["Content-Encoding: gzip"]
        case 1:
            sent, headers = zlib.compress(body), ["Content-Encoding: deflate"]
        case _:
            pass
    headers += dice.sample(HEADERS, dice.choice([0, 0, 0, 1, 2]))
    status = dice.choice(STATUSES)
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{line}\r\n" for line in headers) + "\r\n"
    data = head.encode("latin-1") + sent
    cut = dice.random()
    if cut < 0.05:
        data = data[: dice.randrange(len(data) + 1)]
    elif cut < 0.1:
        at = dice.randrange(len(data))
        data = data[:at] + dice.randbytes(3) + data[at + 3 :]
    readable = body if cut >= 0.1 and len(headers) == 1 and status != 204 else None
    return data, readable


def ids_in(body: bytes) -> set[str]:
    """The ids that a reader of well-formed JSON finds under `taskId`, anywhere."""
    try:
        waiting = [json.loads(body.decode("utf-8-sig"))]
    except (ValueError, RecursionError):
        return set()
    found: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            task_id = fields.get("taskId")
            if isinstance(task_id, str | int | float) and not isinstance(task_id, bool) and str(task_id).strip():
                found.add(str(task_id).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
            waiting.extend(fields.values())
        elif isinstance(value, list):
            waiting.extend(cast("list[Any]", value))
    return found


async def called(api: VeoClient, call: str, url: str, folder: Path) -> str | ApiError:
    try:
        match call:
            case "create":
                return (await api.send_create(CREATE)).value
            case "task":
                task = (await api.get_task(TASK_ID)).value
                # What is stored and shown later must be encodable, and its dates must have a time stamp.
                json.dumps(task.model_dump(mode="json")).encode()
                task.model_dump_json().encode()
                assert task.created_at.timestamp() >= 0
                return task.id
            case "credits":
                return str((await api.get_credits()).value.balance)
            case _:
                path = folder / "v.mp4"
                path.unlink(missing_ok=True)
                await api.download(url + "/v.mp4", path)
                assert path.read_bytes()[:1] not in (b"", b"<", b"{")
                return "saved"
    except ApiError as error:
        (error.explanation + error.message + str(error.code) + str(error.type) + str(error.task_id)).encode()
        return error


@pytest.mark.parametrize("call", CALLS)
async def test_no_answer_crashes_a_call_hides_a_charge_or_loses_an_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    caplog.set_level(logging.DEBUG)
    outcomes: dict[str, int] = {}
    with anyio.fail_after(60 + MUTATIONS / 20):
        for start in range(0, max(MUTATIONS // len(CALLS), 1), PER_SERVER):
            said = [b""]
            async with serving(lambda _, said=said: said[0]) as server, client(server.url(), seconds=5) as api:
                for seed in range(start, min(start + PER_SERVER, MUTATIONS // len(CALLS))):
                    data, body = answer_of(call, random.Random(f"{call} {seed}"))
                    said[0] = data
                    outcome = await called(api, call, server.url(), tmp_path)
                    kind = type(outcome).__name__
                    outcomes[kind] = outcomes.get(kind, 0) + 1
                    if call == "create":
                        check(seed, data, body, outcome)
    assert "Traceback" not in caplog.text
    # Not all the same: the mutations reach the good, the refused and the unknown.
    assert len(outcomes) >= 2


def check(seed: int, data: bytes, body: bytes | None, outcome: str | ApiError) -> None:
    charged = outcome.charged if isinstance(outcome, ApiError) else "yes"
    ids = ids_in(body) if body is not None else set[str]()
    if data[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 500", b"HTTP/1.1 502", b"HTTP/1.1 504"):
        assert charged in ("yes", "unknown"), (seed, data[:300], outcome)
    if ids:
        assert charged in ("yes", "unknown"), (seed, data[:300], outcome)
        kept = outcome.task_id if isinstance(outcome, ApiError) else outcome
        assert kept in ids, (seed, data[:300], outcome)
