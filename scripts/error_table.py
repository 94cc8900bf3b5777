"""Prints docs/errors.md, made from veo_mcp/errors.py and veo_mcp/api/causes.py.

Run as `python scripts/error_table.py > docs/errors.md`; a test compares the two. The order is the code's own.
"""

import re
import sys
from collections.abc import Iterator

from veo_mcp import errors
from veo_mcp.api import causes
from veo_mcp.api.documented_errors import DOCUMENTED
from veo_mcp.errors import VeoMcpError

HEAD = """<!-- Made by scripts/error_table.py from veo_mcp/errors.py and veo_mcp/api/causes.py. Do not edit. -->

# Errors

Every error says what happened, whether credits were spent, and what to do. Its code is stable: programs may rely on it.
"Charged" is what an error means for a create or an extension; reads and downloads never cost anything.

| charged | means |
|---|---|
| no | Nothing was charged. |
| refunded | Charged and given back, by the API's word. |
| unknown | May have been charged. veo-mcp never sends such a request again; it keeps it as a task of unknown outcome. |
"""


def _kinds(kind: type[VeoMcpError]) -> Iterator[type[VeoMcpError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _kinds(child)


def _cell(text: str) -> str:
    # A placeholder stands for what is filled in; in Markdown, braces and bars need no more than a bar's escape.
    return re.sub(r"\{(\w+)\}", r"*\1*", text).replace("|", "\\|")


def _row(*cells: str) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def table() -> str:
    """The whole file."""
    lines = [HEAD, "## The API's own words", "", _row("HTTP", "code", "error", "charged", "what it means")]
    lines.append("|---|---|---|---|---|")
    for (status, code), kind in DOCUMENTED.items():
        lines.append(_row(str(status), f"`{code}`", kind.__name__, kind.charged, kind.explanation))
    lines += ["", "## Causes: what stands between this machine and an answer", ""]
    lines += [
        "The error named here is the usual one. Where an answer's status proves more, that counts: a page with 400,",
        "401, 402, 403, 404 or 429 is a refusal, and not charged.",
        "",
        _row("code", "error", "charged", "what happened", "what to change"),
        "|---|---|---|---|---|",
    ]
    for cause in causes.ALL:
        lines.append(_row(f"`{cause.code}`", cause.kind.__name__, cause.kind.charged, cause.happened, cause.change))
    lines += ["", "## All errors", "", _row("error", "is a", "charged", "what it means"), "|---|---|---|---|"]
    for kind in _kinds(VeoMcpError):
        parent = kind.__mro__[1].__name__
        meaning = (kind.__doc__ or "").strip().split("\n")[0]
        # An `Unrecorded` says of each create what is known.
        charged = "as known" if kind is errors.Unrecorded else kind.charged
        lines.append(_row(kind.__name__, parent, charged, meaning))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table())
