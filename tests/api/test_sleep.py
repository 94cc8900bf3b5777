"""A machine that slept through its deadline reads the answer that waits in its socket before it gives up.

A real child process is stopped (SIGSTOP) while its create is under way, and goes on when its time is long over.
"""

import os
import signal
import sys

import anyio
import pytest
from anyio.abc import SocketStream

from tests.support.raw_api import TASK_ID, answer, hangs, raw_api

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")]

SECONDS = 1.0
# More than one read of a socket takes, so that it cannot be had whole in the turn in which the process wakes up.
LARGE = answer(200, {"code": 200, "data": {"taskId": TASK_ID}, "padding": "x" * 900_000})
CHILD = f"""
import sys, anyio
from tests.api.servers import CREATE, client
from veo_mcp.errors import ApiError

async def main():
    async with client(sys.argv[1], seconds={SECONDS}) as api:
        try:
            print((await api.send_create(CREATE)).value)
        except ApiError as error:
            print(error.code)

anyio.run(main)
"""


@pytest.mark.parametrize(("answered", "outcome"), [(True, TASK_ID), (False, "timeout")])
async def test_an_answer_that_came_while_the_process_was_stopped_counts(answered: bool, outcome: str) -> None:
    arrived, stopped, said = anyio.Event(), anyio.Event(), anyio.Event()

    async def script(stream: SocketStream) -> None:
        arrived.set()
        await stopped.wait()
        said.set()
        if answered:
            await stream.send(LARGE)
        await hangs(stream)

    async with (
        raw_api(script) as api,
        await anyio.open_process([sys.executable, "-c", CHILD, api.base_url], stderr=None) as child,
    ):
        await arrived.wait()
        os.kill(child.pid, signal.SIGSTOP)
        # From here on its clock runs, and it does not.
        stopped.set()
        await said.wait()
        await anyio.sleep(SECONDS + 0.5)
        os.kill(child.pid, signal.SIGCONT)
        assert child.stdout is not None
        with anyio.fail_after(10):
            printed = b"".join([chunk async for chunk in child.stdout]).decode().strip()
    assert printed == outcome
