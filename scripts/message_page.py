"""Prints docs/messages.md: every answer of the tools, as a host that shows text alone has it, and one that shows data.

Run as `python scripts/message_page.py > docs/messages.md`; a test compares the two, and holds each answer to what it
must say and how long it may be. Made from veo_mcp/server: results.py, messages/errors.py and build.py.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mcp_types import CallToolResult, TextContent

from veo_mcp.api.models import Credits
from veo_mcp.errors import (
    InsufficientCredits,
    InvalidApiKey,
    JournalUnusable,
    NotExtendable,
    RateLimitExceeded,
    RuleViolation,
    SpendLimit,
    UnknownTask,
    UpstreamUnavailable,
)
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.build import instructions
from veo_mcp.server.messages.errors import crashed, failure, not_confirmed, quoted_price, refusal
from veo_mcp.server.results import balance_result, list_result, task_result
from veo_mcp.tasks.budget import Standing
from veo_mcp.tasks.context import NOTHING_KNOWN, TaskContext

__all__ = ["Message", "list_of_ten", "messages", "page"]

BEGUN = 1_800_000_000.0
NOW = BEGUN + 130.0
API = "https://api.aivideoapi.ai"
SANDBOX = "sandbox:Qm8rT2vXw5"
PROMPT = "A lighthouse on a cliff above the sea at sunset, golden light on the waves, slow drone shot, gulls crying"
IDS = (
    "9b2f4c1e-7a60-4d3b-8e15-c0a1f2d3e4b5",
    "3d7e8f90-12ab-4c5d-9e6f-a7b8c9d0e1f2",
    "f1e2d3c4-b5a6-4978-8a9b-0c1d2e3f4a5b",
)
EVERYDAY_QUOTE: dict[str, Any] = {"estimated": False, "sandbox": False, "confirmed": None}
EVERYDAY_SERVER: dict[str, Any] = {"read_only": False, "max_credits": None, "sandbox": False}
HEAD = """<!-- Made by scripts/message_page.py. Do not edit. -->

# What a model reads

Every answer of the tools. Some hosts show their model the text of a result alone, some the structured content alone, so
each of the two says the whole truth: what happened, whether credits were spent, what to do next. A failure (`isError`)
has text alone, which every host shows. The ids, times and links are examples.
"""


@dataclass(frozen=True, slots=True)
class Message:
    """One answer.

    Attributes:
        title: when it comes.
        tool: which tool gives it.
        result: the answer itself.
    """

    title: str
    tool: str
    result: CallToolResult

    @property
    def text(self) -> str:
        return "\n".join(block.text for block in self.result.content if isinstance(block, TextContent))

    @property
    def data(self) -> dict[str, Any] | None:
        return self.result.structured_content

    @property
    def size(self) -> int:
        """Bytes of text and structured content together."""
        data = json.dumps(self.data, separators=(",", ":"), ensure_ascii=False) if self.data else ""
        return len(self.text.encode()) + len(data.encode())


def video(number: int = 0, **fields: Any) -> Entry:
    """An accepted request for a fast video."""
    asked: dict[str, Any] = {"prompt": PROMPT, **fields.pop("asked", {})}
    entry = Entry(
        id=f"vid_kV3xq0T8nYb2mLw7Zs1R{number:02}",
        api=API,
        principal="",
        kind="create",
        fingerprint="f",
        body=json.dumps({"model": "veo-3", "input": asked}),
        prompt=PROMPT,
        model="veo-3",
        mode="fast",
        aspect_ratio="16:9",
        credits=40,
        upstream_id=IDS[number],
        status=Status.PROCESSING,
        charged="yes",
        created_at=BEGUN,
        updated_at=BEGUN,
        next_poll_at=BEGUN,
    )
    return replace(entry, **fields)


def done(number: int = 0, *, seconds: float | None = 8.0, **fields: Any) -> Entry:
    """A finished video."""
    known: dict[str, Any] = {"duration_seconds": seconds, "width": 1280, "height": 720} if seconds else {}
    link = f"https://file.aivideoapi.ai/2027/01/15/{IDS[number]}.mp4"
    ended: dict[str, Any] = {"video_urls": (link,), "resolution": "720p", "completed_at": BEGUN + 94.0}
    if not seconds:
        ended["file_due_at"] = NOW
    return video(number, status=Status.COMPLETED, **{**ended, "ended_at": BEGUN + 94.0, **known, **fields})


def extension(number: int, parent: Entry, *, seconds: float | None) -> Entry:
    """A finished extension of it."""
    more: dict[str, Any] = {"kind": "extend", "extends": parent.upstream_id, "estimated": True}
    return done(number, seconds=seconds, mode=None, aspect_ratio=None, model="veo-3-extend", **more)


def lost(**fields: Any) -> Entry:
    """A request whose answer never came."""
    words = "no answer came within 45 s, and the request may have arrived"
    return video(upstream_id=None, status=Status.UNKNOWN, charged="unknown", error_message=words, **fields)


def failed(code: str, message: str, **fields: Any) -> Entry:
    """A video that failed and was refunded."""
    error: dict[str, Any] = {"error_code": code, "error_message": message}
    return video(status=Status.FAILED, charged="refunded", completed_at=BEGUN + 60.0, **{**error, **fields})


def refused(**fields: Any) -> Entry:
    """A request that the API refused."""
    return video(upstream_id=None, status=Status.REFUSED, charged="no", **fields)


def list_of_ten() -> CallToolResult:
    """A full page of tasks whose prompts begin alike."""
    entries = [
        done(number % 3, prompt=f"{PROMPT}, take {number}: {'a ship passes ' * number}", id=f"vid_{number}")
        for number in range(10)
    ]
    return list_result(entries, "MTgwMDAwMDAwMC4wOnZpZF85", NOW, status=None, paged=False, spent=400, sandbox=False)


def messages() -> Iterator[Message]:
    """Every kind of answer once."""
    yield from _under_way()
    yield from _completed()
    yield from _bad_ends()
    yield from _lists_and_balances()
    yield from _quotes()
    yield from _errors()


def _task(title: str, tool: str, entry: Entry, context: TaskContext = NOTHING_KNOWN, **how: Any) -> Message:
    return Message(title, tool, task_result(entry, how.pop("now", NOW), context, **how))


def _under_way() -> Iterator[Message]:
    usual = TaskContext(usual=95.0)
    soon = BEGUN + 1.0
    yield _task("Accepted", "create_video", video(status=Status.PENDING), now=soon)
    yield _task("Accepted, in the sandbox", "create_video", video(status=Status.PENDING, api=SANDBOX), now=soon)
    extending = {"kind": "extend", "extends": IDS[0], "estimated": True, "mode": None, "aspect_ratio": None}
    yield _task("An extension was accepted", "extend_video", video(1, status=Status.PENDING, **extending), now=soon)
    sending = video(upstream_id=None, status=Status.SUBMITTING, charged="unknown")
    yield _task("Being sent by another call", "get_task", sending, now=soon)
    yield _task("Under way, the usual time known", "get_task", video(), usual)
    trouble = TaskContext(usual=95.0, trouble=InvalidApiKey.explanation)
    yield _task("Under way, and the API cannot be asked", "get_task", video(), trouble)
    yield _task("The same call again", "create_video", video(), usual, repeated=True)


def _completed() -> Iterator[Message]:
    yield _task("Completed, not measured yet", "get_task", done(seconds=None))
    yield _task("Completed", "get_task", done())
    given = {"seeds": 12345, "watermark": "Harbour Films", "image_urls": ["https://example.com/a.jpg"]}
    tall: dict[str, Any] = {"aspect_ratio": "9:16", "width": 720, "height": 1280}
    yield _task("Completed, with seed, watermark and image", "get_task", done(asked=given, **tall))
    yield _task("Completed, in the sandbox", "get_task", done(api=SANDBOX))
    yield _task("Completed and saved", "get_task", done(saved_to="/home/ann/Videos/2027-01-15-a-lighthouse.mp4"))
    trouble = "not saved yet. The disk is full."
    yield _task("Completed, and not saved", "get_task", done(file_error=trouble))
    first = done()
    for title, seconds in (
        ("An extension whose file holds only the new part", 7.0),
        ("An extension whose file holds the whole film", 15.0),
        ("An extension that is not measured yet", None),
    ):
        second = extension(1, first, seconds=seconds)
        yield _task(title, "get_task", second, TaskContext(chain=(first, second)))
    second = extension(1, first, seconds=7.0)
    third = extension(2, second, seconds=7.0)
    yield _task("An extension of an extension", "get_task", third, TaskContext(chain=(first, second, third)))
    fourth = replace(extension(0, third, seconds=7.0), id="vid_4")
    grown = replace(second, duration_seconds=15.0)
    mixed = TaskContext(chain=(first, grown, third))
    yield _task("An extension of a whole film, of which it holds only the new part", "get_task", third, mixed)
    long = TaskContext(chain=(first, *(second, third) * 4, fourth))
    yield _task("The tenth part of a film", "get_task", fourth, long)
    unread = extension(1, first, seconds=None)
    never = TaskContext(chain=(first, replace(unread, file_due_at=None)))
    yield _task("An extension whose length cannot be read", "get_task", replace(unread, file_due_at=None), never)
    orphan = TaskContext(chain=(second,))
    yield _task("An extension of a video that was made elsewhere", "get_task", second, orphan)
    yield _task("The same call again, completed", "create_video", done(), repeated=True)


def _bad_ends() -> Iterator[Message]:
    images = {"asked": {"image_urls": ["https://example.com/a.jpg", "https://example.com/b.jpg"]}}
    nothing = failed("generation_failed", "Video generation failed")
    yield _task("Failed, and nothing was said", "get_task", nothing, TaskContext(failures=1))
    yield _task("Failed the second time in a row", "get_task", nothing, TaskContext(failures=2))
    yield _task("Failed over an image", "get_task", failed("image_error", "Failed to fetch image", **images))
    uploaded = {"asked": {"image_urls": ["picture:sha256:" + "0" * 64]}}
    yield _task(
        "Failed over a picture from the disk", "get_task", failed("image_error", "Failed to fetch image", **uploaded)
    )
    silent = failed("generation_failed", "Video generation failed", **images)
    yield _task("Failed with images, and nothing was said", "get_task", silent)
    yield _task("Failed over the content", "get_task", failed("content_policy", "The prompt violates our policies"))
    yield _task("Failed, the service down", "get_task", failed("upstream", "Service temporarily unavailable"))
    yield _task("Unknown", "create_video", lost())
    evident = lost(evidence=40)
    yield _task("Unknown, with evidence and callbacks", "get_task", evident, TaskContext(callbacks=True))
    yield _task("Unknown, and called again", "create_video", evident, repeated=True)
    extending = {"kind": "extend", "extends": IDS[0], "estimated": True, "mode": None, "aspect_ratio": None}
    yield _task("Unknown, an extension", "extend_video", lost(**extending))
    yield _task("Refused earlier", "get_task", refused(error_code="invalid_request", error_message="Invalid prompt"))
    by_hand = refused(error_code="settled_by_hand")
    yield _task("Settled by a person as not charged", "get_task", by_hand)


def _lists_and_balances() -> Iterator[Message]:
    entries = [video(0), extension(1, done(), seconds=7.0), failed("generation_failed", "Video generation failed")]
    some = list_result(entries, None, NOW, status=None, paged=False, spent=80, sandbox=False)
    yield Message("A list", "list_tasks", some)
    yield Message(
        "An empty list", "list_tasks", list_result([], None, NOW, status=None, paged=False, spent=0, sandbox=False)
    )
    none = list_result([], None, NOW, status="failed", paged=False, spent=80, sandbox=False)
    yield Message("An empty list of one status", "list_tasks", none)
    credits = Credits(balance=9_920, total_purchased=10_000, total_consumed=80)
    free = Standing(credits, sandbox=False, spent=80, limit=None, left=None, more_at=BEGUN + 86_400.0)
    yield Message("The balance", "get_credits", balance_result(free, 248, 33))
    bound = Standing(credits, sandbox=False, spent=80, limit=100, left=20, more_at=BEGUN + 86_400.0)
    yield Message("The balance, and a limit that allows none", "get_credits", balance_result(bound, 0, 0))
    drawn = Standing(credits, sandbox=True, spent=80, limit=None, left=None, more_at=None)
    yield Message("The balance of the sandbox", "get_credits", balance_result(drawn, 248, 33))


def _quotes() -> Iterator[Message]:
    def quote(credits: int, balance: int | None, **how: Any) -> CallToolResult:
        return quoted_price(credits, balance, **{**EVERYDAY_QUOTE, **how})

    yield Message("The host cannot ask the person", "create_video", quote(300, 9_920))
    yield Message("The same, in the sandbox", "create_video", quote(300, 9_920, sandbox=True))
    yield Message("An extension", "extend_video", quote(40, None, estimated=True))
    yield Message("A price that was not quoted", "create_video", quote(300, 9_920, confirmed=300))
    yield Message("Not confirmed", "create_video", not_confirmed(300, estimated=False, cheaper=True))
    yield Message("An extension was not confirmed", "extend_video", not_confirmed(40, estimated=True, cheaper=False))


def _errors() -> Iterator[Message]:
    yield Message("No such id", "get_task", failure(UnknownTask("9b2f")))
    early = (
        "Only a completed task can be extended; this one is pending. get_task with wait_seconds=45 waits for its end."
    )
    yield Message("Not completed", "extend_video", failure(NotExtendable(early)))
    broken = RuleViolation("image_urls must be public http(s) links.")
    yield Message("A rule is broken", "create_video", failure(broken))
    limit = SpendLimit(limit=100, price=40, spent=80, more_at=BEGUN + 86_400.0)
    yield Message("The limit", "create_video", failure(limit))
    yield Message(
        "The journal cannot be written",
        "create_video",
        failure(JournalUnusable("The journal's disk is full; make room.")),
    )
    yield Message("The API cannot be asked", "get_credits", failure(UpstreamUnavailable()))
    poor = refusal(InsufficientCredits("Insufficient credits"), refused(), balance=30)
    yield Message("The balance is too low", "create_video", poor)
    poor = refusal(InsufficientCredits("Insufficient credits"), refused(api=SANDBOX), balance=30)
    yield Message("The balance is too low, in the sandbox", "create_video", poor)
    busy = RateLimitExceeded("Too many requests", retry_after=120.0)
    yield Message("Too many requests", "create_video", refusal(busy, refused()))
    down = UpstreamUnavailable("The provider is unavailable.", words="The provider is unavailable.")
    yield Message("The provider is down", "create_video", refusal(down, refused()))
    yield Message("The key is refused", "create_video", refusal(InvalidApiKey("Invalid API key"), refused()))
    yield Message("A crash before anything was sent", "create_video", crashed("Not charged."))


def page() -> str:
    """The whole file."""
    lines = [HEAD, "## Instructions", ""]
    servers: tuple[tuple[str, dict[str, Any]], ...] = (
        ("A server with a key", {}),
        ("With a limit", {"max_credits": 500}),
        ("In the sandbox", {"sandbox": True}),
        ("Read-only", {"read_only": True}),
    )
    for title, how in servers:
        instructed = instructions(**{**EVERYDAY_SERVER, **how})
        lines += [f"### {title}", "", _quoted(instructed), ""]
    lines += ["## Answers", ""]
    for message in messages():
        kind = " (`isError`)" if message.result.is_error else ""
        lines += [f"### {message.title}: `{message.tool}`{kind}", "", _quoted(message.text), ""]
        if message.data is not None:
            lines += ["```json", json.dumps(message.data, indent=1, ensure_ascii=False), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


if __name__ == "__main__":
    sys.stdout.write(page())
