"""Seeded mutations of what comes from outside: JSON that is nearly right, and bytes that are nearly JSON.

Used by the fuzz test. The same seed gives the same mutations, so that what is found once can be found again.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from pydantic import JsonValue

__all__ = ["Mutator"]

DEEP = 3000
ODD_TEXTS = [
    "", " ", "\x00", "\ud83d", "\udfff", "\u202e", "\u2028", "é" * 300, "x" * 70_000, "../../etc/passwd", "null",
    "-1", "1e999", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999+23:59", "vid_x", "http://", "javascript:1",
    "{}", "\r\nX: y", "⁲", "²",
]  # fmt: skip
ODD_VALUES: list[JsonValue] = [
    None, True, False, 0, -1, 1, 2**63, -(2**63), 10**400, 1e308, 0.1, [], {}, [[]], [None], {"": None},
    float("nan"), float("inf"), *ODD_TEXTS,
]  # fmt: skip


class Mutator:
    """A source of mutations."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def body(self, value: JsonValue) -> bytes:
        """JSON near to this value, or bytes near to it."""
        for _ in range(self.random.randint(0, 3)):
            value = self._changed(value)
        raw = json.dumps(value, default=str).encode()
        return self._torn(raw) if self.random.random() < 0.3 else raw

    def _changed(self, value: JsonValue) -> JsonValue:
        """One place in the value is another one, gone, doubled or buried."""
        if isinstance(value, dict) and value and self.random.random() < 0.85:
            name = self.random.choice(list(value))
            rest = dict(value)
            match self.random.randrange(6):
                case 0:
                    del rest[name]
                case 1:
                    rest[self.random.choice(ODD_TEXTS)] = rest.pop(name)
                case _:
                    rest[name] = self._changed(rest[name])
            return rest
        if isinstance(value, list) and value and self.random.random() < 0.6:
            place = self.random.randrange(len(value))
            return [*value[:place], self._changed(value[place]), *value[place:]]
        odd: JsonValue = self.random.choice(ODD_VALUES)
        if self.random.random() < 0.05:
            for _ in range(self.random.randrange(900)):
                odd = [odd]
        return odd

    def _torn(self, raw: bytes) -> bytes:
        place = self.random.randrange(len(raw) + 1)
        tears: list[Callable[[], bytes]] = [
            lambda: raw[:place],
            lambda: raw[place:],
            lambda: raw[:place] + bytes([self.random.randrange(256)]) + raw[place + 1 :],
            lambda: raw[:place] + self.random.randbytes(self.random.randrange(20)) + raw[place:],
            lambda: b"\xef\xbb\xbf" + raw,
            lambda: raw.decode().encode("utf-16"),
            lambda: b"[" * DEEP + raw + b"]" * DEEP,
            lambda: raw + raw,
            lambda: raw.replace(b'"', b"'", 1),
            lambda: raw.replace(b": ", b": \\ud83d", 1),
        ]
        return self.random.choice(tears)()

    def reply(self, value: Any) -> bytes:
        """An HTTP answer with such a body; its head may be odd too."""
        body = self.body(value)
        status = self.random.choice([200] * 12 + [100, 204, 301, 400, 401, 402, 404, 407, 429, 451, 500, 502, 503, 799])
        length: int | str = len(body)
        headers = ["Content-Type: application/json"]
        if self.random.random() < 0.2:
            odd = ["²", "86400000", "9" * 309, "-1", "nan", "Wed, 21 Oct 2099 07:28:00 GMT", "0", "x" * 5000]
            headers.append("Retry-After: " + self.random.choice(odd))
        if self.random.random() < 0.1:
            headers.append("Content-Encoding: " + self.random.choice(["gzip", "deflate", "br", "x"]))
        if self.random.random() < 0.1:
            headers.append("Location: " + self.random.choice(["http://127.0.0.1:1/", "//", "", "javascript:1"]))
        if self.random.random() < 0.1:
            length = self.random.choice([0, length + 10, max(length - 5, 0), -1, "x", 2**70])
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {length}", *headers]
        whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        return self._torn_head(whole) if self.random.random() < 0.1 else whole

    def _torn_head(self, whole: bytes) -> bytes:
        place = self.random.randrange(len(whole))
        return self.random.choice([whole[:place], whole[:place] + b"\x00" + whole[place:], self.random.randbytes(40)])

    def row(self, column: str) -> Any:
        """A value for a column of the journal, as another version or a broken disk might leave it."""
        if column == "status":
            return self.random.choice(["", "queued", "COMPLETED", "completed", "failed", "processing", "pending", 7])
        value = self.random.choice([v for v in ODD_VALUES if isinstance(v, (str, int, float, type(None)))])
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        return value if not isinstance(value, int) or abs(value) < 2**63 else float("inf")
