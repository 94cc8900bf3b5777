"""The guarded door: what leads to a private address is not reached, whatever a name, an answer or a redirect says."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from veo_mcp.sandbox.fetch import Fetcher, FetchRefused

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


@dataclass
class Host:
    port: int
    reached: int = 0


@asynccontextmanager
async def host(answer: bytes, *, drip: bool = False) -> AsyncGenerator[Host]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    it = Host(listener.extra(SocketAttribute.local_port))

    async def serve(stream: SocketStream) -> None:
        it.reached += 1
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream):
                await stream.receive()
                for start in range(0, len(answer), 1 if drip else len(answer)):
                    await stream.send(answer[start : start + (1 if drip else len(answer))])
                    if drip:
                        await anyio.sleep(0.05)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield it
        group.cancel_scope.cancel()


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(*addresses: list[str]):
    left = list(addresses)

    async def resolve(_name: str, _port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


async def test_an_image_is_fetched_where_private_addresses_are_allowed() -> None:
    async with host(ok(PNG)) as env:
        assert await Fetcher(allow_private=True).image(f"http://127.0.0.1:{env.port}/a.png") == PNG


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
            # The first hop is let in as a trusted_origin would be; the second passes the same door as everything else.
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
