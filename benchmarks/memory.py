"""Does memory grow from clip to clip? Renders many different clips in one process and prints what it holds.

Run by hand: `python benchmarks/memory.py [CLIPS] [SECONDS] [SCALE]`. A scale of 0.5 halves width and height, for a look
at growth alone; seconds are at least 0.75, the length of the music's end. The goal: after 100 clips at most 1.2 times
the memory after 10, and a peak of at most 350 MB.
"""

import gc
import resource
import sys
import tempfile
from pathlib import Path

from veo_mcp.sandbox.render import ClipSpec, render_clip
from veo_mcp.sandbox.render.clip.sheet import PROMPTS

EARLY = 10
PAGE = resource.getpagesize()


def resident() -> float:
    """Megabytes that the process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def main(clips: int, seconds: float, scale: float) -> None:
    long, short = (round(side * scale) // 2 * 2 for side in (1280, 720))
    early = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for k in range(1, clips + 1):
            size = (short, long) if k % 3 == 0 else (long, short)
            spec = ClipSpec(
                PROMPTS[k % len(PROMPTS)],
                "quality" if k % 5 == 0 else "fast",
                *size,
                seed=10000 + k,
                seconds=seconds,
            )
            render_clip(spec, Path(folder) / "clip.mp4")
            gc.collect()
            if k == EARLY:
                early = resident()
            if k % EARLY == 0:
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
                print(f"{k:4} clips  {resident():6.0f} MB now  {peak:6.0f} MB at most", flush=True)
    print(f"{resident() / early:.2f} times the memory after {EARLY} clips")


if __name__ == "__main__":
    given = [float(arg) for arg in sys.argv[1:]] + [100, 8, 1][len(sys.argv) - 1 :]
    main(int(given[0]), given[1], given[2])
