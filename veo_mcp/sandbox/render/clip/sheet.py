"""Sheets to look at: `python -m veo_mcp.sandbox.render.clip.sheet OUT.jpg` renders 24 prompts and lays out stills of them.

Called by whoever changes the drawing, never by the sandbox. For each clip it prints the CPU time, the size and the
greatest jump from frame to frame; with `--parts` it shows each place, figure and weather by itself instead.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from veo_mcp.sandbox.render import ClipSpec, render_clip
from veo_mcp.sandbox.render.canvas.captions import BODY, WHITE, Band
from veo_mcp.sandbox.render.canvas.frame import Frame
from veo_mcp.sandbox.render.canvas.type import clean, wrap
from veo_mcp.sandbox.render.clip.scene import build
from veo_mcp.sandbox.render.figures.cast import DRAWN
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.language.vocabulary import drawable

PROMPTS = (
    "A sailboat on the sea at sunset, camera slowly pans",
    "A drone shot flying over mountains at dawn, mist in the valley",
    "A misty pine forest at night with fireflies",
    "A neon cyberpunk city street at night in the rain, slow tracking shot",
    "A caravan of camels crossing desert dunes at sunset",
    "A dog runs through a sunny park",
    "City skyline at night, slow pan",
    "A tiger stretches on warm stones, golden light, handheld",
    "An astronaut floats in space, orbit shot",
    "Underwater coral reef with fish and a sea turtle",
    "Something entirely unknowable and strange",
    "A woman with an umbrella walks down a street in the rain",
    "A storm at sea with lightning, handheld",
    'A neon sign that says "OPEN LATE" flickers over a rainy street at night',
    "A horse gallops across a meadow at noon",
    "Hot air balloons over mountains, sunrise",
    "A red car drives along a highway in the desert, tracking shot",
    "Northern lights over snowy mountains at night",
    "A lake in autumn. Then snow falls on the forest, the camera tilts up",
    "Una ballena nada bajo el agua",
    "Ein Drache fliegt bei Sonnenuntergang über die alte Burg",
    "Un phare sur la mer dans la tempête",
    "桜の公園、夕方",
    "沙漠中的骆驼，日落",
)
WIDE, TALL, FOOT, COLUMNS = 480, 270, 30, 4
LIMIT, FLOOR = 6.0, 0.3  # a jump is more than so many times the clip's median change, taken as at least so much
FLASH = 14  # frames for which a flash of lightning and its flicker last


def pictures(path: Path) -> Iterator[VideoFrame]:
    with av.open(str(path)) as clip:
        yield from clip.decode(video=0)


def stills(path: Path, count: int) -> list[Image.Image]:
    frames = list(pictures(path))
    return [frames[round(len(frames) * (k + 1) / (count + 1))].to_image() for k in range(count)]


def note_of(path: Path) -> dict[str, Any]:
    with av.open(str(path)) as clip:
        return json.loads(clip.metadata["comment"])


def jump(path: Path) -> tuple[float, int]:
    """The greatest change of luma from a frame to the next, in medians of the clip, and where; cuts and flashes apart."""
    note = note_of(path)
    lumas = [f.to_ndarray(format="gray").astype(np.int16) for f in pictures(path)]
    changes = np.array([np.abs(b - a).mean() for a, b in zip(lumas, lumas[1:], strict=False)])
    asked = {c - 1 for c in note["cuts"]} | {f + k for f in note["flashes"] for k in range(-2, FLASH)}
    free = [k for k in range(len(changes)) if k not in asked]
    worst = max(free, key=lambda k: changes[k])
    return float(changes[worst] / max(float(np.median(changes)), FLOOR)), worst + 1


def label(text: str, wide: int) -> Image.Image:
    band = Band(wide, FOOT)
    band.words(wrap(clean(text), BODY, 15, wide - 12, 1)[0], BODY, 15, 6, 20, WHITE)
    return Image.fromarray((band.alpha * 255).astype("u1"))


def lay_out(rows: list[tuple[str, list[Image.Image]]], out: Path, *, across: int) -> None:
    """Each row's stills side by side with its text below, `across` of them beside each other."""
    each = max(len(shown) for _, shown in rows)
    sheet = Image.new("RGB", (across * each * WIDE, -(-len(rows) // across) * (TALL + FOOT)), (14, 15, 18))
    for k, (text, shown) in enumerate(rows):
        x, y = k % across * each * WIDE, k // across * (TALL + FOOT)
        for j, still in enumerate(shown):
            small = still.copy()
            small.thumbnail((WIDE, TALL), Image.Resampling.LANCZOS)
            sheet.paste(small, (x + j * WIDE + (WIDE - small.width) // 2, y))
        sheet.paste((214, 216, 222), (x, y + TALL), label(text, WIDE))
    sheet.save(out, quality=88)


def parts() -> Iterator[tuple[str, Plan]]:
    """A plan for each thing that can be drawn, alone."""
    places = sorted(drawable().names["place"])
    for light in ("", "sunset", "night"):
        yield from ((f"{place} {light}", Plan("", place, light)) for place in places)
    for weather in ("rain", "snow", "fog", "storm", "cloudy"):
        yield f"mountain {weather}", Plan("", "mountain", "", weather)
    for pair in (
        "street neon,park autumn,park blossom,lake aurora,forest snowy,underwater reef,meadow fireflies,sea moon".split(
            ","
        )
    ):
        place, look = pair.split()
        yield pair, Plan("", place, "", looks=frozenset({look}))
    for subject in sorted(DRAWN):
        for framing in ("wide", "", "close"):
            yield f"{subject} {framing}", Plan("", subjects=(subject,), framing=framing)


def compose(plan: Plan, mode: str, size: tuple[int, int], moments: tuple[float, ...]) -> list[Image.Image]:
    """Stills of one shot, straight from its stage."""
    stage = build(plan, (10000, 7, 0), *size, fine=mode == "quality")
    frame, spare = Frame(*size), Frame(*size)
    out: list[Image.Image] = []
    for t in moments:
        stage.compose(frame, spare, t)
        out.append(VideoFrame.from_ndarray(frame.buf, "yuv420p").to_image())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="Render 24 prompts, or each part of the drawing, and lay out stills.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=Path, help="keep the MP4s in this directory")
    parser.add_argument("--mode", choices=("fast", "quality"), default="fast")
    parser.add_argument("--stills", type=int, default=1, help="stills of each clip")
    parser.add_argument("--parts", action="store_true", help="each place, weather, look and figure by itself")
    parser.add_argument("--upright", action="store_true", help="9:16 instead of 16:9")
    args = parser.parse_args()
    size = (720, 1280) if args.upright else (1280, 720)
    if args.parts:
        lay_out([(name, compose(plan, args.mode, size, (0.5, 4.0, 7.5))) for name, plan in parts()], args.out, across=2)
        return
    rows: list[tuple[str, list[Image.Image]]] = []
    steady = True
    with tempfile.TemporaryDirectory() as scratch:
        for k, prompt in enumerate(PROMPTS):
            path = (args.clips or Path(scratch)) / f"{k + 1:02}.mp4"
            begun = time.process_time()
            render_clip(ClipSpec(prompt, args.mode, *size), path)
            spent = time.process_time() - begun
            times, at = jump(path)
            steady = steady and times <= LIMIT
            rows.append((prompt, stills(path, args.stills)))
            sys.stdout.write(
                f"{spent:5.2f} s  {path.stat().st_size / 1e6:4.1f} MB  jump {times:4.1f} at {at:3}  {prompt}\n"
            )
            sys.stdout.flush()
    lay_out(rows, args.out, across=COLUMNS if args.stills == 1 else 1)
    sys.exit(0 if steady else f"A frame differs from the one before by more than {LIMIT} medians.")


if __name__ == "__main__":
    main()
