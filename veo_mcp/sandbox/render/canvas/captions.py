"""The burnt-in marks: SANDBOX and 'no AI model', the caption in any script, the caller's watermark.

Called by the clip maker once a shot and then per frame. They fade in after a shot's first frames and out before its
last ones, so that first, last and extended frames stay clean. Never wraps a caption over more than two lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from veo_mcp.sandbox.render.canvas.fonts import Style
from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Rgb, Sprite, vec
from veo_mcp.sandbox.render.canvas.type import clean, ink, is_rtl, language_of, measure, wrap

HEAD, LABEL, BODY = Style(weight=700, track=0.14), Style(weight=650, track=0.13), Style(weight=450)
WHITE: Rgb = (1.0, 1.0, 1.0)
RED: Rgb = (1.0, 0.27, 0.23)
SHADE: Rgb = (0.02, 0.025, 0.04)
FOOT_SHADE, TAG_SHADE = 0.68, 0.5
"""How dark the gradient behind a caption becomes, and the tag behind SANDBOX is."""
CLEAN_FRAMES, RAMP_SECONDS = 4, 0.55
"""Frames at either end of a shot that stay without marks, and how long the marks take to come and go."""


@dataclass(slots=True)
class Mark:
    sprite: Sprite
    x: int
    y: int


class Band:
    """A strip of the picture on which words are put."""

    def __init__(self, w: int, h: int, *, shade: float = 0.0, full: float = 1.0) -> None:
        """With `shade`, over a gradient from nothing at the top to that darkness at the height `full` (0 to 1)."""
        self.w, self.h = w // 2 * 2, (h + 1) // 2 * 2
        rise = np.clip(np.linspace(0, 1, self.h, dtype=np.float32) / full, 0, 1)
        column = rise * rise * (3 - 2 * rise) * np.float32(shade)
        self.alpha: F32 = np.repeat(column[:, None], self.w, axis=1)
        self.rgb: F32 = np.broadcast_to(vec(SHADE), (self.h, self.w, 3)).astype(np.float32)

    def put(self, mask: F32, x: float, y: float, colour: Rgb, strength: float = 1.0) -> None:
        """Lay a mask over what is there, its top left corner at (x, y)."""
        left, top = round(x), round(y)
        a, b = max(0, left), min(self.w, left + mask.shape[1])
        c, d = max(0, top), min(self.h, top + mask.shape[0])
        if b <= a or d <= c:
            return
        over = mask[c - top : d - top, a - left : b - left] * np.float32(strength)
        under = self.alpha[c:d, a:b] * (1 - over)
        total = over + under
        mixed = vec(colour) * over[..., None] + self.rgb[c:d, a:b] * under[..., None]
        self.rgb[c:d, a:b] = mixed / np.maximum(total, np.float32(1e-4))[..., None]
        self.alpha[c:d, a:b] = total

    def words(
        self, text: str, style: Style, size: float, x: float, base: float, colour: Rgb, *, strength: float = 1.0, rtl: bool = False
    ) -> float:  # fmt: skip
        """Set words on the baseline from `x` on (or up to `x`, right to left); returns how wide they are."""
        set_ = ink(text, style, size, rtl=rtl)
        left = x - set_.advance if rtl else x
        soft = Image.fromarray((np.pad(set_.mask, 8) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(3))
        self.put(
            np.asarray(soft, np.float32) / np.float32(255), left - set_.left - 8, base - set_.base - 8, SHADE, 0.55
        )
        self.put(set_.mask, left - set_.left, base - set_.base, colour, strength)
        return set_.advance

    def mark(self, x: int, y: int) -> Mark:
        used = np.flatnonzero(self.alpha.max(axis=0) > 0.004)
        a, b = (int(used[0]) // 2 * 2, int(used[-1]) + 1) if used.size else (0, 2)
        return Mark(Sprite(self.rgb[:, a:b], self.alpha[:, a:b], phases=1), x + a, y // 2 * 2)


def _tag(w: float, h: float) -> F32:
    """A strip with round ends."""
    y, x = np.mgrid[0 : round(h), 0 : round(w)].astype(np.float32) + np.float32(0.5)
    r = round(h) / 2
    return np.clip(r + 0.5 - np.hypot(x - np.clip(x, r, round(w) - r), y - r), 0, 1)


class Marks:
    """The marks of one shot; without a caption its label stands beside SANDBOX, and nothing at the foot."""

    def __init__(self, w: int, h: int, caption: str, label: str, accent: Rgb, watermark: str | None) -> None:
        unit = min(w, h) / 720
        pad = int(0.045 * min(w, h)) + 2
        caption = clean(caption)
        self.items = self._head(w, unit, pad, clean(watermark or ""), "" if caption else label)
        if caption:
            self.items.append(self._foot(w, h, unit, pad, caption, label, accent))

    @staticmethod
    def _head(w: int, unit: float, pad: int, watermark: str, label: str) -> list[Mark]:
        tall, size, radius = 30 * unit, 15 * unit, 5 * unit
        says = " · ".join(filter(None, ("· no AI model", label)))
        wide = measure("SANDBOX", HEAD, size) + measure(says, BODY, size) + 46 * unit
        band = Band(w, int(tall) + 2)
        band.put(_tag(wide, tall), pad, 0, SHADE, TAG_SHADE)
        y, x = np.mgrid[-8:9:17j, -8:9:17j].astype(np.float32)
        band.put(np.clip(radius + 0.5 - np.hypot(x, y), 0, 1), pad + 17 * unit - 8, tall / 2 - 8, RED)
        at = pad + 29 * unit
        at += band.words("SANDBOX", HEAD, size, at, tall / 2 + size * 0.36, WHITE)
        band.words(says, BODY, size, at + 4 * unit, tall / 2 + size * 0.36, WHITE, strength=0.92)
        out = [band.mark(0, pad - 4)]
        if watermark:
            style = Style(weight=600, language=language_of(watermark))
            shown = wrap(watermark, style, 22 * unit, w * 0.45, 1)[0]
            wide = measure(shown, style, 22 * unit) + 28 * unit
            band = Band(w, int(38 * unit))
            band.put(_tag(wide, 38 * unit), w - pad - wide, 0, SHADE, TAG_SHADE * 0.7)
            band.words(shown, style, 22 * unit, w - pad - wide + 14 * unit, 27 * unit, WHITE, strength=0.85)
            out.append(band.mark(0, pad - 8))
        return out

    @staticmethod
    def _foot(w: int, h: int, unit: float, pad: int, caption: str, label: str, accent: Rgb) -> Mark:
        size, line, gap = 27 * unit, 37 * unit, 18 * unit
        room = w - 2 * pad - gap
        style = replace(BODY, language=language_of(caption))
        shown = wrap(caption, style, size, room) if caption else []
        rtl = is_rtl(caption)
        text_tall = 26 * unit + line * len(shown)
        tall = int(text_tall + 132 * unit)
        band = Band(w, tall, shade=FOOT_SHADE, full=0.72)
        top = tall - text_tall - 34 * unit
        edge = w - pad - 3 * unit if rtl else pad
        band.put(np.ones((int(text_tall), max(2, round(2.5 * unit))), np.float32), edge, top, accent)
        start = w - pad - gap if rtl else pad + gap
        band.words(label.upper(), LABEL, 14 * unit, start, top + 14 * unit, accent, rtl=rtl)
        for k, words in enumerate(shown):
            band.words(words, style, size, start, top + 14 * unit + line * (k + 1) - 1 * unit, WHITE, rtl=rtl)
        return band.mark(0, h - tall + h % 2)

    def draw(self, frame: Frame, fade: float) -> None:
        for mark in self.items:
            mark.sprite.draw(frame, mark.x, mark.y, fade=fade)


def fade_at(index: int, first: int, end: int, fps: int) -> float:
    """How strong the marks are in frame `index` of the shot [first, end)."""
    ramp = fps * RAMP_SECONDS
    return float(np.clip(min(index - first - CLEAN_FRAMES + 1, end - 1 - CLEAN_FRAMES - index + 1) / ramp, 0, 1))
