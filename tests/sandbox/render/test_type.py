"""Words on the picture: every script people write, set from packaged fonts alone, right way round and legible."""

from __future__ import annotations

import itertools
from importlib.metadata import distribution, packages_distributions
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

np: Any = pytest.importorskip("numpy")
pytest.importorskip("uharfbuzz")

from veo_mcp.sandbox.render.canvas.captions import CLEAN_FRAMES, Marks, fade_at  # noqa: E402
from veo_mcp.sandbox.render.canvas.fonts import FACES, Style  # noqa: E402
from veo_mcp.sandbox.render.canvas.frame import Frame  # noqa: E402
from veo_mcp.sandbox.render.canvas.type import (  # noqa: E402
    balanced,
    clean,
    clusters,
    ink,
    is_rtl,
    language_of,
    measure,
    pieces,
    shape,
    wrap,
)

SCRIPTS = {
    "Latin": "Žluťoučký kůň, naïve café “Größe” ảnh đẹp 35 mm",
    "Greek": "Ελληνικά και ἀρχή",
    "Cyrillic": "Дракон спит в пещере на рассвете",
    "Japanese": "夜の海を泳ぐ龍、桜と月「光」。カメラはゆっくり",
    "Simplified": "沙漠中的骆驼，日落时分，镜头缓缓推进。",
    "Traditional": "沙漠中的駱駝，日落時分，鏡頭緩緩推進。",
    "Hangul": "용이 동굴에서 잠을 자고 있다",
    "Devanagari": "एक ड्रैगन गुफा में सोता है, क्ष त्र ज्ञ",
    "Arabic": "تنين ينام في الكهف مع 3 قطط (Netflix)",
    "Hebrew": "דרקון ישן במערה (2 חתולים) 35mm",
    "Thai": "มังกรหลับอยู่ในถ้ำ กำลังฝันถึงน้ำ",
    "Bengali": "বাংলা ভাষা",
    "Tamil": "தமிழ் மொழி",
    "emoji": "👩‍🚀 🏳️‍🌈 👍🏽 🇯🇵 ❤️ 🎬 ☀",
}
BODY = Style()


def glyphs(text: str) -> list[tuple[str, int, float]]:
    """(face, glyph, x) from left to right."""
    return [(run.face, g, at[0]) for run in shape(text, BODY)[0] for g, at in zip(run.ids, run.at, strict=True)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_has_its_glyphs_in_every_style(script: str) -> None:
    text = clean(SCRIPTS[script])
    for style in (BODY, Style("serif", 700), Style("italic", 500), Style("condensed", 700, 0.05), Style("sans", 300)):
        set_ = [(face, glyph) for run in shape(text, style)[0] for face in [run.face] for glyph in run.ids]
        assert all(glyph for _, glyph in set_), "glyph 0 is the box of a missing character"
        made = ink(text, style, 32)
        assert made.mask.max() > 0.95
        assert made.mask.shape[1] == pytest.approx(made.advance, abs=32)
    assert "·" not in "".join(pieces(text))


def test_the_fonts_are_packaged_openly_licensed_and_small() -> None:
    packages = {package for package, _, _ in FACES.values()}
    owners = packages_distributions()
    total = 0
    for package in packages:
        (owner,) = set(owners[package])
        assert distribution(owner).metadata["License-Expression"] == "OFL-1.1"
        total += sum(f.stat().st_size for f in Path(str(files(package))).rglob("*") if f.is_file())
    assert total <= 35_000_000


def test_what_no_font_has_becomes_one_dot_and_not_a_box() -> None:
    assert len(glyphs("a བོད་ཡིག b")) == len("a · b")
    assert all(glyph for _, glyph, _ in glyphs("\U0001fffd\U0003fffd"))


def test_right_to_left_words_run_to_the_left_and_figures_do_not() -> None:
    hebrew = shape("אבג 35mm", BODY)[0]
    assert is_rtl("אבג 35mm")
    assert hebrew[0].face == "sans", "the Latin words of a Hebrew line end on its left"
    assert hebrew[-1].face == "hebrew"
    alef = shape("א", BODY)[0][0].ids
    assert hebrew[-1].ids[-1:] == alef
    # brackets open towards the words they hold
    opening, closing = (shape(c, BODY)[0][0].ids[0] for c in "()")
    bracketed = [glyph for _, glyph, _ in glyphs("א (ב) ג")]
    assert bracketed.index(opening) < bracketed.index(closing)
    latin_first = glyphs("see אבג now")
    assert latin_first[0][1] == shape("s", BODY)[0][0].ids[0]


def test_letters_join_and_reorder_as_their_scripts_ask() -> None:
    dot, beh = shape("ب", BODY)[0][0].ids
    joined = shape("ببب", BODY)[0][0].ids
    assert joined.count(dot) == 3
    assert len(set(joined)) == 4, "the letter has another form at the beginning, in the middle and at the end"
    assert beh not in joined
    ki, ka = shape("कि", BODY)[0][0].ids, shape("क", BODY)[0][0].ids
    assert ki[1] == ka[0], "the short i is written before its consonant"
    assert len(shape("👩‍🚀", BODY)[0][0].ids) == 1
    assert clusters("👍🏽🇯🇵é") == ["👍🏽", "🇯🇵", "é"]


def test_han_characters_take_the_shape_of_their_language() -> None:
    assert [language_of(SCRIPTS[s]) for s in ("Japanese", "Simplified", "Traditional", "Hangul")] == [
        "ja",
        "zh-hans",
        "zh-hant",
        "ko",
    ]
    drawn = [ink(f"骨{more}", BODY, 64).mask[:, :60] for more in ("の", "骆", "駱")]
    assert not np.array_equal(drawn[0][:40], drawn[1][:40])


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("width", [90, 260, 900])
def test_lines_fit_lose_nothing_and_do_not_begin_with_a_closing_mark(script: str, width: int) -> None:
    text = clean(SCRIPTS[script])
    assert "".join(pieces(text)) == text
    for lines in (wrap(text, BODY, 24, width, 40), balanced(text, BODY, 24, width, 40)):
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(measure(line, BODY, 24) <= width for line in lines)
        if width >= 260:
            assert not [line for line in lines if line[0] in "、。，」)"]
    short = wrap(text, BODY, 24, width, 1)
    assert len(short) == 1
    assert measure(short[0], BODY, 24) <= width
    assert short == [text] or short[0].endswith("…")


def test_direction_marks_and_controls_cannot_reorder_what_is_read() -> None:
    assert clean("a\u202eb\u2066c\u200fd\x00e\nf") == "abcde f"
    assert glyphs(clean("\u202eabc")) == glyphs("abc")


@pytest.mark.parametrize("bright", [40, 128, 235])
@pytest.mark.parametrize("size", [(1280, 720), (720, 1280)])
@pytest.mark.parametrize("script", ["Latin", "Arabic", "Japanese"])
def test_a_caption_stands_out_from_any_picture(bright: int, size: tuple[int, int], script: str) -> None:
    frame = Frame(*size)
    frame.y[...] = bright
    frame.u[...] = frame.v[...] = 128
    Marks(*size, SCRIPTS[script], "sea, noon", (1.0, 0.8, 0.4), "mine").draw(frame, 1.0)

    def light(luma: float) -> float:
        return ((luma - 16) / 219) ** 2.2

    foot = frame.y[size[1] - 130 :].astype(float)
    written = foot > foot.max() - 12
    near = np.zeros_like(written)
    for dy, dx in itertools.product(range(-5, 6), repeat=2):
        near |= np.roll(written, (dy, dx), (0, 1))
    around = float(np.median(foot[near & (foot < foot.max() - 90)]))
    assert foot.max() > 225
    assert (light(foot.max()) + 0.05) / (light(around) + 0.05) >= 4.5
    side = np.flatnonzero(written.any(axis=0))
    assert (side.mean() > size[0] / 2) == (script == "Arabic")


def test_without_a_caption_the_label_joins_the_tag_and_the_foot_stays_free() -> None:
    for label in ("", "extension"):
        frame = Frame(*(1280, 720))
        frame.buf[...] = 128
        Marks(1280, 720, " ", label, (1.0, 0.8, 0.4), None).draw(frame, 1.0)
        assert (frame.y[100:] == 128).all()
        assert ((frame.y[:100] != 128).sum(axis=0) > 0).sum() > 180 + 40 * bool(label)


def test_first_and_last_frames_of_a_shot_stay_clean() -> None:
    fades = [fade_at(k, 0, 192, 24) for k in range(192)]
    assert fades[:CLEAN_FRAMES] == fades[-CLEAN_FRAMES:] == [0.0] * CLEAN_FRAMES
    assert fades[96] == 1.0
