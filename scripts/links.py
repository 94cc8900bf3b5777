"""Prints the README's block of links that add veo-mcp to a host with one click.

Run as `python scripts/links.py`; a test compares the block and decodes every link. The links start what a person
has installed, never a package name that nobody owns yet.
"""

import base64
import json
import sys
from typing import Any
from urllib.parse import quote, urlencode

from veo_mcp.cli.install.launch import PUBLISHED

__all__ = ["BEGIN", "END", "ENTRY", "block", "links"]

BEGIN, END = "<!-- links: made by scripts/links.py -->", "<!-- /links -->"
ENTRY: dict[str, Any] = (
    {"command": "uvx", "args": ["veo-mcp[sandbox]"]} if PUBLISHED else {"command": "veo-mcp", "args": []}
)


def links() -> dict[str, str]:
    """A link for each host that takes one."""
    plain = json.dumps(ENTRY, separators=(",", ":"))
    coded = base64.b64encode(plain.encode()).decode()
    goose = [("cmd", ENTRY["command"]), *(("arg", word) for word in ENTRY["args"])]
    about = [("id", "veo"), ("name", "Veo 3.1 videos"), ("description", "Makes Veo 3.1 videos")]
    return {
        "Cursor": f"https://cursor.com/en/install-mcp?{urlencode({'name': 'veo', 'config': coded})}",
        "VS Code": f"https://vscode.dev/redirect/mcp/install?name=veo&config={quote(plain, safe='')}",
        "Kiro": f"https://kiro.dev/launch/mcp/add?name=veo&config={quote(plain, safe='')}",
        "LM Studio": f"https://lmstudio.ai/install-mcp?{urlencode({'name': 'veo', 'config': coded})}",
        "Goose": f"https://block.github.io/goose/extension?{urlencode([*goose, *about], quote_via=quote)}",
    }


def block() -> str:
    """The lines between the two comments, with them."""
    shown = " ·\n".join(f"[{host}]({link})" for host, link in links().items())
    return f"{BEGIN}\n{shown}\n{END}\n"


if __name__ == "__main__":
    sys.stdout.write(block())
