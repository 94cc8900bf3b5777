"""`veo-mcp sandbox`: the Veo API alone on loopback, for curl or any client.

Called by cli/main.py. Never touches the journal.
"""

import sys

import anyio

from veo_mcp.app import require_sandbox
from veo_mcp.cli.terminal import err
from veo_mcp.errors import PortTaken, SandboxMissing
from veo_mcp.settings import Settings

__all__ = ["serve_sandbox"]


def serve_sandbox(settings: Settings, port: int, allow_private: bool, workers: int) -> None:
    """Serves the sandbox API on a loopback port until interrupted."""
    try:
        require_sandbox()
    except SandboxMissing as missing:
        err.print(str(missing), soft_wrap=True)
        sys.exit(1)
    from veo_mcp.sandbox.app import SandboxConfig
    from veo_mcp.sandbox.embedded import run_server

    base_url = f"http://127.0.0.1:{port}"
    config = SandboxConfig(
        settings.sandbox_dir,
        lambda: base_url,
        seconds=settings.sandbox_seconds,
        allow_private=allow_private,
        workers=workers,
    )

    def ready() -> None:
        err.print(f"The Veo API sandbox is at {base_url} - no AI model, no real credits. Ctrl+C ends it.")
        err.print(f"  {base_url}/ has curl lines, the switches and the newest clips", highlight=False)
        err.print(
            f'  curl {base_url}/v1/credits -H "Authorization: Bearer sk-sandbox"', highlight=False, soft_wrap=True
        )

    try:
        anyio.run(run_server, config, "127.0.0.1", port, ready)
    except KeyboardInterrupt:
        sys.exit(130)
    except PortTaken as taken:
        err.print(str(taken), soft_wrap=True)
        sys.exit(1)
