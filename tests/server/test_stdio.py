"""Lines that no message can be read from are answered and noted, and end nothing; broken answers are errors."""

import json
from pathlib import Path

import pytest
from mcp_types import JSONRPCNotification, JSONRPCResponse

from tests.support.child import INITIALIZE, call, stdio_child
from veo_mcp.server.json_rpc import BadFrame, parse
from veo_mcp.server.stdio import encoded

pytestmark = pytest.mark.anyio

PING = {"jsonrpc": "2.0", "id": 99, "method": "ping"}
BROKEN = [
    (b"not json, with a secret", -32700, None),
    (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"secret":"\\ud83d"}}', -32700, 7),
    (b'{"jsonrpc":"2.0","id":"\\ud83d","method":"ping"}', -32700, None),
    (b'{"jsonrpc":"2.0","id":8,"method":"ping","params":{"secret":"\xff"}}', -32700, None),
    (b'[{"jsonrpc":"2.0","id":9,"method":"ping"}]', -32600, None),
    (b'{"jsonrpc":"1.0","id":10,"method":"ping","secret":1}', -32600, 10),
    (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', -32600, None),
    (b'{"jsonrpc":"2.0","id":11}', -32600, 11),
    (b"5", -32600, None),
    (b'{"jsonrpc":"2.0","id":12,"method":"ping","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}", -32700, None),
    (b'"' + b"x" * 5_000_000 + b'"', -32700, None),
]


@pytest.mark.parametrize(("line", "code", "request_id"), BROKEN, ids=[str(line[:40]) for line, _, _ in BROKEN])
def test_what_is_no_message_is_said_in_our_words(line: bytes, code: int, request_id: int | None) -> None:
    bad = parse(line)
    assert isinstance(bad, BadFrame)
    assert (bad.answer.error.code, bad.answer.id) == (code, request_id)
    assert "Not charged." in bad.answer.error.message
    for foreign in ("secret", "pydantic", "validation"):
        assert foreign not in bad.answer.error.message


async def test_every_broken_line_is_answered_and_noted_and_the_server_goes_on(tmp_path: Path) -> None:
    async with stdio_child(tmp_path) as child:
        await child.open()
        for line, code, request_id in BROKEN:
            await child.send(line)
            answer = await child.line()
            assert (answer["error"]["code"], answer["id"]) == (code, request_id), line[:60]
        await child.send(b"", b"   ", PING)
        assert (await child.line())["id"] == 99
        assert "A line on stdin was answered with an error" in child.err
        assert "secret" not in child.err
        assert "Traceback" not in child.err


async def test_a_byte_order_mark_before_the_first_message_is_passed_over(tmp_path: Path) -> None:
    async with stdio_child(tmp_path) as child:
        await child.send(b"\xef\xbb\xbf" + json.dumps(INITIALIZE).encode())
        assert (await child.answer("init"))["result"]["serverInfo"]["name"] == "veo-mcp"


async def test_a_thousand_broken_lines_are_a_thousand_answers_and_few_lines_in_the_log(tmp_path: Path) -> None:
    async with stdio_child(tmp_path) as child:
        await child.open()
        await child.send(*[b"nonsense"] * 1000)
        for _ in range(1000):
            assert (await child.line())["error"]["code"] == -32700
        await child.send(call(1, "get_credits"))
        assert "result" in await child.answer(1)
        assert len(child.err.splitlines()) < 20


def test_an_answer_that_cannot_be_encoded_is_an_error_to_the_caller() -> None:
    half = JSONRPCResponse(jsonrpc="2.0", id=5, result={"text": "\ud83d"})
    error = json.loads(encoded(half))
    assert error["id"] == 5
    assert "cannot be sent" in error["error"]["message"]
    assert encoded(JSONRPCNotification(jsonrpc="2.0", method="x", params={"text": "\ud83d"})) == b""
