"""Writes this server's entry into the configuration of an MCP host.

Called by `veo-mcp install HOST`. Keeps everything else that stands in the file, keeps a backup beside it, and writes no
key: the person puts it into the entry's `env`, or sets VEO_API_KEY where the host takes its environment from.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from rich.console import Console

__all__ = ["HOSTS", "NotInstalled", "config_path", "install", "merged"]

HOSTS = ("claude-desktop", "claude-code", "cursor", "vscode", "gemini-cli")


class NotInstalled(Exception):
    """The entry could not be written; the message says why and what to do, and nothing was changed."""


def command() -> list[str]:
    """How a host starts this installation: by absolute path, because hosts do not share the shell's PATH."""
    return [sys.executable, "-m", "veo_mcp"]


def config_path(host: str, *, home: Path, folder: Path, platform: str, environ: Mapping[str, str]) -> Path:
    """The file that `host` reads; vscode's lies in the project folder."""
    match host:
        case "claude-desktop" if platform == "darwin":
            return home / "Library" / "Application Support" / "Claude" / "claude_desktop_config.json"
        case "claude-desktop" if platform == "win32":
            return Path(environ.get("APPDATA", str(home))) / "Claude" / "claude_desktop_config.json"
        case "claude-desktop":
            return home / ".config" / "Claude" / "claude_desktop_config.json"
        case "cursor":
            return home / ".cursor" / "mcp.json"
        case "gemini-cli":
            return home / ".gemini" / "settings.json"
        case "vscode":
            return folder / ".vscode" / "mcp.json"
        case _:
            raise NotInstalled(f"“{host}” is not a known host; there are {', '.join(HOSTS)}.")


def merged(host: str, before: dict[str, Any]) -> dict[str, Any]:
    """The configuration with our entry in it and everything else as it was. Raises NotInstalled."""
    program, *arguments = command()
    entry: dict[str, Any] = {"command": program, "args": arguments}
    if host == "vscode":
        entry = {"type": "stdio", **entry}
    section = "servers" if host == "vscode" else "mcpServers"
    servers = before.get(section, {})
    if not isinstance(servers, dict):
        raise NotInstalled(f"“{section}” in the file is not an object; fix it by hand. Nothing was changed.")
    kept = cast("dict[str, Any]", servers)
    old = kept.get("veo")
    if isinstance(old, dict) and "env" in old:
        entry["env"] = cast("dict[str, Any]", old)["env"]
    return {**before, section: {**kept, "veo": entry}}


def install(host: str, *, print_only: bool) -> int:
    """Writes, or shows, the entry for `host`; the exit status."""
    console = Console(stderr=True, markup=False)
    try:
        if host == "claude-code":
            return _claude_code(console, print_only=print_only)
        path = config_path(host, home=Path.home(), folder=Path.cwd(), platform=sys.platform, environ=os.environ)
        after = json.dumps(merged(host, {} if print_only else _read(path)), indent=2, ensure_ascii=False) + "\n"
        if print_only:
            print(after, end="")  # noqa: T201 - this command's output
            return 0
        if path.exists() and path.read_text("utf-8") == after:
            # Written again, it would also replace the copy of what stood here before us.
            console.print(f"{path} has this entry already; nothing was changed.", highlight=False, soft_wrap=True)
            return 0
        backup = _write(path, after)
    except NotInstalled as fault:
        console.print(str(fault), highlight=False, soft_wrap=True)
        return 1
    kept = f" The file as it was is kept as {backup.name}." if backup else ""
    console.print(
        f"Wrote {path}.{kept} Restart {host}; without a key it uses the sandbox.", highlight=False, soft_wrap=True
    )
    return 0


def _claude_code(console: Console, *, print_only: bool) -> int:
    line = ["claude", "mcp", "add", "veo", "--", *command()]
    if print_only:
        print(" ".join(line))  # noqa: T201 - this command's output
        return 0
    program = shutil.which("claude")
    if program is None:
        console.print(f"Claude Code is not on the PATH. Run there: {' '.join(line)}", highlight=False, soft_wrap=True)
        return 1
    return subprocess.run([program, *line[1:]], check=False).returncode  # noqa: S603 - our own words


def _read(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8") or "{}")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NotInstalled(f"{path} cannot be read as JSON ({error}). Nothing was changed.") from None
    if not isinstance(config, dict):
        raise NotInstalled(f"{path} does not hold a JSON object. Nothing was changed.")
    return cast("dict[str, Any]", config)


def _write(path: Path, text: str) -> Path | None:
    """Replaces the file in one step, so that a crash leaves the old one or the new one; the backup's path."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        backup = path.with_name(path.name + ".before-veo") if path.exists() else None
        if backup is not None:
            shutil.copy2(path, backup)
        handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(scratch, path)
    except OSError as error:
        raise NotInstalled(f"{path} cannot be written ({error.strerror}). Nothing was changed.") from None
    return backup
