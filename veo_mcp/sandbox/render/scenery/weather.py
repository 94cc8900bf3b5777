"""What falls, drifts and flashes in front of the lens: rain, snow, lightning, petals, leaves, fireflies.

Called once a shot to put overlays on the stage, and then per frame. Tiles are drawn once and scrolled.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import U8, Frame, Rgb, Sprite, scale, vec
from veo_mcp.sandbox.render.canvas.noise import ROUND, flashes
from veo_mcp.sandbox.render.scenery.plants import AUTUMN
from veo_mcp.sandbox.render.scenery.stage import Item, Setup, Stage

INDOORS = frozenset({"room", "space", "underwater"})
AFTERGLOW, AGAIN = 0.5, 0.17  # seconds that a flash lasts, and after which it flickers once more
#: snow near and far: sizes of flakes, how many, how blurred, how fast
FLAKES = (((0.8, 1.5), 460, 0.6, 55), ((1.5, 2.8), 170, 0.8, 105), ((3.2, 6.0), 34, 1.9, 185))


class Scroll:
    """A pre-drawn tile of light that repeats in both directions without a seam, merged by the brighter pixel."""

    def __init__(self, tile: U8, vx: float, vy: float, sway: float = 0.0, par: float = 1.0) -> None:
        self.th, self.tw = tile.shape
        self.tile = np.tile(tile, (2, 2))
        self.vx, self.vy, self.sway, self.par = vx, vy, sway, par

    def draw(self, frame: Frame, t: float, view: View) -> None:
        x = int(view.x * self.par - self.vx * t + self.sway * np.sin(t * 0.9)) % self.tw
        y = int(-self.vy * t - view.tilt) % self.th
        np.maximum(frame.y, self.tile[y : y + frame.h, x : x + frame.w], out=frame.y)


def _tile(
    w: int,
    h: int,
    count: int,
    blur: float,
    draw: Callable[[ImageDraw.ImageDraw, float, float], None],
    rng: np.random.Generator,
) -> U8:
    """`count` marks at random places, those at an edge drawn at the other one too."""
    img = Image.new("L", (w, h))
    d = ImageDraw.Draw(img)
    for _ in range(count):
        x, y, state = rng.uniform(0, w), rng.uniform(0, h), rng.bit_generator.state
        for ox, oy in ((ox, oy) for ox in (-w, 0, w) for oy in (-h, 0, h)):
            rng.bit_generator.state = state
            draw(d, x + ox, y + oy)
    return np.asarray(img.filter(ImageFilter.GaussianBlur(blur)), np.uint8)


def add_falling(s: Setup) -> list[Item]:
    """Rain or snow before whatever is there."""
    rng, area, out = s.rng("falling"), s.w * s.h / (1280 * 720), list[Item]()
    if s.wet:
        wind = 0.26 if s.plan.weather == "storm" else 0.1
        base = float(np.clip(np.mean(np.asarray(s.pal.haze)) * 190 + 75, 95, 205))
        count = int(420 * area * (1.5 if s.plan.weather == "storm" else 1))
        for number, length, level, width, speed, par in (
            (count, 26, base * 0.82, 1, 900, 0.3),
            (count // 5, 74, base, 2, 1650, 0.9),
        ):

            def streak(
                d: ImageDraw.ImageDraw, x: float, y: float, n: float = length, level: float = level, width: int = width
            ) -> None:
                n *= rng.uniform(0.6, 1.3)
                d.line((x, y, x + wind * n, y + n), fill=int(level * rng.uniform(0.55, 1)), width=width)

            out.append(Scroll(_tile(s.w, s.h, number, 0.6, streak, rng), speed * wind, speed, par=par))
    if s.plan.weather == "snow":
        for k, (size, count, blur, speed) in enumerate(FLAKES):

            def flake(d: ImageDraw.ImageDraw, x: float, y: float, size: tuple[float, float] = size) -> None:
                r, v = rng.uniform(*size), int((215 if s.pal.night < 0.9 else 190) * rng.uniform(0.7, 1))
                d.ellipse((x - r, y - r, x + r, y + r), fill=v)

            tile = _tile(s.w, s.h, int(count * area), blur, flake, rng)
            out.append(Scroll(tile, 22 + 14 * k, speed, 12 + 8 * k, 0.3 + 0.35 * k))
    return out


class Lightning:
    """Flashes that light the whole frame, each with one of two bolts; when, says canvas.noise."""

    def __init__(self, key: tuple[int, ...], rng: np.random.Generator, w: int, h: int, horizon: float) -> None:
        self.key = key
        self.bolts = [self._bolt(rng, int(w * 0.3), int(horizon)) for _ in range(2)]
        self.xs = [rng.uniform(0.05, 0.65) * w for _ in self.bolts]
        values = np.arange(256, dtype=np.float32)
        brighter = (values + (235 - values) * k * 0.34 for k in np.linspace(0, 1, 17))
        self.luts = [np.clip(one, 0, 235).astype(np.uint8) for one in brighter]

    @staticmethod
    def _bolt(rng: np.random.Generator, w: int, h: int) -> Sprite:
        img = Image.new("L", (w, h))
        d = ImageDraw.Draw(img)

        def fork(x: float, y: float, width: float, heading: float) -> None:
            while y < h and width > 0.6:
                nx, ny = x + rng.normal(heading, 12), y + rng.uniform(8, 24)
                d.line((x, y, nx, ny), fill=255, width=max(1, int(width)))
                if rng.random() < 0.13:
                    fork(nx, ny, width * 0.55, heading + rng.choice([-7, 7]))
                x, y, width = nx, ny, width * 0.985

        fork(w / 2, 0, 4, 0)
        core = np.asarray(img, np.float32) / np.float32(255)
        glow = np.asarray(img.filter(ImageFilter.GaussianBlur(9)), np.float32) / np.float32(255)
        colour = np.broadcast_to(vec((0.93, 0.93, 1.0)), (h, w, 3))
        return Sprite(colour, np.clip(core + glow * np.float32(1.6), 0, 1), phases=1)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        for at in flashes(self.key, t - AFTERGLOW - AGAIN, t + 1e-6):
            which = int(at / ROUND) % 2
            for lag, power in ((0.0, 1.0), (AGAIN, 0.7)):
                past = t - at - lag
                if 0 <= past < AFTERGLOW:
                    k = power * float(np.exp(-past * 9))
                    frame.y[...] = self.luts[int(k * 16)].take(frame.y)
                    if k > 0.2:
                        self.bolts[which].draw(frame, self.xs[which], 0, fade=min(1.0, k * 1.2))


def glow_sprite(colour: Rgb, r: int, core: float = 0.22) -> Sprite:
    y, x = np.mgrid[-r : r + 1, -r : r + 1].astype(np.float32) / r
    d = np.sqrt(x * x + y * y)
    alpha = np.clip(np.exp(-d * 4.2) * 0.75 - 0.01, 0, 1) * np.clip(1 - d, 0, 1) + np.clip((core - d) * 8, 0, 1)
    white = np.clip((core * 1.5 - d) * 5, 0, 1)[..., None]
    rgb = vec(colour) + white * (1 - vec(colour)) * np.float32(0.8)
    return Sprite(rgb.astype(np.float32), np.clip(alpha, 0, 1).astype(np.float32))


class Wanderers:
    """Small things that wander and blink: fireflies, dust, petals, plankton. They come back in outside the frame."""

    EDGE = 60  # pixels outside the frame at which one leaves and another enters

    def __init__(
        self, rng: np.random.Generator, w: int, h: int, sprites: list[Sprite], count: int, *, area: tuple[float, float],
        fall: float = 0.0, blow: float = 0.0, blink: bool = True, roam: float = 40.0,
    ) -> None:  # fmt: skip
        self.w, self.h, self.sprites, self.p = w, h, sprites, rng.random((count, 6))
        self.area, self.fall, self.blow, self.blink, self.roam = area, fall, blow, blink, roam

    def draw(self, frame: Frame, t: float, view: View) -> None:
        low, tall, span = self.area[0] * self.h, (self.area[1] - self.area[0]) * self.h, self.w + 2 * self.EDGE
        for i, (a, b, c, d, e, f) in enumerate(self.p):
            near, sprite = 0.4 + 0.8 * f, self.sprites[i % len(self.sprites)]
            x = a * span + (self.blow * t - view.x) * near + self.roam * np.sin(t * (0.4 + c) + d * 6)
            y = low + (b * tall + self.fall * t * near) % tall + self.roam * 0.6 * np.sin(t * (0.5 + d) + c * 6)
            fade = float(np.clip(0.55 + 0.75 * np.sin(t * (1.2 + e) + b * 20), 0, 1)) if self.blink else 0.9
            sprite.draw(frame, float(x % span) - self.EDGE - sprite.w / 2, float(y) - sprite.h / 2, fade=fade)


def _petal(rng: np.random.Generator, colour: Rgb, size: int) -> Sprite:
    img = Image.new("L", (size * 4, size * 4))
    c, r, flat = size * 2, size * 1.6, rng.uniform(0.35, 0.8)
    ImageDraw.Draw(img).ellipse((c - r, c - r * flat, c + r, c + r * flat), fill=255)
    turned = img.rotate(rng.uniform(0, 180)).resize((size, size), Image.Resampling.BOX)
    return Sprite(np.broadcast_to(vec(colour), (size, size, 3)), np.asarray(turned, np.float32) / np.float32(255))


def add_weather(stage: Stage) -> None:
    s = stage.setup
    if s.plan.place in INDOORS:
        return
    rng, looks = s.rng("weather"), s.plan.looks
    if s.plan.weather == "storm":
        stage.overlays.append(Lightning(s.key, rng, s.w, s.h, s.horizon))
    stage.overlays += add_falling(s)
    tones = [scale((1.0, 0.8, 0.87), k) for k in (1.0, 0.92)] if "blossom" in looks else AUTUMN
    if {"blossom", "autumn"} & looks:
        sprites = [_petal(rng, s.lit(c, 0.85), k) for c in tones for k in (8, 11, 14)]
        stage.overlays.append(Wanderers(rng, s.w, s.h, sprites, 40, area=(-0.05, 1.05), fall=52, blow=54, blink=False))
    if "fireflies" in looks:
        glows = [glow_sprite((0.85, 1.0, 0.35), int(r * s.u)) for r in (14, 20, 27)]
        stage.overlays.append(Wanderers(rng, s.w, s.h, glows, 60, area=(0.35, 0.95)))
