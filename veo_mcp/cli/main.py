"""The command line: the commands, their arguments and their help. What each does is in a file of its name.

Called by the `veo-mcp` script. Each command imports what it needs when it runs, because a host waits for `serve`.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from veo_mcp.settings import Settings

__all__ = ["commands", "main"]

WAITING = """\
This is an MCP server. It now waits for a host, such as Claude or Cursor, to
talk to it here; Ctrl-C ends it. To use it, type one of these instead:
  veo-mcp demo       makes a video, without a key
  veo-mcp install    lists the hosts it can be installed into
  veo-mcp --help     lists everything
"""


def main() -> None:
    """Runs the command named in the arguments; without one, serves over stdio."""
    try:
        if len(sys.argv) == 1:
            # The way hosts start us; the command-line library costs 100 ms that nobody needs here.
            _serve()
            return
        from veo_mcp.cli.error_boundary import guarded

        # Within the guard: loading the commands takes long enough for a Ctrl-C.
        guarded(lambda: commands()())
    except KeyboardInterrupt:
        # Before the guard is there, or before the server listens for signals itself.
        raise SystemExit(130) from None


def _settings(**flags: Any) -> "Settings":
    """The settings, with the key that `veo-mcp login` saved where no other is given."""
    from veo_mcp.saved_key import KeyPlace
    from veo_mcp.settings import load

    return load(saved=KeyPlace(), **flags)


def _serve(**flags: Any) -> None:
    from veo_mcp.app import serve

    settings = _settings(**flags)
    if settings.transport == "stdio" and sys.stdin is not None and sys.stdin.isatty():
        sys.stderr.write(WAITING)
    serve(settings)


def _version(wanted: bool) -> None:
    if wanted:
        from veo_mcp import __version__

        sys.stdout.write(f"veo-mcp {__version__}\n")
        raise SystemExit(0)


def commands() -> Any:
    """Every command with its options, for `main` and for the page of commands in docs/."""
    import typer

    from veo_mcp.cli.error_boundary import EXIT_CODES

    app = typer.Typer(
        help="Makes Veo 3.1 videos for AI assistants over the Model Context Protocol.",
        epilog=EXIT_CODES,
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # its boxes call a switch "<bool>", and break lines at any width
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def top(
        version: Annotated[
            bool, typer.Option("--version", "-V", help="show the version", callback=_version, is_eager=True)
        ] = False,
    ) -> None:
        """Makes Veo 3.1 videos for AI assistants over the Model Context Protocol."""

    @app.command("serve")
    def serve_(
        transport: Annotated[
            str | None,
            typer.Option(help="stdio, http (streamable HTTP and SSE) or sse (VEO_TRANSPORT)", metavar="KIND"),
        ] = None,
        host: Annotated[str | None, typer.Option(help="where http listens (VEO_HOST)", metavar="ADDRESS")] = None,
        port: Annotated[int | None, typer.Option(help="the port of http (VEO_PORT)", metavar="PORT")] = None,
        read_only: Annotated[bool, typer.Option("--read-only", help="hide what spends (VEO_READ_ONLY)")] = False,
        max_credits: Annotated[
            int | None, typer.Option(help="credits that may be spent in any 24 h (VEO_MAX_CREDITS)", metavar="N")
        ] = None,
        repeat_seconds: Annotated[
            float | None,
            typer.Option(
                help="an identical create is answered with the first one for this long (VEO_REPEAT_SECONDS)",
                metavar="SECONDS",
            ),
        ] = None,
        sandbox: Annotated[
            bool, typer.Option("--sandbox", help="use the sandbox, whatever key is set (VEO_SANDBOX)")
        ] = False,
        journal: Annotated[str | None, typer.Option(help="journal file (VEO_JOURNAL)", metavar="FILE")] = None,
        sandbox_dir: Annotated[
            Path | None, typer.Option(help="sandbox folder (VEO_SANDBOX_DIR)", metavar="FOLDER")
        ] = None,
    ) -> None:
        """Serve MCP over stdio, or over HTTP and SSE."""
        _serve(
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

    @app.command()
    def demo(
        prompt: Annotated[str | None, typer.Argument(help="what the video shows", show_default=False)] = None,
        out: Annotated[Path, typer.Option(help="folder for the videos", metavar="FOLDER")] = Path("veo-demo"),
    ) -> None:
        """Make and extend a video in the sandbox, as a host would.

        Never spends, whatever key is set.
        """
        import anyio

        from veo_mcp.cli.demo import run

        raise SystemExit(anyio.run(run, prompt, out))

    @app.command()
    def sandbox(
        port: Annotated[int, typer.Option(help="loopback port", metavar="PORT")] = 8700,
        folder: Annotated[
            Path | None,
            typer.Option("--dir", help="where it keeps its ledger (VEO_SANDBOX_DIR)", metavar="FOLDER"),
        ] = None,
        seconds: Annotated[
            float | None,
            typer.Option(help="least time of a generation (VEO_SANDBOX_SECONDS)", metavar="SECONDS"),
        ] = None,
        allow_private: Annotated[
            bool, typer.Option("--allow-private", help="fetch images from, and call back to, private addresses")
        ] = False,
        workers: Annotated[
            int,
            typer.Option(
                help="clips rendered at a time, in processes; 0: one at a time, in a thread", min=0, metavar="N"
            ),
        ] = 0,
    ) -> None:
        """Serve the Veo API alone on loopback, for curl or any client.

        A prompt with [sandbox:WORD] behaves like this (fail, slow, upstream_error, internal_error, rate_limit,
        timeout, drop, garbage, no_callback, double_callback); the page at / lists them and the special keys.
        """
        from veo_mcp.cli.sandbox import serve_sandbox
        from veo_mcp.settings import load

        serve_sandbox(load(sandbox_dir=folder, sandbox_seconds=seconds, sandbox=True), port, allow_private, workers)

    @app.command()
    def check(
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of lines")] = False,
    ) -> None:
        """Look whether settings, key, journal and tools are well.

        Exits with 0 only if all of it is.
        """
        from veo_mcp.cli.check import check

        raise SystemExit(check(_settings(), as_json=as_json))

    @app.command()
    def login(
        yes: Annotated[bool, typer.Option("--yes", help="agree beforehand that hosts spend with it")] = False,
    ) -> None:
        """Save the provider's key, for hosts and terminal.

        It is asked for without echo and tried with a free call. `veo-mcp login --yes < FILE` reads it from a file.
        """
        from veo_mcp.cli.install.command import spenders, this_system
        from veo_mcp.cli.login import login
        from veo_mcp.saved_key import KeyPlace
        from veo_mcp.settings import load

        raise SystemExit(login(load(), KeyPlace(), spenders=spenders(this_system()), agreed=yes))

    @app.command()
    def logout() -> None:
        """Delete the key that `login` saved."""
        from veo_mcp.cli.login import logout
        from veo_mcp.saved_key import KeyPlace
        from veo_mcp.settings import load

        raise SystemExit(logout(load(), KeyPlace()))

    _add_tasks(app)
    _add_tokens(app)

    @app.command()
    def download(
        task_id: Annotated[str, typer.Argument(help="a completed task; its first characters are enough")],
        out: Annotated[Path, typer.Option(help="folder for the video", metavar="FOLDER")] = Path(),
        film: Annotated[bool, typer.Option("--film", help="join an extension with what it continues")] = False,
        sandbox: Annotated[bool, typer.Option("--sandbox", help="a task of the sandbox, whatever key is set")] = False,
    ) -> None:
        """Save a finished video; goes on where it stopped.

        Never leaves half a file under the final name.
        """
        from veo_mcp.cli.download import download

        raise SystemExit(download(_settings(sandbox=sandbox or None), task_id, out, film=film))

    @app.command()
    def install(
        host: Annotated[
            str | None,
            typer.Argument(help="such as claude-desktop; without one, the hosts are listed", show_default=False),
        ] = None,
        print_only: Annotated[bool, typer.Option("--print", help="show instead of writing")] = False,
        workspace: Annotated[bool, typer.Option("--workspace", help="in the current folder's project only")] = False,
        with_key: Annotated[
            bool, typer.Option("--with-key", help="write the key that is set or saved into the host's file")
        ] = False,
    ) -> None:
        """Add veo-mcp to a host; alone, list the hosts."""
        from veo_mcp.cli.install import command

        system = command.this_system()
        if host is None:
            raise SystemExit(command.list_hosts(system))
        key = _settings().api_key if with_key else None
        if with_key and key is None:
            raise SystemExit("No key is set or saved. Run `veo-mcp login` first, or leave out --with-key.")
        request = command.InstallRequest(host=host, workspace=workspace, print_only=print_only, key=key)
        raise SystemExit(command.install(request, system))

    @app.command()
    def uninstall(
        host: Annotated[str, typer.Argument(help="as for install")],
        workspace: Annotated[bool, typer.Option("--workspace", help="in the current folder's project")] = False,
    ) -> None:
        """Take veo-mcp out of a host again."""
        from veo_mcp.cli.install import command

        raise SystemExit(
            command.uninstall(command.InstallRequest(host=host, workspace=workspace), command.this_system())
        )

    return app


def _add_tasks(app: Any) -> None:
    """`veo-mcp tasks` and what stands below it."""
    import typer

    tasks = typer.Typer(help="The journal of tasks.", invoke_without_command=True)
    app.add_typer(tasks, name="tasks")
    json_option = typer.Option("--json", help="a list of tasks as JSON")
    csv_option = typer.Option("--csv", help="a table as CSV")
    status_option = typer.Option(help="only these: pending, completed, failed, …", metavar="STATUS")
    since_option = typer.Option(help="begun in the last 24h, 7d, or since 2026-11-30", metavar="WHEN")
    limit_option = typer.Option(help="how many", min=1, metavar="N")
    watch_option = typer.Option("--watch", help="show every change, until Ctrl-C")
    sandbox_option = typer.Option("--sandbox", help="those of the sandbox, whatever key is set")

    @tasks.callback()
    def tasks_(
        context: typer.Context,
        as_json: Annotated[bool, json_option] = False,
        as_csv: Annotated[bool, csv_option] = False,
        status: Annotated[str | None, status_option] = None,
        since: Annotated[str | None, since_option] = None,
        limit: Annotated[int, limit_option] = 20,
        watch: Annotated[bool, watch_option] = False,
        sandbox: Annotated[bool, sandbox_option] = False,
    ) -> None:
        if context.invoked_subcommand is None:
            tasks_list(as_json, as_csv, status, since, limit, watch, sandbox)

    @tasks.command("list")
    def tasks_list(
        as_json: Annotated[bool, json_option] = False,
        as_csv: Annotated[bool, csv_option] = False,
        status: Annotated[str | None, status_option] = None,
        since: Annotated[str | None, since_option] = None,
        limit: Annotated[int, limit_option] = 20,
        watch: Annotated[bool, watch_option] = False,
        sandbox: Annotated[bool, sandbox_option] = False,
    ) -> None:
        """List tasks, newest first."""
        from veo_mcp.cli.tasks import Wanted, list_tasks

        form = "json" if as_json else "csv" if as_csv else "lines"
        wanted = Wanted(form=form, status=status, since=since, limit=limit)
        raise SystemExit(list_tasks(_settings(sandbox=sandbox or None), wanted, watch=watch))

    @tasks.command("show")
    def tasks_show(
        task_id: Annotated[str, typer.Argument(help="own or API id; its first characters are enough")],
        sandbox: Annotated[bool, sandbox_option] = False,
    ) -> None:
        """Show one task as JSON."""
        from veo_mcp.cli.tasks import show_task

        raise SystemExit(show_task(_settings(sandbox=sandbox or None), task_id))

    @tasks.command("spend")
    def tasks_spend(
        as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table")] = False,
        sandbox: Annotated[bool, sandbox_option] = False,
    ) -> None:
        """Add up the credits of each day and month."""
        from veo_mcp.cli.spend import spend

        raise SystemExit(spend(_settings(sandbox=sandbox or None), as_json=as_json))

    @tasks.command("audit")
    def tasks_audit(
        as_json: Annotated[bool, typer.Option("--json", help="a list as JSON")] = False,
        as_csv: Annotated[bool, csv_option] = False,
        since: Annotated[str | None, typer.Option(help="in the last 24h, 7d, or since a date", metavar="WHEN")] = None,
        limit: Annotated[int, limit_option] = 100,
    ) -> None:
        """List every credit movement of all accounts, newest first."""
        from veo_mcp.cli.audit import audit

        form = "json" if as_json else "csv" if as_csv else "lines"
        raise SystemExit(audit(_settings(), form=form, since=since, limit=limit))

    @tasks.command("resolve")
    def tasks_resolve(
        task_id: Annotated[str, typer.Argument(help="a task whose outcome is unknown")],
        upstream: Annotated[
            str | None, typer.Option("--task-id", help="the API's id of the task it became", metavar="ID")
        ] = None,
        not_charged: Annotated[bool, typer.Option("--not-charged", help="the API never took it")] = False,
    ) -> None:
        """Settle an unknown outcome by hand; without an option it says what to check first."""
        from veo_mcp.cli.tasks import resolve_task

        raise SystemExit(resolve_task(_settings(), task_id, upstream=upstream, not_charged=not_charged))


def _add_tokens(app: Any) -> None:
    import typer

    token = typer.Typer(help="Access tokens for an HTTP server that others may use.", no_args_is_help=True)
    app.add_typer(token, name="token")

    @token.command("add")
    def token_add(
        name: Annotated[str, typer.Argument(help="whose token it is; tasks belong to this name")],
        file: Annotated[
            Path | None, typer.Option(help="the file of tokens (VEO_ACCESS_TOKENS)", metavar="FILE")
        ] = None,
    ) -> None:
        """Add a token to the file, and print the token alone: it is shown this once."""
        from veo_mcp.cli.token import add
        from veo_mcp.settings import load

        raise SystemExit(add(load(access_tokens=file), name))
