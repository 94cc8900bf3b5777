"""The typefaces: packaged, openly licensed fonts, and which of them has a glyph for a character.

Called by type.py only. Nothing is taken from the machine's own fonts, so that a clip looks the same on a bare server;
files are mapped, not read, and each face is opened once a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import uharfbuzz

hb: Any = uharfbuzz  # a compiled module without stubs
Family = Literal["sans", "serif", "italic", "condensed"]
# in the order in which they are asked; Han characters look different in each of the four languages
FACES: dict[str, tuple[str, str, int]] = {
    "sans": ("manimgx_fonts", "NotoSans[wght].ttf", 0),
    "serif": ("fontpkg_playfair_display", "files/PlayfairDisplay[wght].ttf", 0),
    "italic": ("fontpkg_playfair_display", "files/PlayfairDisplay-Italic[wght].ttf", 0),
    "condensed": ("fontpkg_oswald", "files/Oswald[wght].ttf", 0),
    **{
        name.lower(): ("manimgx_fonts", f"NotoSans{name}[wght].ttf", 0)
        for name in (
            "Arabic", "Hebrew", "Devanagari", "Thai", "Bengali", "Tamil", "Telugu", "Gujarati", "Gurmukhi", "Kannada",
            "Malayalam", "Oriya", "Sinhala", "Khmer", "Lao", "Myanmar", "Georgian", "Armenian", "Ethiopic",
        )
    },
    "ja": ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", 0),
    "ko": ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", 1),
    "zh-hans": ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", 2),
    "zh-hant": ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc", 3),
    "symbols": ("manimgx_fonts", "NotoSansSymbols[wght].ttf", 0),
    "emoji": ("manimgx_fonts", "NotoEmoji[wght].ttf", 0),
}  # fmt: skip
HAN = ("ja", "ko", "zh-hans", "zh-hant")
# scripts whose letters hang together, or stack: letter-spacing would tear them apart
JOINED = frozenset(FACES) - {"sans", "serif", "italic", "condensed", "hebrew", "georgian", "armenian", *HAN}
BOLDER = 0.00011
"""How much of the em a stroke of the one-weight Han face grows for each unit of weight above 400."""


@dataclass(frozen=True, slots=True)
class Style:
    """How words are set: the family, the weight (100 to 900), extra space between letters in parts of the size, and the
    language whose Han shapes and phrases are meant ("" to guess it from the words)."""

    family: Family = "sans"
    weight: int = 400
    track: float = 0.0
    language: str = ""


@lru_cache(maxsize=64)
def _face(name: str) -> Any:
    package, path, index = FACES[name]
    return hb.Face(hb.Blob.from_file_path(str(files(package).joinpath(path))), index)


@lru_cache(maxsize=128)
def font(name: str, weight: int) -> Any:
    """A face at a weight, measured in its own units."""
    made = hb.Font(_face(name))
    if name in HAN:
        # the packaged Han face has one weight; below it nothing can be taken away
        made.synthetic_bold = (max(0, weight - 400) * BOLDER, max(0, weight - 400) * BOLDER, True)
    else:
        made.set_variations({"wght": float(weight)})
    return made


@lru_cache(maxsize=4096)
def has(name: str, char: str) -> bool:
    return bool(font(name, 400).get_nominal_glyph(ord(char)))


def chain(family: Family, language: str) -> tuple[str, ...]:
    """The faces to ask, the wanted one first and the language's own Han face before the other three."""
    own = language if language in HAN else "zh-hans"
    rest = [name for name in FACES if name not in {"sans", "serif", "italic", "condensed", *HAN, "symbols", "emoji"}]
    return tuple(dict.fromkeys([family, "sans", *rest, own, *HAN, "symbols", "emoji"]))
