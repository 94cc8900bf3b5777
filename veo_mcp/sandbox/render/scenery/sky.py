"""The sky: gradient, glow, the sun or the moon where one is named, stars, aurora, clouds, shafts of light.

Called by the places when a shot is set up. Draws once into layers; nothing here runs per frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32, stops, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth
from veo_mcp.sandbox.render.scenery.stage import Stage

DITHER = np.float32(1.1 / 255)  # against banding
SKY_DEPTH, CLOUD_DEPTH = 0.04, 0.07
CLOUD_SECONDS = 20  # how long clouds may drift before their layer ends
COVER = {"clear": 0.1, "": 0.34, "fog": 0.3, "cloudy": 0.85, "rain": 0.9, "snow": 0.8, "storm": 0.98}  # of cloud


def sky(stage: Stage, *, drift: float) -> None:
    """The opaque backdrop, reaching a little below the horizon, and clouds that drift over it; sets the stage's sun."""
    s = stage.setup
    w, h, pal, horizon, mx, my = s.w, s.h, s.pal, s.horizon, s.margin(CLOUD_DEPTH), s.rise
    rng, chance = s.rng("sky"), s.rng("sun")
    sx = w * (0.56 + 0.2 * chance.random()) if w > h else w * (0.42 + 0.3 * chance.random())
    sy = horizon - pal.sun_height * (horizon * 0.86) + 0.01 * h * chance.random()
    stage.sun = (sx, sy)
    rows, cols = int(min(h, horizon + 60)) + 2 * my, w + 2 * mx
    where = max(1, int(horizon) + my)
    ramp = stops(where, pal.sky)
    col = np.concatenate([ramp, np.repeat(ramp[-1:], max(0, rows - where), axis=0)])[:rows]
    img: F32 = np.broadcast_to(col[:, None, :], (rows, cols, 3)).copy()
    yy = (np.arange(rows, dtype=np.float32) - np.float32(my + sy))[:, None]
    xx = (np.arange(cols, dtype=np.float32) - np.float32(mx + sx))[None, :]
    short = np.float32(min(w, h))
    if pal.stars > 0:
        _stars(rng, img, pal.stars, horizon + my)
    if "aurora" in s.plan.looks:
        _aurora(rng, img, horizon + my)
    d = np.sqrt(xx * xx + yy * yy) / short
    glow = (np.exp(d * np.float32(-3.2)) * 0.5 + np.exp(d * np.float32(-11)) * (0.55 if pal.disc else 0.1)) * pal.glow
    if not pal.moon:
        band = np.exp(-((yy / (np.float32(0.16) * short)) ** 2)) * np.exp(-np.abs(xx) / (np.float32(0.9) * short))
        glow = glow + band * np.float32(0.18 * pal.glow)
    img += np.minimum(glow, 0.92)[..., None].astype(np.float32) * (
        vec(pal.sun) * np.float32(0.97) - img * np.float32(0.72)
    )
    if pal.disc:
        disc = np.clip((np.float32(pal.sun_size) - d) * short + np.float32(0.5), 0, 1)[..., None]
        face = vec(pal.sun) if pal.moon else np.minimum(vec(pal.sun) * np.float32(0.4) + np.float32(0.63), 1)
        if pal.moon:
            spots = smooth(fbm(rng, rows, cols, 34, 34, 3), 0.45, 0.7) * np.float32(0.22)
            face = face * (np.clip(0.82 + 0.25 * (xx / short) / np.float32(pal.sun_size), 0.6, 1.05) - spots)[..., None]
        img += disc * (face - img)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * DITHER
    np.clip(img, 0, 1, out=img)
    stage.lay(img, None, top=-my, left=-mx, depth=SKY_DEPTH)
    cover = COVER[s.plan.weather] * (0.4 if pal.stars > 0.5 and not s.plan.weather else 1)
    if cover > 0.05:
        _clouds(stage, cover, drift)


def sprinkle(img: F32, at: tuple[np.ndarray, np.ndarray], light: F32, cross: float) -> None:
    """Points of light, the brighter ones with a small cross (stars)."""
    y, x = at
    rows, cols, _ = img.shape
    np.add.at(img, (y, x), light)
    big = light.max(axis=1) > 0.45
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        for reach, k in ((1, cross), (2, cross * 0.35)):
            cell = (np.clip(y[big] + dy * reach, 0, rows - 1), np.clip(x[big] + dx * reach, 0, cols - 1))
            np.add.at(img, cell, light[big] * np.float32(k))


def _stars(rng: np.random.Generator, img: F32, strength: float, horizon: float) -> None:
    rows, cols, _ = img.shape
    n = int(rows * cols / 1100 * (0.4 + 0.6 * strength))
    y, x = (rng.random(n) ** 1.3 * min(horizon, rows - 3)).astype(int), rng.integers(1, cols - 2, n)
    power = (rng.random(n) ** 4 * 0.85 + 0.2) * strength * np.clip(1.15 - y / max(horizon, 1), 0, 1)
    tint = np.stack([0.85 + 0.15 * rng.random(n), np.full(n, 0.93), 0.85 + 0.15 * rng.random(n)], 1)
    sprinkle(img, (y, x), (power[:, None] * tint).astype(np.float32), 0.35)
    milk = fbm(rng, rows, cols, 160, 420, 4)
    lane = np.exp(-(((np.arange(rows)[:, None] / rows) - 0.62 + 0.5 * np.arange(cols)[None, :] / cols) ** 2) / 0.02)
    img += (lane.astype(np.float32) * milk * np.float32(0.12 * strength))[..., None] * vec((0.75, 0.8, 1.0))


def _aurora(rng: np.random.Generator, img: F32, horizon: float) -> None:
    rows, cols, _ = img.shape
    x, y = np.arange(cols, dtype=np.float32), np.arange(rows, dtype=np.float32)[:, None]
    low, high = vec((0.2, 0.95, 0.55)), vec((0.5, 0.25, 0.85))
    for k in range(3):
        wave = fbm(rng, 1, cols, 1, 420, 4)[0]
        base = horizon * (0.42 + 0.12 * k) + (wave - 0.5) * horizon * 0.7
        curtain = fbm(rng, 1, cols, 1, 60, 3)[0] ** 1.5
        up = base[None, :] - y
        body = np.where(up > 0, np.exp(-up / (horizon * 0.3)), np.exp(up / (horizon * 0.03)))
        streak = (0.55 + 0.45 * fbm(rng, 1, cols, 1, 14, 2)[0]) * curtain * 1.2 * np.sin(np.pi * x / cols) ** 0.5
        mix = np.clip(up / (horizon * 0.5), 0, 1)[..., None]
        img += (body * streak).astype(np.float32)[..., None] * (low + (high - low) * mix) * np.float32(0.55)


def _clouds(stage: Stage, cover: float, drift: float) -> None:
    """Clouds that drift by themselves; `cover` 0..1. Seen in perspective: flatter and closer near the horizon."""
    s, rng, pal, sun = stage.setup, stage.setup.rng("clouds"), stage.setup.pal, stage.sun
    w, h, horizon, mx, my, fine = s.w, s.h, s.horizon, s.margin(CLOUD_DEPTH), s.rise, s.fine
    span = max(w, h)
    rows, cols = max(int(horizon) + my - int(0.02 * h), 16) // 2 * 2, w + 2 * mx + int(abs(drift) * CLOUD_SECONDS)
    n = fbm(rng, rows, cols, span * 0.17, span * 0.34, 7 if fine else 5, 0.55, left=mx)
    field = n * np.float32(0.8) + fbm(rng, rows, cols, span * 0.062, span * 0.3, 3, left=mx) * np.float32(0.2)
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    body = smooth(field - (np.float32(0.66 - 0.34 * cover) + np.float32(0.05) * np.abs(y - np.float32(0.5))), 0.0, 0.16)
    # lit where the cloud gets thinner towards the sun
    dy = max(3, int(h * 0.014))
    lit = field - np.roll(field, (-dy if sun[1] > rows * 0.7 else dy), axis=0)
    lit += (field - np.roll(field, -dy if sun[0] > w / 2 else dy, axis=1)) * np.float32(0.6)
    away = np.hypot(np.arange(cols)[None, :] - mx - sun[0], np.arange(rows)[:, None] - my - sun[1])
    near = np.exp(-away / (0.45 * w)).astype(np.float32) * np.float32(0.2)
    light = np.clip(np.float32(0.52) + lit * np.float32(6.0 if fine else 4.2) + near - body * np.float32(0.16), 0, 1)
    rgb = vec(pal.cloud_shade) + light[..., None] * (vec(pal.cloud) - vec(pal.cloud_shade))
    edge = smooth(1 - np.abs(y * 2 - 1), -0.05, 0.22) if cover < 0.75 else smooth(1 - y, 0.0, 0.12)
    alpha = body * edge * np.float32(0.55 + 0.4 * cover)
    if pal.disc:
        # a sun or a moon that is named is not covered up
        alpha = alpha * (1 - np.exp(-((away / (3.2 * pal.sun_size * min(w, h))) ** 2)).astype(np.float32))
    stage.lay(rgb.astype(np.float32), alpha.astype(np.float32), top=-my, left=-mx, depth=CLOUD_DEPTH, drift=drift)


def rays(stage: Stage, *_: Any) -> None:
    """Shafts of light that fan out from the sun."""
    s = stage.setup
    if s.pal.glow < 0.25 or s.plan.weather in {"rain", "storm", "snow"}:
        return
    half, (sx, sy) = 2, (stage.sun[0] + s.margin(0.1), stage.sun[1])
    rows, cols = int(s.horizon + 90 * s.u) // 2 * 2, s.w + 2 * s.margin(0.1)
    yy, xx = np.mgrid[0:rows:half, 0:cols:half].astype(np.float32)
    angle = np.where(yy > sy, np.arctan2(yy - sy + 40, xx - sx), 9)
    beam = np.interp(angle, np.linspace(-np.pi, np.pi, 720), fbm(s.rng("rays"), 1, 720, 1, 44, 3)[0], right=0.0)
    dist = np.hypot(xx - sx, yy - sy) / s.h
    ends = np.clip(dist * 5, 0, 1) * np.clip((rows - yy) / 160, 0, 1) * np.clip((yy - sy) / 90, 0, 1)
    small = np.clip((beam - 0.46) * 3.4, 0, 1) * np.exp(-dist * 1.3) * ends * (0.3 if s.pal.moon else 0.6)
    alpha = small.astype(np.float32).repeat(half, 0).repeat(half, 1)[:rows, :cols]
    rgb = np.broadcast_to(vec(s.pal.sun) * np.float32(0.7) + vec(s.pal.haze) * np.float32(0.3), (rows, cols, 3))
    stage.lay(rgb.astype(np.float32), alpha, top=0, depth=0.1, phases=1)
