"""The form that makes a clip: who may send it, and what it becomes.

Called by the sandbox's app. Only a page of the sandbox itself may post it: a browser says where a request comes from,
and what does not say so, or comes from elsewhere, is refused before anything is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from veo_mcp.api.models import MODEL_CREATE

__all__ = ["Draft", "is_same_origin"]

MOST_FIELDS = 10
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands in the form's fields."""

    prompt: str = ""
    mode: str = "fast"
    aspect_ratio: str = "16:9"

    @classmethod
    def parsed(cls, raw: bytes) -> "Draft":
        """The fields of a URL-encoded body; what is missing keeps its default, and too many fields are none."""
        try:
            fields = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError:
            return cls()
        return cls(**{name: values[0] for name, values in fields.items() if name in cls.__slots__})

    def body(self) -> dict[str, Any]:
        """The same as the body of a create, to be checked by the API's own rules."""
        fields = {"prompt": self.prompt, "mode": self.mode, "aspect_ratio": self.aspect_ratio}
        return {"model": MODEL_CREATE, "input": fields}


def is_same_origin(headers: Mapping[str, str], base_url: str) -> bool:
    """Whether a POST comes from this sandbox's own page.

    `Origin` must be the sandbox's address, or that port on loopback by another name; the Host header proves nothing,
    since a stranger's name may point here. `Sec-Fetch-Site`, where a browser sends it, must agree.
    """
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    try:
        origin, own = urlsplit(headers.get("origin", "")), urlsplit(base_url)
        if (origin.scheme, origin.netloc) == (own.scheme, own.netloc):
            return True
        return origin.scheme == "http" and origin.port == own.port and {origin.hostname, own.hostname} <= set(LOOPBACK)
    except ValueError:
        return False
