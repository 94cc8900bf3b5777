"""Prompts compose, say the price and ask; they never call the API. The guide has what they take from it."""

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, TextContent

from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.messages.task import charge_words
from veo_mcp.server.prompts import guide
from veo_mcp.text import clean

pytestmark = pytest.mark.anyio

ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@ERAS
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        (
            "direct_video",
            {"idea": "a cat who fishes", "style": "noir"},
            ["a cat who fishes", "noir", "lens", "golden hour", "dialogue", "40", "300"],
        ),
        ("storyboard", {"story": "a moth meets a star", "shots": "4"}, ["4 shots", "extend_video", "160 credits"]),
        ("storyboard", {"story": "a moth", "shots": ""}, ["3 shots", "must stay the same"]),
        ("animate_images", {"image_urls": "https://a.example/1.jpg, https://a.example/2.jpg"}, ["2. https", "fast"]),
    ],
)
async def test_a_prompt_composes_names_the_price_and_asks_first(
    mode: str, name: str, arguments: dict[str, str], words: list[str]
) -> None:
    async with Client(build_server(Backend(), sandbox=True), mode=mode) as client:
        (message,) = (await client.get_prompt(name, arguments)).messages
        assert isinstance(message.content, TextContent)
        for word in [*words, "ask me before"]:
            assert word.lower() in message.content.text.lower()


@ERAS
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("direct_vide", {"idea": "x"}, "no prompt of this name"),
        ("direct_video", {"style": "noir"}, "needs idea"),
        ("direct_video", {"idea": ""}, "needs idea"),
        ("direct_video", {"idea": "x", "styel": "noir"}, "takes idea, style, aspect_ratio, and nothing else"),
        ("direct_video", {"idea": "x", "aspect_ratio": "4:3"}, "16:9, 9:16 or Auto"),
        ("storyboard", {"story": "x", "shots": "20"}, "whole number from 2 to 8"),
        ("animate_images", {"image_urls": "a.jpg"}, "one to 3 http"),
        ("animate_images", {"image_urls": " ".join(["https://a.example/1.jpg"] * 4)}, "one to 3 http"),
    ],
)
async def test_a_wrong_name_or_argument_is_the_callers_to_mend(
    mode: str, name: str, arguments: dict[str, str], words: str
) -> None:
    async with Client(build_server(Backend(), sandbox=True), mode=mode) as client:
        with pytest.raises(MCPError, match=words) as refusal:
            await client.get_prompt(name, arguments)
        assert refusal.value.error.code == INVALID_PARAMS


async def test_pictures_of_the_disk_are_animated_where_they_may_be_named() -> None:
    given = {"image_urls": '"/home/ann/My photos/boat.png", https://a.example/2.jpg ~/house.jpg'}
    async with Client(build_server(Backend(), sandbox=True, takes_files=True)) as client:
        (message,) = (await client.get_prompt("animate_images", given)).messages
        assert isinstance(message.content, TextContent)
        for line in ("1. /home/ann/My photos/boat.png\n", "2. https://a.example/2.jpg\n", "3. ~/house.jpg\n"):
            assert line in message.content.text
        with pytest.raises(MCPError, match="or paths of JPEG"):
            await client.get_prompt("animate_images", {"image_urls": "data:image/png;base64,AAAA"})
        (wanted,) = (one for one in (await client.list_prompts()).prompts if one.name == "animate_images")
        assert "or paths of" in str(wanted.arguments)
    async with Client(build_server(Backend(), sandbox=True)) as client:
        with pytest.raises(MCPError, match="one to 3 http"):
            await client.get_prompt("animate_images", given)


@ERAS
async def test_arguments_complete_with_moves_styles_and_ratios(mode: str) -> None:
    async with Client(build_server(Backend(), sandbox=True), mode=mode) as client:
        asked = [
            ("direct_video", "style", "doc", "documentary"),
            ("direct_video", "aspect_ratio", "9", "9:16"),
            ("animate_images", "motion", "pan", "slow pan left"),
            ("storyboard", "shots", "", "2"),
        ]
        for name, argument, value, expected in asked:
            result = await client.complete(PromptReference(name=name), {"name": argument, "value": value})
            assert result.completion.values[0] == expected


@ERAS
async def test_the_guide_and_the_models_are_resources_that_need_no_api(mode: str) -> None:
    async with Client(build_server(Backend(), sandbox=True), mode=mode) as client:
        (text,) = (await client.read_resource("veo://guide")).contents
        assert "Writing for Veo 3.1" in str(text)
        (models,) = (await client.read_resource("veo://models")).contents
        assert '"quality"' in str(models)
        assert "300" in str(models)


def test_the_guide_stays_under_1500_words_and_names_what_matters() -> None:
    assert len(guide().split()) < 1500
    for word in ("Subject", "Action", "Camera", "Lens", "Light", "Style", "Sound", "Dialogue", "40 credits", "300"):
        assert word in guide()


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("plain words", "plain words"),
        ("line\nbreak\tand tab", "line break and tab"),
        ("right\u202eto left", "rightto left"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("bell\x07 escape\x1b[31m", "bell escape[31m"),
        ("\U000e0041tag", "tag"),
        ("x" * 300, "x" * 199 + "…"),
        ("日本語 émoji 🎬", "日本語 émoji 🎬"),
    ],
)
def test_untrusted_text_is_quoted_without_hidden_or_reordering_characters(foreign: str, shown: str) -> None:
    assert clean(foreign) == shown


def test_the_words_on_credits_are_fixed() -> None:
    assert [charge_words(charged, 40) for charged in ("no", "yes", "refunded", "unknown")] == [
        "Not charged.",
        "Charged 40 credits.",
        "Refunded 40 credits.",
        "May have been charged 40 credits.",
    ]
    assert charge_words("yes", 40, sandbox=True) == "Charged 40 sandbox credits."
    assert charge_words("yes", 40, estimated=True) == "Charged about 40 credits (estimate)."
    assert charge_words("unknown", 40, estimated=True) == "May have been charged about 40 credits (estimate)."
    assert charge_words("no", 40, estimated=True, sandbox=True) == "Not charged."
