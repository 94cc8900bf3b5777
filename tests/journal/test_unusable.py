"""With an unusable journal nothing is sent, and the message names the file and what to do."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from mcp import Client
from pydantic import SecretStr

from tests.support.raw_api import RawApi, raw_api, says, success
from tests.support.stack import text
from veo_mcp.app import backend_for
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.backend import Backend
from veo_mcp.server.build import build_server
from veo_mcp.server.notifications import Announcer
from veo_mcp.settings import load
from veo_mcp.tasks.engine import open_engine

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client_over(journal: SqliteJournal, api: RawApi) -> AsyncGenerator[Client]:
    """A client of a server over this open journal."""
    async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine:
        backend = Backend()
        backend.opened(engine)
        async with Client(build_server(backend, sandbox=False)) as client:
            yield client


async def answers_of_every_tool(journal: Path, api: RawApi) -> list[str]:
    """What the five tools answer over this journal, on a server started as hosts start it."""
    backend, announcer = Backend(), Announcer()
    settings = load({"VEO_API_KEY": "sk-x", "VEO_BASE_URL": api.base_url, "VEO_JOURNAL": str(journal)})
    server = build_server(backend, sandbox=False, announcer=announcer)
    async with backend_for(settings, backend, announcer), Client(server) as client:
        assert len((await client.list_tools()).tools) == 5
        calls: list[tuple[str, dict[str, str]]] = [
            ("create_video", {"prompt": "x"}),
            ("extend_video", {"prompt": "x", "task_id": "t"}),
            ("get_task", {"task_id": "t"}),
            ("list_tasks", {}),
            ("get_credits", {}),
        ]
        return [text(await client.call_tool(name, arguments)) for name, arguments in calls]


async def test_a_corrupt_journal_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is no database, whatever its name says" * 50)
    async with raw_api(says(success())) as api:
        for answer in await answers_of_every_tool(path, api):
            assert str(path) in answer
            assert "VEO_JOURNAL" in answer
            assert "Not charged." in answer
        assert api.posts == 0


async def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    async with raw_api(says(success())) as api:
        assert all("newer veo-mcp" in answer for answer in await answers_of_every_tool(path, api))
        assert api.posts == 0
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)


async def test_a_read_only_journal_is_named_and_nothing_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with raw_api(says(success())) as api, SqliteJournal(path) as journal:
        async with client_over(journal, api) as client:
            # File modes do not bind the superuser; this makes SQLite answer as it does for a file it may not write.
            await journal.file.read(lambda db: db.execute("PRAGMA query_only = ON").fetchone())
            said = text(await client.call_tool("create_video", {"prompt": "x"}))
        assert f"The journal {path} cannot be used" in said
        assert "Make it and its folder writable" in said
        assert "Not charged." in said
        assert api.posts == 0


async def test_a_journal_where_a_folder_is_missing_and_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "journal.db"
    async with raw_api(says(success())) as api:
        assert all(str(path) in answer for answer in await answers_of_every_tool(path, api))
        assert api.posts == 0


async def full(journal: SqliteJournal) -> None:
    """Makes SQLite report a full disk for this journal: SQLite then answers as it does when the device has no room."""
    await journal.file.read(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())


async def test_a_full_disk_at_the_intent_sends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with raw_api(says(success())) as api, SqliteJournal(path) as journal:
        async with client_over(journal, api) as client:
            await full(journal)
            said = text(await client.call_tool("create_video", {"prompt": "x" * 20_000}))
        assert "disk" in said
        assert "Not charged." in said
        assert api.posts == 0


async def test_a_disk_that_is_full_after_the_answer_is_never_reported_as_not_charged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with SqliteJournal(path) as journal:

        async def breaks_the_journal(stream: anyio.abc.SocketStream) -> None:
            # Another program takes the database away between the intent and its outcome.
            await journal.file.read(lambda db: db.execute("ALTER TABLE entries RENAME TO gone"))
            await stream.send(success())

        async with raw_api(breaks_the_journal) as api, client_over(journal, api) as client:
            said = text(await client.call_tool("create_video", {"prompt": "x"}))
        assert "Charged 40 credits." in said
        assert "7d89c51e" in said
        assert "Not charged." not in said
