"""The burnt-in marks: SANDBOX and 'no AI model', the caption in any script, the caller's watermark.

Called by the clip maker once a shot and then per frame. They fade in after a shot's first frames and out before its
last ones, so that first, last and extended frames stay clean. Never wraps a caption over more than two lines.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Rgb, Sprite, vec

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_DIRS = {
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts/Supplemental", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts",),
}.get(sys.platform, ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"))

_PREFERRED = (
    "notosans-regular", "notosans[", "dejavusans.ttf", "liberationsans-regular", "arial.ttf", "segoeui.ttf", "helvetica",
    "notosanscjk-regular", "notosanscjksc", "notosansjp", "notosanssc", "sourcehansans", "wqy-microhei", "wqy-zenhei",
    "pingfang", "hiragino", "msyh", "msgothic", "yugoth", "simsun", "droidsansfallback", "arialuni", "unifont", "ipag",
    "vlgothic", "takao", "nanumgothic", "malgun", "notosansarabic", "notosanshebrew", "notosansdevanagari", "notosansthai",
)  # fmt: skip


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """The machine's fonts that are worth asking, the preferred ones first."""
    found: list[tuple[int, str]] = []
    for place in _DIRS:
        root = Path(place).expanduser()
        if not root.is_dir():
            continue
        for path in root.rglob("*"):
            name = path.name.lower()
            if path.suffix.lower() in {".ttf", ".otf", ".ttc"}:
                for rank, start in enumerate(_PREFERRED):
                    if name.startswith(start):
                        found.append((rank, str(path)))
                        break
    return tuple(p for _, p in sorted(found))


@lru_cache(maxsize=64)
def _open(path: str, size: int) -> Font:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size)


@lru_cache(maxsize=2048)
def _has(path: str, char: str) -> bool:
    font = _open(path, 24)
    missing: Any = font.getmask("\U0010fffd")
    glyph: Any = font.getmask(char)
    return glyph.size != (0, 0) and (glyph.size != missing.size or bytes(glyph) != bytes(missing))


@lru_cache(maxsize=4096)
def face_for(char: str) -> str:
    """The first font with a glyph for `char`; the built-in one when none has it."""
    if char.isspace():
        char = "a"
    for path in font_files():
        try:
            if _has(path, char):
                return path
        except OSError:
            continue
    return ""


def runs(text: str) -> list[tuple[str, str]]:
    """The text cut into stretches of one font each; what no font can show becomes a middle dot (or is left out)."""
    out: list[tuple[str, str]] = []
    for char in text:
        face = face_for(char)
        if not face and not (char.isascii() and char.isprintable()):
            plain = unicodedata.normalize("NFKD", char)[:1]
            char = plain if plain.isascii() and plain.isprintable() else "·" if char.isalnum() else ""
            face = face_for(char) if char else ""
        if not char or (char == "·" and out and out[-1][1].endswith("·")):
            continue
        if out and (out[-1][0] == face or char == " "):
            out[-1] = (out[-1][0], out[-1][1] + char)
        else:
            out.append((face, char))
    return out


def measure(text: str, size: int) -> float:
    return sum(_open(face, size).getlength(part) for face, part in runs(text))


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    fill: int = 255,
    *,
    bold: bool = False,
    track: float = 0,
) -> float:
    """Write on the baseline at `at`; returns the x after it."""
    x, y = at
    for face, part in runs(text):
        font = _open(face, size)
        for piece in part if track else [part]:
            draw.text(
                (x, y),
                piece,
                fill=fill,
                font=font,
                anchor="ls" if isinstance(font, ImageFont.FreeTypeFont) else None,
                stroke_width=0.45 if bold else 0,
            )
            x += font.getlength(piece) + track
    return x


def wrap(text: str, size: int, width: float, lines: int = 2) -> list[str]:
    """Break at spaces, or anywhere in scripts without them; what does not fit ends in an ellipsis."""
    pieces: list[str] = []
    for word in text.split():
        if pieces and measure(word, size) <= width and not any(ord(c) >= 0x2E80 for c in word):
            pieces.append(" " + word)
        elif any(ord(c) >= 0x2E80 for c in word) or measure(word, size) > width:
            pieces.extend(((" " if pieces and i == 0 else "") + c) for i, c in enumerate(word))
        else:
            pieces.append(word)
    out: list[str] = [""]
    for i, piece in enumerate(pieces):
        if measure(out[-1] + piece, size) <= width:
            out[-1] += piece
        elif len(out) < lines:
            out.append(piece.lstrip())
        else:
            while out[-1] and measure(out[-1] + "…", size) > width:
                out[-1] = out[-1][:-1]
            out[-1] = out[-1].rstrip(" ,.;") + "…"
            break
        if i > 400:
            break
    return [line for line in out if line]


@dataclass(slots=True)
class Mark:
    sprite: Sprite
    x: int
    y: int


class Marks:
    """The marks of one shot."""

    def __init__(self, w: int, h: int, caption: str, label: str, accent: Rgb, watermark: str | None) -> None:
        unit = min(w, h) / 720
        self.items: list[Mark] = []
        pad = int(0.045 * min(w, h)) // 2 * 2 + 2
        small, body = int(15 * unit), int(27 * unit)
        head, head_colour = self._canvas(w, int(44 * unit))
        draw = ImageDraw.Draw(head)
        r = 5 * unit
        cy = 22 * unit
        draw.ellipse((pad, cy - r, pad + 2 * r, cy + r), fill=255)
        x = write(draw, (pad + 20 * unit, cy + 5.5 * unit), "SANDBOX", small, bold=True, track=2.2 * unit)
        write(draw, (x + 6 * unit, cy + 5.5 * unit), "· no AI model", small, 215)
        self._add(head, head_colour, 0, int(14 * unit), spots=[((0, int(pad + 2 * r + 2)), (1.0, 0.27, 0.23))])
        lines = wrap(caption, body, w - 2 * pad - 24 * unit)
        tall = int((34 + 36 * len(lines) + 12) * unit)
        foot, foot_colour = self._canvas(w, tall)
        draw = ImageDraw.Draw(foot)
        draw.rectangle((pad, 8 * unit, pad + 2.5 * unit, tall - 8 * unit), fill=255)
        write(draw, (pad + 18 * unit, 22 * unit), label.upper(), int(14 * unit), bold=True, track=2.4 * unit)
        for k, line in enumerate(lines):
            write(draw, (pad + 18 * unit, (56 + 36 * k) * unit), line, body)
        split = int(30 * unit)
        self._add(
            foot,
            foot_colour,
            0,
            h - tall - int(26 * unit),
            spots=[((0, int(pad + 4 * unit)), accent)],
            upper=(split, accent),
        )
        if watermark:
            text = wrap(watermark, int(24 * unit), w * 0.55, 1)[0] if watermark.strip() else ""
            if text:
                wide = int(measure(text, int(24 * unit))) + 24
                image, colour = self._canvas(wide, int(48 * unit))
                write(ImageDraw.Draw(image), (12, 32 * unit), text, int(24 * unit), 205, bold=True)
                self._add(image, colour, w - wide - pad + 8, int(14 * unit))

    @staticmethod
    def _canvas(w: int, h: int) -> tuple[Image.Image, F32]:
        h = (h + 1) // 2 * 2
        return Image.new("L", (w // 2 * 2, h)), np.ones((h, w // 2 * 2, 3), np.float32)

    def _add(
        self,
        image: Image.Image,
        colour: F32,
        x: int,
        y: int,
        spots: list[tuple[tuple[int, int], Rgb]] | None = None,
        upper: tuple[int, Rgb] | None = None,
    ) -> None:
        ink = np.asarray(image, np.float32) / np.float32(255)
        shadow = np.asarray(image.filter(ImageFilter.GaussianBlur(2.2)), np.float32) / np.float32(255)
        wide = np.asarray(image.filter(ImageFilter.GaussianBlur(9)), np.float32) / np.float32(255)
        dark = np.clip(shadow * np.float32(0.7) + wide * np.float32(0.6), 0, 0.62)
        if upper:
            colour[: upper[0]] = vec(upper[1])
        for (a, b), tint in spots or []:
            colour[:, a:b] = vec(tint)
        alpha = ink + (1 - ink) * dark
        rgb = colour * (ink / np.maximum(alpha, np.float32(1e-4)))[..., None]
        used = np.flatnonzero(alpha.max(axis=0) > 0.004)
        if not used.size:
            return
        a, b = int(used[0]) // 2 * 2, min(int(used[-1]) + 2, alpha.shape[1])
        self.items.append(Mark(Sprite(rgb[:, a:b], alpha[:, a:b], phases=1), (x + a) // 2 * 2, y // 2 * 2))

    def draw(self, frame: Frame, fade: float) -> None:
        for mark in self.items:
            mark.sprite.draw(frame, mark.x, mark.y, fade=fade)


def fade_at(index: int, first: int, end: int, fps: int) -> float:
    """How strong the marks are in frame `index` of the shot [first, end)."""
    rest, ramp = 4, fps * 0.55
    return float(np.clip(min(index - first - rest + 1, end - 1 - rest - index + 1) / ramp, 0, 1))
