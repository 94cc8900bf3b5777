"""The last touch on each frame: vignette; for quality also bloom, a film's contrast and colour, and fine grain.

Called by the clip maker after composing and before the marks. Leaves frames that must equal a given picture alone.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import U8, U16, Frame


class Finish:
    def __init__(self, rng: np.random.Generator, w: int, h: int, *, fine: bool) -> None:
        y = (np.arange(h, dtype=np.float32)[:, None] - h / 2) / (h * 0.5)
        x = (np.arange(w, dtype=np.float32)[None, :] - w / 2) / (w * 0.5)
        dark = 1 - 0.17 * np.clip((x * x + y * y) / 2 - 0.12, 0, 1) ** 1.1
        self.vignette: U16 = (dark * 256).astype(np.uint16)
        self.tmp: U16 = np.empty((h, w), np.uint16)
        self.fine = fine
        self.glow: U8 | None = None
        self.curves: dict[int, tuple[U8, U8]] = {}
        tall, wide = h + 64, w + 64
        noise = rng.standard_normal((tall, wide), np.float32)
        self.grain: U16 = np.clip(np.rint(noise * 70 + 128), 0, 255).astype(np.uint16)
        self.offsets = rng.integers(0, 32, (512, 2)) * 2

    def apply(self, frame: Frame, index: int, strength: float) -> None:
        if strength <= 0:
            return
        if self.fine:
            self._bloom(frame, index, strength)
            self._grade(frame, strength)
        tmp = self.tmp
        if strength >= 1:
            np.multiply(frame.y, self.vignette, out=tmp)
        else:
            part = (256 - (256 - self.vignette.astype(np.float32)) * strength).astype(np.uint16)
            np.multiply(frame.y, part, out=tmp)
        if self.fine and strength >= 1:
            dy, dx = self.offsets[index % 512]
            tmp += self.grain[dy : dy + frame.h, dx : dx + frame.w]
        elif strength >= 1:
            tmp += 128
        tmp >>= 8
        frame.y[...] = tmp

    def _bloom(self, frame: Frame, index: int, strength: float) -> None:
        """What is bright glows a little into what lies around it. The glow is so soft that every other frame's will do."""
        if self.glow is None or index % 2 == 0 or strength < 1:
            small = frame.y[::4, ::4]
            bright = np.maximum(small, 148) - np.uint8(148)
            soft = Image.fromarray(bright).filter(ImageFilter.BoxBlur(5)).filter(ImageFilter.BoxBlur(4))
            wide = np.asarray(soft.resize((frame.w, frame.h), Image.Resampling.BILINEAR))
            self.glow = wide // np.uint8(max(3, int(3 / strength)))
        np.minimum(frame.y, 235 - self.glow, out=frame.y)
        frame.y += self.glow

    def _grade(self, frame: Frame, strength: float) -> None:
        """A gentle S in the tones and a little more colour."""
        level = round(strength * 8)
        if level not in self.curves:
            y = np.arange(256, dtype=np.float32)
            tone = y - np.sin((y - 16) / 219 * 2 * np.pi) * np.float32(7.5 * level / 8)
            colour = 128 + (y - 128) * np.float32(1 + 0.13 * level / 8)
            self.curves[level] = (
                np.clip(np.rint(tone), 16, 235).astype(np.uint8),
                np.clip(np.rint(colour), 16, 240).astype(np.uint8),
            )
        tone, colour = self.curves[level]
        frame.y[...] = tone.take(frame.y)
        frame.u[...] = colour.take(frame.u)
        frame.v[...] = colour.take(frame.v)
