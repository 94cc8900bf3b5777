"""Reading a prompt: its language, its shots, and for each shot the plan of what it shows and plays.

Called by the clip maker and by explain. Pure and without defaults: what is not named stays empty. Words are found in
sentence.py, judged in unknown.py; the vocabulary itself is data.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace

from veo_mcp.sandbox.render.language.plan import Named, Plan
from veo_mcp.sandbox.render.language.recognise import recognise
from veo_mcp.sandbox.render.language.sentence import SMALL, Span, mark, spans
from veo_mcp.sandbox.render.language.unknown import unknown
from veo_mcp.sandbox.render.language.vocabulary import detailed, drawable, lexicon

#: Looks that lie in a word of another kind: a full moon is night, and a moon.
DETAILS: dict[str, frozenset[str]] = {
    "sun": frozenset({"light", "weather"}), "moon": frozenset({"light"}), "stars": frozenset({"light"}), "reef": frozenset({"place"}),
    "woman": frozenset({"subject"}), "man": frozenset({"subject"}), "autumn": frozenset({"place"}), "snowy": frozenset({"place"}),
}  # fmt: skip
MAX_SHOTS = 3
MAX_SUBJECTS = 3
MAX_NUMBER = 10  # from here on, a number is only "several"
MAX_LETTERS = 4000  # of a prompt; nobody sees what comes after

_QUOTED = re.compile(
    r"“([^”]{1,300})”|„([^“”]{1,300})[“”]|«\s?([^»]{1,300}?)\s?»|»([^«]{1,300})«|「([^」]{1,300})」|『([^』]{1,300})』|《([^》]{1,300})》"
    r"|(?<![\w\"])\"([^\"\n]{1,300})\"|(?<!\w)'([^'\n]{2,300})'(?!\w)|(?<!\w)‘([^’\n]{2,300})’(?!\w)"
)
_CUT = re.compile(
    r"(?:\b(?:then cut to|cut to|next shot|shot \d+|scene \d+|then)\b"
    r"|\[?\b(?:\d{1,2}:\d\d|\d{1,2}s?)\s?[-–]\s?(?:\d{1,2}:\d\d|\d{1,2}\s?s(?:ec(?:onds)?)?)\b\]?)\s*[:.]?\s*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;…])\s+|(?<=[。！？；।])\s*|\n+")
_NEGATIVE = re.compile(
    r"(?:negative prompts?|negativ(?:e|er)? prompt|avoid|exclude)\s*:(?:[^.\n]|\.(?!\s))*", re.IGNORECASE
)
_BLANK = "\u00b7"
_REACH = 4  # words beside a subject among which its number stands
_SPACELESS = frozenset({"ja", "zh"})


@dataclass(slots=True)
class _Sentence:
    """What one sentence says; positions are those of the whole prompt."""

    start: int
    end: int
    cut: bool  # the prompt asks for a new shot here
    found: list[Span] = field(default_factory=list[Span])
    missing: list[Span] = field(default_factory=list[Span])
    aside: bool = False  # it says what is behind or far away
    words: list[Span] = field(default_factory=list[Span])

    def named(self, kind: str) -> list[Span]:
        return [s for s in self.found if s.kind == kind]

    @property
    def place(self) -> str:
        return next((s.name for s in self.named("place") if not s.name.endswith("?")), "")

    @property
    def says_something(self) -> bool:
        return bool(self.missing) or any(s.kind in ("place", "light", "weather", "subject", "look") for s in self.found)


def read(text: str) -> Plan:
    """The plan of the whole prompt as one shot."""
    code, quoted, sentences = _sentences(text)
    return _filled(_plan(text, sentences, code, quoted), None)


def shots(prompt: str, *, inherit: Plan | None = None) -> tuple[Plan, ...]:
    """One plan a shot. What a shot leaves open it has from the one before, or from `inherit`."""
    code, quoted, sentences = _sentences(prompt)
    groups: list[list[_Sentence]] = [[]]
    place = inherit.place if inherit else ""
    for sentence in sentences:
        moved = bool(sentence.place and place and sentence.place != place and not sentence.aside)
        begun = any(s.says_something for s in groups[-1])
        if begun and (sentence.cut or moved) and sentence.says_something:
            groups.append([])
        groups[-1].append(sentence)
        place = sentence.place or place
    if len(groups) > MAX_SHOTS:
        groups = [*groups[: MAX_SHOTS - 1], groups[-1]]
    out: list[Plan] = []
    before = inherit
    for k, group in enumerate(groups):
        caption = prompt.strip() if len(groups) == 1 else prompt[group[0].start : group[-1].end].strip(" ,.;:")
        plan = _plan(caption, group, code, quoted if k == 0 else None)
        out.append(_filled(plan, before))
        before = out[-1]
    return tuple(out)


def _sentences(prompt: str) -> tuple[str, str | None, list[_Sentence]]:
    """The language, the quoted text, and what each sentence says."""
    prompt = _prose(prompt[:MAX_LETTERS])
    quotes = [next(g for g in m.groups() if g is not None) for m in _QUOTED.finditer(prompt)]
    masked = _QUOTED.sub(lambda m: _BLANK * len(m.group()), prompt)
    masked = _NEGATIVE.sub(lambda m: _BLANK * len(m.group()), masked)
    code = recognise(masked if re.search(r"\w", masked) else prompt)
    out: list[_Sentence] = []
    at, cut = 0, False
    for end in [*(m.end() for m in _SENTENCE.finditer(masked)), len(masked)]:
        cuts = list(_CUT.finditer(masked, at, end))
        starts, stops = [at, *(m.end() for m in cuts)], [*(m.start() for m in cuts), end]
        for k, (a, b) in enumerate(zip(starts, stops, strict=True)):
            # a cut asked for at the end of a line is that of the next
            cut = cut or k > 0
            if re.search(r"\w", masked[a:b]):
                out.append(_read(masked, a, b, code, cut=cut))
                cut = False
        at = end
    return code, "\n".join(quotes) or None, out


def _prose(prompt: str) -> str:
    """A prompt that is JSON as sentences, and one with switches (--ar 16:9) without them; every letter keeps its place."""
    if prompt.lstrip()[:1] in ("{", "["):
        try:
            json.loads(prompt)
        except (ValueError, RecursionError):
            pass
        else:
            prompt = re.sub(r'",', " .", prompt)
            return re.sub(r'["{}\[\]]', " ", prompt)
    return re.sub(r"(?<!\S)--\w+(?: [\w:.]+)?", lambda m: " " * len(m.group()), prompt)


def _read(masked: str, start: int, end: int, code: str, *, cut: bool) -> _Sentence:
    words = lexicon(code)
    parts = spans(masked[start:end], words)
    mark(parts)
    for part in parts:
        if part.kind == "sound" and part.name.endswith("?"):
            # wind that is not said to be heard is only wind
            part.kind, part.name = ("sound", part.name[:-1]) if part.mark == "heard" else ("nouns", "")
    missing = unknown(parts, words)
    for part in parts:
        part.start, part.end = part.start + start, part.end + start
        if part.mark == "heard" and (sound := _sound(part)):
            part.kind, part.name, part.mark = "sound", sound, ""
    denied = {(p.kind, p.name) for p in parts if p.mark == "negation" and p.name != "person"}
    for part in parts:
        if (part.kind, part.name) in denied:
            part.mark = "negation"
    return _Sentence(
        start, end, cut, [p for p in parts if p.seen], missing, any(p.kind == "aside" for p in parts), parts
    )


def _sound(part: Span) -> str:
    """What a thing sounds like, where the prompt only wants it heard."""
    name = _SOUNDS.get(part.name, part.name)
    return name if drawable().has("sound", name) else ""


_SOUNDS = {
    "sea": "surf",
    "sea?": "surf",
    "beach": "surf",
    "bird": "birds",
    "street": "city",
    "forest": "birds",
    "fireflies": "crickets",
}


def _plan(caption: str, sentences: list[_Sentence], code: str, quoted: str | None) -> Plan:
    found = [s for sentence in sentences for s in sentence.found]
    missing = [s for sentence in sentences for s in sentence.missing]
    # a place that is only hinted at gives way to one that is named
    sure = any(s.kind == "place" and not s.name.endswith("?") for s in found)
    found = [s for s in found if not (sure and s.name.endswith("?"))]
    by: dict[tuple[str, str], list[str]] = {}
    for s in found:
        name = s.name.removesuffix("?")
        if drawable().has(s.kind, name):
            by.setdefault((s.kind, name), []).append(s.typed)
    first = dict(reversed(by))
    subjects = tuple(name for kind, name in by if kind == "subject")[:MAX_SUBJECTS]
    painted = _paints(sentences, subjects)
    looks = frozenset(n for k, n in by if k == "look")
    for detail in DETAILS:
        if typed := [s.typed for s in found if s.kind in DETAILS[detail] and detailed(detail, s.typed)]:
            by[("look", detail)] = typed
            looks |= {detail}
    counts = tuple(
        (part.name, count)
        for sentence in sentences
        for k, part in enumerate(sentence.words)
        if part.name in subjects and part.seen and (count := _count(sentence.words, k, code)) is not None
    )
    colours = tuple(n for k, n in by if k == "colour")
    if missing:
        subjects, painted, counts = (), (), ()
        looks &= drawable().names["backdrop"]
        for gone in ("place", "framing"):
            first.pop(gone, None)
    kept = {
        ("place", first.get("place")), ("light", first.get("light")), ("weather", first.get("weather")), ("camera", first.get("camera")),
        ("framing", first.get("framing")), *(("subject", n) for n in subjects), *(("look", n) for n in looks),
        *(("colour", n) for n in colours), *(("colour", c) for _, c in painted), *((k, n) for k, n in by if k == "sound"),
    }  # fmt: skip
    return Plan(
        caption.strip(), first.get("place", ""), first.get("light", ""), first.get("weather", ""), first.get("camera", ""),
        subjects, looks, first.get("framing", ""), colours, painted, counts, tuple(n for k, n in by if k == "sound"), quoted,
        bool(missing), code,
        tuple(Named(kind, name, tuple(dict.fromkeys(words))) for (kind, name), words in by.items() if (kind, name) in kept),
    )  # fmt: skip


def _count(words: list[Span], at: int, code: str) -> int | None:
    """How many of a subject there are: the number beside it, 0 if its word only means several, None if nothing tells."""
    subject = words[at]
    told = list[str]()
    for k in range(at - 1, max(-1, at - _REACH), -1):
        apart = words[k + 1].before.strip() if code in _SPACELESS else words[k + 1].opens
        if apart or not (words[k].kind in SMALL | {"plain", "colour", "nouns"} or code in _SPACELESS):
            break
        told.append(words[k].typed)
    # 犬が二匹, 개 두 마리
    told += [p.typed for p in words[at + 1 : at + _REACH] if code in {*_SPACELESS, "ko"} and not p.before.strip()]
    for typed in [*told, subject.typed]:
        number = int(typed) if typed.isdecimal() else next((n for n in range(1, 10) if detailed(str(n), typed)), 0)
        if 0 < number < MAX_NUMBER and not (number == 1 and detailed("many", subject.typed)):
            return number
    plural = code in {"en", "es", "fr", "pt"} and subject.word.endswith("s")
    return 0 if plural or detailed("many", subject.typed) else None


_OF = frozenset({"的", "の", "な"})


def _paints(sentences: list[_Sentence], subjects: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Colours that stand beside a subject, with nothing but trimming between; what is left is worn by whoever is seen."""
    out: dict[str, str] = {}
    worn: list[tuple[str, str]] = []
    for words in (sentence.words for sentence in sentences):
        for k, part in enumerate(words):
            if part.kind != "colour" or not part.seen:
                continue
            beside = [_beside(words, k, step) for step in (1, -1)]
            painted = [p for p in beside if p in subjects and p in drawable().names["painted"]]
            if painted:
                out.setdefault(painted[0], part.name)
            elif "person" in subjects:
                worn.append(("umbrella" if "umbrella" in beside else "person", part.name))
    return tuple((dict(worn[::-1]) | out).items())


def _beside(words: list[Span], at: int, step: int) -> str:
    """What a colour describes, on one side of it."""
    at += step
    while 0 <= at < len(words) and (words[at].kind in ("plain", "unknown") or words[at].word in _OF):
        at += step
    return words[at].name if 0 <= at < len(words) else ""


def _filled(plan: Plan, before: Plan | None) -> Plan:
    """The plan with its gaps closed from the shot before; with nothing to be seen even then, it is an animatic."""
    if before is not None:
        moved = bool(plan.place) and plan.place != before.place
        stays = not (moved or plan.animatic)
        filled = replace(
            plan,
            place=plan.place or (before.place if stays else ""),
            light=plan.light or before.light,
            weather=plan.weather or ("" if moved and plan.light else before.weather),
            subjects=plan.subjects or (before.subjects if stays else ()),
            paints=plan.paints or (before.paints if stays and not plan.subjects else ()),
            counts=plan.counts or (before.counts if stays and not plan.subjects else ()),
            looks=plan.looks or (before.looks if stays else before.looks & drawable().names["backdrop"]),
        )
        shown = {("place", filled.place), ("light", filled.light), ("weather", filled.weather)}
        shown |= {("subject", s) for s in filled.subjects} | {("look", n) for n in filled.looks}
        shown |= {("colour", c) for _, c in filled.paints}
        have = {(n.kind, n.drawn) for n in plan.named}
        kept = tuple(n for n in before.named if (n.kind, n.drawn) in shown - have)
        plan = replace(filled, named=plan.named + kept)
    if plan.place or plan.subjects:
        painted = {("colour", c) for _, c in plan.paints}
        named = tuple(n for n in plan.named if n.kind != "colour" or (n.kind, n.drawn) in painted)
        return replace(plan, colours=(), named=named)
    return replace(plan, animatic=True)
