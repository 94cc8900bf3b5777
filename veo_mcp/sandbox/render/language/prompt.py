"""Reading a prompt: which place, hour, weather, camera move, subjects and mood its words ask for, shot by shot.

Called by the clip maker. Pure: no randomness except the seeded choices it is given, no pictures. The vocabulary
itself lies in lexicon.py; Latin and Cyrillic words match at word starts, CJK words anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from veo_mcp.sandbox.render.language.lexicon import CAMERAS, LOOKS, PLACES, SUBJECTS, TIMES, WEATHERS
from veo_mcp.sandbox.render.language.plan import Plan

Table = dict[str, str]


def fold(text: str) -> str:
    """Lower case without accents, so that `café` and `cafe` are one word."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in plain if not unicodedata.combining(c) or c in "\u3099\u309a")


def _is_wide(word: str) -> bool:
    return any(ord(c) >= 0x2E80 for c in word)


@lru_cache(maxsize=16)
def _compiled(which: str) -> list[tuple[str, re.Pattern[str], tuple[str, ...]]]:
    tables = {
        "place": PLACES,
        "time": TIMES,
        "weather": WEATHERS,
        "camera": CAMERAS,
        "subject": SUBJECTS,
        "look": LOOKS,
    }
    out: list[tuple[str, re.Pattern[str], tuple[str, ...]]] = []
    for name, words in tables[which].items():
        narrow: list[str] = []
        wide: list[str] = []
        for word in words.split(","):
            folded = fold(word.strip())
            if not folded:
                continue
            if _is_wide(folded):
                wide.append(folded)
            else:
                stem = folded.endswith("*")
                narrow.append(re.escape(folded.rstrip("*")) + (r"\w*" if stem else r"(?:e?s|n|en|e)?"))
        pattern = re.compile(r"(?<!\w)(?:" + "|".join(sorted(narrow, key=len, reverse=True)) + r")(?!\w)")
        out.append((name, pattern, tuple(wide)))
    return out


def _hits(which: str, text: str) -> list[tuple[int, int, str]]:
    """(how often, minus first position, name), the best first."""
    found: list[tuple[int, int, str]] = []
    for name, pattern, wide in _compiled(which):
        places = [m.start() for m in pattern.finditer(text)]
        # a phrase says more than a word
        more = sum(m.group().count(" ") for m in pattern.finditer(text))
        more += sum(len(w) - 1 for w in wide if w in text)
        places += [text.find(w) for w in wide if w in text]
        if places:
            found.append((len(places) + more, -min(places), name))
    return sorted(found, reverse=True)


def _best(which: str, text: str) -> str:
    hits = _hits(which, text)
    # a road leads through a place; a city's or a room's window shows another
    if which == "place" and len(hits) > 1 and hits[0][2] == "street" and hits[1][2] not in {"city", "room"}:
        return hits[1][2]
    return hits[0][2] if hits else ""


def read(text: str) -> Plan:
    """The plan of one sentence (or of a whole prompt)."""
    folded = fold(text)
    subjects = tuple(name for _, _, name in sorted(_hits("subject", folded), key=lambda h: -h[1])[:3])
    looks = frozenset(name for _, _, name in _hits("look", folded))
    place, time = _best("place", folded), _best("time", folded)
    return Plan(text.strip(), place, time, _best("weather", folded), _best("camera", folded), subjects, looks)


_SENTENCE = re.compile(
    r"(?<=[.!?;])\s+|(?<=[。！？；])\s*|\n+|\b(?:then cut to|cut to|next shot|then)\b:?\s*", re.IGNORECASE
)
MAX_SHOTS = 3


def shots(prompt: str, *, inherit: Plan | None = None) -> tuple[Plan, ...]:
    """One plan a shot. What a sentence leaves open it has from the one before, or from `inherit`."""
    whole = read(prompt)
    parts = [p.strip(" ,.;") for p in _SENTENCE.split(prompt) if p and len(p.strip(" ,.;")) > 2]
    plans = [read(p) for p in parts]
    # a sentence about lenses or music alone is no shot of its own
    real = [p for p in plans if not p.says_nothing]
    groups: list[Plan] = real if len(real) >= 2 else [whole]
    if len(groups) > MAX_SHOTS:
        groups = [*groups[: MAX_SHOTS - 1], groups[-1]]
    if len(groups) == 1:
        groups = [whole]
    out: list[Plan] = []
    before = inherit
    for plan in groups:
        out.append(filled(plan, before, whole))
        before = out[-1]
    return tuple(out)


STYLES = frozenset({"calm", "epic", "happy", "dark", "fast"})


def filled(plan: Plan, before: Plan | None, whole: Plan) -> Plan:
    """The plan with its gaps closed: from the shot before, or, in the first shot, by what holds for the whole prompt."""
    if before is None:
        return Plan(
            plan.caption, plan.place or whole.place, plan.light, plan.weather, plan.camera, plan.subjects, plan.looks | (whole.looks & STYLES)
        )  # fmt: skip
    moved = bool(plan.place) and plan.place != before.place
    return Plan(
        plan.caption,
        plan.place or before.place,
        plan.light or before.light,
        plan.weather or ("" if moved and plan.light else before.weather),
        plan.camera,
        plan.subjects or (() if moved else before.subjects),
        plan.looks or (before.looks & STYLES if moved else before.looks),
    )
