"""Edits JSON as people and hosts really keep it: with comments, commas before a closing bracket, tabs, any line ends.

Used for every host whose file is JSON. Finds the span of the one member it changes and copies every other character.
Never writes a file.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from veo_mcp.cli.install.host import CannotInstall

__all__ = ["JsonEditor"]

_BLANK = re.compile(r"[\s\ufeff]+")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"-?[A-Za-z0-9.+-]+")
DEEPEST = 200


@dataclass(slots=True)
class _Node:
    """A value and its span. Of an object: its members; `value` is what the whole says."""

    start: int
    end: int
    value: Any
    members: list["_Member"] = field(default_factory=list["_Member"])


@dataclass(slots=True)
class _Member:
    """A key with its value, and the comma after it, if there is one."""

    key: str
    start: int
    node: _Node
    comma: int | None = None


class JsonEditor:
    """The Editor of JSON files."""

    def parse(self, text: str) -> dict[str, Any]:
        """The parsed text; {} for an empty one."""
        return self._root(text).value if _Reader(text).rest() else {}

    def put(self, text: str, path: Sequence[str], value: Any) -> str:
        """The text with this value at that place."""
        if not _Reader(text).rest():
            text = text + "{}" + _newline(text)
        node = self._root(text)
        for depth, name in enumerate(path):
            member = _member(node, name)
            if member is None:
                for outer in reversed(path[depth + 1 :]):
                    value = {outer: value}
                return _added(text, node, name, value)
            if depth == len(path) - 1:
                return text[: member.node.start] + _written(text, value, member.start) + text[member.node.end :]
            if not isinstance(member.node.value, dict):
                raise CannotInstall(f"“{name}” in the file is not an object; correct it by hand. Nothing was changed.")
            node = member.node
        return text

    def drop(self, text: str, path: Sequence[str]) -> str:
        """The text without that member."""
        node = self._root(text)
        for name in path[:-1]:
            member = _member(node, name)
            if member is None:
                return text
            node = member.node
        member = _member(node, path[-1])
        return text if member is None else _without(text, node, member)

    def _root(self, text: str) -> _Node:
        reader = _Reader(text)
        root = reader.value(0)
        if not isinstance(root.value, dict):
            raise CannotInstall("it does not hold a JSON object")
        if reader.rest():
            raise reader.fault("something follows the end")
        return root


class _Reader:
    """Reads a text from its beginning."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def rest(self) -> str:
        """Steps over space and comments; what follows."""
        while found := _BLANK.match(self.text, self.at) or _COMMENT.match(self.text, self.at):
            self.at = found.end()
        return self.text[self.at :]

    def fault(self, why: str) -> CannotInstall:
        return CannotInstall(f"it is not JSON: {why} in line {self.text.count(chr(10), 0, self.at) + 1}")

    def value(self, depth: int) -> _Node:
        if depth > DEEPEST:
            raise self.fault("it is nested too deeply")
        self.rest()
        start, mark = self.at, self.text[self.at : self.at + 1]
        if mark == "{":
            return self._object(start, depth)
        if mark == "[":
            return self._list(start, depth)
        found = _STRING.match(self.text, start) if mark == '"' else _WORD.match(self.text, start)
        if found is None:
            raise self.fault("a value is missing")
        self.at = found.end()
        try:
            return _Node(start, self.at, json.loads(found[0]))
        except ValueError:
            raise self.fault("a value is not one") from None

    def _object(self, start: int, depth: int) -> _Node:
        self.at += 1
        members: list[_Member] = []
        while self._more("}", members[-1].comma is not None if members else True):
            key_start = self.at
            found = _STRING.match(self.text, self.at)
            if found is None:
                raise self.fault("a key in quotes is missing")
            self.at = found.end()
            if not self.rest().startswith(":"):
                raise self.fault("a colon is missing")
            self.at += 1
            members.append(_Member(json.loads(found[0]), key_start, self.value(depth + 1)))
            if self.rest().startswith(","):
                members[-1].comma = self.at
                self.at += 1
        return _Node(start, self.at, {member.key: member.node.value for member in members}, members)

    def _list(self, start: int, depth: int) -> _Node:
        self.at += 1
        values: list[Any] = []
        comma = True
        while self._more("]", comma):
            values.append(self.value(depth + 1).value)
            comma = self.rest().startswith(",")
            self.at += comma
        return _Node(start, self.at, values)

    def _more(self, closing: str, comma: bool) -> bool:
        """Whether another member comes; steps over the closing bracket if not."""
        if not self.rest():
            raise self.fault(f"“{closing}” is missing")
        if self.text[self.at] == closing:
            self.at += 1
            return False
        if not comma:
            raise self.fault("a comma is missing")
        return True


def _member(node: _Node, name: str) -> _Member | None:
    # Of two with one name, readers take the last.
    return next((member for member in reversed(node.members) if member.key == name), None)


def _added(text: str, node: _Node, name: str, value: Any) -> str:
    last = node.members[-1] if node.members else None
    inside = text[node.start + 1 : node.end - 1]
    spread = "\n" in inside or "\r" in inside or not inside.strip()
    # After the comments that follow the last member, so that they stay with it.
    end = node.end - 1 - (len(inside) - len(inside.rstrip()))
    comma = "," if last is not None and last.comma is None else ""
    trailing = "," if last is not None and last.comma is not None else ""
    if not spread:
        addition = f"{' ' if last is not None else ''}{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
    else:
        outer = _indent(text, node.start)
        indent = _indent(text, last.start) if last is not None else outer + _unit(text)
        newline = _newline(text)
        body = _written(text, value, None, indent)
        addition = f"{newline}{indent}{json.dumps(name)}: {body}{trailing}"
        if not inside.strip():
            # Nothing but space stood between the brackets: it is ours to lay out.
            return text[: node.start + 1] + addition + newline + outer + text[node.end - 1 :]
    if last is None or not comma:
        return text[:end] + addition + text[end:]
    return text[: last.node.end] + comma + text[last.node.end : end] + addition + text[end:]


def _without(text: str, node: _Node, member: _Member) -> str:
    place = node.members.index(member)
    previous = node.members[place - 1] if place else None
    before = text[: member.start].rstrip()
    start = len(before)
    end = member.comma + 1 if member.comma is not None else member.node.end
    after = text[end:]
    line = re.split(r"[\r\n]", before)[-1]
    if "//" in line and not re.match(r"[ \t]*[\r\n]", after):
        start = member.start  # the line end after that comment stays
    kept = text[:start]
    if member.comma is None and previous is not None and previous.comma is not None:
        kept = kept[: previous.comma] + kept[previous.comma + 1 :]
    if len(node.members) == 1 and not (text[node.start + 1 : start].strip() or after[: node.end - 1 - end].strip()):
        return kept + text[node.end - 1 :]
    return kept + after


def _written(text: str, value: Any, start: int | None, indent: str | None = None) -> str:
    """The value as JSON, laid out as the rest of the text is."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):  # pyright: ignore[reportUnknownVariableType]
        return json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    outer = _indent(text, start) if indent is None and start is not None else indent or ""
    inner = outer + _unit(text)
    newline = _newline(text)
    members = [
        f"{inner}{json.dumps(key)}: {_written(text, item, None, inner)}"
        for key, item in value.items()  # pyright: ignore[reportUnknownVariableType]
    ]
    return "{" + newline + f",{newline}".join(members) + newline + outer + "}"


def _newline(text: str) -> str:
    found = re.search(r"\r\n|\n|\r", text)
    return found[0] if found else "\n"


def _indent(text: str, at: int) -> str:
    """The space at the beginning of the line that this place is in."""
    begin = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    found = re.match(r"[ \t]*", text[begin:at])
    return found[0] if found else ""


def _unit(text: str) -> str:
    """One step of indentation, as the text has it."""
    found = re.search(r'[{\[][ \t]*(?:\r\n|\n|\r)([ \t]+)["{/]', text)
    return found[1] if found else "  "
