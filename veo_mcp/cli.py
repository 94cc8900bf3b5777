"""The command line: serve, sandbox, demo, check, tasks, download, install.

Called by the `veo-mcp` script. Each command imports what it needs when it runs, because a host waits for `serve`.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

__all__ = ["main"]


def main() -> None:
    """Runs the command named in the arguments; without one, serves over stdio."""
    if len(sys.argv) == 1:
        # The way hosts start us; the command-line library costs 100 ms that nobody needs here.
        from veo_mcp.hosting import serve
        from veo_mcp.settings import load

        serve(load())
        return
    _app()()


def _app() -> Any:
    import typer

    app = typer.Typer(
        help="Makes Veo 3.1 videos for AI assistants over the Model Context Protocol.",
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        add_completion=False,
    )

    @app.command("serve")
    def serve_(
        transport: Annotated[str | None, typer.Option(help="stdio (VEO_TRANSPORT)")] = None,
        read_only: Annotated[bool, typer.Option("--read-only", help="hide what spends (VEO_READ_ONLY)")] = False,
        max_credits: Annotated[
            int | None, typer.Option(help="credits that may be spent in any 24 h (VEO_MAX_CREDITS)")
        ] = None,
        sandbox: Annotated[bool, typer.Option("--sandbox", help="use the sandbox, whatever key is set")] = False,
        journal: Annotated[str | None, typer.Option(help="journal file (VEO_JOURNAL)")] = None,
        sandbox_dir: Annotated[Path | None, typer.Option(help="sandbox folder (VEO_SANDBOX_DIR)")] = None,
    ) -> None:
        """Serve MCP over stdio."""
        from veo_mcp.hosting import serve
        from veo_mcp.settings import load

        serve(
            load(
                transport=transport,
                read_only=read_only or None,
                max_credits=max_credits,
                sandbox=sandbox or None,
                journal=journal,
                sandbox_dir=sandbox_dir,
            )
        )

    @app.command()
    def demo(
        prompt: Annotated[str | None, typer.Argument(help="what the video shows")] = None,
        out: Annotated[Path, typer.Option(help="folder for the videos")] = Path("veo-demo"),
    ) -> None:
        """Make, watch and extend a video in the sandbox, as a real MCP client."""
        import anyio

        from veo_mcp.demo import run

        raise SystemExit(anyio.run(run, prompt, out))

    @app.command()
    def install(
        host: Annotated[str, typer.Argument(help="claude-desktop, claude-code, cursor, vscode, gemini-cli")],
        print_only: Annotated[bool, typer.Option("--print", help="show instead of writing")] = False,
    ) -> None:
        """Write this server's entry into an MCP host's configuration."""
        from veo_mcp.install import install as write

        write(host, print_only=print_only)

    return app
