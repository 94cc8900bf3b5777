"""Which language a prompt is in: by its script, and for Latin letters by its small words.

Called by prompt.py first of all. Own code, since libraries for it judge long texts by letter statistics and mistake
prompts of five words; here the vocabulary's own words are evidence too. An unknown language is recognised as one.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from veo_mcp.sandbox.render.language.vocabulary import fold, lexicon, lower, table, tokens

_LATIN = ("en", "es", "fr", "de", "pt", "it")
_SCRIPTS = (
    ("ja", "\u3040-\u30ff"),
    ("ko", "\u1100-\u11ff\uac00-\ud7af"),
    ("zh", "\u3400-\u9fff"),
    ("ru", "\u0400-\u04ff"),
    ("ar", "\u0600-\u06ff"),
    ("he", "\u0590-\u05ff"),
    ("hi", "\u0900-\u097f"),
    ("th", "\u0e00-\u0e7f"),
    ("el", "\u0370-\u03ff"),
    ("latin", "A-Za-z\u00c0-\u024f\u1e00-\u1eff"),
)
# Letters that only a neighbour's alphabet has.
_NEIGHBOURS = {"ru": ("uk", "іїєґ"), "ar": ("fa", "پچژگکی")}
# A letter of these says as much as several of Latin.
_WEIGHT = {"ja": 6, "zh": 3, "ko": 3}


@lru_cache(maxsize=1)
def _small_words() -> dict[str, frozenset[str]]:
    return {
        code: frozenset(spelt for w in words.split() for spelt in (lower(w), fold(w) if code in _LATIN else lower(w)))
        for code, words in table("recognise").items()
    }


def recognise(text: str) -> str:
    """The code (ISO 639-1) of the language that most of the text is written in; "en" where nothing tells."""
    counts = {code: len(re.findall(f"[{letters}]", text)) * _WEIGHT.get(code, 1) for code, letters in _SCRIPTS}
    if counts["ja"] and counts["ja"] * 4 >= counts["zh"]:
        counts["ja"] += counts["zh"]
    best = max(counts, key=lambda code: counts[code])
    if best == "latin":
        return _latin(text)
    if best in _NEIGHBOURS:
        code, letters = _NEIGHBOURS[best]
        if any(c in text.lower() for c in letters):
            return code
    return best if counts[best] else "en"


def _latin(text: str) -> str:
    words = Counter(lower(m.group()) for m in tokens(text))
    small = _small_words()
    scores = Counter[str]()
    for word, times in words.items():
        # a word that many languages have says little about each
        homes = [code for code, known in small.items() if word in known]
        for code in homes:
            scores[code] += times * 12 // len(homes)
        homes = [code for code in _LATIN if fold(word) in lexicon(code).words]
        for code in homes:
            scores[code] += times * 8 // len(homes)
    return max(scores, key=lambda code: (scores[code], code == "en")) if scores else "en"
