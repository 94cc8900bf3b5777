"""What a sentence names that has no picture: the unknown words that are things or doings, not mere trimming.

Used by prompt.py on a sentence whose known phrases are found and marked. English shows by its order what a word is; of
other languages every unknown word counts, but for the endings of trimming that their files name. Errs towards "it
matters": an animatic is never wrong, a picture without the tiger is.
"""

from __future__ import annotations

import re

from veo_mcp.sandbox.render.language.sentence import SMALL, Span
from veo_mcp.sandbox.render.language.vocabulary import Lexicon, drawable

_NAMEABLE = frozenset({"place", "subject", "light", "weather", "colour", "look"})
_NOUNS = frozenset({"place", "subject", "light", "weather", "nouns", "look"})
_TRIMMING = frozenset({"plain", "colour", "unknown"})
_OTHERWORLDLY = frozenset({"underwater", "space", "mars"})  # a space city looks like no city of ours


def living(part: Span) -> bool:
    return part.kind == "subject" and part.name in drawable().names["living"]


def unknown(parts: list[Span], lexicon: Lexicon) -> list[Span]:
    """The words that matter and have no picture. Marks known words that only were parts of them."""
    if lexicon.capitals:
        _names(parts)
    judged = _english(parts) if lexicon.code == "en" else _by_endings(parts, lexicon)
    others = [p for p in parts if p.kind in ("other", "depict", "depict_after", "spoken")]
    return [*_drivers(parts), *(p for p in [*judged, *others] if not p.mark)]


def _names(parts: list[Span]) -> None:
    """River Phoenix is no river: capitals inside a sentence that is not all capitals are names."""
    long = [p for p in parts if len(p.word) > 2 and p.typed[0].isalpha() and p.kind not in SMALL]
    if len(long) > 2 and sum(p.capital for p in long) * 5 > len(long) * 3:
        return
    for k, part in enumerate(parts):
        if part.kind not in _NAMEABLE or part.proper or " " in part.word or not part.capital:
            continue
        before = parts[k - 1] if k and not part.opens else None
        after = parts[k + 1] if k + 1 < len(parts) and not parts[k + 1].opens else None
        beside = any(p and p.capital and p.kind == "unknown" for p in (before, after))
        alone = before is not None and before.kind != "articles" and part.kind in ("subject", "place")
        if beside or alone:
            part.kind = "unknown"


def _drivers(parts: list[Span]) -> list[Span]:
    """Whoever drives a car is in it; who rides a horse, or a cat that drives, has no picture."""
    out: list[Span] = []
    for k, part in enumerate(parts):
        if part.kind != "steers" or part.mark:
            continue
        who = next((p for p in reversed(parts[:k]) if p.kind == "subject"), None)
        what = next((p for p in parts[k:] if p.kind == "subject"), None)
        if who is None or not living(who):
            continue  # a car drives by itself
        if what is not None and what.name in drawable().names["driven"] and who.name == "person":
            who.mark = "inside"
        else:
            out.append(part)
    return out


_ADJECTIVE = re.compile(
    r".{2,}(y|ful|ous|ic|ical|al|ive|less|ish|ed|en|ant|ent|able|ible|ary|ern|esque|like|er|est|ing)$"
)


_WHERE = re.compile(r"(in|at|on|under|beneath|below|over|outer|underwater)\b")  # where a subject is, as a phrase


def _english(parts: list[Span]) -> list[Span]:
    out: list[Span] = []
    for k, part in enumerate(parts):
        before = parts[k - 1] if k and not part.opens and parts[k - 1].kind in _NOUNS else None
        after = parts[k + 1] if k + 1 < len(parts) and not parts[k + 1].opens else None
        if part.kind in ("subject", "place") and after is not None and not part.mark:
            out += _head(part, after)
        if part.kind != "unknown" or part.word.endswith("ly"):
            continue
        doing = part.word.endswith("ing")
        head = next((p for p in parts[k + 1 :] if p.kind not in _TRIMMING or p.opens), None)
        if after is not None and head is not None and head.kind in _NOUNS and not head.opens:
            # an adjective; but a burning car and a three-headed dog look unlike any that can be drawn
            changed = head.kind == "subject" and (doing or (living(head) and "-" in part.typed))
            if (_ADJECTIVE.match(part.word) or "-" in part.typed) and not changed:
                if before is not None and "-" in part.typed:
                    before.mark = before.mark or "compound"  # the snow of fur that is snow leopard-like
                continue
        elif before is not None and doing and not living(before):
            continue  # cars streaking, waves splashing
        if before is not None and before.kind != "nouns" and not doing:
            before.mark = before.mark or "compound"  # the snow of a snow leopard
        out.append(part)
    return out


def _head(part: Span, after: Span) -> list[Span]:
    """A noun before a noun describes it: a city street is a street; a robot dog has no picture."""
    if after.word == "s" and after.before in ("'", "’") and part.kind == "subject":
        part.mark = "compound"
        return [part]
    if after.kind not in ("subject", "place") or after.before != " " or part.name == after.name:
        return []
    if part.kind == "subject" and after.kind == "place" and _WHERE.match(after.word):
        return []
    part.mark = "compound"
    return [after] if part.kind == "subject" or part.name in _OTHERWORLDLY else []


def _by_endings(parts: list[Span], lexicon: Lexicon) -> list[Span]:
    for k, part in enumerate(parts[2:]):
        # the snow of "leopardo de las nieves"
        of = parts[k + 1].word in lexicon.of and parts[k].kind in ("unknown", "other")
        if of and part.kind in ("light", "weather", "colour"):
            part.mark = part.mark or "compound"
    alive = any(living(p) and not p.mark for p in parts)
    return [p for p in parts if p.kind == "unknown" and (alive or not lexicon.trimming.search(p.word))]
