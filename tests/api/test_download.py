"""Downloads: whole or not at all, gone on with only if the file is still the same, and from safe addresses only."""

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.api.servers import client, failure, serving
from tests.support.certificates import Authority
from veo_mcp.api import network
from veo_mcp.api.client import VeoClient
from veo_mcp.api.download import fetchable
from veo_mcp.errors import DownloadFailed

pytestmark = pytest.mark.anyio

BOX = (100_000).to_bytes(4, "big") + b"mdat" + bytes(99_992)
VIDEO = b"\0\0\0\x10ftypisom\0\0\0\0" + BOX
OTHER = b"\0\0\0\x10ftypmp42\0\0\0\0" + BOX[::-1]


def says(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    length = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {length}", "Content-Type: video/mp4", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def header(head: str, name: str) -> str | None:
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return None


def host(video: bytes, *, mark: str = 'ETag: "one"', cut: int | None = None) -> Callable[[str], bytes]:
    """A file host as it should be: ranges, If-Range; with `cut` its first answer breaks off there."""
    cuts = [cut] if cut is not None else []

    def say(head: str) -> bytes:
        asked = header(head, "range")
        same = header(head, "if-range") == mark.split(": ")[1]
        if asked and same:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(video):
                return says(416, b"", f"Content-Range: bytes */{len(video)}")
            part = f"Content-Range: bytes {start}-{len(video) - 1}/{len(video)}"
            return says(206, video[start:], part, mark)
        whole = says(200, video, mark)
        return whole[: len(whole) - len(video) + cuts.pop()] if cuts else whole

    return say


async def saved(api: VeoClient, server_url: str, path: Path) -> bytes:
    await api.download(f"{server_url}/v.mp4", path)
    assert files(path.parent) == [path.name]
    return await anyio.Path(path).read_bytes()


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_a_download_that_broke_is_gone_on_with_and_never_has_the_final_name_before(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    async with serving(host(VIDEO, cut=60_000)) as server, client(server.url()) as api:
        problem = await failure(api.download(server.url() + "/v.mp4", path))
        assert isinstance(problem, DownloadFailed)
        assert (problem.code, problem.charged) == ("video_cut", "no")
        assert not path.exists()
        assert (tmp_path / "v.mp4.part").stat().st_size == 60_000
        assert await saved(api, server.url(), path) == VIDEO
        assert header(server.requests[1], "range") == "bytes=60000-"
        assert header(server.requests[1], "if-range") == '"one"'
        assert header(server.requests[1], "authorization") is None


async def test_a_file_that_changed_meanwhile_is_fetched_again_and_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    now = host(VIDEO, cut=60_000)
    async with serving(lambda head: now(head)) as server, client(server.url()) as api:
        await failure(api.download(server.url() + "/v.mp4", path))
        now = host(OTHER, mark='ETag: "two"')
        assert await saved(api, server.url(), path) == OTHER


async def test_a_part_without_a_mark_or_of_another_address_is_worth_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    for note in (None, "{", "[]", json.dumps({"url": "http://other/", "validator": '"one"', "total": 5})):
        (tmp_path / "v.mp4.part").write_bytes(b"stale")
        if note is not None:
            (tmp_path / "v.mp4.part.json").write_text(note)
        async with serving(host(VIDEO)) as server, client(server.url()) as api:
            assert await saved(api, server.url(), path) == VIDEO
            assert header(server.requests[0], "range") is None
        path.unlink()


@pytest.mark.parametrize(
    "second",
    [
        says(416, b"", "Content-Range: bytes */5"),
        says(206, VIDEO[50_000:], f"Content-Range: bytes 50000-{len(VIDEO) - 1}/{len(VIDEO)}", 'ETag: "one"'),
        says(206, VIDEO[60_000:], f"Content-Range: bytes 60000-{len(VIDEO) - 1}/999999", 'ETag: "one"'),
        says(206, VIDEO[60_000:], f"Content-Range: bytes 60000-{len(VIDEO) - 1}/{len(VIDEO)}", 'ETag: "two"'),
        says(206, VIDEO[60_000:]),
        says(206, VIDEO[60_000:], "Content-Range: nonsense"),
    ],
    ids=["416", "another range", "another length", "another mark", "no range", "nonsense"],
)
async def test_a_host_that_does_not_go_on_properly_is_asked_for_the_whole(tmp_path: Path, second: bytes) -> None:
    path = tmp_path / "v.mp4"
    answers = [host(VIDEO, cut=60_000)(""), second, says(200, VIDEO)]
    async with serving(lambda _: answers.pop(0)) as server, client(server.url()) as api:
        await failure(api.download(server.url() + "/v.mp4", path))
        assert await saved(api, server.url(), path) == VIDEO
        assert header(server.requests[2], "range") is None


async def test_a_host_that_never_fits_is_given_up(tmp_path: Path) -> None:
    async with serving(says(416, b"")) as server, client(server.url()) as api:
        problem = await failure(api.download(server.url() + "/v.mp4", tmp_path / "v.mp4"))
        assert problem.code == "video_changing"
        assert len(server.requests) == 2
        assert files(tmp_path) == []


REFUSED: dict[str, tuple[bytes, str]] = {
    "404": (says(404, b""), "video_gone"),
    "410": (says(410, b""), "video_gone"),
    "403": (says(403, b"<html>error code: 1010"), "video_forbidden"),
    "401": (says(401, b""), "video_forbidden"),
    "500": (says(500, b""), "video_host"),
    "302 without a place": (says(302, b""), "video_redirect"),
    "a page": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<html", "video_not_a_video"),
    "a page that calls itself a video": (says(200, b"  <!DOCTYPE html><p>sign in"), "video_not_a_video"),
    "JSON": (says(200, b'{"error":1}'), "video_not_a_video"),
    "compressed": (says(200, VIDEO, "Content-Encoding: gzip"), "video_not_a_video"),
    "nothing": (says(200, b""), "video_cut"),
    "cut": (says(200, VIDEO, length=len(VIDEO) + 1), "video_cut"),
    "cut, of unknown length": (b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n" + VIDEO[:-9], "video_cut"),
    "garbage": (b"\x00\x01", "video_unreachable"),
    "closed": (b"", "video_unreachable"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_whole_video_never_gets_the_name_of_one(tmp_path: Path, name: str) -> None:
    data, code = REFUSED[name]
    path = tmp_path / "v.mp4"
    async with serving(data) as server, client(server.url()) as api:
        problem = await failure(api.download(server.url() + "/v.mp4", path))
    assert isinstance(problem, DownloadFailed)
    assert (problem.code, problem.charged) == (code, "no")
    assert "VEO_BASE_URL" not in problem.explanation
    assert not path.exists()


async def test_a_whole_video_of_unknown_length_is_known_by_its_boxes(tmp_path: Path) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n" + VIDEO
    async with serving(data) as server, client(server.url()) as api:
        assert await saved(api, server.url(), tmp_path / "v.mp4") == VIDEO


@pytest.mark.parametrize("announced", [True, False])
async def test_a_video_that_is_too_large_is_not_kept(tmp_path: Path, announced: bool) -> None:
    data = says(200, VIDEO) if announced else b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n" + VIDEO
    async with serving(data) as server, client(server.url()) as api:
        problem = await failure(api.download(server.url() + "/v.mp4", tmp_path / "v.mp4", max_bytes=50_000))
        assert problem.code == "video_too_large"
        assert "0.05 MB" in problem.explanation
        assert files(tmp_path) == []


async def test_redirects_lead_from_https_to_https_and_end_somewhere(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    environ = {"SSL_CERT_FILE": str(authority.bundle)}
    folder = tmp_path / "videos"
    folder.mkdir()

    def moved(to: str) -> bytes:
        return says(302, b"", f"Location: {to}")

    async with serving(says(200, VIDEO)) as plain:
        to = ""

        def say(head: str) -> bytes:
            return moved(to) if head.startswith("GET /v.mp4") else says(200, VIDEO)

        async with (
            serving(say, tls=authority.server("127.0.0.1")) as server,
            client(plain.url(), environ=environ) as api,
        ):
            url = server.url() + "/v.mp4"
            to = "/real.mp4"
            assert await saved(api, server.url(), folder / "v.mp4") == VIDEO
            for place in (plain.url() + "/x.mp4", "file:///etc/passwd", "//user:pass@127.0.0.1/x", "http://[", "\x01"):
                to = place
                problem = await failure(api.download(url, folder / "w.mp4"))
                assert problem.code == "video_redirect"
            to = "/v.mp4"
            problem = await failure(api.download(url, folder / "w.mp4"))
            assert problem.code == "video_redirect"
            assert not any("authorization:" in head.lower() for head in server.requests)
            assert plain.requests == []


@pytest.mark.parametrize(
    ("url", "sandbox", "fine"),
    [
        ("https://files.example/v.mp4", False, True),
        ("http://files.example/v.mp4", False, False),
        ("http://files.example/v.mp4", True, False),
        ("files.example/v.mp4", False, False),
        ("//files.example/v.mp4", False, False),
        ("javascript:alert(1)", True, False),
        ("file:///etc/passwd", True, False),
        ("https://user:pass@files.example/", False, False),
        ("https://files.example/a b", False, False),
        ("https://files.example/\u2028", False, False),
        ("https://" + "a" * 3000, False, False),
        ("", False, False),
        ("http://10.0.0.5:8000/v.mp4", True, True),
        ("http://10.0.0.5:8000/v.mp4", False, False),
        ("http://10.0.0.5:8001/v.mp4", True, False),
    ],
)
def test_which_addresses_may_be_linked_and_fetched(url: str, sandbox: bool, fine: bool) -> None:
    assert (fetchable(url, network.address("http://10.0.0.5:8000"), sandbox=sandbox) is None) is fine


def test_an_api_on_this_machine_may_have_its_videos_beside_it_by_any_of_its_names() -> None:
    here = network.address("http://127.0.0.1:8000")
    assert fetchable("http://localhost:8000/v.mp4", here, sandbox=False) is None
    assert fetchable("http://localhost:8001/v.mp4", here, sandbox=False) is not None


async def test_an_address_that_is_not_safe_is_never_called(tmp_path: Path) -> None:
    async with serving(says(200, VIDEO)) as server, client("https://api.example") as api:
        problem = await failure(api.download(server.url() + "/v.mp4", tmp_path / "v.mp4"))
        assert problem.code == "video_url"
        assert not api.linkable(server.url() + "/v.mp4")
        assert server.requests == []
