"""Reference images composed into a scene: they stand in the place that the prompt names, lit and moved like it.

Called by the clip maker for reference clips. What stands before a plain ground, or is transparent around, is cut out;
any other picture becomes a framed canvas on an easel. The images are never shown as slides.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.frame import F32, Rgb, Sprite, scale, vec
from veo_mcp.sandbox.render.canvas.pen import ink
from veo_mcp.sandbox.render.figures.cast import Actor, ground_shadow
from veo_mcp.sandbox.render.scenery.stage import Stage

WOOD, CREAM = (0.42, 0.28, 0.18), (0.86, 0.82, 0.74)
DEPTH = 0.15  # images hardly move with the camera, so that those at the sides stay in the frame


def cut_out(image: Image.Image) -> Image.Image | None:
    """The subject's mask, when the image is transparent around it or its border has one plain colour."""
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        low, high = alpha.getextrema()
        if isinstance(low, int) and isinstance(high, int) and low < 32 < 220 < high:
            return alpha
    small = image.convert("RGB")
    small.thumbnail((420, 420))
    data = np.asarray(small, np.int16)
    border = np.concatenate([data[0], data[-1], data[:, 0], data[:, -1]])
    middle = np.median(border, axis=0)
    if np.abs(border - middle).max(axis=1).mean() > 9:
        return None
    plain = np.abs(data - middle).max(axis=2) < 26
    sheet = Image.fromarray(np.pad(np.where(plain, 0, 255).astype(np.uint8), 1)).copy()
    ImageDraw.floodfill(sheet, (0, 0), 128)
    mask = np.where(np.asarray(sheet)[1:-1, 1:-1] == 128, 0, 255).astype(np.uint8)
    share = float((mask > 0).mean())
    if not 0.04 < share < 0.85:
        return None
    soft = Image.fromarray(mask).resize(image.size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1.2))
    return soft.filter(ImageFilter.MinFilter(3))


def add_references(stage: Stage, images: list[Image.Image]) -> None:
    """Stand the images side by side in the stage's place, at most as wide together as the frame."""
    s = stage.setup
    r, g, b = s.lit((1, 1, 1), 0.75)
    light, side = (max(r, 0.45), max(g, 0.45), max(b, 0.48)), 1 if stage.sun[0] > s.w / 2 else -1
    floating = s.plan.place in {"space", "underwater"}
    ground = s.h * 0.72 if floating else min(stage.ground, s.h * 0.86)
    widest, tall = s.w * 0.86 / len(images), s.h * (0.5 if s.w > s.h else 0.3)
    for k, image in enumerate(images):
        mask = cut_out(image)
        if mask:
            box = mask.point([0] * 40 + [255] * 216).getbbox() or (0, 0, *image.size)
            image, mask = image.crop(box), mask.crop(box)
        fit = min(tall / image.height, widest / image.width * (0.92 if mask else 0.82))
        size = (max(8, int(image.width * fit)), max(8, int(image.height * fit)))
        rgb = _floats(image.convert("RGB").resize(size, Image.Resampling.LANCZOS))
        # the scene's light falls across the picture from the sun's side
        fall = np.linspace(1.06, 0.86, size[0], dtype=np.float32)[None, ::-side, None]
        rgb = np.clip(rgb * (vec(light) * np.float32(0.6) + np.float32(0.4)) * fall, 0, 1).astype(np.float32)
        if mask:
            alpha = _floats(mask.resize(size, Image.Resampling.LANCZOS))
        else:
            rgb, alpha = _canvas(rgb, light, easel=not floating)
        x, y = s.w * (0.07 + 0.86 * (k + 0.5) / len(images)), ground - 0.04 * s.h * (k % 2)
        shadow = None if floating else ground_shadow(size[0] * 1.2)
        bob = 12.0 if floating else 0.0
        stage.items.append(
            Actor([Sprite(rgb, alpha)], [float(rgb.shape[0])], x, y, 0.0, DEPTH, k, bob, 0.13, shadow=shadow)
        )


def _floats(image: Image.Image) -> F32:
    return np.asarray(image, np.float32) / np.float32(255)


def _canvas(rgb: F32, light: Rgb, *, easel: bool) -> tuple[F32, F32]:
    """A frame around the picture, on the legs of an easel."""
    h, w = rgb.shape[:2]
    rim = max(6, int(min(w, h) * 0.035))
    width, foot, legs = w + 2 * rim, h + 2 * rim, int(h * 0.3) if easel else 0
    sheet = Image.new("RGBA", (width, foot + legs), (60, 40, 28, 0))
    d, wood = ImageDraw.Draw(sheet), ink(scale(WOOD, min(light)))
    for x0, x1, y1 in ((0.28, 0.12, 1.0), (0.72, 0.88, 1.0), (0.5, 0.5, 0.5)) if easel else ():
        d.line((width * x0, foot - 2, width * x1, foot + legs * y1), fill=wood, width=max(3, rim // 2))
    d.rectangle((0, 0, width, foot), fill=ink(scale(CREAM, min(light))))
    data = _floats(sheet)
    out, alpha = data[..., :3].copy(), data[..., 3].copy()
    out[rim : rim + h, rim : rim + w] = rgb
    return out, alpha
