"""Given pictures: images and parents' last frames made into frames, morphs between them, reference compositions.

Called by the clip maker for image modes and extensions. Opens local files only, with Pillow's bomb guards on.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageOps

from veo_mcp.sandbox.render.canvas.camera import View, crop
from veo_mcp.sandbox.render.canvas.frame import F32, U16, Frame, as_u8, halve, to_yuv
from veo_mcp.sandbox.render.canvas.noise import fbm, smooth

MAX_PIXELS, LARGEST = 40_000_000, 2560  # of a file, and of a side that is worked with


def open_image(path: Path, *, alpha: bool = False) -> Image.Image:
    """An image as RGB (or, when asked and it has one, with its alpha), upright, no larger than LARGEST on a side; raises ValueError for what is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(path, formats=("JPEG", "PNG", "WEBP"))
            if image.width * image.height > MAX_PIXELS or min(image.size) < 1:
                raise ValueError("The image is too large.")
            image.draft("RGB", (LARGEST, LARGEST))
            image.load()
        except (OSError, Image.DecompressionBombError, Image.DecompressionBombWarning, SyntaxError) as exc:
            raise ValueError("The image could not be read.") from exc
    turned = ImageOps.exif_transpose(image)
    if turned.mode in {"RGBA", "LA", "PA"} or "transparency" in turned.info:
        if alpha:
            turned = turned.convert("RGBA")
        else:
            flat = Image.new("RGBA", turned.size, (128, 128, 128, 255))
            flat.alpha_composite(turned.convert("RGBA"))
            turned = flat.convert("RGB")
    else:
        turned = turned.convert("RGB")
    turned.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    return turned


def fitted(image: Image.Image, w: int, h: int) -> F32:
    """The image covering w by h, cut around its middle; as floats 0..1."""
    filled = ImageOps.fit(image, (w, h), Image.Resampling.LANCZOS, centering=(0.5, 0.5))
    return np.asarray(filled, np.float32) / np.float32(255)


def frame_of(rgb: F32) -> Frame:
    frame = Frame(rgb.shape[1], rgb.shape[0])
    y, u, v = to_yuv(rgb)
    frame.y[...] = as_u8(y)
    frame.u[...] = as_u8(halve(u))
    frame.v[...] = as_u8(halve(v))
    return frame


@dataclass(frozen=True, slots=True)
class Ended:
    """How a parent clip ended: its last frame, and what it wrote down about its scene and music."""

    frame: Frame
    note: dict[str, Any]


def parent_end(path: Path, w: int, h: int) -> Ended:
    last: Any = None
    with av.open(str(path)) as container:
        try:
            note = json.loads(container.metadata.get("comment", "{}"))
        except ValueError:
            note = {}
        stream = container.streams.video[0]
        stream.thread_count = 1
        # from the last keyframe before the end on; the whole clip need not be decoded
        if stream.duration and stream.time_base:
            container.seek(max(0, stream.duration - 2), stream=stream, backward=True)
        for picture in container.decode(stream):
            last = picture
    if last is None:
        raise ValueError("The parent clip has no picture.")
    if (last.width, last.height) != (w, h):
        last = last.reformat(width=w, height=h, format="yuv420p")
    frame = Frame(w, h)
    frame.buf[...] = last.to_ndarray(format="yuv420p")
    return Ended(frame, note if isinstance(note, dict) else {})


def ease(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


class Pair:
    """From image one to image two: both move on the same path, and one becomes the other."""

    ZOOM, SOFT = 0.14, 0.22  # how far both come nearer; how soft the edge is along which one becomes the other

    def __init__(
        self, rng: np.random.Generator, first: Frame, last: Frame | None, seconds: float, *, fine: bool
    ) -> None:
        self.first, self.last, self.seconds, self.fine = first, last, seconds, fine
        noise = fbm(rng, first.h // 2, first.w // 2, first.h * 0.24, first.h * 0.24, 5, 0.5)
        # equalised by rank: a threshold uncovers area at an even pace
        ranks = np.interp(noise, np.quantile(noise, np.linspace(0, 1, 65)), np.linspace(0, 1, 65))
        self.field: F32 = ranks.astype(np.float32)
        self.cx, self.cy = (float(v) for v in rng.uniform(0.35, 0.65, 2))

    def _near(self, source: Frame, target: Frame, amount: float) -> None:
        crop(source, target, View(zoom=1 + self.ZOOM * amount, cx=self.cx, cy=self.cy))

    def compose(self, frame: Frame, spare: Frame, t: float) -> None:
        p = t / self.seconds
        if self.last is None:
            # at rest in the first frame, then a slow push
            self._near(self.first, frame, ease(p) * p)
            return
        amount = ease((p - 0.30) / 0.42)
        if amount < 1:
            self._near(self.first, frame, ease(p))
        if amount > 0:
            self._near(self.last, spare, ease(1 - p))
            # a dissolve whose edge follows noise, growing from where it starts to everywhere
            small = smooth(np.float32(amount * (1 + self.SOFT)) - self.field, 0.0, self.SOFT)
            mask: U16 = (small * 256).astype(np.uint16)
            frame.reveal(spare, mask.repeat(2, axis=0).repeat(2, axis=1), mask)
