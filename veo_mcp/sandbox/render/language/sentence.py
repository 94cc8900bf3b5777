"""One sentence, word by word: the known phrases in it, and which of them do not speak of what is seen.

Used by prompt.py. What is denied ("no people"), compared ("like a bird"), only pictured ("a painting of a horse"), heard
("sound of rain") or said ("she says: …") is marked here; unknown.py judges what is left.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from veo_mcp.sandbox.render.language.vocabulary import WIDE, Lexicon, fold, lower, tokens

#: What may be drawn or played.
SHOWN = frozenset({"place", "light", "weather", "camera", "framing", "subject", "colour", "look", "sound"})
#: What stands between things.
SMALL = frozenset({"articles", "prepositions", "function"})
_UNTIL_PHRASE = frozenset({"negation", "simile", "depict"})
_NEAR = 6  # words that a "no" or a "like" reaches at most


@dataclass(slots=True)
class Span:
    """A known phrase, or one unknown word (Chinese and Japanese: one unknown run)."""

    start: int
    end: int
    kind: str
    name: str
    word: str  # folded
    typed: str
    before: str  # what stands between it and the word before: blanks, punctuation, a hyphen
    proper: bool = False  # a name that the vocabulary knows as one
    mark: str = ""  # why it is not seen: "negation", "simile", "depict", "heard", "spoken", "name", "compound"

    @property
    def opens(self) -> bool:
        """Whether punctuation, or nothing at all, stands before it."""
        return not self.before or bool(re.search(r"[^\s'’\-]|\s-\s|\n", self.before))

    @property
    def capital(self) -> bool:
        return self.typed[:1].isupper()

    @property
    def seen(self) -> bool:
        return self.kind in SHOWN and not self.mark


def spans(text: str, lexicon: Lexicon) -> list[Span]:
    """The sentence's phrases, the longest first, and its unknown words."""
    found = list(tokens(text))
    words = [lower(m.group()) for m in found]
    lead = [text[(found[k - 1].end() if k else 0) : m.start()] for k, m in enumerate(found)]
    joined = [lead[k] == "-" and k > 0 for k in range(len(found))] + [False]
    out: list[Span] = []
    k = 0
    while k < len(found):
        count, meaning = lexicon.longest(words, k)
        # a phrase ends at punctuation, and no part of a hyphenated word is a word
        while count and (
            any(re.search(r"[,.;:!?()…、。，；：]", lead[j]) for j in range(k + 1, k + count))
            or (joined[k] or joined[k + count])
        ):
            count, meaning = lexicon.longest(words[: k + count - 1], k)
        if meaning and meaning.kind == "depict":
            # "bosque de luces" is no forest, but "bosque de noche" is one at night
            then, shorter = lexicon.longest(words, k + count)[1], lexicon.longest(words[: k + count - 1], k)
            if then and then.kind in ("light", "weather") and shorter[1] and shorter[1].kind in SHOWN:
                count, meaning = shorter
        if not count:
            count = 1
            while joined[k + count]:
                count += 1
        kind, name = (meaning.kind, meaning.name) if meaning else ("unknown", "")
        start, end = found[k].start(), found[k + count - 1].end()
        if any(c.isdigit() for c in words[k]) and not meaning:
            kind = "plain"
        before, proper = lead[k] if k else "", bool(meaning and meaning.proper)
        word = fold(" ".join(words[k : k + count]))
        out.append(Span(start, end, kind, name, word, text[start:end], before, proper))
        k += count
    return _runs(out, lexicon.code) if lexicon.code in ("ja", "zh") else out


def _script(c: str) -> str:
    return "hira" if "\u3040" <= c <= "\u309f" else "kata" if "\u30a0" <= c <= "\u30ff" else "han"


def _runs(parts: list[Span], code: str) -> list[Span]:
    """Unknown characters side by side are one word, together with the short words that they swallow (海 in 海外)."""
    wide = re.compile(f"[{WIDE}]")
    out: list[Span] = []
    for part in parts:
        if part.kind == "unknown" and code == "ja" and wide.match(part.word) and _script(part.word) == "hira":
            part.kind = "function"
        last = out[-1] if out else None
        touching = (
            last is not None and not part.before and wide.match(part.word) and wide.match(last.word[-1])
            and ("unknown" in (part.kind, last.kind) or (_is_short_thing(part) and _is_short_thing(last)))
        )  # fmt: skip
        if touching and last is not None and _one_word(last, part, code):
            last.kind, last.end = "unknown", part.end
            last.word, last.typed = last.word + " " + part.word, last.typed + part.typed
            continue
        out.append(part)
    return out


def _is_short_thing(part: Span) -> bool:
    """One character for a thing: two of them side by side are another word (馬 and 鹿 in 馬鹿)."""
    return part.kind in ("subject", "place") and len(part.typed) == 1


def _one_word(a: Span, b: Span, code: str) -> bool:
    if "unknown" not in (a.kind, b.kind):
        return True
    if a.kind == b.kind == "unknown":
        return code == "zh" or _script(a.typed[-1]) == _script(b.typed[0])
    known = b if a.kind == "unknown" else a
    if code == "ja":
        # a run of one script is one word in Japanese, unless the known part is long enough to be sure of
        return _script(a.typed[-1]) == _script(b.typed[0]) and known.kind in SHOWN and len(known.typed) == 1
    return known.kind in SHOWN and len(known.typed) == 1


def mark(parts: list[Span]) -> None:
    """Mark what the sentence names without showing it."""
    k = 0
    while k < len(parts):
        part = parts[k]
        if part.kind in _UNTIL_PHRASE and not part.mark:
            _mark_phrase(parts, k + 1, part.kind)
        elif part.kind.endswith("_after") and k:
            _mark_back(parts, k - 1, part.kind.removesuffix("_after"))
        elif part.kind in ("heard", "spoken", "written"):
            _mark_clause(parts, k, part.kind)
        k += 1


def _mark_phrase(parts: list[Span], first: int, why: str) -> None:
    """The noun phrase from `first` on: to the next preposition or punctuation, over a list with "or" and "and"."""
    content = 0
    for k in range(first, len(parts)):
        part = parts[k]
        if part.opens and k > first and not (why == "negation" and _listed(parts, k)):
            return
        if part.kind == "prepositions" and content and part.word not in ("of", "de", "von", "di"):
            return
        if part.kind in ("stop", "negation") and k > first:
            return
        content += part.kind not in SMALL
        if content > _NEAR:
            return
        part.mark = why


def _listed(parts: list[Span], k: int) -> bool:
    """Whether the comma before `k` goes on with a list that ends in "or": no cars, people or dogs."""
    if "," not in parts[k].before:
        return False
    for part in parts[k : k + 4]:
        if part.kind == "either":
            return True
        if part.kind == "prepositions":
            return False
    return False


def _mark_back(parts: list[Span], last: int, why: str) -> None:
    """人のいない: what is denied (compared, heard …) stands before; back over particles to the thing itself."""
    for k in range(last, max(-1, last - 4), -1):
        parts[k].mark = why
        if parts[k].kind not in SMALL or parts[k].opens:
            return


def _mark_clause(parts: list[Span], at: int, why: str) -> None:
    """What is heard or said: to the end of the sentence after a colon or a verb of saying, else to the next comma."""
    colon = at + 1 < len(parts) and bool(re.search(r"[:：\]]", parts[at + 1].before))
    for k in range(at + 1, len(parts)):
        if not colon and why == "heard" and (parts[k].opens or (parts[k].kind == "prepositions" and k > at + 2)):
            return
        if not colon and why == "written":
            return
        if not colon and why == "spoken" and k == at + 1 and "," not in parts[k].before:
            return
        parts[k].mark = parts[k].mark or why
