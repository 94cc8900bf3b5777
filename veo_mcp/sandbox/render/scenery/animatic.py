"""The animatic: a prompt's own words as moving typography over the light, weather and colours that it names, or over none.

A builder like the places' (scene.build calls it with an empty stage), and `add_title`, which sets quoted words in an
ordinary scene. Everything is a function of time that goes on past the clip's end. It draws no thing, only type and light.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from veo_mcp.sandbox.render.canvas.camera import Camera, View
from veo_mcp.sandbox.render.canvas.fonts import Style, has
from veo_mcp.sandbox.render.canvas.frame import Frame, Layer, Rgb, Sprite, blend, hexa, stops, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.canvas.type import clean, ink, language_of, measure
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.typography import DESIGNS, STEP, Page
from veo_mcp.sandbox.render.scenery.weather import add_weather

CLIP_SECONDS = 7.6
"""By when the last card stands, however long the prompt is."""
PALE, DARK = hexa("f6f3ec"), hexa("15171c")


@dataclass(frozen=True, slots=True)
class Tone:
    """The colours of a backdrop from top to bottom, where its glow lies (parts of the frame), and what is set on it."""

    sky: tuple[Rgb, Rgb, Rgb]
    glow: Rgb
    at: tuple[float, float]
    accent: Rgb

    @property
    def ink(self) -> Rgb:
        return DARK if sum(_luma(c) for c in self.sky) / 3 > 0.46 else PALE


def _tone(sky: str, glow: str, at: tuple[float, float], accent: str) -> Tone:
    top, middle, low = (hexa(c) for c in sky.split())
    return Tone((top, middle, low), hexa(glow), at, hexa(accent))


LIGHTS = {
    "dawn": _tone("b9c4dc e8cfd0 f8dcc0", "fff0d6", (0.7, 0.9), "b0483c"),
    "noon": _tone("a9cdec cfe4f4 eef5f8", "ffffff", (0.6, 0.1), "c4492c"),
    "sunset": _tone("241a3c 6a2747 c2502f", "ff9a4a", (0.3, 1.05), "ffc074"),
    "dusk": _tone("151a3a 34305f 70476f", "a5648a", (0.68, 1.05), "f2b3a0"),
    "night": _tone("05070f 0a1024 131c3c", "243a78", (0.3, 0.15), "9db8ff"),
}
NEON = _tone("0b0716 1d0d3a 3a1158", "b0248c", (0.72, 0.8), "ff6ac8")
NEUTRALS = (
    _tone("1b1d21 24272c 1a1c20", "3a3f47", (0.3, 0.3), "e8b04b"),
    _tone("efeae0 e9e3d7 ddd5c6", "fbf8f2", (0.65, 0.3), "b5432e"),
    _tone("2b2926 37332f 25231f", "57504a", (0.72, 0.4), "d9c3a0"),
    _tone("d9dbdc cfd2d4 bfc3c6", "f2f4f5", (0.3, 0.35), "22577a"),
    _tone("181c1f 222a2e 171b1e", "35454c", (0.6, 0.6), "8fd0c4"),
)
COLOURS = {
    "red": hexa("b3202b"), "orange": hexa("d9702a"), "yellow": hexa("e8bf3a"), "green": hexa("2f7d4f"), "blue": hexa("2456a6"),
    "purple": hexa("5d3a8e"), "pink": hexa("d9799a"), "white": hexa("f2f1ee"), "black": hexa("121316"), "grey": hexa("7d8288"),
    "gold": hexa("c79a3b"), "brown": hexa("6d4a34"),
}  # fmt: skip
WEATHERS: dict[str, tuple[Rgb, float]] = {
    "rain": (hexa("222c36"), 0.62), "snow": (hexa("5b6a7e"), 0.6), "fog": (hexa("a3abb0"), 0.66), "storm": (hexa("10151c"), 0.78),
    "cloudy": (hexa("8d979f"), 0.5),
}  # fmt: skip
"""What a weather does to the light: the colour it pulls towards, and how far."""


def _luma(c: Rgb) -> float:
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]


def tone_of(stage: Stage) -> Tone:
    """The backdrop that the plan names; neutral where it names none."""
    plan, rng = stage.setup.plan, stage.setup.rng("tone")
    tone = NEUTRALS[int(rng.integers(len(NEUTRALS)))]
    named = [COLOURS[c] for c in plan.colours if c in COLOURS]
    if "neon" in plan.looks and plan.light in {"", "night"}:
        tone = NEON
    elif plan.light in LIGHTS:
        tone = LIGHTS[plan.light]
    elif named:
        first, last = named[0], named[-1]
        far = blend(last, (0.03, 0.03, 0.05) if _luma(first) < 0.5 else (1.0, 1.0, 1.0), 0.35)
        paper = Tone((blend(first, far, 0.25), first, far), blend(first, (1.0, 1.0, 1.0), 0.3), tone.at, first)
        apart = abs(_luma(last) - _luma(first)) > 0.22
        tone = replace(paper, accent=last if apart else blend(last, paper.ink, 0.8))
    if plan.weather in WEATHERS:
        colour, amount = WEATHERS[plan.weather]
        if plan.light == "night":
            colour = blend(colour, (0.02, 0.03, 0.06), 0.7)
        a, b, c = (blend(x, colour, amount) for x in tone.sky)
        tone = replace(
            tone, sky=(a, b, c), glow=blend(tone.glow, colour, amount), accent=tone.accent if plan.light else PALE
        )
        if _luma(tone.accent) < 0.4 and tone.ink == PALE:
            tone = replace(tone, accent=blend(tone.accent, PALE, 0.7))
    return tone


def animatic(stage: Stage) -> None:
    """Fill the stage: a backdrop, the words of its plan, and the weather before them."""
    s = stage.setup
    if not s.plan.camera:
        stage.setup = s = replace(s, camera=Camera("static", s.camera.unit))
    tone = tone_of(stage)
    _backdrop(stage, tone)
    stage.items.append(Cards(stage, tone))
    add_weather(stage)


def _backdrop(stage: Stage, tone: Tone) -> None:
    s = stage.setup
    rng = s.rng("backdrop")
    mx, my, slide = s.margin(0.1), s.rise, int(STEP * 20)
    rows, cols = (s.h + 2 * my) // 2 * 2, (s.w + 2 * mx + slide) // 2 * 2
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    x = ((np.arange(cols, dtype=np.float32) - mx) / s.w)[None, :]
    rgb = np.repeat(stops(rows, [(0.0, tone.sky[0]), (0.55, tone.sky[1]), (1.0, tone.sky[2])])[:, None], cols, axis=1)
    reach = 0.55 if s.w > s.h else 0.8
    for (cx, cy), size, strength in (
        ((tone.at), reach, 0.7),
        ((1 - tone.at[0], tone.at[1] * 0.6 + 0.2), reach * 0.6, 0.25 + 0.2 * s.fine),
    ):
        d = ((x - cx) * (s.w / s.h) ** 0.5) ** 2 + (y - cy) ** 2
        rgb += np.exp(-d / size**2)[..., None] * (vec(tone.glow) - rgb) * np.float32(strength)
    cloth = fbm(rng, rows, cols, s.h * 0.5, s.w * 0.5, 3)[..., None] - np.float32(0.5)
    rgb += cloth * np.float32(0.05) + rng.standard_normal((rows, cols, 1), np.float32) * np.float32(0.9 / 255)
    stage.items.append(
        Layer(np.clip(rgb, 0, 1).astype(np.float32), None, top=-my, left=-mx, depth=0.1, axis=s.camera.axis, drift=STEP)
    )
    if s.plan.weather == "fog":
        for k in range(2):
            _bank(stage, blend(tone.sky[1], (1.0, 1.0, 1.0), 0.35), k)


def _bank(stage: Stage, colour: Rgb, number: int) -> None:
    """A bank of fog that passes slowly across the whole frame."""
    s = stage.setup
    drift = STEP * (2 + 2 * number)
    mx, extra = s.margin(0.2), int(drift * 20)
    rows, cols = s.h // 4 * 2, (s.w + 2 * mx + extra) // 2 * 2
    n = fbm(s.rng(f"bank{number}"), rows, cols, rows * 0.6, s.w * 0.4, 4)
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    alpha = smooth(n, 0.3, 0.9) * np.clip(1 - y * y, 0, 1) * np.float32(0.75)
    rgb = np.broadcast_to(vec(colour), (rows, cols, 3)).astype(np.float32)
    top = int(s.h * (0.5 - 0.42 * number)) // 2 * 2
    stage.items.append(Layer(rgb, alpha, top=top, left=-mx, depth=0.2, axis=s.camera.axis, drift=drift, phases=4))


# What is said when

_STOP = re.compile(r"(?<=[.!?…;:])\s+|\s*[,–—]\s+|\s+[-–—|/]\s+|(?<=[。！？；])|[，、]|[،؛]\s*|(?<=[।؟])\s*|\s*\n+\s*")
_QUOTED = re.compile(r"[“”„«»「」『』\"]")
_HINGES = frozenset(
    "with while as and over under through in on at into from beside between across near towards toward during before behind "
    "below above inside around against along avec dans sur sous vers pendant et au aux con en sobre bajo entre hacia y mientras "
    "mit auf unter über durch im am während und neben zwischen com sob sobre em no na enquanto nel nella sul sulla mentre e "
    "в на под над через из у между и пока среди".split()
)
LONGEST = 26.0
"""Ems of text after which a phrase is broken at a hinge."""
CARD = 44.0
"""Ems of text that one card holds."""
LEAST = 0.9
PACE = 0.075
"""Seconds for which a card stands: so many, and so many more for every em of its text."""
_EM = Style()


def _ems(text: str) -> float:
    return measure(text, _EM, 1.0)


def phrases(text: str, quoted: str | None = None) -> list[str]:
    """The text broken by sense: quoted words by themselves, then at punctuation, then before a word on which a long
    phrase hinges."""
    rest, out = clean(text), list[str]()
    for said in map(clean, (quoted or "").split("\n")):
        if said and said in rest:
            before, rest = rest.split(said, 1)
            out += [*_parted(before), f"“{said}”"]
    return [*out, *_parted(rest)] or [rest or "…"]


def _parted(text: str) -> list[str]:
    out: list[str] = []
    for part in _STOP.split(text):
        part = _QUOTED.sub("", part or "").strip(" ,;:、，。.।")
        if part:
            out += _hinged(part)
    return out


def _hinged(part: str) -> list[str]:
    words = part.split()
    if _ems(part) <= LONGEST or len(words) < 4:
        return [part]
    ems = [_ems(" ".join(words[:k])) for k in range(len(words) + 1)]
    middle = ems[-1] / 2
    hinges = [k for k in range(2, len(words) - 1) if words[k].lower() in _HINGES]
    at = min(hinges or range(2, len(words) - 1), key=lambda k: abs(ems[k] - middle))
    return [*_hinged(" ".join(words[:at])), *_hinged(" ".join(words[at:]))]


@dataclass(frozen=True, slots=True)
class Card:
    """Phrases that stand together from `start` to `end`; `lead` says which is the large one."""

    phrases: tuple[str, ...]
    lead: int
    start: float
    end: float


def cards(text: str, quoted: str | None) -> list[Card]:
    """The whole text on as many cards as it needs, each for as long as it takes to read; the last one stays."""
    groups: list[list[str]] = []
    for phrase in phrases(text, quoted):
        if groups and len(groups[-1]) < 3 and sum(map(_ems, groups[-1])) + _ems(phrase) <= CARD:
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
    spans = [LEAST + PACE * sum(map(_ems, group)) for group in groups]
    scale = min(1.0, CLIP_SECONDS / sum(spans))
    out: list[Card] = []
    at = 0.0
    for k, (group, span) in enumerate(zip(groups, spans, strict=True)):
        lead = next((i for i, phrase in enumerate(group) if phrase.startswith("“")), 0)
        out.append(Card(tuple(group), lead, at, at + span * scale if k < len(groups) - 1 else float("inf")))
        at += span * scale
    return out


GOES = 0.35
"""Seconds in which a card goes."""


class Cards:
    """The item that shows card after card; only the card on show is kept as sprites."""

    def __init__(self, stage: Stage, tone: Tone) -> None:
        s = stage.setup
        rng = s.rng("design")
        self.cards = cards(s.plan.caption, s.plan.text)
        self.design = DESIGNS[int(rng.integers(len(DESIGNS)))]
        latin = all(has("serif", c) for c in s.plan.caption if c.isalpha())
        language = "ja" if s.plan.language == "ja" else language_of(s.plan.caption)
        turn = bool(rng.integers(2))
        self.page = Page(s.w, s.h, tone.ink, tone.accent, latin=latin, language=language, turn=turn)
        self.shown = -1

    def draw(self, frame: Frame, t: float, view: View) -> None:
        number = next((k for k, card in enumerate(self.cards) if t < card.end), len(self.cards) - 1)
        card = self.cards[number]
        if self.shown != number:
            self.page.pieces, self.shown = [], number
            rest = [p for k, p in enumerate(card.phrases) if k != card.lead]
            between = "　" if any(c > "\u2e80" for c in "".join(rest)) else "  ·  "
            self.design(self.page, card.phrases[card.lead], between.join(rest))
        dx, dy = -view.x * (0.45 + view.pivot), view.tilt + view.y * 0.45
        for piece in self.page.pieces:
            piece.draw(frame, t - card.start, dx, dy, min(1.0, (card.end - t) / GOES))


class Title:
    """Quoted words over a scene: they come after the first frames and are gone before the last ones."""

    COMES, GOES, RAMP, HALO = 0.7, 6.3, 0.6, 0.55

    def __init__(self, stage: Stage, text: str, seconds: float) -> None:
        s = stage.setup
        latin = all(has("condensed", c) for c in text if c.isalpha())
        page = Page(s.w, s.h, PALE, PALE, latin=latin, language=language_of(text))
        shown = "  ·  ".join(map(clean, text.split("\n"))).upper()
        style = page.style("condensed", 620, 0.08)
        block = page.block(shown, style, page.room * 0.86, s.h * 0.26, 2 if page.wide else 4, page.pick(0.115, 0.06))
        self.end = min(self.GOES, seconds - 1.6)
        canvas = np.zeros((s.h, s.w), np.float32)
        base = s.h * 0.29 - block.step * (len(block.lines) - 1) / 2
        half = int(max(measure(line, style, block.size) for line in block.lines) * 0.16)
        for y in (base - block.size * 1.3, base + block.tall - block.step + block.size * 0.62):
            canvas[int(y) : int(y) + max(2, s.h // 300), s.w // 2 - half : s.w // 2 + half] = 1
        for line in block.lines:
            made = ink(line, style, block.size, rtl=block.rtl)
            x, y = int((s.w - made.advance) / 2 - made.left), int(base - made.base)
            h, w = made.mask.shape
            canvas[y : y + h, x : x + w] = np.maximum(canvas[y : y + h, x : x + w], made.mask)
            base += block.step
        # one soft shadow for all of it, so that it can be read before a bright sky
        soft = Image.fromarray((canvas * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(block.size * 0.35))
        shade = np.clip(np.asarray(soft, np.float32) / np.float32(255) * np.float32(1.5), 0, self.HALO)
        alpha = canvas + (1 - canvas) * shade
        rows, cols = np.flatnonzero(alpha.max(axis=1) > 0.004), np.flatnonzero(alpha.max(axis=0) > 0.004)
        top, left = int(rows[0]) if rows.size else 0, int(cols[0]) if cols.size else 0
        part = (slice(top, int(rows[-1]) + 1 if rows.size else 2), slice(left, int(cols[-1]) + 1 if cols.size else 2))
        lit = (canvas / np.maximum(alpha, np.float32(1e-4)))[..., None]
        rgb = vec(DARK) + (vec(PALE) - vec(DARK)) * lit[part]
        self.sprite, self.at = Sprite(rgb.astype(np.float32), alpha[part], phases=1), (left, top)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        fade = float(np.clip(min(t - self.COMES, self.end - t) / self.RAMP, 0, 1))
        self.sprite.draw(frame, *self.at, fade=fade * fade * (3 - 2 * fade))


def add_title(stage: Stage, seconds: float = 8.0) -> None:
    """Set the plan's quoted words over the scene of a shot that lasts so many seconds."""
    if stage.setup.plan.text:
        stage.overlays.append(Title(stage, stage.setup.plan.text, seconds))
