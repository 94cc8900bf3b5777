"""Drawing figures: limbs, smooth shapes and discs in a figure's own measure, shaded into a sprite.

Called by people, animals and vehicles. y points up, 0 is the ground, 1 about the figure's height. Drawn four times too
large with Pillow, then reduced; only when a shot is set up.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import F32, Rgb, vec

Point = tuple[float, float]


def ink(c: Rgb, alpha: int = 255) -> tuple[int, int, int, int]:
    """A colour as Pillow wants it."""
    r, g, b = (int(min(max(v, 0), 1) * 255) for v in c)
    return (r, g, b, alpha)


FINE_BELOW = 150  # a figure smaller than so many pixels is drawn three times too large, others twice


CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 40, endpoint=False)) for f in (np.cos, np.sin)], axis=1)


class Pen:
    """A sheet `wide` by `tall` measures, one measure being `size` pixels; (0, 0) is in the middle of the lower edge.

    With `tilt`, in degrees, all that is drawn is turned about that point (a boat's roll).
    """

    def __init__(self, size: float, wide: float, tall: float, below: float = 0.06, tilt: float = 0.0) -> None:
        self.size, self.below = size, below
        self.K = 3 if size < FINE_BELOW else 2
        self.w, self.h = int(size * wide) + 2, int(size * (tall + below)) + 2
        self.img = Image.new("RGBA", (self.w * self.K, self.h * self.K))
        self.d = ImageDraw.Draw(self.img)
        self.sin, self.cos = float(np.sin(np.radians(tilt))), float(np.cos(np.radians(tilt)))

    def at(self, pts: Sequence[Point] | F32) -> list[float]:
        """Where points lie on the sheet, one coordinate after another, as Pillow takes them."""
        x, y = np.asarray(pts, np.float32).T * np.float32(self.size * self.K)
        across = x * self.cos - y * self.sin + self.w * self.K / 2
        down = self.h * self.K - self.below * self.size * self.K - x * self.sin - y * self.cos
        return np.stack([across, down], axis=1).ravel().tolist()

    def poly(self, pts: Sequence[Point] | F32, colour: Rgb) -> None:
        self.d.polygon(self.at(pts), fill=ink(colour))

    def blob(self, pts: Sequence[Point], colour: Rgb) -> None:
        """A closed smooth curve through the points."""
        self.poly(curve(pts), colour)

    def disc(self, x: float, y: float, rx: float, colour: Rgb, ry: float | None = None) -> None:
        self.poly(CIRCLE * (rx, rx if ry is None else ry) + (x, y), colour)

    def limb(self, pts: Sequence[Point], widths: Sequence[float], colour: Rgb) -> None:
        """A tapered stroke with round ends and joints."""
        for i, ((x0, y0), (x1, y1)) in enumerate(zip(pts, pts[1:], strict=False)):
            r0, r1 = widths[i] / 2, widths[i + 1] / 2
            d = float(np.hypot(x1 - x0, y1 - y0)) or 1e-6
            nx, ny = -(y1 - y0) / d, (x1 - x0) / d
            one, two = (
                [(x0 + nx * r0, y0 + ny * r0), (x1 + nx * r1, y1 + ny * r1)],
                [(x1 - nx * r1, y1 - ny * r1), (x0 - nx * r0, y0 - ny * r0)],
            )
            self.poly(one + two, colour)
        for (x, y), wd in zip(pts, widths, strict=True):
            self.disc(x, y, wd / 2, colour)

    def line(self, pts: Sequence[Point], width: float, colour: Rgb) -> None:
        wide = max(1, int(width * self.size * self.K))
        self.d.line(self.at(pts), fill=ink(colour), width=wide, joint="curve")

    def shaded(self, light: Rgb, rim: Rgb, side: int, *, strength: float = 0.5) -> tuple[F32, F32]:
        """Colour and alpha of the figure in this light, its edge towards the sun lit with `rim`."""
        small = self.img.reduce(self.K)
        rgb, alpha = np.zeros((self.h, self.w, 3), np.float32), np.zeros((self.h, self.w), np.float32)
        # only what is drawn on is worth the arithmetic
        x0, y0, x1, y1 = small.getbbox() or (0, 0, 1, 1)
        b, e = max(2, round(min(self.size, 260) * 0.035)), max(1, round(min(self.size, 200) * 0.009))
        part = (slice(max(0, y0 - 2 * b), y1 + 2 * b), slice(max(0, x0 - 2 * b), x1 + 2 * b))
        data = np.asarray(small, np.float32)[part] * np.float32(1 / 255)
        a = data[..., 3]
        # a little roundness: what looks away from the sun is darker
        body = _blurred(a, b)
        turned = np.roll(body, (-b, side * b), axis=(0, 1)) - body
        c = data[..., :3] * vec(light)
        c *= np.clip(np.float32(1.0) - turned * np.float32(1.1), 0.62, 1.25)[..., None]
        away = np.roll(_blurred(a, e), (e, -side * e), axis=(0, 1))
        edge = np.clip((a - away) * np.float32(strength * 1.6), 0, 1)[..., None]
        c += edge * (vec(rim) - c)
        rgb[part], alpha[part] = np.clip(c, 0, 1, out=c), a
        return rgb, alpha


def _blurred(a: F32, radius: int) -> F32:
    soft = Image.fromarray((a * 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(radius))
    return np.asarray(soft, np.float32) * np.float32(1 / 255)


def points(text: str, by: Point = (0.0, 0.0)) -> list[Point]:
    """Points written as "x,y x,y …", moved by `by`."""
    return [(float(x) + by[0], float(y) + by[1]) for x, y in (word.split(",") for word in text.split())]


def curve(pts: Sequence[Point], steps: int = 8) -> F32:
    """A closed Catmull-Rom curve through the points."""
    p = np.array(pts)
    a, b, c, d = (np.roll(p, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    t = (np.arange(steps) / steps)[None, :, None]
    out = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
    return out.reshape(-1, 2)


def joint(x: float, y: float, angle: float, length: float) -> Point:
    """The point `length` from (x, y); angle 0 hangs down, positive swings forward (to the right)."""
    return (x + float(np.sin(angle)) * length, y - float(np.cos(angle)) * length)
