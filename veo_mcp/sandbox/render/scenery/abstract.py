"""The abstract picture for words that name nothing it knows: translucent ribbons, or colours flowing like silk.

Called by scene.build with an empty stage. The silk is coloured anew in every frame; ribbons are layers.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import U16, Frame, Layer, blend, hexa, to_yuv, vec
from veo_mcp.sandbox.render.canvas.noise import fbm
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.weather import Wanderers, glow_sprite


class Flow:
    """Warped noise as silk: each pixel has a place on a circle of colours, and the circle turns."""

    SIZE = 4096

    def __init__(self, stage: Stage, rng: np.random.Generator) -> None:
        s = stage.setup
        pad = 120
        rows, cols = s.h + pad, s.w + pad
        big = min(s.w, s.h)
        a, b = fbm(rng, rows, cols, big * 0.9, big * 0.9, 3), fbm(rng, rows, cols, big * 0.9, big * 0.9, 3)
        y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
        reach = 900
        base = fbm(rng, rows + reach, cols + reach, big * 0.62, big * 1.0, 2, 0.35)
        wy, wx = (y + a * (reach - 1)).astype(np.intp), (x + b * (reach - 1)).astype(np.intp)
        field = base[wy, wx]
        turns = 1.5
        self.index: U16 = (
            ((field * turns + rng.standard_normal(field.shape, np.float32) * np.float32(0.0012)) * self.SIZE)
            .astype(np.int32)
            .astype(np.uint16)
        )
        gy, gx = np.gradient(field)
        slope = np.hypot(gx, gy) + np.float32(1e-6)
        fold = (gx * 0.7 - gy * 0.7) / (slope + np.float32(0.0012))
        shine = np.clip(118 + fold * 92, 20, 235)
        soft = np.asarray(Image.fromarray(shine.astype(np.uint8)).filter(ImageFilter.GaussianBlur(5)), np.uint16)
        self.shine: U16 = soft + np.uint16(112)
        colours = [hexa(c) for c in SETS[int(rng.integers(len(SETS)))]]
        if s.pal.night > 0.8:
            colours = [blend(c, (0.03, 0.04, 0.12), 0.35) for c in colours]
        mean = tuple(sum(c[k] for c in colours) / len(colours) for k in range(3))
        colours = [blend(c, (mean[0], mean[1], mean[2]), 0.22) for c in colours]
        at = np.linspace(0, len(colours), self.SIZE, endpoint=False)
        i = at.astype(int)
        f = (at - i)[:, None]
        f = f * f * (3 - 2 * f)
        ring = np.array([*colours, colours[0]], np.float32)
        self.lut = [
            np.clip(np.rint(c), 0, 255).astype(np.uint8)[0]
            for c in to_yuv((ring[i] * (1 - f) + ring[i + 1] * f).astype(np.float32)[None])
        ]

    def draw(self, frame: Frame, t: float, view: View) -> None:
        ox = int(60 + 40 * np.sin(t * 0.21)) // 2 * 2
        oy = int(60 + 40 * np.cos(t * 0.17)) // 2 * 2
        part = self.index[oy : oy + frame.h, ox : ox + frame.w]
        turn = np.uint16(int(t * self.SIZE * 0.045))
        index = (part + turn) & np.uint16(self.SIZE - 1)
        luma = self.lut[0].take(index).astype(np.uint16)
        luma *= self.shine[oy : oy + frame.h, ox : ox + frame.w] >> 1
        luma >>= 7
        frame.y[...] = np.minimum(luma, 235)
        small = index[::2, ::2]
        frame.u[...] = self.lut[1].take(small)
        frame.v[...] = self.lut[2].take(small)


def ribbons(stage: Stage, rng: np.random.Generator) -> None:
    """Translucent waves before a glow, each sliding at its own pace."""
    s = stage.setup
    colours = [hexa(c) for c in SETS[int(rng.integers(len(SETS)))]]
    mx, my = s.margin(0.04), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    y, x = np.linspace(0, 1, rows, dtype=np.float32)[:, None], np.linspace(-1, 1, cols, dtype=np.float32)[None, :]
    sun = np.exp(-((x - 0.25) ** 2) / 0.5 - (y - 0.36) ** 2 / 0.09)[..., None]
    back = vec(colours[0]) + y[..., None] * (vec(colours[1]) - vec(colours[0])) * np.float32(0.7)
    back = back + sun * (vec(colours[4]) * np.float32(0.8) - back * np.float32(0.55))
    back = back + rng.standard_normal((rows, cols), np.float32)[..., None] * np.float32(1.1 / 255)
    stage.items.append(Layer(np.clip(back, 0, 1), None, top=-my, left=-mx, depth=0.04, axis=s.camera.axis))
    count = 6
    for k in range(count):
        f = k / (count - 1)
        depth, drift = 0.15 + 0.8 * f, (7 + 20 * f) * (1 if k % 2 else -1)
        mx, extra = s.margin(depth), int(abs(drift) * 17)
        cols = (s.w + 2 * mx + extra) // 2 * 2
        line = fbm(rng, 1, cols, 1, s.w * 0.62, 2, 0.3)[0] - np.float32(0.5)
        at = s.h * (0.24 + 0.62 * f) + line * s.h * 0.62
        top = int(at.min() - 3) // 2 * 2
        bottom = s.h + s.rise
        below = np.arange(max(8, bottom - top), dtype=np.float32)[:, None] + np.float32(top) - at[None, :]
        upper, lower = vec(colours[2 + k % 3]), vec(colours[(k + 1) % 2])
        deep = np.clip(below / np.float32(s.h * 0.42), 0, 1)[..., None]
        sheen = np.exp(-np.abs(below) / np.float32(5 * s.u)) * np.float32(0.42)
        fold = (
            fbm(rng, 1, cols, 1, s.w * 0.2, 3)[0][None, :]
            * np.exp(-np.clip(below, 0, None) / np.float32(90 * s.u))
            * np.float32(0.34)
        )
        rgb = upper + deep * (lower - upper) + (sheen + fold)[..., None] * (1 - upper) * np.float32(0.9)
        alpha = np.clip(below + np.float32(0.5), 0, 1) * (
            np.float32(0.34) + np.float32(0.5) * np.exp(-np.clip(below, 0, None) / np.float32(s.h * 0.3))
        )
        left = -mx - (extra if drift < 0 else 0)
        stage.items.append(
            Layer(np.clip(rgb, 0, 1).astype(np.float32), alpha.astype(np.float32), top=top, left=left, depth=depth, axis=s.camera.axis, drift=drift)
        )  # fmt: skip


SETS = [
    ("0b1030", "3b2a7a", "d9578a", "ffb38a", "fff0d0", "5fb7c9"),
    ("06222c", "0f6a70", "6fd0b8", "f7f0c8", "f2a65a", "7a2f4f"),
    ("140b2a", "54209a", "2a7de0", "8ff0e8", "ffd6f2", "c73e8a"),
    ("1c0f16", "8a2433", "ee7a3a", "ffd98a", "f9f3e6", "4a3a6a"),
]


def abstract(stage: Stage) -> None:
    s = stage.setup
    stage.sun = (s.w / 2, s.h * 0.3)
    if s.rng("kind").random() < 0.7:
        ribbons(stage, s.rng("ribbons"))
    else:
        stage.items.append(Flow(stage, s.rng("flow")))
    orbs = [
        glow_sprite(c, r, 0.06) for c, r in (((1.0, 0.9, 0.75), 26), ((0.75, 0.9, 1.0), 40), ((1.0, 0.8, 0.95), 16))
    ]
    stage.overlays.append(Wanderers(s.rng("orbs"), s.w, s.h, orbs, 22, area=(-0.05, 1.05), fall=-16, roam=60))
    stage.ground = s.h * 0.8
