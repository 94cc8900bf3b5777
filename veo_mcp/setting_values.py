"""From the text of a setting to its value: what each kind of setting accepts, and in which words it says no.

Called by settings.py only. Every parser takes the text with surrounding space already dropped and raises ValueError
with words that are read after "it". Pure, except that paths know the home folder.
"""

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import SecretStr

__all__ = [
    "PORTS",
    "PostgresAddress",
    "base_path_url",
    "bucket",
    "choice",
    "exact_origins",
    "folders",
    "host_name",
    "hosts",
    "issuer",
    "key",
    "networks",
    "number",
    "origins",
    "path",
    "store",
    "switch",
    "web_url",
    "whole",
    "word",
]

T = TypeVar("T")
Parser = Callable[[str], T]

TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})
QUOTES = "\"'“”‘’"
PORTS = 65535


def switch(text: str) -> bool:
    """true or false, in any of the usual spellings."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise ValueError("must be true or false")


def whole(low: int, high: int | None = None) -> Parser[int]:
    """A whole number in plain digits: neither "1.000" nor "1e3", which people mean differently."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,15}", text):
            raise ValueError("must be a whole number")
        return _ranged(int(text), low, high)

    return parse


def number(low: float, high: float) -> Parser[float]:
    """A number in plain digits, with a point or without."""

    def parse(text: str) -> float:
        if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?", text):
            raise ValueError("must be a number")
        return _ranged(float(text), low, high)

    return parse


def choice(*names: str, **aliases: str) -> Parser[str]:
    """One of the names, in any case; `aliases` (with _ for -) are other spellings that people use."""
    known = {name.lower(): name for name in names} | {other.replace("_", "-"): name for other, name in aliases.items()}

    def parse(text: str) -> str:
        found = known.get(text.lower().replace("_", "-"))
        if found is None:
            raise ValueError(f"must be {', '.join(names[:-1])} or {names[-1]}")
        return found

    return parse


def key(text: str) -> SecretStr:
    """The provider's key: printable ASCII that begins with sk-. The words never hold any of it."""
    text = text.strip(QUOTES).strip()
    odd = next((mark for mark in text if not "!" <= mark <= "~"), None)
    if odd is not None:
        raise ValueError(
            f"contains a character that no key has (U+{ord(odd):04X}), perhaps from copying; put in the key as issued"
        )
    if not text.startswith("sk-"):
        raise ValueError("does not start with sk-, so the API would refuse it; put in the key as issued")
    return SecretStr(text)


def web_url(text: str) -> str:
    """An http or https URL of a server: no path, no user name, no query. A slash at the end is dropped."""
    text = text.strip(QUOTES).strip()
    if not re.match(r"https?://", text, re.IGNORECASE):
        raise ValueError("must be a URL that begins with http:// or https://")
    parts = _split(text)
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user name or password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"must end after the host, without “{_tail(parts)}”")
    return _origin(parts)


def base_path_url(text: str) -> str:
    """As `web_url`, with a path allowed: a proxy may serve this server below one."""
    text = text.strip(QUOTES).strip()
    parts = _split(text)
    path = parts.path.rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", path):
        raise ValueError("has a path with invalid characters")
    return web_url(text.removesuffix(parts.path) if parts.path else text) + path


def issuer(text: str) -> str:
    """An issuer's URL, unchanged: it is compared with what stands in tokens, a slash at the end included."""
    text = text.strip(QUOTES).strip()
    base = base_path_url(text)
    if base.startswith("http://") and not re.match(r"http://(127\.|localhost(:|/|$)|\[::1\])", base):
        raise ValueError("must begin with https://")
    return text


def word(text: str) -> str:
    """One word of printable characters."""
    text = text.strip(QUOTES).strip()
    if not text or not text.isprintable() or " " in text:
        raise ValueError("must be one word without spaces")
    return text


def origins(text: str) -> tuple[str, ...]:
    """Origins separated by commas; `https://*.example.com` stands for names below a domain of one's own.

    They end up in a content security policy, where a stray space or semicolon would allow another origin.
    """
    return tuple(_policy_origin(part.strip(QUOTES + " /")) for part in text.split(",") if part.strip())


def exact_origins(text: str) -> tuple[str, ...]:
    """Origins separated by commas, as browsers write them: in small letters, without a scheme's usual port."""
    return tuple(_exact_origin(part.strip(QUOTES + " ")) for part in text.split(",") if part.strip())


def hosts(text: str) -> tuple[str, ...]:
    """Names separated by commas; `name` counts with any port, `name:443` with that one."""
    return tuple(_named_host(part.strip(QUOTES + " ")) for part in text.split(",") if part.strip())


def networks(text: str) -> tuple[str, ...]:
    """Addresses and networks separated by commas, such as 10.0.0.0/8."""
    return tuple(_network(part.strip(QUOTES + " ")) for part in text.split(",") if part.strip())


def host_name(text: str) -> str:
    """An address or a host name to listen at."""
    bare = text.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if not re.fullmatch(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", bare):
        raise ValueError("must be an address such as 127.0.0.1, or a host name")
    return bare.lower()


def path(text: str, *, relative_to: Path | None) -> Path:
    """A path with ~ expanded. A relative one counts from `relative_to`; without that it is refused.

    A server inherits the folder of the host that starts it, which nobody chose: two hosts, two journals, one limit
    passed. A flag is typed by a person who sees the current folder.
    """
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    try:
        expanded = Path(text).expanduser()
    except RuntimeError:
        raise ValueError("begins with a ~ whose home folder is unknown") from None
    if "$" in text:
        raise ValueError("contains a $: variables are not expanded here; write the full path, or begin with ~")
    if expanded.is_absolute():
        return expanded
    if relative_to is None:
        raise ValueError(
            "must be an absolute path (or begin with ~), because a host starts servers in a folder of its choice"
        )
    return relative_to / expanded


def folders(text: str, *, relative_to: Path | None) -> tuple[Path, ...]:
    """Folders separated as PATH is; each as `path`. The whole disk is none."""
    found = [path(part, relative_to=relative_to) for part in text.split(os.pathsep) if part.strip()]
    # As written, with .. taken away: what a symbolic link leads to is looked at when a picture is named.
    wide = next((folder for folder in found if os.path.normpath(folder) == folder.anchor), None)
    if wide is not None:
        raise ValueError(f"must not name the whole disk ({wide}); name the folder that the pictures are in")
    return tuple(dict.fromkeys(found))


def bucket(text: str) -> str:
    """Where pictures are handed over: s3://bucket, or s3://bucket/prefix."""
    text = text.strip(QUOTES).strip().rstrip("/")
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*", text):
        raise ValueError("must be s3://bucket or s3://bucket/prefix, without keys, which go into AWS_ACCESS_KEY_ID")
    if any(set(part) <= {"."} for part in text.removeprefix("s3://").split("/")):
        raise ValueError("must not contain . or .. as a part of its prefix")
    return text


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where a PostgreSQL database is, and who we are there; as text it is without any secret.

    Attributes:
        secret: the whole address.
    """

    secret: SecretStr

    def __str__(self) -> str:
        parts = urlsplit(self.secret.get_secret_value())
        login, _, hosts = parts.netloc.rpartition("@")
        user = login.partition(":")[0]
        words = [f"{name}={value}" for name, value in parse_qsl(parts.query) if name in _SHOWN_OF_POSTGRES]
        return f"postgresql://{user}{'@' if user else ''}{hosts}{parts.path}{'?' if words else ''}{'&'.join(words)}"


_SHOWN_OF_POSTGRES = frozenset({"host", "port", "dbname", "database", "user", "sslmode", "search_path"})


def store(text: str, *, relative_to: Path | None) -> str | PostgresAddress:
    """Where the journal is: a file path, or the URL of a PostgreSQL database."""
    if text == ":memory:":
        raise ValueError("must be a file: what was paid for must still be known after the server ends")
    if re.match(r"postgres(ql)?:", text, re.IGNORECASE):
        return _postgres(text)
    if re.match(r"[a-z][a-z0-9+.-]+://", text, re.IGNORECASE):
        raise ValueError("must be a path or a URL that begins with postgresql://")
    return str(path(text, relative_to=relative_to))


def _postgres(text: str) -> PostgresAddress:
    # Nothing of it is repeated in a message: a password with a character out of place ends up anywhere.
    _, slashes, rest = text.partition("://")
    if not slashes or re.search(r"[\s\x00-\x20\x7f]", rest):
        raise ValueError("must be postgresql://user:password@host:port/database, without spaces")
    parts = urlsplit(f"postgresql://{rest}")
    if parts.fragment or rest.endswith("#") or "@" in parts.path:
        raise ValueError(
            "has a character in the password that must be escaped in a URL: write # as %23, / as %2F, @ as %40"
        )
    hosts = parts.netloc.rpartition("@")[2]
    if not re.fullmatch(r"((\[[0-9A-Fa-f:.]+\]|[^:,\[\]]*)(:[0-9]{1,5})?(,|$))*", hosts):
        raise ValueError("has an invalid host or port")
    return PostgresAddress(SecretStr(f"postgresql://{rest}"))


def _ranged(value: Any, low: float, high: float | None) -> Any:
    if value < low:
        raise ValueError(f"must be at least {low:g}")
    if high is not None and value > high:
        raise ValueError(f"must be at most {high:g}")
    return value


def _split(text: str) -> SplitResult:
    if re.search(r"[\s\x00-\x20\x7f]", text) or not text.isascii():
        raise ValueError("contains a space or a character that is not allowed in a URL")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("has an invalid host or port") from None
    if not parts.hostname or port == 0 or (port is None and re.search(r":$", parts.netloc)):
        raise ValueError("has no host, or an invalid port")
    host_name(parts.hostname)
    return parts


def _origin(parts: SplitResult) -> str:
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme.lower()}://{shown}" + (f":{parts.port}" if parts.port is not None else "")


def _tail(parts: SplitResult) -> str:
    return (parts.path + ("?…" if parts.query else "") + ("#…" if parts.fragment else ""))[:40]


def _exact_origin(text: str) -> str:
    try:
        origin = web_url(text).lower()
    except ValueError:
        raise ValueError(f"has “{text[:60]}”, which is not an origin such as https://app.example.com") from None
    return origin.removesuffix(":443" if origin.startswith("https") else ":80")


def _named_host(text: str) -> str:
    try:
        parts = _split(f"http://{text}")
    except ValueError:
        parts = None
    if parts is None or parts.netloc != text or parts.username is not None or not parts.hostname:
        raise ValueError(f"has “{text[:60]}”, which is not a name such as veo.example.com or veo.example.com:8443")
    return text.lower()


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise ValueError(f"has “{text[:60]}”, which is not an address or network such as 10.0.0.0/8") from None
    if not network.prefixlen:
        raise ValueError(
            "must list the proxies' own addresses; trusting every address would let any client spoof its own"
        )
    return str(network)


def _policy_origin(text: str) -> str:
    star = re.fullmatch(r"(https?://)\*\.((?:[A-Za-z0-9-]+\.)+[A-Za-z0-9-]+)(:[0-9]{1,5})?", text)
    try:
        # A star before a bare ending such as https://*.com would let half the web in.
        return web_url(f"{star[1]}x.{star[2]}{star[3] or ''}").replace("x.", "*.", 1) if star else web_url(text)
    except ValueError:
        raise ValueError(f"has “{text[:60]}”, which is not an origin such as https://file.example.com") from None
