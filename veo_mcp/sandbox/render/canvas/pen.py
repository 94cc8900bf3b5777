"""Drawing figures: limbs, smooth shapes and discs in a figure's own measure, shaded into a sprite.

Called by people, animals and vehicles. y points up, 0 is the ground, 1 about the figure's height. Drawn four times too
large with Pillow, then reduced; only when a shot is set up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import Rgb, Sprite, vec

Point = tuple[float, float]


class Pen:
    """A sheet `wide` by `tall` measures, one measure being `size` pixels; (0, 0) is in the middle of the lower edge."""

    def __init__(self, size: float, wide: float, tall: float, below: float = 0.06) -> None:
        self.size, self.below = size, below
        # what is large needs less oversampling to be smooth
        self.K = 3 if size < 260 else 2
        self.w, self.h = int(size * wide) + 2, int(size * (tall + below)) + 2
        self.mask = Image.new("L", (self.w * self.K, self.h * self.K))
        self.rgb = Image.new("RGB", self.mask.size)
        self.m, self.c = ImageDraw.Draw(self.mask), ImageDraw.Draw(self.rgb)

    def at(self, p: Point) -> Point:
        k = self.K
        return (self.w * k / 2 + p[0] * self.size * k, self.h * k - (p[1] + self.below) * self.size * k)

    def _poly(self, pts: Sequence[Point], colour: Rgb) -> None:
        self.m.polygon(list(pts), fill=255)
        self.c.polygon(list(pts), fill=tuple(int(min(max(v, 0), 1) * 255) for v in colour))

    def poly(self, pts: Sequence[Point], colour: Rgb) -> None:
        self._poly([self.at(p) for p in pts], colour)

    def blob(self, pts: Sequence[Point], colour: Rgb) -> None:
        """A closed smooth curve through the points."""
        self._poly([self.at(p) for p in curve(pts, closed=True)], colour)

    def disc(self, x: float, y: float, rx: float, colour: Rgb, ry: float | None = None, turn: float = 0.0) -> None:
        ry = rx if ry is None else ry
        a = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        px, py = rx * np.cos(a), ry * np.sin(a)
        c, s = np.cos(turn), np.sin(turn)
        self._poly(
            [self.at((x + float(u * c - v * s), y + float(u * s + v * c))) for u, v in zip(px, py, strict=True)], colour
        )

    def limb(self, pts: Sequence[Point], widths: Sequence[float], colour: Rgb) -> None:
        """A tapered stroke with round ends and joints."""
        for i, ((x0, y0), (x1, y1)) in enumerate(zip(pts, pts[1:], strict=False)):
            r0, r1 = widths[i] / 2, widths[i + 1] / 2
            d = float(np.hypot(x1 - x0, y1 - y0)) or 1e-6
            nx, ny = -(y1 - y0) / d, (x1 - x0) / d
            self.poly(
                [
                    (x0 + nx * r0, y0 + ny * r0),
                    (x1 + nx * r1, y1 + ny * r1),
                    (x1 - nx * r1, y1 - ny * r1),
                    (x0 - nx * r0, y0 - ny * r0),
                ],
                colour,
            )
        for (x, y), wd in zip(pts, widths, strict=True):
            self.disc(x, y, wd / 2, colour)

    def line(self, pts: Sequence[Point], width: float, colour: Rgb) -> None:
        k = max(1, int(width * self.size * self.K))
        at = [self.at(p) for p in pts]
        self.m.line(at, fill=255, width=k, joint="curve")
        self.c.line(at, fill=tuple(int(min(max(v, 0), 1) * 255) for v in colour), width=k, joint="curve")

    def sprite(
        self, light: Rgb, rim: Rgb, side: int, *, tilt: float = 0.0, strength: float = 0.5, phases: int = 4, flip: bool = False,
        haze: tuple[Rgb, float] | None = None, upside: bool = False, alpha: float = 1.0,
    ) -> Sprite:  # fmt: skip
        """The figure in this light, its edge towards the sun lit with `rim`."""
        mask, rgb = self.mask, self.rgb
        if tilt:
            centre = (mask.width / 2, mask.height * 0.85)
            mask = mask.rotate(tilt, Image.Resampling.BILINEAR, center=centre)
            rgb = rgb.rotate(tilt, Image.Resampling.BILINEAR, center=centre)
        a = np.asarray(mask.resize((self.w, self.h), Image.Resampling.BOX), np.float32) / np.float32(255)
        c = np.asarray(rgb.resize((self.w, self.h), Image.Resampling.BOX), np.float32) / np.float32(255)
        # outside the figure the sheet is black: what the reduction took from there is given back
        c = np.asarray(c / np.maximum(a, np.float32(1 / 32))[..., None], np.float32)
        if flip:
            a, c = a[:, ::-1], c[:, ::-1]
        # a little roundness: what looks away from the sun is darker
        b = max(2.0, min(self.size, 260) * 0.035)
        body = np.asarray(
            Image.fromarray((a * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(b)), np.float32
        ) / np.float32(255)
        k = max(1, round(b * 0.8))
        turned = np.roll(np.roll(body, side * k, axis=1), -k, axis=0) - body
        c = c * np.clip(np.float32(1.0) - turned * np.float32(1.1), 0.62, 1.25)[..., None]
        c = c * vec(light)
        e = max(1, round(min(self.size, 200) * 0.009))
        soft = np.asarray(
            Image.fromarray((a * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(e)), np.float32
        ) / np.float32(255)
        away = np.roll(np.roll(soft, -side * e, axis=1), e, axis=0)
        edge = np.clip(a - away, 0, 1)[..., None] * np.float32(strength * 1.6)
        c = c + np.clip(edge, 0, 1) * (vec(rim) - c)
        if haze:
            c = c + (vec(haze[0]) - c) * np.float32(haze[1])
        if upside:
            a, c = a[::-1] * np.linspace(alpha, alpha * 0.2, self.h, dtype=np.float32)[:, None], c[::-1]
        elif alpha < 1:
            a = a * np.float32(alpha)
        return Sprite(np.clip(c, 0, 1).astype(np.float32), a, phases=phases)


def curve(pts: Sequence[Point], *, closed: bool, steps: int = 8) -> list[Point]:
    """Catmull-Rom through the points."""
    n = len(pts)
    out: list[Point] = []
    last = n if closed else n - 1
    for i in range(last):
        p0, p1, p2, p3 = (pts[(i + k) % n] if closed else pts[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        for s in range(steps):
            t = s / steps
            out.append(
                tuple(  # type: ignore[arg-type]
                    0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
                    for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
                )
            )
    if not closed:
        out.append(pts[-1])
    return out


def joint(x: float, y: float, angle: float, length: float) -> Point:
    """The point `length` from (x, y); angle 0 hangs down, positive swings forward (to the right)."""
    return (x + float(np.sin(angle)) * length, y - float(np.cos(angle)) * length)
