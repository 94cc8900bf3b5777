"""The way out of this machine: addresses that can be called, the proxy for each, and the certificates that are trusted.

Called by transport.py and download.py. Reads the standard variables (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY,
SSL_CERT_FILE, SSL_CERT_DIR) itself, because a proxy must never see what is meant for this machine, and because what is
wrong with one of them should be reported by name. Opens no connection. Never shows a proxy's password.
"""

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from veo_mcp.api import causes
from veo_mcp.text import clean

__all__ = ["Address", "Proxy", "address", "is_loopback", "proxy_for", "same_origin", "trusted"]

_PORTS = {"http": 80, "https": 443}
_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LONGEST_URL = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed http or https URL without userinfo.

    Attributes:
        origin: scheme, host and port, in lower case, without a default port.
        host: as it is shown: `name`, or `name:port` if the port is not the scheme's own.
        path: what follows, "" for none.
    """

    scheme: str
    hostname: str
    port: int
    path: str

    @property
    def host(self) -> str:
        name = f"[{self.hostname}]" if ":" in self.hostname else self.hostname
        return clean(name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}", 100)

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """One proxy. Its URL may hold a password, and is shown nowhere.

    Attributes:
        variable: the environment variable it comes from.
        host: what may be shown.
    """

    url: str = field(repr=False)
    variable: str
    host: str
    scheme: str


def address(url: str) -> Address:
    """Parses a URL that is to be called. Raises ValueError with the reason, which never holds the URL itself."""
    if not url or len(url) > _LONGEST_URL:
        raise ValueError("it is empty" if not url else "it is longer than 2,048 characters")
    # urlsplit silently drops tabs and line ends, and the HTTP library chokes on them later.
    if any(mark <= " " or mark == "\x7f" or mark.isspace() for mark in url):
        raise ValueError("there is a space, a line end or a control character in it")
    parts, port = _split(url)
    if parts.scheme not in _PORTS:
        raise ValueError("it must begin with https:// (or http:// for a server on this machine)")
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name or password")
    return Address(parts.scheme, _ascii(parts.hostname), port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        word = "port" if "port" in str(problem).lower() else "host"
        raise ValueError(f"its {word} is not one") from None
    if port == 0:
        raise ValueError("its port is not one")
    return parts, port


def _ascii(host: str) -> str:
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("its host is not one") from None
    # Only what a host's name, an IPv4 or an IPv6 address can hold; the rest would reach a resolver or a header raw.
    if not name or len(name) > 253 or not all(mark.isalnum() or mark in "-._:" for mark in name):
        raise ValueError("its host is not one")
    if any(not 0 < len(label) <= 63 for label in name.removesuffix(".").split(".")):
        raise ValueError("its host is not one")
    return name.lower()


def is_loopback(hostname: str) -> bool:
    """Whether that name or address means this machine."""
    name = hostname.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def same_origin(one: Address, other: Address) -> bool:
    """Whether both are the same server; the names of this machine (localhost, 127.0.0.1, ::1) count as one."""
    same_host = one.hostname == other.hostname or (is_loopback(one.hostname) and is_loopback(other.hostname))
    return same_host and (one.scheme, one.port) == (other.scheme, other.port)


def proxy_for(target: Address, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that the environment names for `target`, or None. Raises NotSent if it is none that can be used."""
    if is_loopback(target.hostname) or _bypassed(target, environ):
        return None
    names = [f"{target.scheme}_proxy", f"{target.scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    for name in names:
        value = environ.get(name, "").strip()
        # In a CGI program HTTP_PROXY is a header that a client sent, not a setting.
        if value and not (name == "HTTP_PROXY" and "REQUEST_METHOD" in environ):
            return _proxy(name, value)
    return None


def _proxy(variable: str, value: str) -> Proxy:
    def bad(why: str) -> Exception:
        return causes.PROXY_NOT_USABLE.error(variable=variable, why=why)

    url = value if "://" in value else f"http://{value}"
    if any(mark <= " " or mark == "\x7f" for mark in url) or not url.isascii():
        raise bad("there is a space, a control character or a letter that must be percent-encoded in it")
    try:
        parts, port = _split(url)
    except ValueError as problem:
        raise bad(str(problem)) from None
    if parts.scheme not in _PROXY_PORTS:
        raise bad(f"its scheme {clean(parts.scheme, 20)} is not one of http, https and socks5")
    if not parts.hostname:
        raise bad("it names no host")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Proxy(url, variable, clean(f"{name}:{port or _PROXY_PORTS[parts.scheme]}", 100), parts.scheme)


def _bypassed(target: Address, environ: Mapping[str, str]) -> bool:
    for entry in (environ.get("no_proxy") or environ.get("NO_PROXY") or "").split(","):
        rule = entry.strip().lower()
        if rule == "*" or (rule and _matches(rule, target)):
            return True
    return False


def _matches(rule: str, target: Address) -> bool:
    """`example.com` and `.example.com` mean the host and all below it; also host:port, addresses, and networks."""
    try:
        host = ipaddress.ip_address(target.hostname)
        return host in ipaddress.ip_network(rule.strip("[]"), strict=False)
    except ValueError:
        pass
    host, _, port = rule.rpartition(":")
    if host and port.isascii() and port.isdigit() and (":" not in host or host.startswith("[")):
        if int(port[:6]) != target.port:
            return False
        rule = host
    rule = rule.strip("[]").lstrip("*").lstrip(".")
    return bool(rule) and (target.hostname == rule or target.hostname.endswith("." + rule))


def trusted(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """The authorities that SSL_CERT_FILE and SSL_CERT_DIR name, or None if neither does. Raises NotSent.

    As with OpenSSL's own tools, they replace the built-in list.
    """
    file, folder = environ.get("SSL_CERT_FILE", "").strip(), environ.get("SSL_CERT_DIR", "").strip()
    if not file and not folder:
        return None
    # OpenSSL silently accepts a missing folder, and then trusts no one.
    if folder and not any(Path(one).is_dir() for one in folder.split(os.pathsep)):
        raise causes.CA_FILE.error(why="there is no such folder")
    try:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    except FileNotFoundError:
        raise causes.CA_FILE.error(why="there is no such file") from None
    except PermissionError:
        raise causes.CA_FILE.error(why="it may not be read") from None
    except (OSError, ValueError):
        raise causes.CA_FILE.error(why="there is no certificate in PEM form in it") from None
    return context
