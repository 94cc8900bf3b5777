"""The blocking half of the worker: given images made small enough to be cheap, and clips drawn, into private files.

Called by the worker in a thread or a process of its own. Imports Pillow, FFmpeg and the renderer late. Never opens a
socket, never touches the ledger.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veo_mcp.sandbox.files import tighten

if TYPE_CHECKING:
    from veo_mcp.sandbox.render import ClipSpec

__all__ = ["clip_size", "prepared", "rendered"]

MEGAPIXELS = {"JPEG": 50, "PNG": 40, "WEBP": 16}
"""The largest images that are decoded. A PNG costs 4 bytes a pixel, a progressive JPEG up to 6, a WebP 12."""
SIDE = 2560
"""The longest side that the renderer makes use of."""
STRIP = 256
ORIENTATION = 0x0112
WIDE, TALL = (1280, 720), (720, 1280)


def prepared(path: Path) -> tuple[int, int]:
    """Makes an image file upright and no longer than SIDE; its size. Raises ValueError with what is wrong with it."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            # Pillow warns of a bomb before it can be asked for the size; the table above decides.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=tuple(MEGAPIXELS))
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("it is not a readable JPEG, PNG or WebP image") from None
    with image:
        most = MEGAPIXELS[image.format or "WEBP"]
        if image.width * image.height > most * 1_000_000:
            raise ValueError(f"it is {image.width} x {image.height}; a {image.format} may have {most} megapixels")
        try:
            small = max(image.size) <= SIDE
            if not small:
                # A JPEG is decoded at a fraction of its size; the others have no such way.
                image.draft("RGB", (SIDE, SIDE))
            turn = image.getexif().get(ORIENTATION, 1)
            if small and image.mode in ("RGB", "RGBA", "L", "LA", "P", "CMYK", "1"):
                return (image.height, image.width) if turn in (5, 6, 7, 8) else image.size
            drawn = _coarse(_plain(image))
            drawn.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        except (OSError, SyntaxError):
            raise ValueError("it is damaged") from None
        drawn.getexif()[ORIENTATION] = turn
        drawn = ImageOps.exif_transpose(drawn)
        drawn.info.clear()
    drawn.save(path, "PNG", compress_level=1)
    return drawn.size


def _plain(image: Any) -> Any:
    """The image with channels of eight bits, in as few copies as can be."""
    image.load()
    if image.mode.startswith("I"):
        # Sixteen bits of grey: Pillow's own conversion clips them to white.
        import numpy as np
        from PIL import Image

        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    if image.mode in ("RGB", "L") and "transparency" not in image.info:
        return image
    if image.mode == "RGBA":
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _coarse(image: Any) -> Any:
    """The image at a whole fraction of its size, where that is still more than SIDE.

    By strips: Pillow makes a second copy of a whole image with alpha before it shrinks it.
    """
    from PIL import Image

    factor = max(image.size) // SIDE
    if factor < 2:
        return image
    coarse = Image.new(image.mode, (image.width // factor, image.height // factor))
    for top in range(0, coarse.height, STRIP):
        strip = image.crop((0, top * factor, coarse.width * factor, min(coarse.height, top + STRIP) * factor))
        coarse.paste(strip.reduce(factor), (0, top))
    return coarse


def clip_size(ratio: str, images: list[tuple[int, int]], parent: Path | None) -> tuple[int, int]:
    """Wide or tall: as the parent is, as asked, or as the first image is."""
    if parent is not None:
        import av

        with av.open(str(parent)) as video:
            return TALL if video.streams.video[0].height > video.streams.video[0].width else WIDE
    if ratio == "Auto" and images:
        wide, high = images[0]
        return TALL if high > wide else WIDE
    return TALL if ratio == "9:16" else WIDE


def rendered(spec: "ClipSpec", out: Path) -> None:
    """Draws a clip into `out`, which only its owner can read."""
    from veo_mcp.sandbox.render import render_clip

    render_clip(spec, out)
    tighten(out)
