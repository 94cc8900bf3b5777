"""Callbacks out of the sandbox: once when all is well, again when not, and never where somebody said stop."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from PIL import Image

from tests.support.sandbox_api import api

pytestmark = pytest.mark.anyio

GAPS = (0.0, 0.05, 0.05)


@dataclass
class Receiver:
    url: str
    bodies: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    news: anyio.Event = field(default_factory=anyio.Event)

    async def got(self, number: int) -> None:
        with anyio.fail_after(20):
            while len(self.bodies) < number:
                await self.news.wait()
                self.news = anyio.Event()


@asynccontextmanager
async def receiver(*statuses: str, content: bytes = b"") -> AsyncGenerator[Receiver]:
    """Answers with these statuses in turn, the last one indefinitely."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    it = Receiver(f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/here")
    left = list(statuses)

    async def serve(stream: SocketStream) -> None:
        async with stream:
            data = await stream.receive()
            while data.startswith(b"POST") and not data.rstrip().endswith(b"}"):
                data += await stream.receive()
            status = left.pop(0) if len(left) > 1 else left[0]
            await stream.send(
                f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n\r\n".encode("latin-1") + content
            )
            if data.startswith(b"POST"):
                it.bodies.append(json.loads(data.partition(b"\r\n\r\n")[2]))
                it.news.set()

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        yield it
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("statuses", "word", "times"),
    [
        (["200 OK"], "fail", 1),
        (["500 Oops", "200 OK"], "fail", 2),
        (["302 Found", "204 No Content"], "fail", 2),
        (["410 Gone"], "fail", 1),
        (["503 Busy\r\nRetry-After: 0", "200 OK"], "fail", 2),
        (["500 Oops"], "fail", 3),
    ],
    ids=["2xx", "500 then 2xx", "a redirect is a failure", "410 stops", "Retry-After", "given up"],
)
async def test_a_callback_is_repeated_until_it_is_taken_or_refused_for_good(
    tmp_path: Path, statuses: list[str], word: str, times: int
) -> None:
    async with receiver(*statuses) as there, api(tmp_path, callback_gaps=GAPS) as me:
        body = {"model": "veo-3", "callback_url": there.url, "input": {"prompt": f"[sandbox:{word}]"}}
        task_id = (await me.post(body)).json()["data"]["taskId"]
        await there.got(times)
        task = await me.ended(task_id)
        assert there.bodies == [task] * times
        await anyio.sleep(0.3)
        assert len(there.bodies) == times


@pytest.mark.parametrize(("size", "tall"), [((300, 500), True), ((500, 300), False)])
async def test_auto_follows_the_shape_of_the_first_image(tmp_path: Path, size: tuple[int, int], tall: bool) -> None:
    import av

    picture = BytesIO()
    Image.new("RGB", size, (90, 120, 200)).save(picture, "PNG")
    async with receiver("200 OK", content=picture.getvalue()) as there, api(tmp_path) as me:
        made = await me.create(image_urls=[there.url], aspect_ratio="Auto")
        task = await me.ended(made.json()["data"]["taskId"])
        assert task["status"] == "completed"
        (clip,) = (tmp_path / "videos").rglob("*.mp4")
        with av.open(str(clip)) as video:
            stream = video.streams.video[0]
            assert (stream.width, stream.height) == ((720, 1280) if tall else (1280, 720))
