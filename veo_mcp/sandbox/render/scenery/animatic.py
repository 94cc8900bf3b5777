"""The animatic: a prompt's own words as moving typography over the light, weather and colours that it names, or over none.

A builder like the places' (scene.build calls it with an empty stage), and `add_title`, which sets quoted words in an
ordinary scene. Everything is a function of time that goes on past the clip's end. It draws no thing, only type and light.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import Camera, View
from veo_mcp.sandbox.render.canvas.fonts import Style, has
from veo_mcp.sandbox.render.canvas.frame import Frame, Layer, Rgb, Sprite, blend, hexa, stops, vec
from veo_mcp.sandbox.render.canvas.noise import fbm
from veo_mcp.sandbox.render.canvas.palette import COLOURS
from veo_mcp.sandbox.render.canvas.type import clean, language_of, measure
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.terrain import mist
from veo_mcp.sandbox.render.scenery.typography import DESIGNS, STEP, Page
from veo_mcp.sandbox.render.scenery.weather import add_weather
from veo_mcp.sandbox.render.tables import read_table

CLIP_SECONDS = 7.6  # by when the last card stands, however long the prompt is
PALE, DARK = hexa("f6f3ec"), hexa("15171c")
TABLES: dict[str, Any] = read_table("scenery/tones.toml")


@dataclass(frozen=True, slots=True)
class Tone:
    """The colours of a backdrop from top to bottom, where its glow lies (parts of the frame), and what is set on it."""

    sky: tuple[Rgb, ...]
    glow: Rgb
    at: tuple[float, float]
    accent: Rgb

    @property
    def ink(self) -> Rgb:
        return DARK if sum(_luma(c) for c in self.sky) / 3 > 0.46 else PALE


def _tone(table: dict[str, Any]) -> Tone:
    x, y = table["at"]
    return Tone(tuple(map(hexa, table["sky"].split())), hexa(table["glow"]), (x, y), hexa(table["accent"]))


LIGHTS = {name: _tone(table) for name, table in TABLES["light"].items()}
NEUTRALS = [_tone(table) for table in TABLES["neutral"]]


def _luma(c: Rgb) -> float:
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]


def tone_of(stage: Stage) -> Tone:
    """The backdrop that the plan names; neutral where it names none."""
    plan, rng = stage.setup.plan, stage.setup.rng("tone")
    tone = NEUTRALS[int(rng.integers(len(NEUTRALS)))]
    named = [COLOURS[c] for c in plan.colours if c in COLOURS]
    light = "neon" if "neon" in plan.looks and plan.light in {"", "night"} else plan.light
    if light in LIGHTS:
        tone = LIGHTS[light]
    elif named:
        first, last = named[0], named[-1]
        far = blend(last, (0.03, 0.03, 0.05) if _luma(first) < 0.5 else (1.0, 1.0, 1.0), 0.35)
        paper = Tone((blend(first, far, 0.25), first, far), blend(first, (1.0, 1.0, 1.0), 0.3), tone.at, first)
        apart = abs(_luma(last) - _luma(first)) > 0.22
        tone = replace(paper, accent=last if apart else blend(last, paper.ink, 0.8))
    if plan.weather in TABLES["weather"]:
        towards, amount = TABLES["weather"][plan.weather]
        colour = blend(hexa(towards), (0.02, 0.03, 0.06), 0.7 if plan.light == "night" else 0.0)
        accent, sky = tone.accent if plan.light else PALE, tuple(blend(x, colour, amount) for x in tone.sky)
        tone = replace(tone, sky=sky, glow=blend(tone.glow, colour, amount), accent=accent)
        if _luma(accent) < 0.4 and tone.ink == PALE:
            tone = replace(tone, accent=blend(accent, PALE, 0.7))
    return tone


def animatic(stage: Stage) -> None:
    """Fill the stage: a backdrop, the words of its plan, and the weather before them."""
    s = stage.setup
    if not s.plan.camera:
        stage.setup = s = replace(s, camera=Camera("static", s.camera.unit))
    tone = tone_of(stage)
    _backdrop(stage, tone)
    if s.plan.weather == "fog":
        mist(stage, "bank", s.h * 0.72, {"height": s.h * 0.5 / s.u, "strength": 0.42, "depth": 0.2, "drift": 2 * STEP})
    stage.items.append(Cards(stage, tone))
    add_weather(stage)


def _backdrop(stage: Stage, tone: Tone) -> None:
    s, rng = stage.setup, stage.setup.rng("backdrop")
    mx, my = s.margin(0.1), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, (s.w + 2 * mx + int(STEP * 20)) // 2 * 2
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    x = ((np.arange(cols, dtype=np.float32) - mx) / s.w)[None, :]
    rgb = np.repeat(stops(rows, list(zip((0.0, 0.55, 1.0), tone.sky, strict=True)))[:, None], cols, axis=1)
    reach, (cx, cy) = 0.55 if s.w > s.h else 0.8, tone.at
    glows = (cx, cy, reach, 0.7), (1 - cx, cy * 0.6 + 0.2, reach * 0.6, 0.25 + 0.2 * s.fine)
    for gx, gy, size, strength in glows:
        d = ((x - gx) * (s.w / s.h) ** 0.5) ** 2 + (y - gy) ** 2
        rgb += np.exp(-d / size**2)[..., None] * (vec(tone.glow) - rgb) * np.float32(strength)
    cloth = fbm(rng, rows, cols, s.h * 0.5, s.w * 0.5, 3)[..., None] - np.float32(0.5)
    rgb += cloth * np.float32(0.05) + rng.standard_normal((rows, cols, 1), np.float32) * np.float32(0.9 / 255)
    rgb = np.clip(rgb, 0, 1).astype(np.float32)
    stage.items.append(Layer(rgb, None, top=-my, left=-mx, depth=0.1, axis=s.camera.axis, drift=STEP))


# What is said when

_STOP = re.compile(r"(?<=[.!?…;:])\s+|\s*[,–—]\s+|\s+[-–—|/]\s+|(?<=[。！？；])|[，、]|[،؛]\s*|(?<=[।؟])\s*|\s*\n+\s*")
_QUOTED = re.compile(r"[“”„«»「」『』\"]")
_HINGES = frozenset(TABLES["hinges"]["words"].split())
LONGEST, CARD = 26.0, 44.0  # ems of text after which a phrase is broken at a hinge, and which one card holds
LEAST, PACE = 0.9, 0.075  # seconds for which a card stands: so many, and so many more for every em of its text
GOES = 0.35  # seconds in which a card goes
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

    COMES, GOES, RAMP, HALO = 0.7, 6.3, 0.6, 0.5

    def __init__(self, stage: Stage, text: str, seconds: float) -> None:
        s = stage.setup
        latin = all(has("condensed", c) for c in text if c.isalpha())
        self.page = page = Page(s.w, s.h, PALE, PALE, latin=latin, language=language_of(text))
        style, shown = page.style("condensed", 620, 0.08), "  ·  ".join(map(clean, text.split("\n"))).upper()
        block = page.block(shown, style, page.room * 0.86, s.h * 0.26, 2 if page.wide else 4, page.pick(0.115, 0.06))
        self.end = min(self.GOES, seconds - 1.6)
        base = s.h * 0.29 - block.step * (len(block.lines) - 1) / 2
        page.set(block, s.w / 2, base, align=0.5, at=-9.0, way="fade")
        half = max(measure(line, style, block.size) for line in block.lines) * 0.16
        for y in (base - block.size * 1.3, base + block.tall - block.step + block.size * 0.62):
            page.rule(s.w / 2 - half, y, 2 * half, s.h / 300, -9.0, "fade")
        # a soft shadow behind all of it, so that it can be read before a bright sky
        tall = int(block.tall + block.size * 2.6)
        y, x = np.mgrid[-1 : 1 : tall * 1j, -1 : 1 : s.w * 1j].astype(np.float32)
        self.shade = Sprite(
            np.full((tall, s.w, 3), 0.04, np.float32), self.HALO * (1 - y * y) * np.exp(-3 * x * x * x * x), phases=1
        )
        self.top = base + (block.tall - block.step - block.size * 0.6) / 2 - tall / 2

    def draw(self, frame: Frame, t: float, view: View) -> None:
        fade = float(np.clip(min(t - self.COMES, self.end - t) / self.RAMP, 0, 1))
        fade *= fade * (3 - 2 * fade)
        self.shade.draw(frame, 0, self.top, fade=fade)
        for piece in self.page.pieces:
            piece.draw(frame, t, 0, 0, fade)


def add_title(stage: Stage, seconds: float = 8.0) -> None:
    """Set the plan's quoted words over the scene of a shot that lasts so many seconds."""
    if stage.setup.plan.text:
        stage.overlays.append(Title(stage, stage.setup.plan.text, seconds))
