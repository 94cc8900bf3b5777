"""A shot's stage: layers and moving things from back to front, composed for any time.

Called by the clip maker through scene.build, filled by the places' builders. A stage goes on past the clip's end, so
an extension can continue it. Knows nothing of words beyond its plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import Camera, View, crop
from veo_mcp.sandbox.render.canvas.frame import Frame, Layer, Rgb
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth, stream
from veo_mcp.sandbox.render.canvas.palette import Palette
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery.sky import cloud_layer, sky_layer
from veo_mcp.sandbox.render.scenery.terrain import Slab, slab_layer
from veo_mcp.sandbox.render.scenery.water import Water


class Item(Protocol):
    def draw(self, frame: Frame, t: float, view: View) -> None: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What every builder needs to know of a shot."""

    plan: Plan
    key: tuple[int, ...]
    w: int
    h: int
    pal: Palette
    camera: Camera
    fine: bool
    horizon: float

    @property
    def u(self) -> float:
        """The scale of things: 1 at 720 rows of a landscape picture."""
        return self.h / 720 if self.w > self.h else self.h / 1280 * 1.25

    def rng(self, part: str) -> np.random.Generator:
        return stream(self.key, part)

    def margin(self, depth: float) -> int:
        pivot = self.camera.at(0).pivot
        return (int(self.camera.reach()[0] * abs(depth + pivot)) + 10) // 2 * 2

    @property
    def rise(self) -> int:
        """Rows of margin above and below, for moves that look up or down."""
        return (int(self.camera.reach()[1]) + 6) // 2 * 2

    def lit(self, colour: Rgb, light: float = 0.6, haze: float = 0.0) -> Rgb:
        """A surface's colour in this light; `light` 0 is turned away from the sun."""
        p = self.pal
        tint = [p.shade[i] + (p.light[i] - p.shade[i]) * light for i in range(3)]
        out = [colour[i] * tint[i] for i in range(3)]
        fog = FOG.get(self.plan.weather, 0.0)
        haze = min(1.0, haze + fog * 0.6)
        r, g, b = (min(1.0, out[i] + (p.haze[i] - out[i]) * haze) for i in range(3))
        return (r, g, b)


FOG = {"fog": 0.34, "rain": 0.14, "snow": 0.16, "storm": 0.1}


@dataclass(slots=True)
class Stage:
    setup: Setup
    items: list[Layer | Item] = field(default_factory=list["Layer | Item"])
    overlays: list[Item] = field(default_factory=list[Item])
    sun: tuple[float, float] = (0.0, 0.0)
    ground: float = 0.0  # the row where actors stand
    actor: float = 1.0  # how large they are
    far: tuple[int, float] | None = None  # where a train may pass: the index it stands before, and its row
    slot: int | None = None  # the index before which they stand; None is the very front

    def compose(self, frame: Frame, spare: Frame, t: float) -> None:
        """Draw the stage at time `t` into `frame`; `spare` is a second frame of the same size."""
        view = self.setup.camera.at(t)
        zoomed = view.zoom > 1.0005
        target = spare if zoomed else frame
        limits: list[int] = []
        limit = frame.h
        for item in reversed(self.items):
            limits.append(limit)
            if isinstance(item, Layer):
                limit = min(limit, item.covers_from(view.tilt + view.y * item.depth, frame.h))
            elif isinstance(item, Water):
                limit = min(limit, int(item.horizon + view.tilt + view.y * 0.12) + 2)
        for item, visible in zip(self.items, reversed(limits), strict=True):
            if isinstance(item, Layer):
                x = view.x * (item.depth + view.pivot) + item.drift * t
                item.draw(target, x, view.tilt + view.y * item.depth, visible)
            else:
                item.draw(target, t, view)
        if zoomed:
            crop(target, frame, view, fine=self.setup.fine)
        for item in self.overlays:
            item.draw(frame, t, view)

    # What places are built of

    def add_sky(self, *, drift: float = 5.0, sun: bool = True) -> None:
        s = self.setup
        layer, self.sun = sky_layer(
            s.key, s.pal, (s.w, s.h), s.horizon, (s.margin(0.04), s.rise), s.camera.axis,
            aurora="aurora" in s.plan.looks, sun=sun,
        )  # fmt: skip
        self.items.append(layer)
        amount = COVER.get(s.plan.weather, 0.4) * (0.5 if s.pal.stars > 0.5 and not s.plan.weather else 1)
        if amount > 0.05:
            self.items.append(
                cloud_layer(
                    s.key,
                    s.pal,
                    (s.w, s.h),
                    s.horizon,
                    (s.margin(0.07), s.rise),
                    s.camera.axis,
                    amount,
                    self.sun,
                    drift=drift,
                )
            )

    def add_slab(self, name: str, slab: Slab, bottom: int | None = None) -> None:
        s = self.setup
        low = s.h + s.rise if bottom is None else bottom
        foggy = FOG.get(s.plan.weather, 0.0)
        fog = min(0.97, slab.fog + foggy * (1.1 - slab.depth))
        slab = replace(slab, fog=fog, mist=min(1.0, slab.mist + foggy), steps=slab.steps * 2 if s.fine else slab.steps)
        self.items.append(
            slab_layer(s.rng(name), slab, s.pal, s.w, s.margin(slab.depth), low, s.camera.axis, sun_x=self.sun[0])
        )

    def add_mist(self, name: str, row: float, height: float, strength: float, depth: float, drift: float = 9.0) -> None:
        """A bank of drifting haze."""
        s = self.setup
        mx = s.margin(depth)
        rows, cols = int(height) // 2 * 2, s.w + 2 * mx + int(abs(drift) * 17)
        n = fbm(s.rng(name), rows, cols, height * 0.5, s.w * 0.3, 4)
        y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
        alpha = smooth(n, 0.25, 0.85) * np.clip(1 - y * y, 0, 1) ** np.float32(1.2) * np.float32(strength)
        rgb = np.broadcast_to(np.array(s.pal.haze, np.float32), (rows, cols, 3))
        self.items.append(
            Layer(
                rgb, alpha, top=int(row - height / 2) // 2 * 2, left=-mx - (int(abs(drift) * 17) if drift < 0 else 0), depth=depth, axis=s.camera.axis, drift=drift,
                phases=2,
            )
        )  # fmt: skip


COVER = {"clear": 0.12, "": 0.42, "fog": 0.3, "cloudy": 0.85, "rain": 0.9, "snow": 0.8, "storm": 0.98}
