"""Cinematic touches that several places share: shafts of light, high cloud, blurred leaves close to the lens.

Called by places' builders and, for quality, by scene.build. Drawn once into layers.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import Layer, blend
from veo_mcp.sandbox.render.canvas.noise import fbm
from veo_mcp.sandbox.render.scenery.plants import ink
from veo_mcp.sandbox.render.scenery.stage import Stage


def add_rays(stage: Stage) -> None:
    """Shafts of light that fan out from the sun."""
    s = stage.setup
    if s.pal.glow < 0.25 or s.plan.weather in {"rain", "storm", "snow"}:
        return
    mx = s.margin(0.1)
    rows, cols = int(s.horizon + 90 * s.u) // 2 * 2, s.w + 2 * mx
    sx, sy = stage.sun[0] + mx, stage.sun[1]
    yy, xx = np.mgrid[0:rows:2, 0:cols:2].astype(np.float32)
    angle = np.arctan2(yy - sy + 40, xx - sx)
    n = fbm(s.rng("rays"), 1, 720, 1, 44, 3)[0]
    angle = np.where(yy > sy, angle, 9)
    beam = np.interp(angle, np.linspace(-np.pi, np.pi, 720), n, right=0.0)
    dist = np.hypot(xx - sx, yy - sy) / s.h
    small = (
        np.clip((beam - 0.46) * 3.4, 0, 1)
        * np.exp(-dist * 1.3)
        * np.clip(dist * 5, 0, 1)
        * np.clip((rows - yy) / 160, 0, 1)
        * np.clip((yy - sy) / 90, 0, 1)
    )
    alpha = small.astype(np.float32).repeat(2, 0).repeat(2, 1)[:rows, :cols] * np.float32(0.3 if s.pal.moon else 0.55)
    rgb = np.broadcast_to(np.array(blend(s.pal.sun, s.pal.haze, 0.3), np.float32), (rows, cols, 3))
    stage.items.append(Layer(rgb, alpha, top=0, left=-mx, depth=0.1, axis=s.camera.axis, phases=1))


def high_cloud(stage: Stage, at: int) -> None:
    """A thin veil of cirrus behind the clouds, drawn out by the wind; put in at index `at`."""
    s = stage.setup
    if s.plan.weather in {"storm", "rain", "fog"}:
        return
    mx, my, drift = s.margin(0.05), s.rise, 2.5
    rows, cols = max(16, int(s.horizon * 0.8) + my) // 2 * 2, s.w + 2 * mx + int(drift * 18)
    span = max(s.w, s.h)
    rng = s.rng("cirrus")
    n = fbm(rng, rows, cols, span * 0.03, span * 0.42, 5, 0.6, left=mx)
    patch = fbm(rng, rows, cols, span * 0.2, span * 0.3, 2, left=mx)
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    alpha = (
        np.clip((n - 0.46) * 2.6, 0, 1)
        * np.clip((patch - 0.4) * 3, 0, 1)
        * np.clip((1 - y) * 5, 0, 1)
        * np.float32(0.5)
    )
    rgb = np.broadcast_to(np.array(blend(s.pal.cloud, s.pal.sun, 0.35), np.float32), (rows, cols, 3))
    layer = Layer(
        rgb, alpha.astype(np.float32), top=-my, left=-mx, depth=0.05, axis=s.camera.axis, drift=drift, phases=2
    )
    stage.items.insert(at, layer)


def close_leaves(stage: Stage) -> None:
    """Leaves out of focus at the frame's edges, as a long lens shows them."""
    s = stage.setup
    rng = s.rng("close")
    depth, mx = 1.5, s.margin(1.5)
    cols, rows = s.w + 2 * mx, s.h + 2 * s.rise
    img = Image.new("RGBA", (cols // 4, rows // 4), ink((0.05, 0.08, 0.04), 0))
    d = ImageDraw.Draw(img)
    winter = "snowy" in s.plan.looks or s.plan.weather == "snow"
    dark, light = ((0.5, 0.56, 0.66), (0.86, 0.9, 0.98)) if winter else ((0.05, 0.12, 0.05), (0.24, 0.36, 0.12))
    if "autumn" in s.plan.looks:
        dark, light = (0.2, 0.07, 0.02), (0.62, 0.3, 0.08)
    if "blossom" in s.plan.looks:
        dark, light = (0.4, 0.2, 0.26), (0.98, 0.74, 0.82)
    dark, light = s.lit(dark, 0.15), s.lit(light, 0.8)
    for corner in (-1, 1):
        base_x = (mx + (0 if corner < 0 else s.w)) / 4
        for _ in range(6):
            x, y = base_x + rng.normal(0, 13) * s.u, rng.uniform(-5, 30) * s.u + s.rise / 4
            angle = (0.2 if corner < 0 else 2.94) + rng.normal(0, 0.28)
            for k in range(9):
                x += float(np.cos(angle)) * 6.5 * s.u
                y += float(np.sin(angle)) * 6.5 * s.u + 1
                angle += rng.normal(0, 0.12)
                for _ in range(2):
                    q = rng.uniform(3.5, 7) * s.u * (1 - k / 14)
                    px, py = x + rng.normal(0, 4.5) * s.u, y + rng.normal(0, 4.5) * s.u
                    d.ellipse(
                        (px - q, py - q * 0.6, px + q, py + q * 0.6), fill=ink(blend(dark, light, rng.random() ** 2))
                    )
    blurred = np.asarray(_premultiplied(img).filter(ImageFilter.GaussianBlur(2.2 * s.u)), np.float32) / np.float32(255)
    alpha = blurred[..., 3]
    rgb = blurred[..., :3] / np.maximum(alpha, 1 / 255)[..., None]
    big_a = np.asarray(
        Image.fromarray(alpha).resize((cols // 2 * 2, rows // 2 * 2), Image.Resampling.BILINEAR), np.float32
    )
    big = np.asarray(
        Image.fromarray((np.clip(rgb, 0, 1) * 255).astype(np.uint8)).resize(
            (cols // 2 * 2, rows // 2 * 2), Image.Resampling.BILINEAR
        ),
        np.float32,
    ) / np.float32(255)
    used = np.flatnonzero(big_a.max(axis=1) > 0.004)
    if not used.size:
        return
    end = (int(used[-1]) + 2) // 2 * 2
    stage.items.append(
        Layer(
            big[:end], big_a[:end] * np.float32(0.92), top=-s.rise, left=-mx, depth=depth, axis=s.camera.axis, phases=2
        )
    )


def _premultiplied(img: Image.Image) -> Image.Image:
    data = np.asarray(img, np.uint16)
    out = data.copy()
    out[..., :3] = data[..., :3] * data[..., 3:] // 255
    return Image.fromarray(out.astype(np.uint8))
