"""Prints docs/licences.md: every library that veo-mcp installs, with its licence, by the metadata of what is installed.

Run as `python scripts/licences.py > docs/licences.md` on Linux with all extras. A test holds the page against what is
installed there: a library that is new, or that does not say its licence, turns it red.
"""

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement

__all__ = ["EXTRAS", "libraries", "page"]

EXTRAS = ("", "sandbox", "keyring", "postgres")
"""What a user may install; the tools of development are not shipped."""
HEAD = """<!-- Made by scripts/licences.py from the metadata of the libraries. Do not edit. -->

# Licences of what is installed

veo-mcp itself is MIT. Nothing of what follows is copied into it; each library comes from its own package. The extra `sandbox` brings PyAV,
whose wheels contain FFmpeg with GPL-licensed encoders: see the README.

| library | licence | comes with |
|---|---|---|
"""


def libraries() -> dict[str, tuple[str, str]]:
    """From name to licence and the extra that brings it along."""
    found: dict[str, tuple[str, str]] = {}
    for extra in EXTRAS:
        for name in _closure("veo-mcp", extra, set()):
            found.setdefault(name, (_licence(name), f"extra `{extra}`" if extra else ""))
    return found


def page() -> str:
    """The whole page."""
    rows = sorted(libraries().items())
    return HEAD + "".join(f"| {name} | {licence} | {source} |\n" for name, (licence, source) in rows)


def _closure(name: str, extra: str, seen: set[tuple[str, str]]) -> Iterator[str]:
    if (name, extra) in seen:
        return
    seen.add((name, extra))
    for text in metadata.requires(name) or []:
        wanted = Requirement(text)
        # Of the first, only what the extra adds; of the others, what they need by themselves.
        plain = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        if not (plain or (wanted.marker is not None and wanted.marker.evaluate({"extra": extra}))):
            continue
        below = re.sub(r"[-_.]+", "-", wanted.name).lower()
        try:
            metadata.distribution(below)
        except metadata.PackageNotFoundError:
            continue  # for another system
        yield below
        for inner in wanted.extras or {""}:
            yield from _closure(below, inner, seen)


def _licence(name: str) -> str:
    note: Any = metadata.metadata(name)
    expression: str | None = note.get("License-Expression")
    if expression:
        return expression
    classifiers: list[str] = note.get_all("Classifier") or []
    named = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License")]
    if named:
        return ", ".join(named)
    written: str = note.get("License") or ""
    lines = written.strip().splitlines()
    return lines[0][:60] if lines else "not said"


if __name__ == "__main__":
    sys.stdout.write(page())
