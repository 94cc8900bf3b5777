"""How an extension goes on: from its parent's last frame, in its parent's motion, into what its own prompt asks for.

Called by the clip maker. Another scene is cut to; the same scene under another light is swept by that light from side to
side. Two scenes are never seen through each other.
"""

from __future__ import annotations

import numpy as np

from veo_mcp.sandbox.render.canvas.camera import View, crop
from veo_mcp.sandbox.render.canvas.frame import U16, Frame
from veo_mcp.sandbox.render.clip.images import ease
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.scenery.stage import Stage

CUT_AFTER = 1.5  # seconds for which the parent's scene goes on
SWEEP = 2.2  # seconds in which another light crosses the picture
EDGE = 0.22  # of the picture's width: how soft the edge of the light is
PUSH = 0.02  # how fast a still last frame, which has no motion of its own, is approached, per second


def goes_on(before: Plan, plan: Plan) -> bool:
    """Whether the new plan is the old scene under another light or weather."""
    same = (before.place, before.subjects, before.framing) == (plan.place, plan.subjects, plan.framing)
    return same and plan.camera in {"", before.camera} and not before.animatic and not plan.animatic


class Passage:
    def __init__(
        self, last: Frame, old: Stage | None, new: Stage, moment: float, change: float, offset: float, *, fine: bool
    ) -> None:
        """`moment` is the old stage's time in the last frame; at `change` the new one begins, at its own time `offset`."""
        self.last, self.old, self.new, self.moment, self.change, self.offset, self.fine = (
            last, old, new, moment, change, offset, fine,
        )  # fmt: skip
        self.sweeps = old is not None and old.setup.key == new.setup.key and offset > 0
        self.other = Frame(last.w, last.h) if self.sweeps else last
        self.x = (np.arange(last.w, dtype=np.float32) + np.float32(0.5)) / last.w
        if self.sweeps and new.sun[0] > last.w / 2:
            self.x = self.x[::-1]

    def compose(self, frame: Frame, spare: Frame, t: float) -> None:
        if t <= 0:
            frame.copy_from(self.last)
        elif t < self.change:
            if self.old is None:
                crop(self.last, frame, View(zoom=1 + PUSH * t))
            else:
                self.old.compose(frame, spare, self.moment + t)
        elif self.sweeps and self.old is not None and t < self.change + SWEEP:
            self.old.compose(frame, spare, self.moment + t)
            self.new.compose(self.other, spare, self.offset + t - self.change)
            at = ease((t - self.change) / SWEEP) * (1 + EDGE)
            mask: U16 = (np.clip((at - self.x) / EDGE, 0, 1) * 256).astype(np.uint16)[None, :]
            frame.reveal(self.other, mask, mask[:, ::2])
        else:
            self.old = None
            self.new.compose(frame, spare, self.offset + t - self.change)

    def finish(self, t: float) -> float:
        """The last frame has its finish already."""
        return 0.0 if t <= 0 or (self.old is None and t < self.change) else 1.0
