"""The guarded fetcher: no private address is reached, whatever a name, an answer or a redirect says."""

import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from veo_mcp.sandbox.fetch import Fetcher, FetchRefused, check_url

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@dataclass
class Host:
    port: int
    reached: int = 0
    lines: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def host(answer: bytes, *, drip: bool = False) -> AsyncGenerator[Host]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    server = Host(listener.extra(SocketAttribute.local_port))

    async def serve(stream: SocketStream) -> None:
        server.reached += 1
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
                server.lines.append((await stream.receive()).partition(b"\r\n")[0].decode())
                for start in range(0, len(answer), 1 if drip else len(answer)):
                    await stream.send(answer[start : start + (1 if drip else len(answer))])
                    if drip:
                        await anyio.sleep(0.05)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield server
        group.cancel_scope.cancel()


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(*addresses: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
    left = list(addresses)

    async def resolve(_name: str, _port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def test_an_image_is_fetched_where_private_addresses_are_allowed() -> None:
    async with host(ok(PNG)) as env:
        assert await Fetcher(allow_private=True).image(f"http://127.0.0.1:{env.port}/a.png") == PNG


# The first and last address of each block that the IANA registries call special, and neighbours that are public.
SPECIAL = """
0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.0
169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.192 192.0.0.255
192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.0 192.168.255.255 192.175.48.1 198.18.0.0 198.19.255.255
198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.255 240.0.0.0 255.255.255.255 168.63.129.16
:: ::1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::169.254.169.254
64:ff9b:1:: 64:ff9b:1::808:808 64:ff9b:1:ffff:ffff:ffff:ffff:ffff 100::1 100:0:0:1::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2
2001:2::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 2620:4f:8000::1 3ffe::1 3fff::1
3fff:fff:ffff::1 4000::1 5f00::1 5f00:ffff::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 2606:4700::1%eth0 fec0::1
feff::1 ff02::1 ff0e::1 nonsense
"""
PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255
198.17.255.255 198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450::1
3ffd::1 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", SPECIAL.split())
async def test_no_special_address_is_reached_by_name_or_number(address: str) -> None:
    with pytest.raises(FetchRefused, match="private address"):
        await Fetcher(resolve=answers([address])).image("http://innocent.example/a.png")
    if ":" in address:
        assert check_url(f"http://[{address}]/a.png", allow_private=False) in (
            "names a private address",
            "names a host that cannot exist",
        )
    elif address != "nonsense":
        assert check_url(f"http://{address}/a.png", allow_private=False) == "names a private address"


@pytest.mark.parametrize("address", PUBLIC.split())
async def test_a_public_address_is_not_refused(address: str) -> None:
    place = f"[{address}]" if ":" in address else address
    assert check_url(f"https://{place}/a.png", allow_private=False) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com/a", "must be an http or https URL"),
        ("//example.com/a", "must be an http or https URL"),
        ("http:///a", "names no host"),
        ("http://me@example.com/", "must not carry a user name or password"),
        ("http://example.com\\@127.0.0.1/", "must not carry a user name or password"),
        ("http://example.com:81/", "names a port other than 80 and 443"),
        ("http://example.com:99999/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://exa mple.com/", "has spaces or control characters in it"),
        ("http://example.com/\r\nX-Evil: 1", "has spaces or control characters in it"),
        ("http://example.com/\x00", "has spaces or control characters in it"),
        ("http://example.com/\ud800", "has spaces or control characters in it"),
        ("http://" + "a" * 64 + ".example/", "names a host that cannot exist"),
        ("http://a..example/", "names a host that cannot exist"),
        ("http://exam\\ple.com/", "names a host that cannot exist"),
        ("http://ex%61mple.com/", "names a host that cannot exist"),
        ("https://" + "\u00fc" * 80 + ".example/", "names a host that cannot exist"),
        ("https://example.com/" + "x" * 9000, "is longer than 8192 characters"),
        ("http://\uff11\uff12\uff17.0.0.1/", "names a private address"),
        ("http://localhost./", "names a private address"),
        ("http://printer.local/", "names a private address"),
        ("http://metadata.google.internal./", "names a private address"),
    ],
    ids=lambda text: ascii(text)[:40],
)
async def test_what_is_wrong_with_a_url_is_said_in_words(url: str, words: str) -> None:
    assert check_url(url, allow_private=False) == words


async def test_letters_of_other_scripts_go_over_the_wire_as_browsers_send_them() -> None:
    async with host(ok(PNG)) as env:
        for path in ("ü.png", "%C3%BC.png?q=ü&r=a%20b", "日本.png"):
            assert check_url(f"https://bücher.example/{path}", allow_private=False) is None
            assert await Fetcher(allow_private=True).image(f"http://127.0.0.1:{env.port}/{path}") == PNG
        assert env.lines == [
            "GET /%C3%BC.png HTTP/1.1",
            "GET /%C3%BC.png?q=%C3%BC&r=a%20b HTTP/1.1",
            "GET /%E6%97%A5%E6%9C%AC.png HTTP/1.1",
        ]


async def test_the_next_address_of_a_name_is_tried() -> None:
    async with host(ok(PNG)) as env:
        fetcher = Fetcher(allow_private=True, resolve=answers(["127.0.0.9", "127.0.0.1"]))
        assert await fetcher.image(f"http://two.example:{env.port}/a.png") == PNG


WITH_THE_OTHER_LIBRARY = """
import sys, httpcore2
sys.modules["httpcore"] = httpcore2
import pytest
quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore:Module already imported"]
sys.exit(pytest.main([*quiet, sys.argv[1], "-k", "not other_library and not special"]))
"""


def test_it_works_with_the_other_library_of_the_same_names() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITH_THE_OTHER_LIBRARY, __file__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["fe80::1%eth0"],
        ["100.64.0.1"],
        ["169.254.169.254"],
        ["2002:7f00:1::"],
        ["64:ff9b::7f00:1"],
        ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
        ["224.0.0.1"],
        [],
    ],
    ids=str,
)
async def test_a_name_with_any_address_that_is_not_public_is_refused(addresses: list[str]) -> None:
    with pytest.raises(FetchRefused, match="private address"):
        await Fetcher(resolve=answers(addresses)).image("http://innocent.example/a.png")


async def test_a_name_that_changes_its_address_between_two_requests_is_refused_the_second_time() -> None:
    seen: list[str] = []

    async def rebinding(_name: str, _port: int) -> list[str]:
        seen.append("asked")
        return ["192.0.2.1"] if len(seen) > 1 else ["127.0.0.1"]

    fetcher = Fetcher(resolve=rebinding)
    for _ in range(2):
        with pytest.raises(FetchRefused, match="private address"):
            await fetcher.image("http://innocent.example/a.png")
    assert len(seen) == 2


async def test_a_redirect_to_a_private_address_is_not_followed_there() -> None:
    async with host(ok(PNG)) as secret:
        there = f"http://127.0.0.1:{secret.port}/secret"
        async with host(f"HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode()) as env:
            # The first hop is let in as a trusted_origin would be; the second passes the same check as everything else.
            fetcher = Fetcher(allow_private=False, resolve=answers(["127.0.0.1"]))
            with pytest.raises(FetchRefused):
                await fetcher.image(f"http://127.0.0.1:{env.port}/a.png")
        assert secret.reached == 0


async def test_redirects_end_after_three() -> None:
    async with host(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n") as env:
        with pytest.raises(FetchRefused, match="redirects too often"):
            await Fetcher(allow_private=True).image(f"http://127.0.0.1:{env.port}/a.png")
        assert env.reached == 4


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (ok(b"<html>no image</html>"), "not a JPEG"),
        (ok(b""), "not a JPEG"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"\x89PNG" * 6_000_000, "too large"),
        (b"garbage\r\n\r\n", "could not be asked"),
    ],
    ids=["html", "empty", "404", "too large", "garbage"],
)
async def test_what_is_no_image_is_refused(answer: bytes, words: str) -> None:
    async with host(answer) as env:
        with pytest.raises(FetchRefused, match=words):
            await Fetcher(allow_private=True).image(f"http://127.0.0.1:{env.port}/a.png")


async def test_a_host_that_drips_is_given_up_after_the_total_time() -> None:
    async with host(ok(PNG), drip=True) as env:
        with pytest.raises(FetchRefused, match="too slow"):
            await Fetcher(allow_private=True, seconds=0.3).image(f"http://127.0.0.1:{env.port}/a.png")


async def test_only_the_friend_is_called_back_at_a_private_address() -> None:
    async with host(ok(b"")) as trusted_origin, host(ok(b"")) as stranger:
        fetcher = Fetcher(trusted_origin=f"http://127.0.0.1:{trusted_origin.port}")
        assert (await fetcher.post(f"http://127.0.0.1:{trusted_origin.port}/callbacks/x", b"{}"))[0] == 200
        for url in (
            f"http://127.0.0.1:{stranger.port}/x",
            f"http://127.0.0.1:{trusted_origin.port}0/x",
            f"http://127.0.0.1:{trusted_origin.port}@127.0.0.1:{stranger.port}/x",
        ):
            with pytest.raises(FetchRefused):
                await fetcher.post(url, b"{}")
        assert stranger.reached == 0
        with pytest.raises(FetchRefused):
            await fetcher.image(f"http://127.0.0.1:{trusted_origin.port}/a.png")
