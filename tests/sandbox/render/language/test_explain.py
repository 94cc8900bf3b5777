"""What explain says of prompts that people type: nothing is drawn that they do not name, and what they name is drawn.

prompts.jsonl holds real-life prompts of many languages with what each was judged to show (names only; what is not
listed must not be drawn); plain.jsonl holds plain ones, in which everything that is named has a picture.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from veo_mcp.sandbox.render.explain import explain, plain
from veo_mcp.sandbox.render.language.prompt import read, shots
from veo_mcp.sandbox.render.language.sentence import SHOWN
from veo_mcp.sandbox.render.language.vocabulary import drawable, languages, lexicon, spellings, table

HERE = Path(__file__).parent
ONE = ("place", "light", "weather", "camera", "framing")
MANY = {"subjects": "subject", "colours": "colour", "looks": "look", "sounds": "sound"}


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]


PROMPTS, PLAIN = cases("prompts.jsonl"), cases("plain.jsonl")


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """explain's answer without its words and without what is empty: the form of the data files."""
    out: dict[str, Any] = {"language": answer["language"]}
    out |= {key: answer[key]["drawn"] for key in ONE if answer[key]}
    out |= {key: [x["drawn"] for x in answer[key]] for key in MANY if answer[key]}
    out |= {"text": answer["text"]} if answer["text"] else {}
    out |= {"animatic": True} if answer["animatic"] else {}
    return out | ({"shots": len(answer["shots"])} if "shots" in answer else {})


def drawn(answer: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that is drawn or played, shot by shot."""
    for shot in [answer, *answer.get("shots", [])]:
        yield from ((key, shot[key]) for key in ONE if shot[key])
        yield from ((kind, x) for key, kind in MANY.items() for x in shot[key])


@pytest.mark.parametrize("case", PROMPTS, ids=lambda c: c["prompt"][:50])
def test_a_real_prompt_shows_what_it_names_and_nothing_else(case: dict[str, Any]) -> None:
    expected = {k: v for k, v in case.items() if k != "prompt"}
    assert told(explain(case["prompt"])) == expected
    all_that_is_drawn_has_its_words_and_a_drawing(case["prompt"])


@pytest.mark.parametrize("case", PLAIN, ids=lambda c: c["prompt"][:50])
def test_everything_that_a_plain_prompt_names_is_drawn(case: dict[str, Any]) -> None:
    expected = {k: v for k, v in case.items() if k != "prompt"}
    assert told(explain(case["prompt"])) == expected
    assert "animatic" not in expected
    all_that_is_drawn_has_its_words_and_a_drawing(case["prompt"])


def all_that_is_drawn_has_its_words_and_a_drawing(prompt: str) -> None:
    names = drawable().names
    for kind, x in drawn(explain(prompt)):
        assert x["words"], x
        assert all(words in prompt for words in x["words"]), x
        assert x["drawn"] in {plain(name) for name in names[kind]}, x
    for plan in shots(prompt):
        listed = {(n.kind, n.drawn) for n in plan.named}
        for kind in ONE:
            assert not getattr(plan, kind) or (kind, getattr(plan, kind)) in listed
        for field, kind in MANY.items():
            assert {(kind, name) for name in getattr(plan, field)} <= listed
        assert {("colour", tone) for _, tone in plan.paints} <= listed
        if plan.animatic:
            assert (plan.place, plan.subjects) == ("", ())
        else:
            assert plan.place or plan.subjects


def test_the_lists_are_long_and_in_many_languages() -> None:
    assert len(PROMPTS) >= 300
    assert len(PLAIN) >= 30
    assert sum(count >= 10 for count in Counter(c["language"] for c in PROMPTS).values()) >= 10
    assert len({c["language"] for c in PLAIN}) >= 5
    assert len({c["prompt"] for c in PROMPTS + PLAIN}) == len(PROMPTS) + len(PLAIN)


def test_a_figure_that_is_taken_out_becomes_a_word_on_the_animatic() -> None:
    known = lexicon("en").longest(["horse"], 0)[1]
    assert known is not None
    assert (known.kind, known.name) == ("subject", "horse")
    unknown = lexicon("en").longest(["tiger"], 0)[1]
    assert unknown is not None
    assert unknown.kind == "other"
    assert read("A horse in a meadow").subjects == ("horse",)
    tiger = read("A tiger in a meadow at night")
    assert (tiger.animatic, tiger.place, tiger.subjects, tiger.light) == (True, "", (), "night")


def test_shots_inherit_what_they_leave_open_and_list_the_words_for_it() -> None:
    one, two = shots("A boat on the sea at dawn. Then rain falls on the city, tilt up")
    assert (one.place, one.light, one.weather, one.subjects) == ("sea", "dawn", "", ("boat",))
    assert (two.place, two.light, two.weather, two.camera, two.subjects) == ("city", "dawn", "rain", "tilt_up", ())
    told_of = {n.kind: n.words for n in two.named}
    assert (told_of["place"], told_of["light"]) == (("city",), ("dawn",))
    rain = shots("A dog in a park. Then rain begins to fall.")[1]
    assert (rain.place, rain.subjects, rain.weather) == ("park", ("dog",), "rain")
    lost = shots("A dog in a park. Then it plays chess.")[1]
    assert (lost.animatic, lost.place, lost.subjects) == (True, "", ())


COUNTS = {
    "Two birds fly over the sea": ("bird", 2),
    "Birds fly over the sea": ("bird", 0),
    "A bird flies over the sea": ("bird", 1),
    "Three brown horses in a meadow": ("horse", 3),
    "12 camels in the desert": ("camel", 0),
    "A school of fish": ("fish", 0),
    "Dos perros corren por la playa": ("dog", 2),
    "Zwei Pferde auf einer Wiese": ("horse", 2),
    "犬が二匹、公園を走る": ("dog", 2),
    "两只狗在海滩上奔跑": ("dog", 2),
    "개 두 마리가 해변을 달린다": ("dog", 2),
    "два корабля в море": ("ship", 2),
    "שתי סירות בים": ("boat", 2),
}


@pytest.mark.parametrize("prompt", COUNTS)
def test_a_number_beside_a_subject_is_how_many_there_are(prompt: str) -> None:
    subject, count = COUNTS[prompt]
    assert read(prompt).count(subject) == count


@pytest.mark.parametrize("subject", ["dog", "woman", "sailboat", "plane", "hot air balloon", "astronaut", "whale"])
def test_a_subject_is_drawn_wherever_it_is_and_whenever(subject: str) -> None:
    places = ["at sea", "on a beach", "near a river", "in the mountains", "in a forest", "on a street", "in space"]
    places += ["in the city", "underwater", "under the sea", "on Mars"]
    for place, when in product(places, ["", " at night", " in heavy rain", " under a full moon"]):
        answer = explain(f"A {subject} {place}{when}")
        assert answer["place"], (place, when)
        assert answer["subjects"], (place, when)


def test_colours_are_worn_by_whoever_is_seen_unless_something_else_has_them() -> None:
    assert read("A woman in a red coat walks a black dog").paints == (("person", "red"), ("dog", "black"))
    assert read("A man with a yellow umbrella in the rain").paints == (("umbrella", "yellow"),)


def test_a_shot_keeps_its_own_words_and_quoted_text_is_taken_out_of_them() -> None:
    first, second = shots('A lake at dawn with the text "Good morning". Cut to: a city at night')
    assert (first.text, first.place, second.text) == ("Good morning", "lake", None)
    assert second.caption == "a city at night"
    assert read("A beach at night. The text reads “The sea”").place == "beach"


def test_a_prompt_composed_of_letters_and_marks_reads_like_any_other() -> None:
    apart = unicodedata.normalize("NFD", "Une forêt la nuit")
    answer = explain(apart)
    assert answer["place"]["words"] == [unicodedata.normalize("NFD", "forêt")]


@pytest.mark.parametrize("code", languages())
def test_no_word_of_a_language_stands_for_two_drawings(code: str) -> None:
    meant: dict[str, set[tuple[str, str]]] = {}
    for kind in SHOWN & table(code).keys():
        for name, words in table(code)[kind].items():
            for entry in words.split(","):
                for spelling in spellings(entry.strip()):
                    meant.setdefault(spelling.lower(), set()).add((kind, name.rstrip("?")))
    assert {word: names for word, names in meant.items() if len(names) > 1} == {}


def test_brackets_in_the_vocabulary_hold_endings() -> None:
    assert spellings("sea(s)") == ["sea", "seas"]
    assert spellings("hund(e|es)") == ["hund", "hunde", "hundes"]
    assert len(spellings("tartarug(a|he) marin(a|e)")) == 9


def test_explain_is_quick_because_it_imports_nothing_that_draws() -> None:
    code = (
        "import sys, veo_mcp.sandbox.render.explain;"
        "print([m for m in ('numpy', 'PIL', 'av', 'pydantic', 'starlette') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_explain_prints_one_json_object_and_tells_its_usage() -> None:
    command = [sys.executable, "-m", "veo_mcp.sandbox.render.explain"]
    done = subprocess.run([*command, "Night"], capture_output=True, check=True)
    answer = json.loads(done.stdout)
    assert (answer["light"], answer["place"]) == ({"drawn": "night", "words": ["Night"]}, None)
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "usage" in asked.stderr


@pytest.mark.parametrize("prompt", ["", " ", "\x00", "a" * 20_000, "((((" * 500, "'\"“„«" * 300, "🙂" * 999, "-" * 999])
def test_no_prompt_is_too_odd(prompt: str) -> None:
    assert explain(prompt)["animatic"]


def test_unknown_languages_are_recognised_and_nothing_is_drawn_of_them() -> None:
    for prompt, code in {
        "Een hond rent over het strand bij zonsondergang": "nl",
        "Pies biegnie po plaży o zachodzie słońca": "pl",
        "Собака біжить пляжем на заході сонця": "uk",
        "สุนัขวิ่งบนชายหาด": "th",
    }.items():
        answer = explain(prompt)
        assert (answer["language"], answer["animatic"]) == (code, True)
        assert not list(drawn(answer))
