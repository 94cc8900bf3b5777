"""The animatic: all of a prompt's words, on the page, moving, over nothing that was not named."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

np: Any = pytest.importorskip("numpy")
pytest.importorskip("uharfbuzz")

from veo_mcp.sandbox.render.canvas.camera import Camera  # noqa: E402
from veo_mcp.sandbox.render.canvas.frame import Frame  # noqa: E402
from veo_mcp.sandbox.render.canvas.palette import palette  # noqa: E402
from veo_mcp.sandbox.render.canvas.type import clean, is_rtl  # noqa: E402
from veo_mcp.sandbox.render.language.plan import Plan  # noqa: E402
from veo_mcp.sandbox.render.scenery.animatic import LIGHTS, Cards, Tone, add_title, animatic, cards, tone_of  # noqa: E402
from veo_mcp.sandbox.render.scenery.stage import Setup, Stage  # noqa: E402
from veo_mcp.sandbox.render.scenery.typography import DESIGNS, Page, Piece  # noqa: E402

WIDE, TALL = (1280, 720), (720, 1280)
LONG = (
    "A lone samurai stands on a bridge while cherry petals drift past, his blade half drawn, the camera slowly "
    "circling as thunder rolls far away, moody teal and orange grading, shot on anamorphic lenses, "
    "in the style of a 1970s epic"
)
PROMPTS = [
    "Dragon",
    "A tiger in the snow at night",
    LONG,
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "ピアノを弾く虎、雨の夜、ネオンの光",
    "용이 동굴에서 잠을 자고 있다, 비 오는 밤",
    "تنين ينام في الكهف العميق، ضوء أحمر خافت",
    "एक बाघ पियानो बजा रहा है, सुबह का कोहरा",
    "มังกรหลับอยู่ในถ้ำ กำลังฝันถึงทะเล",
    "🎬",
    "…",
]


def staged(plan: Plan, size: tuple[int, int] = WIDE, seed: int = 1, *, fine: bool = False) -> Stage:
    camera = Camera(plan.camera or "static", 1.0)
    setup = Setup(
        plan, (seed, 7, 0), *size, palette(plan.light or "noon", plan.weather, plan.looks), camera, fine, size[1] / 2
    )
    stage = Stage(setup)
    animatic(stage)
    return stage


def tone(plan: Plan, seed: int = 1) -> Tone:
    return tone_of(staged(plan, (64, 36), seed))


def composed(stage: Stage, t: float) -> Any:
    frame, spare = (Frame(stage.setup.w, stage.setup.h) for _ in range(2))
    stage.compose(frame, spare, t)
    return frame.buf.copy()


def laid_out(design: Any, prompt: str, size: tuple[int, int]) -> list[tuple[list[Piece], float]]:
    """The pieces of every card in a design, and for how long they are shown."""
    out: list[tuple[list[Piece], float]] = []
    for card in cards(prompt, None):
        latin = all(ord(c) < 0x500 for c in prompt)
        page = Page(*size, (1.0, 1.0, 1.0), (1.0, 0.5, 0.0), latin=latin)
        design(page, card.phrases[card.lead], " · ".join(p for k, p in enumerate(card.phrases) if k != card.lead))
        out.append((page.pieces, min(card.end, 9.0) - card.start))
    return out


@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_word_is_said_in_order_and_long_enough_to_read(prompt: str) -> None:
    told = cards(prompt, None)
    said = "".join("".join(card.phrases) for card in told)
    letters = [c for c in clean(prompt) if c.isalnum()]
    assert [c for c in said if c.isalnum()] == letters
    assert told[0].start == 0
    assert told[-1].end == float("inf")
    for one, two in itertools.pairwise(told):
        assert one.end == two.start
        assert one.end - one.start >= 1.2
    assert told[-1].start <= 7


def test_phrases_break_where_the_sense_does() -> None:
    told = [phrase for card in cards(LONG, None) for phrase in card.phrases]
    assert told[:3] == ["A lone samurai stands on a bridge", "while cherry petals drift past", "his blade half drawn"]
    assert "in the style of a 1970s epic" in told


def test_quoted_words_lead() -> None:
    told = cards('A barista says "Welcome to Mars!" to a robot', "Welcome to Mars!")
    assert told[0].phrases[told[0].lead] == "“Welcome to Mars!”"
    two = [
        phrase
        for card in cards("One sign says «Open», another «Closed for now»", "Open\nClosed for now")
        for phrase in card.phrases
    ]
    assert two == ["One sign says", "“Open”", "another", "“Closed for now”"]


@pytest.mark.parametrize("size", [WIDE, TALL])
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.__name__)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_is_to_be_read_stays_on_the_page_while_it_drifts(prompt: str, design: Any, size: tuple[int, int]) -> None:
    for pieces, seconds in laid_out(design, prompt, size):
        for piece in pieces:
            if piece.strength < 0.3:
                continue  # the wall that passes behind the words is larger than the page
            for past in (0.0, seconds):
                left = piece.x + piece.drift * (past - 3.0)
                assert left >= size[0] * 0.02
                assert left + piece.sprite.w <= size[0] * 0.99
            assert piece.y >= size[1] * 0.03
            assert piece.y + piece.sprite.h <= size[1] * 0.97


@pytest.mark.parametrize("size", [WIDE, TALL])
@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.__name__)
@pytest.mark.parametrize("prompt", PROMPTS[1:9:2])
def test_no_line_lies_on_another(prompt: str, design: Any, size: tuple[int, int]) -> None:
    for pieces, _ in laid_out(design, prompt, size):
        page = np.zeros((size[1], size[0]), np.uint8)
        for piece in pieces:
            if piece.strength < 0.3 or piece.sprite.h < 12:
                continue
            keep = piece.sprite.data[0][1][0]
            y, x = int(piece.y) - 2, int(piece.x) - 2
            part = page[max(y, 0) : y + keep.shape[0], max(x, 0) : x + keep.shape[1]]
            part += (keep[max(-y, 0) :, max(-x, 0) :][: part.shape[0], : part.shape[1]] < 60).astype(np.uint8)
        assert (page > 1).sum() <= 40


def test_without_a_light_or_a_colour_the_backdrop_claims_none() -> None:
    for seed in range(12):
        for colour in tone(Plan("Dragon", animatic=True), seed).sky:
            assert max(colour) - min(colour) < 0.12
    assert len({tone(Plan("Dragon", animatic=True), s) for s in range(12)}) >= 3


def test_light_weather_and_colours_are_those_that_were_named() -> None:
    for light, named in LIGHTS.items():
        assert tone(Plan("x", light=light, animatic=True)) == named
    red = tone(Plan("x", colours=("red",), animatic=True)).sky[1]
    assert red[0] > 0.5 > 0.3 > max(red[1:])
    clear, storm = (tone(Plan("x", light="noon", weather=w, animatic=True)) for w in ("", "storm"))
    assert sum(map(sum, storm.sky)) < sum(map(sum, clear.sky)) * 0.5


@pytest.mark.parametrize("light", ["", *LIGHTS])
@pytest.mark.parametrize("weather", ["", "rain", "snow", "fog", "storm", "cloudy"])
def test_words_can_be_read_on_every_backdrop(light: str, weather: str) -> None:
    def bright(colour: tuple[float, float, float]) -> float:
        return sum(k * c**2.2 for k, c in zip((0.2126, 0.7152, 0.0722), colour, strict=True))

    for seed in range(5):
        shown = tone(Plan("x", light=light, weather=weather, animatic=True), seed)
        one, two = sorted((bright(shown.ink), sum(map(bright, shown.sky)) / 3))
        assert (two + 0.05) / (one + 0.05) >= 3.0, (light, weather, shown)


@pytest.mark.parametrize("size", [WIDE, TALL])
def test_it_moves_all_the_time_and_goes_on_after_the_clip(size: tuple[int, int]) -> None:
    for seed in range(4):
        stage = staged(Plan("A tiger in the snow at night", light="night", weather="", animatic=True), size, seed)
        frames = [composed(stage, t).astype(int) for t in (0.0, 0.6, 1.2, 4.0, 7.9, 7.9 + 1 / 24, 9.0, 15.9)]
        assert all(np.abs(a - b).mean() > 0.02 for a, b in itertools.pairwise(frames))
        step = np.abs(frames[4] - frames[5])[: size[1]].mean()
        assert step < 3, "the end of the clip is no jump"
        again = composed(staged(stage.setup.plan, size, seed), 4.0)
        assert np.array_equal(frames[3], again)


def test_every_pixel_is_drawn_under_every_camera() -> None:
    for move in ("pan_left", "tilt_up", "drone", "zoom_in", "handheld", "orbit"):
        stage = staged(
            Plan("A tiger, at night, in the rain", camera=move, weather="fog", animatic=True), (640, 360), fine=True
        )
        frame, spare = Frame(640, 360), Frame(640, 360)
        for t in (0.0, 4.0, 15.9):
            frame.buf[...] = spare.buf[...] = 0
            stage.compose(frame, spare, t)
            assert frame.buf.min() > 8, (move, t)


def test_the_four_designs_differ_and_the_seed_chooses() -> None:
    chosen = {staged(Plan("Dragon", animatic=True), (320, 180), seed).items[-1].design for seed in range(24)}  # type: ignore[union-attr]
    assert chosen == set(DESIGNS)


def test_right_to_left_prompts_range_right() -> None:
    prompt = PROMPTS[6]
    assert is_rtl(prompt)
    for pieces, _ in laid_out(DESIGNS[1], prompt, WIDE):
        assert max(p.x + p.sprite.w for p in pieces) > 1280 * 0.9


def test_a_title_comes_after_the_first_frames_is_legible_and_is_gone_before_the_last() -> None:
    for text in (
        "OPEN",
        "ようこそ東京へ",
        "مرحبا بالعالم",
        "A very long sign that wants to say everything at once, twice over",
    ):
        setup = Setup(Plan("x", text=text), (1, 2, 0), *WIDE, palette("noon", "", ()), Camera("static", 1), False, 360)
        stage = Stage(setup)
        add_title(stage)
        frame = Frame(*WIDE)
        shown: list[float] = []
        for t in (0.0, 0.6, 3.0, 6.4, 7.9):
            frame.y[...] = 200
            frame.u[...] = frame.v[...] = 128
            stage.overlays[0].draw(frame, t, setup.camera.at(t))
            shown.append(float(np.abs(frame.y.astype(int) - 200).max()))
        assert shown[0] == shown[1] == shown[3] == shown[4] == 0
        assert shown[2] > 60
    none = Stage(Setup(Plan("x"), (1, 2, 0), *WIDE, palette("noon", "", ()), Camera("static", 1), False, 360))
    add_title(none)
    assert not none.overlays


def test_only_the_card_on_show_is_kept_as_sprites() -> None:
    stage = staged(Plan(LONG, animatic=True))
    item: Any = stage.items[-1]
    assert isinstance(item, Cards)
    counts: list[int] = []
    for t in (1.0, 3.5, 5.5, 7.9):
        composed(stage, t)
        counts.append(sum(p.sprite.w * p.sprite.h for p in item.page.pieces))
    assert max(counts) < 4 * 1280 * 720
