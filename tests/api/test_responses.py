"""Answers as they come: compressed, numeric, cut, too deep, too long, of other shapes. Over real sockets.

The rule of all: nothing but an ApiError, nothing charged is called "not charged", and no id is thrown away.
"""

import gzip
import json
import zlib
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import pytest

from tests.api.servers import CREATE, KEY, at_once, client, extend, failure, serving
from tests.support.raw_api import TASK_ID, answer, error, success
from veo_mcp.api.models import ApiTask
from veo_mcp.api.responses import mentioned_id, retry_after, unpacked, usable_id
from veo_mcp.errors import ApiError, BadAnswer, Refused, TaskNotFound, Unanswered

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0
GOOD = json.dumps({"code": 200, "msg": "success", "data": {"taskId": TASK_ID}}).encode()


async def create(data: bytes, **options: Any) -> str | ApiError:
    """What a create comes to: the id, or the error."""
    async with serving(data) as server, client(server.url(), **options) as api:
        try:
            return (await api.send_create(CREATE)).value
        except ApiError as problem:
            return problem


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(GOOD, mtime=0)),
        ("GZIP", gzip.compress(GOOD, mtime=0)),
        ("x-gzip", gzip.compress(GOOD, mtime=0)),
        ("deflate", zlib.compress(GOOD)),
        ("deflate", raw_deflate(GOOD)),
        ("identity", GOOD),
    ],
)
async def test_a_compressed_answer_is_read_though_it_was_not_asked_for(coding: str, body: bytes) -> None:
    assert await create(answer(200, body, f"Content-Encoding: {coding}")) == TASK_ID


async def test_a_bomb_is_unpacked_to_a_mebibyte_and_no_further() -> None:
    bomb = gzip.compress(b"\0" * 100_000_000, mtime=0)
    body, flaw = unpacked(bomb, "gzip")
    assert len(body) == 1024 * 1024
    assert flaw is not None
    assert flaw.code == "too_large"
    body, flaw = unpacked(gzip.compress(b"x" * 1024 * 1024, mtime=0), "gzip")
    assert (len(body), flaw) == (1024 * 1024, None)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "\u2603"])
async def test_a_coding_that_is_not_read_is_named(coding: str) -> None:
    outcome = await create(answer(200, GOOD, f"Content-Encoding: {coding}"))
    assert isinstance(outcome, BadAnswer)
    assert outcome.code == "compressed"


async def test_the_id_in_a_cut_or_damaged_compressed_answer_is_kept() -> None:
    padded = json.dumps({"code": 200, "data": {"taskId": TASK_ID}, "padding": list(range(3000))}).encode()
    packed = gzip.compress(padded, mtime=0)
    for broken in (packed[: len(packed) // 2], packed[:600] + b"\xff\xff\xff\xff" + packed[604:]):
        outcome = await create(answer(200, broken, "Content-Encoding: gzip"))
        assert isinstance(outcome, BadAnswer)
        assert (outcome.code, outcome.task_id) == ("damaged", TASK_ID)


@pytest.mark.parametrize("number", [42, 0, -7, 10**30])
async def test_a_number_is_an_id(number: int) -> None:
    assert await create(success(number)) == str(number)


KEPT: dict[str, tuple[bytes, str]] = {
    "cut in the body": (success()[:-2], TASK_ID),
    "a number, and then cut": (success(4242)[:-1], "4242"),
    "cut right after the id": (success()[: success().index(TASK_ID.encode()) + 37], TASK_ID),
    "a code that is not 200": (success(code=500), TASK_ID),
    "a code in words": (answer(200, {"code": "ok", "data": {"taskId": TASK_ID}}), TASK_ID),
    "no envelope": (answer(200, {"taskId": TASK_ID}), TASK_ID),
    "another envelope": (answer(200, {"result": [{"task": {"task_id": TASK_ID}}]}), TASK_ID),
    "only an id": (answer(200, {"id": TASK_ID, "status": "pending"}), TASK_ID),
    "a list": (answer(200, json.dumps([{"taskId": TASK_ID}]).encode()), TASK_ID),
    "a 500": (answer(500, {"error": {"code": "internal_error", "message": "m"}, "taskId": TASK_ID}), TASK_ID),
    "a 502 with JSON": (answer(502, {"taskId": TASK_ID}), TASK_ID),
    "a 302": (answer(302, {"taskId": TASK_ID}, "Location: /x"), TASK_ID),
    "a refusal": (answer(400, {"error": {"code": "invalid_request", "message": "m"}, "taskId": TASK_ID}), TASK_ID),
    "a refund": (answer(503, {"error": {"code": "upstream_error", "message": "m"}, "task_id": TASK_ID}), TASK_ID),
    "a page": (answer(404, b'<html>"taskId": "' + TASK_ID.encode() + b'"'), TASK_ID),
    "longer than any id": (success("x" * 70_000), "x" * 70_000),
    "a float": (success(12.5), "12.5"),
    "5,000 digits": (answer(200, b'{"code":200,"data":{"taskId":' + b"7" * 5000 + b"}}"), "7" * 5000),
    "a NUL inside": (success("a\0b"), "a\0b"),
    "a lone surrogate inside": (answer(200, b'{"code":200,"data":{"taskId":"a\\ud800b"}}'), "a\ufffdb"),
    "garbage after it": (answer(200, GOOD + b"}}"), TASK_ID),
    "deep nesting after it": (answer(200, GOOD[:-1] + b',"x":' + b"[" * 100_000), TASK_ID),
    "UTF-16": (answer(200, json.dumps({"taskId": TASK_ID}).encode("utf-16")), TASK_ID),
    "bytes that are no text": (answer(200, b"\xff" + GOOD), TASK_ID),
}


@pytest.mark.parametrize("name", KEPT)
async def test_an_id_that_stands_in_an_answer_is_never_thrown_away(name: str, caplog: pytest.LogCaptureFixture) -> None:
    data, kept = KEPT[name]
    outcome = await create(data)
    assert isinstance(outcome, Unanswered), outcome
    assert outcome.charged == "unknown"
    assert outcome.task_id == kept
    assert ascii(kept)[1:-1][:4000] in caplog.text
    assert len(outcome.explanation) < 600


@pytest.mark.parametrize("task_id", [TASK_ID, 4242])
async def test_half_an_id_is_reported_but_never_taken_for_one(
    task_id: object, caplog: pytest.LogCaptureFixture
) -> None:
    whole = success(task_id)
    outcome = await create(whole[: whole.index(str(task_id).encode()) + 3])
    assert isinstance(outcome, Unanswered)
    assert outcome.task_id is None
    assert f"“{str(task_id)[:3]}…”" in str(outcome)
    assert f"“{str(task_id)[:3]}…”" in caplog.text


async def test_a_bare_id_in_a_refusal_is_the_requests_and_a_parent_that_is_repeated_is_no_new_task() -> None:
    outcome = await create(answer(400, {"error": {"code": "invalid_request", "message": "m"}, "id": "req-1"}))
    assert isinstance(outcome, Refused)
    body: dict[str, Any] = {"error": {"code": "task_not_found", "message": "m"}, "task_id": "parent-1"}
    async with serving(answer(404, body)) as server, client(server.url()) as api:
        assert isinstance(await failure(api.send_create(extend("parent-1"))), TaskNotFound)
        assert isinstance(await failure(api.send_create(extend("parent-2"))), BadAnswer)


NO_ID: dict[str, tuple[bytes, str]] = {
    "null": (success(None), "no_task_id"),
    "empty": (success(""), "no_task_id"),
    "blank": (success("  "), "odd_task_id"),
    "true": (success(True), "odd_task_id"),
    "a list": (success(["x"]), "odd_task_id"),
    "an object": (success({}), "odd_task_id"),
    "data is a list": (answer(200, {"code": 200, "data": []}), "no_task_id"),
    "not JSON": (answer(200, b"{"), "not_json"),
    "nothing": (answer(200, b""), "not_json"),
    "deep": (answer(200, b"[" * 200_000), "not_json"),
    "a number": (answer(200, b"1"), "wrong_shape"),
}


@pytest.mark.parametrize("name", NO_ID)
async def test_an_answer_without_an_id_is_unknown_and_says_what_it_was(name: str) -> None:
    data, code = NO_ID[name]
    outcome = await create(data)
    assert isinstance(outcome, Unanswered)
    assert (outcome.code, outcome.task_id) == (code, None)


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_a_create_that_is_accepted_in_other_words_is_accepted(status: int) -> None:
    assert await create(answer(status, GOOD)) == TASK_ID


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        (" 5 ", 5.0),
        ("0", 0.0),
        ("007", 7.0),
        ("86400000", 3600.0),
        ("9" * 309, 3600.0),
        ("0" * 300 + "3", 3.0),
        ("²", None),
        ("٣", None),
        ("-5", None),
        ("1.5", None),
        ("1e9", None),
        ("inf", None),
        ("nan", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("5, 5", None),
        (formatdate(NOW + 20, usegmt=True), 20.0),
        (formatdate(NOW - 20, usegmt=True), 0.0),
        (formatdate(NOW + 1e6, usegmt=True), 3600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
        ("Mon, 99 Jan 2020 00:00:00 GMT", None),
        ("Mon, 01 Jan 2020 00:00:00 +9999999999", None),
        ("x" * 100_000, None),
    ],
)
def test_retry_after_is_a_number_or_a_date_and_nonsense_is_nothing(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


async def test_what_retry_after_asks_for_is_obeyed_as_far_as_a_read_and_a_create_may_wait() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await at_once(seconds)

    for header, seen in (("50", [50.0, 50.0]), ("61", []), ("\xb2", None)):
        data = error(429, "rate_limit_exceeded", f"Retry-After: {header}")
        waited.clear()
        async with serving(data.decode().encode("latin-1")) as server, client(server.url(), sleep=sleep) as api:
            problem = await failure(api.get_credits())
            assert problem.code == "rate_limit_exceeded"
            if seen is None:
                assert problem.retry_after is None
            else:
                assert waited == seen


def task(**fields: Any) -> ApiTask:
    return ApiTask.model_validate({"id": "t", "status": "processing", "created_at": 1774706165, **fields})


@pytest.mark.parametrize(
    "value", [-1, 1e300, "0001-01-01T00:00:00", "9999-12-31T23:59:59-10:00", "x", True, [], {}, None]
)
def test_an_invalid_date_does_not_lose_the_task(value: Any) -> None:
    odd = task(created_at=value, completed_at=value)
    assert odd.created_at == datetime.fromtimestamp(0, UTC)
    assert odd.completed_at is None or odd.completed_at.year < 10_000


@pytest.mark.parametrize(
    "value", [1774706165, 1774706165.0, "1774706165", "2026-03-28T13:56:05Z", "2026-03-28T13:56:05"]
)
def test_dates_come_as_seconds_and_perhaps_as_words(value: Any) -> None:
    assert task(created_at=value).created_at == datetime(2026, 3, 28, 13, 56, 5, tzinfo=UTC)


def test_odd_parts_of_a_task_are_dropped_and_the_rest_is_kept() -> None:
    odd = task(
        id=42,
        status=" comp\u202eleted\n",
        model=[],
        progress="half",
        output={"urls": ["https://a/x.mp4", 5, None, "https://a/\u202ex", "x" * 5000], "metadata": "720p"},
        error=["x"],
    )
    assert (odd.id, odd.status, odd.model, odd.progress) == ("42", "completed", None, None)
    assert (odd.video_urls, odd.resolution, odd.error) == (("https://a/x.mp4",), None, None)
    assert task(output=[]).video_urls == ()
    assert task(output={"urls": "https://a/x.mp4"}).video_urls == ()
    failed = task(error={"code": 5, "message": "a\nb\ud800" + "x" * 9000})
    assert failed.error is not None
    assert (failed.error.code, failed.error.message[:4], len(failed.error.message)) == ("5", "a bx", 500)


@pytest.mark.parametrize("field", ["status", "id"])
@pytest.mark.parametrize("value", [None, "", [], 1.5, True])
async def test_an_answer_without_status_or_id_is_no_task(field: str, value: Any) -> None:
    body: dict[str, Any] = {"id": "t", "status": "pending", "created_at": 1, field: value}
    async with serving(answer(200, body)) as server, client(server.url()) as api:
        assert (await failure(api.get_task("t"))).code == "wrong_shape"


@pytest.mark.parametrize("balance", ["NaN", "Infinity", "1e999", '"x"', "true?", "1e30", "9" * 5000, "null", "[]"])
async def test_credits_that_are_no_number_are_refused(balance: str) -> None:
    body = f'{{"code":200,"data":{{"balance":{balance},"total_purchased":1,"total_consumed":0}}}}'.encode()
    async with serving(answer(200, body)) as server, client(server.url()) as api:
        assert (await failure(api.get_credits())).code in ("wrong_shape", "not_json")


@pytest.mark.parametrize("task_id", ["x" * 70_000, "x" * 201, ""])
async def test_an_id_that_no_api_gave_out_is_not_asked_for(task_id: str) -> None:
    async with serving(b"") as server, client(server.url()) as api:
        assert isinstance(await failure(api.get_task(task_id)), TaskNotFound)
        assert server.requests == []


@pytest.mark.parametrize("task_id", ["..", "a/b?c#d", "ü\n\u202e", "%2e%2e", "a b", "."])
async def test_an_odd_id_is_asked_for_as_one_step_of_the_path(task_id: str) -> None:
    body: dict[str, Any] = {"id": task_id, "status": "pending", "created_at": 1}
    async with serving(answer(200, body)) as server, client(server.url()) as api:
        assert (await api.get_task(task_id)).value.id == task_id
        assert server.requests[0].split(" ")[1].count("/") == 3
        assert ".." not in server.requests[0].split(" ")[1]


async def test_an_api_that_repeats_the_key_does_not_get_it_through() -> None:
    said: dict[str, Any] = {"error": {"code": "invalid_api_key", "message": f"Key {KEY} is bad", "type": KEY}}
    outcome = await create(answer(401, said))
    assert isinstance(outcome, ApiError)
    assert outcome.words == "Key sk-…6789 is bad"
    assert KEY not in repr(vars(outcome)) + outcome.explanation
    escaped = answer(401, b'{"error":{"code":"x","message":"sk-canary\\u002d5ecret-0123456789"}}')
    outcome = await create(escaped)
    assert isinstance(outcome, ApiError)
    assert outcome.words == "sk-…6789"
    async with serving(answer(200, GOOD, f"X-Veo-Sandbox: {KEY}")) as server, client(server.url()) as api:
        assert (await api.send_create(CREATE)).api == server.url()


async def test_the_user_agent_is_our_own() -> None:
    async with serving(success()) as server, client(server.url()) as api:
        await api.send_create(CREATE)
        (head,) = server.requests
        assert "user-agent: veo-mcp/" in head.lower()
        assert "accept-encoding: identity" in head.lower()


async def test_another_ledger_behind_the_same_address_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    ledgers = iter(["one", "one", "two"])

    def say(_head: str) -> bytes:
        return answer(200, GOOD, f"X-Veo-Sandbox: {next(ledgers)}")

    async with serving(say) as server, client(server.url()) as api:
        names = [(await api.send_create(CREATE)).api for _ in range(3)]
        assert names == ["sandbox:one", "sandbox:one", "sandbox:two"]
        assert await api.identity() == "sandbox:two"
        assert "is another one now" in caplog.text


@pytest.mark.parametrize("page", [answer(502, b"<html>"), answer(200, b"<html>sign in"), answer(200, GOOD)[:-3]])
async def test_what_a_gateway_says_does_not_rename_the_api(page: bytes) -> None:
    async with serving(page) as server, client(server.url()) as api:
        await failure(api.get_credits())
        assert api.known_identity is None


def test_which_values_are_ids() -> None:
    assert [usable_id(value) for value in ("a", 5, " a ")] == ["a", "5", " a "]
    bad: tuple[object, ...] = (True, 1.0, None, "", " ", [], "x" * 201, "a\0", "\ufffd", 10**200)
    assert [usable_id(value) for value in bad] == [None] * len(bad)
    assert mentioned_id(b'{"id": "i", "x": [{"task_id": "t"}], "y": {"taskId": "T"}}') == "T"
    assert mentioned_id(b'{"id": "i", "x": [{"task_id": "t"}]}') == "t"
    assert mentioned_id(b"") is None
