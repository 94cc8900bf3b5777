"""Which names a request may come under: the Host and Origin headers, parsed and compared whole, not by their beginning.

Used by door.py. A web page can make a browser send requests to this machine; its own name in these two headers is what
tells it from a program of the person's.
"""

import re

__all__ = ["LOOPBACK", "host_of", "origin_host"]

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:/?#@\[\]\\]+)(:(?P<port>\d{1,5}))?")


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
