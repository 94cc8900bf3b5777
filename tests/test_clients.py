"""Clients that nobody here wrote make a video over stdio. Marked `clients`: they install software, so they run by name.

`python -m pytest -m clients` needs pip and npm; Node 22 comes from npm.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parent.parent


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "VEO_JOURNAL": str(tmp_path / "journal.db"),
        "VEO_SANDBOX_DIR": str(tmp_path / "sandbox"),
        "VEO_SANDBOX_SECONDS": "0",
        "VEO_LOG_LEVEL": "ERROR",
    }


def run(command: list[str], environ: dict[str, str], folder: Path) -> str:
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    npm = shutil.which("npm")
    assert npm, "npm is needed"
    folder = tmp_path_factory.mktemp("node")
    run([npm, "i", "--silent", "node@22", "@modelcontextprotocol/inspector@2.12.0"], dict(os.environ), folder)
    programs = folder / "node_modules" / ".bin"
    return [str(programs / "node"), str(programs / "mcp-inspector"), "--cli"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_lists_makes_and_reads_a_video(
    tmp_path: Path, environ: dict[str, str], inspector: list[str], era: str
) -> None:
    handed = [part for name in environ if name.startswith("VEO_") for part in ("-e", f"{name}={environ[name]}")]
    server = [sys.executable, "-m", "veo_mcp", *handed, "--protocol-era", era]

    def ask(*arguments: str) -> Any:
        return json.loads(run([*inspector, *server, *arguments], environ, tmp_path))

    def call(tool: str, *arguments: str) -> Any:
        tool_arguments = [part for argument in arguments for part in ("--tool-arg", argument)]
        return ask("--method", "tools/call", "--tool-name", tool, *tool_arguments)

    assert len(ask("--method", "tools/list")["tools"]) == 5
    made = call("create_video", "prompt=a boat on a calm sea")
    task_id = made["structuredContent"]["task_id"]
    done = call("get_task", f"task_id={task_id}", "wait_seconds=45")
    assert done["structuredContent"]["status"] == "completed"
    read = ask("--method", "resources/read", "--uri", f"veo://tasks/{task_id}")
    assert json.loads(read["contents"][0]["text"])["video_urls"] == done["structuredContent"]["video_urls"]


def test_the_pydantic_ai_example_makes_a_video(tmp_path: Path, environ: dict[str, str]) -> None:
    example = ROOT / "examples" / "pydantic_ai"
    venv.create(tmp_path / "env", with_pip=True)
    python = str(tmp_path / "env" / "bin" / "python")
    wanted = ["-r", str(example / "requirements.txt"), "-e", f"{ROOT}[sandbox]"]
    run([python, "-m", "pip", "install", "-q", *wanted], dict(os.environ), tmp_path)
    said = run([python, str(example / "make_video.py")], environ, tmp_path)
    assert said.startswith("completed: http://127.0.0.1:")
