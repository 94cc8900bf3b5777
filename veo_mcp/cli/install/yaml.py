"""Edits YAML by the spans that its parser reports, because no library writes a file back byte for byte.

Used for Goose. Knows block mappings, which such files are made of; of anything else it says so. Never writes a file.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml as library

from veo_mcp.cli.install.host import CannotInstall

__all__ = ["YamlEditor"]


class YamlEditor:
    """The Editor of YAML files."""

    def parse(self, text: str) -> dict[str, Any]:
        """The parsed text."""
        try:
            value: Any = library.safe_load(text)
        except library.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise CannotInstall(f"it is not YAML{f', see line {mark.line + 1}' if mark else ''}") from None
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise CannotInstall("it does not hold a YAML mapping")
        return value  # pyright: ignore[reportUnknownVariableType]

    def put(self, text: str, path: Sequence[str], value: Any) -> str:
        """The text with this value at that place."""
        newline = "\r\n" if "\r\n" in text else "\n"
        node: Any = library.compose(text, Loader=library.SafeLoader)
        indent = ""
        for depth, name in enumerate(path):
            found = _pair(node, name)
            if found is None:
                for outer in reversed(path[depth + 1 :]):
                    value = {outer: value}
                return _added(text, node, indent, name, value, newline)
            key, child = found
            if depth == len(path) - 1:
                return text[: child.start_mark.index] + _flow(value) + text[_end(text, child) :]
            if not isinstance(child, library.MappingNode):
                if not _says_nothing(child):
                    raise CannotInstall(
                        f"“{name}” in the file is not a mapping; correct it by hand. Nothing was changed."
                    )
                # `extensions:` or `extensions: {}` with nothing below it
                for outer in reversed(path[depth + 1 :]):
                    value = {outer: value}
                return _filled(text, key, child, value, newline)
            if not child.value:
                for outer in reversed(path[depth + 1 :]):
                    value = {outer: value}
                return _filled(text, key, child, value, newline)
            node = child
            indent = " " * child.value[0][0].start_mark.column
        return text

    def drop(self, text: str, path: Sequence[str]) -> str:
        """The text without that place."""
        node: Any = library.compose(text, Loader=library.SafeLoader)
        for name in path[:-1]:
            found = _pair(node, name)
            if found is None:
                return text
            node = found[1]
        found = _pair(node, path[-1])
        if found is None:
            return text
        if node.flow_style:
            raise CannotInstall(
                "our entry stands between braces in one line; take it out by hand. Nothing was changed."
            )
        start = text.rfind("\n", 0, found[0].start_mark.index) + 1
        end = text.find("\n", _end(text, found[1]) - 1)
        after = text[end + 1 :] if end >= 0 else ""
        if len(node.value) == 1:
            # The parent would be left with nothing below it, which reads as null.
            head = text[:start].rstrip("\r\n ")
            return head + " {}" + ("\r\n" if "\r\n" in text else "\n") + after
        return text[:start] + after


def _pair(node: Any, name: str) -> tuple[Any, Any] | None:
    pairs: list[tuple[Any, Any]] = node.value if isinstance(node, library.MappingNode) else []
    return next(((key, child) for key, child in pairs if key.value == name), None)


def _says_nothing(node: Any) -> bool:
    return isinstance(node, library.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _end(text: str, node: Any) -> int:
    """Where a value really ends: the parser counts the lines after a block, comments included, to it."""
    if isinstance(node, library.CollectionNode) and not node.flow_style and node.value:
        last: Any = node.value[-1]
        return _end(text, last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index


def _added(text: str, node: Any, indent: str, name: str, value: Any, newline: str) -> str:
    block = _block({name: value}, indent, newline)
    if node is None or not node.value:
        return text + ("" if not text or text.endswith("\n") else newline) + block
    if node.flow_style:
        raise CannotInstall("its entries stand between braces in one line; add ours by hand. Nothing was changed.")
    end = text.find("\n", _end(text, node) - 1)
    if end < 0:
        return text + newline + block
    return text[: end + 1] + block + text[end + 1 :]


def _filled(text: str, key: Any, child: Any, value: Any, newline: str) -> str:
    indent = " " * (key.start_mark.column + 2)
    colon = text.index(":", key.end_mark.index) + 1
    end = max(colon, child.end_mark.index)
    return text[:colon] + newline + _block(value, indent, newline).removesuffix(newline) + text[end:]


def _block(value: dict[str, Any], indent: str, newline: str) -> str:
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, dict) and item:
            lines += [f"{indent}{key}:{newline}", _block(item, indent + "  ", newline)]  # pyright: ignore[reportUnknownArgumentType]
        else:
            lines.append(f"{indent}{key}: {_flow(item)}{newline}")
    return "".join(lines)


def _flow(value: Any) -> str:
    """Within one line. JSON is YAML; a plain word needs no quotes."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", value)
    return value if plain and value.lower() not in _NOT_WORDS else json.dumps(value, ensure_ascii=False)


_NOT_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
