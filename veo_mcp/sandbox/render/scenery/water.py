"""Open water: the rows above it taken again, rippled, tinted, lit by fine glitter; and the foam at a beach.

Called per frame by stages with a sea, a lake, a river or a wet road. Works in place on the composed frame. Everything
moves by quarter pixels, the horizon included, and no pattern wraps within what is ever shown.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, U8, U16, Frame, shifted, to_yuv, vec
from veo_mcp.sandbox.render.canvas.noise import fbm
from veo_mcp.sandbox.render.canvas.palette import Palette

SINK = 0.12  # how far the horizon follows a camera that rises, as a layer's depth
PHASES = 4  # quarter pixels
SHEET_ROWS, SHEET_COLS = 1400, 1600
NEARNESS = 0.045  # how strongly perspective presses far waves together
DRIFT = (13.0, -9.0)  # pixels a second of the two sheets of waves, at roughness 0
SHOWN = 20.0  # seconds of drift that a sheet has room for: a clip, and the extension that goes on from it
FACTOR_BITS = 8  # factors are in 256ths
WHITE = np.uint16(235)


class Water:
    """A flat mirror from `horizon` down. `rough` is the height of waves: 0 a wet road, 0.3 a lake, 1 a sea, 2 a storm."""

    def __init__(
        self, rng: np.random.Generator, pal: Palette, w: int, h: int, horizon: float, *, sun_x: float, rough: float, bottom: int,
        reach: float = 0.0, vertical: bool = False, fine: bool = False,
    ) -> None:  # fmt: skip
        self.w, self.horizon, self.sun_x, self.rough = w, horizon, sun_x, rough
        self.spark = np.uint16((200 if pal.night < 0.9 else 120) * min(1.0, 0.3 + rough))
        self.relief = 1 if rough > 1.5 else 2
        self.span = np.float32(h - horizon)
        self.rows = bottom - int(horizon) + 2
        self.ripple_phase = rng.random(3) * 2 * np.pi
        self.speeds = [v * (1 + 1.1 * rough) for v in DRIFT]
        self.phases = PHASES if vertical else 1
        room = max(abs(v) for v in self.speeds) * SHOWN + 0.4 * reach
        sheets = [self._sheet(rng, w + int(2 * room), k, fine=fine) for k in range(2)]
        self.middle = room
        #: by sheet, by vertical phase, by horizontal phase
        self.sheets: list[list[list[U8]]] = [
            [
                [_u8(shifted(shifted(s, -v / PHASES, 0), k / PHASES, 1)) for k in range(PHASES)]
                for v in range(self.phases)
            ]
            for s in sheets
        ]
        d = self._nearness(0.0)
        self.mirror = self._mirror(d)
        deep = vec(pal.water)[None, :] * (1.05 - 0.45 * np.clip(d, 0, 1)[:, None]).astype(np.float32)
        y, u, v = to_yuv(deep.astype(np.float32)[:, None, :])
        self.deep = y[:, 0]
        x = np.arange(w * 2, dtype=np.float32) - w
        spread = np.float32(0.035 * w) + np.float32(0.15 * w) * d[:, None]
        path = np.exp(-((x[None, :] / spread) ** 2)) * (0.55 + 0.45 * np.exp(-d * 1.4))[:, None]
        shine = min(1.0, pal.glow) * (1.0 if pal.disc else 0.45)
        # a floor: single sparks all over the water; the path: many of them under the light
        self.path: U16 = np.clip(path * shine * 66 + 3.0 + 6.0 * min(rough, 1.0), 0, 90).astype(np.uint16)
        _, gu, gv = to_yuv((vec(pal.sun) * vec(pal.light))[None, None, :])
        part = (path * np.float32(0.6 * shine))[::2, ::2]
        self.keep_c: U16 = (256 * (self.mirror[::2, None] * (1 - part))).astype(np.uint16)
        plain = (1 - self.mirror[::2, None]) * (1 - part)
        self.tint_c = [(c[::2] * plain + g[0, 0] * part).astype(np.uint16) for c, g in ((u, gu), (v, gv))]

    def _nearness(self, part: float) -> F32:
        """0 at the horizon, 1 at the frame's lower edge, for each row when the horizon lies `part` into the first."""
        rows = np.arange(self.rows, dtype=np.float32) + np.float32(0.5 - part)
        return np.clip(rows / self.span, 0, 1.6)

    def _mirror(self, d: F32) -> F32:
        return np.clip(0.80 - 0.52 * d**0.7 - 0.06 * self.rough, 0.18, 0.9).astype(np.float32)

    def _sheet(self, rng: np.random.Generator, cols: int, k: int, *, fine: bool) -> F32:
        """Waves in perspective: noise over the logarithm of nearness, squeezed sideways far away."""
        base = fbm(rng, SHEET_ROWS, SHEET_COLS, 10 - 2 * k, 76 - 18 * k, 5 if fine else 4, 0.62)
        d = self._nearness(0.0)
        near = np.log(1 + d / np.float32(NEARNESS)) / np.log(1 + 1.6 / NEARNESS)
        rows = (near * (SHEET_ROWS - 1)).astype(np.intp)
        squeeze = 1 / (0.16 + 0.84 * np.clip(d, 0, 1.2))
        x = (np.arange(cols, dtype=np.float32) - cols / 2)[None, :] * squeeze[:, None] + 37 * k
        # the noise is mirrored at its ends, not repeated: there is no seam
        x = np.abs(np.mod(x, 2 * (SHEET_COLS - 1)) - (SHEET_COLS - 1)).astype(np.intp)
        sheet = base[rows[:, None], x]
        return (np.float32(128) + (sheet - sheet.mean()) / np.float32(sheet.std() + 1e-6) * 46).astype(np.float32)

    def top(self, view: View) -> float:
        """Where the horizon is now, to a quarter of a pixel when the camera moves up or down, to two pixels otherwise."""
        y = self.horizon + view.tilt + view.y * SINK
        return float(np.floor(y * PHASES + 0.5) / PHASES) if self.phases > 1 else float(int(y) // 2 * 2)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        horizon = max(4.0, self.top(view))
        first = int(horizon)
        if first >= frame.h - 2:
            return
        part = horizon - first
        rows = min(frame.h - first, self.rows)
        d = self._nearness(part)[:rows]
        mirror = self.mirror[:rows]
        p = self.ripple_phase
        ripple = (
            np.sin(22 * np.log(0.05 + d) + 1.9 * t + p[0]) * 0.5
            + np.sin(41 * np.log(0.04 + d) + 2.9 * t + p[1]) * 0.3
            + np.sin(63 * np.log(0.04 + d) + 4.1 * t + p[2]) * 0.2
        )
        r = np.arange(rows, dtype=np.float32)
        source = horizon - 1 - r * (0.92 - 0.1 * d) - ripple * (1.5 + 15 * d) * (0.4 + 0.6 * self.rough)
        index = np.clip(source, 0, first - 1).astype(np.intp)
        above = frame.y[first].copy()
        luma: U16 = frame.y.take(index, axis=0) * (mirror * 256).astype(np.uint16)[:, None]
        luma >>= FACTOR_BITS
        luma += (self.deep[:rows] * (1 - mirror)).astype(np.uint16)[:, None]
        self._waves(luma, rows, t, view, int(part * PHASES))
        frame.y[first : first + rows] = luma
        frame.y[first] = (above * part + luma[0] * (1 - part)).astype(np.uint8)
        half = first // 2
        ci = np.clip(index[::2] // 2, 0, half - 1)
        n = min(len(ci), frame.h // 2 - half)
        x0 = self._sun_column(view) // 2
        cover = 1 - (horizon / 2 - half)
        for plane, tint in zip((frame.u, frame.v), self.tint_c, strict=True):
            above = plane[half].copy()
            c: U16 = plane.take(ci[:n], axis=0) * self.keep_c[:n, x0 : x0 + self.w // 2]
            c >>= FACTOR_BITS
            c += tint[:n, x0 : x0 + self.w // 2]
            plane[half : half + n] = c
            plane[half] = (above * (1 - cover) + c[0] * cover).astype(np.uint8)

    def _waves(self, luma: U16, rows: int, t: float, view: View, vertical: int) -> None:
        one, two = (self._cut(k, rows, t, view, vertical) for k in range(2))
        product: U16 = np.multiply(one, two, dtype=np.uint16)
        product >>= FACTOR_BITS  # about 64 on average
        # soft light and shadow everywhere, sparks where both sheets crest, most of them in the light's path
        x0 = self._sun_column(view)
        crest = product + self.path[:rows, x0 : x0 + self.w]
        level = np.uint16(134)
        np.maximum(crest, level, out=crest)
        crest -= level
        crest <<= 2
        np.minimum(crest, self.spark, out=crest)
        # heavier seas have deeper light and shadow
        product >>= self.relief
        luma += product
        mean = np.uint16(64 >> self.relief)
        np.maximum(luma, np.uint16(16 + mean), out=luma)
        luma -= mean
        luma += crest
        np.minimum(luma, WHITE, out=luma)

    def _cut(self, k: int, rows: int, t: float, view: View, vertical: int) -> U8:
        """The part of sheet `k` that is seen now."""
        x = self.middle + self.speeds[k] * t + view.x * (0.35, 0.2)[k]
        q = int(np.floor(x * PHASES + 0.5))
        sheet = self.sheets[k][vertical][q % PHASES]
        start = min(max(q // PHASES, 0), sheet.shape[1] - self.w)
        return sheet[:rows, start : start + self.w]

    def _sun_column(self, view: View) -> int:
        """Where the light's path, drawn twice as wide as the frame, is cut."""
        return int(min(max(self.w - (self.sun_x - view.x * 0.04), 0), self.w)) // 2 * 2


class Surf:
    """The edge of the water on sand: a line of foam that runs up and falls back."""

    SOFT = 7.0  # rows from the foam's crest to where it has thinned out

    def __init__(self, rng: np.random.Generator, w: int, row: float, depth: float, unit: float, reach: float) -> None:
        self.row, self.depth, self.unit, self.reach = row, depth, unit, reach
        cols = w + 2 * int(reach) + 8
        self.line = (fbm(rng, 1, cols, 1, 320 * unit, 3)[0] - np.float32(0.5)) * np.float32(36 * unit)
        self.lace = fbm(rng, int(76 * unit) + 2, cols, 5, 16, 3)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        x = int(self.reach + view.x * (self.depth + view.pivot))
        run = 9 * self.unit * (np.sin(0.9 * t) + 0.35 * np.sin(2.1 * t + 1))
        line = self.row + view.tilt + view.y * self.depth + run + self.line[x : x + frame.w]
        top = int(max(0, self.row + view.tilt + view.y * self.depth - 34 * self.unit))
        end = min(frame.h, top + int(72 * self.unit))
        if end - top < 4:
            return
        below = np.arange(top, end, dtype=np.float32)[:, None] - line[None, :]
        lace = self.lace[: end - top, x : x + frame.w]
        soft = np.float32(self.SOFT * self.unit)
        foam = np.where(
            below > 0, np.exp(-below / (soft * 0.3)), np.exp(below / (soft * 3)) * np.clip(lace * 3 - 1, 0, 1)
        )
        target = frame.y[top:end]
        target[...] = (target + (np.float32(232) - target) * foam.astype(np.float32) * np.float32(0.8)).astype(np.uint8)


def _u8(a: F32) -> U8:
    return np.clip(a, 0, 255).astype(np.uint8)
