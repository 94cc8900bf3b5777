"""Making one clip: reads the words, builds the stages, composes frame after frame, and has them encoded.

Called by render_clip only. Decides which stage shows when (shots, image modes, extensions); it draws nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from veo_mcp.sandbox.render import ClipInfo, ClipSpec
from veo_mcp.sandbox.render.audio.music import Score, choose
from veo_mcp.sandbox.render.audio.music import compose as play
from veo_mcp.sandbox.render.canvas.camera import View, crop
from veo_mcp.sandbox.render.canvas.captions import Marks, fade_at
from veo_mcp.sandbox.render.canvas.frame import Frame
from veo_mcp.sandbox.render.canvas.grading import Finish
from veo_mcp.sandbox.render.canvas.noise import key_of, stream
from veo_mcp.sandbox.render.clip.encode import Writer
from veo_mcp.sandbox.render.clip.images import Ended, Morph, Pair, ease, fitted, frame_of, open_image, parent_end
from veo_mcp.sandbox.render.clip.scene import build
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.language.prompt import shots
from veo_mcp.sandbox.render.scenery.stage import Stage

Compose = Callable[[Frame, Frame, float], None]


@dataclass(slots=True)
class Segment:
    """Frames [first, end) and what draws them; `key_end` asks for a well-coded last frame."""

    first: int
    end: int
    compose: Compose
    marks: Marks
    clean_start: bool = False
    clean_end: bool = False


def render(spec: ClipSpec, out: Path) -> ClipInfo:
    total = round(spec.seconds * spec.fps)
    fine = spec.mode == "quality"
    ended = parent_end(spec.parent, spec.width, spec.height) if spec.parent else None
    before = _before(spec, ended)
    plans = shots(spec.prompt, inherit=before)
    key = key_of(spec.seed, spec.prompt, 0)
    note: dict[str, Any] = ended.note if ended else {}
    score = _score(note, spec, before) or choose(key, mood(plans[0]))
    makers, stage_note = _segments(spec, plans, total, ended)
    comment = json.dumps(
        {"sandbox": True, "made_by": "procedural drawing, no AI model", "task": spec.task_id, **stage_note,
         "music": [score.root, score.mood, score.chords], "at": float(note.get("at", 0.0)) + spec.seconds},
        ensure_ascii=False,
    )  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    writer = Writer(
        out, spec.width, spec.height, spec.fps, fine=fine, comment=comment, exact=bool(spec.images or spec.parent)
    )
    try:
        frame, spare = Frame(spec.width, spec.height), Frame(spec.width, spec.height)
        finish = Finish(stream(key, "grain"), spec.width, spec.height, fine=fine)
        index = 0
        for make in makers:
            segment = make()
            while index < segment.end:
                segment.compose(frame, spare, (index - segment.first) / spec.fps)
                dressed = fade_at(index, segment.first, segment.end, spec.fps)
                edge_in = ease((index - segment.first) / 14) if segment.clean_start else 1.0
                edge_out = ease((segment.end - 1 - index) / 14) if segment.clean_end else 1.0
                finish.apply(frame, index, min(edge_in, edge_out))
                segment.marks.draw(frame, dressed)
                last = index == segment.end - 1
                writer.frame(frame, key=index == segment.first or (last and (segment.clean_end or index == total - 1)))
                index += 1
        start = float(note.get("at", 0.0)) if ended else 0.0
        writer.sound(play(key, score, spec.seconds, ambience(plans), fine=fine, start=start))
        writer.close()
    except BaseException:
        writer.abandon()
        raise
    return ClipInfo(spec.width, spec.height, spec.seconds, total)


def _before(spec: ClipSpec, ended: Ended | None) -> Plan | None:
    """What a parent's scene was: from its own note, else from its prompt."""
    if ended is None:
        return None
    scene = ended.note.get("scene")
    if isinstance(scene, dict):
        try:
            return Plan(
                str(scene.get("caption", "")), str(scene["place"]), str(scene["light"]), str(scene["weather"]), str(scene["camera"]),
                tuple(map(str, scene["subjects"])), frozenset(map(str, scene["looks"])),
            )  # fmt: skip
        except (KeyError, TypeError):
            pass
    return shots(spec.parent_prompt)[-1] if spec.parent_prompt else None


def _score(note: dict[str, Any], spec: ClipSpec, before: Plan | None) -> Score | None:
    try:
        root, name, chords = note["music"]
        return Score(int(root), str(name), int(chords))
    except (KeyError, TypeError, ValueError):
        if spec.parent_prompt is not None and before is not None:
            return choose(key_of(spec.parent_seed or 0, spec.parent_prompt, 0), mood(before))
        return None


def mood(plan: Plan) -> str:
    for look, name in (
        ("neon", "neon"),
        ("epic", "epic"),
        ("dark", "dark"),
        ("happy", "happy"),
        ("calm", "calm"),
        ("fast", "happy"),
    ):
        if look in plan.looks:
            return name
    if plan.weather == "storm":
        return "epic"
    if plan.place in {"space", "underwater", "abstract", ""}:
        return "wonder"
    if plan.light == "night":
        return "night"
    if plan.place in {"park", "city"} and plan.light in {"noon", ""}:
        return "happy" if plan.subjects else "warm"
    return {"sunset": "warm", "dawn": "calm"}.get(plan.light, "warm")


def ambience(plans: tuple[Plan, ...]) -> tuple[str, ...]:
    out: list[str] = []
    for plan in plans:
        day = plan.light not in {"night"}
        out += {
            "sea": ["surf"], "beach": ["surf"], "lake": ["surf"], "river": ["surf"], "meadow": ["birds" if day else "crickets"], "mountain": ["wind"], "forest": ["birds" if day else "crickets", "wind"], "city": ["city"],
            "desert": ["wind"], "mars": ["wind"], "pyramids": ["wind"], "park": ["birds" if day else "crickets"], "street": ["city"], "room": ["fire"], "space": ["drone"],
            "underwater": ["bubbles"],
        }.get(plan.place, ["drone"])  # fmt: skip
        if plan.weather in {"rain", "storm"}:
            out.insert(0, plan.weather)
    return tuple(dict.fromkeys(out))


def _marks(spec: ClipSpec, caption: str, label: str, stage: Stage | None) -> Marks:
    accent = stage.setup.pal.accent if stage else (0.75, 0.88, 1.0)
    return Marks(spec.width, spec.height, caption or " ", label, accent, spec.watermark)


def label_of(plan: Plan, number: int, count: int) -> str:
    words = [w for w in (plan.place, plan.light, plan.weather) if w and w != "abstract"]
    parts = [f"shot {number}/{count}"] if count > 1 else []
    if plan.camera:
        parts.append(plan.camera.replace("_", " "))
    if words:
        parts.append(", ".join(words))
    return " · ".join(parts) or "abstract"


def _note(plan: Plan, key: tuple[int, ...], moment: float) -> dict[str, Any]:
    return {
        "scene": {
            "caption": plan.caption[:200], "place": plan.place, "light": plan.light, "weather": plan.weather, "camera": plan.camera,
            "subjects": list(plan.subjects), "looks": sorted(plan.looks),
        },
        "key": list(key), "moment": moment,
    }  # fmt: skip


def _segments(
    spec: ClipSpec, plans: tuple[Plan, ...], total: int, ended: Ended | None
) -> tuple[list[Callable[[], Segment]], dict[str, Any]]:
    fine = spec.mode == "quality"
    w, h = spec.width, spec.height
    key = key_of(spec.seed, spec.prompt, 0)
    if ended is not None:
        return _extension(spec, plans, total, ended)
    if spec.image_use == "frames" and spec.images:

        def pictures() -> Segment:
            first = frame_of(fitted(open_image(spec.images[0]), w, h))
            last = frame_of(fitted(open_image(spec.images[1]), w, h)) if len(spec.images) > 1 else None
            pair = Pair(stream(key, "morph"), first, last, (total - 1) / spec.fps)
            label = "first + last frame" if last else "from one image"
            marks = _marks(spec, spec.prompt, label, None)
            return Segment(0, total, lambda f, s, t: pair.compose(f, s, t, fine=fine), marks, True, last is not None)

        return [pictures], _note(plans[-1], (), 0.0)
    if spec.image_use == "reference" and spec.images:
        from veo_mcp.sandbox.render.clip.reference import ReferenceStage

        def reference() -> Segment:
            stage = ReferenceStage(plans[0], key, w, h, [open_image(p, alpha=True) for p in spec.images], fine=fine)
            marks = _marks(spec, spec.prompt, "reference · " + label_of(plans[0], 1, 1), stage.stage)
            return Segment(0, total, stage.compose, marks)

        return [reference], _note(plans[0], (), 0.0)
    cuts = [round(total * k / len(plans)) for k in range(len(plans) + 1)]

    def shot(k: int) -> Callable[[], Segment]:
        def make() -> Segment:
            stage = build(plans[k], key_of(spec.seed, spec.prompt, k), w, h, fine=fine)
            caption = spec.prompt if len(plans) == 1 else plans[k].caption
            marks = _marks(spec, caption, label_of(plans[k], k + 1, len(plans)), stage)
            return Segment(cuts[k], cuts[k + 1], stage.compose, marks)

        return make

    n = len(plans) - 1
    return [shot(k) for k in range(n + 1)], _note(
        plans[n], key_of(spec.seed, spec.prompt, n), (total - 1 - cuts[n]) / spec.fps
    )


def _extension(
    spec: ClipSpec, plans: tuple[Plan, ...], total: int, ended: Ended
) -> tuple[list[Callable[[], Segment]], dict[str, Any]]:
    """The parent's scene lives on from its last frame, and then becomes what the new prompt asks for."""
    fine, w, h = spec.mode == "quality", spec.width, spec.height
    key = key_of(spec.seed, spec.prompt, 0)
    before = _before(spec, ended)
    old_key, moment = _continued(spec, ended)
    plan = plans[0]
    # the same place keeps its geography; only light, weather and what happens there change
    same_place = before is not None and plan.place == before.place and old_key is not None
    new_key = old_key if same_place and old_key else key
    length = (total - 1) / spec.fps

    def make() -> Segment:
        stage = build(plan, new_key, w, h, fine=fine)
        old = build(before, old_key, w, h, fine=fine) if before and old_key else None
        passage = Passage(stream(key, "morph"), ended.frame, old, stage, moment, fine=fine)
        marks = _marks(spec, spec.prompt, "extension · " + label_of(plan, 1, 1), stage)
        return Segment(0, total, passage.compose, marks, clean_start=True)

    return [make], _note(plan, new_key, length)


def _continued(spec: ClipSpec, ended: Ended) -> tuple[tuple[int, ...] | None, float]:
    """The parent's last stage and its time there; None when its last frame was no stage of ours."""
    note = ended.note
    try:
        return (tuple(int(k) for k in note["key"]), float(note["moment"])) if note["key"] else (None, 0.0)
    except (KeyError, TypeError, ValueError):
        pass
    if spec.parent_prompt is None:
        return None, 0.0
    plans = shots(spec.parent_prompt)
    cut = round(spec.seconds * spec.fps * (len(plans) - 1) / len(plans))
    end = round(spec.seconds * spec.fps) - 1
    return key_of(spec.parent_seed or 0, spec.parent_prompt, len(plans) - 1), (end - cut) / spec.fps


class Passage:
    """From a still last frame into the scene it came from, going on; and from there into the next scene."""

    def __init__(
        self, rng: np.random.Generator, last: Frame, old: Stage | None, new: Stage, moment: float, *, fine: bool
    ) -> None:
        self.last, self.old, self.new, self.moment, self.fine = last, old, new, moment, fine
        self.same = old is not None and old.setup.key == new.setup.key
        self.morph = Morph(rng, last.w, last.h)
        self.other = Frame(last.w, last.h)
        self.begin, self.span = (1.7, 2.4) if old else (0.4, 2.4)

    def compose(self, frame: Frame, spare: Frame, t: float) -> None:
        amount = ease((t - self.begin) / self.span)
        if amount >= 1:
            self.old = None
            self.new.compose(frame, spare, t)
            return
        if self.old is None or t <= 0:
            crop(self.last, frame, View(zoom=1 + 0.02 * t * min(1.0, t)), fine=self.fine)
        else:
            self.old.compose(frame, spare, self.moment + t)
            if t < 0.7:
                frame.mix(self.last, round(256 * (1 - ease(t / 0.7))))
        if amount > 0:
            self.new.compose(self.other, spare, t)
            if self.same:
                # the same land under another light: day passes, no edge runs through the picture
                frame.mix(self.other, round(256 * amount))
            else:
                self.morph.apply(frame, self.other, amount)
