"""When lightning flashes: the one rule that the picture and the thunder share.

Called by the weather's drawing and by the soundtrack. Pure arithmetic on the shot's key; it goes on for ever, so that an
extension's storm is the parent's.
"""

from __future__ import annotations

from veo_mcp.sandbox.render.canvas.noise import stream

ROUND = 4.0
"""Seconds in each of which lightning flashes once."""


def flashes(key: tuple[int, ...], start: float, end: float) -> list[float]:
    """The moments of a shot's own time in [start, end) at which lightning flashes."""
    out: list[float] = []
    for k in range(max(0, int(start / ROUND)), int(max(end, 0.0) / ROUND) + 1):
        at = ROUND * k + 1.2 + float(stream(key, f"flash{k}").random()) * 1.8
        if start <= at < end:
            out.append(at)
    return out
