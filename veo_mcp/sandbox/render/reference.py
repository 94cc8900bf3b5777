"""Reference images composed into a scene: objects standing in the place that the prompt names, lit like it.

Called by the clip maker for reference clips. The images are not shown as slides: they stand or hang in the scene.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .frame import Frame
from .images import cutout
from .scene import build
from .stage import Stage
from .words import Plan


class ReferenceStage:
    def __init__(
        self, plan: Plan, key: tuple[int, ...], w: int, h: int, images: list[Image.Image], *, fine: bool
    ) -> None:
        self.stage: Stage = build(plan, key, w, h, fine=fine)
        count = len(images)
        self.cards = [cutout(image, int(h * (0.46 if w > h else 0.3))) for image in images]
        self.spots = [(w * (k + 0.5) / count, h * (0.5 + 0.03 * (k % 2))) for k in range(count)]

    def compose(self, frame: Frame, spare: Frame, t: float) -> None:
        self.stage.compose(frame, spare, t)
        for k, (card, (x, y)) in enumerate(zip(self.cards, self.spots, strict=True)):
            sway = np.sin(0.7 * t + k * 2.1)
            card.draw(frame, x - card.w / 2 + 14 * sway, y - card.h / 2 + 8 * float(np.cos(0.9 * t + k)))
