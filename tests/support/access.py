"""Two people with access tokens, and a server's access rules that know them. Used by the tests of web/."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from veo_mcp.web.access import Access
from veo_mcp.web.allowed_hosts import AllowedHosts
from veo_mcp.web.auth import AccessTokenMethod, Authenticator
from veo_mcp.web.tokens import Tokens

__all__ = ["ANNA", "BEN", "JSON", "bearer", "guarded", "token_line"]

JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
ANNA, BEN = "veo_anna-0123456789abcdef", "veo_ben-0123456789abcdef"


def token_line(name: str, token: str) -> str:
    """A line of the file of access tokens."""
    return f"{name}:sha256:{sha256(token.encode()).hexdigest()}\n"


def guarded(folder: Path, **options: Any) -> Access:
    """Access for anna and ben, whose tokens are in a file of this folder."""
    (folder / "tokens").write_text("# access tokens\n\n" + token_line("anna", ANNA) + token_line("ben", BEN))
    names = AllowedHosts(frozenset({"veo.example.com"}), frozenset({"https://app.example.com"}))
    return Access(names=names, authenticator=Authenticator(AccessTokenMethod(Tokens(folder / "tokens")), **options))


def bearer(token: str) -> dict[str, str]:
    """The header that presents a token."""
    return {"Authorization": f"Bearer {token}"}
