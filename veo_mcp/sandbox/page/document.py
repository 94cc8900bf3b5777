"""The page as HTML: fills page.html with the newest clips, the form's state, and the tables of switches and keys.

Called by the sandbox's app. Pure: what it shows comes in as arguments, and all of it is escaped.
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from string import Template

from veo_mcp.api.models import PRICES, Mode
from veo_mcp.sandbox.ledger import Task
from veo_mcp.sandbox.page.form import Draft

__all__ = ["HEADERS", "KEYS", "SWITCHES", "document"]

SWITCHES = {
    "fail": "200; the task fails later and is refunded",
    "slow": "200; takes 60 s",
    "upstream_error": "503, refunded at once",
    "internal_error": "500, yet charged, and the task goes on",
    "rate_limit": "429 with Retry-After: 2 the first time, then 200",
    "timeout": "charged, the task goes on, the answer never comes",
    "drop": "charged, the task goes on, the connection is cut",
    "garbage": "charged, the task goes on, the body is not JSON",
    "no_callback": "200; the callback never comes",
    "double_callback": "200; the callback comes twice",
}
KEYS = {
    "sk-sandbox": "10,000 credits, as any other key that begins with sk-",
    "sk-sandbox-poor": "30 credits",
    "sk-sandbox-disabled": "401",
    "sk-sandbox-ip": "403",
    "sk-sandbox-limited": "429, spend limit",
    "sk-sandbox-rate": "one request a second",
}
STATUSES = {"pending": "In the queue", "processing": "Being made", "completed": "Ready", "failed": "Failed, refunded"}
SHAPES = {"16:9": "wide", "9:16": "upright"}
_FOLDER = files("veo_mcp.sandbox.page")
_STYLE = (_FOLDER / "page.css").read_text("utf-8")
_PAGE = Template((_FOLDER / "page.html").read_text("utf-8"))
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src 'self'; media-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Stricter, and the form's own POST would say "Origin: null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SHOWN = 300


def document(base_url: str, clips: Iterable[Task], balance: int, *, draft: Draft | None = None, fault: str = "") -> str:
    """The whole page; with `fault`, why the form was not taken, and the form as it was filled in."""
    draft, shown = draft or Draft(), list(clips)
    waiting = any(task.status in ("pending", "processing") for task in shown)
    return _PAGE.substitute(
        style=_STYLE,
        gallery="".join(map(_clip, shown)) or '<li class="empty">No clips yet. The first one is a sentence away.</li>',
        again='<p class="again">A clip is being made. <a href="/">Look again</a></p>' if waiting else "",
        fault=f'<p class="fault" id="fault" role="alert">{escape(fault)}</p>' if fault else "",
        invalid=' aria-invalid="true" aria-errormessage="fault" autofocus' if fault else "",
        prompt=escape(draft.prompt),
        modes=_choices("mode", draft.mode, {mode.value: f"{PRICES[mode]} credits" for mode in Mode}),
        ratios=_choices("aspect_ratio", draft.aspect_ratio, SHAPES),
        balance=f"{balance:,}",
        ask=escape(_curl(base_url)),
        switches=_rows(SWITCHES, "[sandbox:", "]"),
        keys=_rows(KEYS),
    )


def _curl(base_url: str) -> str:
    key = '-H "Authorization: Bearer sk-sandbox"'
    body = '{"model":"veo-3","input":{"prompt":"A drone shot flying over mountains at sunset"}}'
    return (
        f"curl {base_url}/v1/videos/generations {key} \\\n"
        f"  -H \"Content-Type: application/json\" \\\n  -d '{body}'\n\n"
        f"curl {base_url}/v1/tasks/TASK_ID {key}\n"
        f"curl {base_url}/v1/credits {key}"
    )


def _rows(rows: dict[str, str], before: str = "", after: str = "") -> str:
    return "".join(
        f'<tr><th scope="row"><code>{escape(before + name + after)}</code></th><td>{escape(words)}</td></tr>'
        for name, words in rows.items()
    )


def _choices(name: str, chosen: str, options: dict[str, str]) -> str:
    return "".join(
        f'<label><input type="radio" name="{name}" value="{value}"{" checked" if value == chosen else ""}> '
        f"{value} <small>{words}</small></label>"
        for value, words in options.items()
    )


def _clip(task: Task) -> str:
    asked = task.body["input"]
    prompt = str(asked["prompt"])
    words = escape(prompt if len(prompt) <= SHOWN else prompt[: SHOWN - 1].rstrip() + "…")
    when = datetime.fromtimestamp(task.created_at, UTC)
    facts = [str(asked.get("mode") or "fast"), str(asked.get("aspect_ratio") or "16:9"), f"{task.price} credits"]
    if "extend_task_id" in asked:
        facts = ["extension", f"{task.price} credits"]
    status = STATUSES.get(task.status, escape(task.status))
    picture, link = f'<div class="still" aria-hidden="true">{status}</div>', ""
    if task.status == "completed" and task.path:
        source, poster = escape(f"/videos/{task.path}"), escape(f"/posters/{task.path.removesuffix('.mp4')}.jpg")
        picture = (
            f'<video controls playsinline preload="none" poster="{poster}" src="{source}" aria-label="{words}"></video>'
        )
        link = f'<a href="{source}">Open the clip<span class="quiet"> of {when:%H:%M}</span></a>'
    return (
        f'<li class="clip {task.status}" id="clip-{escape(task.id)}">{picture}<h3 dir="auto">{words}</h3>'
        f'<p class="facts"><span class="status">{status}</span>'
        f"{''.join(f'<span>{escape(fact)}</span>' for fact in facts)}"
        f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when.day} {when:%b %Y, %H:%M} UTC</time>{link}</p></li>'
    )
