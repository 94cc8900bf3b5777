"""No answer takes more bytes of a conversation than it may, in any state, with the longest prompts, links and words.

What gives way never takes the video's own link, its cost or the next step along.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scripts.message_page import API, IDS, NOW, SANDBOX, done, extension, failed, lost, refused, video
from tests.support.results import structured
from tests.support.stack import text
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.results import list_result, size, task_result
from veo_mcp.tasks.context import NOTHING_KNOWN, TaskContext

PROMPT = (
    "A lighthouse on a cliff above the sea at sunset, golden light on the waves, slow drone shot, gulls crying " * 4
)
WORDS = "The image at position 2 could not be fetched from its host within the time that is allowed for it, so " * 4
IMAGES = [f"https://example.com/{number}.jpg" for number in range(3)]
ASKED: dict[str, Any] = {"seeds": 54321, "watermark": "W" * 200, "image_urls": IMAGES}
USUAL = TaskContext(
    usual=5_400.0, trouble="The Veo API does not accept the key; the person must set a valid VEO_API_KEY."
)
KINDS = {
    "documented": (API, "https://file.aivideoapi.ai/videos/2026/04/02/abc12{n}.mp4"),
    "sandbox": (SANDBOX, "http://127.0.0.1:41234/videos/2027/01/15/{id}.mp4"),
    "long": (API, "https://file.aivideoapi.ai/videos/2027/01/15/{id}-" + "a" * 34 + ".mp4"),
}


def part(number: int, kind: str, **fields: Any) -> Entry:
    """A finished video with the id and link of its number."""
    api, link = KINDS[kind]
    id_ = f"{number:x}d7e8f90-12ab-4c5d-9e6f-a7b8c9d0e1f2"
    made = done(0, api=api, upstream_id=id_, id=f"vid_{number}", prompt=PROMPT)
    return replace(made, video_urls=(link.format(n=number, id=id_),), **fields)


def film(parts: int, kind: str, *, seconds: float | None) -> tuple[Entry, ...]:
    """A video and what continues it; each file is this long."""
    chain = [part(0, kind, duration_seconds=8.0)]
    for number in range(1, parts):
        known = extension(1, chain[-1], seconds=seconds)
        like = part(number, kind)
        more = replace(known, api=like.api, upstream_id=like.upstream_id, id=like.id, video_urls=like.video_urls)
        chain.append(replace(more, prompt=PROMPT))
    return tuple(chain)


def clips() -> Iterator[tuple[str, Entry, TaskContext]]:
    """Every state of a clip at its longest, but an unknown outcome."""
    for status in (Status.PENDING, Status.PROCESSING):
        yield status.value, video(status=status, prompt=PROMPT, asked=ASKED), USUAL
    extending: dict[str, Any] = {"kind": "extend", "extends": IDS[0], "estimated": True, "prompt": PROMPT}
    yield "extension", video(status=Status.PENDING, api=SANDBOX, **extending), USUAL
    yield "sending", video(status=Status.SUBMITTING, upstream_id=None, charged="unknown", prompt=PROMPT), NOTHING_KNOWN
    for kind, (api, _) in KINDS.items():
        yield f"completed {kind}", part(1, kind), NOTHING_KNOWN
        yield f"completed in full {kind}", replace(part(1, kind), body=video(asked=ASKED).body), NOTHING_KNOWN
        saved = "/Users/anna/Movies/2027-01-15-a-lighthouse-on-a-cliff-above-the-sea-kV3xq0T8.mp4"
        yield f"saved {kind}", part(1, kind, saved_to=saved), NOTHING_KNOWN
        joined: dict[str, Any] = {"saved_to": saved, "film_saved_to": saved.replace(".mp4", "-film.mp4")}
        two = film(2, kind, seconds=7.0)
        yield f"film saved {kind}", replace(two[-1], **joined), TaskContext(chain=two)
        yield f"not saved {kind}", part(1, kind, file_error=WORDS), NOTHING_KNOWN
        yield f"orphan {kind}", two[-1], TaskContext(chain=two[-1:])
        for parts in (2, 3, 4, 10):
            for seconds in (7.0, 40.0, None):
                chain = film(parts, kind, seconds=seconds)
                yield f"part {parts} {kind} {seconds}", chain[-1], TaskContext(chain=chain)
        broken = failed("upstream_error", WORDS, api=api, prompt=PROMPT, asked=ASKED)
        for failures in (1, 2):
            yield f"failed {failures} {kind}", broken, TaskContext(failures=failures)
    error: dict[str, Any] = {"error_code": "rate_limit_exceeded", "error_message": WORDS, "retry_after": 3600.0}
    yield "refused", refused(prompt=PROMPT, asked=ASKED, **error), NOTHING_KNOWN
    yield "settled", refused(prompt=PROMPT, error_code="settled_by_hand"), NOTHING_KNOWN


CLIPS = {name: (entry, context) for name, entry, context in clips()}


@pytest.mark.parametrize("repeated", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("name", CLIPS)
def test_an_answer_about_a_clip_takes_1300_bytes_and_about_a_long_film_1800(name: str, repeated: bool) -> None:
    entry, context = CLIPS[name]
    if entry.status in (Status.FAILED, Status.REFUSED) and repeated:
        return  # neither stands in the way of the same request
    result = task_result(entry, NOW, context, repeated=repeated)
    assert size(result) <= (1_800 if len(context.chain) > 2 else 1_300)
    words, data = text(result), structured(result)
    assert data["task_id"] in words
    for link in entry.video_urls:
        assert link in words
        assert data["video_urls"] == [link]
    for said in (words, data["message"]):
        assert re.search(r"(Charged|Refunded|May have been charged) (about )?40|Not charged\.", said)
        assert said.endswith((".", "…", str(entry.saved_to))), "no sentence is cut"


@pytest.mark.parametrize("name", [name for name in CLIPS if name.startswith("part 2") and "long" not in name])
def test_an_extension_names_the_link_of_what_it_continues_in_both_channels(name: str) -> None:
    entry, context = CLIPS[name]
    if entry.duration_seconds == 40.0:
        return
    result = task_result(entry, NOW, context)
    (link,) = context.chain[0].video_urls
    message = structured(result)["message"]
    assert "2. this one" in message
    assert link in message
    assert link in text(result)


@pytest.mark.parametrize("parts", [4, 6, 10])
def test_a_part_whose_film_is_too_long_for_one_answer_says_where_the_other_links_are(parts: int) -> None:
    chain = film(parts, "long", seconds=7.0)
    result = task_result(chain[-1], NOW, TaskContext(chain=chain))
    message = structured(result)["message"]
    for said in (message, text(result)):
        assert f"part {parts}" in said or f"{parts}. this one" in said
        assert "Other links: list_tasks." in said


@pytest.mark.parametrize("evidence", [None, 40])
@pytest.mark.parametrize("callbacks", [False, True])
@pytest.mark.parametrize("repeated", [False, True])
def test_an_answer_about_an_unknown_outcome_takes_1800_bytes_at_most(
    evidence: int | None, callbacks: bool, repeated: bool
) -> None:
    for more in ({}, {"kind": "extend", "extends": IDS[0], "estimated": True}):
        entry = replace(lost(prompt=PROMPT, asked=ASKED, api=SANDBOX, evidence=evidence), error_message=WORDS, **more)
        result = task_result(entry, NOW, TaskContext(callbacks=callbacks), repeated=repeated)
        assert size(result) <= 1_800
        message = structured(result)["message"]
        for said in (message, text(result)):
            assert f"veo-mcp tasks resolve {entry.id}" in said
            assert "(2027-01-15 08:00 UTC)" in said
            assert ("Evidence, not proof: 40 credits" in said) is (evidence is not None)
            assert "repeat_of=" in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extended", [False, True])
def test_a_list_of_ten_takes_6000_bytes_and_of_fifty_30000(kind: str, extended: bool) -> None:
    more: dict[str, Any] = {"kind": "extend", "extends": IDS[0], "estimated": True} if extended else {}
    for count in (10, 50):
        entries = [
            replace(part(number, kind), prompt=f"{PROMPT} take {number}", **(more if number % 2 else {}))
            for number in range(count)
        ]
        how: dict[str, Any] = {"status": None, "paged": False, "spent": 400, "sandbox": kind == "sandbox"}
        result = list_result(entries, "MTgwMDAwMDAwMC4wOnZpZF85", NOW, **how)
        assert size(result) <= 600 * count
        rows = structured(result)["tasks"]
        without = sum("video_urls" not in row for row in rows)
        assert text(result).count(".mp4") == count - without
        assert without <= 0.4 * count
        assert ("For the links of the oldest ask get_task." in text(result)) is (without > 0)


def test_two_answers_about_one_clip_take_2600_bytes_and_three_calls_make_it() -> None:
    begun = size(task_result(video(status=Status.PENDING, prompt=PROMPT, asked=ASKED), NOW, TaskContext(usual=95.0)))
    ended = size(task_result(replace(part(1, "long"), body=video(asked=ASKED).body), NOW))
    assert begun + ended <= 2_600
