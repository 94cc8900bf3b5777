"""The examples: third-party clients, each in its own environment, make and extend a video.

Marked `clients`, because they install software: `python -m pytest -m clients` needs pip and npm. What they do and what
is checked is in examples/run_all.py. VEO_CLIENTS_DIR keeps the environments for the next time.
"""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from examples.run_all import EXAMPLES, HERE, Outcome, Runner
from tests.support.selection import selected


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """The chosen examples, two at a time, because they mostly wait."""
    chosen: list[str] = selected(request, "name")
    kept = os.environ.get("VEO_CLIENTS_DIR")
    home = Path(kept) if kept else tmp_path_factory.mktemp("clients")
    home.mkdir(parents=True, exist_ok=True)
    runner = Runner(home.resolve())
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(runner.run, name) for name in chosen}


@pytest.mark.clients
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_client_in_its_own_environment_does_the_main_job(outcomes: dict[str, Future[Outcome]], name: str) -> None:
    outcome = outcomes[name].result()
    assert outcome.trouble is None, outcome.trouble


def test_every_example_is_run_and_listed_in_the_readme() -> None:
    folders = {path.name for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {example.folder for example in EXAMPLES.values()} == folders
    readme = (HERE / "README.md").read_text()
    for entry in HERE.iterdir():
        assert entry.name in readme or entry.name in ("README.md", "__pycache__"), f"{entry.name} is not in the README"
