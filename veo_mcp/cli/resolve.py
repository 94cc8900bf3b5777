"""What `veo-mcp tasks resolve ID` says first: what happened, what to check, and the two ways to settle it.

Called by cli/tasks.py. Words only: never changes anything.
"""

from veo_mcp.journal.entry import Entry, Status
from veo_mcp.server.messages.task import ago, charge_words
from veo_mcp.server.views import in_sandbox, shown
from veo_mcp.text import clean

__all__ = ["what_to_check"]


def what_to_check(entry: Entry, now: float) -> str:
    """The explanation for the person at the terminal."""
    name = shown(entry)
    if entry.status is not Status.UNKNOWN:
        return f"Nothing to settle: task {name} is {entry.status.value}. Only an unknown outcome is settled by hand."
    price = charge_words("unknown", entry.credits, estimated=entry.estimated, sandbox=in_sandbox(entry))
    kind = "an extension" if entry.kind == "extend" else f"a {entry.mode} video" if entry.mode else "a video"
    evidence = (
        f"\n  Evidence, not proof: {entry.evidence} credits left the account just then, for nothing known here."
        if entry.evidence
        else ""
    )
    where = "the sandbox's own page" if in_sandbox(entry) else "the provider's website (its list of tasks, its usage)"
    sent = ago(entry, now)
    why = clean(entry.error_message or "its answer was lost", 200).rstrip(".")
    return f"""It is unknown whether the API accepted this request. {price}
  “{clean(entry.prompt, 100)}”
  {kind}, sent {sent}. {why[:1].upper()}{why[1:]}.{evidence}

Check first, at {where}:
  - Is there a task from that time with this prompt that `veo-mcp tasks` does not list? It is this one: note its id.
  - Is there none, and did the balance not go down then? It was never accepted.

Then say which it was; that sends nothing and costs nothing:
  veo-mcp tasks resolve {name} --task-id ID
      The API accepted it as ID, which is looked up first; then the task continues like any other.
  veo-mcp tasks resolve {name} --not-charged
      The API never accepted it. It no longer counts as spent, and the same request may be sent again.

If you cannot tell, leave it: it is never sent again automatically, and counts towards VEO_MAX_CREDITS for 24 h."""
