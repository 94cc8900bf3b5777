"""The blocking part of the worker: shrinks input images and renders clips, into files that only the owner can read.

Called by the worker in a thread or a process of its own. Imports Pillow, FFmpeg and the renderer late. Never opens a
socket, never touches the ledger.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veo_mcp.sandbox.files import tighten

if TYPE_CHECKING:
    from veo_mcp.sandbox.render import ClipSpec

__all__ = ["clip_size", "normalise_image", "render"]

MEGAPIXELS = {"JPEG": 50, "PNG": 40, "WEBP": 16}
"""The largest images that are decoded. A PNG costs 4 bytes a pixel, a progressive JPEG up to 6, a WebP 12."""
MAX_SIDE = 2560
"""The longest side that the renderer uses."""
STRIP = 256
"""Rows that are converted at a time, so that a wide image is never held twice."""
EXIF_ORIENTATION = 0x0112
QUARTER_TURNS = (5, 6, 7, 8)
WIDE, TALL = (1280, 720), (720, 1280)


def normalise_image(path: Path) -> tuple[int, int]:
    """Shrinks an image file in place to MAX_SIDE, upright if it is rewritten; its upright size. Raises ValueError."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            # Pillow warns of a decompression bomb before the size is known; MEGAPIXELS decides instead.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=tuple(MEGAPIXELS))
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("it is not a readable JPEG, PNG or WebP image") from None
    with image:
        limit = MEGAPIXELS[image.format or "WEBP"]
        if image.width * image.height > limit * 1_000_000:
            raise ValueError(f"it is {image.width} x {image.height}; a {image.format} may have {limit} megapixels")
        try:
            small = max(image.size) <= MAX_SIDE
            if not small:
                # A JPEG is decoded at a fraction of its size; other formats cannot be.
                image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            orientation = image.getexif().get(EXIF_ORIENTATION, 1)
            if small and image.mode in ("RGB", "RGBA", "L", "LA", "P", "CMYK", "1"):
                return (image.height, image.width) if orientation in QUARTER_TURNS else image.size
            drawn = _shrink_by_factor(_to_8_bit(image))
            drawn.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        except (OSError, SyntaxError):
            raise ValueError("it is damaged") from None
        drawn.getexif()[EXIF_ORIENTATION] = orientation
        drawn = ImageOps.exif_transpose(drawn)
        drawn.info.clear()
    drawn.save(path, "PNG", compress_level=1)
    return drawn.size


def _to_8_bit(image: Any) -> Any:
    """The image with channels of eight bits, with as few copies as possible."""
    image.load()
    if image.mode.startswith("I"):
        # Sixteen bits of grey: Pillow's own conversion clips them to white.
        import numpy as np
        from PIL import Image

        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if image.mode == "RGBA" or (image.mode in ("RGB", "L") and "transparency" not in image.info):
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _shrink_by_factor(image: Any) -> Any:
    """The image reduced by the largest whole factor that keeps it at least MAX_SIDE long.

    By strips: Pillow makes a second copy of a whole image with alpha before it shrinks it.
    """
    from PIL import Image

    factor = max(image.size) // MAX_SIDE
    if factor < 2:
        return image
    coarse = Image.new(image.mode, (image.width // factor, image.height // factor))
    for top in range(0, coarse.height, STRIP):
        strip = image.crop((0, top * factor, coarse.width * factor, min(coarse.height, top + STRIP) * factor))
        coarse.paste(strip.reduce(factor), (0, top))
    return coarse


def clip_size(ratio: str, images: list[tuple[int, int]], parent: Path | None) -> tuple[int, int]:
    """The clip's size: like its parent's, else as requested; Auto is like the first image, and wide without one."""
    if parent is not None:
        import av

        with av.open(str(parent)) as video:
            return TALL if video.streams.video[0].height > video.streams.video[0].width else WIDE
    if ratio == "Auto" and images:
        wide, high = images[0]
        return TALL if high > wide else WIDE
    return TALL if ratio == "9:16" else WIDE


def render(spec: "ClipSpec", out: Path) -> None:
    """Draws a clip into `out`, which only its owner can read."""
    from veo_mcp.sandbox.render import render_clip

    render_clip(spec, out)
    tighten(out)
