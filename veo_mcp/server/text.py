"""The fixed words on credits; what makes foreign text safe to quote is in veo_mcp/text.py.

Called wherever the MCP face shows text that came from the API or from a person. Pure.
"""

from veo_mcp.text import quoted

__all__ = ["charge_words", "quoted"]


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
