"""Reference images composed into a scene: they stand in the place that the prompt names, lit and moved like it.

Called by the clip maker for reference clips. What stands before a plain ground, or is transparent around, is cut out;
any other picture becomes a framed canvas on an easel. The images are never shown as slides.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from veo_mcp.sandbox.render.canvas.camera import View
from veo_mcp.sandbox.render.canvas.frame import F32, Frame, Rgb, Sprite, vec
from veo_mcp.sandbox.render.scenery.stage import Stage


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
    side = 1 if stage.sun[0] > s.w / 2 else -1
    r, g, b = s.lit((1, 1, 1), 0.75)
    light = (max(r, 0.45), max(g, 0.45), max(b, 0.48))
    floating = s.plan.place in {"space", "underwater"}
    ground = s.h * 0.72 if floating else min(stage.ground, s.h * 0.86)
    widest, tall = s.w * 0.86 / len(images), s.h * (0.5 if s.w > s.h else 0.3)
    for k, image in enumerate(images):
        mask = cut_out(image)
        if mask:
            box = mask.point([0] * 40 + [255] * 216).getbbox() or (0, 0, *image.size)
            image, mask = image.crop(box), mask.crop(box)
        scale = min(tall / image.height, widest / image.width * (0.92 if mask else 0.82))
        size = (max(8, int(image.width * scale)), max(8, int(image.height * scale)))
        small = np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS), np.float32) / np.float32(255)
        rgb = _lit(small, light, side)
        if mask:
            alpha, foot = (
                np.asarray(mask.resize(size, Image.Resampling.LANCZOS), np.float32) / np.float32(255),
                float(size[1]),
            )
        else:
            rgb, alpha, foot = _canvas(rgb, light, side, easel=not floating)
        x = s.w * (0.07 + 0.86 * (k + 0.5) / len(images))
        y = ground - (0.04 * s.h if k % 2 and len(images) > 1 else 0.0)
        stage.items.append(Standing(Sprite(rgb, alpha), x, y, foot, 0.55 - 0.08 * (k % 2), floating, k * 1.9, size[0]))


def _lit(rgb: F32, light: Rgb, side: int) -> F32:
    """The scene's light falls across the picture from the sun's side."""
    fall = np.linspace(1.06, 0.86, rgb.shape[1], dtype=np.float32)[None, :, None]
    if side > 0:
        fall = fall[:, ::-1]
    return np.clip(rgb * (vec(light) * np.float32(0.6) + np.float32(0.4)) * fall, 0, 1).astype(np.float32)


def _canvas(rgb: F32, light: Rgb, side: int, *, easel: bool) -> tuple[F32, F32, float]:
    """A wooden frame around the picture, on the legs of an easel."""
    h, w = rgb.shape[:2]
    rim = max(6, int(min(w, h) * 0.035))
    legs = int(h * 0.3) if easel else 0
    sheet = Image.new("RGBA", ((w + 2 * rim) * 2, (h + 2 * rim + legs) * 2), (60, 40, 28, 0))
    d = ImageDraw.Draw(sheet)

    def tone(c: Rgb, k: float) -> tuple[int, int, int, int]:
        r, g, b = (int(min(1.0, c[i] * light[i] * k) * 255) for i in range(3))
        return (r, g, b, 255)

    wood: Rgb = (0.42, 0.28, 0.18)
    width, height = sheet.size
    if easel:
        foot = (h + 2 * rim) * 2
        for x0, x1 in ((0.28, 0.12), (0.72, 0.88)):
            d.line((width * x0, foot - 4, width * x1, height - 4), fill=tone(wood, 0.8), width=max(4, rim))
        d.line((width * 0.5, foot - 4, width * 0.5, height - legs * 0.5), fill=tone(wood, 0.5), width=max(4, rim))
        d.rectangle((width * 0.1, foot, width * 0.9, foot + rim), fill=tone(wood, 0.95))
    d.rectangle((0, 0, width, (h + 2 * rim) * 2), fill=tone((0.88, 0.84, 0.76), 0.95))
    edge = (0, 0, rim // 2, (h + 2 * rim) * 2) if side < 0 else (width - rim // 2, 0, width, (h + 2 * rim) * 2)
    d.rectangle(edge, fill=tone((1, 0.97, 0.9), 1.15))
    sheet = sheet.resize((width // 2, height // 2), Image.Resampling.BOX)
    data = np.asarray(sheet, np.float32) / np.float32(255)
    out, alpha = data[..., :3].copy(), data[..., 3].copy()
    out[rim : rim + h, rim : rim + w] = rgb
    return out, alpha, float(height / 2)


class Standing:
    """One image in the scene: with a shadow on the ground, or floating where there is none."""

    def __init__(
        self, sprite: Sprite, x: float, y: float, foot: float, depth: float, lift: bool, phase: float, width: int
    ) -> None:
        self.sprite, self.x, self.y, self.foot, self.depth, self.lift, self.phase = (
            sprite,
            x,
            y,
            foot,
            depth,
            lift,
            phase,
        )
        w, h = width // 2 * 2 + 40, max(8, width // 9 // 2 * 2)
        yy, xx = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j].astype(np.float32)
        a = np.exp(-(xx * xx + yy * yy) * 2.6) * np.float32(0.5) * np.clip(1.15 - np.hypot(xx, yy), 0, 1)
        self.shadow = None if lift else Sprite(np.zeros((h, w, 3), np.float32), a.astype(np.float32), phases=1)

    def draw(self, frame: Frame, t: float, view: View) -> None:
        x = self.x - view.x * (self.depth * 0.35 + view.pivot * 0.3)
        y = self.y + view.tilt + view.y * self.depth
        if self.lift:
            y += 12 * float(np.sin(0.8 * t + self.phase))
            x += 9 * float(np.sin(0.53 * t + self.phase))
        if self.shadow:
            self.shadow.draw(frame, x - self.shadow.w / 2, y - self.shadow.h / 2)
        self.sprite.draw(frame, x - self.sprite.w / 2, y - self.foot)
