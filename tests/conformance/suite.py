"""Runs the official conformance suite and checks its results; called by `run` with the folder of its programs.

The plain server may fail exactly the checks in expected-failures.*.yml, each of which names the fixture it misses; the
overlay, which has the fixtures, may fail nothing. Stricter than the suite: a warning is a failure, a listed check must
really fail, every scenario must have run, and none may have been skipped. The suite's scenarios for an extension other
than tasks are left out: the server does not offer it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

__all__ = ["REVISIONS", "expected"]

HERE = Path(__file__).parent
REVISIONS = ("2025-11-25", "2026-07-28")
ALWAYS_SKIPPED = {"tasks-status-notifications:tasks-status-notifications"}
"""The suite skips it whatever the server does: its harness does not listen yet."""
WITNESSES = {
    # These pass on a server that knows no such tool, too. What was said proves that the fixture answered.
    "tools-call-simple-text": "This is a simple text response for testing.",
    "tools-call-error": "veo-mcp hit an error of its own",
    "input-required-result-ignore-extra-params": "Hello, Alice!",
}


def expected(revision: str) -> dict[str, str]:
    """The checks that the plain server fails, each with the fixture that it misses."""
    lines = (HERE / f"expected-failures.{revision}.yml").read_text("utf-8").splitlines()
    entries = [line.strip().removeprefix("- ").split(" # ") for line in lines if line.strip().startswith("- ")]
    return dict(entries)


@dataclass
class Outcome:
    """What one run of the suite found; checks are `scenario:check`."""

    scenarios: set[str] = field(default_factory=set[str])
    passed: int = 0
    total: int = 0
    failed: dict[str, str] = field(default_factory=dict[str, str])
    skipped: set[str] = field(default_factory=set[str])
    said: dict[str, str] = field(default_factory=dict[str, str])

    def read(self, folder: Path) -> None:
        """Takes in the results that lie in this folder."""
        for file in sorted(folder.glob("server-*/checks.json")):
            scenario = re.sub(r"^server-(.+?)-\d{4}-\d\d-\d\dT.*$", r"\1", file.parent.name)
            self.scenarios.add(scenario)
            checks: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
            self.said[scenario] = json.dumps([check.get("details") for check in checks])
            for check in checks:
                name = f"{scenario}:{check['id']}"
                self.passed += check["status"] == "SUCCESS"
                self.total += check["status"] in ("SUCCESS", "FAILURE", "WARNING")
                if check["status"] in ("FAILURE", "WARNING"):
                    self.failed[name] = f"{check['status'].lower()}: {check.get('errorMessage')}"
                elif check["status"] == "SKIPPED":
                    self.skipped.add(name)


class Suite:
    """The suite's program, and what it found wrong so far."""

    def __init__(self, programs: Path, scratch: Path) -> None:
        self._command = [str(programs / "node"), str(programs / "conformance")]
        self._scratch = scratch
        self.faults: list[str] = []
        listed = subprocess.run([*self._command, "list", "--server"], capture_output=True, text=True, check=True).stdout
        # Its lines: `- ping [2025-06-18,2025-11-25]`.
        self._scenarios = {name: versions.split(",") for name, versions in re.findall(r"- (\S+) \[(.+?)\]", listed)}

    def revision(self, label: str, url: str, revision: str, known: dict[str, str]) -> Outcome:
        """Runs every scenario of a revision; `known` are the checks that must fail."""
        allowed = self._scratch / "expected.yml"
        allowed.write_text("server:\n" + "".join(f"  - {check}\n" for check in known) if known else "server: []\n")
        wanted = {name for name, versions in self._scenarios.items() if revision in versions}
        arguments = ["--suite", "all", "--spec-version", revision, "--expected-failures", str(allowed)]
        return self._check(f"{revision} {label}", url, [arguments], wanted, known, set())

    def tasks(self, label: str, url: str) -> Outcome:
        """Runs the scenarios of the Tasks extension."""
        wanted = {name for name in self._scenarios if name.startswith("tasks-")}
        return self._check(
            f"tasks {label}", url, [["--scenario", name] for name in sorted(wanted)], wanted, {}, ALWAYS_SKIPPED
        )

    def _check(
        self,
        label: str,
        url: str,
        calls: list[list[str]],
        wanted: set[str],
        known: dict[str, str],
        skipped: set[str],
    ) -> Outcome:
        outcome, ends = Outcome(), list[str]()
        folder = self._scratch / label.replace(" ", "-")
        for arguments in calls:
            command = [*self._command, "server", "--url", url, "-o", str(folder), *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=170)
            if done.returncode:
                ends.append(f"the suite ended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-500:]}")
        outcome.read(folder)
        faults = [f"{check} failed, {words}" for check, words in outcome.failed.items() if check not in known]
        faults += [f"{check} is an expected failure and did not fail" for check in known.keys() - outcome.failed.keys()]
        faults += [f"{name} did not run" for name in wanted - outcome.scenarios]
        faults += ["there was nothing to run"] if not wanted else []
        faults += [f"{check} was skipped" for check in outcome.skipped - skipped]
        faults = faults or ends  # how it ended says less, unless it says all there is
        rest = f", the other {outcome.total - outcome.passed} as expected for want of fixtures" if known else ""
        print(f"{label}: {outcome.passed} of {outcome.total} checks{rest if not faults else ''}", flush=True)
        self.faults += [f"{label}: {fault}" for fault in faults]
        return outcome


@contextmanager
def serving(module: list[str], folder: Path) -> Generator[str]:
    """A server in a process of its own; its address."""
    folder.mkdir()
    port = free_port()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("VEO_")},
        "VEO_JOURNAL": str(folder / "journal.db"),
        "VEO_SANDBOX_DIR": str(folder / "sandbox"),
        "VEO_SANDBOX_SECONDS": "1",
        "VEO_LOG_LEVEL": "ERROR",
        "VEO_TRANSPORT": "http",
        "VEO_PORT": str(port),
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", *module], env=environ, stdout=output, stderr=output)
        try:
            _wait(f"http://127.0.0.1:{port}/healthz", process, log)
            yield f"http://127.0.0.1:{port}/mcp"
            if process.poll() is not None:
                raise SystemExit(f"The server died: {log.read_text('utf-8')[-3000:]}")
        finally:
            process.terminate()
            process.wait(timeout=15)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own server
            return
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The server did not come up: {log.read_text('utf-8')[-3000:]}") from None
            time.sleep(0.05)


def main(programs: Path) -> int:
    """Runs everything; 0 if all is as it must be."""
    with tempfile.TemporaryDirectory() as scratch:
        suite = Suite(programs, Path(scratch))
        with serving(["veo_mcp", "serve", "--sandbox"], Path(scratch) / "plain") as url:
            for revision in REVISIONS:
                suite.revision("plain", url, revision, expected(revision))
        with serving(["tests.conformance.overlay"], Path(scratch) / "overlay") as url:
            for revision in REVISIONS:
                said = suite.revision("overlay", url, revision, {}).said
                for scenario, words in WITNESSES.items():
                    if scenario in said and words not in said[scenario]:
                        suite.faults.append(f"{revision} overlay: {scenario} passed without its fixture")
            suite.tasks("overlay", url)
    for fault in suite.faults:
        print(f"- {fault}", file=sys.stderr)
    return 1 if suite.faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
