"""`veo-mcp login` and `logout`: asks for the provider's key, tries it with a free call, and keeps it for one API.

Called by cli/main.py. The key is neither echoed nor taken from a command line, and never printed. Never spends.
"""

import getpass
import sys
import warnings
from collections.abc import Sequence

import anyio
from pydantic import SecretStr

from veo_mcp import setting_values
from veo_mcp.api.client import VeoClient
from veo_mcp.cli.terminal import err, out
from veo_mcp.errors import ApiError
from veo_mcp.saved_key import KeyPlace, SavedKeyUnusable
from veo_mcp.settings import REAL_API, Settings

__all__ = ["login", "logout"]


class _NotSaved(Exception):
    """Nothing was saved; the message says why."""


def login(settings: Settings, place: KeyPlace, *, spenders: Sequence[str], agreed: bool) -> int:
    """Asks for a key and keeps it; 0 if it was kept.

    Args:
        settings: for which API; without any saved key.
        place: where keys are kept.
        spenders: the hosts that would use the key from then on.
        agreed: whether the person said yes beforehand.
    """
    origin = settings.base_url or REAL_API
    try:
        _usable(settings)
        key = _asked_for(origin)
        out.print(_tried(origin, key), highlight=False, soft_wrap=True)
        _agree(origin, spenders, agreed)
        where = place.save(origin, key)
    except (_NotSaved, SavedKeyUnusable) as fault:
        err.print(str(fault), highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        err.print("\nNothing was saved.")
        return 130
    out.print(f"Saved in {where}, for {origin} only.", highlight=False, soft_wrap=True)
    out.print(
        "Servers that run now go on as they are; those started from now on use the key. `veo-mcp check` shows it, "
        "`veo-mcp logout` deletes it, `veo-mcp serve --sandbox` never uses it.",
        highlight=False,
        soft_wrap=True,
    )
    if settings.api_key is not None:
        out.print("VEO_API_KEY is set here and wins over the saved key.", style="yellow")
    return 0


def logout(settings: Settings, place: KeyPlace) -> int:
    """Deletes the saved key; 0 also if there was none."""
    origin = settings.base_url or REAL_API
    try:
        where = place.forget(origin)
    except SavedKeyUnusable as fault:
        err.print(str(fault), highlight=False, soft_wrap=True)
        return 1
    if where is None:
        out.print(f"No key for {origin} is saved.", highlight=False, soft_wrap=True)
    else:
        out.print(
            f"The key for {origin} was deleted from {where}. Running servers keep it until they are restarted.",
            highlight=False,
            soft_wrap=True,
        )
    if settings.api_key is not None:
        out.print("VEO_API_KEY is set here and goes on being used.", style="yellow")
    return 0


def _usable(settings: Settings) -> None:
    wrong = next((problem for problem in settings.problems if problem.startswith("VEO_BASE_URL is not")), None)
    if wrong is not None:
        raise _NotSaved(f"{wrong} Nothing was saved.")


def _asked_for(origin: str) -> SecretStr:
    if sys.stdin.isatty():
        out.print(f"The key for {origin} (sk-…). It is not shown while you type or paste.", highlight=False)
        with warnings.catch_warnings():
            # Where the terminal cannot be silenced, getpass warns and then shows what is typed.
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                text = getpass.getpass("Key: ")
            except getpass.GetPassWarning:
                raise _NotSaved(
                    "This terminal cannot hide what is typed. Nothing was saved. Use another one, or hand the key over "
                    "by a pipe: veo-mcp login --yes < FILE"
                ) from None
            except EOFError:
                text = ""
    else:
        text = sys.stdin.readline()
    if not text.strip():
        raise _NotSaved("No key was given. Nothing was saved.")
    try:
        return setting_values.key(text.strip())
    except ValueError as fault:
        raise _NotSaved(f"The key {fault}. Nothing was saved.") from None


def _tried(origin: str, key: SecretStr) -> str:
    async def balance() -> tuple[int, bool]:
        async with VeoClient(origin, key) as api:
            reply = await api.get_credits()
            return reply.value.balance, reply.api.startswith("sandbox:")

    try:
        credits, sandbox = anyio.run(balance)
    except ApiError as error:
        raise _NotSaved(f"{error.explanation} Nothing was saved.") from None
    return f"The key works: {credits:,} {'sandbox ' if sandbox else ''}credits."


def _agree(origin: str, spenders: Sequence[str], agreed: bool) -> None:
    who = ", ".join(spenders)
    out.print(
        (
            f"From their next start on, these would spend real credits with it: {who}."
            if spenders
            else "No host has veo-mcp installed yet; those that do would spend real credits with it."
        )
        + " So would `veo-mcp serve` without --sandbox.",
        highlight=False,
        soft_wrap=True,
    )
    out.print("A limit for any 24 h: VEO_MAX_CREDITS in the host's entry, or --max-credits.", highlight=False)
    if agreed:
        return
    if not sys.stdin.isatty():
        raise _NotSaved("There is no terminal to confirm on; pass --yes to agree in advance. Nothing was saved.")
    try:
        answer = input("Save the key? [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise _NotSaved("Nothing was saved.")
