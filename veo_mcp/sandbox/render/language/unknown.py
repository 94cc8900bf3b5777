"""What a sentence names that has no picture: the unknown words that are things or doings, not mere trimming.

Used by prompt.py on a sentence whose known phrases are found and marked. One judge for each way in which languages
show what a word is: by order (English), by articles (Romance languages), by capitals (German), by endings (Russian,
Korean). Errs towards "it matters": an animatic is never wrong, a picture without the tiger is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from veo_mcp.sandbox.render.language.sentence import SMALL, Span
from veo_mcp.sandbox.render.language.vocabulary import drawable

_NAMEABLE = frozenset({"place", "subject", "light", "weather", "colour", "look"})
_NOUNS = frozenset({"place", "subject", "light", "weather", "nouns", "look"})
_OTHERWORLDLY = frozenset({"underwater", "space", "mars"})  # a space city looks like no city of ours
_CONTROLS = frozenset({"negation", "simile", "depict", "heard", "spoken", "written", "stop", "either", "aside"})


def living(part: Span) -> bool:
    return part.kind == "subject" and part.name in drawable().names["living"]


def unknown(parts: list[Span], grammar: str) -> list[Span]:
    """The words that matter and have no picture. Marks known words that only were parts of them."""
    _names(parts, grammar)
    judged = _JUDGES.get(grammar, _anything)(parts)
    others = [p for p in parts if p.kind == "other" and p.mark in ("", "simile")]
    shown = [p for p in parts if p.kind in ("depict", "depict_after") and not p.mark]
    said = [p for p in parts if p.kind == "spoken" and not p.mark]
    return _drivers(parts) + [p for p in judged if not p.mark] + [p for p in others if not p.mark] + shown + said


def _anything(parts: list[Span]) -> list[Span]:
    return [p for p in parts if p.kind == "unknown"]


def _names(parts: list[Span], grammar: str) -> None:
    """River Phoenix is no river: capitals inside a sentence that is not all capitals are names."""
    long = [p for p in parts if len(p.word) > 2 and p.typed[0].isalpha() and p.kind not in SMALL]
    if grammar in ("capitals", "runs", "particles") or (
        len(long) > 2 and sum(p.capital for p in long) * 5 > len(long) * 3
    ):
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


def _chunks(parts: list[Span]) -> list[tuple[bool, list[Span]]]:
    """English phrases between small words: (do an article or a preposition announce a thing, the words)."""
    out: list[tuple[bool, list[Span]]] = [(False, [])]
    for part in parts:
        if part.opens and out[-1][1]:
            out.append((False, []))
        if part.kind in SMALL or part.kind in _CONTROLS:
            out.append((part.kind in ("articles", "prepositions"), []))
            continue
        out[-1][1].append(part)
    return [c for c in out if c[1]]


_ADJECTIVE = re.compile(r".{2,}(y|ful|ous|ic|ical|al|ive|less|ish|ed|en|ant|ent|able|ible|ary|ern|esque|like|er|est)$")
_DOING = re.compile(r".{2,}([^su'i]s|ing|ed)$")
_ABSTRACT = re.compile(r".{3,}(ity|ness|ance|ence|tion|sion|ment|ism)$")
_ONWARD = frozenset(
    "the a an his her its their over across through down around against onto into along up above behind by from off out past toward towards".split()
)


def _english(parts: list[Span]) -> list[Span]:
    out: list[Span] = []
    alive = any(living(p) and not p.mark for p in parts)
    following = {id(a): b for a, b in zip(parts, parts[1:], strict=False)}
    for announced, chunk in _chunks(parts):
        nouns = [k for k, p in enumerate(chunk) if p.kind in _NOUNS]
        for k, part in enumerate(chunk):
            if part.kind in ("subject", "place") and id(part) in following and not part.mark:
                out += _head(part, following[id(part)])
            if part.kind != "unknown" or part.word.endswith("ly"):
                continue
            before = chunk[k - 1] if k else None
            if any(n > k for n in nouns):
                head = chunk[next(n for n in nouns if n > k)]
                if before is not None and before.kind in ("light", "weather", "place") and not _DOING.match(part.word):
                    before.mark = "compound"  # a snow leopard-like creature
                doing = head.kind == "subject" and (part.word.endswith("ing") or (living(head) and "-" in part.typed))
                if doing or not (_ADJECTIVE.match(part.word) or part.word.endswith("ing") or "-" in part.typed):
                    out.append(part)
            elif before is not None and before.kind in _NOUNS:
                then = following.get(id(part))
                verb = _DOING.match(part.word) and (
                    not part.word.endswith("s") or (then is not None and then.word in _ONWARD)
                )
                # clouds gather, waves foam: after a plural a bare word is a verb
                verb = verb or (before.word.endswith("s") and not living(before))
                if not verb and before.kind != "nouns":
                    before.mark = "compound"
                if living(before) or not verb:
                    out.append(part)
            elif nouns:
                if any(living(chunk[n]) for n in nouns):
                    out.append(part)
            elif (
                alive
                or (announced and not part.word.endswith("ing") and not _ABSTRACT.match(part.word))
                or not (_DOING.match(part.word) or _ABSTRACT.match(part.word) or _ADJECTIVE.match(part.word))
            ):
                out.append(part)
    return out


def _head(part: Span, after: Span) -> list[Span]:
    """A noun before a noun describes it: a city street is a street; a robot dog has no picture."""
    if after.word == "s" and after.before in ("'", "’") and part.kind == "subject":
        part.mark = "compound"
        return [part]
    if after.kind not in ("subject", "place") or after.before != " ":
        return []
    if part.name == after.name:
        return []
    part.mark = "compound"
    return [after] if part.kind == "subject" or part.name in _OTHERWORLDLY else []


def _romance(parts: list[Span]) -> list[Span]:
    out: list[Span] = []
    alive = False
    for k, part in enumerate(parts):
        alive = alive or (living(part) and not part.mark)
        before = next((p for p in reversed(parts[:k]) if p.kind not in ("plain", "colour", "look")), None)
        of = k > 1 and parts[k - 1].word in ("de", "d", "di", "da", "do") and parts[k - 2].kind in ("unknown", "other")
        if of and part.kind in ("light", "weather", "colour"):
            part.mark = "compound"
        if part.kind != "unknown" or re.search(r"ment[eo]?$", part.word):
            continue
        named = part.opens or (before is not None and before.kind in ("articles", "prepositions"))
        doing = re.search(r"(ando|[ie]endo|endo|indo|ant)$", part.word)
        if alive or (named and not doing):
            out.append(part)
    return out


def _capitals(parts: list[Span]) -> list[Span]:
    typed_small = not any(p.capital for p in parts[1:])
    alive = any(living(p) and not p.mark for p in parts)
    out: list[Span] = []
    for k, part in enumerate(parts):
        if part.kind != "unknown":
            continue
        rest = parts[k + 1 :]
        trims = (
            bool(rest)
            and rest[0].kind in _NOUNS | {"plain", "colour", "unknown"}
            and re.search(r"(e[mnrs]?|s|ig|lich)$", part.word)
        )
        if part.capital or (not trims and (alive or typed_small)):
            out.append(part)
    return out


_RU_TRIM = re.compile(r"(ый|ий|ой|ая|яя|ое|ее|ые|ие|ого|его|ому|ему|ую|юю|ым|им|ых|их|ыми|ими|ся|сь|вая|вый|но|ло|ко)$")
_RU_DOING = re.compile(r"(ет|ит|ут|ют|ат|ят|ал|ала|али|ил|ила|или|ел|ела|ает|яет|ться|тся|шись|ая|я)$")


def _endings(parts: list[Span]) -> list[Span]:
    alive = any(living(p) and not p.mark for p in parts)
    out: list[Span] = []
    for part in parts:
        if part.kind != "unknown":
            continue
        trim = _RU_TRIM.search(part.word) and not _RU_DOING.search(part.word)
        if (trim and len(part.word) > 4) or (_RU_DOING.search(part.word) and not alive and len(part.word) > 4):
            continue
        out.append(part)
    return out


_KO_TRIM = re.compile(r"(하게|히|하는|한|운|은|는|던|고|며|면서|ㄴ|된|적인|스러운|로운)$")


def _particles(parts: list[Span]) -> list[Span]:
    alive = any(living(p) and not p.mark for p in parts)
    return [p for p in parts if p.kind == "unknown" and (alive or not _KO_TRIM.search(p.word))]


_JUDGES: dict[str, Callable[[list[Span]], list[Span]]] = {
    "english": _english,
    "romance": _romance,
    "capitals": _capitals,
    "endings": _endings,
    "particles": _particles,
    "runs": _anything,
}
