"""Edits TOML: a new table goes to the end of the file, a value within one is set by tomlkit, which keeps the rest.

Used for Codex. Never writes a file.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

from veo_mcp.cli.install.host import CannotInstall

__all__ = ["TomlEditor"]


class TomlEditor:
    """The Editor of TOML files."""

    def parse(self, text: str) -> dict[str, Any]:
        """The parsed text."""
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CannotInstall(f"it is not TOML: {error}") from None

    def put(self, text: str, path: Sequence[str], value: Any) -> str:
        """The text with this value at that place."""
        newline = "\r\n" if "\r\n" in text else "\n"
        if isinstance(value, dict) and not _has(self.parse(text), path):
            # At the end of the file, where it can disturb nothing; as text, because a round trip would move tables.
            gap = "" if not text.strip() else newline if text.endswith(("\n", "\r")) else newline * 2
            return text + gap + _table(path, cast("dict[str, Any]", value)).replace("\n", newline)
        return self._edited(text, path, value)

    def drop(self, text: str, path: Sequence[str]) -> str:
        """The text without that place."""
        document = self._document(text)
        node: Any = document
        for name in path[:-1]:
            node = node[name]
        del node[path[-1]]
        after = tomlkit.dumps(document)  # pyright: ignore[reportUnknownMemberType]
        # The empty line that we put before our table, if it was the last one.
        return re.sub(r"((?:\r\n|\n))(?:\r\n|\n)+\Z", r"\1", after)

    def _edited(self, text: str, path: Sequence[str], value: Any) -> str:
        document = self._document(text)
        node: Any = document
        for name in path[:-1]:
            node = node[name] if name in node else node.setdefault(name, tomlkit.table())
        node[path[-1]] = value
        return tomlkit.dumps(document)  # pyright: ignore[reportUnknownMemberType]

    def _document(self, text: str) -> tomlkit.TOMLDocument:
        try:
            return tomlkit.parse(text)
        except TOMLKitError as error:
            raise CannotInstall(f"it is not TOML: {error}") from None


def _table(path: Sequence[str], value: Mapping[str, Any]) -> str:
    """A table with its header, and those below it after it."""
    below: dict[str, dict[str, Any]] = {key: item for key, item in value.items() if isinstance(item, dict)}
    plain = {key: item for key, item in value.items() if key not in below}
    own = f"[{'.'.join(path)}]\n{tomlkit.dumps(plain)}"  # pyright: ignore[reportUnknownMemberType]
    return own + "".join("\n" + _table((*path, key), item) for key, item in below.items())


def _has(node: Any, path: Sequence[str]) -> bool:
    for name in path:
        if not isinstance(node, dict) or name not in node:
            return False
        node = node[name]  # pyright: ignore[reportUnknownVariableType]
    return True
