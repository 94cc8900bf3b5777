"""The key and a proxy's password are found nowhere: not in a log at DEBUG, an error, its traceback, or a repr.

Everything is tried that talks: an API that repeats the key in headers, words, ids and redirects, over a proxy with a
password, over TLS and plain.
"""

import json
import logging
import traceback
from pathlib import Path

import pytest

from tests.api.servers import CREATE, KEY, client, failure, serving
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.proxy import forward_proxy
from tests.support.raw_api import answer, success
from veo_mcp.api.client import VeoClient
from veo_mcp.errors import ApiError

pytestmark = pytest.mark.anyio

PASSWORD = "pr0xy-canary-s3cret"
ECHOES = (
    answer(401, {"error": {"code": KEY, "message": f"{KEY} is bad {KEY[3:]}", "type": KEY}}),
    answer(400, {"error": {"message": f"Bearer {KEY}"}}),
    answer(200, success(KEY).partition(b"\r\n\r\n")[2]),
    answer(200, {"code": KEY, "msg": KEY, "taskId": KEY}),
    answer(200, {"id": KEY, "status": KEY, "created_at": 1, "error": {"code": KEY, "message": KEY}}),
    answer(302, b"", f"Location: https://{KEY}/{KEY}?{KEY}"),
    answer(503, f"<html>{KEY}".encode(), f"Server: {KEY}", f"Retry-After: {KEY}"),
    answer(200, b"{}", f"Set-Cookie: {KEY}={KEY}", f"X-Veo-Sandbox: {KEY}", f"Content-Type: {KEY}"),
    answer(200, b"x", f"Content-Encoding: {KEY}"),
    f"HTTP/1.1 500 {KEY}\r\nContent-Length: 3\r\n\r\nabc".encode(),
    f"{KEY}\r\n\r\n".encode(),
    json.dumps(KEY).encode(),
)


def shown(error: ApiError) -> str:
    return "".join(traceback.format_exception(error)) + repr(vars(error)) + error.explanation + repr(error)


async def calls(api: VeoClient, folder: Path) -> str:
    text = ""
    for call in (api.send_create(CREATE), api.get_credits(), api.identity()):
        try:
            text += repr(await call)
        except ApiError as error:
            text += shown(error)
    try:
        # An echo may be a good task; its words must be clean too.
        text += repr(await api.get_task("t"))
    except ApiError as error:
        text += shown(error)
    text += shown(await failure(api.download(f"https://127.0.0.1:{free_port()}/v", folder / "v")))
    return text + repr(api) + repr(vars(api)) + api.origin + str(api.known_identity)


@pytest.mark.parametrize("number", range(len(ECHOES)))
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_neither_the_key_nor_a_proxys_password_is_found_anywhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], number: int, secure: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    authority = Authority(tmp_path)
    tls = authority.server("api.example") if secure else None
    async with serving(ECHOES[number], tls=tls) as server, forward_proxy(password=PASSWORD) as proxy:
        right = {"ALL_PROXY": proxy.url, "SSL_CERT_FILE": str(authority.bundle)}
        wrong = {"ALL_PROXY": f"http://me:{PASSWORD}@127.0.0.1:{free_port()}"}
        broken = {"ALL_PROXY": f"http://me:{PASSWORD}@127.0.0.1:99999"}
        text = ""
        for environ in (right, wrong, broken):
            async with client(server.url("api.example"), environ=environ, seconds=2) as api:
                text += await calls(api, tmp_path)
        assert any("api.example" in line for line in proxy.seen)
    captured = capfd.readouterr()
    everything = (text + caplog.text + captured.out + captured.err).lower()
    for secret in (KEY, KEY[3:], PASSWORD):
        assert secret.lower() not in everything


async def test_a_key_that_cannot_be_sent_is_not_shown_either() -> None:
    for key in ("sk-canary-5ecret ü", "sk-canary-5ecret\n", "  sk-canary-5ecret"):
        async with client("http://127.0.0.1:9", key=key) as api:
            assert "canary" not in shown(await failure(api.send_create(CREATE)))
