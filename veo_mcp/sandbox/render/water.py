"""Open water: the rows above it taken again, rippled, tinted, and lit by glitter under the sun.

Called per frame by scenes with a sea or a lake. Works in place on the composed frame; draws no objects.
"""

from __future__ import annotations

import numpy as np

from .camera import View
from .frame import F32, U8, U16, Frame, to_yuv, vec
from .noise import fbm, stream
from .palette import Palette


class Water:
    """A flat mirror from `horizon` down. `rough` is the height of waves, 0 for a lake, 1 for a sea, 2 for a storm."""

    def __init__(
        self, key: tuple[int, ...], pal: Palette, w: int, h: int, horizon: float, sun_x: float, rough: float, bottom: int
    ) -> None:
        rng = stream(key, "water")
        self.w, self.h, self.horizon, self.sun_x, self.rough = w, h, horizon, sun_x, rough
        self.rows = bottom - int(horizon)
        d = np.arange(self.rows, dtype=np.float32) / np.float32(h - horizon)  # 0 far, 1 at the bottom of the frame
        self.d = np.clip(d, 0, 1.6)
        mirror = np.clip(0.80 - 0.52 * self.d**0.7 - 0.06 * rough, 0.18, 0.9)
        self.keep: U16 = (mirror * 256).astype(np.uint16)[:, None]
        deep = vec(pal.water)[None, :] * (1.05 - 0.45 * np.clip(self.d, 0, 1)[:, None]).astype(np.float32)
        y, u, v = to_yuv(deep.astype(np.float32)[:, None, :])
        self.tint = [(c * (1 - mirror[:, None])).astype(np.uint16) for c in (y, u, v)]
        self.swell_phase = rng.random(6) * 6.28
        # wave sheets in perspective: rows far away are squeezed; two scroll against each other
        self.sheets = [self._sheet(rng, w + 420, k) for k in range(2)]
        x = np.arange(w * 2, dtype=np.float32) - w
        spread = np.float32(0.05 * w) + np.float32(0.30 * w) * self.d[:, None]
        path = np.exp(-((x[None, :] / spread) ** 2)) * (0.55 + 0.45 * np.exp(-self.d * 1.5))[:, None]
        shine = pal.glow if not pal.moon else 0.75
        floor = 0.10 if pal.night < 0.9 else 0.05
        self.path: U8 = np.clip((path * shine + floor) * 255, 0, 255).astype(np.uint8)
        gy, gu, gv = to_yuv(vec(pal.sun)[None, None, :])
        self.glint = int(gy[0, 0]), int(gu[0, 0]), int(gv[0, 0])

    def _sheet(self, rng: np.random.Generator, cols: int, k: int) -> U8:
        n = 640
        base = fbm(rng, n, cols, 9 + 4 * k, 80 + 30 * k, 4, 0.6)
        # depth row -> texture row: texture moves fast near the viewer and slowly at the horizon
        z = 1 / (0.06 + self.d * 1.0)
        t = (z - z.min()) / (z.max() - z.min() + 1e-6)
        rows = np.clip((1 - t) ** 0.55 * (n - 1), 0, n - 1).astype(np.intp)
        sheet = base[rows]
        sheet = (sheet - sheet.mean()) / np.float32(sheet.std() + 1e-6)
        return np.clip(128 + sheet * 46, 0, 255).astype(np.uint8)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        horizon = int(self.horizon + view.tilt + view.y * 0.12)
        if horizon >= frame.h - 2:
            return
        horizon = max(4, horizon) // 2 * 2
        rows = min(frame.h - horizon, self.rows)
        d = self.d[:rows]
        r = np.arange(rows, dtype=np.float32)
        p = self.swell_phase
        ripple = (
            np.sin(22 * np.log(0.05 + d) + 1.9 * t + p[0]) * 0.5
            + np.sin(41 * np.log(0.04 + d) + 2.9 * t + p[1]) * 0.3
            + np.sin(63 * np.log(0.04 + d) + 4.1 * t + p[2]) * 0.2
        )
        source = horizon - 1 - r * (0.92 - 0.1 * d) - ripple * (1.5 + 15 * d) * (0.4 + 0.6 * self.rough)
        index = np.clip(source, 0, horizon - 1).astype(np.intp)
        keep = self.keep[:rows]
        ty, tu, tv = (c[:rows] for c in self.tint)
        luma: U16 = frame.y.take(index, axis=0) * keep
        luma >>= 8
        luma += ty
        self._waves(luma, rows, t, view)
        frame.y[horizon : horizon + rows] = luma
        half = horizon // 2
        ci = np.clip(index[::2] // 2, 0, half - 1)
        n = min(len(ci), frame.h // 2 - half)
        for plane, tint in ((frame.u, tu), (frame.v, tv)):
            c: U16 = plane.take(ci[:n], axis=0) * keep[::2][:n]
            c >>= 8
            c += tint[::2][:n]
            plane[half : half + n] = c

    def _waves(self, luma: U16, rows: int, t: float, view: View) -> None:
        a, b = self.sheets
        speed = 26 + 30 * self.rough
        xa = int(60 + speed * t * 0.5 + view.x * 0.35) % 380
        xb = int(380 - speed * t * 0.35 + view.x * 0.2) % 380
        one = a[:rows, xa : xa + self.w]
        two = b[:rows, xb : xb + self.w]
        shift = int(min(max(t * 4 % 6, 0), 5))
        if shift:
            two = b[shift : rows + shift, xb : xb + self.w] if rows + shift <= b.shape[0] else two
        product: U16 = np.multiply(one, two, dtype=np.uint16)
        product >>= 8  # about 64 on average
        # soft light and shadow everywhere, sparks where both sheets crest inside the sun's path
        x0 = int(min(max(self.w - (self.sun_x - view.x * 0.04), 0), self.w))
        path = self.path[:rows, x0 : x0 + self.w]
        crest = np.maximum(product, np.uint16(74)) - np.uint16(74)
        crest *= path
        crest >>= 4 if self.rough < 1.5 else 5
        np.minimum(crest, np.uint16(190), out=crest)
        luma += product >> (2 if self.rough > 0.5 else 3)
        luma -= np.minimum(luma, np.uint16(16 if self.rough > 0.5 else 8))
        luma += crest
        np.clip(luma, 16, 235, out=luma)


def shore_foam(rng: np.random.Generator, h: int, w: int) -> F32:
    return fbm(rng, h, w, 8, 40, 3)
