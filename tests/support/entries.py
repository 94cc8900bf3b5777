"""Entries and accounts for tests."""

from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from veo_mcp.api.account import Account, Caller
from veo_mcp.api.models import CreateInput
from veo_mcp.journal.entry import Entry, Status
from veo_mcp.journal.journal import Journal, Limits
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks.engine import Engine
from veo_mcp.tasks.submit import SubmitResult

START = 1_800_000_000.0
PERSON = Caller(principal="")


def account(api: str, principal: str = "") -> Account:
    return Account(api, principal, SecretStr("sk-x"))


def unfinished(number: int, *, api: str, **fields: Any) -> Entry:
    """A task under way: `vid_<number>`, and `task-<number>` at the API."""
    entry = Entry(
        id=f"vid_{number}",
        api=api,
        principal="",
        kind="create",
        fingerprint=f"f{number}",
        prompt="x",
        model="veo-3",
        mode="fast",
        aspect_ratio="16:9",
        credits=40,
        upstream_id=f"task-{number}",
        status=Status.PENDING,
        charged="yes",
        created_at=START,
        updated_at=START,
        next_poll_at=START,
    )
    return replace(entry, **fields)


async def everything(engine: Engine) -> tuple[Entry, ...]:
    """All tasks of the one person here, newest first."""
    mine = await engine.accounts.account(PERSON)
    entries: list[Entry] = []
    cursor = None
    while True:
        page = await engine.journal.list(mine, limit=50, cursor=cursor)
        entries.extend(page.entries)
        cursor = page.next_cursor
        if cursor is None:
            return tuple(entries)


async def add(journal: Journal, entry: Entry) -> Entry | None:
    """Puts an entry into a journal, as its own account would."""
    if entry.upstream_id is None:
        return (await journal.begin(entry, now=entry.created_at, limits=Limits(), repeat_seconds=0)).entry
    return await journal.adopt(account(entry.api, entry.principal), entry)


async def create(engine: Engine, prompt: str, **fields: Any) -> SubmitResult:
    """What the tool create_video does, without the tool."""
    mine = await engine.accounts.account(PERSON)
    plan = engine.submitter.plan_create(mine, CreateInput(prompt=prompt, **fields))
    return await engine.submitter.spend(mine, plan)


async def whole(journal: SqliteJournal) -> list[Entry]:
    """Every entry of a file, whosever it is, newest first within an account."""
    pairs = await journal.file.read(lambda db: db.execute("SELECT DISTINCT api, principal FROM entries").fetchall())
    return [
        entry for api, principal in pairs for entry in (await journal.list(account(api, principal), limit=50)).entries
    ]
