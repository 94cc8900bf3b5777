"""Pictures from the person's disk: handed over through a bucket, recognised, asked about once, and taken away again."""

import json
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult
from PIL import Image
from pydantic import SecretStr

from tests.support.bucket import Service, service
from tests.support.child import call, http_child, stdio_child
from tests.support.entries import PERSON, everything
from tests.support.results import structured
from tests.support.stack import Stack, open_stack, sandbox, text
from veo_mcp.api.account import Account
from veo_mcp.errors import RuleViolation
from veo_mcp.journal.entry import Status
from veo_mcp.tasks import pictures
from veo_mcp.tasks.pictures import Uploads

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def running() -> Generator[Service]:
    with service() as found:
        yield found


@pytest.fixture
def s3(running: Service) -> Service:
    httpx2.post(f"{running.url}/moto-api/reset").raise_for_status()
    httpx2.put(f"{running.url}/films").raise_for_status()
    return running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "pictures"
    inside.mkdir()
    for name, colour in (("boat.png", "red"), ("house.png", "blue")):
        Image.new("RGB", (320, 180), colour).save(inside / name)
    return inside


class Recorder:
    """A bucket that records its calls."""

    def __init__(self, inner: Uploads) -> None:
        self._inner = inner
        self.links: list[str] = []
        self.deleted: list[str] = []

    @property
    def address(self) -> str:
        return self._inner.address

    def put(self, address: str, data: bytes, kind: str) -> str:
        self.links.append("")
        self.links[-1] = self._inner.put(address, data, kind)
        return self.links[-1]

    def delete(self, address: str) -> None:
        self.deleted.append(address)
        self._inner.delete(address)


@asynccontextmanager
async def stack(tmp_path: Path, folder: Path, s3: Service, **options: Any) -> AsyncGenerator[tuple[Stack, Recorder]]:
    uploads = Recorder(options.pop("uploads", None) or s3.bucket())
    async with open_stack(tmp_path, image_dirs=[folder], uploads=uploads, **options) as env:
        yield env, uploads


async def test_a_picture_is_handed_to_the_api_and_taken_away_when_its_task_ends(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with stack(tmp_path, folder, s3, seconds=0.5) as (env, uploads):
        made = await env.call("create_video", prompt="the boat moves", image_urls=[str(folder / "boat.png")])
        assert "Charged 40 sandbox credits." in text(made)
        (name,) = s3.names()
        assert name.startswith("veo/")
        assert name.endswith(".png")
        assert "boat" not in name
        assert len(name) == len("veo/") + 32 + len(".png")
        (link,) = uploads.links
        assert "X-Amz-Expires=86400" in link
        fetched = httpx2.get(link)
        assert fetched.headers["content-type"] == "image/png"
        assert Image.open(BytesIO(fetched.content)).size == (320, 180)
        assert await env.engine.pictures.round() == 0, "its task needs it still"
        task_id = structured(made)["task_id"]
        done = await env.call("get_task", task_id=task_id, wait_seconds=50)
        assert structured(done)["status"] == "completed", "the sandbox has fetched and used it"
        assert structured(done)["images"] == 1
        assert await env.engine.pictures.round() == 1
        assert s3.names() == []
        assert await env.engine.pictures.round() == 0
        assert httpx2.get(link).status_code == 404


async def test_the_journal_keeps_what_the_picture_is_and_neither_its_path_nor_its_link(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with stack(tmp_path, folder, s3) as (env, _):
        await env.call("create_video", prompt="[sandbox:slow] x", image_urls=[str(folder / "boat.png")])
        (entry,) = await everything(env.engine)
        (image,) = json.loads(entry.body)["input"]["image_urls"]
        assert image.startswith("picture:sha256:")
        assert len(image) == len("picture:sha256:") + 64


async def test_the_same_picture_is_the_same_request_whatever_it_is_called_and_carries(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Anna"
    Image.open(folder / "boat.png").save(folder / "copy.png", exif=exif)
    async with stack(tmp_path, folder, s3) as (env, uploads):
        first = await env.call("create_video", prompt="[sandbox:slow] x", image_urls=[str(folder / "boat.png")])
        again = await env.call("create_video", prompt="[sandbox:slow] x", image_urls=["copy.png"])
        assert structured(again)["repeated"] is True
        assert len(uploads.links) == 1
        other = await env.call("create_video", prompt="[sandbox:slow] x", image_urls=["house.png"])
        assert "repeated" not in structured(other)
        on_purpose = await env.call(
            "create_video",
            prompt="[sandbox:slow] x",
            image_urls=["boat.png"],
            repeat_of=structured(first)["task_id"],
        )
        assert "repeated" not in structured(on_purpose)
        assert await env.charged() == 120
        assert len(set(s3.names())) == 3


async def test_nothing_is_uploaded_for_a_request_that_is_not_sent(tmp_path: Path, folder: Path, s3: Service) -> None:
    async with stack(tmp_path, folder, s3, max_credits=300, confirm_above=39) as (env, uploads):
        path = str(folder / "boat.png")
        three = [path, str(folder / "house.png"), "https://example.com/a.jpg"]
        for words, arguments in (
            ("A quote, nothing was sent", {"prompt": "x", "image_urls": [path]}),
            ("A quote, nothing was sent", {"prompt": "x", "mode": "quality", "image_urls": [path]}),
            ("Three images fit only REFERENCE_2_VIDEO", {"prompt": "x", "image_urls": three}),
            ("takes no image_urls", {"prompt": "x", "generation_type": "TEXT_2_VIDEO", "image_urls": [path]}),
            ("prompt must say", {"prompt": " ", "image_urls": [path]}),
            ("VEO_IMAGE_DIRS", {"prompt": "x", "image_urls": [path, "/etc/hostname.png"]}),
            ("(data:)", {"prompt": "x", "image_urls": [path, "data:image/png;base64,AAAA"]}),
            ("must be an http or https URL", {"prompt": "x", "image_urls": [path, "picture:sha256:" + "0" * 64]}),
        ):
            answer = await env.call("create_video", **arguments)
            assert answer.is_error
            assert words in text(answer)
            assert "Not charged." in text(answer)
        assert uploads.links == []
        assert s3.names() == []


async def test_nothing_is_uploaded_for_credits_that_the_limit_does_not_cover(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with stack(tmp_path, folder, s3, max_credits=100) as (env, uploads):
        await env.call("create_video", prompt="[sandbox:slow] x", image_urls=["boat.png"])
        assert len(uploads.links) == 1, "what the limit covers is uploaded"
        await env.call("create_video", prompt="[sandbox:slow] y")
        for fields in ({}, {"mode": "quality"}, {"mode": "quality", "confirm_credits": 300}):
            answer = await env.call("create_video", prompt="z", image_urls=["house.png"], **fields)
            assert answer.is_error
            assert "limit of 100 credits" in text(answer)
            assert "Not charged." in text(answer)
        assert len(uploads.links) == 1
        assert len(s3.names()) == 1
        assert await env.charged() == 80


@pytest.mark.parametrize("address", ["s3://nobody-has-this/veo", "denied"])
async def test_a_failed_upload_costs_nothing_and_says_why(
    tmp_path: Path, folder: Path, s3: Service, address: str
) -> None:
    denied = address == "denied"
    bucket = s3.bucket() if denied else s3.bucket(address)
    if denied:
        s3.deny("s3:PutObject")
    async with stack(tmp_path, folder, s3, uploads=bucket) as (env, _):
        answer = text(await env.call("create_video", prompt="x", image_urls=[str(folder / "boat.png")]))
        assert "A picture could not be uploaded, so nothing was sent." in answer
        assert (
            "does not permit that" if denied else "The bucket nobody-has-this is not there (NoSuchBucket)"
        ) in answer
        assert "Not charged." in answer
        assert "AKIATEST" not in answer
        assert "http" not in answer
        assert await env.charged() == 0
        (entry,) = await everything(env.engine)
        assert (entry.status, entry.charged, entry.error_code) == (Status.REFUSED, "no", "upload_failed")


async def test_an_upload_that_hangs_is_given_up_before_the_host_gives_up(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    """The time it took is taken from that of the create."""
    assert pictures.UPLOAD_SECONDS < 45 / 2
    async with stack(tmp_path, folder, s3, uploads=s3.bucket(endpoint="http://127.0.0.1:9")) as (env, _):
        answer = text(await env.call("create_video", prompt="x", image_urls=[str(folder / "boat.png")]))
        assert "The bucket films could not be reached, or did not take it." in answer
        assert "Not charged." in answer


class Person:
    """Somebody who is asked, and answers the same every time."""

    def __init__(self, action: Any, **content: bool) -> None:
        self.answer = ElicitResult(action=action, content=dict(content) or None)
        self.questions: list[str] = []

    async def __call__(self, _context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return self.answer


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_person_is_asked_once_for_each_folder(tmp_path: Path, folder: Path, s3: Service, mode: str) -> None:
    person = Person("accept", share=True)
    async with stack(tmp_path, folder, s3, mode=mode, elicitation=person) as (env, uploads):
        assert (await env.call("create_video", prompt="x", image_urls=["nothing.png"])).is_error
        assert person.questions == [], "nothing can be sent"
        made = await env.call("create_video", prompt="[sandbox:slow] x", image_urls=["boat.png"])
        assert "Charged 40" in text(made)
        (question,) = person.questions
        assert str(folder) in question
        assert "Charged 40" in text(await env.call("create_video", prompt="[sandbox:slow] y", image_urls=["house.png"]))
        assert len(person.questions) == 1
        assert len(uploads.links) == 2
    async with stack(tmp_path, folder, s3, mode=mode, elicitation=person) as (env, _):
        await env.call("create_video", prompt="[sandbox:slow] z", image_urls=["boat.png"])
        assert len(person.questions) == 1, "also after a restart"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_costly_call_with_a_picture_asks_both_questions_and_decodes_it_once(
    tmp_path: Path, folder: Path, s3: Service, mode: str
) -> None:
    person = Person("accept", share=True, spend=True)
    reached: list[str] = []
    async with stack(tmp_path, folder, s3, mode=mode, elicitation=person, crash_at=reached.append) as (env, _):
        made = await env.call("create_video", prompt="[sandbox:slow] x", mode="quality", image_urls=["boat.png"])
        assert "Charged 300" in text(made)
        assert len(person.questions) == 2
    assert reached.count("opened") > 1, "whether it is still the same is looked at every time"
    assert reached.count("reading") == 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    "person", [Person("decline"), Person("accept", share=False), Person("accept", other=True)], ids=["", "no", "odd"]
)
async def test_without_a_yes_nothing_leaves_and_the_next_call_asks_again(
    tmp_path: Path, folder: Path, s3: Service, mode: str, person: Person
) -> None:
    person.questions.clear()
    async with stack(tmp_path, folder, s3, mode=mode, elicitation=person) as (env, uploads):
        for count in (1, 2):
            answer = await env.call("create_video", prompt="x", image_urls=["boat.png"])
            assert answer.is_error
            assert "Handing over a picture from that folder was not confirmed" in text(answer)
            assert "Not charged." in text(answer)
            assert len(person.questions) == count
        assert uploads.links == []
        assert await everything(env.engine) == ()


async def test_a_picture_is_handed_over_by_the_real_server_over_stdio_and_taken_away_by_it(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with (
        sandbox(tmp_path / "sandbox") as url,
        stdio_child(tmp_path, url, VEO_IMAGE_DIRS=str(folder), **s3.environ()) as child,
    ):
        await child.open()
        await child.send(call(1, "create_video", prompt="[sandbox:fail] x", image_urls=[f"file://{folder}/boat.png"]))
        made = (await child.answer(1))["result"]["structuredContent"]
        assert made["images"] == 1
        assert len(s3.names()) == 1
        await child.send(call(2, "get_task", task_id=made["task_id"], wait_seconds=50))
        assert (await child.answer(2))["result"]["structuredContent"]["status"] == "failed"
        with anyio.fail_after(60):
            while s3.names():  # noqa: ASYNC110 - another process does it, and tells nobody
                await anyio.sleep(0.2)


async def test_a_picture_is_handed_over_by_the_real_server_over_loopback_http(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with (
        sandbox(tmp_path / "sandbox") as url,
        http_child(tmp_path, url, VEO_IMAGE_DIRS=str(folder), **s3.environ()) as child,
        Client(f"{child.url}/mcp") as client,
    ):
        made = await client.call_tool("create_video", {"prompt": "[sandbox:slow] x", "image_urls": ["boat.png"]})
        assert structured(made)["images"] == 1
        assert len(s3.names()) == 1
        outside = await client.call_tool("create_video", {"prompt": "x", "image_urls": ["../secret.png"]})
        assert "is not inside a folder of VEO_IMAGE_DIRS" in text(outside)
        assert len(s3.names()) == 1


async def test_without_the_settings_it_is_said_what_to_do(tmp_path: Path, folder: Path) -> None:
    async with open_stack(tmp_path) as env:
        answer = text(await env.call("create_video", prompt="x", image_urls=[str(folder / "boat.png")]))
        for words in ("public link opens the image directly", "VEO_IMAGE_DIRS and VEO_UPLOADS", "Not charged."):
            assert words in answer


async def test_with_several_principals_no_file_of_the_machine_can_be_named(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with stack(tmp_path, folder, s3) as (env, _):
        mine = await env.engine.accounts.account(PERSON)
        ann = Account(mine.api, "ann", SecretStr("sk-x"))
        with pytest.raises(RuleViolation, match="several people"):
            await env.engine.pictures.take(ann, [str(folder / "boat.png")])


async def test_what_is_missing_on_the_machine_is_said(tmp_path: Path, folder: Path, s3: Service) -> None:
    async with stack(tmp_path, folder, s3, picture_trouble="Run: pip install 'veo-mcp[uploads]'.") as (env, _):
        answer = text(await env.call("create_video", prompt="x", image_urls=["boat.png"]))
        assert "pip install 'veo-mcp[uploads]'" in answer
        assert "Not charged." in answer


async def test_a_server_that_starts_again_takes_away_what_another_one_left(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    async with stack(tmp_path, folder, s3) as (env, _):
        made = await env.call("create_video", prompt="x", image_urls=["boat.png"])
        await env.call("get_task", task_id=structured(made)["task_id"], wait_seconds=50)
        # As after a crash between writing the name down and the upload.
        await env.engine.journal.note_uploads("vid_never_begun", ["s3://films/veo/never.png"], now=0)
    assert len(s3.names()) == 1
    async with stack(tmp_path, folder, s3) as (env, uploads):
        assert await env.engine.pictures.round() == 2
        assert s3.names() == []
        assert await env.engine.pictures.round() == 0
        assert len(uploads.deleted) == 2


async def test_a_picture_of_an_unknown_outcome_stays_as_long_as_its_link(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    now = [1_800_000_000.0]
    async with stack(tmp_path, folder, s3, clock=lambda: now[0]) as (env, _):
        lost = await env.call("create_video", prompt="[sandbox:drop] x", image_urls=["boat.png"])
        assert structured(lost)["status"] == "unknown"
        now[0] += 86_399
        assert await env.engine.pictures.round() == 0
        now[0] += 2
        assert await env.engine.pictures.round() == 1
        assert s3.names() == []


async def test_where_deleting_is_not_permitted_it_is_logged_once_and_left(
    tmp_path: Path, folder: Path, s3: Service, caplog: pytest.LogCaptureFixture
) -> None:
    async with stack(tmp_path, folder, s3) as (env, uploads):
        await env.call("create_video", prompt="[sandbox:fail] x", image_urls=["boat.png"])
        (entry,) = await everything(env.engine)
        await env.call("get_task", task_id=entry.id, wait_seconds=50)
        s3.deny("s3:DeleteObject")
        assert await env.engine.pictures.round() == 1
        assert "is left in its bucket" in caplog.text
        assert await env.engine.pictures.round() == 0
        assert len(uploads.deleted) == 1


async def test_a_bucket_that_cannot_be_reached_is_tried_again_for_a_week(
    tmp_path: Path, folder: Path, s3: Service
) -> None:
    now = [1_800_000_000.0]
    gone = s3.bucket(endpoint="http://127.0.0.1:9")
    async with stack(tmp_path, folder, s3, uploads=gone, clock=lambda: now[0]) as (env, uploads):
        await env.engine.journal.note_uploads("vid_gone", ["s3://films/veo/a.png"], now=now[0])
        assert await env.engine.pictures.round() == 1
        assert await env.engine.pictures.round() == 0
        now[0] += 61
        assert await env.engine.pictures.round() == 1
        now[0] += 7 * 86_400
        assert await env.engine.pictures.round() == 1
        now[0] += 7 * 86_400
        assert await env.engine.pictures.round() == 0, "given up"
        assert len(uploads.deleted) == 3


async def test_the_tool_says_whether_files_can_be_named(tmp_path: Path, folder: Path, s3: Service) -> None:
    async with stack(tmp_path, folder, s3) as (env, _):
        (create,) = (tool for tool in (await env.client.list_tools()).tools if tool.name == "create_video")
        assert "paths of JPEG, PNG or WebP files" in (create.description or "")
    async with open_stack(tmp_path / "other") as env:
        (create,) = (tool for tool in (await env.client.list_tools()).tools if tool.name == "create_video")
        assert "local files cannot be sent" in (create.description or "")
