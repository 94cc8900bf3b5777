"""What the models of five real hosts are shown: a video, a repeated call, a price, a lost answer and a failure.

Run with `python -m pytest -m hosts` (npm; 2 GB once, in VEO_HOSTS_DIR or a folder of the run). No account and no
network: each host talks to a scripted model on loopback. Two of them show their model only structured content, two only
text, one both; so every assertion here is about what came through, whichever way.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.hosts.drivers import HOSTS, Host, environment
from tests.support.model_api import Call, model_api
from tests.support.selection import selected

pytestmark = pytest.mark.hosts

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PROMPT = "A lighthouse at dusk, waves roll in"
MAX_SECONDS = 300.0
AT_ONCE = 2
ATTEMPTS = 3
"""On a busy machine a host may begin its turn before our server has started; then it is started again."""


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one host's run: the tool results that its model was shown, and the end of the program's output."""

    results: list[str]
    output: str


def watched(result: str) -> dict[str, Any]:
    """The arguments of get_task about the task that the last result names."""
    return {"task_id": UUID.findall(result)[0], "wait_seconds": 45}


SCRIPT = (
    Call("create_video", {"prompt": PROMPT}),
    Call("get_task", watched),
    Call("get_task", watched),  # a busy machine may draw for longer than one call waits
    Call("create_video", {"prompt": PROMPT}),
    Call("create_video", {"prompt": PROMPT, "mode": "quality"}),
    Call("create_video", {"prompt": "[sandbox:garbage] a boat"}),
    Call("create_video", {"prompt": "[sandbox:fail] a boat"}),
    Call("get_task", watched),
)


@pytest.fixture(scope="session")
def runs(programs: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Run]:
    """The runs of the hosts that are tested, two at a time: most of each is the host's own start-up."""
    wanted: list[Host] = selected(request, "host")
    runs: dict[str, Run] = {}

    async def all_of_them() -> None:
        room = anyio.CapacityLimiter(AT_ONCE)

        async def one(host: Host) -> None:
            async with room:
                runs[host.name] = await run_host(host, programs, tmp_path_factory.mktemp(host.name))

        async with anyio.create_task_group() as group:
            for host in HOSTS:
                if host in wanted:
                    group.start_soon(one, host)

    anyio.run(all_of_them)
    return runs


async def run_host(host: Host, programs: Path, folder: Path) -> Run:
    """Starts the host with our server and the scripted model, and lets it play the script."""
    entry = {
        "command": sys.executable,
        "args": ["-m", "veo_mcp"],
        "env": {
            "VEO_JOURNAL": str(folder / "journal.db"),
            "VEO_SANDBOX_DIR": str(folder / "sandbox"),
            "VEO_SANDBOX_SECONDS": "0",
        },
    }
    home = folder / "home"
    home.mkdir()
    output = ""
    async with model_api(SCRIPT, host.tool, host.results) as model:
        env = environment(programs, home, host.prepare(home, entry, model.url))
        with anyio.move_on_after(MAX_SECONDS) as limit:
            for _ in range(ATTEMPTS):
                done = await anyio.run_process(
                    [str(programs / host.name), *host.command], cwd=home, env=env, check=False, input=b""
                )
                output = (done.stdout[-500:] + b" | " + done.stderr[-500:]).decode(errors="replace")
                if model.turn:
                    break
        return Run(model.shown, f"not done in {MAX_SECONDS} s" if limit.cancelled_caught else output)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_the_model_of_this_host_is_shown_every_fact(host: Host, runs: Mapping[str, Run]) -> None:
    results = runs[host.name].results
    assert len(results) == len(SCRIPT), (results, runs[host.name].output)
    made, _, ready, again, price, lost, _, failed = results
    assert "Charged 40 sandbox credits." in made
    assert "call get_task with wait_seconds=45" in made
    assert "The video is ready: http://127.0.0.1:" in ready
    assert "nothing was sent or charged again" in again
    assert UUID.findall(made)[0] in again
    assert "Not charged." in price
    assert "300" in price
    # A host that can ask the person asks, and an unattended run counts as no; one that cannot gets a quote.
    assert "was not confirmed" in price or "confirm_credits=300" in price
    assert "It is unknown whether the API accepted" in lost
    assert "May have been charged 40 sandbox credits." in lost
    assert "veo-mcp tasks resolve" in lost
    assert "The video failed" in failed
    assert "Refunded 40 sandbox credits." in failed
    assert "ask before paying for another try" in failed
