"""Setting text: direction, fallback from face to face, shaping, line breaks, and the ink as a mask.

Called by the marks and the animatic. HarfBuzz shapes and fills the outlines, python-bidi resolves directions and BudouX
finds the phrases of scripts without spaces; no library or font of the system takes part.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import budoux
import numpy as np
import uharfbuzz
from bidi import algorithm as uba

from veo_mcp.sandbox.render.canvas.fonts import HAN, JOINED, Style, chain, font, has
from veo_mcp.sandbox.render.canvas.frame import F32

hb: Any = uharfbuzz  # a compiled module without stubs
JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f\u20e3")
MARK_OF_MISSING = "·"


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A stretch in one face: glyph ids with their pen positions, in ems from the line's start."""

    face: str
    weight: int
    ids: tuple[int, ...]
    at: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Ink:
    """A mask (0..1) of set text; the pen started `left` pixels and `base` rows into it and moved on by `advance`."""

    mask: F32
    left: int
    base: int
    advance: float


def language_of(text: str) -> str:
    """The language whose Han shapes suit the text: by kana, Hangul, or what only traditional writing has."""
    if any("\u3040" <= c <= "\u30ff" for c in text):
        return "ja"
    if any("\uac00" <= c <= "\ud7af" or "\u1100" <= c <= "\u11ff" for c in text):
        return "ko"
    han = "".join(c for c in text if "\u4e00" <= c <= "\u9fff")
    for language, codec in (("zh-hans", "gb2312"), ("zh-hant", "big5")):
        try:
            han.encode(codec)
        except UnicodeEncodeError:
            continue
        return language
    return "zh-hans"


@lru_cache(maxsize=256)
def clean(text: str) -> str:
    """One line in composed form: controls and direction marks out (they could reorder what a reader sees), spaces single."""
    kept = (
        c
        for c in unicodedata.normalize("NFC", text)
        if c in JOINERS or unicodedata.category(c)[0] != "C" or c.isspace()
    )
    return " ".join("".join(kept).split())


def is_rtl(text: str) -> bool:
    """Whether the first letter with a direction runs to the left."""
    return bool(uba.get_base_level(text))


def clusters(text: str) -> list[str]:
    """Letters with what belongs to them: marks, joiners, skin tones, the second half of a flag."""
    out: list[str] = []
    for char in text:
        last = out[-1] if out else ""
        joined = unicodedata.category(char)[0] == "M" or char in JOINERS or "\U0001f3fb" <= char <= "\U0001f3ff"
        flag = _is_flag(char) and len(last) == 1 and _is_flag(last)
        if last and (joined or flag or (last.endswith("\u200d") and not last[0].isspace())):
            out[-1] += char
        else:
            out.append(char)
    return out


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _faces(text: str, style: Style, language: str) -> list[tuple[str, str]]:
    """Clusters with the face that shows each; what no face has becomes one middle dot for the whole stretch."""
    asked = chain(style.family, language)
    out: list[tuple[str, str]] = []
    for cluster in clusters(text):
        base, before = cluster[0], out[-1][1] if out else ""
        if "\ufe0f" in cluster and has("emoji", base):
            out.append((cluster, "emoji"))
        elif before not in {"", "emoji", "symbols"} and not base.isalpha() and has(before, base):
            # punctuation, spaces and figures stay with the words they stand in
            out.append((cluster, before))
        else:
            face = next((name for name in asked if has(name, base)), "")
            if face:
                out.append((cluster, face))
            elif not out or out[-1][0] != MARK_OF_MISSING:
                out.append((MARK_OF_MISSING, style.family))
    return out


def _levels(text: str, rtl: bool) -> list[int]:
    """The embedding level of every character, by the Unicode bidirectional algorithm."""
    storage: Any = uba.get_empty_storage()
    storage["base_level"] = int(rtl)
    storage["base_dir"] = "R" if rtl else "L"
    counted = [i for i, c in enumerate(text) if unicodedata.bidirectional(c) not in {"BN", "NSM", ""}]
    uba.get_embedding_levels("".join(text[i] for i in counted), storage)
    for step in (
        uba.explicit_embed_and_overrides,
        uba.resolve_weak_types,
        uba.resolve_neutral_types,
        uba.resolve_implicit_levels,
    ):
        step(storage, False)
    levels = [-1] * len(text)
    for i, char in zip(counted, storage["chars"], strict=True):
        levels[i] = char["level"]
    for i, level in enumerate(levels):
        if level < 0:
            levels[i] = levels[i - 1] if i else int(rtl)
    return levels


@lru_cache(maxsize=512)
def shape(text: str, style: Style, rtl: bool | None = None) -> tuple[tuple[Glyphs, ...], float]:
    """The line's glyphs from left to right, and its width in ems."""
    language = style.language or language_of(text)
    rtl = is_rtl(text) if rtl is None else rtl
    faced = _faces(text, style, language)
    whole = "".join(cluster for cluster, _ in faced)
    levels = _levels(whole, rtl)
    runs: list[tuple[str, str, int]] = []
    at = 0
    for cluster, face in faced:
        level = levels[at]
        at += len(cluster)
        if runs and runs[-1][1:] == (face, level):
            runs[-1] = (runs[-1][0] + cluster, face, level)
        else:
            runs.append((cluster, face, level))
    # rule L2: from the highest level down, stretches of at least that level are turned round
    for level in range(max((r[2] for r in runs), default=0), 0, -1):
        turned: list[tuple[str, str, int]] = []
        held: list[tuple[str, str, int]] = []
        for run in runs:
            if run[2] >= level:
                held.insert(0, run)
            else:
                turned += [*held, run]
                held = []
        runs = turned + held
    out: list[Glyphs] = []
    x = 0.0
    for part, face, level in runs:
        glyphs, x = _shaped(part, face, style, level, language, x)
        out.append(glyphs)
    return tuple(out), x


def _shaped(part: str, face: str, style: Style, level: int, language: str, x: float) -> tuple[Glyphs, float]:
    made, buffer = font(face, style.weight), hb.Buffer()
    buffer.add_str(part)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if level % 2 else "ltr"
    if face in HAN:
        buffer.language = language
    track = 0.0 if face in JOINED else style.track
    hb.shape(made, buffer, {"liga": False, "clig": False} if track else {})
    upem = made.face.upem
    at: list[tuple[float, float]] = []
    for place in buffer.glyph_positions:
        at.append((x + place.x_offset / upem, place.y_offset / upem))
        x += place.x_advance / upem + (track if place.x_advance else 0.0)
    return Glyphs(face, style.weight, tuple(info.codepoint for info in buffer.glyph_infos), tuple(at)), x


def measure(text: str, style: Style, size: float) -> float:
    """The width in pixels."""
    return shape(text, style)[1] * size


def ink(text: str, style: Style, size: float, *, rtl: bool | None = None) -> Ink:
    """The text at `size` pixels to the em, as a mask that has room for all of its ink."""
    runs, width = shape(text, style, rtl=rtl)
    brush = hb.RasterDraw()
    for run in runs:
        made = font(run.face, run.weight)
        scale = size / made.face.upem
        for glyph, (x, y) in zip(run.ids, run.at, strict=True):
            brush.transform = (scale, 0.0, 0.0, scale, x * size, y * size)
            brush.draw_glyph(made, glyph)
    image = brush.render()
    room = image.extents if image else None
    if image is None or room is None or not room.width or not room.height:
        return Ink(np.zeros((2, 2), np.float32), 0, 1, width * size)
    rows = np.frombuffer(image.buffer, np.uint8).reshape(room.height, room.stride)[:, : room.width]
    mask = rows[::-1].astype(np.float32) / np.float32(255)
    return Ink(mask, -room.x_origin, room.y_origin + room.height, width * size)


@lru_cache(maxsize=8)
def _phrases(language: str) -> Callable[[str], list[str]] | None:
    made = {
        "ja": budoux.load_default_japanese_parser, "zh-hans": budoux.load_default_simplified_chinese_parser,
        "zh-hant": budoux.load_default_traditional_chinese_parser, "th": budoux.load_default_thai_parser,
    }.get(language)  # fmt: skip
    return made().parse if made else None


def _spaceless(char: str) -> str:
    """Which phrase finder a character needs: "han", "th", "" for none, "any" for scripts nobody here can divide."""
    if "\u0e00" <= char <= "\u0e7f":
        return "th"
    if (
        "\u2e80" <= char <= "\u9fff"
        or "\uf900" <= char <= "\ufaff"
        or "\uff00" <= char <= "\uffef"
        or char >= "\U00020000"
    ):
        return "han"
    return "any" if "\u0e80" <= char <= "\u0eff" or "\u1000" <= char <= "\u109f" or "\u1780" <= char <= "\u17ff" else ""


@lru_cache(maxsize=128)
def pieces(text: str, language: str = "") -> tuple[str, ...]:
    """What may not be broken, in order; a piece that follows a space begins with it."""
    out: list[str] = []
    language = language or language_of(text)
    for number, word in enumerate(text.split()):
        parts: list[str] = [word]
        kind = next((k for k in map(_spaceless, word) if k), "")
        finder = _phrases("th" if kind == "th" else language) if kind in {"th", "han"} else None
        if finder:
            parts = finder(word)
        elif kind:
            parts = clusters(word)
        out += [(" " if number and not i else "") + part for i, part in enumerate(parts)]
    return tuple(out)


def wrap(text: str, style: Style, size: float, width: float, lines: int = 2) -> list[str]:
    """Lines no wider than `width`, broken between words or phrases; what does not fit ends in an ellipsis."""
    out: list[str] = [""]
    queue = list(pieces(text, style.language))
    while queue:
        piece = queue.pop(0)
        if measure(out[-1] + piece, style, size) <= width:
            out[-1] += piece
        elif measure(piece.strip(), style, size) > width and len(clusters(piece.strip())) > 1:
            # longer than a line by itself: it may break anywhere
            queue = [
                (" " if k == 0 and piece[0] == " " else "") + c for k, c in enumerate(clusters(piece.strip()))
            ] + queue
        elif len(out) < lines and out[-1]:
            out.append("")
            queue.insert(0, piece.lstrip())
        else:
            while out[-1] and measure(out[-1] + "…", style, size) > width:
                out[-1] = "".join(clusters(out[-1])[:-1])
            out[-1] = out[-1].rstrip(" ,.;、。，") + "…"
            break
    return [line for line in out if line.strip()]


def balanced(text: str, style: Style, size: float, width: float, lines: int) -> list[str]:
    """As `wrap`, but with lines of about one length: no single word is left over."""
    whole = wrap(text, style, size, width, lines)
    low, high = (
        min(width, max((measure(p.strip(), style, size) for p in pieces(text, style.language)), default=0.0)),
        width,
    )
    for _ in range(7):
        middle = (low + high) / 2
        tried = wrap(text, style, size, middle, len(whole))
        if "".join(tried).replace(" ", "") == "".join(whole).replace(" ", ""):
            whole, high = tried, middle
        else:
            low = middle
    return whole
