"""Making one clip: reads the words, builds the stages, composes frame after frame, and has them encoded.

Called by render_clip only. Decides which stage shows when (shots, image modes, extensions); it draws nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from veo_mcp.sandbox.render import ClipInfo, ClipSpec
from veo_mcp.sandbox.render.audio.ambience import Air, sounds_of
from veo_mcp.sandbox.render.audio.music import compose as play
from veo_mcp.sandbox.render.audio.score import Score, choose, mood_of, remembered
from veo_mcp.sandbox.render.canvas.captions import Marks, fade_at
from veo_mcp.sandbox.render.canvas.frame import Frame
from veo_mcp.sandbox.render.canvas.grading import Finish
from veo_mcp.sandbox.render.canvas.noise import flashes, key_of, stream
from veo_mcp.sandbox.render.clip.encode import Writer
from veo_mcp.sandbox.render.clip.images import Ended, Pair, ease, fitted, frame_of, open_image, parent_end
from veo_mcp.sandbox.render.clip.passage import CUT_AFTER, Passage, goes_on
from veo_mcp.sandbox.render.clip.reference import add_references
from veo_mcp.sandbox.render.clip.scene import build
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.language.prompt import shots
from veo_mcp.sandbox.render.language.vocabulary import drawable
from veo_mcp.sandbox.render.scenery.animatic import add_title

Key = tuple[int, ...]
RAMP = 14  # frames in which the finish comes in after a given picture, or goes before one
ACCENT = (0.75, 0.88, 1.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """One stage's share of the clip: frames [first, end), and the stage's own time at the first of them."""

    plan: Plan
    key: Key
    first: int
    end: int
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames [first, end), what draws them, their marks, and how much of the finish each has."""

    first: int
    end: int
    compose: Callable[[Frame, Frame, float], None]
    marks: Marks
    finish: Callable[[int], float] = lambda index: 1.0
    clean_end: bool = False


class Maker:
    """One clip in the making."""

    def __init__(self, spec: ClipSpec) -> None:
        self.spec, self.fine = spec, spec.mode == "quality"
        self.total = round(spec.seconds * spec.fps)
        self.ended: Ended | None = parent_end(spec.parent, spec.width, spec.height) if spec.parent else None
        self.note: dict[str, Any] = self.ended.note if self.ended else {}
        self.before = plan_of(self.note.get("scene"))
        self.plans = shots(spec.prompt, inherit=self.before)
        self.scenes = self._extended() if self.ended else self._shots()

    def _continued(self) -> tuple[Key, float] | None:
        """The parent's last stage and its time there; None when its last frame was no stage of ours."""
        try:
            return (tuple(int(k) for k in self.note["key"]), float(self.note["moment"])) if self.note["key"] else None
        except (KeyError, TypeError, ValueError):
            return None

    # Which stage shows when

    def _shots(self) -> list[Scene]:
        spec, plans = self.spec, self.plans
        if spec.image_use == "reference":
            # the images are what is seen: without a place they stand on plain ground
            plans = (replace(plans[0], animatic=False),)
        count = len(plans) if spec.image_use != "frames" else 1
        cuts = [round(self.total * k / count) for k in range(count + 1)]
        return [Scene(plans[k], key_of(spec.seed, spec.prompt, k), cuts[k], cuts[k + 1]) for k in range(count)]

    def _extended(self) -> list[Scene]:
        """The parent's scene goes on, and then another light sweeps over it or another scene is cut to."""
        spec, plan = self.spec, self.plans[0]
        was = self._continued()
        change = min(round(CUT_AFTER * spec.fps), self.total // 2)
        key = key_of(spec.seed, spec.prompt, 0)
        if was is None or self.before is None:
            return [Scene(replace(plan, place="", animatic=True), (), 0, change), Scene(plan, key, change, self.total)]
        old_key, moment = was
        old = Scene(self.before, old_key, 0, change, moment)
        if goes_on(self.before, plan):
            # the same land under another light, the same figures on their way
            plan = replace(plan, camera=plan.camera or self.before.camera)
            return [old, Scene(plan, old_key, change, self.total, moment + change / spec.fps)]
        # the same place keeps its geography
        return [
            old,
            Scene(plan, old_key if plan.place and plan.place == self.before.place else key, change, self.total),
        ]

    def segments(self) -> Iterator[Segment]:
        """One after another, so that only one shot's stage is held at a time."""
        spec, w, h = self.spec, self.spec.width, self.spec.height
        key = self.scenes[0].key
        if self.ended:
            yield self._extension(self.ended)
        elif spec.image_use == "frames" and spec.images:
            first = frame_of(fitted(open_image(spec.images[0]), w, h))
            last = frame_of(fitted(open_image(spec.images[1]), w, h)) if len(spec.images) > 1 else None
            pair = Pair(stream(key, "morph"), first, last, (self.total - 1) / spec.fps, fine=self.fine)
            label, end = ("first + last frame", self.total - 1) if last else ("from one image", 10 * self.total)
            yield Segment(
                0, self.total, pair.compose, Marks(w, h, spec.prompt or " ", label, ACCENT, spec.watermark),
                lambda index: min(ease(index / RAMP), ease((end - index) / RAMP)), last is not None,
            )  # fmt: skip
        else:
            for number, scene in enumerate(self.scenes, 1):
                stage = build(scene.plan, scene.key, w, h, fine=self.fine)
                if spec.image_use == "reference" and spec.images:
                    add_references(stage, [open_image(path, alpha=True) for path in spec.images])
                elif not scene.plan.animatic:
                    add_title(stage, (scene.end - scene.first) / spec.fps)
                yield Segment(
                    scene.first, scene.end, stage.compose, self._marks(scene.plan, number, stage.setup.pal.accent)
                )

    def _extension(self, ended: Ended) -> Segment:
        spec = self.spec
        old, new = self.scenes
        was = build(old.plan, old.key, spec.width, spec.height, fine=bool(self.note.get("fine"))) if old.key else None
        stage = build(new.plan, new.key, spec.width, spec.height, fine=self.fine)
        passage = Passage(ended.frame, was, stage, old.offset, new.first / spec.fps, new.offset, fine=self.fine)
        marks = self._marks(new.plan, 1, stage.setup.pal.accent)
        return Segment(0, self.total, passage.compose, marks, lambda index: passage.finish(index / spec.fps))

    def _marks(self, plan: Plan, number: int, accent: tuple[float, float, float]) -> Marks:
        spec, count = self.spec, 1 if self.ended else len(self.scenes)
        parts = ["extension"] if self.ended else ["reference"] if spec.image_use == "reference" else []
        parts += ["animatic"] if plan.animatic else []
        parts += [f"shot {number}/{count}"] if count > 1 else []
        parts += [plan.camera.replace("_", " ")] if plan.camera else []
        parts += [", ".join(filter(None, (plan.place, plan.light, plan.weather)))] if plan.place else []
        caption = "" if plan.animatic else plan.caption if count > 1 else spec.prompt
        return Marks(spec.width, spec.height, caption, " · ".join(parts), accent, spec.watermark)

    # What is written down and played

    def comment(self, score: Score) -> str:
        spec, last = self.spec, self.scenes[-1]
        drawn = spec.image_use == "none" or bool(self.ended)
        note = {
            "sandbox": True, "made_by": "procedural drawing, no AI model", "task": spec.task_id, "scene": note_of(last.plan),
            "key": list(last.key) if drawn else [], "fine": self.fine, "music": score.note,
            "moment": last.offset + (self.total - 1 - last.first) / spec.fps,
            "at": float(self.note.get("at", 0.0)) + spec.seconds,
            "cuts": [scene.first for scene in self.scenes[1:]], "flashes": [round(t * spec.fps) for a in self.airs() for t in a.thunder],
        }  # fmt: skip
        return json.dumps(note, ensure_ascii=False)

    def score(self) -> Score:
        """The parent's music, from its note; else the prompt's own."""
        kept = remembered(self.note.get("music"))
        return kept or choose(key_of(self.spec.seed, self.spec.prompt, 0), mood_of(self.plans[0]))

    def airs(self) -> list[Air]:
        """What is heard when: each scene's own sounds, and thunder at the flashes that are seen."""
        out: list[Air] = []
        for scene in self.scenes:
            start, end = scene.first / self.spec.fps, scene.end / self.spec.fps
            stormy = scene.plan.weather == "storm" and scene.key and (self.ended or self.spec.image_use != "frames")
            seen = flashes(scene.key, scene.offset, scene.offset + end - start) if stormy else []
            out.append(Air(start, end, sounds_of(scene.plan), tuple(start + t - scene.offset for t in seen)))
        return out


def render(spec: ClipSpec, out: Path) -> ClipInfo:
    maker = Maker(spec)
    score = maker.score()
    out.parent.mkdir(parents=True, exist_ok=True)
    exact = bool(spec.images or spec.parent)
    writer = Writer(out, spec.width, spec.height, spec.fps, fine=maker.fine, comment=maker.comment(score), exact=exact)
    try:
        frame, spare = Frame(spec.width, spec.height), Frame(spec.width, spec.height)
        finish = Finish(stream(key_of(spec.seed, spec.prompt, 0), "grain"), spec.width, spec.height, fine=maker.fine)
        for segment in maker.segments():
            for index in range(segment.first, segment.end):
                segment.compose(frame, spare, (index - segment.first) / spec.fps)
                finish.apply(frame, index, segment.finish(index))
                segment.marks.draw(frame, fade_at(index, segment.first, segment.end, spec.fps))
                ends = index == segment.end - 1 and (segment.clean_end or segment.end == maker.total)
                writer.frame(frame, key=index == segment.first or ends)
        start = float(maker.note.get("at", 0.0))
        writer.sound(play(score, spec.seconds, maker.airs(), fine=maker.fine, start=start))
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return ClipInfo(spec.width, spec.height, spec.seconds, maker.total)


# A plan in a file's note


def note_of(plan: Plan) -> dict[str, Any]:
    """What of a plan an extension needs to know, as JSON; not where it came from."""
    values = {f.name: getattr(plan, f.name) for f in fields(Plan) if f.name != "named"}
    return {k: sorted(v) if isinstance(v, frozenset) else v for k, v in values.items() if v}


def _pairs(pairs: Any) -> tuple[tuple[Any, Any], ...]:
    return tuple((a, b) for a, b in pairs)


def plan_of(scene: object) -> Plan | None:
    """A plan that note_of wrote down; None for anything else."""
    if not isinstance(scene, dict) or scene.get("place", "") not in {"", *drawable().names["place"]}:
        return None
    kinds: dict[str, Callable[[Any], Any]] = {
        "subjects": tuple, "colours": tuple, "sounds": tuple, "looks": frozenset,
        "paints": _pairs, "counts": _pairs,
    }  # fmt: skip
    known = {f.name for f in fields(Plan)} - {"named"}
    try:
        values: dict[str, Any] = {"caption": ""}
        values.update({str(k): kinds.get(str(k), lambda v: v)(v) for k, v in scene.items() if k in known})
        return Plan(**values)
    except (TypeError, ValueError):
        return None
