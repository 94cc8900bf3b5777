"""Hostile paths and pictures: nothing outside the folders is read, and nothing but a clean picture leaves."""

import hashlib
import os
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, ImageDraw, PngImagePlugin

from veo_mcp.picture import MOST_PIXELS, MOST_READ, MOST_SENT, Picture, Stamp, Unusable, find, names_file, read


def drawn(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """A picture whose corners differ: red at the upper left, blue at the lower right."""
    image = Image.new(mode, (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width // 4, height // 4), "red")
    pen.rectangle((width * 3 // 4, height * 3 // 4, width, height), "blue")
    return image


def opened(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(picture.data))


def corner(image: Image.Image, x: float, y: float) -> str:
    """The name of the strongest colour at a place, from 0 to 1 in both directions."""
    red, _, blue = image.convert("RGB").getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))  # type: ignore[misc]  # three channels
    return "red" if red > blue + 60 else "blue" if blue > red + 60 else "neither"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The one folder that is allowed; a secret lies beside it."""
    allowed = tmp_path / "pictures"
    (allowed / "inner").mkdir(parents=True)
    drawn().save(allowed / "boat.png")
    drawn().save(tmp_path / "secret.png")
    return allowed


def look(text: str | Path, *folders: Path, **options: Any) -> Picture:
    return read(find(str(text), folders), **options)


def refused(text: str | Path, *folders: Path, **options: Any) -> str:
    with pytest.raises(Unusable) as caught:
        look(text, *folders, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "spelt", ["{}/boat.png", "file://{}/boat.png", "file://localhost{}/boat.png", "FILE://{}/bo%61t.png", "boat.png"]
)
def test_a_picture_below_a_folder_is_taken_however_it_is_spelt(folder: Path, spelt: str) -> None:
    picture = look(spelt.format(folder), folder)
    assert picture.kind == "image/png"
    assert opened(picture).size == (64, 48)


OUTSIDE: dict[str, Callable[[Path], str]] = {
    "absolute": lambda folder: f"{folder.parent}/secret.png",
    "dots": lambda folder: f"{folder}/../secret.png",
    "dots in a URL": lambda folder: f"file://{folder}/%2e%2e/secret.png",
    "relative dots": lambda _: "../secret.png",
    "dots after a folder": lambda folder: f"{folder}/inner/../../secret.png",
    "the folder's name as a beginning": lambda folder: f"{folder}-other/secret.png",
    "a link to a file": lambda folder: linked(folder / "link.png", folder.parent / "secret.png"),
    "a link to a folder": lambda folder: linked(folder / "up", folder.parent) + "/secret.png",
    "a link to a link": lambda folder: linked(folder / "two.png", Path(linked(folder / "one.png", "../secret.png"))),
    "the home of somebody": lambda _: "~root/secret.png",
    "nobody's home": lambda _: "~no-such-user-here/secret.png",
    "what is not there": lambda folder: f"{folder.parent}/nothing.png",
    "a process's own files": lambda _: f"/proc/{os.getpid()}/cwd/pyproject.toml",
    "the folder itself": lambda folder: f"{folder}/",
    "another machine": lambda folder: f"file://server{folder}/boat.png",
    "a NUL": lambda folder: f"{folder}/boat.png\0.jpg",
    "half a character": lambda folder: f"{folder}/\udcff.png",
    "too long": lambda folder: f"{folder}/{'a' * 5000}.png",
}


def linked(at: Path, to: Path | str) -> str:
    at.symlink_to(to)
    return str(at)


@pytest.mark.parametrize("way", OUTSIDE)
def test_a_file_outside_is_not_read_nor_is_its_existence_revealed(folder: Path, way: str) -> None:
    (folder.parent / "pictures-other").mkdir()
    drawn().save(folder.parent / "pictures-other" / "secret.png")
    opened_files: list[str] = []
    words = refused(OUTSIDE[way](folder), folder, at=opened_files.append)
    assert opened_files == []
    if words == "does not exist":  # below the folder, with a name that no file has
        assert way in ("half a character", "too long")
    elif way not in ("another machine", "a NUL", "nobody's home", "half a character", "too long"):
        assert words == "is not inside a folder of VEO_IMAGE_DIRS"


def test_a_link_that_stays_below_a_folder_is_followed(folder: Path) -> None:
    linked(folder / "inner" / "link.png", "../boat.png")
    assert opened(look(folder / "inner" / "link.png", folder)).size == (64, 48)
    outer = folder.parent / "shortcut"
    outer.symlink_to(folder)
    assert opened(look(outer / "boat.png", folder)).size == (64, 48)
    assert opened(look(folder / "boat.png", outer)).size == (64, 48)


@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_link_that_takes_the_place_of_what_was_found_leads_nowhere(folder: Path, part: str) -> None:
    drawn().save(folder / "inner" / "boat.png")
    (folder.parent / "elsewhere").mkdir()
    drawn().save(folder.parent / "elsewhere" / "boat.png")
    place = find(str(folder / "inner" / "boat.png"), [folder])
    if part == "file":
        (folder / "inner" / "boat.png").unlink()
        linked(folder / "inner" / "boat.png", folder.parent / "secret.png")
    else:
        (folder / "inner").rename(folder / "moved")
        linked(folder / "inner", folder.parent / "elsewhere")
    with pytest.raises(Unusable, match=r"not a regular file|changed while it was being read"):
        read(place)


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def unix_socket(path: Path) -> Path:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket has 108 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)
    return path


def directory(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("make", [fifo, unix_socket, directory])
def test_what_is_no_plain_file_is_refused_without_waiting(folder: Path, make: Callable[[Path], Path]) -> None:
    assert refused(make(folder / "odd.png"), folder) in ("is not a regular file", "is a folder")


def test_a_fifo_that_takes_a_files_place_does_not_keep_anybody_waiting(folder: Path) -> None:
    place = find(str(folder / "boat.png"), [folder])
    (folder / "boat.png").unlink()
    fifo(folder / "boat.png")
    with pytest.raises(Unusable, match="not a regular file"):
        read(place)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a system with devices as files")
def test_a_device_is_refused() -> None:
    assert refused("/dev/zero", Path("/dev")) == "is not a regular file"


def test_a_file_that_may_not_be_read_says_so(folder: Path) -> None:
    (folder / "boat.png").chmod(0)
    if os.access(folder / "boat.png", os.R_OK):
        # The superuser reads everything: somebody else looks.
        code = (
            "import os, sys; from pathlib import Path; from veo_mcp.picture import find, read\n"
            "place = find(sys.argv[1], [Path(sys.argv[1]).parent]); os.setuid(65534)\n"
            "try: read(place)\nexcept Exception as fault: print(fault)"
        )
        for above in folder.parents:
            if above != Path("/") and above.stat().st_uid == os.getuid():
                above.chmod(above.stat().st_mode | 0o011)
        command = [sys.executable, "-c", code, str(folder / "boat.png")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "may not be read by this server", done.stderr
    else:
        assert refused("boat.png", folder) == "may not be read by this server"


FILES: dict[str, tuple[bytes, str]] = {
    "script.png": (b"#!/bin/sh\nrm -rf /\n", "not a picture, whatever its name"),
    "page.jpg": (b"<html><script>alert(1)</script></html>", "not a picture, whatever its name"),
    "key.png": (b"-----BEGIN OPENSSH PRIVATE KEY-----\nxxxx", "not a picture, whatever its name"),
    "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
    "drawing.png": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "is a HEIC photo"),
    "phone.jpg": (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "is a HEIC photo"),
    "moving.gif": (b"GIF89a\x01\0\x01\0\0\0\0;", "is a GIF"),
    "paper.pdf": (b"%PDF-1.7", "is a PDF"),
    "empty.png": (b"", "is empty"),
    "cut.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "is damaged"),
    "begun.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is damaged"),
    "riff.webp": (b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff", "is damaged"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_picture_is_refused_by_its_bytes(folder: Path, name: str) -> None:
    data, words = FILES[name]
    (folder / name).write_bytes(data)
    assert words in refused(folder / name, folder)


def test_half_a_picture_is_refused(folder: Path) -> None:
    drawn(800, 600).save(folder / "whole.jpg")
    (folder / "half.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:4000])
    assert "damaged" in refused("half.jpg", folder)


def bomb(side: int) -> bytes:
    """A PNG of a few hundred bytes that says it has so many pixels on a side."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [7_100, 40_000, 2_000_000])
def test_a_bomb_of_pixels_is_never_decoded(folder: Path, side: int) -> None:
    (folder / "bomb.png").write_bytes(bomb(side))
    assert f"at most {MOST_PIXELS // 1_000_000} million" in refused("bomb.png", folder) or "more than" in refused(
        "bomb.png", folder
    )


def test_metadata_that_unpacks_to_gigabytes_is_refused(folder: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "a" * 90_000_000, zip=True)
    drawn().save(folder / "bomb.png", pnginfo=info)
    assert (folder / "bomb.png").stat().st_size < 200_000
    assert "damaged" in refused("bomb.png", folder)


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    with (folder / "large.png").open("wb") as file:
        file.truncate(MOST_READ + 1)
    read_at: list[str] = []
    assert "at most 50" in refused("large.png", folder, at=read_at.append)
    assert read_at == ["opened"]


@pytest.mark.parametrize("change", ["longer", "shorter", "other"])
def test_a_file_that_changes_while_it_is_read_is_refused(folder: Path, change: str) -> None:
    path = folder / "boat.png"
    data = path.read_bytes()

    def alter(point: str) -> None:
        if point == "reading":
            new = {"longer": data + b"x", "shorter": data[:-1], "other": data[::-1]}[change]
            path.write_bytes(new)
            os.utime(path, ns=(1, 1))  # clocks of file systems tick in milliseconds

    assert "changed while it was being read" in refused(path, folder, at=alter)


def test_a_picture_that_was_seen_is_not_decoded_again_until_its_file_changes(folder: Path) -> None:
    seen: dict[Stamp, Picture] = {}
    path = folder / "boat.png"
    first = look(path, folder, seen=seen)
    assert look(path, folder, seen=seen) is first
    (folder / "copy.png").write_bytes(path.read_bytes())
    assert look("copy.png", folder, seen=seen) is not first, "another file is looked at itself"
    times = path.stat().st_mtime_ns
    Image.new("RGB", (64, 48), "green").save(path)
    os.utime(path, ns=(times, times))  # as a program does that sets the time back
    assert look(path, folder, seen=seen).digest != first.digest


SECRETS = (b"Anna", b"48.2082", b"secret-comment", b"xmp-secret", b"GPS", b"Exif", b"http://ns.adobe.com")


def with_metadata(image: Image.Image, path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Anna"
    exif[ExifTags.Base.ImageDescription] = "48.2082 16.3738"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 12.0, 29.0)
    if path.suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", "secret-comment")
        image.save(path, exif=exif, pnginfo=info)
    else:
        image.save(path, exif=exif, xmp=b"<x:xmpmeta xmp-secret http://ns.adobe.com/>", comment=b"secret-comment")
    # What is behind the end of a picture is shown by nobody, and travels along where files are copied.
    path.write_bytes(path.read_bytes() + b"secret-comment")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_no_metadata_leaves(folder: Path, name: str) -> None:
    with_metadata(drawn(), folder / name)
    assert any(secret in (folder / name).read_bytes() for secret in SECRETS)
    picture = look(name, folder)
    assert not [secret for secret in SECRETS if secret in picture.data]
    assert opened(picture).info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_picture_stands_upright_whatever_its_exif_says(folder: Path, turn: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = drawn(160, 96)
    stored = upright.transpose(back[turn]) if turn in back else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    stored.save(folder / "turned.jpg", exif=exif, quality=95)
    image = opened(look("turned.jpg", folder))
    assert image.size == (160, 96)
    assert (corner(image, 0.02, 0.02), corner(image, 0.98, 0.98)) == ("red", "blue")


def test_what_is_seen_is_kept_when_the_form_is_an_odd_one(folder: Path) -> None:
    clear = drawn(mode="RGBA")
    clear.putalpha(Image.new("L", clear.size, 0))
    clear.save(folder / "clear.png")
    assert opened(look("clear.png", folder)).getpixel((1, 1)) == (255, 255, 255)
    drawn().convert("P").save(folder / "palette.png")
    assert corner(opened(look("palette.png", folder)), 0.02, 0.02) == "red"
    drawn().convert("CMYK").save(folder / "print.jpg", quality=95)
    assert corner(opened(look("print.jpg", folder)), 0.02, 0.02) == "red"
    deep = Image.new("I;16", (8, 8), 65535 // 2)
    deep.save(folder / "deep.png")
    level = opened(look("deep.png", folder)).getpixel((1, 1))
    assert isinstance(level, tuple)
    assert 120 <= level[0] <= 135
    drawn(mode="1").save(folder / "bits.png")
    assert opened(look("bits.png", folder)).mode == "RGB"


def test_a_damaged_colour_profile_costs_only_itself(folder: Path) -> None:
    drawn().save(folder / "odd.png", icc_profile=b"no profile at all")
    assert corner(opened(look("odd.png", folder)), 0.02, 0.02) == "red"
    # The profile's class is one of a compiled module, which has no annotations.
    made = ImageCms.createProfile("sRGB")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    grey = ImageCms.ImageCmsProfile(made).tobytes()  # pyright: ignore[reportUnknownArgumentType]
    drawn().save(folder / "plain.png", icc_profile=grey)
    picture = look("plain.png", folder)
    assert "icc_profile" not in opened(picture).info
    assert corner(opened(picture), 0.02, 0.02) == "red"


def test_nothing_larger_than_ten_megabytes_or_4096_pixels_leaves(folder: Path) -> None:
    noise = Image.frombytes("RGB", (4500, 3000), os.urandom(4500 * 3000 * 3))
    noise.save(folder / "noise.png", compress_level=0)
    picture = look("noise.png", folder)
    assert len(picture.data) <= MOST_SENT
    assert picture.kind == "image/jpeg"
    assert max(opened(picture).size) <= 4096


def test_a_picture_is_known_by_its_pixels(folder: Path) -> None:
    with_metadata(drawn(), folder / "tagged.png")
    other = drawn()
    other.putpixel((5, 5), (1, 2, 3))
    other.save(folder / "other.png")
    one, tagged, third = (look(name, folder) for name in ("boat.png", "tagged.png", "other.png"))
    assert one.digest == tagged.digest
    assert one.digest != third.digest
    assert one.digest == hashlib.sha256(b"64x48:" + drawn().tobytes()).hexdigest()


@pytest.mark.parametrize(
    ("text", "is_file"),
    [
        ("https://example.com/a.jpg", False),
        ("data:image/png;base64,AAAA", False),
        ("/home/a.png", True),
        ("~/a.png", True),
        ("a.png", True),
        ("./a", True),
        ("C:\\a.png", True),
        ("\\\\server\\a.png", True),
        ("file:///a", True),
        ("picture:sha256:00", False),
        ("ftp://example.com/a.png", False),
    ],
)
def test_what_names_a_file(text: str, is_file: bool) -> None:
    assert names_file(text) is is_file
