"""What the sandbox accepts over HTTP: own names only, documented errors for all else, private files, bounded memory."""

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.sandbox_api import CREATE, ApiClient, api
from veo_mcp.sandbox.files import Recent, private_folder, tighten, write_private
from veo_mcp.sandbox.ledger import Ledger

pytestmark = pytest.mark.anyio


async def raw(port: int, request: bytes) -> bytes:
    """What comes back for these bytes."""
    answer = b""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(request)
        with anyio.move_on_after(10):
            try:
                while True:
                    answer += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                pass
    return answer


@pytest.mark.parametrize("path", ["/", "/v1/credits", "/videos/x.mp4", "/openapi.json", "/healthz", "/nothing"])
async def test_only_own_names_are_answered(tmp_path: Path, path: str) -> None:
    async with api(tmp_path) as client:
        port = client.http.base_url.port
        assert port is not None

        async def status(*hosts: str) -> int:
            lines = "".join(f"Host: {host}\r\n" for host in hosts)
            said = await raw(port, f"GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
            return int(said.split()[1])

        expected = await status(f"127.0.0.1:{port}")
        assert expected != 400
        for own in (f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"):
            assert await status(own) == expected
        for foreign in (
            f"rebound.example:{port}",
            f"127.0.0.1.rebound.example:{port}",
            f"localhost:{port}.rebound.example",
            f"localhost:{port}@rebound.example",
            "localhost",
            "127.0.0.1:1",
            "",
            "null",
        ):
            assert await status(foreign) == 400
        assert await status() == 400
        assert await status(f"127.0.0.1:{port}", "rebound.example") == 400


def create(**fields: Any) -> dict[str, Any]:
    return {"model": "veo-3", "input": {"prompt": "x", **fields}}


BODIES: dict[str, bytes] = {
    "deep lists": b"[" * 100_000,
    "deep objects in a create": b'{"model":"veo-3","input":{"prompt":"x","mode":'
    + b'{"a":' * 40_000
    + b"1"
    + b"}" * 40_002,
    "seeds in Python's spelling": json.dumps(create(seeds="1_0000")).encode(),
    "seeds as text": json.dumps(create(seeds="12345")).encode(),
    "seeds as a fraction": json.dumps(create(seeds=12345.5)).encode(),
    "seeds that are true": json.dumps(create(seeds=True)).encode(),
    "seeds beyond 64 bits": json.dumps(create(seeds=10**30)).encode(),
    "seeds of 10,000 digits": b'{"model":"veo-3","input":{"prompt":"x","seeds":' + b"1" * 10_000 + b"}}",
    "seeds that are no number": b'{"model":"veo-3","input":{"prompt":"x","seeds":NaN}}',
    "half a character in the prompt": b'{"model":"veo-3","input":{"prompt":"\\ud800"}}',
    "half a character in the model": b'{"model":"\\udfff","input":{"prompt":"x"}}',
    "half a character in a name": b'{"model":"veo-3","input":{"prompt":"x","\\ud800":1}}',
    "half a character in a parent": b'{"model":"veo-3-extend","input":{"prompt":"x","extend_task_id":"\\ud800"}}',
    "half a character in a callback": b'{"model":"veo-3","callback_url":"http://a/\\ud800","input":{"prompt":"x"}}',
    "bytes that are no UTF-8": b'{"model":"veo-3","input":{"prompt":"\xff\xfe"}}',
    "UTF-16": json.dumps(create()).encode("utf-16"),
    "nothing": b"",
    "a number": b"1",
    "a prompt of 10,001 characters": json.dumps(create(prompt="é" * 10_001)).encode(),
    "a watermark of 201 characters": json.dumps(create(watermark="é" * 201)).encode(),
    "a URL of 9,000 characters": json.dumps(create(image_urls=["https://example.com/" + "x" * 9000])).encode(),
    "a URL with a line break": json.dumps(create(image_urls=["https://example.com/\r\nX: y"])).encode(),
    "a URL with a broken host": json.dumps(create(image_urls=["https://[::1/"])).encode(),
    "a host without a punycode form": json.dumps(create(image_urls=[f"https://{'ü' * 80}.example/"])).encode(),
    "a parent of 201 characters": json.dumps(
        {"model": "veo-3-extend", "input": {"prompt": "x", "extend_task_id": "x" * 201}}
    ).encode(),
    "an unknown field of 100,000 letters": json.dumps(create(**{"x" * 100_000: 1})).encode(),
}


@pytest.mark.parametrize("name", BODIES)
async def test_bad_bodies_get_the_documented_error_and_cost_nothing(tmp_path: Path, name: str) -> None:
    async with api(tmp_path) as client:
        answer = await client.http.post(CREATE, content=BODIES[name], headers=client.headers)
        assert answer.status_code in (400, 404), answer.text
        error = answer.json()["error"]
        assert error["code"] in ("invalid_request", "model_not_found", "task_not_found")
        assert len(error["message"]) < 300
        assert (await client.credits())["total_consumed"] == 0


async def test_the_longest_texts_are_taken_and_nothing_unasked_is_kept(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        body = create(prompt="[sandbox:fail]" + "é" * 9_986, watermark="é" * 200)
        made = await client.post({**body, "junk": "x" * 100_000})
        assert made.status_code == 200
        await client.ended(made.json()["data"]["taskId"])
        assert (await client.create(prompt="[sandbox:fail]")).status_code == 200
    assert b"xxxxxxxxxx" not in (tmp_path / "ledger.db").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/videos/%00.mp4",
        "/videos/2026/01/01/%00.mp4",
        "/videos/" + "x" * 4000 + ".mp4",
        "/videos/" + "x/" * 20_000 + "x.mp4",
        "/videos/%ed%a0%80.mp4",
        "/videos/..%2f..%2fledger.db",
        "/videos/2026/01/01",
        "/v1/tasks/%00",
        "/v1/tasks/%ed%a0%80",
        "/v1/tasks/" + "x" * 50_000,
        "/v1/credits/%00",
    ],
    ids=lambda path: path[:30],
)
async def test_odd_paths_are_not_found(tmp_path: Path, path: str) -> None:
    async with api(tmp_path) as client:
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "invalid_request_error"


HEADS: dict[str, bytes] = {
    "a negative length": b"Content-Length: -1\r\n",
    "a length that is text": b"Content-Length: many\r\n",
    "a length in Python's spelling": b"Content-Length: 1_0\r\n",
    "a superscript length": b"Content-Length: \xb2\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "an endless length": b"Content-Length: " + b"9" * 100 + b"\r\n",
    "a huge header": b"X-Long: " + b"x" * 200_000 + b"\r\n",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
}


@pytest.mark.parametrize("name", HEADS)
async def test_odd_heads_get_no_500(tmp_path: Path, name: str) -> None:
    async with api(tmp_path) as client:
        port = client.http.base_url.port
        assert port is not None
        head = f"POST {CREATE} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer sk-me\r\n".encode()
        said = await raw(port, head + HEADS[name] + b"Connection: close\r\n\r\n" + b"{" * 300_000)
        assert said == b"" or said.startswith(b"HTTP/1.1 4"), said[:200]
        assert (await client.credits())["total_consumed"] == 0


async def test_rules_in_the_file_that_cannot_be_meant_do_not_break_the_answers(tmp_path: Path) -> None:
    async with api(tmp_path) as client:
        for number, text in enumerate(
            [
                '{"sk-me": {"credits": 1' + "0" * 40 + "}}",
                "[" * 100_000,
                '{"sk-me": {"requests_per_second": 1e-320}}',
                "[]",
            ]
        ):
            (tmp_path / "accounts.json").write_text(text)
            assert (await ApiClient(client.http, f"sk-{number}").get("/v1/credits")).status_code == 200
            assert (await client.get("/v1/credits")).status_code == 200
        (tmp_path / "accounts.json").write_text('{"sk-slow": {"requests_per_second": 0.001}}')
        slow = ApiClient(client.http, "sk-slow")
        assert (await slow.get("/v1/credits")).status_code == 200
        assert int((await slow.get("/v1/credits")).headers["retry-after"]) <= 3600


def test_what_is_remembered_is_bounded() -> None:
    recent = Recent[int](3)
    for number in range(1000):
        recent.put(str(number), number)
    assert len(recent) == 3
    assert recent.get("999", 0) == 999
    assert "1" not in recent


UNDER_AN_OPEN_UMASK = """
import anyio, os, sys
from pathlib import Path
os.umask(0)
import httpx2
from veo_mcp.sandbox.embedded import embedded

async def main():
    async with embedded(Path(sys.argv[1]), 0.0) as url, httpx2.AsyncClient(base_url=url) as http:
        headers = {"Authorization": "Bearer sk-me"}
        (Path(sys.argv[1]) / "accounts.json").write_text("{}")
        body = {"model": "veo-3", "input": {"prompt": "x"}}
        made = await http.post("/v1/videos/generations", json=body, headers=headers)
        task_id = made.json()["data"]["taskId"]
        while (await http.get(f"/v1/tasks/{task_id}", headers=headers)).json()["status"] != "completed":
            await anyio.sleep(0.1)

anyio.run(main)
"""


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}


@pytest.mark.skipif(sys.platform == "win32", reason="files there have no mode bits")
async def test_no_one_else_on_the_machine_can_read_the_sandbox(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "sandbox"
    await anyio.run_process([sys.executable, "-c", UNDER_AN_OPEN_UMASK, str(folder)])
    found = modes(tmp_path)
    assert {"ledger.db", "port", "host.lock", "accounts.json", "videos", "sandbox", "made"} <= found.keys()
    assert any(name.endswith(".mp4") for name in found)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


@pytest.mark.skipif(sys.platform == "win32", reason="files there have no mode bits")
def test_files_of_earlier_versions_are_made_private(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("x")
    old.chmod(0o644)
    tighten(old)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    tighten(tmp_path / "missing")
    write_private(old, "y")
    assert old.read_text() == "y"
    assert os.listdir(tmp_path) == ["old"]
    Ledger(tmp_path / "ledger.db", lambda: "x").close()
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    old.chmod(0o600)
    Ledger(tmp_path / "ledger.db", lambda: "x").close()
    assert modes(tmp_path) == dict.fromkeys(("old", "ledger.db", "ledger.db-journal"), 0o600)
    with pytest.raises(OSError, match="Not a directory"):
        private_folder(old)
