"""The last touch on each frame: vignette; for quality also coloured glow, local contrast, a film's tones and grain.

Called by the clip maker after composing and before the marks. Leaves frames that must equal a given picture alone.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import F32, U8, U16, Frame

SHIFT = 7
UNIT = 1 << SHIFT  # fixed point of the luma in the last pass: 235 of them with a gain of 2 still fit 16 bits
WHITE = 235 * UNIT + UNIT // 2
SMALL = 8  # light is spread in a picture so many times smaller
ABOVE = 62  # a surface glows that is so many luma levels brighter than the picture's mean
BRIGHT = (76, 178)  # but never below the first of these, and always above the second
SPREAD = 120.0  # the level from which all of what glows reaches its surroundings; less by day, more in the dark
CLARITY = 0.24  # how far tones move away from those around them
GRAIN = 1.1  # standard deviation, in luma levels
CORNERS = {False: 0.17, True: 0.36}  # how much darker the corners are: fast, quality
COLOURED = 18  # what glows by so many levels gives its surroundings all of its colour
TINT = 0.6  # how much of its colour
LASTS = 3  # frames for which the light that is spread will do
STEPS = 8  # of a finish that comes in
HALF = 2  # a luma level in the map of light, which has 8 bits


class Finish:
    def __init__(self, rng: np.random.Generator, w: int, h: int, *, fine: bool) -> None:
        y = (np.arange(h, dtype=np.float32)[:, None] - h / 2) / (h * 0.5)
        x = (np.arange(w, dtype=np.float32)[None, :] - w / 2) / (w * 0.5)
        self.dark: F32 = CORNERS[fine] * np.clip((x * x + y * y) / 2 - 0.12, 0, 1) ** np.float32(1.1)
        self.fine = fine
        self.gains: tuple[float, U16] = (0.0, np.empty(0, np.uint16))
        self.tmp: U16 = np.empty((h, w), np.uint16)
        self.light: tuple[U16, U8, U8] | None = None
        self.curves: dict[int, tuple[U8, U8]] = {}
        # two's complement: the sums of the last pass never go below zero
        noise = rng.standard_normal((h + 64, w + 64), np.float32) if fine else np.zeros((h + 64, w + 64), np.float32)
        self.grain: U16 = np.rint(np.clip(noise, -3, 3) * GRAIN * UNIT + UNIT / 2).astype(np.int16).view(np.uint16)
        self.offsets = rng.integers(0, 32, (512, 2)) * 2

    def apply(self, frame: Frame, index: int, strength: float) -> None:
        if strength <= 0:
            return
        if self.gains[0] != strength:
            gain = (1 - self.dark * strength) * (1 + CLARITY * strength * self.fine)
            self.gains = strength, (gain * UNIT).astype(np.uint16)
        tmp = self.tmp
        if self.fine:
            self._grade(frame, strength)
            if self.light is None or index % LASTS == 0 or strength < 1:
                # so soft that a third of the frames' will do
                self.light = self._spread(frame, strength)
        np.multiply(frame.y, self.gains[1], out=tmp)
        if self.fine and self.light:
            lift, u, v = self.light
            tmp += lift
            np.maximum(tmp, np.uint16((UNIT + 16) * UNIT), out=tmp)
            tmp -= np.uint16(UNIT * UNIT)
            for plane, colour in ((frame.u, u), (frame.v, v)):
                plane += colour  # two's complement again: colours stay far inside eight bits
        if strength >= 1:
            dy, dx = self.offsets[index % 512]
            tmp += self.grain[dy : dy + frame.h, dx : dx + frame.w] if self.fine else np.uint16(UNIT // 2)
        if self.fine:
            np.minimum(tmp, np.uint16(WHITE), out=tmp)
        tmp >>= SHIFT
        frame.y[...] = tmp

    def _spread(self, frame: Frame, strength: float) -> tuple[U16, U8, U8]:
        """What is bright lights its surroundings in its own colour, near and far; all else is held against them."""
        half = frame.y[::2, ::2]
        level = np.uint8(np.clip(half.mean() + ABOVE, *BRIGHT))
        # what glows is told apart before the picture is made small: lit windows are small
        glow = _small(np.maximum(half, level) - level)
        around = _soft(_small(half), 12)
        lit = (_soft(glow, 2) + _soft(glow, 11)) * np.float32((SPREAD / level) ** 1.5)
        change = np.clip((lit - around * np.float32(CLARITY)) * np.float32(strength), -63, 63)
        lift = _grown(change * HALF + 128, frame.w, frame.h).astype(np.uint16)
        lift *= np.uint16(UNIT // HALF)
        lift += np.uint16(UNIT * UNIT - 128 * UNIT // HALF)
        weight = np.minimum(glow / np.float32(COLOURED), 1)
        colours: list[U8] = []
        for plane in (frame.u, frame.v):
            part = _soft((_small(plane) - np.float32(128)) * weight, 7) * np.float32(strength * TINT)
            grown = _grown(np.clip(part, -24, 24) + 128, frame.w // 2, frame.h // 2)
            colours.append(grown - np.uint8(128))
        return lift, colours[0], colours[1]

    def _grade(self, frame: Frame, strength: float) -> None:
        """An S in the tones and more colour."""
        level = round(strength * STEPS)
        if level not in self.curves:
            y = np.arange(256, dtype=np.float32)
            tone = y - np.sin((y - 16) / 219 * 2 * np.pi) * np.float32(8 * level / STEPS)
            colour = 128 + np.clip((y - 128) * np.float32(1 + 0.16 * level / STEPS), -84, 84)
            self.curves[level] = (
                np.clip(np.rint(tone), 16, 235).astype(np.uint8),
                np.rint(colour).astype(np.uint8),
            )
        tone, colour = self.curves[level]
        frame.y[...] = tone.take(frame.y)
        frame.u[...] = colour.take(frame.u)
        frame.v[...] = colour.take(frame.v)


def _small(half: U8) -> F32:
    return np.asarray(Image.fromarray(half).reduce(SMALL // 2), np.float32)


def _soft(a: F32, radius: int) -> F32:
    """Blurred twice by a box, in whole levels around 128 where it has both signs."""
    shift = 128 if a.min() < 0 else 0
    img = Image.fromarray(np.clip(a + shift, 0, 255).astype(np.uint8))
    img = img.filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(img, np.float32) - np.float32(shift)


def _grown(a: F32, w: int, h: int) -> U8:
    return np.asarray(Image.fromarray(a.astype(np.uint8)).resize((w, h), Image.Resampling.BILINEAR))
