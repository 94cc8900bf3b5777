"""Puts our entry into a host's text, or takes it out, and proves that nothing else changed.

Called by command.py. What the person put on the entry stays; only the launcher before our own arguments is replaced.
Pure: texts in, texts out.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from veo_mcp.cli.install.host import CannotInstall, Host
from veo_mcp.cli.install.launch import ours

__all__ = ["current", "put_in", "taken_out"]


def current(host: Host, text: str) -> Mapping[str, Any] | None:
    """Our entry in the text, or None. Raises CannotInstall, also if another program's entry has our name."""
    node: Any = host.editor.parse(text)
    for name in host.place:
        if not isinstance(node, dict) or name not in node:
            return None
        node = node[name]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(node, dict) or ours(host.shape.line_of(node)) is None:  # pyright: ignore[reportUnknownArgumentType]
        raise CannotInstall(
            "an entry “veo” in it does not start veo-mcp; give that one another name. Nothing was changed."
        )
    return node  # pyright: ignore[reportUnknownVariableType]


def put_in(host: Host, text: str, line: Sequence[str], env: Mapping[str, str]) -> str:
    """The text with an entry that starts `line`. Raises CannotInstall.

    Args:
        host: whose text it is.
        text: as it stands.
        line: how this installation is started.
        env: what must stand in the entry's environment besides.
    """
    shape, before = host.shape, current(host, text)
    if before is None:
        entry = shape.entry(line)
        if env:
            entry[shape.env] = dict(env)
        return _checked(host, text, host.place, entry)
    own = ours(shape.line_of(before)) or []
    for key, value in shape.launcher([*line, *own]).items():
        if before.get(key) != value:
            text = _checked(host, text, (*host.place, key), value)
    for key, value in shape.time_outs.items():
        if key not in before:
            text = _checked(host, text, (*host.place, key), value)
    old_env: Any = before.get(shape.env)
    for key, value in env.items():
        if not isinstance(old_env, dict):
            text = _checked(host, text, (*host.place, shape.env), dict(env))
            break
        if old_env.get(key) != value:  # pyright: ignore[reportUnknownMemberType]
            text = _checked(host, text, (*host.place, shape.env, key), value)
    return text


def taken_out(host: Host, text: str, *, original: str | None) -> str:
    """The text without our entry, and without the section around it if that came with us. Raises CannotInstall.

    Args:
        host: whose text it is.
        text: as it stands.
        original: as it was before we first changed it, or None if it was not there.
    """
    wanted = deepcopy(host.editor.parse(text))
    places = [host.place]
    section: Any = wanted
    for name in host.section:
        section = section[name]
    del section[host.place[-1]]
    if not section and host.section[0] not in (host.editor.parse(original) if original else {}):
        del wanted[host.section[0]]
        places = [host.section]
    for place in places:
        text = host.editor.drop(text, place)
    _compare(host, text, wanted)
    return text


def _checked(host: Host, text: str, path: Sequence[str], value: Any) -> str:
    wanted = deepcopy(host.editor.parse(text))
    node: Any = wanted
    for name in path[:-1]:
        if not isinstance(node.get(name), dict):
            if node.get(name) is not None:
                raise CannotInstall(f"“{name}” in it holds something else than entries. Nothing was changed.")
            node[name] = {}
        node = node[name]
    node[path[-1]] = value
    after = host.editor.put(text, path, value)
    _compare(host, after, wanted)
    return after


def _compare(host: Host, text: str, wanted: Mapping[str, Any]) -> None:
    """Our editing is never trusted: what a reader would now find is compared with what was meant."""
    if host.editor.parse(text) != wanted:
        raise CannotInstall("it is laid out in a way that cannot be edited safely. Nothing was changed.")
