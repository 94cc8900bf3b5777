"""The page at `/` of the sandbox: the newest clips, a form to make one, and how to ask for more.

Served by the sandbox's app. One HTML document without scripts, under a strict Content-Security-Policy; every foreign
word is escaped, and nothing of the machine is shown.
"""

from veo_mcp.sandbox.page.document import HEADERS, KEYS, SWITCHES, document
from veo_mcp.sandbox.page.form import Draft, is_same_origin
from veo_mcp.sandbox.page.poster import write_poster

__all__ = ["HEADERS", "KEYS", "SWITCHES", "Draft", "document", "is_same_origin", "write_poster"]
