"""Open water: the rows above it taken again, rippled, tinted, and lit by glitter under the sun.

Called per frame by scenes with a sea or a lake. Works in place on the composed frame; draws no objects.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import U8, U16, Frame, to_yuv, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, stream
from veo_mcp.sandbox.render.canvas.palette import Palette


class Water:
    """A flat mirror from `horizon` down. `rough` is the height of waves, 0 for a lake, 1 for a sea, 2 for a storm."""

    def __init__(
        self,
        key: tuple[int, ...],
        pal: Palette,
        w: int,
        h: int,
        horizon: float,
        sun_x: float,
        rough: float,
        bottom: int,
    ) -> None:
        rng = stream(key, "water")
        self.w, self.h, self.horizon, self.sun_x, self.rough = w, h, horizon, sun_x, rough
        self.spark = int((190 if pal.night < 0.9 else 130) * min(1.0, 0.35 + rough))
        self.level = np.uint16(126 if rough > 0.5 else 146)
        self.rows = bottom - int(horizon)
        d = np.arange(self.rows, dtype=np.float32) / np.float32(h - horizon)  # 0 far, 1 at the bottom of the frame
        self.d = np.clip(d, 0, 1.6)
        mirror = np.clip(0.80 - 0.52 * self.d**0.7 - 0.06 * rough, 0.18, 0.9)
        self.keep: U16 = (mirror * 256).astype(np.uint16)[:, None]
        deep = vec(pal.water)[None, :] * (1.05 - 0.45 * np.clip(self.d, 0, 1)[:, None]).astype(np.float32)
        y, u, v = to_yuv(deep.astype(np.float32)[:, None, :])
        self.tint: U16 = (y * (1 - mirror[:, None])).astype(np.uint16)
        self.swell_phase = rng.random(6) * 6.28
        self.sheets = [self._sheet(rng, w + 420, k) for k in range(2)]
        x = np.arange(w * 2, dtype=np.float32) - w
        spread = np.float32(0.045 * w) + np.float32(0.17 * w) * self.d[:, None]
        path = np.exp(-((x[None, :] / spread) ** 2)) * (0.6 + 0.4 * np.exp(-self.d * 1.2))[:, None]
        shine = min(1.0, pal.glow) if not pal.moon else 0.8
        if pal.glow < 0.3 and not pal.moon:
            shine *= 0.4
        floor = 0.05 if pal.night < 0.9 else 0.05
        self.path: U16 = np.clip(path * shine * 70 + floor * 60, 0, 90).astype(np.uint16)
        _, gu, gv = to_yuv((vec(pal.sun) * vec(pal.light))[None, None, :])
        part = (path * np.float32(0.6 * shine))[::2, ::2]
        self.keep_c: U16 = (256 * (mirror[::2, None] * (1 - part))).astype(np.uint16)
        plain = (1 - mirror[::2, None]) * (1 - part)
        self.tint_c = [(c[::2] * plain + g[0, 0] * part).astype(np.uint16) for c, g in ((u, gu), (v, gv))]

    def _sheet(self, rng: np.random.Generator, cols: int, k: int) -> U8:
        """Waves in perspective: noise over the logarithm of nearness, squeezed sideways far away."""
        n, wide = 1400, 1600
        base = fbm(rng, n, wide, 24 - 6 * k, 150 - 40 * k, 4, 0.55)
        near = np.log(1 + self.d / np.float32(0.045)) / np.log(1 + 1.6 / 0.045)
        rows = (near * (n - 1)).astype(np.intp)
        squeeze = 1 / (0.16 + 0.84 * np.clip(self.d, 0, 1.2))
        x = (np.arange(cols, dtype=np.float32) - cols / 2)[None, :] * squeeze[:, None] + 37 * k
        x = np.abs(np.mod(x, 2 * (wide - 1)) - (wide - 1)).astype(np.intp)
        sheet = base[rows[:, None], x]
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
        luma: U16 = frame.y.take(index, axis=0) * keep
        luma >>= 8
        luma += self.tint[:rows]
        self._waves(luma, rows, t, view)
        frame.y[horizon : horizon + rows] = luma
        half = horizon // 2
        ci = np.clip(index[::2] // 2, 0, half - 1)
        n = min(len(ci), frame.h // 2 - half)
        x0 = self._sun_column(view) // 2
        for plane, tint in zip((frame.u, frame.v), self.tint_c, strict=True):
            c: U16 = plane.take(ci[:n], axis=0) * self.keep_c[:n, x0 : x0 + self.w // 2]
            c >>= 8
            c += tint[:n, x0 : x0 + self.w // 2]
            plane[half : half + n] = c

    def _waves(self, luma: U16, rows: int, t: float, view: View) -> None:
        a, b = self.sheets
        speed = 26 + 30 * self.rough
        xa = int(60 + speed * t * 0.5 + view.x * 0.35) % 380
        xb = int(380 - speed * t * 0.35 + view.x * 0.2) % 380
        one = a[:rows, xa : xa + self.w]
        two = b[:rows, xb : xb + self.w]
        product: U16 = np.multiply(one, two, dtype=np.uint16)
        product >>= 8  # about 64 on average
        # soft light and shadow everywhere, sparks where both sheets crest, mostly inside the sun's path
        x0 = self._sun_column(view)
        crest = product + self.path[:rows, x0 : x0 + self.w]
        np.maximum(crest, self.level, out=crest)
        crest -= self.level
        crest <<= 2
        np.minimum(crest, np.uint16(self.spark), out=crest)
        product >>= 2
        luma += product
        np.maximum(luma, np.uint16(32), out=luma)
        luma -= np.uint16(16)
        luma += crest
        np.minimum(luma, np.uint16(235), out=luma)

    def _sun_column(self, view: View) -> int:
        """Where the sun's path, drawn twice as wide as the frame, is cut."""
        return int(min(max(self.w - (self.sun_x - view.x * 0.04), 0), self.w))
