"""The programs of the five hosts, installed once for every test of this folder. Used by pytest alone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.drivers import HOSTS

PACKAGE = Path(__file__).parent / "package.json"


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder with the hosts' programs, installed at the versions that package.json names."""
    kept = os.environ.get("VEO_HOSTS_DIR")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("hosts")
    bin_folder = folder / "node_modules" / ".bin"
    if not all((bin_folder / name).exists() for name in (*(host.name for host in HOSTS), "mcpb")):
        shutil.copy(PACKAGE, folder / "package.json")
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder, check=True, timeout=900)
    yield bin_folder
    if not kept:
        shutil.rmtree(folder)  # pytest would keep the 2 GB of the last three runs
