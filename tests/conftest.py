"""Shared fixtures: every async test runs on anyio's asyncio backend, the one that the MCP SDK serves on."""

import os
import signal
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
def _interrupts() -> None:
    """A shell starts what runs in its background with SIGINT ignored, and children inherit that: they would never end."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
