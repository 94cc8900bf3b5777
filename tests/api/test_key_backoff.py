"""A refused key: one question for all, at distances that triple, and taken up at once by a call that works."""

import pytest

from tests.api.servers import CREATE, client, failure, serving
from tests.support.raw_api import answer, error, success
from veo_mcp.api.key_backoff import KeyBackoff
from veo_mcp.errors import ApiError, InternalError, InvalidApiKey, IpNotAllowed, TaskNotFound


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


REFUSED = InvalidApiKey(http_status=401)


def test_the_distances_triple_from_one_second_to_ten_minutes() -> None:
    clock = Clock()
    care = KeyBackoff(clock)
    care.answered(REFUSED, read=True)
    seen: list[float] = []
    for _ in range(9):
        seen.append(care.wait())
        clock.now += care.wait()
        assert care.may_ask()
        care.answered(REFUSED, read=True)
    assert seen == [1, 3, 9, 27, 81, 243, 600, 600, 600]
    assert care.since == 100.0


def test_one_question_at_a_time_goes_out_for_all() -> None:
    clock = Clock()
    care = KeyBackoff(clock)
    assert care.may_ask()
    assert care.may_ask()
    care.answered(REFUSED, read=True)
    assert not care.may_ask()
    clock.now += 1
    assert [care.may_ask() for _ in range(5)] == [True, False, False, False, False]
    # The asker vanished without an answer: the question is not lost with it.
    clock.now += 1
    assert care.may_ask()


def test_refusals_that_were_under_way_together_count_once() -> None:
    care = KeyBackoff(Clock())
    for _ in range(10):
        care.answered(REFUSED, read=True)
    assert care.wait() == 1


def test_a_call_that_works_takes_it_up_at_once() -> None:
    care = KeyBackoff(Clock())
    woken: list[str] = []
    care.on_recovery = lambda: woken.append("woken")
    care.answered(None, read=True)
    assert woken == []
    care.answered(REFUSED, read=True)
    assert care.refusal is REFUSED
    care.answered(None, read=False)
    assert (woken, care.refusal, care.since, care.wait(), care.may_ask()) == (["woken"], None, None, 0, True)


@pytest.mark.parametrize(
    ("outcome", "read", "refused"),
    [
        (REFUSED, False, True),
        (ApiError(http_status=402), True, True),
        (ApiError(http_status=402), False, False),
        (IpNotAllowed(http_status=403), True, True),
        (IpNotAllowed(http_status=403), False, False),
        (InternalError(http_status=500), True, False),
        (ApiError(), True, False),
    ],
)
def test_what_refuses_the_key_and_what_says_nothing(outcome: ApiError, read: bool, refused: bool) -> None:
    care = KeyBackoff(Clock())
    care.answered(outcome, read=read)
    assert (care.refusal is not None) is refused


def test_an_unknown_task_proves_that_the_key_works() -> None:
    care = KeyBackoff(Clock())
    care.answered(REFUSED, read=True)
    care.answered(InternalError(http_status=500), read=True)
    assert care.refusal is REFUSED
    care.answered(TaskNotFound(http_status=404, code="task_not_found"), read=True)
    assert care.refusal is None


@pytest.mark.anyio
async def test_the_client_tells_it_of_every_call() -> None:
    working = False

    def say(head: str) -> bytes:
        if not working:
            return error(401, "invalid_api_key")
        data = {"balance": 1, "total_purchased": 1, "total_consumed": 0}
        return success() if head.startswith("POST") else answer(200, {"code": 200, "msg": "", "data": data})

    async with serving(say) as server, client(server.url()) as api:
        await failure(api.get_task("t"))
        assert isinstance(api.key_backoff.refusal, InvalidApiKey)
        working = True
        await api.send_create(CREATE)
        assert api.key_backoff.refusal is None
        working = False
        await failure(api.get_credits())
        assert not api.key_backoff.may_ask()
        working = True
        await api.get_credits()
        assert api.key_backoff.may_ask()
