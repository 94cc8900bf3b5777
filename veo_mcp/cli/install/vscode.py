"""VS Code: entries under `servers`, each with its `type`, in a file of the user or of a project.

Read by catalogue.py. `code --add-mcp` takes an entry too, but on Windows through a batch file that breaks its quotes;
the file is documented for editing by hand, and VS Code follows it.
"""

from veo_mcp.cli.install.host import Host, Shape
from veo_mcp.cli.install.jsonc import JsonEditor

__all__ = ["VSCODE"]

VSCODE = Host(
    name="vscode",
    title="VS Code",
    editor=JsonEditor(),
    section=("servers",),
    shape=Shape(fixed={"type": "stdio"}),
    files=lambda system: (system.app_data() / "Code" / "User" / "mcp.json",),
    workspace=(".vscode", "mcp.json"),
    programs=("code",),
    next="Run “MCP: List Servers” in VS Code and start veo",
)
