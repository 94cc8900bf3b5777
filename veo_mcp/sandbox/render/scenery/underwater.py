"""Under water: blue depth, sliding beams of light, sand, coral, bubbles.

Called by scene.build with an empty stage. Only the beams work per frame; the rest are layers and wanderers.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import U8, Frame, Layer, Rgb, Sprite, blend, hexa, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.plants import ink, row_layer
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.terrain import Slab
from veo_mcp.sandbox.render.scenery.weather import Wanderers, glow_sprite


def underwater(stage: Stage) -> None:
    s = stage.setup
    rng = s.rng("deep")
    dark = s.pal.night > 0.5 or "dark" in s.plan.looks
    top_c, mid_c, low_c = (
        (hexa("1f5f86"), hexa("0d3358"), hexa("04152c")) if dark else (hexa("7fe3e6"), hexa("1f93b8"), hexa("0a3f6b"))
    )
    mx, my = s.margin(0.04), s.rise
    rows, cols = (s.h + 2 * my) // 2 * 2, s.w + 2 * mx
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :, None]
    glow = np.exp(-(y**2) / 0.16 - (x - 0.15) ** 2 / 0.5)
    img = (
        vec(low_c)
        + np.clip(1 - y * 1.5, 0, 1) * (vec(mid_c) - vec(low_c))
        + np.clip(1 - y, 0, 1) ** 2 * (vec(mid_c) - vec(low_c)) * np.float32(0.6)
    )
    img = img + glow * (vec(top_c) - img) * np.float32(0.85)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * np.float32(1.1 / 255)
    stage.sun = (s.w * 0.58, -40.0)
    stage.items.append(Layer(np.clip(img, 0, 1), None, top=-my, left=-mx, depth=0.04, axis=s.camera.axis))
    sea_pal = replace(
        s.pal,
        haze=blend(mid_c, low_c, 0.35),
        light=(0.75, 1.0, 1.05) if not dark else (0.3, 0.5, 0.7),
        shade=(0.12, 0.26, 0.4),
    )
    stage.setup = s = replace(s, pal=sea_pal)
    stage.items.append(Beams(rng, s.w, s.h, 0.34 if not dark else 0.2))
    u, hz = s.u, s.h * 0.62
    sand: Rgb = (0.62, 0.66, 0.56)
    stage.add_slab(
        "reef3",
        Slab(hz, 150 * u, 60 * u, 420 * u, (0.2, 0.36, 0.42), (0.2, 0.36, 0.42), 0.14, 0.72, valley=0.5, mist=0.5),
    )
    stage.add_slab("bed2", Slab(hz + 90 * u, 70 * u, 90 * u, 600 * u, sand, (0.35, 0.42, 0.4), 0.36, 0.4, ridged=False))
    _coral(stage, "coral2", hz + 130 * u, 110 * u, 0.5, 0.34, 150 * u)
    stage.add_slab("bed1", Slab(hz + 190 * u, 50 * u, 160 * u, 800 * u, sand, sand, 0.8, 0.12, ridged=False))
    _coral(stage, "coral1", s.h * 0.985, 190 * u, 0.95, 0.06, 230 * u, clear=0.3)
    bubbles = [_bubble(k) for k in (5, 7, 10, 14)]
    stage.overlays.append(
        Wanderers(s.rng("bubbles"), s.w, s.h, bubbles, 26, area=(-0.1, 1.1), fall=-70, blink=False, roam=14)
    )
    plankton = [glow_sprite((0.7, 0.95, 1.0), 4)]
    stage.overlays.append(Wanderers(s.rng("plankton"), s.w, s.h, plankton, 40, area=(0, 1), fall=-6, roam=30))
    stage.ground = s.h * 0.55


def _bubble(r: int) -> Sprite:
    img = Image.new("L", (r * 8, r * 8))
    d = ImageDraw.Draw(img)
    d.ellipse((4, 4, r * 8 - 5, r * 8 - 5), outline=190, fill=26, width=max(4, r // 2))
    d.ellipse((r * 2, r * 2, r * 3, r * 3), fill=255)
    alpha = np.asarray(img.resize((r * 2, r * 2), Image.Resampling.BOX), np.float32) / np.float32(255)
    return Sprite(np.broadcast_to(vec((0.85, 0.98, 1.0)), (r * 2, r * 2, 3)), alpha)


class Beams:
    """Two fans of light that slide over each other."""

    def __init__(self, rng: np.random.Generator, w: int, h: int, power: float) -> None:
        self.sheets: list[U8] = []
        pad = 200
        rows = h // 2
        y = np.arange(rows, dtype=np.float32)[:, None]
        x = np.arange((w + pad) // 2, dtype=np.float32)[None, :]
        for k in range(2):
            slope = (x - (w + pad) * 0.29) * (1 / (0.62 + 0.65 * y / rows)) + (w + pad) * 0.29
            n = fbm(rng, 1, (w + pad), 1, 90 - 30 * k, 3)[0]
            beam = np.interp(slope, np.arange(w + pad), n)
            body = smooth(beam.astype(np.float32), 0.45, 0.85) * np.clip(1 - y / rows, 0, 1) ** np.float32(1.1)
            full = (body * np.float32(127 * power)).repeat(2, axis=0).repeat(2, axis=1)
            # the lower part is dark in both sheets: only the upper four fifths are worth adding
            self.sheets.append(full[: h * 4 // 5].astype(np.uint8))

    def draw(self, frame: Frame, t: float, view: View) -> None:
        a, b = self.sheets
        rows = a.shape[0]
        xa = int(100 + 90 * np.sin(t * 0.33) + view.x * 0.06) % 198
        xb = int(100 - 90 * np.sin(t * 0.27 + 1)) % 198
        light = a[:, xa : xa + frame.w] + b[:, xb : xb + frame.w]
        target = frame.y[:rows]
        np.minimum(target, 235 - light, out=target)
        target += light


def _coral(
    stage: Stage, name: str, base: float, height: float, depth: float, haze: float, gap: float, clear: float = 0.0
) -> None:
    s = stage.setup
    rng = s.rng(name)
    tones: list[Rgb] = [(0.9, 0.4, 0.42), (0.95, 0.62, 0.35), (0.7, 0.4, 0.75), (0.9, 0.75, 0.45), (0.35, 0.6, 0.4)]

    def branch(
        d: ImageDraw.ImageDraw, x: float, y: float, angle: float, length: float, width: float, c: Rgb, bend: float
    ) -> None:
        if length < 5 or width < 1.2:
            return
        nx, ny = x + np.cos(angle) * length, y + np.sin(angle) * length
        d.line((x, y, nx, ny), fill=ink(c), width=int(width))
        d.ellipse(
            (nx - width / 2, ny - width / 2, nx + width / 2, ny + width / 2),
            fill=ink(blend(c, s.lit((1, 0.95, 0.9), 0.9, haze), 0.12)),
        )
        for k in (-1, 1):
            branch(
                d,
                nx,
                ny,
                angle + k * rng.uniform(0.25, 0.6) + bend,
                length * rng.uniform(0.68, 0.84),
                width * 0.76,
                c,
                bend,
            )

    pictures: list[Image.Image] = []
    for k, tone in enumerate(tones):
        h = int(height * 2)
        img = Image.new("RGBA", (h, h), ink(tone, 0))
        d = ImageDraw.Draw(img)
        c = s.lit(tone, 0.55, haze)
        if k == 4:
            for _ in range(9):
                x0 = h / 2 + rng.normal(0, h * 0.1)
                pts = [
                    (x0 + np.sin(q * 5 + x0) * h * 0.04 * q, h - h * 0.96 * q)
                    for q in np.linspace(0, rng.uniform(0.6, 1), 16)
                ]
                d.line(
                    pts, fill=ink(blend(c, s.lit(tone, 0.05, haze), rng.random())), width=int(h * 0.028), joint="curve"
                )
        elif k == 3:
            for _ in range(16):
                x0, q = h / 2 + rng.normal(0, h * 0.16), rng.uniform(0.05, 0.12) * h
                d.ellipse(
                    (x0 - q, h - q * 2.4, x0 + q, h + q * 0.4), fill=ink(blend(c, s.lit(tone, 0.1, haze), rng.random()))
                )
        else:
            for _ in range(3):
                branch(d, h / 2 + rng.normal(0, h * 0.06), h, -1.57 + rng.normal(0, 0.3), h * 0.185, h * 0.05, c, 0)
        pictures.append(img.resize((h // 2, h // 2), Image.Resampling.BOX))
    row_layer(
        stage,
        name + "-row",
        pictures,
        depth=depth,
        base=base,
        spread=12 * s.u,
        gap=gap,
        clear=clear,
        bottom=s.h + s.rise,
    )
