"""Codex: a table `[mcp_servers.veo]` in a TOML file.

Read by catalogue.py. Codex gives a server 10 s to start, too little for a first start through uvx, and a call 60 s.
"""

from veo_mcp.cli.install.host import Host, Own, Shape
from veo_mcp.cli.install.toml import TomlEditor

__all__ = ["CODEX"]


CODEX = Host(
    name="codex",
    title="Codex",
    editor=TomlEditor(),
    section=("mcp_servers",),
    shape=Shape(time_outs={"startup_timeout_sec": 60, "tool_timeout_sec": 120}),
    files=lambda system: (system.named("CODEX_HOME", ".codex") / "config.toml",),
    workspace=(".codex", "config.toml"),
    own=Own(program="codex", remove=("mcp", "remove", "veo")),
    programs=("codex",),
    next="Restart `codex`; /mcp lists veo",
)
