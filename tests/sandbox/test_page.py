"""The page at `/`: what a person sees there, what the form does, and what it refuses, over real sockets."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.stack import sandbox
from veo_mcp.sandbox.page import KEYS, SWITCHES

pytestmark = pytest.mark.anyio


class Seen(HTMLParser):
    """The page as a reader's tools take it: elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == name]


@asynccontextmanager
async def page(folder: Path, **options: Any) -> AsyncGenerator[httpx2.AsyncClient]:
    async with (
        sandbox(folder, **options) as base_url,
        httpx2.AsyncClient(base_url=base_url, timeout=30, headers={"Origin": base_url}) as http,
    ):
        yield http


async def seen(http: httpx2.AsyncClient) -> Seen:
    return Seen((await http.get("/")).text)


async def shown_when(http: httpx2.AsyncClient, ready: Callable[[Seen], bool]) -> Seen:
    """The page once it shows what the test waits for; looks politely until then."""
    with anyio.fail_after(60):
        while True:
            if ready(shown := await seen(http)):
                return shown
            await anyio.sleep(0.05)


async def test_the_form_makes_a_clip_that_the_gallery_shows_with_a_poster_and_a_link(tmp_path: Path) -> None:
    async with page(tmp_path) as http:
        answer = await http.post("/clips", data={"prompt": "[sandbox:slow] no", "mode": "fast", "aspect_ratio": "9:16"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        shown = await seen(http)
        assert "9,960 credits" in shown.text
        assert "Look again" in shown.text
        await http.post("/clips", data={"prompt": "A boat on the sea", "mode": "fast", "aspect_ratio": "16:9"})
        shown = await shown_when(http, lambda shown: bool(shown.all("video")))
        (video,) = shown.all("video")
        assert (video["preload"], video["aria-label"]) == ("none", "A boat on the sea")
        assert (await http.get(str(video["src"]))).headers["content-type"] == "video/mp4"
        poster = await http.get(str(video["poster"]))
        assert poster.content.startswith(b"\xff\xd8")
        assert {"href": video["src"]} in shown.all("a")
        assert shown.all("time")[0]["datetime"]
        assert "Ready" in shown.text


async def test_a_failed_clip_is_shown_as_failed_and_refunded(tmp_path: Path) -> None:
    async with page(tmp_path) as http:
        await http.post("/clips", data={"prompt": "[sandbox:fail] x"})
        shown = await shown_when(http, lambda shown: "Failed" in shown.text)
        assert "Failed, refunded" in shown.text
        assert "10,000 credits" in shown.text
        assert not shown.all("video")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        # a stranger's name that resolves to this machine
        {"Origin": "http://rebound.example:{port}", "Host": "rebound.example:{port}", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:1"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
async def test_a_post_from_another_site_makes_nothing_and_costs_nothing(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with page(tmp_path) as http:
        sent = {name: value.replace("{port}", str(http.base_url.port)) for name, value in headers.items()}
        answer = await http.post("/clips", data={"prompt": "A boat"}, headers=sent)
        # A foreign name is refused by the host check, a foreign page by the form.
        assert answer.status_code == (400 if "Host" in headers else 403)
        assert answer.status_code == 400 or answer.text.startswith("Not charged.")
        shown = await seen(http)
        assert "No clips yet" in shown.text
        assert "10,000 credits" in shown.text


async def test_a_browser_on_this_machine_may_use_any_name_of_it(tmp_path: Path) -> None:
    async with page(tmp_path) as http:
        headers = {"Origin": f"http://localhost:{http.base_url.port}", "Sec-Fetch-Site": "same-origin"}
        assert (await http.post("/clips", data={"prompt": "[sandbox:fail] x"}, headers=headers)).status_code == 303


async def test_a_refused_form_says_why_keeps_the_words_and_charges_nothing(tmp_path: Path) -> None:
    async with page(tmp_path) as http:
        empty = await http.post("/clips", data={"prompt": " ", "mode": "quality"})
        shown = Seen(empty.text)
        assert empty.status_code == 400
        assert "Not charged." in shown.text
        assert any(tag.get("role") == "alert" for tag in shown.all("p"))
        assert {"checked", "value"} <= set(next(i for i in shown.all("input") if i.get("value") == "quality"))
        odd = await http.post("/clips", data={"prompt": "<b>kept</b>", "mode": "lavish"})
        assert odd.status_code == 400
        assert "&lt;b&gt;kept" in odd.text
        assert (await http.post("/clips", content=b"a=1&" * 50)).status_code == 400
        assert (await http.post("/clips", content=b"x" * 300_000)).status_code == 400
        assert "No clips yet" in (await seen(http)).text


async def test_untrusted_text_is_shown_as_text_and_nothing_of_the_machine_is(tmp_path: Path) -> None:
    async with page(tmp_path) as http:
        evil = "\"><script>alert(1)</script><img src=x onerror=alert(1)>${style} $prompt' [sandbox:fail]"
        await http.post("/clips", data={"prompt": evil})
        answer = await http.get("/")
        shown = Seen(answer.text)
        assert evil in shown.text
        assert not [tag for tag, attrs in shown.tags if tag in {"script", "img"} or any(k[:2] == "on" for k in attrs)]
        assert str(tmp_path) not in answer.text
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["style-src"].startswith("'sha256-")
        assert policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "script-src" not in policy


async def test_a_keyboard_and_a_screen_reader_find_their_way(tmp_path: Path) -> None:
    async with page(tmp_path) as http:
        shown = await seen(http)
        tags = [tag for tag, _ in shown.tags]
        assert [tags.count(name) for name in ("h1", "main", "header", "nav", "form")] == [1, 1, 1, 1, 1]
        assert shown.all("html")[0]["lang"] == "en"
        ids = {attrs["id"] for _, attrs in shown.tags if "id" in attrs}
        assert {str(a["href"])[1:] for a in shown.all("a") if str(a["href"]).startswith("#")} <= ids
        assert {s["aria-labelledby"] for s in shown.all("section")} <= ids
        assert shown.all("label")[0]["for"] == shown.all("textarea")[0]["id"]
        assert tags.index("ul") < tags.index("form") < tags.index("table")
        for word in SWITCHES:
            assert f"[sandbox:{word}]" in shown.text
        for key in KEYS:
            assert key in shown.text
        assert f"{http.base_url}".rstrip("/") + "/v1/videos/generations" in shown.text


async def test_posters_come_from_clips_of_the_sandbox_only(tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"x")
    async with page(tmp_path / "sandbox") as http:
        for path in ("../../secret.jpg", "..%2f..%2fsecret.jpg", "2026/01/01/none.jpg", "x.mp4"):
            assert (await http.get(f"/posters/{path}")).status_code == 404
