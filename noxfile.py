"""The one front door to every check: `nox` runs what a change must pass, `nox -l` lists the rest.

Sessions install into environments of their own; CONTRIBUTING.md says what the longer ones are for. What comes after
`--` goes to the tool: `nox -s tests -- tests/cli`.
"""

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PAGES = {"tool_page": "tools", "settings_page": "settings", "command_page": "commands", "message_page": "messages"}
PAGES |= {"error_table": "errors", "licences": "licences"}
DAY = "1767225600"
"""The date in the archives of a reproducible build: 2026-01-01, unless SOURCE_DATE_EPOCH says another."""


@nox.session
def lint(session: nox.Session) -> None:
    """Format, lint, import rules."""
    session.install("-e", ".[dev]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Pyright in strict mode."""
    session.install("-e", ".[dev]")
    session.run("pyright", "--pythonpath", f"{session.bin}/python", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The suite, with the newest versions that are allowed."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-n", "4", *session.posargs)


@nox.session
def locked(session: nox.Session) -> None:
    """The suite, with the exact versions of requirements-dev.lock."""
    session.install("--require-hashes", "-r", "requirements-dev.lock")
    session.install("--no-deps", "-e", ".")
    session.run("pytest", "-n", "4", *session.posargs)


@nox.session(python="3.11", venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """The suite, with the lowest versions that pyproject.toml allows."""
    session.install("--resolution", "lowest-direct", "-e", ".[dev]")
    session.run("pytest", "-n", "4", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage of the suite, child processes included."""
    session.install("-e", ".[dev]")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-n", "4", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--skip-covered")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel, built twice: the same bytes; then installed alone, with the source out of reach, and tried."""
    session.install("build", "hatchling")
    out = Path(session.create_tmp()).resolve()
    epoch = os.environ.get("SOURCE_DATE_EPOCH", DAY)
    for name in ("one", "two"):
        shutil.rmtree(out / name, ignore_errors=True)
        session.run("python", "-m", "build", "--no-isolation", "-o", out / name, env={"SOURCE_DATE_EPOCH": epoch})
    for one in sorted((out / "one").iterdir()):
        if one.read_bytes() != (out / "two" / one.name).read_bytes():
            session.error(f"{one.name} differs from build to build")
    session.install(f"{next((out / 'one').glob('*.whl'))}[sandbox]")
    session.chdir(out)
    session.run("python", "-P", "-c", "import veo_mcp; assert 'site-packages' in veo_mcp.__file__, veo_mcp.__file__")
    session.run("veo-mcp", "--version")
    session.run("veo-mcp", "demo", "--out", "clips")


@nox.session
def pages(session: nox.Session) -> None:
    """Regenerates every page that is made from the code."""
    session.install("-e", ".[dev]")
    for script, page in PAGES.items():
        made = session.run("python", f"scripts/{script}.py", silent=True, stderr=None)
        if isinstance(made, str):
            Path(f"docs/{page}.md").write_text(made, encoding="utf-8")


@nox.session
def pictures(session: nox.Session) -> None:
    """Records the README's demo and redraws the icon (Linux or macOS)."""
    session.install("-e", ".[dev]")
    session.run("python", "scripts/demo_picture.py", "docs/demo.svg")
    session.run("python", "scripts/icon.py")


@nox.session(venv_backend="uv")
def lock(session: nox.Session) -> None:
    """Writes requirements-dev.lock: exact versions with hashes for every system, and no index's address."""
    command = ["uv", "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header"]
    session.install("uv")
    session.run(
        *command, "--quiet", "--extra", "dev", "-o", "requirements-dev.lock", "pyproject.toml", *session.posargs
    )


@nox.session
def sbom(session: nox.Session) -> None:
    """A CycloneDX list of what the package installs, as sbom.json."""
    session.install("cyclonedx-bom")
    session.run("python", "-m", "venv", "--clear", f"{session.create_tmp()}/installed")
    python = f"{session.create_tmp()}/installed/bin/python"
    session.run(python, "-m", "pip", "install", "-q", ".[sandbox,keyring,postgres,uploads]", external=True)
    session.run("cyclonedx-py", "environment", python, "--pyproject", "pyproject.toml", "-o", "sbom.json")


@nox.session
def bundle(session: nox.Session) -> None:
    """The MCPB bundle, as veo-mcp.mcpb (npm)."""
    folder = Path(session.create_tmp()).resolve() / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "scripts/bundle.py", folder)
    session.run("npx", "--yes", "@anthropic-ai/mcpb@2.1.2", "pack", folder, "veo-mcp.mcpb", external=True)


@nox.session
def clients(session: nox.Session) -> None:
    """Other people's clients and the examples (pip and npm)."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-m", "clients", *session.posargs)


@nox.session
def hosts(session: nox.Session) -> None:
    """Five real hosts, the plugin and the bundle (npm, 2 GB once)."""
    session.install("-e", ".[dev]")
    session.run("pytest", "-m", "hosts", *session.posargs)


@nox.session
def unused(session: nox.Session) -> None:
    """Dead code, and dependencies that are missing or unused."""
    session.install("-e", ".[dev]")
    session.run("vulture")
    session.run("deptry", "veo_mcp")
