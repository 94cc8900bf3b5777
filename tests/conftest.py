"""Shared fixtures: every async test runs on anyio's asyncio backend, the one that the MCP SDK serves on."""

import os
import signal
import sys

import pytest

from tests.support.places import places


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _nothing_of_the_developers(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The suite and what it starts find no key, journal, video or keyring of whoever runs it, and leave none there."""
    os.environ.update(places(tmp_path_factory.mktemp("places")))


@pytest.fixture(autouse=True, scope="session")
def _no_signal_is_ignored() -> None:
    """A suite that runs under nohup or behind a shell's & ignores signals, and the servers that it starts would too.

    Ignored is inherited; a handler, even one that does nothing, is not.
    """
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, lambda _number, _frame: None)
