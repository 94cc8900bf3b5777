"""Designs for the animatic: how a card's words are laid out, and the pieces that come and drift on their own.

Called by animatic.py once a card and then per frame. Every design works from one word to a long sentence, upright and
wide, in both directions and any script; it knows nothing of scenes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veo_mcp.sandbox.render.canvas.fonts import Family, Style
from veo_mcp.sandbox.render.canvas.frame import F32, U8, Frame, Rgb, Sprite, vec
from veo_mcp.sandbox.render.canvas.type import balanced, ink, is_rtl, measure, pieces

STEP = (
    6.0  # pixels a second of the slow drift: a quarter of a pixel a frame, one phase of a sprite, so it never stutters
)
COMES = 0.75  # seconds in which a piece comes
WORD_GAP, LINE_GAP = 0.09, 0.14  # seconds between one word, or line, and the next
MIDDLE = 3.0  # the second of a card at which what drifts is where it was set
Box = tuple[float, float, float, float]


class Window(Frame):
    """A part of another frame, at whose edges sprites are cut off."""

    def __init__(self, frame: Frame, box: Box) -> None:
        left, top, right, bottom = (int(max(0.0, v + k)) // 2 * 2 for v, k in zip(box, (0, 0, 1, 1), strict=True))
        self.left, self.top, self.w, self.h, self.scratch = left, top, right - left, bottom - top, frame.scratch
        self.y: U8 = frame.y[top:bottom, left:right]
        self.u: U8 = frame.u[top // 2 : bottom // 2, left // 2 : right // 2]
        self.v: U8 = frame.v[top // 2 : bottom // 2, left // 2 : right // 2]


@dataclass(slots=True)
class Piece:
    """A sprite of words (or a rule) with its place, when it comes, and how it goes on moving."""

    sprite: Sprite
    x: float
    y: float
    box: Box  # what it is seen in while it comes
    at: float
    way: str  # how it comes: "fade", "rise", "wipe" or "wipe_left"
    drift: float
    strength: float

    def draw(self, frame: Frame, past: float, dx: float, dy: float, fade: float) -> None:
        """Draw it `past` seconds into its card, moved by (dx, dy)."""
        come = float(np.clip((past - self.at) / COMES, 0, 1))
        if come <= 0:
            return
        gone, fade = 1 - (1 - come) ** 3, fade * self.strength
        dx += self.drift * (past - MIDDLE)
        x, y = self.x + dx, self.y + dy
        left, top, right, bottom = self.box[0] + dx, self.box[1] + dy, self.box[2] + dx, self.box[3] + dy
        if self.way == "fade":
            fade *= come * come * (3 - 2 * come)
        elif self.way == "rise":
            y += (1 - gone) * (bottom - top)
        elif self.way == "wipe":
            right = left + (right - left) * gone
        else:
            left = right - (right - left) * gone
        if self.way == "fade" or come >= 1:
            self.sprite.draw(frame, x, y, fade=fade)
        else:
            window = Window(frame, (left, top, right, bottom))
            self.sprite.draw(window, x - window.left, y - window.top, fade=fade)


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one style and size."""

    lines: tuple[str, ...]
    style: Style
    size: float
    step: float  # from one baseline to the next
    rtl: bool

    @property
    def tall(self) -> float:
        return self.step * len(self.lines)

    @property
    def deep(self) -> float:
        """How far its marks and descenders reach below the last baseline."""
        return self.size * (0.27 if self.step < self.size * 1.4 else 0.45)


def leading(text: str) -> float:
    """Line height in ems; scripts with marks above and below need more."""
    if any("\u0590" <= c <= "\u109f" or "\u1780" <= c <= "\u17ff" for c in text):
        return 1.5
    return 1.3 if any(c > "\u2e80" for c in text) else 1.13


class Page:
    """A page on which a design sets its words; what it makes are pieces."""

    def __init__(
        self, w: int, h: int, colour: Rgb, accent: Rgb, *, latin: bool, language: str = "", turn: bool = False
    ) -> None:
        self.w, self.h, self.colour, self.accent, self.latin, self.turn = w, h, colour, accent, latin, turn
        self.language = language
        self.wide = w > h
        self.margin = round((0.085 if self.wide else 0.09) * w)
        self.room = w - 2 * self.margin
        self.pieces: list[Piece] = []

    def pick(self, wide: float, upright: float) -> float:
        """A measure in pixels from parts of the height of a wide and of an upright page."""
        return self.h * (wide if self.wide else upright)

    def style(self, family: Family, weight: int, track: float = 0.0) -> Style:
        """The wanted style where its face has the letters, else the sans that has them all."""
        return Style(family if self.latin else "sans", weight, track, self.language)

    def block(
        self, text: str, style: Style, width: float, tall: float, lines: int, most: float, tight: float = 1.0
    ) -> Block:
        """The text at the largest size, up to `most`, at which it stands in that room unbroken."""
        air, parts = leading(text) * tight, [p.strip() for p in pieces(text, self.language)]
        low, high = 12.0, most
        for _ in range(9):
            size = (low + high) / 2
            shown = balanced(text, style, size, width, lines)
            cut = shown[-1].endswith("…") and not text.endswith("…")
            too_large = len(shown) * size * air > tall or any(measure(p, style, size) > width for p in parts)
            low, high = (low, size) if cut or too_large else (size, high)
        return Block(tuple(balanced(text, style, low, width, lines)), style, low, low * air, is_rtl(text))

    def second(self, text: str, style: Style, width: float, tall: float, size: float) -> Block:
        """The smaller words of a card; without any, a block without lines."""
        return self.block(text, style, width, tall, 3, size) if text else Block((), style, size, 0.0, False)

    def set(
        self, block: Block, x: float, base: float, *, align: float, at: float, way: str, colour: Rgb | None = None, drift: float = 0.0,
        words: bool = False, spread: float = 0.0, strength: float = 1.0,
    ) -> float:  # fmt: skip
        """Set a block, its first baseline at `base`, against `x` (its left edge, middle or right edge: align 0, 0.5, 1).

        Returns when the next thing may come. With `spread`, words drift away from the middle of the page.
        """
        for line in block.lines:
            left = x - measure(line, block.style, block.size) * align
            for word, offset in _units(line, block, words):
                made = ink(word, block.style, block.size, rtl=block.rtl)
                px, py, (tall, wide) = left + offset - made.left, base - made.base, made.mask.shape
                top, low = min(py, base - block.size * 0.95), max(py + tall, base + block.size * 0.35)
                apart = spread * ((left + offset + made.advance / 2) / self.w - 0.5)
                box = (px - 4, top - 2, px + wide + 6, low + 2)
                self._piece(made.mask, px, py, box, at, way, drift + apart, strength, colour or self.colour)
                at += WORD_GAP if words else 0.0
            at, base = at + (0.0 if words else LINE_GAP), base + block.step
        return at

    def rule(
        self, x: float, y: float, width: float, height: float, at: float, way: str, drift: float = 0.0, strength: float = 1.0
    ) -> None:  # fmt: skip
        mask = np.ones((max(2, round(height)), max(2, round(width))), np.float32)
        self._piece(mask, x, y, (x - 2, y - 4, x + width + 4, y + height + 4), at, way, drift, strength, self.accent)

    def _piece(
        self, mask: F32, x: float, y: float, box: Box, at: float, way: str, drift: float, strength: float, colour: Rgb
    ) -> None:
        sprite = Sprite(np.broadcast_to(vec(colour), (*mask.shape, 3)), mask)
        self.pieces.append(Piece(sprite, x, y, box, at, way, drift, strength))


def _units(line: str, block: Block, words: bool) -> list[tuple[str, float]]:
    """A line's words with their places; a line that runs to the left is one word, since its order is not that of the places."""
    parts = pieces(line, block.style.language)
    if not words or block.rtl or len(parts) == 1 or any("\u0590" <= c <= "\u08ff" for c in line):
        return [(line, 0.0)]
    out, done = list[tuple[str, float]](), ""
    for part in parts:
        done, word = done + part, part.strip()
        out.append((word, measure(done, block.style, block.size) - measure(word, block.style, block.size)))
    return out


def plate(page: Page, lead: str, rest: str) -> None:
    """Centred, as a title: an even serif, a rule that opens, and words that come one by one and drift apart."""
    serif, most = page.style("serif", 560), page.pick(0.23, 0.1)
    main = page.block(lead, serif, page.room, page.pick(0.44, 0.5), 3 if page.wide else 5, most)
    small = max(page.pick(0.045, 0.028), main.size * 0.36)
    below = page.second(rest, page.style("italic", 450), page.room * 0.86, page.h * 0.2, small)
    gap, middle = page.pick(0.045, 0.03), page.w / 2
    base = (page.h - main.tall - main.deep - 2 * gap - below.tall) / 2 + main.size * 0.92
    at = page.set(main, middle, base, align=0.5, at=0.12, way="fade", words=True, spread=STEP)
    y, half = base + main.tall - main.step + main.deep + gap, page.room * 0.075
    page.rule(middle, y, half, 2, at, "wipe")
    page.rule(middle - half, y, half, 2, at, "wipe_left")
    foot = y + gap + below.size * 0.75
    page.set(below, middle, foot, align=0.5, at=at + 0.2, way="fade", spread=STEP, strength=0.86)


def column(page: Page, lead: str, rest: str) -> None:
    """Ranged on one edge: a heavy sans that rises line by line behind a bar, the rest light below."""
    bar, gap = page.h * 0.008, page.w * 0.026
    room, way, heavy = page.room - bar - gap, -1 if is_rtl(lead) else 1, page.style("sans", 800, -0.012)
    main = page.block(lead, heavy, room, page.pick(0.5, 0.46), 4 if page.wide else 6, page.pick(0.2, 0.085), 0.95)
    small = max(page.pick(0.042, 0.026), main.size * 0.34)
    below = page.second(rest, page.style("sans", 420), room * 0.9, page.h * 0.22, small)
    space = below.size * 0.6 if below.lines else 0.0
    tall = main.tall + space + below.tall
    top, edge, align = (page.h - tall) / 2, (page.w - page.margin if way < 0 else page.margin), 0.5 - way / 2
    page.rule(edge - (bar if way < 0 else 0), top, bar, tall, 0.05, "rise", drift=way * STEP / 2)
    x, base = edge + (bar + gap) * way, top + (main.step + main.size * 0.62) / 2
    at = page.set(main, x, base, align=align, at=0.2, way="rise", drift=way * STEP)
    base = top + main.tall + space + (below.step + below.size * 0.62) / 2
    page.set(below, x, base, align=align, at=at + 0.1, way="fade", drift=way * STEP / 2, strength=0.9)


def poster(page: Page, lead: str, rest: str) -> None:
    """A block of capitals, each line as wide as the block, wiped in from both sides and sliding past one another."""
    rtl, shown = is_rtl(lead), lead.upper()
    style = page.style("condensed" if page.latin else "sans", 700 if page.latin else 800)
    room, most, tight = page.room * (0.9 if page.wide else 1.0), page.pick(0.34, 0.16), leading(shown) * 0.87
    lines, sizes, best = [shown], [min(most, room / max(measure(shown, style, 1.0), 0.5))], 0.0
    widest = max(measure(p.strip(), style, 100) for p in pieces(shown, page.language)) + 1
    for count in range(1, min(5 if page.wide else 7, len(pieces(shown, page.language)) + 1)):
        # as many lines as fill the page best, none of them far smaller than another
        tried = balanced(shown, style, 100, max(widest, measure(shown, style, 100) / count * 1.15 + 40), count)
        fits = [min(most, room / max(measure(line, style, 1.0), 0.5)) for line in tried]
        filled = min(sum(fits) * tight, page.h * 0.78 - sum(fits) * tight * 0.3)
        if not tried[-1].endswith("…") and filled > best and min(fits) > 0.55 * max(fits):
            best, lines, sizes = filled, tried, fits
    below = page.second(rest, page.style("sans", 500, 0.06), room, page.h * 0.14, page.pick(0.042, 0.026))
    under = below.size * 1.6 + below.tall if below.lines else 0.0
    squeeze = min(1.0, page.h * 0.76 / (sum(sizes) * tight + under))
    y, at = (page.h - sum(sizes) * squeeze * tight - under) / 2, 0.1
    for k, (line, size) in enumerate(zip(lines, sizes, strict=True)):
        block = Block((line,), style, size * squeeze, size * squeeze * tight, rtl)
        side = 1 if (k % 2 == 0) != page.turn else -1
        y += block.step
        colour = page.accent if 0 < k == len(lines) - 1 else page.colour
        base = y - block.size * (0.14 if tight < 1 else 0.3)
        way = "wipe" if side > 0 else "wipe_left"
        page.set(block, page.w / 2, base, align=0.5, at=at, way=way, colour=colour, drift=side * STEP)
        at += LINE_GAP
    if below.lines:
        page.rule((page.w - room) / 2, y + below.size * 0.7, room, 2, at, "wipe_left" if rtl else "wipe", strength=0.7)
        foot = y + below.size * 0.95 + below.step
        page.set(below, page.w / 2, foot, align=0.5, at=at + 0.2, way="fade", strength=0.92)


DESIGNS = (plate, column, poster)
