"""Prints docs/commands.md, made from the commands' own help.

Run as `python scripts/command_page.py > docs/commands.md`; a test compares the two.
"""

import sys
from collections.abc import Iterator
from typing import Any

import typer.main

from veo_mcp.cli.error_boundary import EXIT_CODES
from veo_mcp.cli.main import commands

__all__ = ["page"]

HEAD = f"""<!-- Made by scripts/command_page.py from the commands' own help. Do not edit. -->

# Commands

`veo-mcp` alone is the server over stdio, as hosts start it. `python -m veo_mcp` is the same program.
`veo-mcp --install-completion` teaches your shell to complete commands and options; `--show-completion` prints what it would add.

{EXIT_CODES} A message says why on stderr; a traceback is shown only with `VEO_LOG_LEVEL=DEBUG`.
"""


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_sections(typer.main.get_command(commands()), "veo-mcp"))


def _sections(command: Any, name: str) -> Iterator[str]:
    below = getattr(command, "commands", {})
    if name != "veo-mcp":
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        words = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments]
        usage = " ".join([name, *words])
        yield f"\n## `{usage}`\n\n{_text(command.help)}\n"
        options = [parameter for parameter in command.params if "--help" not in parameter.opts]
        if options:
            yield "\n| option | meaning | default |\n|---|---|---|\n"
            yield from (_row(option) for option in options)
    for word, inner in below.items():
        yield from _sections(inner, f"{name} {word}")


def _text(help_text: str | None) -> str:
    return " ".join((help_text or "").split())


def _row(option: Any) -> str:
    shown = option.name.upper() if option.param_type_name == "argument" else ", ".join(option.opts)
    if option.param_type_name == "option" and not option.is_flag:
        shown += f" {option.metavar or 'TEXT'}"
    default = "" if option.default in (None, False) or option.required else f"`{option.default}`"
    return f"| `{shown}` | {option.help or ''} | {default} |\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
