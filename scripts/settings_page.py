"""Prints docs/settings.md, made from the table of settings in veo_mcp/settings.py.

Run as `python scripts/settings_page.py > docs/settings.md`; a test compares the two.
"""

import sys
from typing import Any

import typer.main

from veo_mcp.cli.main import commands
from veo_mcp.settings import HTTP_ONLY, KNOBS, Knob

__all__ = ["page"]

HEAD = """<!-- Made by scripts/settings_page.py from veo_mcp/settings.py. Do not edit. -->

# Settings

Each is an environment variable, in the host's entry or the shell; a flag of `veo-mcp serve` wins over its variable.
`veo-mcp check` shows every value in force and where it came from.

- Values are read without regard to case where they are words; spaces around them are dropped, quotes around keys and URLs too.
- `~` is expanded in every path. A relative path in a variable is refused, because every host starts servers in another folder;
  one in a flag counts from the current folder.
- A value that is still `${…}` was not filled in by its host: it counts as not set, with a warning.
- An unknown `VEO_…` changes nothing and is warned about, with the nearest known name.
- A wrong value never keeps a stdio server from starting. "Stops" below means that the tools then answer with the sentence that
  says what to fix, and that `veo-mcp check` exits 1; "warns", that the default is taken with a warning. What is for HTTP only is
  warned about over stdio.
- `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured for the API and for
  downloads, except on loopback.

| variable | flag of `serve` | meaning | default | a wrong value |
|---|---|---|---|---|
"""

TAIL = """
## Worth knowing

- **What happens to your money** is decided by four of them. `VEO_MAX_CREDITS` is the lock: credits in any 24 h, counted from the
  journal, with what is being sent and what nobody knows; refused and refunded ones do not count. `VEO_CONFIRM_ABOVE` is a speed
  bump: above it the person is asked, and where the host cannot ask, the call is answered with the price and counts only with
  `confirm_credits`. `VEO_REPEAT_SECONDS` keeps an impatient host from paying twice: an identical call is answered with the first one's
  task; one whose outcome is not known blocks without limit of time. `VEO_READ_ONLY` leaves nothing that spends.
- **Where data lies** is said by `VEO_JOURNAL`, `VEO_SANDBOX_DIR` and `VEO_SAVE_DIR`; the defaults for each system stand in
  [upgrading.md](upgrading.md).
- **For HTTP**, [hosting.md](hosting.md) shows the settings at work.
"""


def page() -> str:
    """The whole page."""
    group: Any = typer.main.get_command(commands())
    flags: set[str] = {flag for option in group.commands["serve"].params for flag in option.opts}
    return HEAD + "".join(_row(knob, flags) for knob in KNOBS) + TAIL


def _row(knob: Knob, flags: set[str]) -> str:
    flag = f"`{knob.flag}`" if knob.flag in flags else ""
    wrong = "stops" if knob.serious else "warns"
    if knob.name in HTTP_ONLY:
        wrong += " (HTTP only)"
    return f"| `{knob.variable}` | {flag} | {knob.help} | {knob.default} | {wrong} |\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
