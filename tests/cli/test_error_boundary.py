"""Whatever a person can cause, no command answers with a traceback, and its exit status is a documented one.

Each command meets a missing place, a full disk, a reader that goes away, a narrow encoding, and Ctrl-C.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import anyio
import pytest

from tests.support.entries import PERSON, add, unfinished
from tests.support.forks import NO_READER, Ended, run_all
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
    ("tasks", "audit", "--csv"),
    ("tasks", "resolve", "no-such-id", "--not-charged"),
    ("download", "no-such-id"),
    ("check",),
    ("check", "--json"),
    ("install",),
    ("install", "cursor"),
    ("install", "zed", "--print"),
    ("uninstall", "cursor"),
    ("token", "add", "anna", "--file", "tokens"),
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


def indecent(runs: Iterable[Ended]) -> list[Ended]:
    """The runs that ended with a traceback, an undocumented status, or without a word on why."""
    marks = ("Traceback", "Exception ignored")
    return [
        run
        for run in runs
        if run.status not in DOCUMENTED
        or any(mark in run.out + run.err for mark in marks)
        or (run.status == 1 and not (run.out + run.err).strip())
    ]


def test_a_place_that_is_no_folder_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("x")
    env = environment(
        tmp_path,
        VEO_JOURNAL=str(blocked / "journal.db"),
        VEO_SANDBOX_DIR=str(blocked / "sandbox"),
        XDG_CONFIG_HOME=str(blocked),
    )
    commands = [
        (*command, "--out", str(blocked / "x")) if command[0] in ("demo", "download") else command
        for command in COMMANDS
    ]
    assert indecent(run_all(tmp_path, commands, env)) == []


MOUNTED = {
    "read-only": 'mount -t tmpfs none "$0" && mount -o remount,ro "$0"',
    "full": 'mount -t tmpfs -o size=16k none "$0" && ! head -c 1M /dev/zero 2>&- > "$0/all"',
}
"""A file system of that kind at $0, seen by this process and its children alone."""


def may_mount() -> bool:
    """Whether a namespace of our own can be had, as on most Linux machines."""
    if not sys.platform.startswith("linux"):
        return False
    command = ["unshare", "-rm", "sh", "-c", MOUNTED["read-only"], "/mnt"]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    return False


@pytest.mark.skipif(not may_mount(), reason="no file system can be mounted here")
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("read-only", "home and journal"),
        ("read-only", "home"),
        ("read-only", "journal"),
        ("full", "home and journal"),
    ],
)
def test_a_place_that_cannot_be_written_is_said(kind: str, what: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    well = tmp_path / "well"
    for folder in (place, well):
        folder.mkdir()
    home = place if "home" in what else well
    journal = place if "journal" in what else well
    env = environment(home, VEO_JOURNAL=str(journal / "journal.db"), VEO_SANDBOX_DIR=str(journal / "sandbox"))
    around = ("unshare", "-rm", "sh", "-c", f'{MOUNTED[kind]} && exec "$@"', str(place))
    # Where its folder is well, what serves goes on until it is ended.
    commands = [command for command in COMMANDS if what == "home and journal" or command in QUICK]
    runs = run_all(tmp_path, commands, env, around=around)
    assert indecent(runs) == []
    for run in runs:
        if run.command == ("tasks",):
            assert run.status == ("journal" in what), run
        if run.command == ("install", "cursor"):
            assert run.status == ("home" in what), run


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_the_output_is_said(tmp_path: Path) -> None:
    runs = run_all(tmp_path, QUICK, environment(tmp_path), out="/dev/full")
    assert indecent(runs) == []
    assert [run.command for run in runs if not run.err] == []


def test_a_reader_that_goes_away_ends_the_command_quietly(tmp_path: Path) -> None:
    runs = run_all(tmp_path, QUICK, environment(tmp_path), out=NO_READER)
    assert [run for run in indecent(runs) if run.status != 1] == []
    for run in runs:
        if run.command in (("tasks", "--csv"), ("check",), ("install",), ("--help",)):
            assert run.status == 141, run


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk"])
def test_a_narrow_encoding_loses_letters_not_the_answer(encoding: str, tmp_path: Path) -> None:
    remember(tmp_path, "日本の灯台 🗼")
    runs = run_all(tmp_path, QUICK, environment(tmp_path), encoding=encoding)
    assert indecent(runs) == []
    for run in runs:
        if run.command in (("tasks",), ("tasks", "--json"), ("tasks", "--csv"), ("check",), ("install",), ("--help",)):
            assert run.status == 0, run


@pytest.mark.parametrize("moment", ["open", "sqlite3.connect", "socket.bind"])
def test_ctrl_c_at_any_moment_leaves_no_traceback(moment: str, tmp_path: Path) -> None:
    runs = run_all(tmp_path, QUICK, environment(tmp_path), moment=moment)
    assert indecent(runs) == []
    assert sum(run.status == 130 for run in runs) > 2, runs


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
    version, text = (run.out for run in run_all(tmp_path, [("--version",), ("-h",)], environment(tmp_path)))
    assert version == f"veo-mcp {__version__}\n"
    assert "Exit status: 0 done" in text
    assert "<bool>" not in text
    assert "...\n" not in text.partition("Commands:")[2]  # no sentence is cut
