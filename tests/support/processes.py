"""The real program as a child process: served over stdio, or run once."""

import os
import subprocess
import sys
from pathlib import Path

from mcp import StdioServerParameters


def server(folder: Path, *, seconds: float) -> StdioServerParameters:
    env = {
        **os.environ,
        "VEO_JOURNAL": str(folder / "journal.db"),
        "VEO_SANDBOX_DIR": str(folder / "sandbox"),
        "VEO_SANDBOX_SECONDS": str(seconds),
    }
    # The server writes its id where the test can find it: only processes that we started are ended, by id.
    note = f"import os,sys; open({str(folder / 'pid')!r},'w').write(str(os.getpid())); import veo_mcp.cli.main as c; "
    return StdioServerParameters(
        command=sys.executable, args=["-c", note + "sys.argv=['veo-mcp','serve','--sandbox']; c.main()"], env=env
    )


def real_key(folder: Path, base_url: str) -> StdioServerParameters:
    """The server with a key, in front of an API of ours."""
    parameters = server(folder, seconds=0)
    parameters.args = [parameters.args[0], parameters.args[1].replace(",'--sandbox'", "")]
    parameters.env = {**(parameters.env or {}), "VEO_API_KEY": "sk-x", "VEO_BASE_URL": base_url}
    return parameters


def veo_mcp(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "VEO_JOURNAL": str(folder / "journal.db"),
        "VEO_SANDBOX_DIR": str(folder / "sandbox"),
        "COLUMNS": "200",
        **settings,
    }
    command = [sys.executable, "-m", "veo_mcp", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
