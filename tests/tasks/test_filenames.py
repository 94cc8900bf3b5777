"""The names of saved videos: readable, in one folder, on every system, whatever the prompt says."""

from datetime import UTC
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from tests.support.entries import START, unfinished
from veo_mcp.tasks.filenames import video_name

HOSTILE = [
    "../../etc/passwd",
    "/etc/cron.d/x",
    "..\\..\\Windows\\System32",
    "C:\\boot.ini",
    "~/.ssh/authorized_keys",
    "$(rm -rf ~) `id` ; | & > <",
    "a\0b",
    "line\nbreak\r\n",
    "CON",
    "nul.mp4",
    ".hidden",
    "-rf",
    "…",
    "",
    "   ",
    "\u202egpj.exe",
    "a\u200bb\ufeffc",
    "\ud800 lone surrogate",
    "x" * 5000,
    "日本語の灯台" * 400,
    "𐎀" * 300,
    "e\u0301" * 900,
    "file://x?y#z%2e%2e%2f",
    "name:with:stream",
    "“quotes” and 'others'",
]


def name(prompt: str, **fields: object) -> str:
    return video_name(unfinished(1, api="a", created_at=START, **fields), prompt, zone=UTC)


def test_a_name_says_when_what_and_which() -> None:
    entry = unfinished(1, api="a", id="vid_Xk3f9a_2QQQQQQ")
    shown = video_name(entry, "A lighthouse on a cliff above the sea at sunset, golden light", zone=UTC)
    assert shown == "2027-01-15-a-lighthouse-on-a-cliff-above-the-sea-at-Xk3f9a_2.mp4"
    assert video_name(entry, "A lighthouse", suffix="film", zone=UTC) == "2027-01-15-a-lighthouse-Xk3f9a_2-film.mp4"


def test_words_of_every_script_stay_readable() -> None:
    assert name("灯台と海") == "2027-01-15-灯台と海-1.mp4"
    assert name("Ein Käfer, größer als ein Haus") == "2027-01-15-ein-käfer-größer-als-ein-haus-1.mp4"


@pytest.mark.parametrize("prompt", HOSTILE)
def test_whatever_a_prompt_holds_its_name_is_one_plain_name(tmp_path: Path, prompt: str) -> None:
    made = name(prompt)
    assert PurePosixPath(made).name == PureWindowsPath(made).name == made
    assert len(f".{made}.part.json".encode()) < 255
    assert made.startswith("2027-01-15-")
    assert not set(made) & set('/\\:*?"<>|\0\n\r$`;&~ ')
    assert made.isprintable()
    (tmp_path / made).write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == [made]


def test_two_tasks_with_one_prompt_never_share_a_name() -> None:
    assert len({name("a boat", id=f"vid_{'a' * 7}{letter}") for letter in "bcd"}) == 3


def test_an_odd_id_cannot_leave_the_folder_either() -> None:
    assert "/" not in name("a boat", id="vid_../../x")
    assert name("a boat", id="vid_../../x") != name("a boat", id="vid_../../y")
