"""One running backend: client, accounts and everything that works for them, opened together and closed together.

Opened by app.py and by the command line. Never knows MCP.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

import anyio
from pydantic import SecretStr

from veo_mcp.api.client import VeoClient
from veo_mcp.api.download import MAX_BYTES
from veo_mcp.journal.journal import Journal
from veo_mcp.tasks.accounts import Accounts
from veo_mcp.tasks.balances import Balances
from veo_mcp.tasks.budget import Budget
from veo_mcp.tasks.callbacks import Callbacks, CallbackUrls
from veo_mcp.tasks.caller_keys import Callers
from veo_mcp.tasks.context import TaskContexts
from veo_mcp.tasks.films import Films
from veo_mcp.tasks.pictures import Pictures, Uploads
from veo_mcp.tasks.poller import Poller
from veo_mcp.tasks.price_quotes import Quotes
from veo_mcp.tasks.reader import Reader
from veo_mcp.tasks.saver import Saver
from veo_mcp.tasks.submit import Submitter

__all__ = ["Engine", "open_engine"]

REPEAT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts behind the MCP server; `journal` is there for those who follow its changes."""

    accounts: Accounts
    submitter: Submitter
    reader: Reader
    budget: Budget
    quotes: Quotes
    callbacks: Callbacks
    poller: Poller
    saver: Saver
    films: Films
    pictures: Pictures
    contexts: TaskContexts
    journal: Journal


def new_id() -> str:
    """An own task id, unguessable."""
    return "vid_" + secrets.token_urlsafe(16)


@asynccontextmanager
async def open_engine(
    journal: Journal,
    *,
    base_url: str,
    key: SecretStr,
    callers_pay: bool = False,
    public_url: str | None = None,
    max_credits: int | None = None,
    each: Callable[[str], int | None] = lambda principal: None,
    repeat_seconds: float = REPEAT_SECONDS,
    save_dir: Path | None = None,
    zone: tzinfo | None = None,
    max_video_bytes: int = MAX_BYTES,
    image_dirs: Sequence[Path] = (),
    uploads: Uploads | None = None,
    picture_trouble: str | None = None,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = anyio.current_time,
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    create_seconds: float = 45.0,
    crash_at: Callable[[str], None] = lambda point: None,
    observe: Callable[[str, str, float], None] = lambda operation, outcome, seconds: None,
) -> AsyncGenerator[Engine]:
    """Everything over an open journal; the caller starts the poller, the saver, the pictures and the callbacks.

    Videos are saved in `save_dir`, where there is one, those of the person alone who uses the server without a name;
    `zone` gives their names a date, that of the machine by default.
    For that person alone, files below `image_dirs` may be named as images, and are handed over through `uploads`;
    `picture_trouble` says why they cannot be.

    `crash_at` is called with the name of each point where a crash can fall; the crash tests end the process there.
    """

    def client_for(key: SecretStr) -> VeoClient:
        return VeoClient(
            base_url,
            key,
            monotonic=monotonic,
            sleep=sleep,
            create_seconds=create_seconds,
            crash_at=crash_at,
            observe=observe,
        )

    async def secret() -> str:
        return await journal.get_or_set("principal_secret", new_id() + new_id())

    worker_id = secrets.token_hex(8)
    async with client_for(key) as client:
        callers = Callers(client_for=client_for, secret=secret, monotonic=monotonic)
        accounts = Accounts(client, key, callers=callers, callers_pay=callers_pay)
        balances = Balances(journal, accounts, clock=clock)
        reader = Reader(journal, accounts, clock=clock, new_id=new_id)
        budget = Budget(journal, accounts, balances, clock=clock, max_credits=max_credits, each=each)
        urls = CallbackUrls(journal, public_url=public_url, new_id=new_id)
        pictures = Pictures(
            journal,
            folders=image_dirs,
            uploads=uploads,
            trouble=picture_trouble,
            clock=clock,
            sleep=sleep,
            # 192 bits: a name cannot be guessed while its link lasts.
            new_name=lambda: secrets.token_urlsafe(24),
            crash_at=crash_at,
        )
        submitter = Submitter(
            journal,
            accounts,
            reader,
            budget,
            balances,
            urls,
            pictures,
            clock=clock,
            new_id=new_id,
            worker_id=worker_id,
            repeat_seconds=repeat_seconds,
            saving=save_dir is not None,
            crash_at=crash_at,
        )
        films = Films(reader, accounts, max_bytes=max_video_bytes, zone=zone, crash_at=crash_at)
        saver = Saver(
            journal,
            accounts,
            films,
            folder=save_dir,
            worker_id=worker_id,
            clock=clock,
            sleep=sleep,
            zone=zone,
            crash_at=crash_at,
        )
        poller = Poller(
            journal, accounts, submitter, urls, worker_id=worker_id, clock=clock, sleep=sleep, crash_at=crash_at
        )
        try:
            yield Engine(
                accounts,
                submitter,
                reader,
                budget,
                Quotes(journal, budget, clock=clock),
                Callbacks(urls, reader, clock=clock, sleep=sleep),
                poller,
                saver,
                films,
                pictures,
                TaskContexts(journal, poller, urls),
                journal,
            )
        finally:
            await accounts.aclose()
