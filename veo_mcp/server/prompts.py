"""Prompts that help an assistant compose before it spends; none of them calls the API.

Registered by server/build.py. What they teach stands in guide.md, once; they take its sections from there.
"""

import re
from collections.abc import Mapping
from importlib import resources
from typing import Annotated

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from veo_mcp.api.models import PRICES, Mode
from veo_mcp.picture import names_file
from veo_mcp.text import clean

__all__ = ["complete", "fault", "guide", "register", "section"]

IDEA_LIMIT = 2000
FAST, QUALITY = PRICES[Mode.FAST], PRICES[Mode.QUALITY]
CAMERA_MOVES = (
    "static shot",
    "slow pan left",
    "slow pan right",
    "tilt up",
    "tilt down",
    "dolly in",
    "dolly out",
    "tracking shot",
    "handheld",
    "drone shot",
    "crane up",
    "orbit",
    "slow zoom in",
    "slow zoom out",
)
STYLES = (
    "cinematic",
    "documentary",
    "film noir",
    "grainy 16 mm",
    "product shot",
    "stop motion",
    "time-lapse",
    "watercolour animation",
    "anime",
    "hand-drawn animation",
    "claymation",
    "vintage home video",
)
RATIOS = ("16:9", "9:16", "Auto")
SHOTS = tuple(str(number) for number in range(2, 9))
DEFAULT_SHOTS = "3"
IMAGES = 3
LINKS = f"one to {IMAGES} http(s) URLs, separated by spaces or commas"
LINKS_OR_FILES = (
    f"one to {IMAGES} http(s) URLs or paths of JPEG, PNG or WebP files, separated by spaces or commas; quotes around a "
    "path that has spaces"
)
DIRECTING = ("The parts of a prompt", "Camera", "Lens, light, style", "Sound and dialogue", "What to avoid")
_COMPLETIONS = {
    ("direct_video", "style"): STYLES,
    ("direct_video", "aspect_ratio"): RATIOS,
    ("storyboard", "shots"): SHOTS,
    ("animate_images", "motion"): CAMERA_MOVES,
}


def guide() -> str:
    """The guide on writing for Veo, as Markdown."""
    return (resources.files("veo_mcp.server") / "guide.md").read_text("utf-8")


def section(title: str) -> str:
    """The text of one section of the guide. Raises KeyError."""
    for part in guide().split("\n## ")[1:]:
        name, _, body = part.partition("\n")
        if name == title:
            return body.strip()
    raise KeyError(title)


def complete(prompt: str, argument: str, value: str) -> list[str]:
    """What an argument of a prompt may be, given its beginning; what starts with it comes first."""
    wanted = value.strip().lower()
    options = _COMPLETIONS.get((prompt, argument), ())
    first = [option for option in options if option.lower().startswith(wanted)]
    return first + [option for option in options if wanted in option.lower() and option not in first]


def fault(prompt: str, arguments: Mapping[str, str], *, takes_files: bool = False) -> str | None:
    """A message about what is wrong with the arguments of a prompt, or None; an empty argument counts as not given."""
    shots, ratio = arguments.get("shots"), arguments.get("aspect_ratio")
    if prompt == "storyboard" and shots and shots.strip() not in SHOTS:
        return f"shots must be a whole number from {SHOTS[0]} to {SHOTS[-1]}."
    if prompt == "direct_video" and ratio and ratio.strip() not in RATIOS:
        return f"aspect_ratio must be {', '.join(RATIOS[:-1])} or {RATIOS[-1]}."
    if prompt == "animate_images":
        images = _images(arguments.get("image_urls", ""))
        fits = all(one.startswith(("http://", "https://")) or (takes_files and names_file(one)) for one in images)
        if not fits or not 1 <= len(images) <= IMAGES:
            return f"image_urls must be {LINKS_OR_FILES if takes_files else LINKS}."
    return None


def register(server: MCPServer[None], *, takes_files: bool = False) -> None:
    """Adds the prompts to the server; `takes_files`: whether pictures of this machine may be named."""
    images_are = LINKS_OR_FILES if takes_files else LINKS

    @server.prompt(title="Direct a video", description="Turn an idea into a Veo prompt; asks before it costs")
    def direct_video(
        idea: Annotated[str, Field(description="What the video is about")],
        style: Annotated[str, Field(description="Its look, such as documentary")] = "",
        aspect_ratio: Annotated[str, Field(description="16:9, 9:16 or Auto")] = "16:9",
    ) -> str:
        look = f" The look: {clean(style, 200)}." if style else ""
        return (
            f"Turn this idea into one prompt for Veo 3.1: “{clean(idea, IDEA_LIMIT)}”.{look} "
            f"Aspect ratio {aspect_ratio.strip() or RATIOS[0]}.\n\n"
            f"{_from_guide(*DIRECTING)}"
            f"Show me the prompt and the price: {FAST} credits for fast, {QUALITY} for quality. "
            "Ask me before you call create_video, and wait for my answer."
        )

    @server.prompt(title="Storyboard a story", description="Plan a story in shots: one create, then extensions")
    def storyboard(
        story: Annotated[str, Field(description="The story")],
        shots: Annotated[str, Field(description="How many shots, 2 to 8")] = DEFAULT_SHOTS,
    ) -> str:
        number = int(shots.strip() or DEFAULT_SHOTS)
        extensions = number - 1
        total = FAST * number
        return (
            f"Plan this story in {number} shots of eight seconds: “{clean(story, IDEA_LIMIT)}”.\n\n"
            f"{_from_guide('Several shots', 'Extending')}"
            "Write down what must stay the same from shot to shot, then one prompt a shot. The first is made with"
            f" create_video, the other {extensions} with extend_video, each on the task before it once that is "
            f"completed. In fast mode that is about {total} credits; an extension's price is an estimate. Show me "
            "the plan and the price, and ask me before the first call."
        )

    @server.prompt(title="Animate images", description="Bring one to three images to life")
    def animate_images(
        image_urls: Annotated[str, Field(description=images_are[0].upper() + images_are[1:])],
        motion: Annotated[str, Field(description="What should move, and how the camera moves")] = "",
    ) -> str:
        images = [clean(image, 500) for image in _images(image_urls)]
        wanted = f"The motion: {clean(motion, 500)}.\n\n" if motion else ""
        kind = (
            "Three images can only be references: generation_type is REFERENCE_2_VIDEO, mode is fast."
            if len(images) == IMAGES
            else "Decide whether they are first and last frames or references (then generation_type is "
            "REFERENCE_2_VIDEO and mode is fast), and say why."
        )
        price = f"{FAST} credits" if len(images) == IMAGES else f"{FAST} credits for fast or {QUALITY} for quality"
        listed = "\n".join(f"{number}. {image}" for number, image in enumerate(images, 1))
        return (
            f"Make a video from these images:\n{listed}\n\n{wanted}{_from_guide('Images', 'Camera')}"
            f"{kind} Show me the prompt and the price, {price}, and ask me before you call create_video."
        )


def _from_guide(*titles: str) -> str:
    return "".join(f"## {title}\n\n{section(title)}\n\n" for title in titles)


def _images(text: str) -> list[str]:
    found = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^\s,]+)", text)
    return ["".join(forms) for forms in found]
