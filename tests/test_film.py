"""Parts become one film: pictures copied where they match, sound without a gap or a click, by PyAV or by ffmpeg."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.support.clips import RATE, clip, frame_times, longest_gap, samples
from veo_mcp import film
from veo_mcp.mp4 import NotWhole, measure

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not on the PATH")
TOOLS = ["av", pytest.param("ffmpeg", marks=needs_ffmpeg)]


def made(tool: str, parts: list[Path], out: Path) -> Path:
    """Joins with the one or the other; what is installed decides, so PyAV is hidden from a child process."""
    hide = "import sys; sys.modules['av'] = None\n" if tool == "ffmpeg" else ""
    code = (
        f"{hide}import importlib.util\n"
        "from pathlib import Path\nfrom veo_mcp import film\n"
        f"assert film.has_av() is {tool == 'av'}\n"
        f"film.join([Path(p) for p in {list(map(str, parts))!r}], Path({str(out)!r}))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    return out


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as source:
        return [bytes(packet) for packet in source.demux(video=0) if packet.size]


def even(times: list[float], fps: int) -> bool:
    return bool(np.allclose(np.diff(times), 1 / fps, atol=1e-4)) and times[0] == 0.0


@pytest.mark.parametrize("tool", TOOLS)
def test_a_film_of_four_parts_is_as_long_as_they_are_and_every_picture_has_its_time(tmp_path: Path, tool: str) -> None:
    parts = [clip(tmp_path / f"{n}.mp4", seconds=2, tone=300 + 7 * n) for n in range(4)]
    out = made(tool, parts, tmp_path / "film.mp4")
    found = measure(out)
    assert found is not None
    assert (found.seconds, found.width, found.height) == (8.0, 64, 48)
    assert len(frame_times(out)) == 8 * 24
    assert even(frame_times(out), 24)


def test_pictures_that_match_are_copied_bit_for_bit(tmp_path: Path) -> None:
    parts = [clip(tmp_path / f"{n}.mp4", seconds=1, colour=(n * 60, 90, 90)) for n in range(3)]
    out = made("av", parts, tmp_path / "film.mp4")
    assert packets(out) == [packet for part in parts for packet in packets(part)]


def test_parts_that_differ_in_their_level_alone_are_copied_under_the_higher_one(tmp_path: Path) -> None:
    low = clip(tmp_path / "low.mp4", options={"level": "3.1"})
    high = clip(tmp_path / "high.mp4", options={"level": "4.2"})
    one, two = measure(low), measure(high)
    assert one is not None
    assert two is not None
    assert (one.level, two.level) == (31, 42)
    out = made("av", [low, high], tmp_path / "film.mp4")
    whole = measure(out)
    assert whole is not None
    assert whole.level == 42
    assert packets(out) == packets(low) + packets(high)


@pytest.mark.parametrize("tool", TOOLS)
def test_parts_that_differ_are_encoded_once_in_the_size_and_rate_of_the_first(tmp_path: Path, tool: str) -> None:
    parts = [clip(tmp_path / "a.mp4", seconds=1), clip(tmp_path / "b.mp4", seconds=1, size=(48, 64), fps=30)]
    out = made(tool, parts, tmp_path / "film.mp4")
    found = measure(out)
    assert found is not None
    assert (found.width, found.height) == (64, 48)
    assert found.seconds == pytest.approx(2.0, abs=0.05)
    if tool == "av":
        assert even(frame_times(out), 24)
    # The second part's picture is in the middle, between two black bars.
    with av.open(str(out)) as source:
        last: Any = list(source.decode(video=0))[-1].to_ndarray(format="rgb24")
    assert last[24, 1].max() < 40
    assert last[24, 32].max() > 90


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("seconds", [2.0, 1.5])
def test_the_sound_has_neither_gap_nor_click_at_a_join(tmp_path: Path, tool: str, seconds: float) -> None:
    # A tone whose wave is cut in mid-swing at every join: put together without care, each one is a step.
    parts = [clip(tmp_path / f"{n}.mp4", seconds=seconds, tone=220.3 + 11 * n) for n in range(4)]
    wave = samples(made(tool, parts, tmp_path / "film.mp4"))
    assert len(wave) / RATE == pytest.approx(4 * seconds, abs=0.03)
    assert longest_gap(wave[RATE // 10 : -RATE // 10]) < 0.010
    steepest = np.abs(np.diff(wave[RATE // 10 : -RATE // 10])).max()
    # The tone itself moves by 0.5 · 2π · 253/48000 = 0.0166 a sample.
    assert steepest < 0.04


def test_a_part_without_sound_is_silent_for_its_length(tmp_path: Path) -> None:
    parts = [clip(tmp_path / "a.mp4"), clip(tmp_path / "b.mp4", tone=None), clip(tmp_path / "c.mp4")]
    wave = samples(made("av", parts, tmp_path / "film.mp4"))
    assert np.abs(wave[int(1.1 * RATE) : int(1.9 * RATE)]).max() < 0.001
    assert np.abs(wave[int(2.1 * RATE) : int(2.9 * RATE)]).max() > 0.3


def test_a_film_can_be_entered_at_every_part(tmp_path: Path) -> None:
    parts = [clip(tmp_path / f"{n}.mp4", colour=(n * 80, 90, 90)) for n in range(3)]
    out = made("av", parts, tmp_path / "film.mp4")
    with av.open(str(out)) as source:
        keys = [float(p.pts * p.time_base) for p in source.demux(video=0) if p.is_keyframe and p.pts is not None]
        assert {0.0, 1.0, 2.0} <= {round(key, 3) for key in keys}
        source.seek(2_000_000)
        assert next(source.decode(video=0)).time == pytest.approx(2.0)
    # The index stands first, so that a player can seek before it has all of it.
    assert out.read_bytes().index(b"moov") < out.read_bytes().index(b"mdat")


@pytest.mark.parametrize("damage", ["cut", "no video", "empty", "page", "directory"])
def test_a_part_that_is_none_is_named(tmp_path: Path, damage: str) -> None:
    good, bad = clip(tmp_path / "a.mp4"), tmp_path / "b.mp4"
    match damage:
        case "cut":
            bad.write_bytes(good.read_bytes()[:-100])
        case "no video":
            bad.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov")
        case "page":
            bad.write_text("<html>")
        case "empty":
            bad.write_bytes(b"")
        case _:
            bad.mkdir()
    command = [sys.executable, "-P", "-m", "veo_mcp.film", str(tmp_path / "film.mp4"), str(good), str(bad)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Part 2 cannot be joined" in done.stderr or damage == "directory"
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize("place", range(8, 700, 23))
def test_a_file_with_wrong_numbers_is_measured_or_refused_and_never_brings_us_down(tmp_path: Path, place: int) -> None:
    raw = bytearray(clip(tmp_path / "a.mp4", seconds=0.2).read_bytes())
    index = raw.index(b"moov")
    raw[index + place : index + place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "b.mp4").write_bytes(raw)
    try:
        measure(tmp_path / "b.mp4")
    except NotWhole:
        return


def test_without_any_tool_it_is_said_what_to_install(tmp_path: Path) -> None:
    part = clip(tmp_path / "a.mp4")
    code = (
        "import sys; sys.modules['av'] = None\nfrom pathlib import Path\nfrom veo_mcp import film\n"
        f"film.main('x', {str(part)!r}, {str(part)!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PATH": str(tmp_path)}
    )
    assert done.stderr.strip() == film.NO_TOOL
