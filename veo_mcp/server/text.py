"""Foreign text made safe to quote, and the fixed words on credits.

Called wherever the MCP face shows text that came from the API or from a person. Pure.
"""

import unicodedata

__all__ = ["charge_words", "quoted"]

# Cc control, Cf format (bidi marks, zero-width characters, soft hyphens), Cs surrogates, Co private use, Cn unassigned.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def quoted(text: str, limit: int = 200) -> str:
    """`text` on one line, without characters that hide or reorder others, at most `limit` characters long."""
    visible = "".join(" " if mark.isspace() else mark for mark in text if mark.isspace() or not _hidden(mark))
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def charge_words(charged: str, credits: int) -> str:
    """The sentence on credits that models and checks rely on."""
    match charged:
        case "yes":
            return f"Charged {credits} credits."
        case "refunded":
            return f"Refunded {credits} credits."
        case "no":
            return "Not charged."
        case _:
            return f"May have been charged {credits} credits."


def _hidden(mark: str) -> bool:
    return unicodedata.category(mark) in _HIDDEN
