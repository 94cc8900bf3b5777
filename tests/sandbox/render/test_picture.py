"""What the stages draw: every pixel of every place, only what was named, figures that stay and keep their feet."""

from __future__ import annotations

import os
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from veo_mcp.sandbox.render.canvas.camera import Camera
from veo_mcp.sandbox.render.canvas.frame import Frame
from veo_mcp.sandbox.render.canvas.shapes import draw
from veo_mcp.sandbox.render.clip.scene import build
from veo_mcp.sandbox.render.clip.sheet import FLOOR, LIMIT
from veo_mcp.sandbox.render.figures import walkers
from veo_mcp.sandbox.render.figures.cast import DRAWN, FPS, GROUND_BOUND, Actor, gait_of
from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.language.vocabulary import drawable
from veo_mcp.sandbox.render.scenery.places import ALIKE
from veo_mcp.sandbox.render.scenery.places import PLACES as LAID
from veo_mcp.sandbox.render.scenery.stage import Stage
from veo_mcp.sandbox.render.scenery.water import Water

WIDE, TALL = ((1280, 720), (720, 1280)) if os.environ.get("VEO_PICTURES") == "all" else ((640, 360), (360, 640))
"""A quarter of the area; with VEO_PICTURES=all the sizes that clips have."""
PLACES = sorted(drawable().names["place"])
MOVES = ["drift", "push", *sorted(drawable().names["camera"])]
"""The gentle ones that no prompt names, and those that prompts name."""
FIGURES = sorted(DRAWN)
SHOTS = [(WIDE, "close", ""), (TALL, "", ""), (TALL, "wide", "static")]
ALL = os.environ.get("VEO_PICTURES") == "all"
"""Every place and figure in every size and framing; without it each in one of them, in turn."""


def in_turn(names: list[str], ways: list[Any]) -> list[tuple[str, Any]]:
    """Each name with each way, or each name with one of them."""
    return list(product(names, ways)) if ALL else [(name, ways[k % len(ways)]) for k, name in enumerate(names)]


def stage(plan: Plan, size: tuple[int, int] = WIDE, *, seed: int = 3, fine: bool = False) -> Stage:
    return build(plan, (seed, 7, 0), *size, fine=fine)


def actors(of: Stage) -> list[Actor]:
    return [item for item in of.items if isinstance(item, Actor)]


def test_there_is_a_picture_for_each_name_of_the_vocabulary_and_a_name_for_each_picture() -> None:
    assert drawable().names["subject"] == DRAWN
    assert set(PLACES) <= {*LAID, *ALIKE}
    still = Camera("static", 1.0)
    moving = {m for m in MOVES if any(Camera(m, 1.0).at(t) != still.at(t) for t in (0.0, 4.0))}
    assert moving == {*MOVES} - {"static"}


@pytest.mark.parametrize(("place", "size"), in_turn([*PLACES, ""], [WIDE, TALL]))
def test_every_place_draws_every_pixel_wherever_the_camera_goes(place: str, size: tuple[int, int]) -> None:
    frame, spare = Frame(*size), Frame(*size)
    turn = len(place) + size[0] // 720
    for k, move in list(enumerate(MOVES))[turn % 5 :: 5]:
        weather = ("", "rain", "snow", "fog", "storm", "clear")[k % 6]
        light = ("dawn", "noon", "sunset", "night")[k % 4]
        shot = stage(Plan("x", place, light, weather, move, ("person", "bird")), size, seed=k, fine=bool(k % 2))
        for t in (0.0, 4.0, 7.96, 15.9):
            frame.buf[...] = 0
            spare.buf[...] = 0
            shot.compose(frame, spare, t)
            # zero is no legal luma or chroma here: what is zero was not drawn
            assert frame.y.min() > 8, (place, move, t)
            assert frame.u.min() > 8, (place, move, t)


@pytest.mark.parametrize("place", PLACES)
def test_who_is_not_named_is_not_there(place: str) -> None:
    for light in ("", "noon", "night"):
        shot = stage(Plan("x", place, light))
        assert not actors(shot)
        assert not shot.setup.pal.disc


@pytest.mark.parametrize(("looks", "light", "seen"), [("sun", "", True), ("moon", "night", True), ("", "sunset", True)])
def test_the_sun_and_the_moon_shine_where_they_are_named(looks: str, light: str, seen: bool) -> None:
    assert stage(Plan("x", "sea", light, looks=frozenset({looks}))).setup.pal.disc is seen


@pytest.mark.parametrize(("subject", "framed"), in_turn(FIGURES, SHOTS))
def test_whoever_is_named_stays_in_the_frame_for_the_whole_shot(
    subject: str, framed: tuple[tuple[int, int], str, str]
) -> None:
    size, framing, camera = framed
    shot = stage(Plan("x", "", "", "", camera, (subject,), framing=framing), size)
    leader = actors(shot)[0]
    for t in (0.0, 2.0, 4.0, 6.0, 7.95):
        x, y = leader.where(t, shot.setup.camera.at(t))
        assert 0 <= x <= size[0], t
        assert 0 < y - leader.feet[0] / 2 < size[1], t


@pytest.mark.parametrize("subject", sorted(GROUND_BOUND - {"car"}))
def test_legs_move_in_every_frame_and_feet_stand_on_the_ground(subject: str) -> None:
    for looks in (frozenset[str](), frozenset({"fast"})):
        shot = stage(Plan("x", "meadow", subjects=(subject,), looks=looks))
        one = actors(shot)[0]
        shown = [one.shown(k / FPS) for k in range(FPS)]
        assert all(a != b for a, b in pairwise(shown))
        assert one.shadow is not None
        if not looks:
            assert one.feet == [float(picture.lowest) for picture in one.pictures]


@pytest.mark.parametrize("subject", ["person", "dog", "cat", "horse", "camel"])
def test_a_foot_that_is_down_moves_back_as_fast_as_the_ground(subject: str) -> None:
    for camera in ("", "static"):
        shot = stage(Plan("x", "meadow", "", "", camera, (subject,)))
        one = actors(shot)[0]
        ground = [-shot.setup.camera.at(t).x * shot.walk_depth for t in (2.0, 3.0)]
        speed = (
            one.where(3.0, shot.setup.camera.at(3.0))[0]
            - one.where(2.0, shot.setup.camera.at(2.0))[0]
            - (ground[1] - ground[0])
        )
        cycle = len(one.pictures) / FPS
        gait = gait_of(shot.setup.plan)
        assert gait is not None
        measure = (one.pictures[0].h - 2) / (gait.tall + 0.06)
        # what a cycle covers is the length of a stride, so that no foot slides
        assert speed * cycle == pytest.approx(gait.stride * measure, rel=0.08)


@pytest.mark.parametrize(("subject", "number"), [("bird", 2), ("dog", 3), ("fish", 2), ("boat", 5), ("balloon", 4)])
def test_as_many_are_drawn_as_the_prompt_says_and_all_of_them_are_in_the_frame(subject: str, number: int) -> None:
    shot = stage(Plan("x", subjects=(subject,), counts=((subject, number),)))
    assert len(actors(shot)) == number
    for one in actors(shot):
        assert 0 <= one.where(0.0, shot.setup.camera.at(0.0))[0] <= WIDE[0]


def test_near_medium_and_wide_differ() -> None:
    tall = [
        actors(stage(Plan("x", "meadow", subjects=("horse",), framing=f)))[0].pictures[0].h
        for f in ("wide", "medium", "close")
    ]
    assert tall[0] * 1.3 < tall[1] < tall[2] / 1.3


@pytest.mark.parametrize("move", ["static", "pan_left", "drone", "tilt_up", "handheld"])
def test_water_never_jumps_from_one_frame_to_the_next(move: str) -> None:
    shot = stage(Plan("x", "sea", "noon", "", move))
    assert any(isinstance(item, Water) for item in shot.items)
    frame, spare = Frame(*WIDE), Frame(*WIDE)
    for start in (0.0, 7.5, 14.0):
        last: Any = None
        changes: list[float] = []
        for k in range(14):
            shot.compose(frame, spare, start + k / FPS)
            if last is not None:
                changes.append(float(np.abs(frame.y.astype(int) - last).mean()))
            last = frame.y.astype(int)
        assert max(changes) <= LIMIT * max(float(np.median(changes)), FLOOR)


def test_the_horizon_glides_by_less_than_a_pixel() -> None:
    shot = stage(Plan("x", "sea", "noon", "", "tilt_up"))
    water = next(item for item in shot.items if isinstance(item, Water))
    rows = [water.top(shot.setup.camera.at(k / FPS)) for k in range(FPS * 8)]
    steps = np.abs(np.diff(rows))
    assert 0 < steps.max() < 1.3
    assert any(row % 1 for row in rows)


def test_a_second_picture_of_the_same_phase_is_the_same() -> None:
    from veo_mcp.sandbox.render.canvas.pen import Pen

    one, two = Pen(100, 2.4, 1.6), Pen(100, 2.4, 1.6)
    for pen in (one, two):
        walkers.beast(pen, 0.3, walkers.BEASTS["dog"])
        draw(pen, 0.3, "astronaut", paint=(1.0, 1.0, 1.0))
    assert one.img.tobytes() == two.img.tobytes()
