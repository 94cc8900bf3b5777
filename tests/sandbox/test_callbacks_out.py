"""Callbacks out of the sandbox: once when all is well, again when not, and never where somebody said stop."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.support.receiver import receiver
from tests.support.sandbox_api import api

pytestmark = pytest.mark.anyio

GAPS = (0.0, 0.05, 0.05)


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
    async with receiver(*statuses) as endpoint, api(tmp_path, callback_gaps=GAPS) as client:
        body = {"model": "veo-3", "callback_url": endpoint.url, "input": {"prompt": f"[sandbox:{word}]"}}
        task_id = (await client.post(body)).json()["data"]["taskId"]
        await endpoint.wait_for(times)
        task = await client.ended(task_id)
        assert endpoint.bodies == [task] * times
        await client.all_done()
        assert len(endpoint.bodies) == times


@pytest.mark.parametrize(("size", "tall"), [((300, 500), True), ((500, 300), False)])
async def test_auto_follows_the_shape_of_the_first_image(tmp_path: Path, size: tuple[int, int], tall: bool) -> None:
    import av

    picture = BytesIO()
    Image.new("RGB", size, (90, 120, 200)).save(picture, "PNG")
    async with receiver("200 OK", content=picture.getvalue()) as endpoint, api(tmp_path) as client:
        made = await client.create(image_urls=[endpoint.url], aspect_ratio="Auto")
        task = await client.ended(made.json()["data"]["taskId"])
        assert task["status"] == "completed"
        (clip,) = (tmp_path / "videos").rglob("*.mp4")
        with av.open(str(clip)) as video:
            stream = video.streams.video[0]
            assert (stream.width, stream.height) == ((720, 1280) if tall else (1280, 720))
