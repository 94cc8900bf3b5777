"""Joins the parts of a film into one MP4: the picture copied if the parts match, else encoded once; sound re-encoded.

Run by tasks/films.py as a child process, `python -m veo_mcp.film OUT PART PART…`: a file from outside that brings a
decoder down ends only the child. Uses PyAV where it is installed, else `ffmpeg` on the PATH. Prints one sentence to
stderr where it cannot, and exits 1; never touches a network, and writes OUT alone.

The sound is always encoded again, in one stretch: each part's own begins with the encoder's silence of 20 to 50 ms,
and copied one behind the other that is heard as a gap. Each part's sound is cut or filled up to the length of its
picture, and faded over 3 ms on both sides of a join, where two waves that do not meet would click.
"""

# pyright: reportUnknownMemberType=false
# PyAV's own stubs leave the types of its packets and options open.
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from veo_mcp.mp4 import Measured, NotWhole, measure

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

__all__ = ["NO_TOOL", "CannotJoin", "able", "has_av", "join", "main"]

RATE = 48_000
FADE_SECONDS = 0.003
QUALITY = 17
"""x264's constant rate factor: 17 is taken to be visually lossless."""
SOUND_BITS = 192_000
NO_TOOL = (
    "The parts cannot be joined here: neither PyAV (pip install 'veo-mcp[sandbox]') nor ffmpeg on the PATH is there."
)


class CannotJoin(Exception):
    """One sentence on why there is no film."""


def able() -> bool:
    """Whether anything that can join is installed."""
    return has_av() or shutil.which("ffmpeg") is not None


def join(parts: Sequence[Path], out: Path) -> None:
    """Joins the parts, in this order. Raises CannotJoin, OSError."""
    measured = [_look(part, number) for number, part in enumerate(parts, 1)]
    same = len({each.video for each in measured}) == 1
    if has_av():
        # The part that asks most of a decoder says what the film asks.
        model = max(zip(measured, parts, strict=True), key=lambda pair: pair[0].level)[1]
        _with_av(parts, out, model=model if same else None)
    elif (tool := shutil.which("ffmpeg")) is not None:
        _with_tool(tool, parts, measured, out, same=same)
    else:
        raise CannotJoin(NO_TOOL)


def has_av() -> bool:
    """Whether PyAV can be used."""
    try:
        return all(find_spec(name) is not None for name in ("av", "numpy"))
    except ValueError:  # what is hidden on purpose has no specification
        return False


def _look(part: Path, number: int) -> Measured:
    try:
        found = measure(part)
    except NotWhole as flaw:
        raise CannotJoin(f"Part {number} cannot be joined: {flaw}.") from None
    if found is None or found.seconds <= 0:
        raise CannotJoin(f"Part {number} cannot be joined: it is no MP4 video that says how long it is.")
    return found


def _with_av(parts: Sequence[Path], out: Path, *, model: Path | None) -> None:
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as film:
            lengths = _copied(parts, film, model) if model else _drawn(parts, film)
            _sound(parts, lengths, film)
    except FFmpegError as flaw:
        raise CannotJoin(f"The parts cannot be joined: {flaw.strerror}.") from None


def _open(part: Path) -> "InputContainer":
    import av

    # "mp4" alone: other formats can name files and addresses of their own.
    return av.open(str(part), format="mp4")


def _copied(parts: Sequence[Path], film: "OutputContainer", model: Path) -> list[float]:
    """Puts the parts' pictures in as they are, under the description of `model`; the seconds of each."""
    lengths: list[float] = []
    with _open(model) as first:
        line = film.add_stream_from_template(first.streams.video[0])
    # The sound's track must be there before the first packet is written.
    _sound_track(film)
    begin = Fraction(0)
    for part in parts:
        with _open(part) as source:
            stream = source.streams.video[0]
            base = stream.time_base or Fraction(1, 90_000)
            packets = [packet for packet in source.demux(stream) if packet.pts is not None]
            if not packets:
                raise CannotJoin(f"Part {len(lengths) + 1} cannot be joined: it has no picture.")
            start = min(cast("int", packet.pts) for packet in packets)
            end = max(cast("int", packet.pts) + (packet.duration or 0) for packet in packets)
            shift = round(begin / base) - start
            for packet in packets:
                packet.pts = cast("int", packet.pts) + shift
                packet.dts = (packet.pts if packet.dts is None else packet.dts + shift) if packet.pts else packet.dts
                packet.stream = line
                film.mux(packet)
            length = (end - start) * base
            lengths.append(float(length))
            begin += length
    return lengths


def _drawn(parts: Sequence[Path], film: "OutputContainer") -> list[float]:
    """Re-encodes the parts' pictures, each in the size and at the rate of the first; the seconds of each."""
    with _open(parts[0]) as first:
        stream = first.streams.video[0]
        rate = stream.average_rate or Fraction(24)
        width, height = stream.width, stream.height
    line = cast("Any", film.add_stream("libx264", rate=rate, options={"crf": str(QUALITY), "preset": "fast"}))
    line.width, line.height, line.pix_fmt = width, height, "yuv420p"
    line.time_base = 1 / rate
    _sound_track(film)
    done = 0
    lengths: list[float] = []
    for part in parts:
        begun = done
        with _open(part) as source:
            for frame in _at_rate(source, rate):
                picture = frame if (frame.width, frame.height) == (width, height) else _fitted(frame, width, height)
                picture = picture.reformat(format="yuv420p")
                picture.pts, picture.time_base = done, 1 / rate
                film.mux(line.encode(picture))
                done += 1
        lengths.append(float((done - begun) / rate))
    film.mux(line.encode(None))
    return lengths


def _at_rate(source: "InputContainer", rate: Fraction) -> Iterator[Any]:
    """The frames at an even rate: one that lasts longer comes again, one that comes too soon is left out."""
    count, last, start = 0, None, None
    for frame in source.decode(video=0):
        start = frame.time if start is None else start
        while last is not None and (count + 0.5) / float(rate) <= frame.time - start:
            yield last
            count += 1
        last = frame
    if last is not None:
        yield last


def _fitted(frame: Any, width: int, height: int) -> Any:
    """The frame scaled to fit, in the middle of a black picture."""
    import av
    import numpy as np

    factor = min(width / frame.width, height / frame.height)
    wide, high = max(2, int(frame.width * factor) // 2 * 2), max(2, int(frame.height * factor) // 2 * 2)
    small = frame.reformat(wide, high, "rgb24").to_ndarray()
    whole = np.zeros((height, width, 3), np.uint8)
    top, left = (height - high) // 2, (width - wide) // 2
    whole[top : top + high, left : left + wide] = small
    return av.VideoFrame.from_ndarray(whole, "rgb24")


def _sound_track(film: "OutputContainer") -> Any:
    line = cast("Any", film.add_stream("aac", rate=RATE))
    line.layout = "stereo"
    line.bit_rate = SOUND_BITS
    return line


def _sound(parts: Sequence[Path], lengths: Sequence[float], film: "OutputContainer") -> None:
    """Encodes the sound of all parts in one stretch."""
    import av
    import numpy as np

    line = cast("Any", film.streams.audio[0])
    ends = [round(sum(lengths[: number + 1]) * RATE) for number in range(len(lengths))]
    done = 0
    for number, (part, end) in enumerate(zip(parts, ends, strict=True)):
        wave = _wave(part, end - done)
        fade = np.linspace(0.0, 1.0, min(int(FADE_SECONDS * RATE), wave.shape[1]), dtype=np.float32)
        if number > 0:
            wave[:, : len(fade)] *= fade
        if number < len(parts) - 1:
            wave[:, wave.shape[1] - len(fade) :] *= fade[::-1]
        for at in range(0, wave.shape[1], RATE):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(wave[:, at : at + RATE]), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, done + at, Fraction(1, RATE)
            film.mux(line.encode(frame))
        done = end
    film.mux(line.encode(None))


def _wave(part: Path, samples: int) -> Any:
    """The part's sound, two channels of exactly so many samples; silence where it has none."""
    import av
    import numpy as np

    wave = np.zeros((2, samples), np.float32)
    with _open(part) as source:
        if not source.streams.audio:
            return wave
        shaped = av.AudioResampler("fltp", "stereo", RATE)
        at: int | None = None
        for frame in source.decode(audio=0):
            if at is None:
                at = round((frame.time or 0.0) * RATE)
            for piece in shaped.resample(frame):
                at = _laid(wave, piece.to_ndarray(), at)
        for piece in shaped.resample(None):
            at = _laid(wave, piece.to_ndarray(), at or 0)
    return wave


def _laid(wave: Any, piece: Any, at: int) -> int:
    """Puts a piece into the wave at its place, without what lies outside; where the next one goes."""
    begin, end = max(at, 0), min(at + piece.shape[1], wave.shape[1])
    if end > begin:
        wave[:, begin:end] = piece[:, begin - at : end - at]
    return at + cast("int", piece.shape[1])


def _with_tool(tool: str, parts: Sequence[Path], measured: Sequence[Measured], out: Path, *, same: bool) -> None:
    """The same with the program ffmpeg."""
    listed = out.with_name(out.name + ".txt")
    # Its own quoting: a quotation mark ends the quotes, and stands escaped between two pairs.
    names = [str(part.absolute()).replace("'", "'\\''") for part in parts]
    # A length for each, or it would take that of the sound, which is mostly a little longer.
    lines = [f"file '{name}'\nduration {each.seconds:.6f}" for name, each in zip(names, measured, strict=True)]
    listed.write_text("\n".join(lines) + "\n", "utf-8")
    # -copyts: else the copied pictures come 21 ms late, for the sake of the sound's first, silent packet.
    command = [
        tool,
        "-copyts",
        "-nostdin",
        "-v",
        "error",
        "-y",
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        "concat",
        "-safe",
        "0",
    ]
    command += ["-i", str(listed)]
    for part in parts:
        command += ["-protocol_whitelist", "file,pipe", "-f", "mp4", "-i", str(part.absolute())]
    command += ["-filter_complex", _graph(measured, same=same), "-map", "0:v:0" if same else "[v]"]
    command += ["-c:v", "copy"] if same else ["-c:v", "libx264", "-crf", str(QUALITY), "-pix_fmt", "yuv420p"]
    command += ["-map", "[a]", "-c:a", "aac", "-b:a", str(SOUND_BITS), "-movflags", "+faststart", "-f", "mp4"]
    try:
        done = subprocess.run([*command, str(out)], capture_output=True, text=True, check=False)  # noqa: S603 - a list
    finally:
        listed.unlink(missing_ok=True)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise CannotJoin(f"ffmpeg could not join the parts: {words[-1][:150] if words else 'it gave no reason'}.")


def _graph(measured: Sequence[Measured], *, same: bool) -> str:
    """What is done with the sounds, and where they must be re-encoded with the pictures; input 0 is the list."""
    first = measured[0]
    # Without a rate the joined pictures get that of their clock, 12,288 a second and more.
    rate = f"{min(first.rate or 24.0, 120.0):.4f}"
    steps: list[str] = []
    for number, each in enumerate(measured, 1):
        length = f"{each.seconds:.6f}"
        fades = f"afade=t=in:d={FADE_SECONDS}," if number > 1 else ""
        if number < len(measured):
            fades += f"afade=t=out:st={each.seconds - FADE_SECONDS:.6f}:d={FADE_SECONDS},"
        heard = f"[{number}:a:0]" if each.sound else "anullsrc=r=48000:cl=stereo,"
        steps.append(
            f"{heard}aformat=sample_rates={RATE}:channel_layouts=stereo,apad,atrim=0:{length},{fades}"
            f"asetpts=PTS-STARTPTS[a{number}]"
        )
        if not same:
            size = f"{first.width}:{first.height}"
            steps.append(
                f"[{number}:v:0]scale={size}:force_original_aspect_ratio=decrease,pad={size}:-1:-1,setsar=1,fps={rate},"
                f"trim=0:{length},setpts=PTS-STARTPTS[v{number}]"
            )
    count = len(measured)
    steps.append("".join(f"[a{number}]" for number in range(1, count + 1)) + f"concat=n={count}:v=0:a=1[a]")
    if not same:
        steps.append("".join(f"[v{number}]" for number in range(1, count + 1)) + f"concat=n={count}:v=1:a=0[v]")
    return ";".join(steps)


def main(out: str, *parts: str) -> int:
    """What the child process does; its exit status."""
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        join([Path(part) for part in parts], Path(out))
    except (CannotJoin, OSError) as flaw:
        words = str(flaw) if isinstance(flaw, CannotJoin) else f"The film could not be written: {flaw.strerror}."
        print(words, file=sys.stderr)  # noqa: T201 - what the parent reads
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
