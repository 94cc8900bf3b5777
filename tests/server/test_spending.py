"""Limits on spending: the person is asked, the operator's bound holds, and a replayed yes spends once."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult

from tests.support.entries import PERSON, add, everything, unfinished
from tests.support.results import structured
from tests.support.stack import open_stack, text
from veo_mcp.journal.entry import Status

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("mode", ["auto", "legacy"])]


class Person:
    """Somebody who is asked, and answers the same every time."""

    def __init__(self, action: Any, spend: bool | None = None) -> None:
        self.answer = ElicitResult(action=action, content=None if spend is None else {"spend": spend})
        self.questions: list[str] = []

    async def __call__(self, _context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.questions.append(params.message)
        return self.answer


async def test_a_costly_call_asks_once_and_spends_on_a_yes(tmp_path: Path, mode: str) -> None:
    person = Person("accept", spend=True)
    async with open_stack(tmp_path, mode=mode, elicitation=person) as env:
        result = await env.call("create_video", prompt="[sandbox:slow] a boat", mode="quality")
        assert person.questions == ["A quality video costs 300 credits. Spend them?"]
        assert "Charged 300 sandbox credits." in text(result)
        assert await env.charged() == 300


@pytest.mark.parametrize(
    ("action", "spend"), [("accept", False), ("decline", None), ("cancel", None)], ids=["no", "decline", "cancel"]
)
async def test_a_question_that_is_not_answered_yes_spends_nothing_and_says_so(
    tmp_path: Path, mode: str, action: str, spend: bool | None
) -> None:
    async with open_stack(tmp_path, mode=mode, elicitation=Person(action, spend)) as env:
        result = await env.call("create_video", prompt="a boat", mode="quality")
        assert result.is_error
        assert "Spending 300 credits was not confirmed" in text(result)
        assert "Not charged." in text(result)
        assert "Mode fast costs 40." in text(result)
        assert "VEO_CONFIRM_ABOVE" in text(result)
        assert await everything(env.engine) == ()


@pytest.mark.parametrize("content", [{}, {"spend": "perhaps"}, {"other": True}, None], ids=str)
async def test_an_acceptance_that_does_not_say_yes_is_a_no(tmp_path: Path, mode: str, content: Any) -> None:
    async def person(_context: ClientRequestContext, _params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action="accept", content=content)

    async with open_stack(tmp_path, mode=mode, elicitation=person) as env:
        result = await env.call("create_video", prompt="a boat", mode="quality")
        assert result.is_error
        assert "Not charged." in text(result)
        assert "no tool of this name" not in text(result)
        assert await everything(env.engine) == ()


async def test_a_cheap_call_is_not_asked_about(tmp_path: Path, mode: str) -> None:
    person = Person("decline")
    async with open_stack(tmp_path, mode=mode, elicitation=person) as env:
        assert "Charged 40 sandbox credits." in text(await env.call("create_video", prompt="[sandbox:slow] a boat"))
        assert person.questions == []


async def test_a_host_that_cannot_ask_gets_a_quote_that_nothing_is_sent_or_written_down_for(
    tmp_path: Path, mode: str
) -> None:
    async with open_stack(tmp_path, mode=mode) as env:
        quote = await env.call("create_video", prompt="[sandbox:slow] a boat", mode="quality")
        assert quote.is_error
        assert quote.structured_content is None
        for words in ("300 sandbox credits", "The balance is 10000.", "Not charged.", "confirm_credits=300"):
            assert words in text(quote)
        assert await everything(env.engine) == ()
        assert await env.charged() == 0


async def test_a_confirmation_counts_once_for_the_request_and_price_that_were_quoted(tmp_path: Path, mode: str) -> None:
    slow = {"prompt": "[sandbox:slow] a boat", "mode": "quality"}
    async with open_stack(tmp_path, mode=mode) as env:
        assert "does not count" in text(await env.call("create_video", **slow, confirm_credits=300)), "never quoted"
        assert "does not count" in text(await env.call("create_video", **slow, confirm_credits=40))
        other = await env.call("create_video", prompt="[sandbox:slow] two boats", mode="quality", confirm_credits=300)
        assert "does not count" in text(other), "another request"
        assert "Charged 300 sandbox credits." in text(await env.call("create_video", **slow, confirm_credits=300))
        again = await env.call("create_video", **slow, seeds=10001, confirm_credits=300)
        assert "does not count" in text(again), "used up, and another request"
        assert await env.charged() == 300


async def test_a_quote_is_good_for_fifteen_minutes(tmp_path: Path, mode: str) -> None:
    times = [1_800_000_000.0]
    slow = {"prompt": "[sandbox:slow] a boat", "mode": "quality"}
    async with open_stack(tmp_path, mode=mode, clock=lambda: times[0]) as env:
        await env.call("create_video", **slow)
        times[0] += 901
        late = text(await env.call("create_video", **slow, confirm_credits=300))
        assert "does not count" in late
        times[0] += 899
        assert "Charged 300" in text(await env.call("create_video", **slow, confirm_credits=300)), (
            "the late call quoted"
        )


async def test_where_the_person_can_be_asked_a_confirmation_of_the_model_opens_nothing(
    tmp_path: Path, mode: str
) -> None:
    person = Person("decline")
    async with open_stack(tmp_path, mode=mode, elicitation=person) as env:
        answer = await env.call("create_video", prompt="a boat", mode="quality", confirm_credits=300)
        assert "was not confirmed" in text(answer)
        assert len(person.questions) == 1


async def test_a_repeated_costly_call_is_answered_with_the_first_and_neither_quoted_nor_asked(
    tmp_path: Path, mode: str
) -> None:
    slow = {"prompt": "[sandbox:slow] a boat", "mode": "quality"}
    async with open_stack(tmp_path, mode=mode) as env:
        await env.call("create_video", **slow)
        first = await env.call("create_video", **slow, confirm_credits=300)
        again = await env.call("create_video", **slow)
        assert structured(again)["task_id"] == structured(first)["task_id"]
        assert structured(again)["repeated"] is True
        assert await env.charged() == 300


async def test_an_extension_is_asked_about_when_its_estimate_is_above_the_limit(tmp_path: Path, mode: str) -> None:
    person = Person("decline")
    async with open_stack(tmp_path, mode=mode, elicitation=person, confirm_above=39) as env:
        mine = await env.engine.accounts.account(PERSON)
        await add(env.engine.journal, unfinished(1, api=mine.api, status=Status.COMPLETED))
        result = await env.call("extend_video", task_id="vid_1", prompt="go on")
        assert "was not confirmed" in text(result)
        assert "about 40 credits (an estimate)" in person.questions[0]


async def test_no_question_about_an_extension_of_a_task_that_does_not_exist(tmp_path: Path, mode: str) -> None:
    person = Person("decline")
    async with open_stack(tmp_path, mode=mode, elicitation=person, confirm_above=39) as env:
        result = await env.call("extend_video", task_id="whatever", prompt="go on")
        assert "No task with the id" in text(result)
        assert person.questions == []


@pytest.mark.parametrize("can_ask", [True, False], ids=["can ask", "cannot ask"])
async def test_no_question_about_credits_that_the_limit_does_not_cover(
    tmp_path: Path, mode: str, can_ask: bool
) -> None:
    person = Person("accept", spend=True)
    how: dict[str, Any] = {"elicitation": person} if can_ask else {}
    async with open_stack(tmp_path, mode=mode, max_credits=100, **how) as env:
        await env.call("create_video", prompt="[sandbox:slow] a boat")
        refusal = await env.call("create_video", prompt="a boat", mode="quality")
        assert refusal.is_error
        assert "limit of 100 credits in any 24 h does not cover 300 more: 40 are spent" in text(refusal)
        assert "confirm_credits" not in text(refusal)
        assert person.questions == []


async def test_a_hundred_parallel_calls_cannot_pass_the_limit_of_24_hours(tmp_path: Path, mode: str) -> None:
    results: list[str] = []
    async with open_stack(tmp_path, mode=mode, max_credits=400) as env:

        async def create(number: int) -> None:
            results.append(text(await env.call("create_video", prompt=f"[sandbox:slow] boat {number}")))

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(create, number)
        assert sum("Charged 40 sandbox credits." in result for result in results) == 10
        assert sum("limit of 400 credits in any 24 h" in result for result in results) == 90
        assert all("Not charged." in result for result in results if "limit" in result)
        assert await env.charged() == 400


async def test_refunded_credits_do_not_count_against_the_limit(tmp_path: Path, mode: str) -> None:
    async with open_stack(tmp_path, mode=mode, max_credits=40) as env:
        made = await env.call("create_video", prompt="[sandbox:fail] a boat")
        task_id = structured(made)["task_id"]
        await env.call("get_task", task_id=task_id, wait_seconds=20)
        assert "Charged 40 sandbox credits." in text(await env.call("create_video", prompt="[sandbox:slow] a boat"))


async def test_a_change_of_the_balance_is_reported_as_evidence_about_an_unknown_outcome(
    tmp_path: Path, mode: str
) -> None:
    async with open_stack(tmp_path, mode=mode) as env:
        lost = await env.call("create_video", prompt="[sandbox:drop] a boat")
        assert "May have been charged 40 sandbox credits." in text(lost)
        assert "Evidence, not proof: 40 credits left the account just then" in text(lost)
        assert "Evidence" not in text(await env.call("create_video", prompt="[sandbox:drop] a second boat"))
        # Since then the balance moved by something else that is known: what it says now would be about both.
        await env.call("create_video", prompt="[sandbox:slow] another boat")
        assert "Evidence" not in text(await env.call("create_video", prompt="[sandbox:drop] a third boat"))
        await env.call("get_credits")
        assert "40 credits left the account" in text(
            await env.call("create_video", prompt="[sandbox:garbage] a fourth")
        )
