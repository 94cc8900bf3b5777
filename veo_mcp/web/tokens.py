"""The file of access tokens: `name:sha256:HEX` lines, and which name a token belongs to.

Made by `veo-mcp token add`, read by auth.py with every request, so that a line that is added or removed counts at once.
Holds hashes only; a plain `name:token` line works and is warned about. Never shows a token or any part of one.
"""

import hashlib
import hmac
import logging
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from veo_mcp.watched_file import WatchedFile, numbered_lines

__all__ = ["NAME", "Tokens", "add_token", "digest_of"]

log = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""What a name may be: a colon would end it, and the journal's own principals begin with a word and a colon."""
MIN_TOKEN_LENGTH = 16
"""Characters of a plain token: one that can be guessed is worse than none."""


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    digest: bytes


class Tokens:
    """The tokens of one file. Raises ValueError when the file is not usable at the start."""

    def __init__(self, path: Path) -> None:
        # While the file is missing or broken, every token is rejected.
        self._file = WatchedFile[tuple[_Line, ...]](path, _parse, otherwise=())
        self._file.first()

    def name_of(self, token: str) -> str | None:
        """Whose token this is, or None. Takes the same time for every token, known or not."""
        return self.name_of_digest(digest_of(token))

    def name_of_digest(self, digest: bytes) -> str | None:
        """Whose token has this hash now, or None."""
        found: str | None = None
        for line in self._file.now() or ():
            if hmac.compare_digest(line.digest, digest):
                found = line.name
        return found


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def add_token(path: Path, name: str) -> str:
    """Appends a line for a new token of this name, and returns the token. Raises ValueError and OSError."""
    if not NAME.fullmatch(name):
        raise ValueError("A name is 1 to 64 letters, digits and . _ @ + -, and begins with a letter or digit.")
    token = "veo_" + secrets.token_urlsafe(32)
    line = f"{name}:sha256:{hashlib.sha256(token.encode()).hexdigest()}\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Read as well: an editor may have left the last line without its end.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(file).st_size
        if size:
            os.lseek(file, size - 1, os.SEEK_SET)
            if os.read(file, 1) != b"\n":
                line = b"\n" + line
        os.write(file, line)
        os.fsync(file)
    finally:
        os.close(file)
    return token


def _parse(text: str) -> tuple[_Line, ...]:
    lines: list[_Line] = []
    for number, line in numbered_lines(text):
        name, colon, rest = line.partition(":")
        rest = rest.strip()
        if not colon or not NAME.fullmatch(name) or not rest:
            raise ValueError(f"has a line {number} that is not name:sha256:HEX")
        if rest.startswith("sha256:"):
            if not re.fullmatch(r"[0-9a-fA-F]{64}", rest[7:]):
                raise ValueError(f"has a line {number} whose hash is not 64 hexadecimal digits")
            lines.append(_Line(name, bytes.fromhex(rest[7:])))
            continue
        if len(rest) < MIN_TOKEN_LENGTH:
            raise ValueError(f"has a line {number} whose token is shorter than {MIN_TOKEN_LENGTH} characters")
        log.warning(
            "The access token of %s stands in its file as it is. `veo-mcp token add %s` makes one that is kept as a "
            "hash; remove that line then.",
            name,
            name,
        )
        lines.append(_Line(name, hashlib.sha256(rest.encode()).digest()))
    return tuple(lines)
