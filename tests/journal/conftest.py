"""One PostgreSQL for all tests of a process; each store in it has a schema of its own."""

from collections.abc import Generator

import pytest

from tests.support.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Generator[Postgres]:
    with postgres() as running:
        yield running
