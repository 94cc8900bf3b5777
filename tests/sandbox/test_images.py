"""Images as people have them: turned by EXIF, enormous, damaged, of odd kinds; none costs much memory."""

import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import anyio
import pytest
from PIL import Image

from tests.support.receiver import receiver
from tests.support.sandbox_api import api
from veo_mcp.sandbox.rendering import MAX_SIDE, MEGAPIXELS, clip_size, normalise_image

pytestmark = pytest.mark.anyio


def saved(path: Path, image: Image.Image, kind: str = "PNG", **options: Any) -> Path:
    image.save(path, kind, **options)
    return path


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(500, 300), (4000, 2400)], ids=["small", "large"])
def test_auto_follows_the_picture_as_it_is_seen(
    tmp_path: Path, orientation: int, kind: str, size: tuple[int, int]
) -> None:
    image = Image.new("RGB", size, (200, 30, 30))
    path = saved(tmp_path / "x", image, kind, exif=turned(orientation))
    wide, high = normalise_image(path)
    assert (high > wide) is (orientation >= 5)
    assert clip_size("Auto", [(wide, high)], None) == ((720, 1280) if orientation >= 5 else (1280, 720))
    with Image.open(path) as after:
        left = after.getexif().get(0x0112, 1)
        assert max(after.size) <= MAX_SIDE
        assert (after.height > after.width) is (orientation >= 5 and left == 1)


def test_a_large_picture_is_turned_the_right_way_round(tmp_path: Path) -> None:
    image = Image.new("RGB", (4000, 2400), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 2000, 2400))
    path = saved(tmp_path / "x", image, "JPEG", exif=turned(6))
    normalise_image(path)
    with Image.open(path) as after:
        top, bottom = after.getpixel((10, 10)), after.getpixel((10, after.height - 10))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > 50 > bottom[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("size", [(300, 200), (3000, 2000)], ids=["small", "large"])
def test_every_kind_of_pixel_is_taken(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    image = Image.new(mode, size)
    path = saved(tmp_path / "x", image, "JPEG" if mode == "CMYK" else "PNG")
    wide, high = normalise_image(path)
    assert wide > high
    assert wide <= MAX_SIDE
    with Image.open(path) as after:
        after.load()


def test_clear_parts_stay_clear_when_a_picture_is_made_smaller(tmp_path: Path) -> None:
    path = saved(tmp_path / "x", Image.new("RGBA", (3000, 2000), (9, 9, 9, 0)))
    normalise_image(path)
    with Image.open(path) as after:
        assert after.mode == "RGBA"
        assert after.getchannel("A").getextrema() == (0, 0)


def test_the_whole_of_a_very_large_picture_is_kept_when_it_is_made_smaller(tmp_path: Path) -> None:
    image = Image.new("RGB", (6001, 3999), (0, 0, 255))
    image.paste((255, 0, 0), (5200, 3200, 6001, 3999))
    assert normalise_image(saved(tmp_path / "x", image)) == (2560, 1706)
    with Image.open(tmp_path / "x") as after:
        places = [(5, 5), (2100, 1300), (2300, 1450), (2555, 1700)]
        assert [after.getpixel(place) for place in places] == [(0, 0, 255)] * 2 + [(255, 0, 0)] * 2


def claims(width: int, height: int) -> bytes:
    """A PNG that says it is this large, and holds nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (claims(6400, 6400), "6400 x 6400; a PNG may have 40 megapixels"),
        (claims(12_000, 9_000), "a PNG may have 40 megapixels"),
        (claims(100_000, 100_000), "not a readable"),
        (claims(4000, 4000), "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not a readable"),
        (b"\xff\xd8\xff", "not a readable"),
        (b"", "not a readable"),
    ],
    ids=["above the limit", "a bomb", "a larger bomb", "no pixels", "no PNG", "no JPEG", "nothing"],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        normalise_image(path)


async def test_an_image_that_is_too_large_fails_the_task_with_a_reason_and_refunds_it(tmp_path: Path) -> None:
    async with receiver("200 OK", content=claims(6400, 6400)) as endpoint, api(tmp_path) as client:
        made = await client.create(image_urls=[endpoint.url])
        task = await client.ended(made.json()["data"]["taskId"])
        assert task["error"]["code"] == "upstream_error"
        assert task["error"]["message"].startswith("Video generation failed: image 1 could not be used")
        assert "40 megapixels" in task["error"]["message"]
        assert (await client.credits())["balance"] == 10_000


MEASURED = """
import sys
from pathlib import Path
from PIL import Image
from veo_mcp.sandbox.rendering import normalise_image

def peak():
    # Not getrusage: its peak starts with that of the parent process.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024

Image.init()
before = peak()
normalise_image(Path(sys.argv[1]))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("kind", list(MEGAPIXELS))
async def test_the_largest_image_costs_bounded_memory(tmp_path: Path, kind: str) -> None:
    side = int((MEGAPIXELS[kind] * 1_000_000) ** 0.5)
    image = Image.new("RGB" if kind == "JPEG" else "RGBA", (side, side), (90, 120, 200))
    options: dict[str, Any] = {"progressive": True} if kind == "JPEG" else {}
    path = saved(tmp_path / "x", image, kind, **options)
    del image
    done = await anyio.run_process([sys.executable, "-c", MEASURED, str(path)])
    assert 20 < int(done.stdout) < 300, done.stdout
