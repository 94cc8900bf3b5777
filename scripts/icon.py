"""Draws the project's icon: a film frame at dusk with a play mark, 512 pixels square.

Run as `python scripts/icon.py`; it writes the two places where packages expect it. Drawn at four times the size, so
that the edges are smooth.
"""

from pathlib import Path

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
PLACES = (ROOT / "plugin" / ".claude-plugin" / "icon.png", ROOT / "bundle" / "icon.png")
SIZE, FINE = 512, 4
TOP, MIDDLE, LOW = (24, 26, 58), (214, 92, 86), (255, 196, 112)


def draw() -> Image.Image:
    """The icon."""
    side = SIZE * FINE
    sky = Image.new("RGB", (1, side))
    for y in range(side):
        part = y / side
        one, other, share = (TOP, MIDDLE, part / 0.6) if part < 0.6 else (MIDDLE, LOW, (part - 0.6) / 0.4)
        colour = [round(a + (b - a) * share) for a, b in zip(one, other, strict=True)]
        sky.putpixel((0, y), (colour[0], colour[1], colour[2]))
    picture = sky.resize((side, side)).convert("RGBA")
    pen = ImageDraw.Draw(picture)
    for row in (0.045, 0.885):
        for column in range(7):
            left, top = (0.06 + column * 0.131) * side, row * side
            pen.rounded_rectangle(
                (left, top, left + 0.09 * side, top + 0.07 * side), 0.018 * side, (255, 255, 255, 235)
            )
    pen.polygon([(x * side, y * side) for x, y in ((0.36, 0.27), (0.36, 0.73), (0.76, 0.5))], fill=(255, 255, 255, 255))
    corners = Image.new("L", (side, side), 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, side - 1, side - 1), 0.18 * side, 255)
    picture.putalpha(corners)
    return picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for place in PLACES:
        draw().save(place, optimize=True)
