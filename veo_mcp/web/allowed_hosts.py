"""Which names a request may come under: the Host and Origin headers, parsed and compared whole, not by their beginning.

Used by middleware.py. A web page can make a browser send requests to this machine; its own name in these two headers is
what distinguishes it from a program of the person's.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["LOOPBACK", "AllowedHosts", "host_of", "origin_host"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:/?#@\[\]\\]+)(:(?P<port>\d{1,5}))?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def host_of(header: str) -> str | None:
    """The name in a Host header, in small letters and without its port; None if it is no such header."""
    found = _HOST.fullmatch(header.lower())
    if found is None or int(found["port"] or 0) > 65535:
        return None
    return found["name"]


def origin_host(header: str) -> str | None:
    """The name in an Origin header, in small letters; None for "null" and for whatever is no http(s) origin."""
    scheme, mark, rest = header.partition("://")
    return host_of(rest) if mark and scheme.lower() in ("http", "https") else None


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The names of one server, those of this machine always among them.

    Attributes:
        hosts: further hosts it may be asked under, in small letters; `name` with any port, `name:port` with that one.
        origins: further origins whose web pages may use it, as a browser writes them.
    """

    hosts: Collection[str] = ()
    origins: Collection[str] = ()

    def host(self, header: str) -> bool:
        """Whether a Host header names this server."""
        name = host_of(header)
        return name is not None and (name in LOOPBACK or name in self.hosts or header.lower() in self.hosts)

    def origin(self, header: str) -> bool:
        """Whether an Origin header is one whose pages may use this server."""
        if origin_host(header) in LOOPBACK:
            return True
        scheme = header.lower().partition("://")[0]
        written = header.lower().removesuffix(_DEFAULT_PORTS.get(scheme, "none"))
        return origin_host(header) is not None and written in self.origins
