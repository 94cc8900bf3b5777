"""How a host starts this very installation: from a checkout, pip, pipx or uvx.

Called by command.py. A host keeps the line for months, so it never names a place that is cleaned up, and never a
package name that is not registered yet: its first owner would receive people's keys.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path, PureWindowsPath
from typing import Any

from veo_mcp.cli.install.host import CannotInstall

__all__ = ["Running", "line", "ours", "this_process"]

PUBLISHED = False
"""Whether `veo-mcp` on the package index is ours. Until then no host is configured to fetch it by its name."""
CACHES = ("archive-v0", "builds-v0", "environments-v2")
"""Folders of uv's cache that hold environments; `uv cache prune` empties them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The installation that runs now.

    Attributes:
        python: its interpreter, as it was called.
        prefix: its environment.
        source: what it was installed from, by the installer's own note (direct_url.json); None: an index.
        sandbox: whether the sandbox's libraries are there too.
        which: finds a program on the PATH.
        exists: whether a file is there.
    """

    python: Path
    prefix: Path
    source: Mapping[str, Any] | None
    sandbox: bool
    which: Callable[[str], str | None]
    exists: Callable[[Path], bool]


def this_process() -> Running:
    """What runs now."""
    try:
        note = metadata.distribution("veo-mcp").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        note = None
    return Running(
        python=Path(sys.executable),
        prefix=Path(sys.prefix),
        source=json.loads(note) if note else None,
        sandbox=find_spec("av") is not None,
        which=shutil.which,
        exists=Path.exists,
    )


def line(running: Running) -> list[str]:
    """The command line that starts it. Raises CannotInstall."""
    parts = running.prefix.parts
    if any(name in parts for name in CACHES):
        return _by_uvx(running)
    if "pipx" in parts and "venvs" not in parts:
        raise CannotInstall(
            "`pipx run` keeps veo-mcp for some days only, and a host needs it longer. Run `pipx install` with the same "
            "source, then `veo-mcp install` again. Nothing was changed."
        )
    # By absolute path: hosts do not share the shell's PATH.
    script = running.python.with_name("veo-mcp.exe" if os.name == "nt" else "veo-mcp")
    if running.exists(script):
        return [str(script)]
    # -P: a folder named veo_mcp in a project that a host has open must not be run instead.
    return [str(running.python), "-P", "-m", "veo_mcp"]


def ours(command: Sequence[str]) -> list[str] | None:
    """The arguments that are veo-mcp's own in a host's entry, or None if the entry starts something else."""
    for place, word in enumerate(command):
        name = PureWindowsPath(word).name.lower().removesuffix(".exe")
        if name == "veo-mcp" and command[place - 1 : place] not in (["--from"], ["--with"], ["--directory"]):
            return list(command[place + 1 :])
        if word == "veo_mcp" and command[place - 1 : place] == ["-m"]:
            return list(command[place + 1 :])
    return None


def _by_uvx(running: Running) -> list[str]:
    uvx = running.which("uvx") or "uvx"
    source = running.source
    if source is None:
        if PUBLISHED:
            return [uvx, "veo-mcp[sandbox]" if running.sandbox else "veo-mcp"]
        raise CannotInstall(
            "veo-mcp is not published yet, so a host must not fetch it by its bare name. Run it from its source, "
            "`uvx --from PATH_OR_GIT_URL veo-mcp install …`, or install it with pip or pipx. Nothing was changed."
        )
    url = str(source["url"])
    repository = source.get("vcs_info")
    if repository:
        url = f"{repository['vcs']}+{url}@{repository.get('requested_revision') or repository['commit_id']}"
    if source.get("subdirectory"):
        url += f"#subdirectory={source['subdirectory']}"
    extra = "[sandbox]" if running.sandbox else ""
    return [uvx, "--from", f"veo-mcp{extra} @ {url}", "veo-mcp"]
