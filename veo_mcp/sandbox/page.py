"""The page at `/` of the sandbox: what it is, how to ask it, its switches, and the newest clips.

Served by the sandbox's app. Plain HTML without scripts; every foreign word is escaped.
"""

from collections.abc import Iterable
from html import escape

from veo_mcp.sandbox.ledger import Task

__all__ = ["KEYS", "SWITCHES", "page"]

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
_STYLE = """
:root { color-scheme: light dark; --line: #8884; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0 } .mark { color: #d33; font-weight: 600 }
pre { overflow: auto; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .5rem }
table { border-collapse: collapse } td { padding: .2rem 1rem .2rem 0; vertical-align: top }
.clips { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem; padding: 0 }
figure { margin: 0 } video { width: 100%; aspect-ratio: 16/9; background: #000; border-radius: .5rem }
figcaption { font-size: .85rem; opacity: .8; overflow-wrap: anywhere }
"""


def page(base_url: str, clips: Iterable[Task]) -> str:
    """The whole page."""
    ask = f'curl {base_url}/v1/videos/generations -H "Authorization: Bearer sk-sandbox" \\\n'
    ask += '  -H "Content-Type: application/json" \\\n'
    body = '{"model":"veo-3","input":{"prompt":"A drone shot flying over mountains at sunset"}}'
    look = f'curl {base_url}/v1/tasks/TASK_ID -H "Authorization: Bearer sk-sandbox"\n'
    look += f'curl {base_url}/v1/credits -H "Authorization: Bearer sk-sandbox"'
    shown = "".join(_clip(task) for task in clips) or "<p>No clips yet.</p>"
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Veo API sandbox</title><style>{_STYLE}</style>
<h1>Veo API sandbox</h1>
<p><span class="mark">SANDBOX</span> - the Veo 3.1 API on this machine. Clips are drawn without an AI model, and
credits are not real. The API is described in <a href="/openapi.json">openapi.json</a>.</p>
<h2>Ask it</h2><pre>{escape(ask)}  -d '{escape(body)}'\n\n{escape(look)}</pre>
<h2>Switches</h2><p>A prompt that contains <code>[sandbox:WORD]</code> behaves like this:</p>{_table(SWITCHES)}
<h2>Keys</h2>{_table(KEYS)}
<p>Other rules for a key (credits, allowlist, spend limits, requests per second) go into <code>accounts.json</code>.</p>
<h2>Newest clips</h2><div class="clips">{shown}</div></html>"""


def _table(rows: dict[str, str]) -> str:
    cells = (f"<tr><td><code>{escape(name)}</code></td><td>{escape(words)}</td></tr>" for name, words in rows.items())
    return f"<table>{''.join(cells)}</table>"


def _clip(task: Task) -> str:
    prompt = str(task.body["input"]["prompt"])[:160]
    source = escape(f"/videos/{task.path}")
    return (
        f'<figure><video controls preload="metadata" src="{source}"></video>'
        f"<figcaption>{escape(prompt)}</figcaption></figure>"
    )
