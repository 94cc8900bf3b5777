"""What one shot shows and plays, as plain words: the only thing that pictures and sound know of a prompt.

Made by prompt.py, used by everything that draws or plays. Nothing in it is a default: what the prompt did not name is
empty, and whoever draws decides then what is neutral. Pure data; it never looks at words itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that is drawn or played, and the prompt's own words that named it."""

    kind: str  # place, light, weather, camera, framing, subject, colour, look or sound
    drawn: str  # a name of vocabulary/drawable.toml
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One shot. All names are those of vocabulary/drawable.toml; "" and () mean that the prompt did not say."""

    #: The shot's own words, as they were typed (the whole prompt where there is only one shot). To be shown, not read.
    caption: str
    #: Where it is: "sea", "forest", "city" … With subjects but without a place: the subjects on neutral ground.
    place: str = ""
    #: "dawn", "noon", "sunset", "dusk" or "night".
    light: str = ""
    #: "rain", "snow", "fog", "storm", "clear" or "cloudy".
    weather: str = ""
    #: "pan_left", "pan_right", "tilt_up", "tilt_down", "zoom_in", "zoom_out", "dolly", "drone", "tracking", "orbit",
    #: "handheld" or "static".
    camera: str = ""
    #: Who or what is seen, in the order of the prompt.
    subjects: tuple[str, ...] = ()
    #: What changes how things look or move: "neon", "autumn", "blossom", "aurora", "snowy", "mars", "fast", "calm" …
    looks: frozenset[str] = frozenset()
    #: "close", "medium" or "wide".
    framing: str = ""
    #: Colours for the animatic's backdrop: every colour that was named. Empty where things are drawn.
    colours: tuple[str, ...] = ()
    #: The colours of subjects: (subject, colour), as in "a red car".
    paints: tuple[tuple[str, str], ...] = ()
    #: How many of a subject there are, where the prompt says so: (subject, number), 0 for several without a number.
    counts: tuple[tuple[str, int], ...] = ()
    #: Sounds that the prompt asks for in so many words ("thunder", "birds", "surf" …), beside what the picture implies.
    sounds: tuple[str, ...] = ()
    #: What stands in quotation marks: to be set as text.
    text: str | None = None
    #: Something that matters has no picture here, or nothing that could be seen was named. Place and subjects are then
    #: empty: the caption is set as moving typography over a backdrop of light, weather and colours.
    animatic: bool = False
    #: The prompt's language, as in ISO 639-1: "en", "ja" …
    language: str = "en"
    #: Where all of this comes from; each name above stands here with its words.
    named: tuple[Named, ...] = ()

    def paint(self, subject: str) -> str:
        """The colour that the prompt gives to a subject, or ""."""
        return dict(self.paints).get(subject, "")

    def count(self, subject: str) -> int | None:
        """How many of a subject the prompt names: 0 is several, None that it does not say."""
        return dict(self.counts).get(subject)
