"""Loops that fail are started again after a growing pause, said once, and visible; none ends the process."""

import logging
from collections.abc import Callable

import anyio
import pytest

from veo_mcp.errors import JournalUnusable
from veo_mcp.supervisor import Supervisor

pytestmark = pytest.mark.anyio


class Time:
    """A clock that a loop's sleep moves on, and that stops the run after so many pauses."""

    def __init__(self, pauses: int) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []
        self._left = pauses
        self.over = anyio.CancelScope()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if len(self.pauses) == self._left:
            self.over.cancel()
        await anyio.lowlevel.checkpoint()


async def kept(time: Time, loop: Callable[[], object]) -> Supervisor:
    supervisor = Supervisor(clock=time.clock, sleep=time.sleep)

    async def run() -> None:
        loop()

    with time.over:
        await supervisor.keep("poller", run)
    return supervisor


def fails() -> None:
    raise JournalUnusable("The journal is on a full disk.")


async def test_the_pause_doubles_up_to_a_minute() -> None:
    time = Time(9)
    await kept(time, fails)
    assert time.pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_after_a_minute_without_errors_the_pause_starts_again() -> None:
    time, runs = Time(6), 0

    def every_fourth_is_long() -> None:
        nonlocal runs
        runs += 1
        if runs == 4:
            time.now += 60
        fails()

    await kept(time, every_fourth_is_long)
    assert time.pauses == [1, 2, 4, 1, 2, 4]


async def test_a_failure_is_logged_once_however_often_it_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await kept(Time(50), fails)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "The poller failed: The journal is on a full disk." in caplog.text
    assert "Traceback" not in caplog.text


async def test_another_failure_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0

    def in_turn() -> None:
        nonlocal runs
        runs += 1
        raise JournalUnusable(f"reason {runs // 10}")

    with caplog.at_level(logging.INFO):
        await kept(Time(29), in_turn)
    assert len(caplog.records) == 3


@pytest.mark.parametrize("error", [RecursionError("secret"), ValueError("secret"), MemoryError(), KeyError("secret")])
async def test_no_error_of_a_loop_ends_it_and_no_untrusted_text_is_shown(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def raises() -> None:
        raise ExceptionGroup("of a task group", [error])

    time = Time(3)
    with caplog.at_level(logging.INFO):
        supervisor = await kept(time, raises)
    health = supervisor.health()[0]
    assert health.failures == 3
    assert health.error == "It met an error of its own; the log says where."
    assert type(error).__name__ in caplog.text
    assert "secret" not in caplog.text


async def test_a_loop_that_returns_is_started_again() -> None:
    supervisor = await kept(Time(2), lambda: None)
    assert supervisor.health()[0].error == "It ended by itself."
    assert supervisor.health()[0].failures == 2


async def test_health_says_what_fails_and_forgets_it_once_the_loop_has_run_well() -> None:
    time, runs = Time(99), 0
    supervisor = Supervisor(clock=time.clock, sleep=time.sleep)
    up = anyio.Event()

    async def well_at_last() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            fails()
        up.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(supervisor.keep, "poller", well_at_last)
        await up.wait()
        unwell = supervisor.health()[0]
        assert (unwell.name, unwell.running, unwell.well, unwell.failures) == ("poller", True, False, 3)
        assert unwell.error == "The journal is on a full disk."
        time.now += 60
        healed = supervisor.health()[0]
        assert (healed.well, healed.failures, healed.error) == (True, 3, None)
        group.cancel_scope.cancel()


async def test_one_failure_is_no_reason_to_call_a_loop_unwell() -> None:
    time = Time(99)
    supervisor = Supervisor(clock=time.clock, sleep=time.sleep)
    up, runs = anyio.Event(), 0

    async def once() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            fails()
        up.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(supervisor.keep, "poller", once)
        await up.wait()
        assert supervisor.health()[0].well
        group.cancel_scope.cancel()
