"""Every failure of a tool as the text that its `isError` result has alone: what happened, credits, what to do next.

Called by the tools and the server class. One function maps our error tree, one pydantic's validation errors, one a
refusal of the API; a quote is here too, because nothing was sent. Never raises.
"""

from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult, TextContent
from pydantic import ValidationError

from veo_mcp.api.models import PRICES, Mode
from veo_mcp.errors import (
    ApiError,
    InsufficientCredits,
    JournalError,
    NotExtendable,
    RuleViolation,
    SetupError,
    SpendLimit,
    UnknownTask,
    Unrecorded,
    UpstreamUnavailable,
    VeoMcpError,
)
from veo_mcp.journal.entry import Entry
from veo_mcp.server.messages.task import charge_words, money
from veo_mcp.server.views import in_sandbox, iso, whole
from veo_mcp.text import clean
from veo_mcp.validation import requirement

__all__ = [
    "crashed",
    "failure",
    "not_confirmed",
    "quoted_price",
    "refusal",
    "sharing_not_confirmed",
    "tool_error",
    "validation_error",
]

INSTEAD: Mapping[str, str] = {
    "duration": "The length cannot be chosen: a video has 8 seconds, and extend_video adds to it.",
    "seconds": "The length cannot be chosen: a video has 8 seconds, and extend_video adds to it.",
    "length": "The length cannot be chosen: a video has 8 seconds, and extend_video adds to it.",
    "resolution": "The resolution cannot be chosen in either mode.",
    "quality": "There is mode: fast (40 credits) or quality (300).",
    "n": "One call makes one video, and each is charged; call once for each, with different seeds.",
    "count": "One call makes one video, and each is charged; call once for each, with different seeds.",
    "num_videos": "One call makes one video, and each is charged; call once for each, with different seeds.",
    "image_url": "There is image_urls, a list.",
    "image": "There is image_urls, a list of links.",
    "images": "There is image_urls, a list of links.",
    "seed": "There is seeds, one whole number from 10000 to 99999.",
    "negative_prompt": "There is no negative prompt; say it in prompt.",
    "audio": "Every video has sound; say in prompt what is heard.",
    "model": "There is one model, Veo 3.1; mode is fast or quality.",
}
"""Arguments that other services have and models therefore try, with what is available here."""


LATER = " Try again in a minute."


def tool_error(text: str) -> CallToolResult:
    """A failed tool result with this text, which every host shows its model."""
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def failure(error: VeoMcpError) -> CallToolResult:
    """The answer of any tool to any error of ours: nothing was recorded as sent, unless the error itself says so."""
    said = error.explanation
    match error:
        case Unrecorded():
            paid = charge_words(error.charged, error.credits, estimated=error.estimated, sandbox=error.sandbox)
            return tool_error(f"The request was sent, but not recorded. {said} {paid}")
        case RuleViolation():
            return tool_error(f"{said} Not charged. Fix the arguments and call again.")
        case UnknownTask() if said == UnknownTask.explanation:
            return tool_error(
                f"No task with the id “{clean(error.task_id, 60)}” exists. Not charged. list_tasks shows the ids."
            )
        case NotExtendable():
            return tool_error(f"{said} Not charged. list_tasks with status=completed shows what can be extended.")
        case SpendLimit():
            wait = f"wait until {iso(error.more_at)}, or " if error.more_at else ""
            return tool_error(
                f"This server's limit of {error.limit} credits in any 24 h does not cover {error.price} more: "
                f"{error.spent} are spent or reserved, {max(0, error.limit - error.spent)} are left. Not charged. Tell "
                f"the person; they can {wait}ask the operator of this server to raise VEO_MAX_CREDITS."
            )
        case UpstreamUnavailable():
            # Met by a look, not by a request: the API's own sentence is about prompts.
            return tool_error(f"The Veo API is not available at the moment. Not charged.{_later(error) or LATER}")
        case ApiError():
            return tool_error(f"{said} Not charged.{_later(error)}")
        case JournalError() | SetupError():
            return tool_error(f"{said} Not charged. Nothing can be made until that is fixed.")
        case _:
            return tool_error(f"{said} Not charged.")


def refusal(error: ApiError, entry: Entry, *, balance: int | None = None) -> CallToolResult:
    """The answer to a request that was written down, and then was not sent or was refused."""
    said = clean(error.words).rstrip(".")
    words = f" The API's words: “{said}”." if said else ""
    if isinstance(error, InsufficientCredits):
        return tool_error(_poor(entry, balance))
    # What came to nothing at the provider may do so indefinitely: a model must not go on by itself.
    ask = " Ask the person before another try; the second time in a row, stop." if error.charged == "refunded" else ""
    return tool_error(f"{error.explanation}{words} {money(entry, error.charged)}{_later(error)}{ask}")


def _poor(entry: Entry, balance: int | None) -> str:
    about = "about " if entry.estimated else ""
    sandbox = in_sandbox(entry)
    have = f", and the balance is {balance}" if balance is not None else ""
    fast = PRICES[Mode.FAST]
    cheaper = f" Mode fast costs {fast}." if entry.credits > fast and (balance or 0) >= fast else ""
    way = (
        "These are not real: a real key in VEO_API_KEY (or veo-mcp login) leaves the sandbox."
        if sandbox
        else "Tell the person, who must buy more at the provider."
    )
    return (
        f"The balance does not cover it: it costs {about}{entry.credits} {'sandbox ' if sandbox else ''}credits{have}. "
        f"Not charged.{cheaper} {way}"
    )


def quoted_price(
    credits: int, balance: int | None, *, estimated: bool, sandbox: bool, confirmed: int | None
) -> CallToolResult:
    """A price instead of a video: this host cannot ask the person, so the model has to."""
    about = "about " if estimated else ""
    kind = "sandbox credits" if sandbox else "credits"
    have = f" The balance is {balance}." if balance is not None else ""
    wrong = (
        ""
        if confirmed is None
        else f" confirm_credits={confirmed} does not count: it must repeat the price of this very request, quoted less "
        "than 15 minutes ago, and counts once."
    )
    return tool_error(
        f"A quote, nothing was sent: this costs {about}{credits} {kind}.{have} Not charged.{wrong} Ask the person. If "
        f"they agree, call again with the same arguments and confirm_credits={credits}."
    )


def not_confirmed(credits: int, *, estimated: bool, cheaper: bool) -> CallToolResult:
    """The answer where the question about the credits was not answered with yes, be it by the person or the host."""
    about = "about " if estimated else ""
    fast = " Mode fast costs 40." if cheaper else ""
    return tool_error(
        f"Spending {about}{credits} credits was not confirmed: the question was declined or closed, or the host "
        f"answered it without asking a person. Not charged. Ask the person what they want before calling again.{fast} "
        "If no person can be asked, the operator of this server can raise VEO_CONFIRM_ABOVE."
    )


def sharing_not_confirmed() -> CallToolResult:
    """The answer if the question about a folder's pictures was not answered with yes."""
    return tool_error(
        "Handing over a picture from that folder was not confirmed: the question was declined or closed, or the host "
        "answered it without asking a person. Nothing was uploaded. Not charged. Ask the person what they want before "
        "calling again; a public https link of the image needs no such question."
    )


def crashed(paid: str) -> CallToolResult:
    """The answer after a crash of ours, with the words on what it may have cost."""
    return tool_error(
        f"veo-mcp hit an error of its own; its log has the details. {paid} Look at list_tasks before anything is paid "
        "for again: it shows whether a video was started."
    )


def validation_error(tool: str, error: ValidationError, parameters: Mapping[str, Any]) -> CallToolResult:
    """The answer to arguments that do not fit the tool's schema.

    The SDK would show pydantic's raw dump, with the rejected values and a link to a website about pydantic.
    """
    faults = dict.fromkeys(_fault(tool, dict(fault), parameters) for fault in error.errors()[:5])
    has_alternative = any(text in fault for fault in faults for text in INSTEAD.values())
    next_step = "Tell the person what is available instead, then" if has_alternative else "Fix the arguments and"
    return tool_error(f"{' '.join(faults)} Not charged. {next_step} call {tool} again.")


def _fault(tool: str, fault: dict[str, Any], parameters: Mapping[str, Any]) -> str:
    location: tuple[Any, ...] = fault["loc"]
    name = clean(str(location[0]), 40) if location else "arguments"
    properties: Mapping[str, Any] = parameters.get("properties", {})
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        instead = INSTEAD.get(name.lower())
        taken = ", ".join(properties) or "none"
        return f"{name} is not an argument of {tool}{f'. {instead}' if instead else f', which takes {taken}.'}"
    if name == "image_urls" and len(location) > 1:
        return 'image_urls must be a list of links as plain text, such as ["https://example.com/a.jpg"].'
    return f"{name} {requirement(fault, properties.get(name))}."


def _later(error: ApiError) -> str:
    return f" Try again in {whole(error.retry_after)} s." if error.retry_after is not None else ""
