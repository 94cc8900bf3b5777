"""Many runs of the program out of one process that has loaded it: each is a fork with streams and settings of its own.

Used where every command meets every trouble: loading the program for each would take a minute of CPU. POSIX only.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NO_READER", "Ended", "run_all"]

NO_READER = "|"
"""As the place of the output: a pipe that nobody reads any more."""
PROGRAM = """
import gc, json, os, signal, sys
import mcp, typer, httpx, anyio._backends._asyncio, veo_mcp.app, veo_mcp.tasks.engine, veo_mcp.server.build
import veo_mcp.cli.check, veo_mcp.cli.install.command, veo_mcp.journal.sqlite.store, veo_mcp.sandbox.embedded
from veo_mcp.cli.main import main

def stream(number, place):
    if place == "|":
        reading, handle = os.pipe()
        os.close(reading)
    else:
        handle = os.open(place, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(handle, number)

asked = json.load(sys.stdin)
ended = []
gc.freeze()  # what is loaded is not looked through again by every fork
for run in asked["runs"]:
    child = os.fork()
    if not child:
        os.setsid()
        signal.alarm(60)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(run["env"])
        for number, place in enumerate((os.devnull, run["out"], run["err"])):
            stream(number, place)
        sys.stdin, sys.stdout, sys.stderr = (
            open(number, mode, encoding=asked["encoding"], closefd=False) for number, mode in enumerate("rww")
        )
        sys.argv = ["veo-mcp", *run["command"]]
        waited_for = [asked["moment"]]

        def press(event, arguments):
            if event in waited_for:
                waited_for.clear()
                os.kill(os.getpid(), signal.SIGINT)

        sys.addaudithook(press)
        main()
        raise SystemExit(0)
    ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(json.dumps(ended))
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run ended. `out` is empty where the output went elsewhere."""

    command: tuple[str, ...]
    status: int
    out: str
    err: str


def run_all(
    folder: Path,
    commands: Sequence[tuple[str, ...]],
    env: Mapping[str, str],
    *,
    around: Sequence[str] = (),
    out: str | None = None,
    encoding: str = "utf-8",
    moment: str = "",
) -> list[Ended]:
    """Runs the commands one after the other in an empty folder, and says how each ended.

    Args:
        around: a command that starts the process.
        out: where the output goes instead of into a file.
        moment: the audit event of Python at which Ctrl-C is pressed, once.
    """
    streams = folder / "streams"
    streams.mkdir()
    places = [
        (out or str(streams / f"{number}.out"), str(streams / f"{number}.err")) for number in range(len(commands))
    ]
    runs = [
        {"command": command, "env": dict(env), "out": said, "err": complained}
        for command, (said, complained) in zip(commands, places, strict=True)
    ]
    asked = {"runs": runs, "folder": str(folder), "encoding": encoding, "moment": moment}
    done = subprocess.run(
        [*around, sys.executable, "-c", PROGRAM],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [
        Ended(command, status, "" if out else _text(said), _text(complained))
        for command, status, (said, complained) in zip(commands, json.loads(done.stdout), places, strict=True)
    ]


def _text(place: str) -> str:
    return Path(place).read_bytes().decode("utf-8", "replace")
