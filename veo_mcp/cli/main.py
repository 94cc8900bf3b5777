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
        from veo_mcp.app import serve
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
        transport: Annotated[
            str | None, typer.Option(help="stdio, http (streamable HTTP and SSE) or sse (VEO_TRANSPORT)")
        ] = None,
        host: Annotated[str | None, typer.Option(help="where http listens; loopback only (VEO_HOST)")] = None,
        port: Annotated[int | None, typer.Option(help="the port of http (VEO_PORT)")] = None,
        read_only: Annotated[bool, typer.Option("--read-only", help="hide what spends (VEO_READ_ONLY)")] = False,
        max_credits: Annotated[
            int | None, typer.Option(help="credits that may be spent in any 24 h (VEO_MAX_CREDITS)")
        ] = None,
        repeat_seconds: Annotated[
            float | None,
            typer.Option(help="an identical create is answered with the first one for this long (VEO_REPEAT_SECONDS)"),
        ] = None,
        sandbox: Annotated[bool, typer.Option("--sandbox", help="use the sandbox, whatever key is set")] = False,
        journal: Annotated[str | None, typer.Option(help="journal file (VEO_JOURNAL)")] = None,
        sandbox_dir: Annotated[Path | None, typer.Option(help="sandbox folder (VEO_SANDBOX_DIR)")] = None,
    ) -> None:
        """Serve MCP over stdio, or over HTTP and SSE."""
        from veo_mcp.app import serve
        from veo_mcp.settings import load

        serve(
            load(
                transport=transport,
                host=host,
                port=port,
                read_only=read_only or None,
                max_credits=max_credits,
                repeat_seconds=repeat_seconds,
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

        from veo_mcp.cli.demo import run

        raise SystemExit(anyio.run(run, prompt, out))

    @app.command()
    def sandbox(
        port: Annotated[int, typer.Option(help="loopback port")] = 8700,
        folder: Annotated[
            Path | None, typer.Option("--dir", help="where it keeps its ledger (VEO_SANDBOX_DIR)")
        ] = None,
        seconds: Annotated[float | None, typer.Option(help="least time of a generation (VEO_SANDBOX_SECONDS)")] = None,
        allow_private: Annotated[
            bool, typer.Option("--allow-private", help="fetch images from, and call back to, private addresses")
        ] = False,
        workers: Annotated[
            int, typer.Option(help="clips rendered at a time, in processes; 0: one at a time, in a thread", min=0)
        ] = 0,
    ) -> None:
        """Serve the Veo API alone on loopback, for curl or any client.

        A prompt with \\[sandbox:WORD] behaves like this (fail, slow, upstream_error, internal_error, rate_limit,
        timeout, drop, garbage, no_callback, double_callback); the page at / lists them and the special keys.
        """
        from veo_mcp.cli.sandbox import serve_sandbox
        from veo_mcp.settings import load

        serve_sandbox(load(sandbox_dir=folder, sandbox_seconds=seconds, sandbox=True), port, allow_private, workers)

    @app.command()
    def check(
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of lines")] = False,
    ) -> None:
        """Look at settings, key, balance, journal and tools; exit 0 only if all is well."""
        from veo_mcp.cli.check import check
        from veo_mcp.settings import load

        raise SystemExit(check(load(), as_json=as_json))

    tasks = typer.Typer(help="The journal of tasks.", invoke_without_command=True)
    app.add_typer(tasks, name="tasks")

    @tasks.callback()
    def tasks_(
        context: typer.Context,
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
        limit: Annotated[int, typer.Option(help="how many", min=1)] = 20,
    ) -> None:
        if context.invoked_subcommand is None:
            tasks_list(as_json, limit)

    @tasks.command("list")
    def tasks_list(
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
        limit: Annotated[int, typer.Option(help="how many", min=1)] = 20,
    ) -> None:
        """List tasks, newest first."""
        from veo_mcp.cli.tasks import list_tasks
        from veo_mcp.settings import load

        raise SystemExit(list_tasks(load(), as_json=as_json, limit=limit))

    @tasks.command("show")
    def tasks_show(task_id: Annotated[str, typer.Argument(help="own or API id")]) -> None:
        """Show one task as JSON."""
        from veo_mcp.cli.tasks import show_task
        from veo_mcp.settings import load

        raise SystemExit(show_task(load(), task_id))

    @tasks.command("resolve")
    def tasks_resolve(
        task_id: Annotated[str, typer.Argument(help="a task whose outcome is unknown")],
        upstream: Annotated[str | None, typer.Option("--task-id", help="the API's id of the task it became")] = None,
        not_charged: Annotated[bool, typer.Option("--not-charged", help="the API never took it")] = False,
    ) -> None:
        """Settle an unknown outcome by hand; without an option it says what to check first."""
        from veo_mcp.cli.tasks import resolve_task
        from veo_mcp.settings import load

        raise SystemExit(resolve_task(load(), task_id, upstream=upstream, not_charged=not_charged))

    @app.command()
    def download(
        task_id: Annotated[str, typer.Argument(help="a completed task")],
        out: Annotated[Path, typer.Option(help="folder for the video")] = Path(),
        film: Annotated[bool, typer.Option("--film", help="join an extension with what it continues")] = False,
    ) -> None:
        """Save a finished video; resumes, and never leaves half a file under the final name."""
        from veo_mcp.cli.download import download
        from veo_mcp.settings import load

        raise SystemExit(download(load(), task_id, out, film=film))

    @app.command()
    def install(
        host: Annotated[str, typer.Argument(help="claude-desktop, claude-code, cursor, vscode, gemini-cli")],
        print_only: Annotated[bool, typer.Option("--print", help="show instead of writing")] = False,
    ) -> None:
        """Write this server's entry into an MCP host's configuration."""
        from veo_mcp.cli.install import install as write

        raise SystemExit(write(host, print_only=print_only))

    return app
