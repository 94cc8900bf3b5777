"""Each scope on its own: what one account spends, holds, receives or settles is no other's, whichever API answers.

`scripts/scope_mutations.py` takes each of them out of the product and looks for a test that turns red. The tests of
whole doors are in test_accounts.py, those of the journal's questions in tests/journal/cases/scopes.py.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from pydantic import SecretStr

from scripts.scope_mutations import ROOT, scopes
from tests.support.entries import PERSON, START, account, add, unfinished
from tests.support.late_api import late_api
from tests.support.results import structured
from tests.support.stack import sandbox, text
from tests.support.video_api import IDENTITY, video_api
from tests.tasks.test_accounts import ERAS, site
from veo_mcp.api.account import Account, Caller
from veo_mcp.api.models import CreateInput, Mode
from veo_mcp.errors import InvalidApiKey, RequestError, SpendLimit
from veo_mcp.journal.entry import Change, Status
from veo_mcp.journal.journal import Lease
from veo_mcp.journal.sqlite.store import SqliteJournal
from veo_mcp.tasks import save_folder
from veo_mcp.tasks.engine import Engine, open_engine

pytestmark = pytest.mark.anyio
CARD = (advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]}),)


async def sends(engine: Engine, who: Account, prompt: str) -> Any:
    plan = engine.submitter.plan_create(who, CreateInput(prompt=prompt))
    return await engine.submitter.spend(who, plan)


@ERAS
async def test_the_spending_of_another_account_is_not_counted_as_mine(tmp_path: Path, era: str) -> None:
    async with (
        late_api() as api,
        site(tmp_path, api.base_url) as there,
        there.as_("anna", era) as anna,
        there.as_("ben", era) as ben,
    ):
        for number in range(2):
            await ben.call_tool("create_video", {"prompt": f"ben's boat {number}"})
        await anna.call_tool("create_video", {"prompt": "anna's boat"})
        assert "Last 24 h: 40 credits" in text(await anna.call_tool("list_tasks", {}))
        assert "Last 24 h: 80 credits" in text(await ben.call_tool("list_tasks", {}))
        assert "Last 24 h: 40 credits" in str(await anna.read_resource("veo://tasks"))
        assert structured(await anna.call_tool("get_credits", {}))["spent_24h"] == 40
        assert structured(await ben.call_tool("get_credits", {}))["spent_24h"] == 80


@pytest.mark.parametrize(("total", "left"), [(130, 10), (1000, 60)])
async def test_of_the_total_and_the_own_limit_the_tighter_one_is_shown(tmp_path: Path, total: int, left: int) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(
            journal, base_url=api.base_url, key=SecretStr("sk-x"), max_credits=total, each=lambda _principal: 100
        ) as engine,
    ):
        anna, ben = [await engine.accounts.account(Caller(principal=name)) for name in ("anna", "ben")]
        for who, prompt in ((anna, "a boat"), (ben, "a boat"), (ben, "a second boat")):
            await sends(engine, who, prompt)
        standing = await engine.budget.standing(anna)
        assert (standing.spent, standing.left) == (40, left)
        await engine.budget.check(anna, left)
        with pytest.raises(SpendLimit):
            await engine.budget.check(anna, left + 1)


async def test_what_is_said_around_a_task_is_about_its_own_account_alone(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        anna = await engine.accounts.account(Caller(principal="anna"))
        await add(journal, unfinished(1, api=anna.api, principal="ben"))
        await add(journal, unfinished(2, api=anna.api, principal="anna", kind="extend", extends="vid_1"))
        for number, who in ((3, "ben"), (4, "ben"), (5, "anna"), (6, "")):
            await add(journal, unfinished(number, api=anna.api, principal=who, fingerprint="the same"))
            if who:
                await journal.record(f"vid_{number}", Change(status=Status.FAILED), now=START + number)
        for entry_id, parts, failures in (("vid_2", ["vid_2"], 0), ("vid_5", [], 1)):
            entry = await journal.get(anna, entry_id)
            assert entry is not None
            context = await engine.contexts.of(anna, entry)
            assert [part.id for part in context.chain] == parts
            assert context.failures == failures


@ERAS
async def test_the_card_settles_nothing_of_another_account(tmp_path: Path, era: str) -> None:
    async with late_api() as api, site(tmp_path, api.base_url) as there:
        lost = unfinished(1, api=api.base_url, principal="anna", upstream_id=None, status=Status.SUBMITTING)
        await add(there.engine.journal, lost)
        await there.engine.journal.record("vid_1", Change(status=Status.UNKNOWN), now=START)
        async with there.as_("ben", era, extensions=CARD) as ben, there.as_("anna", era, extensions=CARD) as anna:
            for task_id in ("vid_1", "vid_nobody"):
                refusal = await ben.call_tool("resolve_task", {"task_id": task_id, "not_charged": True})
                assert refusal.is_error
                assert "No task" in text(refusal)
            settled = await anna.call_tool("resolve_task", {"task_id": "vid_1", "not_charged": True})
            assert structured(settled)["status"] == "refused"


async def test_a_price_quoted_to_one_person_is_confirmed_by_no_other_account(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        anna, ben = [await engine.accounts.account(Caller(principal=name)) for name in ("anna", "ben")]
        plan = engine.submitter.plan_create(anna, CreateInput(prompt="x", mode=Mode.QUALITY))
        await engine.quotes.give(anna, plan, None)
        assert not await engine.quotes.take(ben, plan, None, plan.credits)
        assert await engine.quotes.take(anna, plan, None, plan.credits)


async def test_what_a_sandbox_spent_counts_from_the_answer_that_names_it(tmp_path: Path) -> None:
    """The account may be older than the knowledge of its API: until then it is taken for what the URL names."""
    async with late_api() as api, SqliteJournal(tmp_path / "journal.db") as journal:
        api.ledger = "one"
        async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), max_credits=100) as engine:
            mine = await engine.accounts.account(PERSON)
            assert mine.api == "sandbox:one"
            await sends(engine, mine, "a boat")
        async with open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x"), max_credits=100) as engine:
            standing = await engine.budget.standing(account(api.base_url))
            assert (standing.spent, standing.left) == (40, 60)


async def test_nothing_is_sent_in_the_name_of_another_api_than_the_one_that_answers(tmp_path: Path) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        api.ledger = "one"
        with pytest.raises(RequestError, match="nothing was sent"):
            await sends(engine, account(api.base_url), "a boat")
        assert api.paid.total() == 0
        mine = await engine.accounts.account(PERSON)
        for who in (mine, account(api.base_url)):
            assert (await journal.list(who)).entries == ()
        assert (await sends(engine, mine, "a boat")).entry.api == "sandbox:one"


async def test_settling_by_an_id_that_is_known_says_whose_it_is_without_asking_the_api_or_another_account(
    tmp_path: Path,
) -> None:
    async with (
        late_api() as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.base_url, key=SecretStr("sk-x")) as engine,
    ):
        mine = await engine.accounts.account(PERSON)
        await add(journal, unfinished(1, api=api.base_url, prompt="the first boat"))
        await add(journal, unfinished(2, api=api.base_url, principal="ben", prompt="ben's boat"))
        await add(journal, unfinished(3, api=api.base_url, upstream_id=None, status=Status.SUBMITTING))
        await journal.record("vid_3", Change(status=Status.UNKNOWN), now=START)
        with pytest.raises(RequestError) as known:
            await engine.reader.settle(mine, "vid_3", upstream_id="task-1")
        assert "belongs to another task already, vid_1 (“the first boat”). Nothing was changed." in str(known.value)
        assert api.asked == []
        with pytest.raises(RequestError) as somebodys:
            await engine.reader.settle(mine, "vid_3", upstream_id="task-2")
        assert "belongs to another task. Nothing was changed." in str(somebodys.value)
        assert "ben" not in str(somebodys.value)
        entry = await journal.find("vid_3")
        assert entry is not None
        assert entry.status is Status.UNKNOWN


async def test_each_key_is_tried_before_its_first_request_is_written_down(tmp_path: Path) -> None:
    async with (
        sandbox(tmp_path / "sandbox") as url,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=url, key=SecretStr("sk-x")) as engine,
    ):
        good, refused = [
            await engine.accounts.account(Caller(principal="", key=SecretStr(key)))
            for key in ("sk-good", "sk-sandbox-disabled")
        ]
        await sends(engine, good, "[sandbox:slow] a boat")
        with pytest.raises(InvalidApiKey):
            await sends(engine, refused, "[sandbox:slow] a boat")
        assert (await journal.list(refused)).entries == ()


async def test_a_balance_is_evidence_about_its_own_keys_requests_alone(tmp_path: Path) -> None:
    async with (
        sandbox(tmp_path / "sandbox") as url,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=url, key=SecretStr("sk-x")) as engine,
    ):
        rich, new = [
            await engine.accounts.account(Caller(principal="", key=SecretStr(key))) for key in ("sk-rich", "sk-new")
        ]
        for number in range(3):
            await sends(engine, rich, f"[sandbox:slow] boat {number}")
        await engine.budget.standing(rich)
        await engine.budget.standing(new)
        sent = await sends(engine, rich, "[sandbox:drop] another boat")
        assert (sent.entry.status, sent.entry.evidence) == (Status.UNKNOWN, 40)


async def test_a_fresh_link_from_another_api_is_not_fetched(tmp_path: Path) -> None:
    async with (
        video_api(tmp_path / "api") as api,
        SqliteJournal(tmp_path / "journal.db") as journal,
        open_engine(journal, base_url=api.url, key=SecretStr("sk-x"), save_dir=tmp_path / "v") as engine,
    ):
        save_folder.prepare(tmp_path / "v")
        (tmp_path / "api" / "fresh.mp4").write_bytes(b"another ledger's video")
        api.refuse["old.mp4"] = 404
        api.links["task-1"] = "fresh.mp4"
        entry = unfinished(
            1, api=IDENTITY, status=Status.COMPLETED, video_urls=(api.link("old.mp4"),), save_wanted=True
        )
        await add(journal, entry)
        mine = await engine.accounts.account(PERSON)
        api.identity = "another"
        with pytest.raises(Exception, match="404"):
            await engine.films.fetch(mine, entry, tmp_path / "out.mp4", on_progress=lambda done, total: None)
        assert api.fetched == {}
        api.identity = "film"
        await engine.films.fetch(mine, entry, tmp_path / "out.mp4", on_progress=lambda done, total: None)
        assert api.fetched == {"fresh.mp4": 1}


class Meanwhile(SqliteJournal):
    """A journal during whose lease of a file the API turns out to be another one."""

    engine: Engine | None = None

    async def lease_files(self, **options: Any) -> Sequence[Lease]:
        leases = await super().lease_files(**options)
        if self.engine is not None:
            await self.engine.accounts.client(account("")).get_credits()
        return leases


async def test_a_file_whose_api_turned_out_to_be_another_one_is_left_for_later(tmp_path: Path) -> None:
    async with (
        video_api(tmp_path / "api") as api,
        Meanwhile(tmp_path / "journal.db") as journal,
        open_engine(
            journal, base_url=api.url, key=SecretStr("sk-x"), save_dir=tmp_path / "v", clock=lambda: START
        ) as engine,
    ):
        save_folder.prepare(tmp_path / "v")
        shutil.copy(__file__, tmp_path / "api" / "1.mp4")
        entry = unfinished(
            1,
            api=IDENTITY,
            status=Status.COMPLETED,
            video_urls=(api.link("1.mp4"),),
            save_wanted=True,
            file_due_at=START,
            ended_at=START,
        )
        await add(journal, entry)
        await engine.accounts.account(PERSON)
        journal.engine, api.identity = engine, "another"
        assert await engine.saver.round() == 1
        left = await journal.find("vid_1")
        assert left is not None
        assert "No key is at hand" in (left.file_error or "")
        assert left.file_due_at == START + 10
        assert api.fetched == {}


def test_every_scope_that_the_script_takes_out_stands_where_it_says() -> None:
    for scope in scopes():
        assert scope.taken_out((ROOT / scope.path).read_text()) != (ROOT / scope.path).read_text(), scope.name
