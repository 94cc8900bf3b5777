"""`veo-mcp token add NAME`: a new access token for a server that others may use.

Called by cli/main.py. Only the token goes to stdout, so that it can be piped; only its hash goes to the file.
"""

from veo_mcp.cli.terminal import err
from veo_mcp.settings import Settings
from veo_mcp.web.tokens import add_token

__all__ = ["add"]


def add(settings: Settings, name: str) -> int:
    """Prints a new token of this name; 0 if it was written down."""
    path = settings.access_tokens
    if path is None:
        err.print("Set VEO_ACCESS_TOKENS to the file of tokens, or name it with --file.", soft_wrap=True)
        return 2
    try:
        token = add_token(path, name)
    except (ValueError, OSError) as fault:
        words = str(fault) if isinstance(fault, ValueError) else f"{path} cannot be written: {fault.strerror}."
        err.print(words, soft_wrap=True)
        return 1
    print(token)  # noqa: T201 - this command's output
    err.print(f"Written to {path} as a hash; the token is shown this once. A running server takes it at once.")
    return 0
