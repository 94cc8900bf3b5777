"""`veo-mcp install` and `uninstall`: writes, shows or takes out this server's entry in a host's configuration.

Called by cli/main.py. Uses the host's own command where there is one, and edits the file elsewhere. Writes no key
unless asked to, and then never on a command line.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from veo_mcp.cli.install import file as files
from veo_mcp.cli.install.catalogue import HOSTS, host_named
from veo_mcp.cli.install.entry import current, put_in, taken_out
from veo_mcp.cli.install.host import CannotInstall, Host, System
from veo_mcp.cli.install.launch import line, this_process
from veo_mcp.cli.terminal import err, out

__all__ = ["InstallRequest", "install", "list_hosts", "spenders", "this_system", "uninstall"]

T = TypeVar("T")

OWN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """What the person asked for.

    Attributes:
        host: its name.
        workspace: in the current folder, not for the whole account.
        print_only: show instead of writing.
        key: to be written into the entry; None: no key.
    """

    host: str
    workspace: bool = False
    print_only: bool = False
    key: SecretStr | None = None


def this_system() -> System:
    """The machine we run on."""
    return System(platform=sys.platform, home=Path.home(), folder=Path.cwd(), environ=os.environ, which=shutil.which)


def install(request: InstallRequest, system: System, how: Sequence[str] | None = None) -> int:
    """Writes, or shows, the entry; the exit status. `how` starts us; None: as this process was."""
    try:
        host = host_named(request.host)
        path = host.file(system, workspace=request.workspace)
        how = how or line(this_process())
        if request.print_only:
            text = put_in(host, "", how, _shown_env(request))
            print(text, end="" if text.endswith("\n") else "\n")  # noqa: T201 - this command's output
            err.print(f"This belongs into {path}. Nothing was changed.", highlight=False, soft_wrap=True)
            return 0
        said = _install(host, path, request, system, how)
    except CannotInstall as fault:
        return _refused(request.host, fault)
    out.print(said, highlight=False, soft_wrap=True)
    return 0


def uninstall(request: InstallRequest, system: System) -> int:
    """Takes our entry out; the exit status."""
    try:
        host = host_named(request.host)
        path = host.file(system, workspace=request.workspace)
        said = _uninstall(host, path, request, system)
    except CannotInstall as fault:
        return _refused(request.host, fault)
    out.print(said, highlight=False, soft_wrap=True)
    return 0


def list_hosts(system: System) -> int:
    """Lists the hosts, which are here, and where we are installed."""
    out.print("`veo-mcp install HOST` for one of these; `--print` shows the entry instead.\n", highlight=False)
    for host in HOSTS:
        path = host.file(system)
        mark, words = ("✓", "found here") if host.is_here(system) else (" ", "not found here")
        try:
            if current(host, files.read(path).text) is not None:
                words = "veo-mcp is installed"
        except CannotInstall:
            words = "its file cannot be read as it is"
        shown = str(path).replace(str(system.home), "~", 1)
        out.print(f"{mark} {host.name:<15} {words:<21} {shown}", highlight=False, soft_wrap=True)
    return 0


def spenders(system: System) -> list[str]:
    """The hosts, by title, that have our entry without a key or a sandbox of its own: they use the saved key."""
    found: list[str] = []
    for host in HOSTS:
        try:
            entry = current(host, files.read(host.file(system)).text)
        except CannotInstall:
            continue
        if entry is None:
            continue
        env: Any = entry.get(host.shape.env) or {}
        if "--sandbox" not in host.shape.line_of(entry) and not {"VEO_API_KEY", "VEO_SANDBOX"} & set(env):
            found.append(host.title)
    return found


def _install(host: Host, path: Path, request: InstallRequest, system: System, how: Sequence[str]) -> str:
    file = files.read(path)
    before = _explained(path, lambda: current(host, file.text))
    by = ""
    if before is None and not request.workspace and _run_own(host, system, how):
        by, file = f" by {host.title}'s own command", files.read(path)
    text = _explained(path, lambda: put_in(host, file.text, how, _env(request)))
    copy = files.write(file, text) if text != file.text or file.raw is None else None
    if not by and text == file.text:
        return f"{path} has this entry already; nothing was changed."
    kept = f" The file as it was is kept as {copy.name}." if copy else ""
    if request.key is not None:
        money = "The entry holds your key: this host spends real credits."
    else:
        money = "Without a key it uses the sandbox; `veo-mcp login` gives it one."
    done = "Brought up to date in" if before is not None else "Added to"
    return f"{done} {path}{by}.{kept}\n{host.next}. {money}\n`veo-mcp uninstall {host.name}` takes it out again."


def _uninstall(host: Host, path: Path, request: InstallRequest, system: System) -> str:
    file = files.read(path)
    if _explained(path, lambda: current(host, file.text)) is None:
        return f"{path} has no entry of veo-mcp; nothing was changed."
    first = files.first_backup(file.path)
    original = files.read(first).text if first.exists() else None
    if not request.workspace and host.own is not None and host.own.remove:
        program = _program(host, system)
        if program is not None and _ran([program, *host.own.remove], "", system):
            file = files.read(path)
            if _explained(path, lambda: current(host, file.text)) is None:
                return f"Taken out of {path} by {host.title}'s own command. {host.next.split(';')[0]}."
    text = _explained(path, lambda: taken_out(host, file.text, original=original))
    if not first.exists() and not host.editor.parse(text):
        files.remove(file)
        return f"Deleted {path}, which held only the entry of veo-mcp."
    files.write(file, text)
    return f"Taken out of {path}. {host.next.split(';')[0]}."


def _run_own(host: Host, system: System, how: Sequence[str]) -> bool:
    """Whether the host's own command took the entry in."""
    program = _program(host, system)
    if host.own is None or program is None:
        return False
    arguments, stdin = host.own.add(how, host.shape.entry(how))
    return _ran([program, *arguments], stdin, system) and current(host, files.read(host.file(system)).text) is not None


def _program(host: Host, system: System) -> str | None:
    program = system.which(host.own.program) if host.own is not None else None
    # Batch files hand their arguments to a shell that takes quotes and percent signs apart.
    return None if program is None or program.lower().endswith((".cmd", ".bat")) else program


def _ran(command: Sequence[str], stdin: str, system: System) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - the host's own program, with our own words
            command,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=OWN_SECONDS,
            check=False,
            env=dict(system.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _env(request: InstallRequest) -> Mapping[str, str]:
    return {} if request.key is None else {"VEO_API_KEY": request.key.get_secret_value()}


def _shown_env(request: InstallRequest) -> Mapping[str, str]:
    # What is shown is copied, logged and recorded: there the person puts the key in.
    return {} if request.key is None else {"VEO_API_KEY": "sk-your-api-key"}


def _explained(path: Path, act: Callable[[], T]) -> T:
    try:
        return act()
    except CannotInstall as fault:
        words = str(fault)
        said = words if str(path) in words else f"{path}: {words}"
        raise CannotInstall(said if "Nothing was changed" in said else f"{said}. Nothing was changed.") from None


def _refused(name: str, fault: CannotInstall) -> int:
    known = any(host.name == name.strip().lower() for host in HOSTS)
    hint = f" `veo-mcp install {name} --print` shows the entry, to put in by hand." if known else ""
    err.print(f"{fault}{hint}", highlight=False, soft_wrap=True)
    return 1
