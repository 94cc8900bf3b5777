"""Who may use the sandbox, how much and how often: special keys, and rules a person writes into `accounts.json`.

Called by the sandbox's app for every request. The file lies in the sandbox's folder, read again when it changes:
`{"sk-mine": {"credits": 500, "allow": ["127.0.0.1", "10.0.0.0/8"], "hourly": 80, "daily": 400, "total": 900,
"requests_per_second": 2, "disabled": false}}`. Never stores a key.
"""

import hmac
import ipaddress
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field

from veo_mcp.sandbox.files import tighten

__all__ = ["Rules", "RulesFile"]

log = logging.getLogger(__name__)

MOST_ADDRESSES = 10
OPENING = 10_000


class Rules(BaseModel):
    """What one key may do; None is no limit, an empty `allow` lets every address in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    credits: int = Field(default=OPENING, ge=0, le=10**12)
    allow: tuple[str, ...] = Field(default=(), max_length=MOST_ADDRESSES)
    hourly: int | None = Field(default=None, ge=0)
    daily: int | None = Field(default=None, ge=0)
    total: int | None = Field(default=None, ge=0)
    requests_per_second: float | None = Field(default=None, ge=0.001)
    disabled: bool = False

    def allows(self, address: str) -> bool:
        """Whether a request from this address passes the allowlist of addresses and CIDR ranges."""
        if not self.allow:
            return True
        try:
            here = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(here in network for network in _networks(self.allow))


SPECIAL: dict[str, Rules] = {
    "sk-sandbox": Rules(),
    "sk-sandbox-poor": Rules(credits=30),
    "sk-sandbox-disabled": Rules(disabled=True),
    "sk-sandbox-ip": Rules(allow=("192.0.2.1",)),
    "sk-sandbox-limited": Rules(total=0),
    "sk-sandbox-rate": Rules(requests_per_second=1),
}


@dataclass(frozen=True, slots=True)
class _Known:
    stamp: tuple[int, int] | None
    rules: dict[str, Rules]


class RulesFile:
    """The rules of one sandbox.

    Args:
        folder: where `accounts.json` may lie.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "accounts.json"
        self._known = _Known(None, {})

    def rules(self, key: str) -> Rules | None:
        """The rules of a key; None when it can be no key at all."""
        if not key.startswith("sk-") or len(key) > 200 or not key.isascii():
            return None
        found = Rules()
        # Every name is compared, and in constant time: an answer's delay reveals nothing about the keys in the file.
        for name, rules in {**SPECIAL, **self._from_file()}.items():
            if hmac.compare_digest(name.encode(), key.encode()):
                found = rules
        return None if found.disabled else found

    def _from_file(self) -> dict[str, Rules]:
        try:
            stat = self._path.stat()
        except OSError:
            return {}
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._known.stamp:
            tighten(self._path)
            self._known = _Known(stamp, self._read())
        return self._known.rules

    def _read(self) -> dict[str, Rules]:
        try:
            written = json.loads(self._path.read_text("utf-8"))
            rows = cast("dict[str, Any]", written).items()
            rules = {name: Rules.model_validate(row) for name, row in rows}
            for row in rules.values():
                _networks(row.allow)
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            # A mistake in the file must not lift a limit: the rules that were read before stay.
            log.warning("accounts.json is not usable and was ignored: %s", type(error).__name__)
            return self._known.rules
        return rules


def _networks(allow: Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(entry, strict=False) for entry in allow]
