"""The renderer, check_url by decoding what it wrote: structure, sameness, clean ends, sound. Nothing is faked."""

from __future__ import annotations

import dataclasses
import hashlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from veo_mcp.sandbox.render import ClipSpec, render_clip

av: Any = pytest.importorskip("av")
np: Any = pytest.importorskip("numpy")
Image: Any = pytest.importorskip("PIL.Image")

SEA = ClipSpec("A sailboat on the sea at sunset, camera slowly pans", task_id="task-1")
BRIEF = dataclasses.replace(SEA, seconds=2.0)
SMALL = dataclasses.replace(BRIEF, width=640, height=360)


def frames(path: Path) -> list[Any]:
    with av.open(str(path)) as clip:
        return [f.to_ndarray(format="yuv420p") for f in clip.decode(video=0)]


def psnr(a: Any, b: Any) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


def luma(image: Path, w: int, h: int) -> Any:
    from veo_mcp.sandbox.render.clip.images import fitted, frame_of, open_image

    return frame_of(fitted(open_image(image), w, h)).y


def drawn(path: Path, seed: int, size: tuple[int, int] = (1280, 720)) -> Path:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 9, 3), dtype=np.uint8))
    small.resize(size, Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "sea.mp4"
    info = render_clip(SEA, path)
    assert (info.width, info.height, info.frames) == (1280, 720, 192)
    return path


def test_a_clip_is_eight_seconds_of_h264_and_stereo_aac_that_plays_before_it_is_loaded(sea: Path) -> None:
    with av.open(str(sea)) as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 1280, 720)
        assert video.codec_context.pix_fmt == "yuv420p"
        assert video.average_rate == Fraction(24)
        assert float(video.duration * video.time_base) == pytest.approx(8.0)
        assert (audio.codec_context.name, audio.rate, audio.codec_context.channels) == ("aac", 48000, 2)
    data = sea.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert not list(sea.parent.glob("*.part"))


def test_the_same_prompt_and_seed_give_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    made = {"one": SMALL, "again": SMALL, "other": dataclasses.replace(SMALL, seed=10001)}
    for name, spec in made.items():
        render_clip(spec, tmp_path / name)
    digest = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in made]
    assert digest[0] == digest[1] != digest[2]


def test_the_picture_moves_and_the_marks_are_burnt_in_but_not_into_the_ends(sea: Path) -> None:
    shown = frames(sea)
    assert len(shown) == 192
    assert psnr(shown[10], shown[100]) < 40
    corner = (slice(20, 50), slice(60, 200))
    middle = shown[96][:720][corner].astype(int)
    assert middle.max() - np.median(middle) > 60
    first = shown[0][:720][corner].astype(int)
    assert first.max() - np.median(first) < 40


@pytest.mark.parametrize(
    "prompt", ["A storm at sea with lightning", "A dog runs through a park. Then snow falls on a lake"]
)
def test_no_frame_jumps_but_at_a_cut_or_a_flash_that_is_asked_for(tmp_path: Path, prompt: str) -> None:
    from veo_mcp.sandbox.render.clip.sheet import LIMIT, jump

    render_clip(ClipSpec(prompt, seconds=4.0), tmp_path / "o.mp4")
    assert jump(tmp_path / "o.mp4")[0] <= LIMIT


def test_first_and_last_frames_are_the_given_images(tmp_path: Path) -> None:
    images = (drawn(tmp_path / "a.png", 1), drawn(tmp_path / "b.png", 2, (1000, 900)))
    render_clip(dataclasses.replace(BRIEF, images=images, image_use="frames", watermark="mine"), tmp_path / "o.mp4")
    shown = frames(tmp_path / "o.mp4")
    assert psnr(shown[0][:720], luma(images[0], 1280, 720)) >= 36
    assert psnr(shown[-1][:720], luma(images[1], 1280, 720)) >= 36


def changes(shown: list[Any]) -> Any:
    """How much each frame's luma differs from the one before, on average."""
    return np.array([np.abs(b[:720].astype(int) - a[:720]).mean() for a, b in pairwise(shown)])


@pytest.mark.parametrize(("prompt", "cut"), [("Night falls and it begins to rain", False), ("A city in fog", True)])
def test_an_extension_goes_on_from_its_parents_last_frame_in_its_parents_motion(
    sea: Path, tmp_path: Path, prompt: str, cut: bool
) -> None:
    spec = ClipSpec(prompt, parent=sea, seconds=4.0)
    render_clip(spec, tmp_path / "more.mp4")
    before, after = frames(sea), frames(tmp_path / "more.mp4")
    assert psnr(before[-1], after[0]) >= 40
    motion = changes(after)
    assert motion[2:12].mean() >= 0.5 * changes(before[-24:]).mean()
    # another scene is cut to in one frame; another light crosses the picture without any such step
    assert bool(motion.max() > 10) is cut


def test_upright_clips_and_reference_images_and_any_script_work(tmp_path: Path) -> None:
    images = tuple(drawn(tmp_path / f"{k}.png", k, (600, 800)) for k in range(3))
    spec = ClipSpec(
        "夜の海 Ночь über Größe",
        width=720,
        height=1280,
        images=images,
        image_use="reference",
        watermark="© ñ 海",
        seconds=2.0,
    )
    info = render_clip(spec, tmp_path / "o.mp4")
    assert (info.width, info.height) == (720, 1280)
    assert len(frames(tmp_path / "o.mp4")) == 48


def test_sound_is_at_the_agreed_loudness_without_clipping_or_silence(sea: Path) -> None:
    from tests.sandbox.render.sound import true_peak
    from veo_mcp.sandbox.render.audio.loudness import loudness

    with av.open(str(sea)) as clip:
        track = np.concatenate([f.to_ndarray() for f in clip.decode(audio=0)], axis=1)
    assert -18 <= loudness(track) <= -14
    assert true_peak(track) <= 10 ** (-1 / 20)
    seconds = track[:, : track.shape[1] // 48000 * 48000].reshape(2, -1, 48000)
    assert np.sqrt((seconds**2).mean(axis=(0, 2))).min() > 0.003


def test_a_file_that_is_no_image_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "x.png"
    bad.write_bytes(b"<svg/>")
    with pytest.raises(ValueError, match="could not be read"):
        render_clip(dataclasses.replace(SEA, images=(bad,), image_use="frames"), tmp_path / "o.mp4")
    assert not (tmp_path / "o.mp4").exists()
    assert not list(tmp_path.glob("*.part"))


def test_an_extension_keeps_key_pace_and_mood_of_the_music_and_the_place(sea: Path, tmp_path: Path) -> None:
    import json

    spec = ClipSpec("Night falls", parent=sea, seconds=2.0)
    render_clip(spec, tmp_path / "more.mp4")
    notes: list[dict[str, Any]] = []
    for path in (sea, tmp_path / "more.mp4"):
        with av.open(str(path)) as clip:
            notes.append(json.loads(clip.metadata["comment"]))
    assert notes[0]["music"] == notes[1]["music"]
    assert notes[0]["key"] == notes[1]["key"]
    assert (notes[1]["scene"]["place"], notes[1]["scene"]["light"]) == ("sea", "night")


def test_quality_keeps_more_of_the_picture_and_of_the_sound(tmp_path: Path) -> None:
    render_clip(BRIEF, tmp_path / "f.mp4")
    render_clip(dataclasses.replace(BRIEF, mode="quality"), tmp_path / "q.mp4")
    with av.open(str(tmp_path / "f.mp4")) as fast, av.open(str(tmp_path / "q.mp4")) as fine:
        assert fine.streams.audio[0].bit_rate > fast.streams.audio[0].bit_rate * 1.2
        assert fine.streams.video[0].codec_context.profile == "High"
