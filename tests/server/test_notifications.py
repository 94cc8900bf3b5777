"""Notifications: once per change, after it can be read, whoever caused it, in both eras and over every transport."""

import json
import os
import sqlite3
from importlib import resources
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mcp.server.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError

from tests.support.entries import PERSON, START, account, add
from tests.support.listening import (
    ERAS,
    HTTP,
    LEGACY,
    LIST,
    MODERN,
    NOWHERE,
    TRANSPORTS,
    Listener,
    client_of,
    open_env,
    own,
    quick,
    second_process,
    subscribe,
    task,
    unsubscribe,
)
from tests.support.results import structured
from tests.support.site import site
from veo_mcp.errors import JournalUnusable
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.server.outbox import Outbox

pytestmark = pytest.mark.anyio

NEXT = START + 1
BURST = int(os.environ.get("VEO_BURST", "300"))
"""Changes at once; `VEO_BURST=1000` for as many as a thousand."""


async def status_of(client: Client, uri: str) -> str:
    (content,) = (await client.read_resource(uri)).contents
    return str(json.loads(str(getattr(content, "text", "")))["status"])


@ERAS
@TRANSPORTS
async def test_each_change_is_announced_once_and_can_be_read_at_that_moment(
    tmp_path: Path, transport: str, era: str
) -> None:
    listener, seen = Listener(), list[str]()
    async with (
        open_env(tmp_path) as env,
        client_of(env, transport, era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await add(env.journal, task(1))
        await add(env.journal, task(2))
        await listener.subscribe(client, era, [own(1), "veo://tasks/task-2"], group)
        before = listener.received.count(own(1))
        changes = [Change(status=Status.PROCESSING), Change(progress=10.0), Change(status=Status.COMPLETED)]
        for number, change in enumerate(changes, before + 1):
            await env.journal.record("vid_1", change, now=NEXT)
            with anyio.fail_after(2):
                await listener.wait_for(own(1), number)
            seen.append(await status_of(client, own(1)))
        # The API's id of a task names it as well as our own; and whatever came twice would be here before this.
        await env.journal.record("vid_2", changes[-1], now=NEXT)
        with anyio.fail_after(2):
            await listener.wait_for("veo://tasks/task-2")
        assert seen == ["processing", "processing", "completed"]
        assert listener.received.count(own(1)) == before + len(changes)
        group.cancel_scope.cancel()


@ERAS
@TRANSPORTS
async def test_a_change_made_by_another_process_is_announced_within_two_seconds(
    tmp_path: Path, transport: str, era: str
) -> None:
    listener = Listener()
    async with (
        open_env(tmp_path) as env,
        second_process(env) as other,
        client_of(env, transport, era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await add(env.journal, task(1))
        await listener.subscribe(client, era, [own(1)], group)
        await other.run("record 1 completed")
        with anyio.fail_after(2):
            await listener.wait_for(own(1))
        assert await status_of(client, own(1)) == "completed"
        await other.run("new 2")
        with anyio.fail_after(2):
            await listener.wait_for(LIST)
        group.cancel_scope.cancel()


@ERAS
@HTTP
async def test_a_new_task_changes_the_list_once_and_a_change_never_across_a_restart(
    tmp_path: Path, transport: str, era: str
) -> None:
    listener = Listener()
    async with (
        open_env(tmp_path) as env,
        second_process(env) as other,
        client_of(env, transport, era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await listener.subscribe(client, era, [own(1)], group)
        await add(env.journal, task(1))
        await listener.wait_for(own(1))
        await env.journal.record("vid_1", Change(status=Status.PROCESSING), now=NEXT)
        await listener.wait_for(own(1), 2)
        # Created and changed before anyone here looks: still new, and new once.
        await other.run("new 2")
        await other.run("record 2 processing")
        await listener.wait_for(LIST, 2)
        await add(env.journal, task(3))
        await listener.wait_for(LIST, 3)
        await env.journal.record("vid_1", Change(progress=5.0), now=NEXT)
        await listener.wait_for(own(1), 3)
        assert listener.received.count(LIST) == 3
        group.cancel_scope.cancel()
    listener = Listener()
    async with (
        open_env(tmp_path) as env,
        second_process(env) as other,
        client_of(env, transport, era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await listener.subscribe(client, era, [own(1), own(2), own(4)], group)
        await env.journal.record("vid_1", Change(status=Status.COMPLETED), now=NEXT)
        await other.run("record 2 completed")
        await listener.wait_for(own(1))
        await listener.wait_for(own(2))
        await add(env.journal, task(4))
        await listener.wait_for(LIST)
        await env.journal.record("vid_4", Change(status=Status.COMPLETED), now=NEXT)
        await listener.wait_for(own(4), 2)
        assert listener.received.count(LIST) == 1
        group.cancel_scope.cancel()


@ERAS
@HTTP
async def test_in_a_burst_of_another_process_every_entrys_last_state_is_announced(
    tmp_path: Path, transport: str, era: str
) -> None:
    """Three changes of each entry at once; each client reads what it is notified of, and sees every final state."""
    number, listener = BURST // 3 + 1, Listener()
    async with (
        open_env(tmp_path) as env,
        second_process(env) as other,
        client_of(env, transport, era, listener) as client,
        anyio.create_task_group() as group,
    ):
        for index in range(number):
            await add(env.journal, task(index))
        uris = [own(index) for index in range(number)]
        await listener.subscribe(client, era, uris, group)
        ends, read = set[str](), 0
        group.start_soon(other.run, f"burst {number}")
        with anyio.fail_after(60):
            while len(ends) < number:
                uri = await listener.nth(read)
                read += 1
                if uri != LIST and await status_of(client, uri) == "completed":
                    ends.add(uri)
        group.cancel_scope.cancel()


@ERAS
@HTTP
async def test_after_unsubscribing_no_notification_comes(tmp_path: Path, transport: str, era: str) -> None:
    listener = Listener()
    async with (
        open_env(tmp_path) as env,
        client_of(env, transport, era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await add(env.journal, task(1))
        await add(env.journal, task(2))
        scope = await listener.subscribe(client, era, [own(1)], group)
        await env.journal.record("vid_1", Change(status=Status.PROCESSING), now=NEXT)
        await listener.wait_for(own(1))
        await listener.subscribe(client, era, [own(2)], group)
        if era == LEGACY:
            await unsubscribe(client, own(1))
        else:
            scope.cancel()
            await env.listeners(1)
        await env.journal.record("vid_1", Change(status=Status.COMPLETED), now=NEXT)
        await env.journal.record("vid_2", Change(status=Status.COMPLETED), now=NEXT)
        await listener.wait_for(own(2))
        assert listener.received.count(own(1)) == 1
        group.cancel_scope.cancel()


@ERAS
@pytest.mark.parametrize("directive", ["drop", "garbage"])
async def test_who_listens_to_an_unknown_outcome_is_notified_when_a_callback_proves_it(
    tmp_path: Path, era: str, directive: str
) -> None:
    """They know the task by our own id only, and are notified under that, although the task has the API's id now."""
    listener = Listener()
    handler = listener if era == LEGACY else None
    async with (
        site(tmp_path, create_seconds=2) as env,
        Client(env.url + "/mcp", mode=era, message_handler=handler) as client,
        anyio.create_task_group() as group,
    ):
        await listener.subscribe(client, era, ["veo://tasks"], group)
        made = await client.call_tool("create_video", {"prompt": f"[sandbox:{directive}] a boat"})
        uri = structured(made)["resource_uri"]
        assert uri.startswith("veo://tasks/vid_")
        await listener.subscribe(client, era, [uri], group)
        with anyio.fail_after(30):
            while await status_of(client, uri) != "completed":
                before = listener.received.count(uri)
                await listener.wait_for(uri, before + 1)
        assert uri in listener.received
        group.cancel_scope.cancel()


async def test_what_one_listener_may_ask_for_is_limited(tmp_path: Path) -> None:
    async with (
        open_env(tmp_path, most=3) as env,
        client_of(env, "http", LEGACY, Listener()) as client,
        client_of(env, "http", MODERN, Listener()) as modern,
        anyio.create_task_group() as group,
    ):
        with pytest.raises(MCPError, match="at most 2000"):
            await subscribe(client, "veo://" + "x" * 2000)
        many = [f"veo://{number}" for number in range(2001)]
        with pytest.raises(MCPError, match="at most 2000"):
            async with modern.listen(resource_subscriptions=many):
                pass
        for _ in range(2):  # with the legacy client, that is three
            await Listener().subscribe(modern, MODERN, ["veo://tasks"], group)
        with pytest.raises(MCPError, match="Too many listen"):
            async with modern.listen(resource_subscriptions=["veo://tasks"]):
                pass
        group.cancel_scope.cancel()


async def test_an_unread_feed_keeps_the_last_state_of_every_entry(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "j.db") as one, one.changes() as feed:
        await quick(one)
        for number in range(300):
            await add(one, task(number))
        for progress in (10.0, 20.0):
            for number in range(300):
                await one.record(f"vid_{number}", Change(progress=progress), now=NEXT)
        read = [await anext(feed) for _ in range(300)]
        assert {entry.id for entry in read} == {f"vid_{number}" for number in range(300)}
        assert {entry.progress for entry in read} == {20.0}
        await one.record("vid_7", Change(status=Status.COMPLETED), now=NEXT)
        assert (await anext(feed)).status is Status.COMPLETED


async def test_new_entries_come_in_the_order_in_which_they_were_created(tmp_path: Path) -> None:
    """So one number is enough to tell a new entry from a changed one, in whatever order the changes came."""
    async with SqliteJournal(tmp_path / "j.db") as writer:
        await add(writer, task(1))
        async with SqliteJournal(tmp_path / "j.db") as reader, reader.changes() as feed:
            for number in (2, 3):
                await add(writer, task(number))
            for number in (1, 2):
                await writer.record(f"vid_{number}", Change(progress=5.0), now=NEXT)
            newest_seq, new = feed.since, list[str]()
            last: dict[str, float | None] = {}
            while last.get("vid_1") is None or last.get("vid_2") is None or "vid_3" not in last:
                entry = await anext(feed)
                last[entry.id] = entry.progress
                if entry.created_seq > newest_seq:
                    new.append(entry.id)
                newest_seq = max(newest_seq, entry.created_seq)
            assert new == ["vid_2", "vid_3"]


async def test_a_feed_of_one_entry_holds_nothing_of_the_others(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "j.db") as journal:
        for number in (1, 2):
            await add(journal, task(number))
        async with journal.changes("vid_2") as feed:
            for number in (1, 2):
                await journal.record(f"vid_{number}", Change(progress=5.0), now=NEXT)
            assert (await anext(feed)).id == "vid_2"
            with anyio.move_on_after(0.05) as scope:
                await anext(feed)
            assert scope.cancelled_caught


async def test_what_a_cancelled_call_wrote_is_announced_all_the_same(tmp_path: Path) -> None:
    scope = anyio.CancelScope()

    def give_up(point: str) -> None:
        if point == "end recorded":
            scope.cancel()

    async with SqliteJournal(tmp_path / "j.db", crash_at=give_up) as journal:
        await add(journal, task(1))
        async with journal.changes() as feed:
            with scope:
                await journal.record("vid_1", Change(status=Status.COMPLETED), now=NEXT)
            assert scope.cancelled_caught
            with anyio.fail_after(2):
                assert (await anext(feed)).status is Status.COMPLETED


async def test_a_journal_that_could_not_be_looked_at_for_a_while_announces_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with SqliteJournal(path) as reader, SqliteJournal(path) as writer, reader.changes() as feed:
        await writer.file.read(lambda db: db.execute("ALTER TABLE entries RENAME TO gone"))
        with pytest.raises(JournalUnusable):
            await reader.list(account("a"))
        await anyio.sleep(1.2)  # so that the reader has looked, and found nothing that it could read
        await writer.file.read(lambda db: db.execute("ALTER TABLE gone RENAME TO entries"))
        await add(writer, task(1))
        with anyio.fail_after(2):
            assert (await anext(feed)).id == "vid_1"


@ERAS
async def test_tasks_of_an_older_journal_are_not_new(tmp_path: Path, era: str) -> None:
    listener, schema = Listener(), resources.files("veo_mcp.journal.sqlite") / "schema"
    with sqlite3.connect(tmp_path / "journal.db") as db:
        db.executescript("".join((schema / name).read_text() for name in ("001_entries.sql", "002_leases.sql")))
        db.execute(
            "INSERT INTO entries VALUES ('vid_1',?,'','create','f','{}','p','veo-3','fast','16:9',NULL,40,0,'up',"
            "'pending',NULL,NULL,'[]',NULL,NULL,NULL,'yes',NULL,1.0,1.0,NULL,NULL,NULL,1.0,0,1,NULL,0,0)",
            (NOWHERE,),
        )
        db.execute("UPDATE counter SET seq = 1")
        db.execute("PRAGMA user_version = 2")
    async with (
        open_env(tmp_path) as env,
        client_of(env, "http", era, listener) as client,
        anyio.create_task_group() as group,
    ):
        await listener.subscribe(client, era, [own(1), own(2)], group)
        await env.journal.record("vid_1", Change(status=Status.COMPLETED), now=NEXT)
        await add(env.journal, task(2))
        await listener.wait_for(LIST)
        await env.journal.record("vid_2", Change(status=Status.COMPLETED), now=NEXT)
        await listener.wait_for(own(2), 2)
        assert listener.received.count(own(1)) == 1
        assert listener.received.count(LIST) == 1
        group.cancel_scope.cancel()


async def test_what_is_no_longer_wanted_when_its_turn_comes_is_not_sent() -> None:
    wanted = {own(1), own(2)}
    outbox = Outbox(PERSON, lambda event: getattr(event, "uri", "") in wanted)
    for number in (1, 1, 2, 3):
        outbox.put(ResourceUpdated(uri=own(number)))
    assert len(outbox) == 2
    wanted.remove(own(1))
    assert await outbox.take() == ResourceUpdated(uri=own(2))
    assert len(outbox) == 0
