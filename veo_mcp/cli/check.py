"""`veo-mcp check`: the settings in force, the journal, the API, the balance and the tools; ✓ or ✗ before each line.

Called by cli/main.py. Works on the same journal and settings as the server. Never spends, and shows a key by its last
four characters only.
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

import anyio
from anyio.to_thread import run_sync

from veo_mcp import bucket, film
from veo_mcp.app import open_from
from veo_mcp.cli.terminal import PERSON, err, marks, out
from veo_mcp.errors import ApiError, SetupError, VeoMcpError
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.settings import KNOBS, Settings
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.engine import Engine
from veo_mcp.text import shown_id
from veo_mcp.web.access import access_from

__all__ = ["check"]


@dataclass
class _Findings:
    """What was looked at: lines that are well, problems, warnings; and the same as data."""

    well: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    problems: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])


def check(settings: Settings, *, as_json: bool = False) -> int:
    """Prints what is in force and what is wrong; 0 if all is well, 1 if anything is not."""
    findings = anyio.run(_look, settings)
    if as_json:
        print(json.dumps(_data(settings, findings), indent=2, ensure_ascii=False))  # noqa: T201 - this command's output
    else:
        _print(settings, findings)
    return 1 if findings.problems else 0


async def _look(settings: Settings) -> _Findings:
    findings = _Findings(problems=list(settings.problems), warnings=list(settings.warnings))
    if settings.transport != "stdio":
        try:
            access_from(settings)
        except SetupError as refusal:
            findings.problems.append(refusal.explanation)
    try:
        async with open_from(settings) as engine:
            await engine.journal.check_writable()
            # Where VEO_JOURNAL is wrong, this is the default, which is not what was asked for.
            if not any("VEO_JOURNAL" in problem for problem in settings.problems):
                findings.well.append(("journal", f"{settings.journal}: usable"))
            if not settings.problems:  # a key that is known to be wrong is not sent anywhere
                await _ask_balance(engine, findings)
                await _look_into_sandbox(settings, findings)
                await _look_at_files(engine, settings, findings)
                await _look_at_pictures(settings, findings)
    except* VeoMcpError as group:
        findings.problems.append(str(group.exceptions[0]))
    key = settings.shown("api_key")
    source = settings.sources.get("api_key")
    unused = " (not used: the sandbox is)" if settings.api_key is not None and settings.embedded else ""
    if source:
        findings.well.append(("key", f"{key}, {source}{unused}"))
    elif not settings.problems:
        findings.well.append(("key", "none: `veo-mcp login` saves one"))
    tools = await build_server(Backend(), sandbox=settings.embedded, read_only=settings.read_only).list_tools()
    listed = json.dumps([tool.model_dump(by_alias=True, exclude_none=True, mode="json") for tool in tools])
    findings.well.append(
        (
            "tools",
            f"{len(tools)}; fingerprint of what hosts see: {sha256(listed.encode()).hexdigest()[:16]}",
        )
    )
    return findings


async def _ask_balance(engine: Engine, findings: _Findings) -> None:
    try:
        account = await engine.accounts.account(PERSON)
        standing = await engine.budget.standing(account)
    except ApiError as error:
        findings.problems.append(error.explanation)
        return
    findings.well.append(("API", f"{account.api} ({'SANDBOX' if standing.sandbox else 'real'})"))
    left = "" if standing.left is None else f"; {standing.left} of the limit of {standing.limit} in 24 h are left"
    findings.well.append(("credits", f"{standing.credits.balance}{left}"))


async def _look_into_sandbox(settings: Settings, findings: _Findings) -> None:
    """What goes wrong in the sandbox that this server shares with others on the machine."""
    if not settings.embedded:
        return
    from veo_mcp.sandbox.embedded import work_in

    trouble = await work_in(settings.sandbox_dir)
    if trouble:
        findings.problems.append(trouble)


async def _look_at_files(engine: Engine, settings: Settings, findings: _Findings) -> None:
    """Whether videos can be saved, and which of the newest still are not."""
    if settings.save_dir is None:
        return
    trouble = None
    if await anyio.Path(settings.save_dir).exists() or not await anyio.Path(settings.save_dir.parent).is_dir():
        trouble = await run_sync(save_folder.probe, settings.save_dir)
    if trouble:
        findings.problems.append(f"{trouble} Finished videos are saved there once that is put right.")
    else:
        joins = "" if film.able() else f" {film.NO_TOOL}"
        findings.well.append(("videos", f"saved in {settings.save_dir}.{joins}"))
    page = await engine.reader.list(await engine.accounts.account(PERSON), limit=50)
    for entry in page.entries:
        if entry.file_error:
            findings.warnings.append(f"The video of {shown_id(entry.upstream_id or entry.id)}: {entry.file_error}")


async def _look_at_pictures(settings: Settings, findings: _Findings) -> None:
    """Whether pictures from the disk can be handed over: the folders are there, and the bucket takes and gives up."""
    if not settings.image_dirs or settings.uploads is None:
        return
    for folder in settings.image_dirs:
        if not await anyio.Path(folder).is_dir():
            findings.warnings.append(f"VEO_IMAGE_DIRS names {folder}, and no such folder is there at the moment.")
    lacking = bucket.missing()
    if lacking:
        findings.problems.append(lacking)
        return
    uploads = bucket.Bucket(settings.uploads)
    probe = f"{uploads.address}/{token_urlsafe(24)}.txt"
    try:
        await run_sync(uploads.put, probe, b"veo-mcp check", "text/plain")
    except bucket.BucketTrouble as trouble:
        findings.problems.append(f"Pictures cannot be handed over. {trouble}")
        return
    try:
        await run_sync(uploads.delete, probe)
    except bucket.BucketTrouble as trouble:
        findings.warnings.append(f"Pictures are not deleted when their task ends: {trouble} {probe} was left there.")
    findings.well.append(("pictures", f"below {settings.shown('image_dirs')}, handed over by {uploads.address}"))


def _print(settings: Settings, findings: _Findings) -> None:
    well, bad = marks()
    for name, words in findings.well:
        out.print(f"{well} {name:<9} {words}", highlight=False, soft_wrap=True)
    for warning in findings.warnings:
        err.print(f"! {warning}", style="yellow", highlight=False, soft_wrap=True)
    for problem in findings.problems:
        err.print(f"{bad} {problem}", style="red", highlight=False, soft_wrap=True)
    out.print("\nSettings in force:", highlight=False)
    for knob in KNOBS:
        source = settings.sources.get(knob.name, "default")
        shown = settings.shown(knob.name)
        out.print(f"  {knob.variable:<22} {shown}  ({source})", highlight=False, soft_wrap=True)


def _data(settings: Settings, findings: _Findings) -> dict[str, Any]:
    values = {
        knob.variable: {"value": settings.shown(knob.name), "source": settings.sources.get(knob.name, "default")}
        for knob in KNOBS
    }
    return {
        "ok": not findings.problems,
        "problems": findings.problems,
        "warnings": findings.warnings,
        **{name.lower(): words for name, words in findings.well},
        "settings": values,
    }
