"""A shot's stage: layers and moving things from back to front, composed for any time.

Called by the clip maker through scene.build, filled by the places' builders. A stage goes on past the clip's end, so
an extension can continue it. Knows nothing of words beyond its plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.camera import Camera, View, crop
from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Layer, Rgb, blend
from veo_mcp.sandbox.render.canvas.noise import stream
from veo_mcp.sandbox.render.canvas.palette import Palette
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.language.plan import Plan

FOG = {"fog": 0.34, "rain": 0.14, "snow": 0.16, "storm": 0.1}  # how much haze a weather lays over everything
SCALE = {"close": 1.2, "wide": 0.82}  # how large things are, by framing
BLUR = {"close": 5.0}  # how far out of focus the far is, in pixels, by framing
BLUR_FINE = 4.0  # and what `quality` has in any case
FOCUS = 0.9  # the depth at which figures stand and the picture is sharp


class Item(Protocol):
    def draw(self, frame: Frame, t: float, view: View) -> None: ...


@runtime_checkable
class Opaque(Protocol):
    """What hides everything from some row down: water."""

    def top(self, view: View) -> float: ...


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
        return (self.h / 720 if self.w > self.h else self.h / 1280 * 1.25) * SCALE.get(self.plan.framing, 1.0)

    @property
    def winter(self) -> bool:
        return "snowy" in self.plan.looks or self.plan.weather == "snow"

    @property
    def wet(self) -> bool:
        return self.plan.weather in {"rain", "storm"}

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
        haze = min(1.0, haze + FOG.get(self.plan.weather, 0.0) * 0.6)
        r, g, b = (min(1.0, c * k) for c, k in zip(colour, blend(p.shade, p.light, light), strict=True))
        return blend((r, g, b), p.haze, haze)


class Sheet:
    """An empty picture as wide as a layer of this depth, drawn on with Pillow at `scale` times its size."""

    def __init__(
        self, s: Setup, depth: float, top: float, bottom: float | None = None, *, scale: int = 1, fill: Rgb = (0, 0, 0)
    ) -> None:
        self.depth, self.scale, self.margin = depth, scale, s.margin(depth)
        self.top = int(top) // 2 * 2
        self.cols, self.rows = s.w + 2 * self.margin, int((s.h + s.rise if bottom is None else bottom) - self.top)
        self.img = Image.new("RGBA", (self.cols * scale, max(4, self.rows) * scale), ink(fill, 0))
        self.d = ImageDraw.Draw(self.img)

    def data(self) -> tuple[F32, F32]:
        img = self.img if self.scale == 1 else self.img.resize((self.cols, max(4, self.rows)), Image.Resampling.BOX)
        data = np.asarray(img, np.float32) / np.float32(255)
        return data[..., :3], data[..., 3]


@dataclass(slots=True)
class Stage:
    setup: Setup
    items: list[Layer | Item] = field(default_factory=list["Layer | Item"])
    overlays: list[Item] = field(default_factory=list[Item])
    sun: tuple[float, float] = (0.0, 0.0)
    ground: float = 0.0  # the row where figures stand
    walk_depth: float = 0.85  # the depth of the ground they stand on
    actor: float = 1.0  # how large they are
    slot: int | None = None  # the index before which they stand; None is the very front
    afloat: float | None = None  # the row where boats lie, where there is water

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
            elif isinstance(item, Opaque):
                limit = min(limit, int(item.top(view)) + 2)
        for item, visible in zip(self.items, reversed(limits), strict=True):
            if isinstance(item, Layer):
                x = view.x * (item.depth + view.pivot) + item.drift * t
                item.draw(target, x, view.tilt + view.y * item.depth, visible)
            else:
                item.draw(target, t, view)
        if zoomed:
            crop(target, frame, view)
        for item in self.overlays:
            item.draw(frame, t, view)

    # What places are built of

    def lay(
        self, rgb: F32, alpha: F32 | None, *, top: float, depth: float, left: float | None = None, drift: float = 0.0, phases: int = 4
    ) -> None:  # fmt: skip
        """Add a picture as a layer, out of focus if it lies far from where the figures stand."""
        s = self.setup
        unnamed = (BLUR_FINE if s.plan.subjects else BLUR_FINE / 2) if s.fine else 0.0
        blur = BLUR.get(s.plan.framing, unnamed) * abs(FOCUS - depth) * s.u
        if blur > 0.6 and alpha is not None:
            rgb, alpha = _soft(rgb, alpha, blur)
        x, axis = -s.margin(depth) if left is None else int(left), s.camera.axis
        top = int(top) // 2 * 2
        self.items.append(Layer(rgb, alpha, top=top, left=x, depth=depth, axis=axis, drift=drift, phases=phases))

    def put(self, sheet: Sheet, phases: int = 4) -> None:
        rgb, alpha = sheet.data()
        self.lay(rgb, alpha, top=sheet.top, depth=sheet.depth, phases=phases)


def _soft(rgb: F32, alpha: F32, radius: float) -> tuple[F32, F32]:
    """Out of focus; what lay solid along the lower edge stays solid."""
    data = np.dstack([np.clip(rgb, 0, 1) * alpha[..., None], alpha]) * np.float32(255)
    pad = int(radius * 3)
    padded = np.pad(data.astype(np.uint8), ((0, 0), (pad, pad), (0, 0)), mode="edge")
    padded = np.concatenate([padded, np.repeat(padded[-1:], pad, axis=0)])
    img = Image.fromarray(padded, "RGBA").filter(ImageFilter.GaussianBlur(radius))
    out = np.asarray(img, np.float32)[: rgb.shape[0], pad:-pad] / np.float32(255)
    soft = out[..., 3]
    return out[..., :3] / np.maximum(soft, np.float32(1 / 255))[..., None], np.where(soft > 0.99, np.float32(1), soft)
