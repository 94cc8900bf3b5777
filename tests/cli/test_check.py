"""What `veo-mcp check` says about videos that are to be saved, and about pictures that are to be handed over."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bucket import Service, service
from tests.support.entries import START, add, unfinished
from tests.support.processes import veo_mcp
from veo_mcp.journal.entry import Status
from veo_mcp.journal.sqlite.store import SqliteJournal

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def s3() -> Generator[Service]:
    with service() as found:
        yield found


def checked(folder: Path, status: int, **settings: str) -> dict[str, Any]:
    done = veo_mcp(folder, "check", "--json", **settings)
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)


async def test_check_says_how_videos_are_saved_and_pictures_handed_over_and_what_stands_in_the_way(
    tmp_path: Path, s3: Service
) -> None:
    pictures, away, saved = (tmp_path / name for name in ("pictures", "away", "videos"))
    pictures.mkdir()
    saved.mkdir()
    s3.deny("s3:DeleteObject")
    dirs = os.pathsep.join([str(pictures), str(away)])
    found = checked(tmp_path, 0, VEO_SAVE_DIR=str(saved), VEO_IMAGE_DIRS=dirs, **s3.environ())
    assert found["videos"] == f"saved in {saved}."
    assert found["pictures"].endswith("handed over by s3://films/veo")
    missing, left = found["warnings"]
    assert missing == f"VEO_IMAGE_DIRS names {away}, and no such folder is there at the moment."
    assert left.startswith("Pictures are not deleted when their task ends: The bucket films does not permit that")
    assert list(saved.iterdir()) == []

    async with SqliteJournal(tmp_path / "journal.db") as journal:
        entry = unfinished(
            1,
            api=found["api"].split()[0],
            status=Status.COMPLETED,
            created_at=START,
            file_error="not saved yet. The disk of /videos is full.",
        )
        await add(journal, entry)
    elsewhere = {**s3.environ(), "VEO_UPLOADS": "s3://nobody-has-this"}
    drive = tmp_path / "drive" / "videos"
    found = checked(tmp_path, 1, VEO_SAVE_DIR=str(drive), VEO_IMAGE_DIRS=str(pictures), **elsewhere)
    assert found["problems"] == [
        f"The folder {drive} does not exist. Finished videos are saved there once that is put right.",
        (
            "Pictures cannot be handed over. The bucket nobody-has-this is not there (NoSuchBucket): see VEO_UPLOADS "
            "and AWS_ENDPOINT_URL."
        ),
    ]
    assert found["warnings"] == ["The video of task-1: not saved yet. The disk of /videos is full."]
    assert "videos" not in found
    assert not drive.parent.exists()


PROBES = {
    "unwritable": ("folder.chmod(0o500); os.getuid() or os.setuid(65534)", "cannot be written to."),
    "vanished": ("folder.rmdir()", "does not exist."),
    "a file": ("folder.rmdir(); folder.write_text('mine')", "does not exist."),
    # As on a full disk, the file is made and what is to stand in it is refused.
    "no room": ("resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))", "cannot be used: File too large."),
}


@pytest.mark.parametrize("trouble", PROBES)
def test_a_folder_that_cannot_take_a_video_is_known_before_one_is_made(tmp_path: Path, trouble: str) -> None:
    change, words = PROBES[trouble]
    folder = tmp_path / "videos"
    folder.mkdir()
    code = (
        "import os, resource, sys; from pathlib import Path; from veo_mcp.tasks import save_folder\n"
        f"folder = Path(sys.argv[1]); assert save_folder.probe(folder) is None; {change}\n"
        "print(save_folder.probe(folder))"
    )
    # The one who may not write must be able to come as far as the folder.
    for above in folder.parents:
        if above != Path("/") and above.stat().st_uid == os.getuid():
            above.chmod(above.stat().st_mode | 0o011)
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == f"The folder {folder} {words}\n"
    assert not folder.is_dir() or not list(folder.iterdir())
