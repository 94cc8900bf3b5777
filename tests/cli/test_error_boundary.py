"""Whatever a person can cause, no command answers with a traceback, and its exit status is a documented one.

Each command meets a missing place, a full disk, a reader that goes away, a narrow encoding, and Ctrl-C.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from tests.support.entries import PERSON, add, unfinished
from tests.support.person import at_a_terminal, environment
from veo_mcp import __version__
from veo_mcp.app import open_from
from veo_mcp.journal.entry import Status
from veo_mcp.settings import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and /dev/full are a thing of POSIX")

COMMANDS = (
    ("tasks",),
    ("tasks", "--json"),
    ("tasks", "--csv"),
    ("tasks", "show", "no-such-id"),
    ("tasks", "spend"),
    ("tasks", "resolve", "no-such-id", "--not-charged"),
    ("download", "no-such-id"),
    ("check",),
    ("check", "--json"),
    ("install",),
    ("install", "cursor"),
    ("install", "zed", "--print"),
    ("uninstall", "cursor"),
    ("login", "--yes"),
    ("logout",),
    ("demo",),
    ("sandbox", "--port", "0"),
    ("serve", "--sandbox"),
    ("--help",),
    ("--version",),
)
QUICK = tuple(command for command in COMMANDS if command[0] not in ("demo", "sandbox", "serve"))
DOCUMENTED = {0, 1, 2, 130, 141}


def remember(home: Path, *prompts: str) -> None:
    """Puts a finished sandbox task for each prompt into the person's journal."""

    async def write() -> None:
        async with open_from(load(environment(home, VEO_SANDBOX="1"))) as engine:
            api = (await engine.accounts.account(PERSON)).api
            for number, prompt in enumerate(prompts):
                entry = unfinished(number, api=api, prompt=prompt, status=Status.COMPLETED)
                assert await add(engine.journal, entry) is not None

    anyio.run(write)


def start(
    home: Path, *arguments: str, stdout: int = subprocess.PIPE, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "veo_mcp", *arguments],
        env={**environment(home), **(env or {})},
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def decent(child: "subprocess.Popen[bytes]", *, within: set[int] = DOCUMENTED) -> bytes:
    """Waits for the end, which must be one; what was said on stderr."""
    out, said = child.communicate(timeout=60)
    assert b"Traceback" not in said, said.decode()
    assert b"Exception ignored" not in said, said.decode()
    assert b"Traceback" not in (out or b"")
    assert child.returncode in within, (child.args, child.returncode, said)
    return said


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_place_that_is_no_folder_is_said(command: tuple[str, ...], tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("x")
    child = start(
        tmp_path,
        *command,
        *(("--out", str(blocked / "x")) if command[0] in ("demo", "download") else ()),
        env={
            "VEO_JOURNAL": str(blocked / "journal.db"),
            "VEO_SANDBOX_DIR": str(blocked / "sandbox"),
            "XDG_CONFIG_HOME": str(blocked),
        },
    )
    decent(child)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", QUICK, ids=" ".join)
def test_a_full_disk_behind_the_output_is_said(command: tuple[str, ...], tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        said = decent(start(tmp_path, *command, stdout=full))
    finally:
        os.close(full)
    assert said


@pytest.mark.parametrize("command", QUICK, ids=" ".join)
def test_a_reader_that_goes_away_ends_the_command_quietly(command: tuple[str, ...], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        child = start(tmp_path, *command, stdout=writing)
        decent(child)
    finally:
        os.close(writing)
    if command in (("tasks", "--csv"), ("check",), ("install",), ("--help",)):
        assert child.returncode == 141


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk"])
def test_a_narrow_encoding_loses_letters_not_the_answer(encoding: str, tmp_path: Path) -> None:
    remember(tmp_path, "日本の灯台 🗼")
    for command in (("tasks",), ("tasks", "--json"), ("tasks", "--csv"), ("check",), ("install",), ("--help",)):
        child = start(tmp_path, *command, env={"PYTHONIOENCODING": encoding})
        decent(child, within={0})


def test_ctrl_c_ends_every_command_at_any_moment(tmp_path: Path) -> None:
    for command, moment in (((), "Ctrl-C ends it"), (("sandbox", "--port", "0"), "Ctrl+C ends it")):
        with at_a_terminal(*command, env=environment(tmp_path), folder=tmp_path) as person:
            person.reads(moment)
            person.types("\x03")
            assert person.waits() == 130, person.seen
            assert "Traceback" not in person.seen
    with at_a_terminal("demo", "--out", "my videos", env=environment(tmp_path), folder=tmp_path) as person:
        person.reads("Started ")
        person.types("\x03")
        assert person.waits() == 130, person.seen
        assert "Traceback" not in person.seen
        said = " ".join(person.seen.split())
        assert "goes on at the sandbox. To save its video later: veo-mcp download" in said
        assert "--sandbox --out 'my videos'" in said


PRESSED = """
import os, signal, sys
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == moment:
            os.kill(os.getpid(), signal.SIGINT)
from veo_mcp.cli.main import main
moment, sys.argv = sys.argv[1], ["veo-mcp", *sys.argv[2:]]
sys.meta_path.insert(0, Press())
main()
"""
"""The program, with Ctrl-C pressed at the very moment at which it begins to load one of its parts."""


@pytest.mark.parametrize(
    ("moment", "command"),
    [
        ("veo_mcp.cli.error_boundary", ["tasks"]),
        ("typer", ["tasks"]),
        ("veo_mcp.cli.tasks", ["tasks"]),
        ("veo_mcp.journal.sqlite", ["tasks"]),
        ("mcp", ["check"]),
        ("veo_mcp.cli.demo", ["demo"]),
        ("veo_mcp.app", []),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value) or "serve",
)
def test_ctrl_c_while_it_starts_leaves_no_traceback(moment: str, command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRESSED, moment, *command],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130, (done.stdout, done.stderr)
    assert b"Traceback" not in done.stderr, done.stderr


def test_started_by_hand_it_says_that_it_waits_and_what_to_type(tmp_path: Path) -> None:
    with at_a_terminal(env=environment(tmp_path), folder=tmp_path) as person:
        person.reads("veo-mcp --help     lists everything")
        assert all(len(line) < 80 for line in person.screen()[:5])
        person.types("\x04")
        assert person.waits() == 0


def test_tasks_take_one_line_each_in_80_columns_whatever_the_prompt(tmp_path: Path) -> None:
    remember(tmp_path, "short", "long " * 200, "two\nlines\tand a tab", "灯台" * 100)
    with at_a_terminal("tasks", env=environment(tmp_path, VEO_SANDBOX="1"), folder=tmp_path) as person:
        assert person.waits() == 0
        lines = person.screen()
    assert len(lines) == 4, lines
    assert all("sandbox" in line and "completed" in line for line in lines)
    assert "\x1b[32mcompleted" in person.seen  # in green


def test_the_version_and_the_short_help(tmp_path: Path) -> None:
    child = start(tmp_path, "--version")
    assert child.communicate(timeout=60)[0].decode() == f"veo-mcp {__version__}\n"
    child = start(tmp_path, "-h")
    text = child.communicate(timeout=60)[0].decode()
    assert "Exit status: 0 done" in text
    assert "<bool>" not in text
    assert "...\n" not in text.partition("Commands:")[2]  # no sentence is cut
