"""Every answer says what happened, what it cost and what comes next, in few bytes, by text alone and by data alone."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.message_page import Message, list_of_ten, messages, page
from tests.support.entries import unfinished
from veo_mcp.journal.entry import Status
from veo_mcp.server.messages.cause import failure_cause

ROOT = Path(__file__).parent.parent.parent
MESSAGES_MD = ROOT / "docs" / "messages.md"
MESSAGES = {f"{message.title}: {message.tool}": message for message in messages()}
MONEY = re.compile(
    r"Not charged\.|(Charged|May have been charged|Refunded) (about )?\d+ (sandbox )?credits( \(estimate\))?\."
)
LINK = re.compile(r"https?://\S+\.mp4")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NEXT_STEP = re.compile(
    r"[Cc]all|[Tt]ell the person|[Aa]sk the person|extend_video, task_id=|To pay again|settle|Try again|list_tasks"
    r"|get_task|until that is fixed|must set a valid|That is enough for|leaves the sandbox"
)


def tasks() -> list[Message]:
    return [message for message in MESSAGES.values() if message.data is not None and "status" in message.data]


def status(message: Message) -> Any:
    return (message.data or {})["status"]


def test_docs_messages_md_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "message_page.py")], capture_output=True, check=True, cwd=ROOT
    )
    said = made.stdout.decode()
    assert said == page()
    assert said == MESSAGES_MD.read_text(), "run: python scripts/message_page.py > docs/messages.md"


@pytest.mark.parametrize("name", MESSAGES)
def test_an_answer_says_what_it_cost_and_what_to_do_next(name: str) -> None:
    message = MESSAGES[name]
    if message.tool not in ("get_credits", "list_tasks"):
        assert len(MONEY.findall(message.text)) == 1, "once, in the fixed words"
    assert NEXT_STEP.search(message.text)
    assert "  " not in message.text
    assert ".." not in message.text
    assert "(s)" not in message.text.replace("http(s)", "")


@pytest.mark.parametrize("name", MESSAGES)
def test_text_alone_and_data_alone_each_say_everything(name: str) -> None:
    message = MESSAGES[name]
    if message.result.is_error:
        assert message.data is None
        return
    data = message.data or {}
    assert next(iter(data)) == "message"
    if message.tool != "list_tasks":
        assert MONEY.findall(data["message"]) == MONEY.findall(message.text)
        # What only one of the two sentences holds stands in the fields beside it.
        structured = json.dumps(data)
        assert all(link in structured for link in LINK.findall(message.text))
        assert all(id_ in structured for id_ in ID.findall(message.text))
        assert data["message"] == message.text or "The video is ready, see video_urls." in data["message"]
        return
    closing = message.text.splitlines()[-1]
    assert data["message"].endswith(closing)
    for row, line in zip(data["tasks"], message.text.splitlines(), strict=False):
        links = row.get("video_urls", [])
        assert all(part in line for part in (row["task_id"], row["status"], row["prompt"], *links))


def test_a_picture_of_the_disk_is_not_spoken_of_as_a_link() -> None:
    said = MESSAGES["Failed over a picture from the disk: get_task"].text
    assert "VEO_UPLOADS" in said
    assert "link" not in said
    for images, words in (
        (["picture:sha256:1"], "names no cause"),
        (["picture:sha256:1", "https://x/a.png"], "the image link"),
    ):
        entry = unfinished(1, api="a", status=Status.FAILED, body=json.dumps({"input": {"image_urls": images}}))
        assert words in failure_cause(entry)
        assert ("link" in failure_cause(entry)) is (len(images) > 1)


def test_an_unknown_outcome_says_how_it_ends() -> None:
    unknown = [message for message in tasks() if status(message) == "unknown"]
    assert len(unknown) == 4
    for message in unknown:
        assert "veo-mcp tasks resolve" in message.text
        assert "settle automatically" in message.text
        assert "repeat_of=" in message.text


def test_a_list_shows_where_equal_beginnings_differ() -> None:
    rows = (Message("", "list_tasks", list_of_ten()).data or {})["tasks"]
    assert len({row["prompt"] for row in rows}) == 10


def test_no_message_says_to_pay_again_without_asking_the_person() -> None:
    failures = [message for message in tasks() if status(message) == "failed"]
    assert len(failures) == 7
    for message in failures:
        assert re.search(r"ask before paying|stop, and tell the person", message.text)


def test_only_sandbox_credits_are_called_sandbox_credits() -> None:
    for message in tasks():
        inside = "sandbox" in (message.data or {})
        assert ("sandbox credits" in message.text) is inside
