"""Pixels: the yuv420p frame that everything is composed in, and layers that pan across it by slicing.

Called by scenes, actors, marks and images. Never works in RGB per frame and keeps no module-level buffers, so that
clips may be rendered side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

U8: TypeAlias = NDArray[np.uint8]
U16: TypeAlias = NDArray[np.uint16]
# float32 in fact; the stubs widen it to float64 in most operators, so the alias says no more than "floating".
F32: TypeAlias = NDArray[np.floating[Any]]
Rgb: TypeAlias = tuple[float, float, float]


class Frame:
    """One picture: `buf` is the contiguous (H*3/2, W) buffer that the encoder reads without a copy."""

    def __init__(self, width: int, height: int) -> None:
        self.w, self.h = width, height
        self.buf: U8 = np.zeros((height * 3 // 2, width), np.uint8)
        self.y: U8 = self.buf[:height]
        flat = self.buf[height:].reshape(-1)
        n = (width // 2) * (height // 2)
        self.u: U8 = flat[:n].reshape(height // 2, width // 2)
        self.v: U8 = flat[n:].reshape(height // 2, width // 2)
        self.scratch: U16 = np.empty((height, width), np.uint16)

    @property
    def planes(self) -> tuple[U8, U8, U8]:
        return self.y, self.u, self.v

    def over(self, plane: U8, colour: U8, keep: U16) -> None:
        """Premultiplied `colour` over `plane`; `keep` (0..256) is what shows through."""
        h, w = plane.shape
        tmp = self.scratch[:h, :w]
        # one cast each way: sums of mixed types are a sixth slower
        np.copyto(tmp, plane)
        tmp *= keep
        tmp >>= 8
        np.copyto(plane, tmp, casting="unsafe")
        plane += colour

    def copy_from(self, other: Frame) -> None:
        self.buf[...] = other.buf

    def reveal(self, other: Frame, mask: U16, mask_c: U16) -> None:
        """Let `other` through where `mask` (0..256) says so."""
        for mine, theirs, m in zip(self.planes, other.planes, (mask, mask_c, mask_c), strict=True):
            tmp = mine * (np.uint16(256) - m)
            tmp += theirs * m
            tmp >>= 8
            mine[...] = tmp


def hexa(text: str) -> Rgb:
    return (int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255)


def blend(a: Rgb, b: Rgb, t: float) -> Rgb:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


def scale(a: Rgb, k: float) -> Rgb:
    return (a[0] * k, a[1] * k, a[2] * k)


def vec(c: Rgb) -> F32:
    return np.array(c, np.float32)


def to_yuv(rgb: F32) -> tuple[F32, F32, F32]:
    """RGB 0..1 to BT.709 limited range, as floats in 8-bit units."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = r * np.float32(0.2126) + g * np.float32(0.7152) + b * np.float32(0.0722)
    return (
        luma * np.float32(219) + np.float32(16),
        (b - luma) * np.float32(224 / 1.8556) + np.float32(128),
        (r - luma) * np.float32(224 / 1.5748) + np.float32(128),
    )


def halve(a: F32) -> F32:
    """2x2 box average, the way chroma is sited."""
    out = a[0::2, 0::2] + a[1::2, 0::2]
    out += a[0::2, 1::2]
    out += a[1::2, 1::2]
    out *= np.float32(0.25)
    return out


def as_u8(a: F32) -> U8:
    return (np.clip(a, 0, 255) + np.float32(0.5)).astype(np.uint8)


def as_keep(alpha: F32) -> U16:
    return (np.clip(1 - alpha, 0, 1) * np.float32(256) + np.float32(0.5)).astype(np.uint16)


def shifted(a: F32, part: float, axis: int) -> F32:
    """The picture moved by `part` of a pixel towards its beginning (negative: towards its end)."""
    if part == 0:
        return a
    out = a.copy()
    moved, source = (out, a) if axis == 0 else (out.swapaxes(0, 1), a.swapaxes(0, 1))
    step = (source[1:] - source[:-1]) * np.float32(part)
    if part > 0:
        moved[:-1] += step
    else:
        moved[1:] += step
    return out


class Layer:
    """A picture with alpha, drawn once, stored premultiplied in four quarter-pixel phases along one axis.

    `top` is the row of the scene at which it starts (even); `depth` 0 is the sky, 1 the foreground.
    """

    def __init__(
        self, rgb: F32, alpha: F32 | None, *, top: int = 0, left: int = 0, depth: float = 0.0, axis: int = 1, phases: int = 4, drift: float = 0.0
    ) -> None:  # fmt: skip
        self.top, self.left, self.depth, self.axis, self.phases, self.drift = top, left, depth, axis, phases, drift
        height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
        rgb = rgb[:height, :width]
        self.height, self.width = height, width
        y, u, v = to_yuv(rgb)
        a: F32 | None = None
        self.opaque_from = 0
        if alpha is not None:
            a = alpha[:height, :width]
            solid = np.asarray((a > 0.998).all(axis=1))
            holes = np.flatnonzero(~solid)
            self.opaque_from = int(holes[-1]) + 1 if holes.size else 0
            y, u, v = y * a, u * a, v * a
            if self.opaque_from == 0:
                a = None
        u, v = halve(u), halve(v)
        ac = halve(a) if a is not None else None
        self.planes: list[tuple[U8, U8, U8]] = []
        self.keeps: list[tuple[U16, U16] | None] = []
        for k in range(phases):
            p = k / phases
            self.planes.append((as_u8(shifted(y, p, axis)), as_u8(shifted(u, p, axis)), as_u8(shifted(v, p, axis))))
            if a is None or ac is None:
                self.keeps.append(None)
            else:
                end = min(height, (self.opaque_from + 3) // 2 * 2)
                self.keeps.append((as_keep(shifted(a[:end], p, axis)), as_keep(shifted(ac[: end // 2], p, axis))))
        if a is not None:
            self.opaque_from = min(height, (self.opaque_from + 3) // 2 * 2)

    def draw(self, frame: Frame, x: float, y: float, limit: int) -> None:
        """Blit with the layer's column `x` at the frame's left edge, shifted down by `y`; rows from `limit` on are hidden."""
        x = min(max(x - self.left, 0.0), self.width - frame.w - 2.0)
        pos_x, pos_y = x, self.top + y
        for plane in range(3):
            half = 2 if plane else 1
            px, py = pos_x / half, pos_y / half
            phase = 0
            if self.axis == 1:
                qx = int(px * self.phases + 0.5)
                ix, phase = qx // self.phases, qx % self.phases
                iy = int(np.floor(py + 0.5))
            else:
                # moving down by a fraction is moving the slice up by the rest
                qy = int(np.floor(-py * self.phases + 0.5))
                iy, phase = -(qy // self.phases), qy % self.phases
                ix = int(px + 0.5)
            target = frame.planes[plane]
            source = self.planes[phase][plane]
            width = frame.w // half
            ix = min(ix, source.shape[1] - width)
            end = min(limit // half + (plane > 0), target.shape[0], iy + source.shape[0])
            start = max(0, iy)
            if end <= start:
                continue
            keeps = self.keeps[phase]
            solid = start
            if keeps is not None:
                keep = keeps[1 if plane else 0]
                solid = min(max(iy + self.opaque_from // half, start), end)
                if solid > start:
                    a, b = start - iy, solid - iy
                    frame.over(target[start:solid], source[a:b, ix : ix + width], keep[a:b, ix : ix + width])
            if end > solid:
                target[solid:end] = source[solid - iy : end - iy, ix : ix + width]

    def covers_from(self, y: float, rows: int) -> int:
        """The first of a frame's `rows` from which this layer hides everything behind it."""
        if self.opaque_from >= self.height - 2 or self.top + y + self.height < rows + 1:
            return rows
        return int(self.top + y + self.opaque_from) + 2


PAD = 2  # empty pixels around a sprite's own, for the phases


class Sprite:
    """A small picture with alpha that may lie anywhere, also partly outside; four quarter-pixel phases in x."""

    def __init__(self, rgb: F32, alpha: F32, *, phases: int = 4) -> None:
        # w and h are the whole picture's; only the part that is not empty is kept, from (left, top) on
        (self.h, self.w), self.phases = alpha.shape, phases
        rows, cols = np.flatnonzero(alpha.max(axis=1) > 0.002), np.flatnonzero(alpha.max(axis=0) > 0.002)
        y0, y1 = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 1)
        x0, x1 = (int(cols[0]), int(cols[-1]) + 1) if cols.size else (0, 1)
        self.left, self.top, self.lowest = x0 - PAD, y0 - PAD, y1
        alpha, rgb = alpha[y0:y1, x0:x1], rgb[y0:y1, x0:x1]
        pad = ((PAD, PAD + (y1 - y0) % 2), (PAD, PAD + 2 + (x1 - x0) % 2))
        alpha, rgb = np.pad(alpha, pad), np.pad(rgb, (*pad, (0, 0)), mode="edge")
        y, u, v = to_yuv(rgb)
        planes, alphas = [y * alpha, halve(u * alpha), halve(v * alpha)], [alpha, halve(alpha)]
        #: by phase: the premultiplied planes, and what shows through luma and chroma
        self.data: list[tuple[list[U8], list[U16]]] = []
        for k in range(phases):
            # a sprite that moves right by a fraction samples further left
            p = -k / phases
            self.data.append(([as_u8(shifted(q, p, 1)) for q in planes], [as_keep(shifted(q, p, 1)) for q in alphas]))

    def draw(self, frame: Frame, x: float, y: float, *, fade: float = 1.0) -> None:
        """Draw with the picture's own top left corner at (x, y)."""
        if fade <= 0.004:
            return
        x, y = x + self.left, y + self.top
        for plane in range(3):
            half = 2 if plane else 1
            q = int(np.floor(x / half * self.phases + 0.5))
            ix, phase = q // self.phases, q % self.phases
            iy = int(np.floor(y / half + 0.5))
            colours, keeps = self.data[phase]
            colour, keep = colours[plane], keeps[1 if plane else 0]
            target = frame.planes[plane]
            x0, x1 = max(0, ix), min(target.shape[1], ix + colour.shape[1])
            y0, y1 = max(0, iy), min(target.shape[0], iy + colour.shape[0])
            if x1 <= x0 or y1 <= y0:
                continue
            c = colour[y0 - iy : y1 - iy, x0 - ix : x1 - ix]
            k = keep[y0 - iy : y1 - iy, x0 - ix : x1 - ix]
            if fade < 0.996:
                f = np.uint16(int(fade * 256))
                c = ((c * f) >> 8).astype(np.uint8)
                k = (np.uint16(256) - (((np.uint16(256) - k) * f) >> 8)).astype(np.uint16)
            frame.over(target[y0:y1, x0:x1], c, k)


def stops(rows: int, points: Sequence[tuple[float, Rgb]]) -> F32:
    """A vertical gradient (rows, 3) through the colours at the given heights 0..1."""
    at = np.linspace(0, 1, rows, dtype=np.float32)
    xs = [p for p, _ in points]
    cols = [np.interp(at, xs, [c[i] for _, c in points]) for i in range(3)]
    return np.stack(cols, axis=1).astype(np.float32)
