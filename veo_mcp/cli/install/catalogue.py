"""Every host that `veo-mcp install` knows, by its name.

Read by command.py and by `veo-mcp login`, which says who will spend real credits.
"""

from veo_mcp.cli.install import mcp_servers
from veo_mcp.cli.install.codex import CODEX
from veo_mcp.cli.install.goose import GOOSE
from veo_mcp.cli.install.host import CannotInstall, Host
from veo_mcp.cli.install.opencode import OPENCODE
from veo_mcp.cli.install.vscode import VSCODE
from veo_mcp.cli.install.zed import ZED

__all__ = ["HOSTS", "host_named"]

HOSTS: tuple[Host, ...] = (
    mcp_servers.CLAUDE_DESKTOP,
    mcp_servers.CLAUDE_CODE,
    mcp_servers.CURSOR,
    VSCODE,
    CODEX,
    mcp_servers.COPILOT,
    OPENCODE,
    mcp_servers.ANTIGRAVITY,
    mcp_servers.GEMINI,
    mcp_servers.DEVIN,
    mcp_servers.KIRO,
    mcp_servers.LM_STUDIO,
    ZED,
    GOOSE,
)


def host_named(name: str) -> Host:
    """The host of this name. Raises CannotInstall."""
    found = next((host for host in HOSTS if host.name == name.strip().lower()), None)
    if found is None:
        names = ", ".join(host.name for host in HOSTS)
        raise CannotInstall(f"“{name[:60]}” is not a known host. There are {names}. Nothing was changed.")
    return found
