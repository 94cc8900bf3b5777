"""The sky: gradient, sun or moon with its glow, stars, aurora, and clouds lit from the sun's side.

Called by scenes when a shot is set up. Draws once into layers; nothing here runs per frame.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.frame import F32, Layer, stops, vec
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth, stream
from veo_mcp.sandbox.render.canvas.palette import Palette


def sun_place(key: tuple[int, ...], pal: Palette, w: int, h: int, horizon: float) -> tuple[float, float]:
    """Where the sun or the moon stands on the screen when the camera rests."""
    rng = stream(key, "sun")
    x = w * (0.56 + 0.2 * rng.random()) if w > h else w * (0.42 + 0.3 * rng.random())
    return x, horizon - pal.sun_height * (horizon * 0.86) + 0.01 * h * rng.random()


def sky_layer(
    key: tuple[int, ...],
    pal: Palette,
    size: tuple[int, int],
    horizon: float,
    margin: tuple[int, int],
    axis: int,
    *,
    aurora: bool = False,
    sun: bool = True,
    rays: bool = False,
) -> tuple[Layer, tuple[float, float]]:
    """The opaque backdrop, reaching a little below the horizon; and the sun's place."""
    w, h = size
    mx, my = margin
    rng = stream(key, "sky")
    rows = int(min(h, horizon + 60)) + 2 * my
    cols = w + 2 * mx
    where = max(1, int(horizon) + my)
    ramp = stops(where, pal.sky)
    col = np.concatenate([ramp, np.repeat(ramp[-1:], max(0, rows - where), axis=0)])[:rows]
    img: F32 = np.broadcast_to(col[:, None, :], (rows, cols, 3)).copy()
    sx, sy = sun_place(key, pal, w, h, horizon)
    yy = (np.arange(rows, dtype=np.float32) - np.float32(my + sy))[:, None]
    xx = (np.arange(cols, dtype=np.float32) - np.float32(mx + sx))[None, :]
    short = np.float32(min(w, h))
    if pal.stars > 0:
        _stars(rng, img, pal.stars, horizon + my)
    if aurora:
        _aurora(rng, img, horizon + my)
    d = np.sqrt(xx * xx + yy * yy)
    d /= short
    if sun:
        glow = np.exp(d * np.float32(-3.2)) * np.float32(0.5 * pal.glow) + np.exp(d * np.float32(-11)) * np.float32(
            0.55 * pal.glow
        )
        band = np.exp(-((yy / (np.float32(0.16) * short)) ** 2)) * np.exp(-np.abs(xx) / (np.float32(0.9) * short))
        if not pal.moon:
            glow = glow + band * np.float32(0.18 * pal.glow)
        tint = vec(pal.sun)
        img += np.minimum(glow, 0.92)[..., None] * (tint * np.float32(0.97) - img * np.float32(0.72))
        r = pal.sun_size
        disc = np.clip((np.float32(r) - d) * short + np.float32(0.5), 0, 1)[..., None]
        face = np.broadcast_to(
            vec(pal.sun) if pal.moon else np.minimum(vec(pal.sun) * np.float32(0.4) + np.float32(0.63), 1), img.shape
        )
        if pal.moon:
            spots = fbm(rng, rows, cols, 34, 34, 3)
            light = np.clip(0.82 + 0.25 * (xx / short) / np.float32(r), 0.6, 1.05)
            face = face * (light - smooth(spots, 0.45, 0.7) * np.float32(0.22))[..., None]
        clear = min(1.0, max(0.0, (pal.glow - 0.22) / 0.2)) if not pal.moon else 1.0
        if clear > 0:
            img += disc * (face - img) * np.float32(clear)
    img += rng.standard_normal((rows, cols), np.float32)[..., None] * np.float32(1.1 / 255)
    np.clip(img, 0, 1, out=img)
    return Layer(img, None, top=-my, left=-mx, depth=0.04, axis=axis), (sx, sy)


def _stars(rng: np.random.Generator, img: F32, strength: float, horizon: float) -> None:
    rows, cols, _ = img.shape
    n = int(rows * cols / 1500 * (0.4 + 0.6 * strength))
    y = (rng.random(n) ** 1.3 * min(horizon, rows - 3)).astype(int)
    x = rng.integers(1, cols - 2, n)
    power = (rng.random(n) ** 5 * 0.85 + 0.12).astype(np.float32) * np.float32(strength)
    fade = np.clip(1.15 - y / max(horizon, 1), 0, 1).astype(np.float32)
    tint = np.stack([0.85 + 0.15 * rng.random(n), np.full(n, 0.93), 0.85 + 0.15 * rng.random(n)], 1).astype(np.float32)
    light = (power * fade)[:, None] * tint
    np.add.at(img, (y, x), light)
    big = power > 0.5
    for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        np.add.at(img, (np.clip(y[big] + dy, 0, rows - 1), x[big] + dx), light[big] * np.float32(0.35))
    milk = fbm(rng, rows, cols, 160, 420, 4)
    lane = np.exp(-(((np.arange(rows)[:, None] / rows) - 0.62 + 0.5 * np.arange(cols)[None, :] / cols) ** 2) / 0.02)
    img += (lane.astype(np.float32) * milk * np.float32(0.12 * strength))[..., None] * np.array(
        [0.75, 0.8, 1.0], np.float32
    )


def _aurora(rng: np.random.Generator, img: F32, horizon: float) -> None:
    rows, cols, _ = img.shape
    x = np.arange(cols, dtype=np.float32)
    for k in range(3):
        wave = fbm(rng, 1, cols, 1, 420, 4)[0]
        base = horizon * (0.42 + 0.12 * k) + (wave - 0.5) * horizon * 0.7
        curtain = fbm(rng, 1, cols, 1, 60, 3)[0] ** 1.5
        y = np.arange(rows, dtype=np.float32)[:, None]
        up = base[None, :] - y
        body = np.where(up > 0, np.exp(-up / (horizon * 0.3)), np.exp(up / (horizon * 0.03)))
        streak = (0.55 + 0.45 * fbm(rng, 1, cols, 1, 14, 2)[0]) * curtain * 1.2 * np.sin(np.pi * x / cols) ** 0.5
        a = (body * streak).astype(np.float32)
        mix = np.clip(up / (horizon * 0.5), 0, 1)[..., None]
        low, high = np.array([0.2, 0.95, 0.55], np.float32), np.array([0.5, 0.25, 0.85], np.float32)
        img += a[..., None] * (low + (high - low) * mix) * np.float32(0.55)


def cloud_layer(
    key: tuple[int, ...],
    pal: Palette,
    size: tuple[int, int],
    horizon: float,
    margin: tuple[int, int],
    axis: int,
    cover: float,
    sun: tuple[float, float],
    *,
    drift: float = 5.0,
) -> Layer:
    """Clouds that drift by themselves; `cover` 0..1. Seen in perspective: flatter and closer near the horizon."""
    w, h = size
    mx, my = margin
    rng = stream(key, "clouds")
    span = max(w, h)
    rows, cols = int(horizon) + my - int(0.02 * h), w + 2 * mx + int(abs(drift) * 18)
    rows = max(rows, 16) // 2 * 2
    n = fbm(rng, rows, cols, span * 0.17, span * 0.34, 5, 0.55, left=mx)
    high = fbm(rng, rows, cols, span * 0.062, span * 0.3, 3, left=mx)
    field = n * np.float32(0.8) + high * np.float32(0.2)
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    level = np.float32(0.66 - 0.34 * cover) + np.float32(0.05) * np.abs(y - np.float32(0.5))
    body = smooth(field - level, 0.0, 0.16)
    # lit where the cloud gets thinner towards the sun
    dy = max(3, int(h * 0.014))
    lit = field - np.roll(field, (-dy if sun[1] > rows * 0.7 else dy), axis=0)
    lit += (field - np.roll(field, -dy if sun[0] > w / 2 else dy, axis=1)) * np.float32(0.6)
    near = np.exp(
        -np.hypot(np.arange(cols)[None, :] - mx - sun[0], (np.arange(rows)[:, None] - my - sun[1])) / (0.45 * w)
    )
    light = np.clip(
        np.float32(0.52) + lit * np.float32(4.2) + near.astype(np.float32) * np.float32(0.2) - body * np.float32(0.16),
        0,
        1,
    )
    rgb = vec(pal.cloud_shade) + light[..., None] * (vec(pal.cloud) - vec(pal.cloud_shade))
    edge = smooth(1 - np.abs(y * 2 - 1) * np.float32(1.0), -0.05, 0.22) if cover < 0.75 else smooth(1 - y, 0.0, 0.12)
    alpha = body * edge * np.float32(0.55 + 0.4 * cover)
    return Layer(
        rgb.astype(np.float32), alpha.astype(np.float32), top=-my, left=-mx, depth=0.07, axis=axis, drift=drift
    )
