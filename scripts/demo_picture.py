"""Records a real `veo-mcp demo` in a terminal and draws it as a moving picture for the README, with frames of clips.

Run as `python scripts/demo_picture.py docs/demo.svg` (Linux or macOS, about a minute). Nothing in it is staged: the
lines are what the command wrote, in its own order, played faster; the stills are frames of the two files that it saved.
"""

import base64
import fcntl
import io
import itertools
import os
import pty
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import cast

import av
import pyte
from PIL import Image

COLUMNS, ROWS = 88, 23
CELL, LINE, TOP, LEFT = 8.43, 19, 54, 20
STILL, STILL_HEIGHT, GAP = 361, 203, 20
WIDTH = round(LEFT * 2 + COLUMNS * CELL)
HEIGHT = TOP + ROWS * LINE + GAP + STILL_HEIGHT + GAP
SPEED, STEP, SHORTEST, LAST = 4.0, 0.9, 0.25, 6.0
"""How much faster than life; the least time between two pictures, in life; the shortest and the last one's seconds."""
INK, DIM = "#d7dae0", "#6b7280"
COLOURS = {
    "default": INK,
    "black": DIM,
    "brightblack": DIM,
    "magenta": "#d18adf",
    "brown": "#e5c07b",
    "cyan": "#6fc3df",
    "green": "#8fcf7f",
    "red": "#ef7f86",
    "brightmagenta": "#ff9bf5",
    "brightred": "#ff7ab2",
    "blue": "#7fb0ff",
}


@dataclass(frozen=True)
class Picture:
    """What the terminal showed from one moment on, and how many files were saved by then."""

    at: float
    lines: tuple[str, ...]
    saved: int


def record(folder: Path) -> list[Picture]:
    """Runs the demo in a terminal of its own; returns its pictures. The files are then in the folder."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith("VEO_") and "KEY" not in name
        }
        environ |= {"TERM": "xterm-256color", "HOME": str(folder), "VEO_JOURNAL": str(folder / "journal.db")}
        environ |= {"VEO_SANDBOX_DIR": str(folder / "sandbox"), "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
        command = [sys.executable, "-m", "veo_mcp", "demo"]
        os.execve(sys.executable, command, environ)  # noqa: S606 - this very interpreter
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    stream.feed(b"\x1b[32m$\x1b[0m veo-mcp demo\r\n")
    began, pictures = time.monotonic(), [Picture(0, drawn(screen), 0)]
    while True:
        try:
            heard = os.read(terminal, 65536)
        except OSError:
            break
        if not heard:
            break
        stream.feed(heard)
        now = time.monotonic() - began
        if now - pictures[-1].at >= STEP and drawn(screen) != pictures[-1].lines:
            pictures.append(Picture(now, drawn(screen), len(list(folder.glob("veo-demo/*.mp4")))))
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SystemExit("the demo failed:\n" + "\n".join(screen.display))
    return [*pictures, Picture(time.monotonic() - began, drawn(screen), len(list(folder.glob("veo-demo/*.mp4"))))]


def drawn(screen: pyte.Screen) -> tuple[str, ...]:
    """The screen as SVG text, a line a row; the folder that was made for the recording is not shown."""
    rows: list[str] = []
    for y in range(ROWS):
        spans: list[tuple[str, str]] = []
        for x in range(COLUMNS):
            cell = screen.buffer[y][x]
            colour = COLOURS.get(cell.fg, f"#{cell.fg}" if len(cell.fg) == 6 else INK)
            style = f'fill="{colour}"' + (' font-weight="bold"' if cell.bold else "")
            if spans and spans[-1][0] == style:
                spans[-1] = (style, spans[-1][1] + cell.data)
            else:
                spans.append((style, cell.data))
        while spans and not spans[-1][1].strip():
            spans.pop()
        rows.append("".join(f"<tspan {style}>{escape(text)}</tspan>" for style, text in spans))
    return tuple(rows)


def still(video: Path) -> str:
    """A frame from the middle of the clip, as a data URL."""
    with av.open(str(video)) as clip:
        frames = list(clip.decode(video=0))
    frame = frames[len(frames) * 6 // 10]
    # PyAV does not annotate what this gives.
    picture = cast("Image.Image", frame.to_image())  # pyright: ignore[reportUnknownMemberType]
    picture = picture.resize((STILL * 3 // 2, STILL_HEIGHT * 3 // 2), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80, optimize=True, progressive=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def animated(pictures: list[Picture], videos: list[Path]) -> str:
    """The whole SVG: each picture is shown in its turn; who asked for less motion sees the last one."""
    starts = [0.0]
    for one, other in itertools.pairwise(pictures):
        starts.append(starts[-1] + max(SHORTEST, (other.at - one.at) / SPEED))
    total = starts[-1] + LAST
    ends = [*starts[1:], total]
    parts: list[str] = []
    rules: list[str] = []
    for number, picture in enumerate(pictures):
        first, last = starts[number] / total * 100, ends[number] / total * 100
        rules.append(
            f"@keyframes p{number}{{0%{{opacity:{int(number == 0)}}}{first:.3f}%{{opacity:1}}{last:.3f}%"
            f"{{opacity:{int(last > 99.9)}}}100%{{opacity:{int(last > 99.9)}}}}}"
            f"#p{number}{{animation:p{number} {total:.2f}s step-end infinite}}"
        )
        lines = "".join(
            f'<text x="{LEFT}" y="{TOP + row * LINE}">{line}</text>' for row, line in enumerate(picture.lines) if line
        )
        parts.append(f'<g id="p{number}" class="p">{lines}</g>')
    for number, video in enumerate(videos):
        since = next(starts[place] for place, picture in enumerate(pictures) if picture.saved > number) / total * 100
        rules.append(
            f"@keyframes s{number}{{0%{{opacity:0}}{since:.3f}%{{opacity:0}}{min(since + 4, 99):.3f}%{{opacity:1}}"
            f"100%{{opacity:1}}}}#s{number}{{animation:s{number} {total:.2f}s linear infinite}}"
        )
        left, top = LEFT + number * (STILL + GAP), TOP + ROWS * LINE + GAP // 2
        parts.append(
            f'<image id="s{number}" x="{left}" y="{top}" width="{STILL}" height="{STILL_HEIGHT}" '
            f'href="{still(video)}"/>'
        )
    quiet = "@media (prefers-reduced-motion:reduce){.p,image{animation:none!important}.p{opacity:0}.p:nth-of-type("
    rules.append(f"{quiet}{len(pictures)}){{opacity:1}}}}")
    dots = "".join(
        f'<circle cx="{26 + 20 * place}" cy="20" r="6" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
        "<title>veo-mcp demo: a video is made, watched, extended and saved, in a terminal</title>"
        f"<style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
        f"white-space:pre}}.p{{opacity:0}}{''.join(rules)}</style>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#16181d"/>{dots}{"".join(parts)}</svg>\n'
    )


def main() -> None:
    """Records, draws, writes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = record(folder)
        videos = sorted(folder.glob("veo-demo/*.mp4"), key=lambda path: path.stat().st_mtime)
        svg = animated(pictures, videos).replace(f"{folder}/", "~/")
    Path(sys.argv[1]).write_text(svg)


if __name__ == "__main__":
    main()
