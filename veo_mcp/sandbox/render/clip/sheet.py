"""A contact sheet of clips: `python -m veo_mcp.sandbox.render.clip.sheet OUT.jpg` renders 24 prompts and lays out three stills of each.

Called by whoever prepares the docs, never by the sandbox. With `--clips DIR` the MP4s are kept there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
from PIL import Image

from veo_mcp.sandbox.render import ClipSpec, render_clip
from veo_mcp.sandbox.render.canvas.captions import BODY, WHITE, Band
from veo_mcp.sandbox.render.canvas.type import clean, wrap

PROMPTS = (
    "A sailboat on the sea at sunset, camera slowly pans",
    "A drone shot flying over mountains at dawn, mist in the valley",
    "A misty pine forest at night with fireflies",
    "A neon cyberpunk city street at night in the rain, slow tracking shot",
    "A caravan of camels crossing desert dunes at sunset",
    "A golden retriever runs through a sunny park",
    "City skyline at night, slow pan",
    "A cozy room with a cup of coffee by the window, rain outside",
    "An astronaut floats in space near a planet, orbit shot",
    "Underwater coral reef with fish and a sea turtle",
    "Something entirely unknowable and strange",
    "A woman with an umbrella walks down a street in the rain",
    "A storm at sea with lightning, handheld",
    "Snow falls on a quiet forest with a deer",
    "A horse gallops across a meadow at noon",
    "Hot air balloons over mountains, sunrise",
    "A red car drives along a highway in the desert, tracking shot",
    "Northern lights over snowy mountains at night",
    "A cyclist in an autumn park. Leaves fall at sunset, the camera tilts up",
    "Una ballena nada bajo el agua",
    "Un train traverse les montagnes enneigées",
    "Ein Roboter läuft nachts durch die Stadt im Nebel",
    "桜の公園を歩く少女、夕方",
    "沙漠中的骆驼，日落",
)


def stills(path: Path, count: int) -> list[Image.Image]:
    with av.open(str(path)) as clip:
        frames: list[Any] = [
            f
            for k, f in enumerate(clip.decode(video=0))
            if k in {30 + round(k2 * 130 / max(1, count - 1)) for k2 in range(count)}
        ]
        return [f.to_image() for f in frames]


def main() -> None:
    parser = argparse.ArgumentParser(description="Render 24 prompts and lay out stills of them.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=Path, help="keep the MP4s in this directory")
    parser.add_argument("--mode", choices=("fast", "quality"), default="fast")
    parser.add_argument("--stills", type=int, default=1, help="stills of each clip")
    args = parser.parse_args()
    columns, w, h, foot = 4 if args.stills == 1 else args.stills, 480, 270, 30
    across = columns if args.stills == 1 else 1
    rows = -(-len(PROMPTS) // across)
    sheet = Image.new("RGB", (columns * w, rows * (h + foot)), (14, 15, 18))
    with tempfile.TemporaryDirectory() as scratch:
        for k, prompt in enumerate(PROMPTS):
            path = (args.clips or Path(scratch)) / f"{k + 1:02}.mp4"
            begun = time.process_time()
            render_clip(ClipSpec(prompt, args.mode), path)
            sys.stdout.write(f"{time.process_time() - begun:5.2f} s  {path.stat().st_size / 1e6:4.1f} MB  {prompt}\n")
            sys.stdout.flush()
            y = k // across * (h + foot)
            for j, still in enumerate(stills(path, args.stills)):
                sheet.paste(still.resize((w, h), Image.Resampling.LANCZOS), ((k % across + j) * w, y))
            label = Band(w, foot)
            label.words(wrap(clean(prompt), BODY, 15, w - 12, 1)[0], BODY, 15, 6, 20, WHITE)
            sheet.paste((214, 216, 222), (k % across * w, y + h), Image.fromarray((label.alpha * 255).astype("u1")))
    sheet.save(args.out, quality=88)


if __name__ == "__main__":
    main()
