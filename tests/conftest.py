"""Shared fixtures: every async test runs on anyio's asyncio backend, the one that the MCP SDK serves on."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
