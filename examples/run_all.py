"""Runs every example for real: each client apart from the server, in an environment that holds what its manifest names.

`python examples/run_all.py [NAME ...] [--python] [--keep DIR]`; exits 1 if one failed. Needs uv or pip, and npm for
some. The server stands on its sandbox in a scratch folder, and no key is handed on. Called by
tests/examples/test_clients.py, too.
Standard library only.
"""

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent  # not resolved: a virtual environment's python is a link
NODE = (22, 19)
VIDEO = re.compile(r"^completed: http://127\.0\.0\.1:\d+/\S+/(\S+)\.mp4$", re.MULTILINE)
PROGRESS_LINE = r"^  processing.*, \d+ s so far"
INSTALL_SECONDS, RUN_SECONDS = 600, 240


@dataclass(frozen=True)
class Example:
    """An example and what its output must and must not show, besides the videos.

    Attributes:
        manifest: the file that says what to install; package.json means npm.
        command: run in a copy of the example's folder, with its environment's programs first on the PATH.
        videos: how many it makes: the second extends the first.
        leaves: a pattern of the one file that it leaves in its folder.
    """

    folder: str
    manifest: str
    command: tuple[str, ...]
    shows: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    videos: int = 2
    leaves: str = ""

    @property
    def needs_npm(self) -> bool:
        return self.manifest == "package.json"


AGENT = ("python", "make_video.py")
EXAMPLES = {
    "pydantic_ai": Example("pydantic_ai", "requirements.txt", AGENT, (r"^get_task: completed", PROGRESS_LINE)),
    # The call itself ends with the video, and nobody asks: that is the Tasks extension.
    "pydantic_ai_tasks": Example(
        "pydantic_ai", "requirements-tasks.txt", AGENT, (r"^create_video: completed",), ("get_task", PROGRESS_LINE)
    ),
    "openai_agents": Example("openai_agents", "requirements.txt", AGENT, (r"^get_task: The video is ready",)),
    "langchain": Example("langchain", "requirements.txt", AGENT, (r"^Name: get_task", PROGRESS_LINE)),
    "langgraph": Example(
        "langgraph",
        "requirements.txt",
        ("python", "make_video.py", "no", "yes"),
        (r"^Spend 300 credits on .* no$", r"^Spend 40 credits on .* yes$", r"Balance: 9960 sandbox credits"),
        videos=0,
        leaves="videos/*.mp4",
    ),
    "google_adk": Example("google_adk", "requirements.txt", AGENT, (r"Calling tool: get_task", PROGRESS_LINE)),
    "typescript": Example(
        "typescript",
        "package.json",
        ("npm", "start", "--silent"),
        (PROGRESS_LINE, "notified of its changes"),
        ("never notified",),
    ),
    "inspector_legacy": Example(
        "inspector", "package.json", ("npm", "run", "legacy", "--silent"), (r"^create_video: Veo video \S+ is pending",)
    ),
    "inspector_modern": Example(
        "inspector", "package.json", ("npm", "run", "modern", "--silent"), (r"^create_video: The video is ready",)
    ),
    "claude_code": Example(
        "claude_code", "package.json", ("npm", "start", "--silent"), (r"veo: veo-mcp\s+- . Connected",), videos=0
    ),
    "batch": Example(
        "batch", "requirements.txt", ("python", "make_batch.py"), (r"^3 of 10 were made",), videos=0, leaves="batch.csv"
    ),
    "storyboard": Example(
        "storyboard",
        "requirements.txt",
        ("python", "make_film.py"),
        (r"^shot 4 of 4",),
        videos=0,
        leaves="film/*-film.mp4",
    ),
    "callback_receiver": Example(
        "callback_receiver",
        "requirements.txt",
        ("python", "receive.py"),
        (r"^callback: completed", r"^the API itself says: completed"),
        videos=0,
        leaves="*.mp4",
    ),
}


class Failed(Exception):
    """Something did not go as it should; the message is what a person needs to see."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one example; `trouble` is None if all is well."""

    name: str
    install_seconds: float
    run_seconds: float
    summary: str
    trouble: str | None

    def line(self) -> str:
        """One line for the table."""
        result = "FAILED" if self.trouble else self.summary
        return f"{self.name:<18} install {self.install_seconds:5.1f} s   run {self.run_seconds:5.1f} s   {result}"


class Runner:
    """Installs and runs examples below one folder; what is installed there already is used again.

    Args:
        home: where environments and scratch files go.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._npm = threading.Lock()
        self._environments = defaultdict[Path, threading.Lock](threading.Lock)

    def run(self, name: str) -> Outcome:
        """Runs one example. Never raises: what went wrong is the outcome's `trouble`."""
        example, began, installed = EXAMPLES[name], time.monotonic(), 0.0
        scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._home))
        summary, trouble = "", None
        try:
            place, programs = self._installed(example)
            installed = time.monotonic() - began
            folder = scratch / "example"  # a copy, as a person would make one
            shutil.copytree(HERE / example.folder, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            if example.needs_npm:
                (folder / "node_modules").symlink_to(place / "node_modules")
            environ = _environ(scratch, programs)
            output = _command(example.command, environ, folder, RUN_SECONDS)
            summary = _checked(example, output, environ, scratch)
        except Failed as failure:
            trouble = str(failure)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return Outcome(name, installed, time.monotonic() - began - installed, summary, trouble)

    def _installed(self, example: Example) -> tuple[Path, list[Path]]:
        """This example's environment, made if need be, and the folders with its programs."""
        manifest = HERE / example.folder / example.manifest
        if example.needs_npm:
            place = self._home / f"env-{example.folder}"
            with self._npm:  # two examples share the Inspector, and all of them Node
                node = self._node()
                if not _same(place / manifest.name, manifest):
                    shutil.rmtree(place, ignore_errors=True)
                    _npm_install(_packages(manifest), place)
                    shutil.copy(manifest, place)
            return place, [place / "node_modules" / ".bin", *node]
        # Examples that need the same share an environment.
        needs = "\n".join(sorted(line for line in manifest.read_text().splitlines() if not line.startswith("#")))
        place = self._home / f"env-{hashlib.sha256(needs.encode()).hexdigest()[:12]}"
        with self._environments[place]:
            if not (place / "complete").exists():
                _pip_install(manifest, place)
                (place / "complete").touch()
        return place, [_programs(place)]

    def _node(self) -> list[Path]:
        """Where a Node that is new enough is; none if the PATH has one."""
        node = shutil.which("node")
        if node:
            version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
            if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) >= NODE:
                return []
        place = self._home / "env-node"
        if not (place / "node_modules" / ".bin" / "node").exists():
            _npm_install(["node@22"], place)
        return [place / "node_modules" / ".bin"]


def _programs(place: Path) -> Path:
    return place / ("Scripts" if os.name == "nt" else "bin")


def _pip_install(manifest: Path, place: Path) -> None:
    """By uv where it is there and reaches an index, in a tenth of pip's CPU time; else by pip."""
    environ = dict(os.environ)
    python = str(_programs(place) / "python")
    if uv := shutil.which("uv", path=f"{PROGRAMS}{os.pathsep}{environ.get('PATH', '')}"):
        with contextlib.suppress(Failed):
            making = [uv, "venv", "-q", "--clear", "--python", sys.executable, str(place)]
            _command(making, environ, place.parent, INSTALL_SECONDS)
            installing = [uv, "pip", "install", "-q", "--python", python, "-r", str(manifest)]
            _command(installing, environ, place, INSTALL_SECONDS)
            return
    venv.create(place, with_pip=True, clear=True)
    # Without compiling what is never imported: a third of the time.
    options = ["-q", "--disable-pip-version-check", "--no-compile", "-r", str(manifest)]
    _command([python, "-m", "pip", "install", *options], environ, place, INSTALL_SECONDS)


def _packages(manifest: Path) -> list[str]:
    return [f"{name}@{version}" for name, version in json.loads(manifest.read_text())["dependencies"].items()]


def _npm_install(packages: list[str], place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Failed("npm is not on the PATH; the examples for Node need it.")
    place.mkdir(exist_ok=True)
    quiet = ["--silent", "--no-package-lock", "--no-audit", "--no-fund"]
    _command([npm, "install", *quiet, "--prefix", str(place), *packages], dict(os.environ), place, INSTALL_SECONDS)


def _same(one: Path, other: Path) -> bool:
    return one.exists() and one.read_bytes() == other.read_bytes()


def _environ(scratch: Path, programs: list[Path]) -> dict[str, str]:
    """No key, no settings of the person's, a home of its own; the client's programs and this Python's first."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VEO_") and "API_KEY" not in name}
    (scratch / "home").mkdir()
    return {
        **kept,
        "PATH": os.pathsep.join([*map(str, programs), str(PROGRAMS), os.environ.get("PATH", "")]),
        "HOME": str(scratch / "home"),
        "VEO_JOURNAL": str(scratch / "journal.db"),
        "VEO_SANDBOX_DIR": str(scratch / "sandbox"),
        # Longer than the 5 s after which two of the frameworks give up unless they are configured otherwise.
        "VEO_SANDBOX_SECONDS": "6",
        "VEO_LOG_LEVEL": "ERROR",
        "CLAUDE_CONFIG_DIR": str(scratch / "home" / ".claude"),
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }


def _command(command: list[str] | tuple[str, ...], environ: dict[str, str], folder: Path, seconds: float) -> str:
    """Runs it to its end and returns what it said. Raises Failed with all of its output."""
    program = shutil.which(command[0], path=environ.get("PATH")) or command[0]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as captured:
        process = subprocess.Popen(
            [program, *command[1:]],
            env=environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=captured,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | str = process.wait(seconds)
        except subprocess.TimeoutExpired:
            # The client and the server that it started, but nothing else.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = f"nothing after {seconds:.0f} s"
        captured.seek(0)
        output = captured.read()
    if code != 0:
        raise Failed(f"{' '.join(map(str, command))} ended with {code}.\n{output}")
    return output


def _checked(example: Example, output: str, environ: dict[str, str], scratch: Path) -> str:
    """Checks what the client said against the server's own journal and files; returns a summary. Raises Failed."""
    for pattern in example.shows:
        if not re.search(pattern, output, re.MULTILINE):
            raise Failed(f"The output does not show {pattern!r}.\n{output}")
    for pattern in example.never:
        if re.search(pattern, output, re.MULTILINE):
            raise Failed(f"The output shows {pattern!r}.\n{output}")
    if not example.videos:
        return _left(example.leaves, scratch / "example", output) if example.leaves else "connected"
    reported = VIDEO.findall(output)
    if len(reported) != example.videos:
        raise Failed(f"{example.videos} videos were to be reported.\n{output}")
    listed = _command(["veo-mcp", "tasks", "list", "--json"], environ, scratch, RUN_SECONDS)
    rows = {row["task_id"]: row for row in json.loads(listed)}
    first, second = (rows.get(task_id, {}) for task_id in reported)
    as_expected = len(rows) == 2 and first.get("status") == second.get("status") == "completed"
    if not as_expected or second.get("extends") != first["task_id"]:
        raise Failed(f"The journal says otherwise:\n{listed}\n{output}")
    for task_id in reported:
        files = list((scratch / "sandbox").rglob(f"*{task_id}*.mp4"))
        if not files or files[0].read_bytes()[4:8] != b"ftyp":
            raise Failed(f"There is no MP4 file of {task_id}.\n{output}")
    cost = re.search(r"It cost (\d+) credits\.", output)
    if cost is None or int(cost[1]) != 80:
        raise Failed(f"80 credits were to be spent.\n{output}")
    film = _left("videos/*-film.mp4", scratch / "example", output)
    if not re.fullmatch(r"film: \S+-film\.mp4", output.rstrip().rpartition("\n")[2]):
        raise Failed(f"The film was to be named at the end.\n{output}")
    return f"created, extended, 80 credits, {film}"


def _left(pattern: str, folder: Path, output: str) -> str:
    """Checks the file that an example leaves; returns a summary. Raises Failed."""
    files = list(folder.glob(pattern))
    if len(files) != 1 or files[0].stat().st_size == 0:
        raise Failed(f"One file was to be left as {pattern}; there are {[file.name for file in files]}.\n{output}")
    if files[0].suffix == ".mp4" and files[0].read_bytes()[4:8] != b"ftyp":
        raise Failed(f"{files[0].name} is no MP4 file.\n{output}")
    return f"left {files[0].relative_to(folder).as_posix()}"


def main() -> int:
    """Runs what was asked for and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(EXAMPLES))
    parser.add_argument("--python", action="store_true", help="only those that need no npm")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the environments here, and use them again")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (default 2)")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(EXAMPLES):
        parser.error(f"there is no example {', '.join(sorted(unknown))}; there are {', '.join(EXAMPLES)}")
    if shutil.which("veo-mcp", path=str(PROGRAMS)) is None:
        parser.error(f"veo-mcp is not installed for {sys.executable}: pip install -e '.[sandbox]'")
    names = [name for name in asked.names or EXAMPLES if not (asked.python and EXAMPLES[name].needs_npm)]
    home = asked.keep or Path(tempfile.mkdtemp(prefix="veo-mcp-examples-"))
    home.mkdir(parents=True, exist_ok=True)
    failures: list[Outcome] = []
    try:
        with ThreadPoolExecutor(asked.jobs) as pool:
            for outcome in pool.map(Runner(home.resolve()).run, names):
                print(outcome.line(), flush=True)
                failures += [outcome] if outcome.trouble else []
    finally:
        if asked.keep is None:
            shutil.rmtree(home, ignore_errors=True)
    for outcome in failures:
        print(f"\n{outcome.name}: {outcome.trouble}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
