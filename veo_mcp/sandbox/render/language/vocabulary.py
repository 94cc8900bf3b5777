"""The vocabulary: words of each language and what they mean, read from the TOML files beside this one.

Used by recognise.py and prompt.py. The files are written by hand and explained in vocabulary/README.md; this module
only turns them into a tree of words in which the longest known phrase is found. It decides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from veo_mcp.sandbox.render.tables import read_table


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase means: ("place", "sea"), ("plain", "")."""

    kind: str
    name: str
    proper: bool = False  # a proper name, written with a capital in the table


# One token is a run of letters, or a single character of Chinese or Japanese. Marks belong to their letters.
WIDE = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff"
WIDE_FROM = 0x2E80
_TOKEN = re.compile(rf"[{WIDE}]|(?:(?![{WIDE}_])[\w\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0900-\u0963])+")
_WITH_TABLES = ("en", "es", "fr", "de", "pt", "it", "ja", "zh", "ko", "ru", "ar", "he", "hi")


def tokens(text: str) -> Iterator[re.Match[str]]:
    return _TOKEN.finditer(text)


def lower(word: str) -> str:
    """Lower case, one spelling of each letter; accents stay: marché is no marche."""
    if word.isascii():
        return word.casefold()
    return unicodedata.normalize("NFC", word.casefold()).replace("ё", "е").replace("’", "'")


def fold(word: str) -> str:
    """Lower case; Latin letters without accents, Arabic and Hebrew without vowel points: as people type in a hurry."""
    if word.isascii():
        return word.casefold()
    out: list[str] = []
    for c in unicodedata.normalize("NFKD", word.casefold()):
        if unicodedata.combining(c) and out and (out[-1].isascii() or "\u0591" <= c <= "\u0652"):
            continue
        out.append(c)
    return unicodedata.normalize("NFC", "".join(out)).replace("ё", "е").replace("œ", "oe").replace("æ", "ae")


@dataclass(slots=True)
class Node:
    """A place in the tree of words: what may follow, and what a phrase that ends here means."""

    then: dict[str, Node] = field(default_factory=dict["str", "Node"])
    meaning: Meaning | None = None
    loose: bool = False  # it is only a spelling without the accents


@dataclass(frozen=True, slots=True)
class Drawable:
    """drawable.toml: the names there are pictures and sounds for."""

    names: dict[str, frozenset[str]]

    def has(self, kind: str, name: str) -> bool:
        return name in self.names[kind]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language's words."""

    code: str
    root: Node
    words: frozenset[str]  # every single word in it, for telling languages apart
    skip: frozenset[str]  # may stand inside a phrase: the camera *slowly* follows
    prefixes: tuple[str, ...]  # what is written together with a word before it …
    suffixes: tuple[str, ...]  # … or after it
    capitals: bool  # whether a capital inside a sentence begins a name
    of: frozenset[str]  # between a thing and what it is made of
    trimming: re.Pattern[str]  # the endings of words that only describe

    def variants(self, word: str) -> Iterator[str]:
        """The word, and what is left of it without particles that are written together with it."""
        yield word
        if (folded := fold(word)) != word:
            yield folded
        for prefix in self.prefixes:
            if word.startswith(prefix) and len(word) > len(prefix) + 1:
                yield word[len(prefix) :]
        for suffix in self.suffixes:
            if word.endswith(suffix) and len(word) > len(suffix):
                yield word[: -len(suffix)]

    def longest(self, words: list[str], at: int) -> tuple[int, Meaning | None]:
        """How many words from `at` on form the longest known phrase, and what it means; (0, None) if there is none."""
        best: tuple[int, Meaning | None] = (0, None)
        nodes, k = [self.root], at
        while k < len(words):
            following = [n for node in nodes for v in self.variants(words[k]) if (n := node.then.get(v))]
            if not following and k > at and words[k] in self.skip:
                k += 1
                continue
            if not following:
                break
            nodes, k = following, k + 1
            ended = next((n.meaning for n in nodes if n.meaning), None)
            if ended:
                best = (k - at, ended)
        return best


def spellings(entry: str) -> list[str]:
    """`sea(s)` is sea and seas, `hund(e|es)` is hund, hunde and hundes; several brackets multiply."""
    opened = re.search(r"\(([^()]*)\)", entry)
    if not opened:
        return [entry]
    return [
        s for c in ("", *opened[1].split("|")) for s in spellings(entry[: opened.start()] + c + entry[opened.end() :])
    ]


def _entries(words: str) -> list[str]:
    # commas inside brackets do not exist, so that a plain split will do
    return [s for entry in words.split(",") if entry.strip() for s in spellings(entry.strip())]


def table(name: str) -> dict[str, Any]:
    return read_table(f"language/vocabulary/{name}.toml")


@lru_cache(maxsize=1)
def drawable() -> Drawable:
    return Drawable({kind: frozenset(names) for kind, names in table("drawable").items()})


@lru_cache(maxsize=1)
def details() -> dict[str, frozenset[str]]:
    """details.toml: what within a known phrase says more, by the look that it adds; and "many"."""
    return {
        name: frozenset(fold(w.strip()) for w in words.split(","))
        for content in table("details").values() for name, words in content.items()
    }  # fmt: skip


def detailed(name: str, typed: str) -> bool:
    """Whether the words of a phrase include one of a detail's."""
    words = [fold(m.group()) for m in tokens(typed)]
    run = "".join(words)
    return any(w in words or (len(w) > 0 and ord(w[0]) >= WIDE_FROM and w in run) for w in details()[name])


def _meaning(kind: str, name: str, *, proper: bool) -> Meaning:
    """What has no picture is another thing, like any that the vocabulary does not know."""
    known = drawable()
    if kind in ("place", "subject") and not known.has(kind, name.rstrip("?")):
        return Meaning("other", name, proper)
    if kind in known.names and not known.has(kind, name.rstrip("?")):
        return Meaning("plain", name, proper)
    return Meaning(kind, name, proper)


def _plant(root: Node, parts: list[str], meaning: Meaning, *, loose: bool) -> None:
    node = root
    for part in parts:
        node = node.then.setdefault(part, Node())
    if node.meaning is None or node.loose or not loose:
        node.meaning, node.loose = meaning, loose


@lru_cache(maxsize=len(_WITH_TABLES))
def lexicon(code: str) -> Lexicon:
    """A language's words, with the film terms that all languages share. Unknown codes have nothing but those."""
    root, singles = Node(), set[str]()
    own: dict[str, Any] = table(code) if code in _WITH_TABLES else {}
    for source in (table("shared"), own):
        for kind, content in source.items():
            if kind in ("particles", "capitals", "skip", "of", "trimming"):
                continue
            named: dict[str, str] = content if isinstance(content, dict) else {"": content}
            for name, words in named.items():
                for entry in _entries(words):
                    parts = [lower(m.group()) for m in tokens(entry)]
                    # a language's own file overrules the shared one, and what is spelt with accents what is not
                    meaning = _meaning(kind, name, proper=entry != entry.lower())
                    _plant(root, [fold(p) for p in parts], meaning, loose=True)
                    _plant(root, parts, meaning, loose=False)
                    if source is own:
                        singles.update(fold(p) for p in parts if len(parts) == 1 or len(p) > 3)
    particles: dict[str, str] = own.get("particles", {})
    return Lexicon(
        code, root, frozenset(singles),
        frozenset(lower(w) for w in _entries(own.get("skip", ""))),
        tuple(_entries(particles.get("before", ""))), tuple(_entries(particles.get("after", ""))),
        own.get("capitals") == "names", frozenset(_entries(own.get("of", ""))), re.compile(own.get("trimming", "$^")),
    )  # fmt: skip


def languages() -> tuple[str, ...]:
    return _WITH_TABLES
