"""Fixtures of the tests of tasks/."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.saving import SavingStack
from tests.support.video_api import video_api


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncGenerator[SavingStack]:
    async with video_api(tmp_path / "api") as api:
        yield SavingStack(tmp_path, api)
