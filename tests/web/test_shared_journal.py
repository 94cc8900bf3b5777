"""Two servers over HTTP, real child processes, on one PostgreSQL: what one begins, the other answers for and announces."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import Process, SocketStream
from mcp import Client

from tests.support.listening import Listener
from tests.support.ports import free_port
from tests.support.postgres import Postgres, postgres
from tests.support.raw_api import RawApi, answer, raw_api
from tests.support.stack import text

pytestmark = pytest.mark.anyio

TOLD_WITHIN = 2.0


@pytest.fixture(scope="module")
def server() -> Generator[Postgres]:
    with postgres() as running:
        yield running
