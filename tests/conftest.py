"""Shared fixtures: every async test runs on anyio's asyncio backend, the one that the MCP SDK serves on."""

import os
import signal
import sys
import tempfile

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def _nobodys_key() -> None:
    """A key that the developer saved with `veo-mcp login` must not be found by the servers that tests start."""
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="veo-tests-config-")
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture(autouse=True, scope="session")
def _no_signal_is_ignored() -> None:
    """A suite that runs under nohup or behind a shell's & ignores signals, and the servers that it starts would too.

    Ignored is inherited; a handler, even one that does nothing, is not.
    """
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_IGN:
                signal.signal(number, lambda _number, _frame: None)
