"""`python -m veo_mcp.sandbox.render.explain "PROMPT"`: prints as JSON what will be drawn, and the words it comes from.

For people who wonder about a clip, and for tests. Reads the prompt exactly as the renderer does; draws nothing, so it
imports neither numpy nor Pillow nor FFmpeg.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from veo_mcp.sandbox.render.language.plan import Plan
from veo_mcp.sandbox.render.language.prompt import shots

__all__ = ["explain"]

_ONE = ("place", "light", "weather", "camera", "framing")
_MANY = {"subjects": "subject", "colours": "colour", "looks": "look", "sounds": "sound"}


def explain(prompt: str) -> dict[str, Any]:
    """What will be drawn of a prompt. With several shots the top level holds what is drawn first, and all subjects."""
    plans = shots(prompt)
    parts = [_shot(plan) for plan in plans]
    out: dict[str, Any] = {"language": plans[0].language}
    for key in _ONE:
        out[key] = next((p[key] for p in parts if p[key]), None)
    for key in _MANY:
        out[key] = [
            x for k, x in enumerate(y for p in parts for y in p[key]) if x not in [y for p in parts for y in p[key]][:k]
        ]
    out["text"] = plans[0].text
    out["animatic"] = all(plan.animatic for plan in plans)
    if len(plans) > 1:
        out["shots"] = parts
    return out


def _shot(plan: Plan) -> dict[str, Any]:
    named = [(n.kind, {"drawn": plain(n.drawn), "words": list(n.words)}) for n in plan.named]
    out: dict[str, Any] = {key: next((x for kind, x in named if kind == key), None) for key in _ONE}
    out |= {key: [x for kind, x in named if kind == one] for key, one in _MANY.items()}
    return out | {"caption": plan.caption, "animatic": plan.animatic}


def plain(drawn: str) -> str:
    """Its plain English name: which way the camera pans is told by the prompt's own words."""
    return drawn.split("_")[0]


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] in ("-h", "--help"):
        sys.stderr.write('usage: python -m veo_mcp.sandbox.render.explain "PROMPT"\n')
        return 2
    sys.stdout.write(json.dumps(explain(sys.argv[1]), ensure_ascii=False, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
