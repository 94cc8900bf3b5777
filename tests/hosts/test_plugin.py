"""The packages as real hosts take them: the Agent Plugin and the Gemini extension connect, the bundle packs and starts.

Run with `python -m pytest -m hosts tests/hosts/test_plugin.py`. Each host installs the plugin from this folder as its
marketplace, is asked one thing, and its scripted model must be shown the answer of our server. Two of them begin a turn
before a plugin's server has started, so their model first runs a command that ends once it has.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters

from scripts.bundle import stage
from tests.hosts.drivers import HOSTS, Host, environment
from tests.support.model_api import Call, model_api

pytestmark = pytest.mark.hosts

ROOT = Path(__file__).parents[2]
ATTEMPTS = 3
"""On a busy machine a host may begin its turn before our server has started; then it is started again."""
HOST = {host.name: host for host in HOSTS}


def _in_claude(tool: str) -> str:
    return tool if tool == "Bash" else f"mcp__plugin_veo-mcp_veo__{tool}"


def _in_codex(tool: str) -> str:
    return tool if tool == "exec_command" else f"{tool}@mcp__veo"


PLUGGED = (
    (
        replace(
            HOST["claude"],
            tool=_in_claude,
            command=(
                "-p",
                "what is left?",
                "--allowedTools",
                "Bash,mcp__plugin_veo-mcp_veo",
                "--output-format",
                "json",
            ),
        ),
        ("plugin", "marketplace", "add", str(ROOT)),
        ("plugin", "install", "veo-mcp@veo-mcp"),
        ("plugin", "uninstall", "veo-mcp@veo-mcp"),
    ),
    (
        replace(HOST["codex"], tool=_in_codex),
        ("plugin", "marketplace", "add", str(ROOT)),
        ("plugin", "add", "veo-mcp@veo-mcp"),
        ("plugin", "remove", "veo-mcp@veo-mcp"),
    ),
    (
        HOST["copilot"],
        ("plugin", "marketplace", "add", str(ROOT)),
        ("plugin", "install", "veo-mcp@veo-mcp"),
        ("plugin", "uninstall", "veo-mcp@veo-mcp"),
    ),
)


@pytest.mark.anyio
@pytest.mark.parametrize(("host", "market", "install", "remove"), PLUGGED, ids=[row[0].name for row in PLUGGED])
async def test_a_host_that_installed_the_plugin_reaches_the_server_and_has_the_skill(
    host: Host,
    market: tuple[str, ...],
    install: tuple[str, ...],
    remove: tuple[str, ...],
    programs: Path,
    tmp_path: Path,
) -> None:
    # The server's journal is there once it has begun; its tools reach the host a moment later.
    started = f"until test -e {tmp_path}/journal.db; do sleep 0.2; done; sleep 3"
    first = {"claude": [Call("Bash", {"command": started})], "codex": [Call("exec_command", {"cmd": started})]}
    script = (*first.get(host.name, []), Call("get_credits", {}))
    async with model_api(script, host.tool, host.results) as model:
        extra = {
            **host.prepare(tmp_path, None, model.url),
            "VEO_JOURNAL": str(tmp_path / "journal.db"),
            "VEO_SANDBOX_DIR": str(tmp_path / "sandbox"),
        }
        env = environment(programs, tmp_path, extra)
        # The plugin names the command alone, so it must be on the PATH.
        env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"

        async def run(arguments: tuple[str, ...]) -> str:
            command = [str(programs / host.name), *arguments]
            with anyio.fail_after(200):
                done = await anyio.run_process(command, cwd=tmp_path, env=env, check=False, input=b"")
            said = (done.stdout + done.stderr).decode(errors="replace")
            assert done.returncode == 0, (arguments, said)
            return said

        for arguments in (market, install):
            await run(arguments)
        said = ""
        for _ in range(ATTEMPTS):
            said = await run(host.command)
            if model.turn:
                break
        assert any("sandbox credits" in result for result in model.shown), (model.shown, said)
        assert any("veo-video" in str(body) for body in model.bodies), "the skill is not offered to the model"
        await run(remove)


def with_uv(env: dict[str, str], home: Path) -> dict[str, str]:
    """Adds uv, with what it has downloaded before; a host may hand a server nothing but PATH and HOME."""
    programs = Path(sys.executable).parent
    cache = subprocess.run([programs / "uv", "cache", "dir"], capture_output=True, text=True, check=True, timeout=60)
    Path(cache.stdout.strip()).mkdir(parents=True, exist_ok=True)
    (home / ".cache").mkdir()
    (home / ".cache" / "uv").symlink_to(cache.stdout.strip())
    authorities = {name: value for name, value in os.environ.items() if name.startswith("SSL_CERT_")}
    return {**env, **authorities, "PATH": f"{programs}{os.pathsep}{env['PATH']}"}


@pytest.mark.anyio
async def test_gemini_cli_that_linked_the_extension_reaches_the_server(programs: Path, tmp_path: Path) -> None:
    clone = stage(tmp_path / "clone")  # all that the extension starts; the whole clone has much more
    shutil.copy(ROOT / "gemini-extension.json", clone)
    home = tmp_path / "home"
    home.mkdir()
    host = HOST["gemini"]
    async with model_api((Call("get_credits", {}),), host.tool, host.results) as model:
        env = with_uv(environment(programs, home, host.prepare(home, None, model.url)), home)

        async def run(*command: str) -> str:
            with anyio.fail_after(200):
                done = await anyio.run_process(command, cwd=home, env=env, check=False, input=b"")
            said = (done.stdout + done.stderr).decode(errors="replace")
            assert done.returncode == 0, (command, said)
            return said

        gemini = str(programs / "gemini")
        # The first start installs, which a host on a busy machine may not wait for. What is there then must do: the
        # host hands a server no SSL_CERT_FILE, without which some machines reach no index.
        await run("uvx", "--from", f"{clone}[sandbox]", "veo-mcp", "--version")
        (home / ".config" / "uv").mkdir(parents=True)
        (home / ".config" / "uv" / "uv.toml").write_text("offline = true\n")
        await run(gemini, "extensions", "link", "--consent", str(clone))
        said = ""
        for _ in range(ATTEMPTS):
            said = await run(gemini, *host.command)
            if model.turn:
                break
        assert any("sandbox credits" in result for result in model.shown), (model.shown, said)
        await run(gemini, "extensions", "uninstall", "veo-mcp")


def test_claude_code_finds_no_fault_in_the_plugin_or_its_marketplace(programs: Path, tmp_path: Path) -> None:
    for folder in (ROOT / "plugin", ROOT):
        done = subprocess.run(
            [programs / "claude", "plugin", "validate", "--strict", folder],
            check=False,
            env=environment(programs, tmp_path, {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)


@pytest.mark.anyio
async def test_the_bundle_packs_and_starts_by_the_command_of_its_own_manifest(programs: Path, tmp_path: Path) -> None:
    folder = stage(tmp_path / "bundle")
    packed = tmp_path / "veo-mcp.mcpb"
    for arguments in (("validate", folder / "manifest.json"), ("pack", folder, packed)):
        command = [str(part) for part in (programs / "mcpb", *arguments)]
        done = await anyio.run_process(command, env=environment(programs, tmp_path, {}), check=False)
        assert done.returncode == 0, (done.stdout, done.stderr)
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        archive.extractall(unpacked)
    assert {"manifest.json", "pyproject.toml", "README.md", "LICENSE", "veo_mcp/__main__.py"} <= names
    assert not [name for name in names if name.startswith((".venv", "tests", "docs")) or name.endswith(".pyc")]
    config = json.loads((unpacked / "manifest.json").read_text())["server"]["mcp_config"]
    home = tmp_path / "home"
    home.mkdir()
    env = with_uv(environment(programs, home, dict.fromkeys(config["env"], "")), home)  # the person filled in nothing
    arguments = [argument.replace("${__dirname}", str(unpacked)) for argument in config["args"]]
    with anyio.fail_after(200):
        async with Client(StdioServerParameters(command=config["command"], args=arguments, env=env)) as client:
            assert "create_video" in [tool.name for tool in (await client.list_tools()).tools]
