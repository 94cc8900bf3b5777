"""What the documents promise: pages made from the code are fresh, links lead somewhere, commands say what is written.

The pages of messages and errors are compared in tests/server/test_messages.py and tests/api.
"""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import anyio
import anyio.to_thread
import pytest

from scripts import command_page, licences, links, settings_page, tool_page
from tests.support.stack import sandbox
from veo_mcp.settings import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])
ROW = re.compile(r"^\| (?P<mistake>[^|]+) \| `(?P<command>.+)` \| (?P<says>.+) \|$", re.MULTILINE)
MISTAKES = [match.groupdict() for match in ROW.finditer((ROOT / "docs" / "mistakes.md").read_text())]
CHEAP = [row for row in MISTAKES if "veo-mcp check" not in row["command"]]
"""`check` loads the MCP SDK, 1.5 s of CPU each time; what it says is tested in tests/cli and tests/api, too."""
MADE = {tool_page: "tools.md", settings_page: "settings.md", command_page: "commands.md"}


@pytest.mark.parametrize("script", MADE, ids=lambda script: script.__name__.rpartition(".")[2])
def test_a_page_is_what_the_code_says(script: ModuleType) -> None:
    name = MADE[script]
    made = script.page()
    assert made == (ROOT / "docs" / name).read_text(), f"run: python {script.__file__} > docs/{name}"


def test_the_links_of_the_readme_are_those_that_the_script_makes() -> None:
    assert links.block() in README, "run: python scripts/links.py"


def test_each_link_holds_the_entry_that_starts_us() -> None:
    for host, link in links.links().items():
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
        if host == "Goose":
            assert asked["cmd"] == links.ENTRY["command"]
            continue
        plain = asked["config"] if asked["config"].startswith("{") else base64.b64decode(asked["config"]).decode()
        assert json.loads(plain) == links.ENTRY, host
        assert asked["name"] == "veo"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        place = target.partition("#")[0]
        if place and ":" not in place:
            assert (page.parent / place).exists(), f"{page.name} names {target}"


def test_the_readme_can_be_read_at_one_sitting() -> None:
    assert len(README.splitlines()) <= 250
    assert README.index("docs/demo.svg") < 1_200, "the picture stands on the first screen"


@pytest.mark.parametrize("page", ["README.md", "docs/files.md"])
def test_the_lines_for_videos_and_for_pictures_are_settings_that_work(page: str) -> None:
    for heading, wanted in (
        ("Where are my videos?", {"save_dir"}),
        ("Using my own pictures", {"image_dirs", "uploads"}),
    ):
        (lines,) = re.findall(
            rf"^## {re.escape(heading)}$.*?```json\n(.*?)```", ROOT.joinpath(page).read_text(), re.MULTILINE | re.DOTALL
        )
        given = json.loads(f"{{{lines}}}")
        settings = load(given.get("env", given))
        assert (settings.problems, settings.warnings) == ((), ())
        assert {name for name, source in settings.sources.items() if source != "default"} == wanted
        assert len(lines.strip().splitlines()) == 3


def test_every_script_and_document_is_named_by_another_file() -> None:
    front_door = [ROOT / "noxfile.py", ROOT / "pyproject.toml"]
    texts = {
        path: path.read_text()
        for path in [
            *front_door,
            *PAGES,
            *ROOT.glob("scripts/*.py"),
            *ROOT.glob("veo_mcp/**/*.py"),
            *ROOT.glob("tests/**/*.py"),
        ]
    }
    for path in [*ROOT.glob("docs/*.*"), *ROOT.glob("scripts/*.py")]:
        if path.name != "__init__.py":
            assert any(path.name in text for other, text in texts.items() if other != path), path.name


def test_every_library_that_is_installed_is_listed_with_its_licence() -> None:
    listed = (ROOT / "docs" / "licences.md").read_text()
    for name, (licence, _) in licences.libraries().items():
        assert f"| {name} | {licence} |" in listed, "run: python scripts/licences.py > docs/licences.md"
        assert licence != "not said", name


@pytest.mark.anyio
async def test_each_typical_mistake_ends_in_the_one_message_that_the_table_shows(tmp_path: Path) -> None:
    assert len(MISTAKES) >= 20
    wrong: list[str] = []
    at_once = anyio.CapacityLimiter(2)

    async def one(row: dict[str, str], home: Path) -> None:
        complaint = await anyio.to_thread.run_sync(_run, row, home, port, limiter=at_once)
        wrong.extend([complaint] if complaint else [])

    async with sandbox(tmp_path / "sandbox") as url, anyio.create_task_group() as group:
        port = url.rpartition(":")[2]
        for number, row in enumerate(MISTAKES if os.environ.get("VEO_MISTAKES") else CHEAP):
            group.start_soon(one, row, tmp_path / str(number))
    assert wrong == []


def _run(row: dict[str, str], home: Path, port: str) -> str:
    """What is not as the table says, or nothing."""
    if row["command"].endswith("(not run)"):
        return ""
    home.mkdir()
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith("VEO_") and "PROXY" not in name.upper()
    }
    environ |= {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "300",
    }
    environ |= {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    done = subprocess.run(
        ["sh", "-c", row["command"].replace("8700", port)],
        cwd=home,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    said = " ".join((done.stdout + done.stderr).split())
    if row["says"].startswith("nothing: "):
        well = done.returncode == 0 and "Traceback" not in said
    else:
        well = row["says"].replace("8700", port) in said and "Traceback" not in said
    return "" if well else f"{row['mistake']}: {said}"
